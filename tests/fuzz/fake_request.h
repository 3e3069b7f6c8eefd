/* A request as libmicrohttpd hands it to http/, without a connection. fake_request.c replaces those
 * functions of libmicrohttpd that read a request and answer it. One request at a time. */
#ifndef WEBHOOKD_TESTS_FUZZ_FAKE_REQUEST_H
#define WEBHOOKD_TESTS_FUZZ_FAKE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/exchange.h"

#define FAKE_HEADERS_MAX 256 /* further ones are dropped */

/* Both texts end with a NUL and may contain others. */
struct fake_header {
    char *name;
    size_t name_bytes;
    char *value; /* without the blanks before it, as libmicrohttpd passes it on */
    size_t value_bytes;
};

struct fake_request {
    struct http_exchange exchange; /* in the stage after the first line */
    char *line;                    /* "METHOD", "TARGET", "VERSION", each with a NUL behind it */
    const char *target;            /* in the line */
    size_t target_bytes;           /* before its first NUL there may be fewer */
    struct fake_header headers[FAKE_HEADERS_MAX];
    size_t header_count;
    const struct sockaddr *peer; /* NULL: a unix socket's */

    /* The answer, once there is one. */
    bool is_answered;
    unsigned status;
    char *answer; /* the body; NULL if a file or a stream was sent */
    char content_type[64];
};

/* Reads "METHOD TARGET VERSION", lines of "Name: value", and an empty line. Leaves in *data and
 * *bytes what follows. Sets no exchange.connection: the guard needs none. */
void fake_request_open(struct fake_request *request, const uint8_t **data, size_t *bytes);
/* The same for "POST / HTTP/1.1" without a header. */
void fake_request_open_empty(struct fake_request *request);
/* Copies the name and the value. */
void fake_request_add(struct fake_request *request, const char *name, const char *value,
                      size_t value_bytes);
void fake_request_close(struct fake_request *request);

#endif
