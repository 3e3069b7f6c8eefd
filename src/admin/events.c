/* News of fleet runs: each change of a run's status, for pages that show them. Each reader polls
 * the ring (run_events.h) five times a second on its own thread.
 *
 *     id: 17f2b3c4d5e-41
 *     event: run
 *     data: {"run_id":"…","fleet_id":"…","status":"running","at":"…"}
 *
 *     event: missed              events were left out: the page should reload everything
 *     data: {}
 *
 * The first id is sent immediately. An id is the time at which webhookd started, and a number. A
 * reader that reconnects with it (Last-Event-ID) gets the events that it has missed, if the ring
 * still holds them. A new reader gets those after the id in the query: each answer of the API has
 * the id of the last event before it (X-Event-Id), so a page misses none, and need not read twice
 * what it shows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/routes.h"
#include "admin/run_events.h"
#include "admin/sse.h"
#include "base/clock.h"
#include "base/memory.h"

#define MOST_AT_ONCE   200 /* in one poll; a page cannot show more */
#define LOOK_EVERY_MS  200
#define LAST_ID_FORMAT "%" SCNx64 "-%" SCNu64 "%c"

struct event_reader {
    struct admin_events *events;
    uint64_t seen;    /* the number of the last event that it was sent, or has missed */
    bool has_begun;   /* it has its first id, so it can reconnect before the first news */
    bool must_reload; /* events that it has missed cannot be sent */
    struct run_event news[MOST_AT_ONCE];
};

static void put_id(const struct event_reader *reader, uint64_t number, struct buffer *into)
{
    char id[RUN_EVENT_ID_BYTES];
    buffer_append_format(into, "id: %s\n", run_events_format_id(reader->events, number, id));
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
    size_t count = run_events_take(reader->events, &reader->seen, reader->news, MOST_AT_ONCE,
                                   &reader->must_reload);
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

/* Continues after the reader's last event, if this webhookd has sent it. Otherwise begins with the
 * next event, and a reader that has a last event is told to reload. */
static void begin_at(struct event_reader *reader, const char *last_id)
{
    uint64_t epoch = 0, seen = 0, last = run_events_last(reader->events);
    char rest;
    reader->seen = last;
    if (!last_id)
        return;
    bool is_ours = sscanf(last_id, LAST_ID_FORMAT, &epoch, &seen, &rest) == 2 &&
                   epoch == (uint64_t)run_events_epoch_ms(reader->events) && seen <= last;
    if (is_ours)
        reader->seen = seen;
    else
        reader->must_reload = true;
}

int events_get(struct admin_request *request, struct error *error)
{
    struct event_reader *reader = memory_alloc(sizeof(*reader));
    reader->events = request->admin->options.events;
    char after[RUN_EVENT_ID_BYTES];
    int has_after = request_query(request, "after", after, sizeof(after), error);
    if (has_after < 0) {
        free(reader);
        return -1;
    }
    const char *last_id = sse_last_id(request);
    begin_at(reader, last_id || has_after == 0 ? last_id : after);
    return sse_answer(request, &(struct sse_source){look, free, reader, LOOK_EVERY_MS}, error);
}
