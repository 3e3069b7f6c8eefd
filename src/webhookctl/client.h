/* A client for the admin API over the admin socket: one request at a time, over one connection that
 * is kept open. One thread. */
#ifndef WEBHOOKCTL_CLIENT_H
#define WEBHOOKCTL_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct client;

/* Does not connect yet. Borrows the path. Returns NULL and sets *error on failure. */
struct client *client_open(const char *socket_path, struct error *error);
void client_close(struct client *client); /* NULL is fine */

/* Later API calls fail with ERROR_UNAVAILABLE at this time of the monotonic clock. INT64_MAX: only
 * if webhookd sends nothing for too long. */
void client_set_deadline(struct client *client, int64_t deadline_ms);

/* These return the envelope's "data" (a new reference; json_null() if it has none), or NULL and
 * *error. The status determines the kind of error: ERROR_NOT_FOUND for 404, ERROR_CONFLICT for 409,
 * ERROR_INVALID for other 4xx, ERROR_UNAVAILABLE for 503 and if webhookd cannot be reached, else
 * ERROR_INTERNAL. Paths are relative to /api/v1. */
json_t *client_get(struct client *client, struct error *error, const char *path_format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes ownership of body; NULL sends none. */
json_t *client_send(struct client *client, const char *method, const char *path, json_t *body,
                    struct error *error);

/* Sends the contents of fd from its current position on, without holding them in memory. */
struct client_upload {
    int fd;                   /* -1: there is no body */
    const char *what;         /* the file's name, for messages */
    const char *content_type; /* NULL: none is sent */
    const char *header;       /* an extra request header, "Name: value"; NULL = none */
};
json_t *client_upload(struct client *client, const char *method, const char *path,
                      const struct client_upload *upload, struct error *error);

/* Writes the bytes of an answer to fd as they arrive, or passes them to `take` if that is set.
 * `take` returns 0, or -1 with errno. */
struct client_stream {
    int fd;
    const char *what;  /* the name of fd for messages; NULL = standard output */
    int64_t silence_s; /* how long webhookd may send nothing; 0 = as in other API calls */
    int (*take)(void *context, const char *data, size_t bytes);
    void *context;
    const char *header; /* an extra request header, "Name: value"; NULL = none */
    uint64_t bytes;     /* written so far */
    char last;          /* the last byte written */
};
int client_stream(struct client *client, const char *method, const char *path,
                  struct client_stream *stream, struct error *error);

/* Returns error.errors of the last call if it failed, borrowed until the next call; NULL if it has
 * none. */
const json_t *client_errors(const struct client *client);

#endif
