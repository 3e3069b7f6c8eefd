/* store_write: writes a batch as one transaction. Runs on the committer's thread and on the writing
 * connection.
 *
 * STEP and CALL items get a savepoint, so that each fails alone (invariant 5). After any error,
 * this checks whether SQLite still has the transaction: SQLITE_FULL and similar errors roll back
 * the whole batch, and then all of it fails. */
#include <assert.h>

#include "base/clock.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"

/* CHECK and ACCEPT items have no savepoint, because requests cause many thousands of them a second.
 * If sqlite_accept_hook fails halfway, it rolls back the whole transaction. */
static bool has_savepoint(const struct store_item *item)
{
    return item->kind == STORE_STEP || item->kind == STORE_CALL;
}

static int apply(struct store *store, struct store_item *item, struct error *error)
{
    switch (item->kind) {
    case STORE_CHECK:
        return sqlite_check_token(store, item->check->token_hash, &item->check->fleet_id, error);
    case STORE_ACCEPT:
        return sqlite_accept_hook(store, item->accept->token_hash, item->accept->input,
                                  &item->accept->ids, error);
    case STORE_STEP:
        return sqlite_step(store, item->step, error);
    case STORE_CALL:
        return item->call.apply(item->call.context, store, error);
    }
    return error_set(error, ERROR_INTERNAL, "a batch item of unknown kind");
}

/* Whether the error concerns this item alone. Without a savepoint, only a refusal before anything
 * was written does. */
static bool fails_alone(struct store *store, const struct store_item *item)
{
    if (!transaction_is_open(store))
        return false;
    switch (item->error.kind) {
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
    case ERROR_INVALID:
    case ERROR_STALE:
        return true;
    case ERROR_CONFIG:
    case ERROR_INTERNAL:
    case ERROR_UNAVAILABLE:
        return has_savepoint(item);
    case ERROR_NONE:
    case ERROR_FULL:
    case ERROR_IO:
        return false;
    }
    return false;
}

/* Returns -1 if the whole batch fails, and *error says why. */
static int write_item(struct store *store, struct store_item *item, struct error *error)
{
    error_clear(&item->error);
    if (has_savepoint(item) && transaction_savepoint(store, error) != 0)
        return -1;
    if (apply(store, item, &item->error) == 0)
        return has_savepoint(item) ? transaction_release(store, error) : 0;
    assert(error_is_set(&item->error));
    if (!fails_alone(store, item)) {
        *error = item->error;
        return -1;
    }
    return has_savepoint(item) ? transaction_rollback_to(store, error) : 0;
}

static int write_batch(struct store *store, struct store_item **items, size_t count, bool *wrote,
                       struct error *error)
{
    if (transaction_begin(store, error) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (write_item(store, items[i], error) != 0) {
            transaction_rollback(store);
            return -1;
        }
    }
    *wrote = transaction_wrote(store);
    int64_t before_us = clock_monotonic_us();
    if (transaction_commit(store, error) != 0) {
        transaction_rollback(store);
        return -1;
    }
    connection_of(store)->commit_us_sum += clock_monotonic_us() - before_us;
    return 0;
}

int sqlite_write(struct store *store, struct store_item **items, size_t count,
                 enum store_outcome *outcome, struct error *error)
{
    struct connection *connection = connection_of(store);
    bool wrote = false;
    *outcome = STORE_NOTHING;
    if ((connection->checkpointer &&
         checkpointer_let_finish(connection->checkpointer, error) != 0) ||
        write_batch(store, items, count, &wrote, error) != 0) {
        if (error->kind == ERROR_IO)
            *outcome = STORE_FAILED_DISK;
        return -1;
    }
    /* Even if every change was undone: the log contains the pages all the same (invariant 8). */
    if (connection->checkpointer)
        checkpointer_committed(connection->checkpointer, connection->log_frames);
    if (wrote)
        *outcome = STORE_DONE;
    return 0;
}
