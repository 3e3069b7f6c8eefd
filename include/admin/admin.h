/* The admin API on its TCP listener and on the admin socket, with /healthz, /readyz and /metrics.
 * It reads through read-only connections of its own and writes through the commit queue.
 * webhookd/daemon.c starts, reconfigures and stops it on the main thread. */
#ifndef WEBHOOKD_ADMIN_ADMIN_H
#define WEBHOOKD_ADMIN_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/server.h"
#include "queue/commit.h"
#include "runner/runner.h"
#include "store/audit.h"
#include "store/fleets.h"
#include "store/keys.h"
#include "store/webhooks.h"
#include "store/work.h"

struct admin;

/* The metrics of the public listener. This layer must not call that one, so webhookd/daemon.c
 * registers a callback that fills this in. */
#define ADMIN_MAX_ANSWERS 16
struct admin_hooks_metrics {
    struct http_metrics http;
    struct {
        unsigned status;
        uint64_t count;
    } answers[ADMIN_MAX_ANSWERS]; /* by status, since the start */
    size_t answer_count;
    uint64_t unanswered;     /* closed without an answer */
    uint64_t uncounted;      /* missing from their webhook's counts because too many waited */
    int64_t in_flight_bytes; /* of bodies that are in memory and not yet on disk */
    uint64_t answer_us_sum;  /* from the first line to the answer, summed over all 201s */
};

/* News of fleet runs, for pages that show them live. Created before everything that pushes news,
 * and freed after it. */
struct admin_events;
struct admin_events *admin_events_new(void);
void admin_events_free(struct admin_events *events); /* NULL is fine */
/* Reports that a status of the run was committed. Any thread; does not block. */
void admin_events_push(struct admin_events *events, const struct run_ids *ids,
                       enum run_status status);

struct admin_options {
    struct config *config; /* held by admin */
    /* For its read-only connections; the strings are borrowed until admin_stop. */
    struct store_options store;
    struct commit_queue *queue;
    struct runner *runner; /* NULL: webhookd only accepts and stores runs */
    struct installer *installer;
    struct admin_events *events;
    int state_fd;              /* state_dir, borrowed; secret.key, logs/ and spool/ lie below it */
    const char *hooks_address; /* of the public listener, for /api/v1/status; borrowed */
    int64_t started_ms;        /* wall clock */
    /* Called on any thread, with zeroed *metrics. May be NULL. */
    void (*get_hooks_metrics)(void *context, struct admin_hooks_metrics *metrics);
    void *context;
};

/* Opens both listeners and starts their threads. Returns NULL and sets *error if either fails. */
struct admin *admin_start(const struct admin_options *options, struct error *error);
/* Returns what the public listener serves of the admin API, or NULL without hooks.api. It must have
 * stopped before admin_stop. */
const struct http_mount *admin_public_mount(const struct admin *admin);
/* Accepts no more connections; /readyz answers 503 on the open ones. */
void admin_quiesce(struct admin *admin);
/* Removes the socket and waits for requests in progress, on each listener as long as
 * http_server_stop does. The commit queue must still be running. Returns -1 if a request has not
 * ended: nothing was freed, and the process must exit. NULL is fine. */
int admin_stop(struct admin *admin, int64_t timeout_ms);

/* Replaces the configuration: holds the fresh snapshot and releases the old one. Any thread. */
void admin_reconfigure(struct admin *admin, struct config *fresh);

#endif
