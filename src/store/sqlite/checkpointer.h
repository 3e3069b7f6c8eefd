/* The checkpointer: a thread that moves committed pages from the write-ahead log into the database, so that no request ever waits for one.
 * SQLite's automatic checkpoint swallows the errors of fsync; this one asks for each return code (invariant 6). */
#ifndef WEBHOOKD_STORE_SQLITE_CHECKPOINTER_H
#define WEBHOOKD_STORE_SQLITE_CHECKPOINTER_H

#include <stdbool.h>
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
/* The committer asks before each batch. Returns immediately unless the log is so long that it
 * must start over: then it waits for that. -1: the disk failed under a checkpoint. */
int checkpointer_let_finish(struct checkpointer *checkpointer, struct error *error);

/* While a reader of minutes is about (a backup), the log cannot start over: nobody waits for it, and it grows. Counted. Any thread. */
void checkpointer_hold_log(struct checkpointer *checkpointer);
void checkpointer_let_log_go(struct checkpointer *checkpointer);

void checkpointer_get_metrics(struct checkpointer *checkpointer, uint64_t *checkpoints,
                              int64_t *log_frames);

/* One checkpoint, on a connection of connection_open_checkpointer: copies what it can without
 * disturbing anyone; with `restart` it waits for readers so that the log starts over. Sizes in
 * frames of 4 KiB. */
int checkpointer_copy(struct store *store, bool restart, int *log_frames, int *done_frames,
                      struct error *error);

#endif
