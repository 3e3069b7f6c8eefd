/* A request's headers as they are stored. */
#ifndef WEBHOOKD_HOOKS_HEADERS_H
#define WEBHOOKD_HOOKS_HEADERS_H

#include <jansson.h>
#include <stddef.h>

#include "http/server.h"

#define HEADERS_EVENT_BYTES 256

struct stored_headers {
    /* {"X-Github-Event":["push"],…}: canonical names, values in order, without Host. The caller
     * frees it; NULL if there is no memory. */
    char *json;
    size_t bytes;
    char *host; /* the caller frees it; never NULL */
    /* The first of X-GitHub-Event, X-Gitlab-Event, X-Event-Key and Ce-Type; "" if there is none. */
    char event[HEADERS_EVENT_BYTES];
};

/* Collects the headers, and notes the names of those that were left out wholly or in part
 * (own_secrets.h). A value that is not UTF-8 is read as ISO-8859-1. */
void headers_collect(struct http_exchange *exchange, struct stored_headers *stored,
                     json_t **withheld);

/* Converts any bytes to UTF-8 by the same rule. The caller frees the result. */
char *headers_to_utf8(const char *text);

#endif
