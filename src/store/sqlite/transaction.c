/* Transactions and checkpoints: what the committer calls around each batch, and the checkpointer between them, each on its own
 * thread and connection. */
#include "store/sqlite/connection.h"

#include <assert.h>

static int control(struct store *store, enum statement_id id, const char *sql, const char *what,
                   struct error *error)
{
    sqlite3_stmt *statement = statement_get(store, id, sql, error);
    return !statement ? -1 : statement_run(store, statement, what, error);
}

int store_begin(struct store *store, struct error *error)
{
    assert(!store_in_transaction(store));
    if (control(store, STATEMENT_BEGIN, "BEGIN IMMEDIATE", "begin a transaction", error) != 0)
        return -1;
    store->changes_at_begin = sqlite3_total_changes64(store->db);
    store->load_count = store->load_at_savepoint = 0;
    return 0;
}

int store_commit(struct store *store, struct error *error)
{
    if (!store_in_transaction(store))
        return error_set(error, ERROR_INTERNAL,
                         "the transaction was rolled back before its commit");
    if (load_write(store, error) != 0)
        return -1;
    return control(store, STATEMENT_COMMIT, "COMMIT", "commit", error);
}

void store_rollback(struct store *store)
{
    if (store_in_transaction(store))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_savepoint(struct store *store, struct error *error)
{
    assert(store_in_transaction(store));
    if (control(store, STATEMENT_SAVEPOINT, "SAVEPOINT operation", "set a savepoint", error) != 0)
        return -1;
    store->changes_at_savepoint = sqlite3_total_changes64(store->db);
    store->load_at_savepoint = store->load_count;
    return 0;
}

int store_release(struct store *store, struct error *error)
{
    store->load_at_savepoint = store->load_count;
    return control(store, STATEMENT_RELEASE, "RELEASE operation", "release a savepoint", error);
}

int store_rollback_to(struct store *store, struct error *error)
{
    if (!store_in_transaction(store))
        return 0;
    if (sqlite3_exec(store->db, "ROLLBACK TO operation; RELEASE operation", NULL, NULL, NULL) !=
        SQLITE_OK)
        return statement_failed(store->db, "undo an operation", error);
    store->load_count = store->load_at_savepoint;
    /* What was undone does not count as written. */
    store->changes_at_begin += sqlite3_total_changes64(store->db) - store->changes_at_savepoint;
    return 0;
}

bool store_in_transaction(struct store *store)
{
    return sqlite3_get_autocommit(store->db) == 0;
}

bool store_wrote(struct store *store)
{
    return sqlite3_total_changes64(store->db) != store->changes_at_begin;
}

int store_log_frames(struct store *store)
{
    return store->log_frames;
}

int store_checkpoint(struct store *store, bool restart, int *log_frames, int *done_frames,
                     struct error *error)
{
    int mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    *log_frames = *done_frames = 0;
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, mode, log_frames, done_frames);
    /* -1 where there is no log to speak of. */
    if (*log_frames < 0)
        *log_frames = 0;
    if (*done_frames < 0)
        *done_frames = 0;
    return code == SQLITE_OK ? 0
                             : statement_failed(store->db, "copy the log into the database", error);
}
