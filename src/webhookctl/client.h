/* The admin API over the admin socket: one request at a time, one connection that is kept. One
 * thread. */
#ifndef WEBHOOKCTL_CLIENT_H
#define WEBHOOKCTL_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct client;

/* Connects to nothing yet. The path is borrowed. NULL and *error. */
struct client *client_open(const char *socket_path, struct error *error);
void client_close(struct client *client); /* NULL is fine */

/* API calls from now on are broken off at this moment of the monotonic clock (ERROR_UNAVAILABLE);
 * INT64_MAX = only when webhookd is silent. */
void client_set_deadline(struct client *client, int64_t deadline_ms);

/* All return the envelope's "data" (a new reference, never NULL; json_null() if there is none),
 * or NULL and *error. The kind of error follows the answer's status: ERROR_NOT_FOUND for 404,
 * ERROR_CONFLICT for 409, ERROR_INVALID for other 4xx, ERROR_UNAVAILABLE for 503 and when
 * webhookd cannot be reached, else ERROR_INTERNAL. Paths begin behind /api/v1. */
json_t *client_get(struct client *client, struct error *error, const char *path_format, ...)
    __attribute__((format(printf, 3, 4)));
json_t *client_send(struct client *client, const char *method, const char *path, json_t *body,
                    struct error *error); /* takes body; NULL: none */

/* Sends what fd holds from its position on, without holding it in memory. */
struct client_upload {
    int fd;
    const char *what;         /* the file's name, for messages */
    const char *content_type; /* NULL: none is sent */
};
json_t *client_upload(struct client *client, const char *method, const char *path,
                      const struct client_upload *upload, struct error *error);

/* Writes the bytes that an API call answers with to fd as they come, or hands them to `take` if
 * that is set. `take` returns -1 with errno if it cannot. */
struct client_stream {
    int fd;
    const char *what;  /* fd is this file, for messages; NULL = standard output */
    int64_t silence_s; /* webhookd may say nothing for so long; 0 = as in any other API call */
    int (*take)(void *context, const char *data, size_t bytes);
    void *context;
    const char *header; /* sent along, "Name: value"; NULL = none */
    uint64_t bytes;     /* written */
    char last;          /* the last of them */
};
int client_stream(struct client *client, const char *method, const char *path,
                  struct client_stream *stream, struct error *error);

/* error.errors of the last failed call, borrowed until the next call; NULL if it had none. */
const json_t *client_errors(const struct client *client);

#endif
