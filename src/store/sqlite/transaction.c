/* Transactions and savepoints. Called by write.c and accept.c on the committer's thread, and by
 * projects.c when a store is opened. */
#include "store/sqlite/connection.h"

#include <assert.h>

static struct statement begin = {.sql = "BEGIN IMMEDIATE"};
static struct statement commit = {.sql = "COMMIT"};
static struct statement savepoint = {.sql = "SAVEPOINT operation"};
static struct statement release = {.sql = "RELEASE operation"};

static int control(struct store *store, struct statement *statement, const char *what,
                   struct error *error)
{
    return statement_run(store, statement_begin(store, statement, error), what, error);
}

int transaction_begin(struct store *store, struct error *error)
{
    assert(!transaction_is_open(store));
    if (control(store, &begin, "begin a transaction", error) != 0)
        return -1;
    connection_of(store)->changes_at_begin = sqlite3_total_changes64(connection_of(store)->db);
    connection_of(store)->load_count = connection_of(store)->load_at_savepoint = 0;
    return 0;
}

int transaction_commit(struct store *store, struct error *error)
{
    if (!transaction_is_open(store))
        return error_set(error, ERROR_INTERNAL,
                         "the transaction was rolled back before its commit");
    if (load_write(store, error) != 0)
        return -1;
    return control(store, &commit, "commit", error);
}

void transaction_rollback(struct store *store)
{
    if (transaction_is_open(store))
        sqlite3_exec(connection_of(store)->db, "ROLLBACK", NULL, NULL, NULL);
}

int transaction_savepoint(struct store *store, struct error *error)
{
    assert(transaction_is_open(store));
    if (control(store, &savepoint, "set a savepoint", error) != 0)
        return -1;
    connection_of(store)->changes_at_savepoint = sqlite3_total_changes64(connection_of(store)->db);
    connection_of(store)->load_at_savepoint = connection_of(store)->load_count;
    return 0;
}

int transaction_release(struct store *store, struct error *error)
{
    connection_of(store)->load_at_savepoint = connection_of(store)->load_count;
    return control(store, &release, "release a savepoint", error);
}

int transaction_rollback_to(struct store *store, struct error *error)
{
    if (!transaction_is_open(store))
        return 0;
    if (sqlite3_exec(connection_of(store)->db, "ROLLBACK TO operation; RELEASE operation", NULL,
                     NULL, NULL) != SQLITE_OK)
        return statement_failed(connection_of(store)->db, "undo an operation", error);
    connection_of(store)->load_count = connection_of(store)->load_at_savepoint;
    /* Undone changes do not count as written. */
    connection_of(store)->changes_at_begin += sqlite3_total_changes64(connection_of(store)->db) -
                                              connection_of(store)->changes_at_savepoint;
    return 0;
}

bool transaction_is_open(struct store *store)
{
    return sqlite3_get_autocommit(connection_of(store)->db) == 0;
}

bool transaction_wrote(struct store *store)
{
    return sqlite3_total_changes64(connection_of(store)->db) !=
           connection_of(store)->changes_at_begin;
}
