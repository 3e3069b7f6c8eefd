/* The public listener: POST /hooks/<token> → a stored run and its 201. Besides, it serves
 * /healthz, for load balancers, and what is mounted on it. */
#ifndef WEBHOOKD_HOOKS_HOOKS_H
#define WEBHOOKD_HOOKS_HOOKS_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "http/server.h"
#include "queue/commit.h"
#include "queue/spool.h"
#include "queue/tally.h"

struct check;
struct hooks;

struct hooks_options {
    struct config *config; /* held */
    int listen_fd;         /* from http_listen or systemd; owned */
    struct commit_queue *queue;
    struct spool *spool;
    struct tally *tally;
    const struct check *checks; /* NULL: checks_all; tests pass their own (hooks/checks.h) */
    /* A run was stored. Called on the committer's thread, before the runner is woken for the run
     * and before any step of it can be committed. Must not block. May be NULL. */
    void (*run_stored)(void *context, const struct run_ids *ids);
    void *context;
    const struct http_mount *mount; /* what else the listener serves; NULL: nothing */
};

struct hooks *hooks_start(const struct hooks_options *options, struct error *error);
/* Stops listening. Requests in flight are still answered. */
void hooks_quiesce(struct hooks *hooks);
/* Waits for the requests in flight, as long as http_server_stop does, and closes the listener. The
 * commit queue and the spool must still run. Returns -1 if a request has not ended: the process can
 * only exit. */
int hooks_stop(struct hooks *hooks, int64_t timeout_ms);
/* Call after hooks_stop and commit_drain: a request that was left without an answer may have an
 * operation that ends only then. */
void hooks_free(struct hooks *hooks);
/* Takes a reference to fresh. Any thread. */
void hooks_reconfigure(struct hooks *hooks, struct config *fresh);

#define HOOKS_STATUSES 7

struct hooks_metrics {
    struct http_metrics http;
    struct {
        unsigned status;
        uint64_t count;
    } answers[HOOKS_STATUSES];
    /* Closed without an answer: deadlines, bodies that broke off or grew too large, disk trouble in
     * a body. */
    uint64_t unanswered;
    uint64_t answer_us_sum;  /* of all 201: from the arrival of the first line to the answer */
    uint64_t uncounted;      /* calls that the tally has lost */
    int64_t in_flight_bytes; /* bodies in memory and not yet on disk, now */
};
/* Any thread. */
void hooks_get_metrics(struct hooks *hooks, struct hooks_metrics *metrics);

#endif
