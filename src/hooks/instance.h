/* The listener: what the files of hooks/ share. */
#ifndef WEBHOOKD_HOOKS_INSTANCE_H
#define WEBHOOKD_HOOKS_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "hooks/hooks.h"
#include "hooks/settings.h"

struct check;

struct hooks {
    struct http_server *server;
    struct commit_queue *queue;
    struct spool *spool;
    struct tally *tally;
    const struct check *checks;
    void (*run_stored)(void *context, const struct run_ids *ids); /* see hooks.h */
    void *context;
    struct http_reply_template *accepted; /* the envelope of the 201 */
    pthread_mutex_t lock;                 /* guards settings (the pointer) */
    struct hooks_settings *settings;
    _Atomic int64_t in_flight_bytes;
    _Atomic uint64_t answers[HOOKS_STATUSES], unanswered, answer_us_sum;
};

#define ACCEPTED_IDS 4

void hooks_count_answer(struct hooks *hooks, unsigned status);

/* Counts bytes of bodies in memory and not yet on disk (invariant 8). Returns -1 if the bound is
 * reached. */
int hooks_reserve_bytes(struct hooks *hooks, const struct hooks_settings *settings, int64_t bytes);
void hooks_release_bytes(struct hooks *hooks, int64_t bytes);

#endif
