/* See sse.h. On admin workers' threads. */
#include "admin/sse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"

#define SILENCE_MS   15000
#define STREAM_SHARE 2 /* half of a listener's connections; the rest is for other requests */

struct sse {
    struct admin *admin;
    struct http_exchange *exchange; /* valid as long as sse_read is called */
    struct caller_ticket ticket;
    struct sse_source source;
    struct buffer events; /* being sent */
    size_t sent;          /* bytes of the events that were sent */
    int64_t spoke_ms;     /* the time at which bytes were last sent, monotonic clock */
    bool is_over;
};

static void pause_for(int64_t pause_ms)
{
    const struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* Fills the buffer, or pauses if nothing is new. Returns -1 if the stream must end. */
static int look(struct sse *sse)
{
    buffer_reset(&sse->events);
    sse->sent = 0;
    if (http_peer_is_gone(sse->exchange) || atomic_load(&sse->admin->stopping) ||
        !caller_is_let_in(sse->admin, &sse->ticket))
        return -1;
    enum sse_look result = sse->source.look(sse->source.context, &sse->events);
    sse->is_over = result == SSE_END;
    if (result == SSE_FAILED || sse->events.failed)
        return -1;
    if (result != SSE_WAIT)
        return 0;
    if (clock_monotonic_ms() - sse->spoke_ms >= SILENCE_MS)
        return buffer_append_text(&sse->events, ": keep-alive\n\n");
    pause_for(sse->source.pause_ms);
    return 0;
}

static ssize_t sse_read(void *context, char *data, size_t bytes)
{
    struct sse *sse = context;
    while (sse->sent == sse->events.bytes) {
        if (sse->is_over)
            return 0;
        if (look(sse) != 0)
            return -1;
    }
    size_t left = sse->events.bytes - sse->sent;
    size_t count = left < bytes ? left : bytes;
    memcpy(data, sse->events.data + sse->sent, count);
    sse->sent += count;
    sse->spoke_ms = clock_monotonic_ms();
    return (ssize_t)count;
}

static void sse_done(void *context)
{
    struct sse *sse = context;
    sse->source.done(sse->source.context);
    atomic_fetch_sub(&sse->admin->streams, 1);
    buffer_free(&sse->events);
    free(sse);
}

int sse_answer(struct admin_request *request, const struct sse_source *source, struct error *error)
{
    int64_t most = request->config->admin.max_connections / STREAM_SHARE;
    if (atomic_fetch_add(&request->admin->streams, 1) >= most) {
        atomic_fetch_sub(&request->admin->streams, 1);
        source->done(source->context);
        return error_set(error, ERROR_UNAVAILABLE, "too many streams are open: close some of them");
    }
    struct sse *sse = memory_alloc(sizeof(*sse));
    sse->admin = request->admin;
    sse->exchange = request->exchange;
    sse->ticket = request->caller.ticket;
    sse->source = *source;
    sse->spoke_ms = clock_monotonic_ms();
    request->answer.content_type = "text/event-stream";
    request->answer.stream = (struct http_stream){sse_read, sse_done, sse};
    return 0;
}

const char *sse_last_id(const struct admin_request *request)
{
    return http_header(request->exchange, "Last-Event-ID");
}

int64_t sse_last_offset(const struct admin_request *request, int64_t otherwise)
{
    const char *text = sse_last_id(request);
    if (!text || text[0] < '0' || text[0] > '9')
        return otherwise;
    char *end;
    long long offset = strtoll(text, &end, 10);
    return *end == '\0' ? offset : otherwise;
}

void sse_put_output(struct buffer *events, int64_t offset, const char *data, size_t bytes)
{
    buffer_append_format(events, "id: %" PRId64 "\nevent: output\ndata: ", offset);
    base64_append(events, data, bytes);
    buffer_append_text(events, "\n\n");
}
