/* The work of the writing connection outside its batches: checkpoints, and watching the free space,
 * each on a thread of its own. Started by the commit queue, and ended by sqlite_close. */
#include "store/space.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"

int sqlite_start_upkeep(struct store *store, const struct store_upkeep *upkeep, struct error *error)
{
    struct connection *connection = connection_of(store);
    connection->space = space_start(connection->options.state_dir, upkeep->min_free_bytes, error);
    if (!connection->space)
        return -1;
    connection->checkpointer =
        checkpointer_start(&connection->options, upkeep->failed, upkeep->context, error);
    return connection->checkpointer ? 0 : -1;
}

int sqlite_has_room(struct store *store, int64_t bytes, struct error *error)
{
    return space_is_low(connection_of(store)->space, bytes, error) ? -1 : 0;
}

void sqlite_set_min_free(struct store *store, int64_t bytes)
{
    space_set_min_free(connection_of(store)->space, bytes);
}

void sqlite_get_metrics(struct store *store, struct store_metrics *metrics)
{
    struct connection *connection = connection_of(store);
    checkpointer_get_metrics(connection->checkpointer, &metrics->checkpoints, &metrics->log_frames);
    space_get(connection->space, &metrics->space);
    metrics->commit_us_sum = connection->commit_us_sum;
}
