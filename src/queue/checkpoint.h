/* The checkpointer: a thread that moves committed pages from the write-ahead log into the database, so that no request ever waits for one.
 * SQLite's automatic checkpoint swallows the errors of fsync; this one asks for each return code (invariant 6). */
#ifndef WEBHOOKD_QUEUE_CHECKPOINT_H
#define WEBHOOKD_QUEUE_CHECKPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

struct checkpointer;

/* `failed` is called on the checkpointer's thread when the disk failed under a checkpoint. */
struct checkpointer *checkpointer_start(const struct store_options *store,
                                        void (*failed)(void *context, const struct error *error),
                                        void *context, struct error *error);
void checkpointer_stop(struct checkpointer *checkpointer); /* NULL is fine */

/* The committer tells the log's length after each commit. */
void checkpointer_committed(struct checkpointer *checkpointer, int log_frames);
/* The committer asks before each batch; returns at once unless the log is so long that it must start over: then it waits for that. */
void checkpointer_let_finish(struct checkpointer *checkpointer);

/* While a reader of minutes is about (a backup), the log cannot start over: nobody waits for it, and it grows. Counted. Any thread. */
void checkpointer_hold_log(struct checkpointer *checkpointer);
void checkpointer_let_log_go(struct checkpointer *checkpointer);

void checkpointer_get_metrics(struct checkpointer *checkpointer, uint64_t *checkpoints,
                              int64_t *log_frames);

#endif
