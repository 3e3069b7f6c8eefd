/* The fleets' queues and their turn: see fair_queue.h. Called by runner/dispatch and, for ready
 * vessels and for the beginning and end of runs, by runner/run and runner/core. On the runner's
 * thread. */
#include "runner/fair_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "runner/core.h"

static struct list *bucket_of(struct fair_queue *queue, int64_t fleet_no)
{
    return &queue->buckets[(uint64_t)fleet_no % FAIR_QUEUE_BUCKETS];
}

struct fleet_queue *fair_queue_get(struct fair_queue *queue, int64_t fleet_no)
{
    struct list *bucket = bucket_of(queue, fleet_no);
    LIST_EACH(struct fleet_queue, fleet, bucket, bucket)
        if (fleet->fleet_no == fleet_no)
            return fleet;
    struct fleet_queue *fleet = memory_alloc(sizeof(*fleet));
    fleet->fleet_no = fleet_no;
    list_prepend(bucket, &fleet->bucket);
    return fleet;
}

void fair_queue_fini(struct fair_queue *queue)
{
    for (size_t i = 0; i < FAIR_QUEUE_BUCKETS; i++) {
        struct fleet_queue *fleet;
        while ((fleet = LIST_TAKE_FIRST(&queue->buckets[i], struct fleet_queue, bucket)))
            free(fleet);
    }
}

static bool has_work(const struct fleet_queue *fleet)
{
    return !list_is_empty(&fleet->ready) ||
           (!fleet->is_held && (fleet->count > 0 || fleet->skipped_from > 0));
}

static void free_if_empty(struct fair_queue *queue, struct fleet_queue *fleet)
{
    if (fleet->is_in_turn || fleet->active_runs > 0 || !list_is_empty(&fleet->ready) ||
        fleet->count > 0 || fleet->skipped_from > 0)
        return;
    list_remove(bucket_of(queue, fleet->fleet_no), &fleet->bucket);
    free(fleet);
}

/* ---- the turn ---- */

static void append(struct fair_queue *queue, struct fleet_queue *fleet)
{
    list_append(&queue->turn, &fleet->turn);
    fleet->is_in_turn = true;
}

static void take_out(struct fair_queue *queue, struct fleet_queue *fleet)
{
    list_remove(&queue->turn, &fleet->turn);
    fleet->is_in_turn = false;
}

void fair_queue_enter(struct fair_queue *queue, struct fleet_queue *fleet)
{
    if (!fleet->is_in_turn && has_work(fleet))
        append(queue, fleet);
}

void fair_queue_to_end(struct fair_queue *queue, struct fleet_queue *fleet)
{
    take_out(queue, fleet);
    append(queue, fleet);
}

void fair_queue_leave(struct fair_queue *queue, struct fleet_queue *fleet)
{
    take_out(queue, fleet);
    free_if_empty(queue, fleet);
}

/* ---- scheduled runs ---- */

void fair_queue_add_scheduled(struct fleet_queue *fleet, int64_t number)
{
    if (fleet->skipped_from > 0)
        return; /* it comes after those */
    if (fleet->count == FAIR_QUEUE_SCHEDULED) {
        fleet->skipped_from = number;
        return;
    }
    fleet->scheduled[(fleet->first + fleet->count) % FAIR_QUEUE_SCHEDULED] = number;
    fleet->count++;
}

int64_t fair_queue_first_scheduled(const struct fleet_queue *fleet)
{
    return fleet->count > 0 ? fleet->scheduled[fleet->first] : 0;
}

void fair_queue_drop_scheduled(struct fleet_queue *fleet)
{
    assert(fleet->count > 0);
    fleet->first = (fleet->first + 1) % FAIR_QUEUE_SCHEDULED;
    fleet->count--;
    fleet->failures = 0;
}

void fair_queue_run_begins(struct fleet_queue *fleet)
{
    fleet->active_runs++;
}

void fair_queue_run_over(struct fair_queue *queue, struct fleet_queue *fleet)
{
    assert(fleet->active_runs > 0);
    fleet->active_runs--;
    fleet->is_held = false;
    fair_queue_enter(queue, fleet);
    free_if_empty(queue, fleet);
}

void fair_queue_release(struct fair_queue *queue)
{
    for (size_t i = 0; i < FAIR_QUEUE_BUCKETS; i++)
        LIST_EACH(struct fleet_queue, fleet, &queue->buckets[i], bucket)
            if (fleet->failures > 0) {
                fleet->is_held = false;
                fair_queue_enter(queue, fleet);
            }
}

/* ---- vessels that are ready ---- */

void fair_queue_add_ready(struct fair_queue *queue, struct fleet_queue *fleet,
                          struct run_vessel *vessel)
{
    assert(!vessel->is_ready);
    vessel->is_ready = true;
    list_append(&fleet->ready, &vessel->ready);
    fair_queue_enter(queue, fleet);
}

void fair_queue_remove_ready(struct fleet_queue *fleet, struct run_vessel *vessel)
{
    if (!vessel->is_ready)
        return;
    list_remove(&fleet->ready, &vessel->ready);
    vessel->is_ready = false;
}
