/* See run_events.h. Called by webhookd/daemon.c, by handlers, and by the threads that commit the
 * statuses of runs. */
#include "admin/run_events.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define RING 4096

struct admin_events {
    int64_t epoch_ms;
    pthread_mutex_t lock; /* guards the following */
    uint64_t count;       /* of all events so far; number n is at (n - 1) % RING */
    struct run_event ring[RING];
};

const char *run_events_format_id(const struct admin_events *events, uint64_t number,
                                 char id[RUN_EVENT_ID_BYTES])
{
    snprintf(id, RUN_EVENT_ID_BYTES, "%" PRIx64 "-%" PRIu64, (uint64_t)events->epoch_ms, number);
    return id;
}

struct admin_events *admin_events_new(void)
{
    struct admin_events *events = memory_alloc(sizeof(*events));
    events->epoch_ms = clock_wall_ms();
    pthread_mutex_init(&events->lock, NULL);
    return events;
}

void admin_events_free(struct admin_events *events)
{
    if (!events)
        return;
    pthread_mutex_destroy(&events->lock);
    free(events);
}

void admin_events_push(struct admin_events *events, const struct run_ids *ids,
                       enum run_status status)
{
    const struct run_event event = {ids->run_id, ids->fleet_id, status, clock_wall_ms()};
    pthread_mutex_lock(&events->lock);
    events->ring[events->count % RING] = event;
    events->count++;
    pthread_mutex_unlock(&events->lock);
}

int64_t run_events_epoch_ms(const struct admin_events *events)
{
    return events->epoch_ms;
}

uint64_t run_events_last(struct admin_events *events)
{
    pthread_mutex_lock(&events->lock);
    uint64_t last = events->count;
    pthread_mutex_unlock(&events->lock);
    return last;
}

size_t run_events_take(struct admin_events *events, uint64_t *seen, struct run_event *news,
                       size_t most, bool *missed)
{
    pthread_mutex_lock(&events->lock);
    uint64_t fresh = events->count - *seen;
    if (fresh > most || fresh > RING) {
        *missed = true;
        fresh = 0;
    }
    for (uint64_t i = 0; i < fresh; i++)
        news[i] = events->ring[(events->count - fresh + i) % RING];
    *seen = events->count;
    pthread_mutex_unlock(&events->lock);
    return (size_t)fresh;
}
