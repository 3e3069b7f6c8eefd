/* Ended runs are deleted when they are old enough: their output, their bodies, their rows. On a thread of its own, in small steps. */
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
    int state_fd;               /* state_dir, borrowed: logs/ and spool/ are below it */
    int64_t keep_ms;            /* after its end a run is kept for so long; 0 = for ever */
};

struct retention *retention_start(const struct retention_options *options, struct error *error);
void retention_set(struct retention *retention, int64_t keep_ms); /* any thread */
/* Before commit_drain. NULL is fine. */
void retention_stop(struct retention *retention);

#endif
