/* The checkpointer: a thread that copies committed pages from the write-ahead log into the
 * database, so that normally no request waits for one. SQLite's automatic checkpoint ignores errors
 * of fsync; this one checks every return code (invariant 6). */
#ifndef WEBHOOKD_STORE_SQLITE_CHECKPOINTER_H
#define WEBHOOKD_STORE_SQLITE_CHECKPOINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

struct checkpointer;

/* `failed` is called on the checkpointer's thread if the disk fails under a checkpoint. */
struct checkpointer *checkpointer_start(const struct store_options *store,
                                        void (*failed)(void *context, const struct error *error),
                                        void *context, struct error *error);
void checkpointer_stop(struct checkpointer *checkpointer); /* NULL is fine */

/* Reports the log's length. The committer calls this after each commit. */
void checkpointer_committed(struct checkpointer *checkpointer, int log_frames);
/* Returns immediately, unless the log is so long that it must start over: then waits until the
 * checkpointer has tried that. -1: the disk failed under a checkpoint. The committer calls this
 * before each batch. */
int checkpointer_let_finish(struct checkpointer *checkpointer, struct error *error);

/* Announce the start and the end of a read that takes minutes (a backup). In between the log cannot
 * start over, so it grows, and the committer does not wait for it. Calls nest. Any thread. */
void checkpointer_hold_log(struct checkpointer *checkpointer);
void checkpointer_let_log_go(struct checkpointer *checkpointer);

void checkpointer_get_metrics(struct checkpointer *checkpointer, uint64_t *checkpoints,
                              int64_t *log_frames);

/* Runs one checkpoint on a connection of connection_open_checkpointer. Copies as much as possible
 * without blocking anyone; with `restart`, waits for readers so that the log starts over. Sets the
 * sizes of the log and of its copied part, in frames of 4 KiB. */
int checkpointer_copy(struct store *store, bool restart, int *log_frames, int *done_frames,
                      struct error *error);

#endif
