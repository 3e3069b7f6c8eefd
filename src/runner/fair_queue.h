/* Whose turn it is. Each fleet with something to do has a queue: vessels that are ready to be
 * started, and scheduled runs. Slots go around the fleets, so that a fleet with a million
 * scheduled runs gets no more of them than one with a single run; within a fleet it is first
 * come, first served. Of the scheduled runs a fleet's queue knows the first few by number; the
 * rest is looked up in the store when their turn comes, so that a million of them cost no
 * memory. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_FAIR_QUEUE_H
#define WEBHOOKD_RUNNER_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct run_vessel;

#define FAIR_QUEUE_WAITING 64
#define FAIR_QUEUE_BUCKETS 256

struct fleet_queue {
    int64_t fleet_no;
    struct list ready;                   /* vessels; by `ready` */
    int64_t waiting[FAIR_QUEUE_WAITING]; /* a ring of numbers of runs, in order */
    size_t first, count;
    int64_t skipped_from; /* runs from this number on found no room in the ring; 0 = none did */
    int active_runs;      /* claimed, and not over */
    int failures;         /* to read the first of those that wait */
    bool is_held; /* at max_concurrent_runs, or the store cannot be read: nothing is claimed */
    bool is_in_turn;
    struct list_node turn, bucket;
};

struct fair_queue {
    struct list buckets[FAIR_QUEUE_BUCKETS]; /* all fleets; by `bucket` */
    struct list turn;                        /* those with something to do; by `turn` */
    int64_t scanned; /* runs up to this number are queued; numbers grow (invariant 9) */
};

/* The fleet's queue, created if there is none. It lasts as long as there is something in it or
 * active_runs is not 0. */
struct fleet_queue *fair_queue_get(struct fair_queue *queue, int64_t fleet_no);
void fair_queue_fini(struct fair_queue *queue);

/* Puts a fleet that has something to do into the turn, at its end; nothing if it is there. */
void fair_queue_enter(struct fair_queue *queue, struct fleet_queue *fleet);
/* After its turn: to the end, or out of it (and freed, if nothing is left of it). */
void fair_queue_to_end(struct fair_queue *queue, struct fleet_queue *fleet);
void fair_queue_leave(struct fair_queue *queue, struct fleet_queue *fleet);

/* A run that waits, with a greater number than all before. */
void fair_queue_add_waiting(struct fleet_queue *fleet, int64_t number);
int64_t fair_queue_first_waiting(const struct fleet_queue *fleet); /* 0: none that it knows of */
void fair_queue_drop_waiting(struct fleet_queue *fleet);           /* the first */

void fair_queue_run_begins(struct fleet_queue *fleet);
/* Lets the next one be claimed. The fleet's queue may be gone afterwards. */
void fair_queue_run_over(struct fair_queue *queue, struct fleet_queue *fleet);

void fair_queue_add_ready(struct fair_queue *queue, struct fleet_queue *fleet,
                          struct run_vessel *vessel);
void fair_queue_remove_ready(struct fleet_queue *fleet, struct run_vessel *vessel);

/* Those that were held because the store could not be read. */
void fair_queue_release(struct fair_queue *queue);

#endif
