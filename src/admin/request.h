/* One request to the admin API with its answer, and what handlers ask of it. Private to this
 * folder.
 *
 * A handler (struct admin_call's `handle`) reads the request, asks the store or commits a change,
 * and fills in request->answer. Or it returns -1 with *error, whose kind decides the status. It
 * never speaks HTTP, so no statement is open while bytes go to a client. On the thread of the
 * request's connection, which may block. */
#ifndef WEBHOOKD_ADMIN_REQUEST_H
#define WEBHOOKD_ADMIN_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/caller.h"
#include "admin/instance.h"
#include "base/buffer.h"
#include "http/route.h"

struct admin_answer {
    unsigned status;          /* 0: 200. With an error: from 400 on; else its kind decides */
    json_t *data;             /* the envelope's data; NULL = null */
    char *field;              /* the part of the request that the error is about; owned */
    json_t *errors;           /* a list for error.errors */
    const char *content_type; /* set: `bytes`, or the file if fd >= 0, go out as they are */
    struct buffer bytes;
    int fd;
    uint64_t file_bytes;
    struct http_stream stream; /* read set: what it gives goes out */
};

struct admin_request;

enum admin_body {
    ADMIN_BODY_NONE,
    ADMIN_BODY_JSON,
    ADMIN_BODY_FLEET_FILE, /* at most FLEET_FILE_MAX_BYTES */
    ADMIN_BODY_RUN,        /* at most hooks.max_body */
};

/* Over TCP. On the socket everybody may do everything. */
enum admin_access {
    ADMIN_ACCESS_KEY,     /* needs an API key or a session */
    ADMIN_ACCESS_SIGN_IN, /* for those who are about to show a key */
    ADMIN_ACCESS_OPEN,
};

/* What stands behind a route. */
struct admin_call {
    int (*handle)(struct admin_request *request, struct error *error);
    enum admin_body body;
    enum admin_access access;
    const char *query; /* the parameters that it knows, with a space between them; NULL = none */
    bool may_be_kept;  /* by caches, as the handler itself says */
};

/* Owned by the thread of its connection. */
struct admin_request {
    struct admin *admin;
    struct config *config;
    struct http_exchange *exchange;
    const struct admin_call *call;
    struct route_match match;
    bool over_tcp;
    struct caller caller;
    struct buffer body;
    int64_t body_bound;
    int64_t held_bytes;  /* its share of admin->held_bytes */
    bool too_large;      /* the body grew over its own bound and was dropped */
    bool crowded;        /* the body grew over the bound of all bodies and was dropped */
    struct store *store; /* from the pool, after request_store was called */
    struct admin_answer answer;
};

/* A read-only connection for the length of the request, or NULL. */
struct store *request_store(struct admin_request *request, struct error *error);
/* The id in the path at {name}; ERROR_NOT_FOUND if it is no id. `what` names the thing in the
 * message. */
int request_path_id(struct admin_request *request, const char *name, const char *what,
                    struct id *id, struct error *error);
/* ERROR_INVALID if there is a query parameter that the call does not know, or one of them twice. */
int request_check_query(struct admin_request *request, struct error *error);
/* The value of a query parameter, in text: 1 = there, 0 = not, -1 = longer than fits. */
int request_query(struct admin_request *request, const char *name, char *text, size_t text_bytes,
                  struct error *error);
/* A query parameter that is 1 or 0; absent is 0. */
int request_query_flag(struct admin_request *request, const char *name, bool *flag,
                       struct error *error);
/* A whole number from low to high; *number stays as it was if there is none. */
int request_query_number(struct admin_request *request, const char *name, int64_t low, int64_t high,
                         int64_t *number, struct error *error);
/* A time as in RFC 3339; likewise. */
int request_query_time(struct admin_request *request, const char *name, int64_t *wall_ms,
                       struct error *error);
/* The text of the body's only key; the caller frees it. NULL and *error. */
char *request_body_text(struct admin_request *request, const char *key, struct error *error);
/* The body's only key "name", checked; the caller frees it. NULL and *error, with field "name" if
 * it is about that. */
char *request_body_name(struct admin_request *request, struct error *error);
/* ERROR_INVALID about one field of the request; returns -1. */
int request_invalid(struct admin_request *request, const char *field, struct error *error,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Takes data. status 0: 200. */
void request_answer_data(struct admin_request *request, unsigned status, json_t *data);

#endif
