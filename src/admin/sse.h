/* Server-sent events (HTML Living Standard, 9.2): an answer that goes on. It asks its source for
 * news again and again, on the connection's own thread, so a slow or lost reader holds up nobody
 * else. */
#ifndef WEBHOOKD_ADMIN_SSE_H
#define WEBHOOKD_ADMIN_SSE_H

#include "admin/request.h"
#include "base/buffer.h"

enum sse_look {
    SSE_FAILED, /* close the connection: the reader comes back with Last-Event-ID */
    SSE_WAIT,   /* nothing is new: look again after a pause */
    SSE_NEWS,   /* something is in the buffer, or the next look may find something */
    SSE_END,    /* what is in the buffer is all */
};

struct sse_source {
    /* Puts what is new into the buffer, as whole events. */
    enum sse_look (*look)(void *context, struct buffer *events);
    void (*done)(void *context);
    void *context;
    int64_t pause_ms;
};

/* Makes it the request's answer. -1, after `done` was called: ERROR_UNAVAILABLE, there are too
 * many. It ends when webhookd stops or the caller's key is revoked. While nothing is new a comment
 * is sent now and then, which shows whether the reader is still there. */
int sse_answer(struct admin_request *request, const struct sse_source *source, struct error *error);
/* The header Last-Event-ID, or NULL. */
const char *sse_last_id(const struct admin_request *request);

#endif
