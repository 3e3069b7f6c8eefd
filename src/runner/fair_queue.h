/* Decides whose turn it is. Each fleet with something to do has a queue: vessels that are ready to
 * be started, and scheduled runs. Slots go around the fleets, so a fleet with a million scheduled
 * runs gets no more slots than one with a single run; within a fleet, first come, first served. A
 * fleet's queue holds the numbers of its first few scheduled runs; the rest is looked up in the
 * store when their turn comes, so a million of them cost no memory. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_FAIR_QUEUE_H
#define WEBHOOKD_RUNNER_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct run_vessel;

#define FAIR_QUEUE_SCHEDULED 64
#define FAIR_QUEUE_BUCKETS   256

struct fleet_queue {
    int64_t fleet_no;
    struct list ready;                       /* vessels; linked by `ready` */
    int64_t scheduled[FAIR_QUEUE_SCHEDULED]; /* numbers of scheduled runs: a ring, in order */
    size_t first, count;
    int64_t skipped_from; /* runs from this number on did not fit into the ring; 0 = all did */
    int active_runs;      /* claimed and not over */
    int failures;         /* to read the first scheduled run */
    int waiting;          /* vessels whose packages are being installed; nothing is claimed then */
    bool is_held; /* nothing is claimed: at max_concurrent_runs, or the store cannot be read */
    bool is_in_turn;
    struct list_node turn, bucket;
};

struct fair_queue {
    struct list buckets[FAIR_QUEUE_BUCKETS]; /* all fleets; linked by `bucket` */
    struct list turn;                        /* those with something to do; linked by `turn` */
    int64_t scanned; /* runs up to this number are in queues; numbers grow (invariant 9) */
};

/* Returns the fleet's queue; creates it if there is none. It exists as long as it holds something
 * or active_runs is not 0. */
struct fleet_queue *fair_queue_get(struct fair_queue *queue, int64_t fleet_no);
void fair_queue_fini(struct fair_queue *queue);

/* Puts a fleet at the end of the turn if it has something to do and is not in the turn yet. */
void fair_queue_enter(struct fair_queue *queue, struct fleet_queue *fleet);
/* After a fleet's turn: moves it to the end, or takes it out (and frees its queue if that is
 * empty). */
void fair_queue_to_end(struct fair_queue *queue, struct fleet_queue *fleet);
void fair_queue_leave(struct fair_queue *queue, struct fleet_queue *fleet);

/* Adds a scheduled run, whose number must be greater than all before it. */
void fair_queue_add_scheduled(struct fleet_queue *fleet, int64_t number);
/* Returns the number of the first scheduled run in the ring, 0 if the ring is empty. */
int64_t fair_queue_first_scheduled(const struct fleet_queue *fleet);
/* Removes the first scheduled run from the ring. */
void fair_queue_drop_scheduled(struct fleet_queue *fleet);

/* Counts a run as active from its claim on. */
void fair_queue_run_begins(struct fleet_queue *fleet);
/* Ends what fair_queue_run_begins began: the fleet's next run can be claimed. Frees the fleet's
 * queue if that is empty. */
void fair_queue_run_over(struct fair_queue *queue, struct fleet_queue *fleet);

void fair_queue_add_ready(struct fair_queue *queue, struct fleet_queue *fleet,
                          struct run_vessel *vessel);
void fair_queue_remove_ready(struct fleet_queue *fleet, struct run_vessel *vessel);

/* Lets fleets claim again that were held because the store could not be read. */
void fair_queue_release(struct fair_queue *queue);

#endif
