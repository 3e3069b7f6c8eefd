/* Fleets' lines and their turn: see lines.h. Called by runner/runner and, for ready vessels and the ends of runs, by runner/run. */
#include "runner/fair_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "runner/core.h"

static struct fleet_queue **bucket_of(struct fair_queue *queue, int64_t fleet_no)
{
    return &queue->buckets[(uint64_t)fleet_no % FAIR_QUEUE_BUCKETS];
}

struct fleet_queue *fair_queue_get(struct fair_queue *queue, int64_t fleet_no)
{
    struct fleet_queue **bucket = bucket_of(queue, fleet_no);
    struct fleet_queue *fleet = *bucket;
    while (fleet && fleet->fleet_no != fleet_no)
        fleet = fleet->next_in_bucket;
    if (fleet)
        return fleet;
    fleet = memory_alloc(sizeof(*fleet));
    fleet->fleet_no = fleet_no;
    fleet->next_in_bucket = *bucket;
    *bucket = fleet;
    return fleet;
}

void fair_queue_fini(struct fair_queue *queue)
{
    for (size_t i = 0; i < FAIR_QUEUE_BUCKETS; i++) {
        for (struct fleet_queue *fleet = queue->buckets[i], *next; fleet; fleet = next) {
            next = fleet->next_in_bucket;
            free(fleet);
        }
        queue->buckets[i] = NULL;
    }
}

static bool has_work(const struct fleet_queue *fleet)
{
    return fleet->ready.first || (!fleet->is_held && (fleet->count > 0 || fleet->skipped_from > 0));
}

static void free_if_empty(struct fair_queue *queue, struct fleet_queue *fleet)
{
    if (fleet->is_in_turn || fleet->active_runs > 0 || fleet->ready.first || fleet->count > 0 ||
        fleet->skipped_from > 0)
        return;
    struct fleet_queue **at = bucket_of(queue, fleet->fleet_no);
    while (*at != fleet)
        at = &(*at)->next_in_bucket;
    *at = fleet->next_in_bucket;
    free(fleet);
}

/* ---- the turn ---- */

static void append(struct fair_queue *queue, struct fleet_queue *fleet)
{
    fleet->next = NULL;
    fleet->previous = queue->last;
    if (queue->last)
        queue->last->next = fleet;
    else
        queue->first = fleet;
    queue->last = fleet;
    fleet->is_in_turn = true;
}

static void take_out(struct fair_queue *queue, struct fleet_queue *fleet)
{
    if (fleet->previous)
        fleet->previous->next = fleet->next;
    else
        queue->first = fleet->next;
    if (fleet->next)
        fleet->next->previous = fleet->previous;
    else
        queue->last = fleet->previous;
    fleet->next = fleet->previous = NULL;
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

/* ---- runs that wait ---- */

void fair_queue_add_waiting(struct fleet_queue *fleet, int64_t number)
{
    if (fleet->skipped_from > 0)
        return; /* it is behind those */
    if (fleet->count == FAIR_QUEUE_WAITING) {
        fleet->skipped_from = number;
        return;
    }
    fleet->waiting[(fleet->first + fleet->count) % FAIR_QUEUE_WAITING] = number;
    fleet->count++;
}

int64_t fair_queue_first_waiting(const struct fleet_queue *fleet)
{
    return fleet->count > 0 ? fleet->waiting[fleet->first] : 0;
}

void fair_queue_drop_waiting(struct fleet_queue *fleet)
{
    assert(fleet->count > 0);
    fleet->first = (fleet->first + 1) % FAIR_QUEUE_WAITING;
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
        for (struct fleet_queue *fleet = queue->buckets[i]; fleet; fleet = fleet->next_in_bucket)
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
    vessel->next = NULL;
    vessel->previous = fleet->ready.last;
    if (vessel->previous)
        vessel->previous->next = vessel;
    else
        fleet->ready.first = vessel;
    fleet->ready.last = vessel;
    fair_queue_enter(queue, fleet);
}

void fair_queue_remove_ready(struct fleet_queue *fleet, struct run_vessel *vessel)
{
    if (!vessel->is_ready)
        return;
    if (vessel->previous)
        vessel->previous->next = vessel->next;
    else
        fleet->ready.first = vessel->next;
    if (vessel->next)
        vessel->next->previous = vessel->previous;
    else
        fleet->ready.last = vessel->previous;
    vessel->next = vessel->previous = NULL;
    vessel->is_ready = false;
}
