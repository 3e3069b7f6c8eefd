/* Deletes ended runs that are old enough: their output, their bodies, their rows. The newest run is
 * kept, whatever its age: run numbers continue from it. Also deletes the Idempotency-Keys whose
 * time is over (store/idempotency.h), even if runs are kept for ever. Works in small steps on a
 * thread of its own. */
#ifndef WEBHOOKD_RETENTION_RETENTION_H
#define WEBHOOKD_RETENTION_RETENTION_H

#include <stdint.h>

#include "base/error.h"
#include "queue/commit.h"
#include "store/store.h"

struct retention;

struct retention_options {
    struct commit_queue *queue;
    struct store_options store; /* for its own read-only connection */
    int state_fd;               /* state_dir, borrowed; contains logs/ and spool/ */
    int64_t keep_ms;            /* how long a run is kept after its end; 0 = for ever */
};

struct retention *retention_start(const struct retention_options *options, struct error *error);
void retention_set(struct retention *retention, int64_t keep_ms); /* any thread */
/* Call it before commit_drain. Does nothing for NULL. */
void retention_stop(struct retention *retention);

#endif
