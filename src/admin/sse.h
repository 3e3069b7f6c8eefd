/* Server-sent events (HTML Living Standard, 9.2): an answer that continues until it ends or is
 * closed. It polls its source for news on the connection's own thread, so a slow or lost reader
 * delays no other. */
#ifndef WEBHOOKD_ADMIN_SSE_H
#define WEBHOOKD_ADMIN_SSE_H

#include "admin/request.h"
#include "base/buffer.h"

enum sse_look {
    SSE_FAILED, /* close the connection: the reader reconnects with Last-Event-ID */
    SSE_WAIT,   /* nothing is new: poll again after a pause */
    SSE_NEWS,   /* the buffer contains events, or an immediate second poll may find some */
    SSE_END,    /* the buffer contains the last events */
};

struct sse_source {
    /* Appends the news to the buffer, as complete events. */
    enum sse_look (*look)(void *context, struct buffer *events);
    /* Frees the context. Called once, in any case. */
    void (*done)(void *context);
    void *context;
    int64_t pause_ms;
};

/* Makes the source the request's answer. Returns -1 with ERROR_UNAVAILABLE, after calling `done`,
 * if too many streams are open. The answer ends when webhookd stops or the caller loses access. As
 * long as nothing is new, a comment is sent every 15 s, which shows whether the reader is still
 * connected. */
int sse_answer(struct admin_request *request, const struct sse_source *source, struct error *error);
/* Returns the header Last-Event-ID, or NULL. */
const char *sse_last_id(const struct admin_request *request);

/* Returns the offset in Last-Event-ID, with which a reader of output reconnects by itself. Returns
 * `otherwise` if the header is missing or invalid. */
int64_t sse_last_offset(const struct admin_request *request, int64_t otherwise);
/* Appends an event "output" with the bytes in base 64, because output may be any bytes. Its id is
 * the offset after them. */
void sse_put_output(struct buffer *events, int64_t offset, const char *data, size_t bytes);

#endif
