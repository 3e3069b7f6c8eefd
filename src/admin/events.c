/* News of fleet runs: each change of a run's status, for pages that show them. What happens is put into a ring by whoever commits it (the committer's
 * and the runner's thread), which costs a lock and a copy; each reader looks into the ring a few times a second on its own thread.
 *
 *     id: 17f2b3c4d5e-41
 *     event: run
 *     data: {"run_id":"…","fleet_id":"…","status":"running","at":"…"}
 *
 *     event: missed              more happened than is told: what is shown should be read anew
 *     data: {}
 *
 * The id, which comes at once, is when webhookd started and a number: a reader that comes back with it (Last-Event-ID) gets what it has missed, if that is still in the ring. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/calls.h"
#include "admin/sse.h"
#include "base/clock.h"
#include "base/memory.h"

#define RING           4096
#define MOST_AT_ONCE   200 /* of a look; a page cannot show more */
#define LOOK_EVERY_MS  200
#define LAST_ID_FORMAT "%" SCNx64 "-%" SCNu64 "%c"

struct run_event {
    struct id run_id, fleet_id;
    enum run_status status;
    int64_t at_ms;
};

struct admin_events {
    int64_t epoch_ms;
    pthread_mutex_t lock; /* guards the following */
    uint64_t count;       /* of all events so far; event number n is at (n - 1) % RING */
    struct run_event ring[RING];
};

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

/* ---- a reader ---- */

struct event_reader {
    struct admin_events *events;
    uint64_t seen;    /* the number of the last event that it was told, or has missed */
    bool has_begun;   /* it was told where it is, so that it can come back before the first news */
    bool must_reload; /* it does not know what it has missed */
    struct run_event news[MOST_AT_ONCE];
};

/* Copies what is new, at most MOST_AT_ONCE; is there more, it is passed over. */
static size_t take_news(struct event_reader *reader)
{
    struct admin_events *events = reader->events;
    pthread_mutex_lock(&events->lock);
    uint64_t fresh = events->count - reader->seen;
    if (fresh > MOST_AT_ONCE) {
        reader->must_reload = true;
        fresh = 0;
    }
    for (uint64_t i = 0; i < fresh; i++)
        reader->news[i] = events->ring[(events->count - fresh + i) % RING];
    reader->seen = events->count;
    pthread_mutex_unlock(&events->lock);
    return (size_t)fresh;
}

static void put_id(const struct event_reader *reader, uint64_t number, struct buffer *into)
{
    buffer_append_format(into, "id: %" PRIx64 "-%" PRIu64 "\n", (uint64_t)reader->events->epoch_ms,
                         number);
}

static void put_event(const struct run_event *event, struct buffer *into)
{
    char run_id[ID_TEXT_BYTES], fleet_id[ID_TEXT_BYTES], at[CLOCK_TEXT_BYTES];
    buffer_append_format(into,
                         "event: run\ndata: {\"run_id\":\"%s\",\"fleet_id\":\"%s\",\"status\":"
                         "\"%s\",\"at\":\"%s\"}\n\n",
                         id_format(&event->run_id, run_id), id_format(&event->fleet_id, fleet_id),
                         run_status_name(event->status), clock_format_ms(event->at_ms, at));
}

static enum sse_look look(void *context, struct buffer *into)
{
    struct event_reader *reader = context;
    if (!reader->has_begun && !reader->must_reload) {
        reader->has_begun = true;
        put_id(reader, reader->seen, into);
        buffer_append_text(into, "\n");
        return SSE_NEWS;
    }
    size_t count = take_news(reader);
    if (reader->must_reload) {
        put_id(reader, reader->seen, into);
        buffer_append_text(into, "event: missed\ndata: {}\n\n");
        reader->must_reload = false;
        return SSE_NEWS;
    }
    for (size_t i = 0; i < count; i++) {
        put_id(reader, reader->seen - count + i + 1, into);
        put_event(&reader->news[i], into);
    }
    return count > 0 ? SSE_NEWS : SSE_WAIT;
}

/* Behind what it had last, if the ring still has all since; else from now on, and it is told so. */
static void begin_at(struct event_reader *reader, const char *last_id)
{
    struct admin_events *events = reader->events;
    uint64_t epoch = 0, seen = 0;
    char rest;
    pthread_mutex_lock(&events->lock);
    reader->seen = events->count;
    if (last_id) {
        bool is_ours = sscanf(last_id, LAST_ID_FORMAT, &epoch, &seen, &rest) == 2 &&
                       epoch == (uint64_t)events->epoch_ms && seen <= events->count;
        if (is_ours)
            reader->seen = seen;
        else
            reader->must_reload = true;
    }
    pthread_mutex_unlock(&events->lock);
}

int call_get_events(struct admin_request *request, struct error *error)
{
    struct event_reader *reader = memory_alloc(sizeof(*reader));
    reader->events = request->admin->options.events;
    begin_at(reader, sse_last_id(request));
    return sse_answer(request, &(struct sse_source){look, free, reader, LOOK_EVERY_MS}, error);
}
