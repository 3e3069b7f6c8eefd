/* How many open runs each fleet has. On the committer's thread: changes are gathered in memory and written just before the commit, once
 * per fleet, so that accepting a run costs one tree less (migrations/0001_initial.sql says what an index would cost). */
#include "store/sqlite/connection.h"

#include <stdlib.h>

#include "base/memory.h"

int load_create(struct store *store, int64_t fleet_no, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_CREATE_LOAD,
                      "INSERT INTO fleet_load (fleet_no, open) VALUES (?1, 0)", error);
    if (!s)
        return -1;
    bind_int(s, 1, fleet_no);
    return statement_run(store, s, "create a fleet's load", error);
}

void load_change(struct store *store, int64_t fleet_no, int change)
{
    /* Runs of one fleet in a row share an entry, but not across a savepoint, which may be rolled back to. */
    if (store->load_count > store->load_at_savepoint &&
        store->load[store->load_count - 1].fleet_no == fleet_no) {
        store->load[store->load_count - 1].change += change;
        return;
    }
    if (store->load_count == store->load_capacity) {
        store->load_capacity = store->load_capacity == 0 ? 64 : 2 * store->load_capacity;
        store->load = memory_array(store->load, store->load_capacity, sizeof(store->load[0]));
    }
    store->load[store->load_count++] = (struct load_change){fleet_no, change};
}

static int by_fleet(const void *a, const void *b)
{
    int64_t left = ((const struct load_change *)a)->fleet_no;
    int64_t right = ((const struct load_change *)b)->fleet_no;
    return left < right ? -1 : left > right;
}

static int add(struct store *store, int64_t fleet_no, int64_t change, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_ADD_LOAD,
                      "UPDATE fleet_load SET open = open + ?2 WHERE fleet_no = ?1", error);
    if (!s)
        return -1;
    bind_int(s, 1, fleet_no);
    bind_int(s, 2, change);
    return statement_run(store, s, "count a fleet's open runs", error);
}

int load_write(struct store *store, struct error *error)
{
    size_t count = store->load_count;
    if (count > 1)
        qsort(store->load, count, sizeof(store->load[0]), by_fleet);
    for (size_t i = 0; i < count;) {
        int64_t fleet_no = store->load[i].fleet_no, change = 0;
        for (; i < count && store->load[i].fleet_no == fleet_no; i++)
            change += store->load[i].change;
        if (change != 0 && add(store, fleet_no, change, error) != 0)
            return -1;
    }
    store->load_count = store->load_at_savepoint = 0;
    return 0;
}

int load_open(struct store *store, int64_t fleet_no, int64_t *open, struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_GET_LOAD,
                                    "SELECT open FROM fleet_load WHERE fleet_no = ?1", error);
    if (!s)
        return -1;
    bind_int(s, 1, fleet_no);
    int found = statement_step(store, s, "read a fleet's load", error);
    *open = found > 0 ? column_int(s, 0) : 0;
    statement_end(s);
    for (size_t i = 0; i < store->load_count; i++) {
        if (store->load[i].fleet_no == fleet_no)
            *open += store->load[i].change;
    }
    return found < 0 ? -1 : 0;
}
