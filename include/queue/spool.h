/* The spool: bodies over SPOOL_THRESHOLD_BYTES, in files state_dir/spool/<request id>. A thread of
 * its own writes and syncs them (file, then folder) while the request is suspended, so that no hook
 * worker ever waits for the disk.
 *
 * A file is named <request id>.part until it is complete and synced. A file without a run is
 * removed: by its request, or after the next start. */
#ifndef WEBHOOKD_QUEUE_SPOOL_H
#define WEBHOOKD_QUEUE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "store/store.h"

/* Larger bodies are spooled; others are stored in the run's row. */
#define SPOOL_THRESHOLD_BYTES 65536
#define SPOOL_PIECE_BYTES     (256 * 1024) /* the maximum for one spool_append */

struct spool;
/* One body on its way to the disk. Its request owns it, except during an operation. */
struct spool_body;

/* Opens the folder "spool" in state_fd, creating it if necessary. Files left by a crash are looked
 * up in the store (on a read connection of the spool's own), and removed if they have no run. */
struct spool *spool_start(int state_fd, const struct store_options *store, struct error *error);
/* Completes the operations that were handed over, then ends the threads. NULL is fine. */
void spool_stop(struct spool *spool);

/* Called on the spooler's thread, once per append and finish. error NULL: the operation
 * succeeded. */
typedef void spool_done(void *context, const struct error *error);

struct spool_body *spool_body_new(struct spool *spool, const struct id *request_id,
                                  spool_done *done, void *context);
/* Hands over the next piece, which the caller keeps unchanged until `done` is called. Only one
 * operation at a time. */
void spool_append(struct spool_body *body, const void *piece, size_t bytes);
/* Syncs the file, renames it to its final name and syncs the folder, then calls `done`. */
void spool_finish(struct spool_body *body);
/* To be called after spool_finish has called `done`. */
void spool_body_hash(const struct spool_body *body, uint8_t sha256[SECRET_HASH_BYTES]);
/* The run is, or may be, committed: keeps the file and frees the body. NULL is fine. */
void spool_keep(struct spool_body *body);
/* Removes the file (on the spooler's thread) and frees the body. No operation may be under way.
 * NULL is fine. */
void spool_discard(struct spool_body *body);

/* For callers that may block. When the first two return 0, the body is durable (file and folder are
 * synced). */
int spool_write_now(int state_fd, const struct id *request_id, const void *data, size_t bytes,
                    struct error *error);
int spool_copy_now(int state_fd, const struct id *from, const struct id *to, struct error *error);
void spool_remove_now(int state_fd, const struct id *request_id);
/* Opens a stored body for reading. Returns a descriptor, or -1. ERROR_NOT_FOUND: there is no such
 * body. */
int spool_open(int state_fd, const struct id *request_id, struct error *error);

#endif
