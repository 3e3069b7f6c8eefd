/* Server-sent events (HTML Living Standard, 9.2) as an answer that goes on: what is new is asked for again and again, on the connection's own
 * thread, so a reader that is slow or gone holds up nobody else. */
#ifndef WEBHOOKD_ADMIN_SSE_H
#define WEBHOOKD_ADMIN_SSE_H

#include "admin/request.h"
#include "base/buffer.h"

enum sse_look {
    SSE_FAILED, /* the connection is closed: the reader comes back with Last-Event-ID */
    SSE_WAIT,   /* nothing is new: to be asked again after a pause */
    SSE_NEWS,   /* something was put into the buffer, or may be at once */
    SSE_END,    /* and this was all */
};

struct sse_source {
    /* Puts what is new into the buffer, as whole events. */
    enum sse_look (*look)(void *context, struct buffer *events);
    void (*done)(void *context);
    void *context;
    int64_t pause_ms;
};

/* Makes it the request's answer; -1 (ERROR_UNAVAILABLE), and `done` was called, if there are too many. Ends when webhookd stops, or the caller's key is revoked. While nothing is new a comment is sent now and then,
 * which shows whether the reader is still there. */
int sse_answer(struct admin_request *request, const struct sse_source *source, struct error *error);
/* The header Last-Event-ID, NULL if there is none. */
const char *sse_last_id(const struct admin_request *request);

#endif
