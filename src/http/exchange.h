/* A connection and its current request: what the files of http/ share. A connection carries one
 * request at a time, so the exchange is part of it and needs no allocation of its own. */
#ifndef WEBHOOKD_HTTP_EXCHANGE_H
#define WEBHOOKD_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "http/peer.h"
#include "http/server.h"

/*   LINE ─► BEGIN ─► BODY ─► FINISH ─► REPLIED
 *     └───────┴────────┴─────────┴────► CLOSED
 * LINE also leads to REPLIED (the server refuses the request), and so does BEGIN (an early answer).
 * When the request ends, its stage returns to NONE. */
enum exchange_stage {
    EXCHANGE_NONE,    /* no request on the connection */
    EXCHANGE_LINE,    /* its first line has arrived, its headers have not */
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

/* A header's value whose copy lives as long as the exchange. */
struct trimmed_value {
    struct list_node node;
    char text[];
};

struct http_exchange {
    struct http_connection *connection;
    struct MHD_Connection *mhd; /* set before the reaper knows of the connection; constant */
    enum exchange_stage stage;
    bool begun; /* begin was called, so end must be called */
    /* The one of the listener's services that takes it; set before begin, then constant. */
    const struct http_service *service;
    void *service_context;
    bool close_after;
    bool was_resumed; /* at least once */
    bool chunked;
    bool may_be_packed; /* the answer: http_may_pack was called */
    struct id id;
    const char *method, *version; /* libmicrohttpd's, for the request's life */
    char *target;                 /* raw; split at the "?" */
    size_t target_capacity;
    uintptr_t target_end;   /* its end in libmicrohttpd's buffer; only compared */
    const char *query;      /* in target; "" if there is none */
    char *authority;        /* of a target in absolute form; NULL: the Host header counts */
    int64_t content_length; /* -1 = none declared */
    int64_t started_us;
    void *user;
    struct list extra;   /* headers of the answer, in order */
    struct list trimmed; /* values that end with blanks, without them */
};

/* What the reaper examines. The deadline is absolute: bytes that arrive do not extend it. Only
 * connection_set_state changes the state; connection.c has the diagram. */
enum connection_state {
    CONNECTION_IDLE, /* between requests */
    CONNECTION_HEADERS,
    CONNECTION_BODY,
    CONNECTION_SUSPENDED, /* at its deadline, the service's `expired` is called */
    CONNECTION_REPLY,
};

struct http_connection {
    struct http_server *server;
    struct worker *worker; /* the worker that handles it */
    bool shares_thread;    /* its thread serves other connections, too (http/threads.h) */
    int fd;                /* libmicrohttpd's; valid while the connection is in the reaper's list */
    struct list_node watched; /* guarded by the reaper's lock */
    /* Constant; only set if the listener has a bound for each peer. */
    struct peer_network peer;

    /* These belong to the worker's thread. */
    bool is_watched;     /* for its first bytes: strangers.h */
    uint64_t calls;      /* of libmicrohttpd's, about its requests */
    uint64_t calls_then; /* when the worker last looked for a reason why it spins */
    int unread_then;     /* and how many bytes waited in the socket */
    bool leaves_rest;    /* a request was answered before its end */
    bool is_put_first;   /* at its resumption: connection.c, put_first */

    /* Guards the following: an exchange cannot go on while its deadline is being handled. */
    pthread_mutex_t hold;
    enum connection_state state;
    int64_t since_ms;         /* when the state began */
    int64_t body_bytes;       /* received since then, in BODY */
    int64_t sampled_ms;       /* REPLY: when the reaper first asked what the peer has received */
    int64_t sampled_bytes;    /* and how much that was */
    int64_t deadline_ms;      /* 0 = none */
    int64_t refused_by_ms;    /* the end of a refused request; 0 = it is not refused */
    int64_t body_deadline_ms; /* kept while suspended */
    bool between_pieces;      /* suspended in the middle of a body, which may never go on */
    bool expired;             /* `expired` was called, once for each suspension */
    bool aborted;             /* no further step, no answer */
    int64_t next_look_ms;     /* when the reaper looks again whether the sender is gone */
    bool has_line;            /* a request line has arrived since the last request was read */
    bool has_spoken;          /* its first bytes have been seen; only on a worker */
    int64_t received_then;    /* bytes, when the last request was read; 0 = there was none */
    bool is_known;            /* the sender of this request is authenticated */
    bool was_known;           /* that of the request before was */
    /* The start of the first request since the sender was last known, or else of the connection: a
     * stranger does not become younger by sending another request. */
    int64_t stranger_since_us;

