/* A request's headers as they are stored. */
#ifndef WEBHOOKD_HOOKS_HEADERS_H
#define WEBHOOKD_HOOKS_HEADERS_H

#include <jansson.h>
#include <stddef.h>

#include "http/server.h"
#include "model/run_headers.h"

struct stored_headers {
    /* In the form of model/run_headers.h. The caller frees it; NULL if there is no memory. */
    char *json;
    size_t bytes;
    char *host; /* the caller frees it; never NULL */
    struct run_headers_event event;
};

/* Collects the headers, and notes the names of those that were left out wholly or in part
 * (own_secrets.h). A value that is not UTF-8 is read as ISO-8859-1. */
void headers_collect(struct http_exchange *exchange, struct stored_headers *stored,
                     json_t **withheld);

#endif
