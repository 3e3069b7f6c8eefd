/* What the admin API's files share: the instance, and one request with its answer. Private to this folder.
 *
 * A call of the API is a function `handle`: it reads the request, asks the store or submits an operation, and fills
 * request->answer; or it returns -1 with *error, and the error's kind decides the status. It never talks HTTP itself, so that no
 * statement is open while bytes go to a client. */
#ifndef WEBHOOKD_ADMIN_CORE_H
#define WEBHOOKD_ADMIN_CORE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/caller.h"
#include "admin/ops.h"
#include "admin/readers.h"
#include "admin/sign_in_limit.h"
#include "admin/socket.h"
#include "base/buffer.h"
#include "http/route.h"

struct admin_listener {
    struct admin *admin;
    bool over_tcp;
    int listen_fd;                      /* -1: switched off; the server's once there is one */
    char address[HTTP_ADDRESS_BYTES];   /* "": switched off */
    struct http_server *_Atomic server; /* set while the other one may serve already */
};

struct admin {
    struct admin_options options; /* as given; config and key are the fields below */
    int64_t started_monotonic_ms;
    struct readers *readers;
    struct admin_listener tcp, local;
    struct socket_file socket_file;
    atomic_bool stopping;
    atomic_bool makes_backup;
    struct sign_in_limit *sign_in_limit;
    atomic_int streams; /* of events, now: each holds a connection */
    atomic_uint
        revocations; /* of API keys, and sign-outs, since the start: streams look whether theirs is among them */
    _Atomic int64_t held_bytes; /* of request bodies in memory, all requests together */

    pthread_mutex_t config_lock; /* guards config */
    struct config *config;

    pthread_mutex_t key_lock; /* guards the following */
    struct secret_key key;
    bool key_is_proven; /* it has opened a stored webhook */
};

/* A snapshot for the length of a request; config_release it. Any thread. */
struct config *admin_hold_config(struct admin *admin);

struct admin_answer {
    unsigned status;          /* 0: 200. With an error: from 400 on; else its kind decides */
    json_t *data;             /* the envelope's data; NULL = null */
    char *field;              /* of the request, which the error is about; owned */
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

/* Over TCP; on the socket everybody may do everything. */
enum admin_access {
    ADMIN_ACCESS_KEY,     /* for the owner of a key, or of a session */
    ADMIN_ACCESS_SIGN_IN, /* for whoever is about to show one */
    ADMIN_ACCESS_OPEN,
};

/* What stands behind a route. */
struct admin_call {
    int (*handle)(struct admin_request *request, struct error *error);
    enum admin_body body;
    enum admin_access access;
    const char *query; /* the parameters that it knows, with a space between them; NULL = none */
    bool may_be_kept;  /* by caches, as the call itself says */
};

/* One request. Owned by the thread of its connection. */
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
    int64_t held_bytes; /* its share of admin->held_bytes */
    bool too_large,
        crowded; /* the body grew over its bound, or over what all bodies may hold together; it was dropped */
    struct store *store; /* from the pool, once request_store was called */
    struct admin_answer answer;
};

/* The table of calls (routes.c). */
extern const struct route admin_routes[];
extern const size_t admin_route_count;
/* Where there is no route, for a person who has typed or kept an address. */
extern const struct admin_call admin_no_page;

/* ---- for handlers (request.c) ---- */

/* Who does it, for the audit log. */
struct ops_audit request_audit(const struct admin_request *request);
/* A read-only connection for the length of the call, or NULL. */
struct store *request_store(struct admin_request *request, struct error *error);
/* The id in the path at {name}: ERROR_NOT_FOUND if it is none. `what` names the thing in the message. */
int request_path_id(struct admin_request *request, const char *name, const char *what,
                    struct id *id, struct error *error);
/* ERROR_INVALID if there is a query parameter that the call does not know, or one of them twice. */
int request_check_query(struct admin_request *request, struct error *error);
/* What the caller sent as the query parameter, in text: 1 = there, 0 = not, -1 = longer than fits. */
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
/* The text of the body's only key; likewise. */
char *request_body_text(struct admin_request *request, const char *key, struct error *error);
/* The body's only key "name", checked; the caller frees it. NULL and *error (field "name" where it is about it). */
char *request_body_name(struct admin_request *request, struct error *error);
/* ERROR_INVALID about one field of the request; returns -1. */
int request_invalid(struct admin_request *request, const char *field, struct error *error,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
void request_answer_data(struct admin_request *request, unsigned status,
                         json_t *data); /* takes data */

#endif
