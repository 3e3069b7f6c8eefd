/* The spool: bodies over SPOOL_THRESHOLD_BYTES, in files state_dir/spool/<request id>, written and synced (file, then folder) by a thread of its
 * own while the request is suspended, so that no hook worker ever waits for the disk.
 *
 * A file is called <request id>.part until it is whole and synced. Whatever has no run is removed: by its request, or at the next start. */
#ifndef WEBHOOKD_QUEUE_SPOOL_H
#define WEBHOOKD_QUEUE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "store/store.h"

#define SPOOL_THRESHOLD_BYTES                                                                      \
    65536 /* larger bodies are spooled, others are stored in the run's row */
#define SPOOL_PIECE_BYTES (256 * 1024) /* what one append carries at most */

struct spool;
struct spool_body; /* one body on its way to the disk; its request's, between operations */

/* The folder state_fd/spool must exist. Files left by a crash are looked up in the store (a read connection of its own) and removed if no run has them. */
struct spool *spool_start(int state_fd, const struct store_options *store, struct error *error);
/* Finishes what was handed over, then ends the thread. */
void spool_stop(struct spool *spool);

/* On the spooler's thread, once per operation handed over. error NULL = done. */
typedef void spool_done(void *context, const struct error *error);

struct spool_body *spool_body_new(struct spool *spool, const struct id *request_id,
                                  spool_done *done, void *context);
/* Hands over the next piece, which the caller keeps alive and unchanged until `done`. One operation at a time. */
void spool_append(struct spool_body *body, const void *piece, size_t bytes);
/* Syncs the file, gives it its name, syncs the folder; then `done`. */
void spool_finish(struct spool_body *body);
/* After `done` of spool_finish. */
void spool_body_hash(const struct spool_body *body, uint8_t sha256[SECRET_HASH_BYTES]);
/* The run is committed (or may be): keeps the file, frees the body. */
void spool_keep(struct spool_body *body);
/* Removes the file (on the spooler's thread) and frees the body. No operation may be under way. NULL is fine. */
void spool_discard(struct spool_body *body);

/* For callers that may block: durable (file and folder synced) when they return 0. */
int spool_write_now(int state_fd, const struct id *request_id, const void *data, size_t bytes,
                    struct error *error);
int spool_copy_now(int state_fd, const struct id *from, const struct id *to, struct error *error);
void spool_remove_now(int state_fd, const struct id *request_id);
/* Opens a stored body for reading: a descriptor, or -1. */
int spool_open(int state_fd, const struct id *request_id, struct error *error);

#endif
