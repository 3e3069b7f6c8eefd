/* A request's headers as they are stored. */
#ifndef WEBHOOKD_HOOKS_HEADERS_H
#define WEBHOOKD_HOOKS_HEADERS_H

#include <stddef.h>

#include "http/server.h"

#define HEADERS_EVENT_BYTES 256

struct stored_headers {
    char *
        json; /* {"X-Github-Event":["push"],…}: canonical names, values in order, without Host. The caller's to free; NULL if memory is gone */
    size_t bytes;
    char *host; /* the caller's to free; never NULL */
    char event
        [HEADERS_EVENT_BYTES]; /* the first of X-GitHub-Event, X-Gitlab-Event, X-Event-Key, Ce-Type; "" if none */
};

/* Values are bytes: what is not UTF-8 is read as ISO-8859-1. */
void headers_collect(const struct http_exchange *exchange, struct stored_headers *stored);

/* Any bytes as UTF-8, by the same rule. The caller frees it. */
char *headers_to_utf8(const char *text);

#endif