    /* Set by http_suspend and cleared by http_resume, exactly once each (invariant 2). */
    atomic_bool suspended;
    struct http_exchange exchange; /* belongs to the handler's thread */
};

struct reaper;
struct threads;

struct http_server {
    struct http_options options;
    struct threads *threads; /* one for each connection; otherwise: */
    struct worker *workers[HTTP_MAX_WORKERS];
    struct reaper *reaper;
    _Atomic int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    atomic_bool is_deaf; /* the last attempt to accept a connection failed */
    atomic_bool draining;
    atomic_bool stopping;        /* no request may begin any more: libmicrohttpd is about to stop */
    _Atomic int64_t in_progress; /* exchanges that have begun and not ended */
    _Atomic uint64_t refused;
};

/* server.c: returns a libmicrohttpd daemon for connections of this server, without a thread. It
 * owns listen_fd, unless that is -1. NULL if libmicrohttpd fails; the caller then still owns it. */
struct MHD_Daemon *server_new_daemon(struct http_server *server, unsigned flags, int listen_fd,
                                     unsigned limit);

/* listen.c: notes whether a connection could be accepted (reason NULL) or why not. Logs the first
 * failure, and the first success after it. On the thread that accepts. */
void listen_note(struct http_server *server, const char *reason);

/* exchange.c: the life of a request, on the handler's thread */

/* Begins an exchange: the first line has arrived. Borrows `uri` for this call only. */
void exchange_open(struct http_exchange *exchange, const char *uri);
/* Handles each call of libmicrohttpd from the headers on: calls the next step of the service. Sets
 * *bytes to the number of body bytes that were not consumed. */
enum MHD_Result exchange_continue(struct http_exchange *exchange, const char *data, size_t *bytes);
/* Removes the blanks around a header's value, which are not part of it (RFC 9110 section 5.5).
 * libmicrohttpd keeps those behind it. */
void exchange_trim(const char **value, size_t *bytes);
/* Splits a target in absolute form (RFC 9112 section 3.2.2) into authority and path; any other
 * target stays as it is. */
void exchange_split_target(struct http_exchange *exchange);
/* Ends the exchange: the answer was sent, or the connection is gone. */
void exchange_close(struct http_exchange *exchange);
void exchange_free_headers(struct http_exchange *exchange);

/* connection.c: states, on the handler's thread */
struct http_connection *connection_new(struct http_server *server, int fd, int64_t now_ms);
void connection_free(struct http_connection *connection);
/* Asserts that the transition is allowed. The caller holds `hold`. Also on the reaper's thread. */
void connection_set_state(struct http_connection *connection, enum connection_state state);
void connection_enter(struct http_connection *connection, enum connection_state state,
                      int64_t now_ms);
/* Notes that a request line has arrived. */
void connection_take_line(struct http_connection *connection);
/* Counts a piece of the body that has arrived. */
void connection_heard(struct http_connection *connection, int64_t bytes);
/* Removes the deadline: the whole request has arrived, and its answer may take any time. Returns
 * false if the exchange was aborted meanwhile. */
bool connection_let_finish(struct http_connection *connection);
/* Goes on with the body after a suspension, during which the sender could send nothing: its rate
 * counts from now. The caller holds `hold`. Also on the reaper's thread. */
void connection_go_on(struct http_connection *connection, int64_t now_ms);
/* Leaves the suspension, if there was one. Returns false if the exchange was aborted meanwhile. */
bool connection_reenter(struct http_connection *connection);

#endif
