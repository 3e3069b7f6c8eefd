/* A request to the admin API with its answer, and the functions with which handlers read it.
 * Private to this folder.
 *
 * A handler (`handle` of struct admin_call) reads the request, queries the store or commits a
 * change, and fills in request->answer. If it fails, it returns -1 with *error, whose kind
 * determines the status. It sends nothing itself: service.c sends request->answer afterwards, so no
 * statement is open while bytes are sent to a client. It runs on the thread of the request's
 * connection, which may block. */
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
    /* 0 means 200. With an error, a status below 400 is ignored: the error's kind determines it. */
    unsigned status;
    json_t *data;             /* the envelope's data; NULL = null */
    char *field;              /* the part of the request that the error is about; owned */
    json_t *errors;           /* a list for error.errors */
    const char *content_type; /* if set, `bytes`, the file or the stream is sent as it is */
    struct buffer bytes;
    int fd; /* of the file, or -1 */
    uint64_t file_bytes;
    struct http_stream stream; /* sent if `read` is set */
    bool is_private;           /* not to be compressed, although the route's answers may be */
};

struct admin_request;

enum admin_body {
    ADMIN_BODY_NONE,
    ADMIN_BODY_JSON,
    ADMIN_BODY_FLEET_FILE, /* at most FLEET_FILE_MAX_BYTES; wiped afterwards: hidden values */
    ADMIN_BODY_RUN,        /* at most hooks.max_body */
    ADMIN_BODY_CREDENTIAL, /* at most STORE_CREDENTIAL_MAX_BYTES and a line end; wiped afterwards */
    ADMIN_BODY_OVERRIDES,  /* at most OVERRIDES_MAX_BYTES; wiped afterwards */
};

/* Who may call over TCP. On the socket every caller may do everything. */
enum admin_access {
    ADMIN_ACCESS_KEY,     /* needs an API key or a session */
    ADMIN_ACCESS_SIGN_IN, /* the request's body contains the key */
    ADMIN_ACCESS_OPEN,    /* everyone */
};

/* A role as a bit of admin_call.roles. */
#define ADMIN_ROLE(role) (1u << (role))

/* The target of a route. */
struct admin_call {
    int (*handle)(struct admin_request *request, struct error *error);
    enum admin_body body;
    enum admin_access access;
    unsigned roles;    /* the ADMIN_ROLE of each role that may call besides the owners (role.h) */
    const char *query; /* the known parameters, separated by a space; NULL = none */
    /* The key may also be in X-Shipyard-API-Key, the header of the reference platform. */
    bool takes_reference_key;
    bool is_public;   /* with hooks.api, the public listener serves it, too */
    bool may_be_kept; /* by caches: the handler itself sets Cache-Control */
    /* The data of a success may be compressed: it contains no secret (http_may_pack). Errors, files
     * and streams never are. */
    bool may_be_packed;
};

/* Owned by the thread of its connection. */
struct admin_request {
    struct admin *admin;
    struct config *config;
    struct http_exchange *exchange;
    const struct admin_call *call;
    struct route_match match;
    bool over_tcp;
    bool is_public; /* on the public listener: public.c */
    struct caller caller;
    struct buffer body;
    int64_t body_bound;
    int64_t held_bytes;  /* its share of admin->held_bytes */
    bool too_large;      /* the body exceeded its own bound and was dropped */
    bool crowded;        /* the body exceeded the bound of all bodies and was dropped */
    struct store *store; /* from the pool, after a call of request_store */
    struct admin_answer answer;
};

/* Writes the address of the client: that of the peer, and on the public listener the one behind
 * hooks.trusted_proxies. Returns text. */
char *request_peer(struct admin_request *request, char text[HTTP_PEER_BYTES]);
/* Returns a read-only connection for the duration of the request, or NULL and sets *error. */
struct store *request_store(struct admin_request *request, struct error *error);
/* Reads the id in the path at {name}. Returns -1 with ERROR_NOT_FOUND if it is not an id; `what`
 * names the thing in the message. */
int request_path_id(struct admin_request *request, const char *name, const char *what,
                    struct id *id, struct error *error);
/* Returns -1 with ERROR_INVALID if a query parameter is unknown to the call or given twice. */
int request_check_query(struct admin_request *request, struct error *error);
/* Copies the value of a query parameter into text. Returns 1, 0 if it is absent, or -1 with *error
 * if it does not fit. */
int request_query(struct admin_request *request, const char *name, char *text, size_t text_bytes,
                  struct error *error);
/* Reads a query parameter that is 1 or 0; absent is 0. */
int request_query_flag(struct admin_request *request, const char *name, bool *flag,
                       struct error *error);
/* Reads a whole number from low to high; leaves *number unchanged if the parameter is absent. */
int request_query_number(struct admin_request *request, const char *name, int64_t low, int64_t high,
                         int64_t *number, struct error *error);
/* Does the same with a time as in RFC 3339. */
int request_query_time(struct admin_request *request, const char *name, int64_t *wall_ms,
                       struct error *error);
/* Returns the body as a JSON object with no keys but those listed, up to NULL; the caller releases
 * it. Returns NULL and sets *error on failure. */
json_t *request_body_object(struct admin_request *request, const char *const *keys,
                            struct error *error);
/* Returns the text at a key of the body, borrowed. Returns NULL and leaves *error unset if the key
 * is absent; NULL with ERROR_INVALID if it is not a string. */
const char *request_text_at(struct admin_request *request, const json_t *body, const char *key,
                            struct error *error);
/* Returns -1 with ERROR_INVALID about the field "name" unless an object may have this name. */
int request_check_name(struct admin_request *request, const char *name, struct error *error);
/* Returns the text of the body's only key; the caller frees it. Returns NULL and sets *error on
 * failure. */
char *request_body_text(struct admin_request *request, const char *key, struct error *error);
/* Returns the checked text of the body's only key, "name"; the caller frees it. Returns NULL and
 * sets *error on failure, and the field "name" if the error is about it. */
char *request_body_name(struct admin_request *request, struct error *error);
/* Reads the number of a version from the path, where it is "n". ERROR_NOT_FOUND if it is none. */
int request_path_version(struct admin_request *request, int *number, struct error *error);
/* Sets ERROR_INVALID about one field of the request. Returns -1. */
int request_invalid(struct admin_request *request, const char *field, struct error *error,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Makes the open file, in its current length, the answer. Takes ownership of fd. */
int request_answer_file(struct admin_request *request, int fd, const char *content_type,
                        struct error *error);
/* Makes data the answer; the request owns it. A status of 0 means 200. */
void request_answer_data(struct admin_request *request, unsigned status, json_t *data);

#endif
