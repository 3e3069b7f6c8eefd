/* The number of open runs of each fleet. Runs on the committer's thread. Changes are collected in
 * memory and written just before the commit, once per fleet, so that accepting a run writes to one
 * tree less (migrations/sqlite/0001_initial.sql explains what an index would cost). */
#include "store/sqlite/connection.h"

#include <stdlib.h>

#include "base/memory.h"

int load_create(struct store *store, int64_t fleet_no, struct error *error)
{
    static struct statement create = {.sql = "INSERT INTO fleet_load (fleet_no, open) "
                                             "VALUES (?1, 0)"};
    sqlite3_stmt *s = statement_begin(store, &create, error, fleet_no);
    return statement_run(store, s, "create a fleet's load", error);
}

void load_change(struct store *store, int64_t fleet_no, int change)
{
    /* Successive runs of one fleet share an entry, but not across a savepoint, because the
     * transaction may be rolled back to it. */
    if (connection_of(store)->load_count > connection_of(store)->load_at_savepoint &&
        connection_of(store)->load[connection_of(store)->load_count - 1].fleet_no == fleet_no) {
        connection_of(store)->load[connection_of(store)->load_count - 1].change += change;
        return;
    }
    if (connection_of(store)->load_count == connection_of(store)->load_capacity) {
        connection_of(store)->load_capacity =
            connection_of(store)->load_capacity == 0 ? 64 : 2 * connection_of(store)->load_capacity;
        connection_of(store)->load =
            memory_array(connection_of(store)->load, connection_of(store)->load_capacity,
                         sizeof(connection_of(store)->load[0]));
    }
    connection_of(store)->load[connection_of(store)->load_count++] =
        (struct load_change){fleet_no, change};
}

static int by_fleet(const void *a, const void *b)
{
    int64_t left = ((const struct load_change *)a)->fleet_no;
    int64_t right = ((const struct load_change *)b)->fleet_no;
    return left < right ? -1 : left > right;
}

static int add(struct store *store, int64_t fleet_no, int64_t change, struct error *error)
{
    static struct statement add = {
        .sql = "UPDATE fleet_load SET open = open + ?2 WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &add, error, fleet_no, change);
    return statement_run(store, s, "count a fleet's open runs", error);
}

int load_write(struct store *store, struct error *error)
{
    size_t count = connection_of(store)->load_count;
    if (count > 1)
        qsort(connection_of(store)->load, count, sizeof(connection_of(store)->load[0]), by_fleet);
    for (size_t i = 0; i < count;) {
        int64_t fleet_no = connection_of(store)->load[i].fleet_no, change = 0;
        for (; i < count && connection_of(store)->load[i].fleet_no == fleet_no; i++)
            change += connection_of(store)->load[i].change;
        if (change != 0 && add(store, fleet_no, change, error) != 0)
            return -1;
    }
    connection_of(store)->load_count = connection_of(store)->load_at_savepoint = 0;
    return 0;
}

int load_open(struct store *store, int64_t fleet_no, int64_t *open, struct error *error)
{
    static struct statement get = {.sql = "SELECT open FROM fleet_load WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, fleet_no);
    *open = 0;
    int found = statement_find(store, s, "read a fleet's load", open, error);
    for (size_t i = 0; i < connection_of(store)->load_count; i++) {
        if (connection_of(store)->load[i].fleet_no == fleet_no)
            *open += connection_of(store)->load[i].change;
    }
    return found < 0 ? -1 : 0;
}
