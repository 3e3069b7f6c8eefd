/* A connection and the request that is on it: what the files of http/ share. A connection carries one request at a time, so the exchange
 * is part of it and costs no allocation. */
#ifndef WEBHOOKD_HTTP_EXCHANGE_H
#define WEBHOOKD_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "http/server.h"

/*   LINE ─► BEGIN ─► BODY ─► FINISH ─► REPLIED
 *     │       └────────┴─────────┴────► CLOSED
 *     └─► REPLIED (refused by the guard)            */
enum exchange_stage {
    EXCHANGE_NONE,    /* no request on the connection */
    EXCHANGE_LINE,    /* its first line is in, its headers are not */
    EXCHANGE_BEGIN,   /* in the service's begin, perhaps suspended */
    EXCHANGE_BODY,    /* reading its body */
    EXCHANGE_FINISH,  /* in the service's finish, perhaps suspended */
    EXCHANGE_REPLIED, /* the answer is on its way */
    EXCHANGE_CLOSED,  /* no answer: the connection goes down */
};

struct extra_header {
    struct list_node node;
    char *name, *value; /* in the same allocation */
};

struct http_exchange {
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    enum exchange_stage stage;
    bool begun; /* the service has seen it, and must see its end */
    bool close_after;
    bool chunked;
    struct id id;
    const char *method, *version; /* libmicrohttpd's, for the request's life */
    char *target;                 /* raw; cut in two at the "?" */
    size_t target_capacity;
    uintptr_t target_end;   /* where it ended in libmicrohttpd's buffer; only compared */
    const char *query;      /* in target; "" if there is none */
    int64_t content_length; /* -1 = none declared */
    int64_t started_us;
    void *user;
    struct list extra; /* headers of the answer, in order */
};

/* What the reaper looks at. The deadline is absolute: it does not move because a byte has come.
 * connection_set_state alone changes it, and has the diagram. */
enum connection_state {
    CONNECTION_IDLE, /* between requests, or before the first */
    CONNECTION_HEADERS,
    CONNECTION_BODY,
    CONNECTION_SUSPENDED, /* its deadline calls the service's expired */
    CONNECTION_REPLY,
};

struct http_connection {
    struct http_server *server;
    struct worker *worker; /* whose thread it belongs to; NULL: it has its own */
    int fd;                /* libmicrohttpd's; valid while the connection is in the reaper's list */
    struct list_node watched; /* under the reaper's lock */

    pthread_mutex_t
        hold; /* guards the following: an exchange cannot go on while its deadline is being dealt with */
    enum connection_state state;
    int64_t since_ms;         /* when the state began, or the last piece of the body came */
    int64_t deadline_ms;      /* 0 = none */
    int64_t body_deadline_ms; /* kept while suspended */
    bool between_pieces;      /* suspended in the middle of a body: more of it may never come */
    bool expired;             /* the service has been told, once per suspension */
    bool aborted;             /* no further step, no answer */
    bool is_strangers;        /* this request */

    atomic_bool
        suspended; /* set by http_suspend, cleared by http_resume, exactly once each (invariant 2) */
    struct http_exchange exchange; /* the handler thread's */
};

struct reaper;

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon; /* with a thread per connection; else: */
    struct worker *workers[HTTP_MAX_WORKERS];
    struct reaper *reaper;
    _Atomic int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    atomic_bool draining;
    atomic_bool stopping;        /* no request may begin any more: libmicrohttpd is about to stop */
    _Atomic int64_t in_progress; /* exchanges that have begun and not ended */
    _Atomic uint64_t refused;
};

/* exchange.c: a request's life, on the handler's thread */

/* The first line is in; `uri` is only borrowed for this call. */
void exchange_open(struct http_exchange *exchange, struct MHD_Connection *mhd, const char *uri);
/* Each call of libmicrohttpd from the headers on: the service's next step. Sets *bytes to how much
 * of the body was not consumed. */
enum MHD_Result exchange_continue(struct http_exchange *exchange, const char *data, size_t *bytes);
/* Answered, or the connection is gone. */
void exchange_close(struct http_exchange *exchange);
void exchange_free_headers(struct http_exchange *exchange);

/* connection.c: states, on the handler's thread */
struct http_connection *connection_new(struct http_server *server, int fd, int64_t now_ms);
void connection_free(struct http_connection *connection);
/* Asserts the edge. `hold` is held. Also on the reaper's thread. */
void connection_set_state(struct http_connection *connection, enum connection_state state);
void connection_enter(struct http_connection *connection, enum connection_state state,
                      int64_t now_ms);
/* A piece of the body has come. */
void connection_heard(struct http_connection *connection, int64_t now_ms);
/* The whole request is in: its answer is coming, however long that takes. */
void connection_let_finish(struct http_connection *connection);
/* After a suspension: false if it was aborted meanwhile. Nothing to do if it was not suspended. */
bool connection_reenter(struct http_connection *connection);

#endif
