/* One HTTP listener on libmicrohttpd, for the public hooks and for the admin API. It does what both need: the connection's deadlines
 * and bounds, the request guard, a request id, and the envelope. A service has the rest, as named steps:
 *
 *   begin ──► data … ──► finish ──► end
 *     │ each of the first three may answer (http_reply…), suspend, or close
 *
 * libmicrohttpd 0.9.75 can answer in begin and finish, not in data: there only HTTP_CLOSE ends a request early. */
#ifndef WEBHOOKD_HTTP_SERVER_H
#define WEBHOOKD_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"

struct http_server;
struct
    http_exchange; /* one request and its answer; lives from begin to end; a handler thread's, except for http_resume */
struct MHD_Connection;

enum http_step {
    HTTP_CONTINUE, /* go on: read the body; in finish: an error of ours */
    HTTP_SUSPEND, /* http_suspend was called; after http_resume the same step is called again (data: with what it did not consume) */
    HTTP_REPLIED, /* http_reply… was called */
    HTTP_CLOSE,   /* close the connection without an answer */
};

struct http_service {
    /* Headers are in, and the guard found them clean. */
    enum http_step (*begin)(struct http_exchange *exchange, void *context);
    /* A piece of the body. Sets *consumed (all of it unless it suspends). */
    enum http_step (*data)(struct http_exchange *exchange, const void *bytes, size_t count,
                           size_t *consumed, void *context);
    /* The whole body is in. */
    enum http_step (*finish)(struct http_exchange *exchange, void *context);
    /* The last call for every exchange whose begin was called: answered, or the connection is gone. Frees exchange's user data. */
    void (*end)(struct http_exchange *exchange, void *context);
    /* A suspended exchange's deadline (http_suspend) has passed: on the reaper's thread, with the connection held, so that the exchange
     * cannot be resumed into its next step meanwhile. Must not block; may call http_abort and http_resume. May be NULL. */
    void (*expired)(struct http_exchange *exchange, void *context);
    /* The request was refused by the server itself with this status (guard, 431); for logs and metrics. May be NULL. */
    void (*refused)(struct http_exchange *exchange, unsigned status, const char *message,
                    void *context);
};

#define HTTP_MAX_WORKERS 8

struct http_options {
    const char *name; /* for the log: "hooks", "admin" */
    int listen_fd;    /* from http_listen or systemd; the server owns it */
    unsigned workers; /* threads of the pool; 0 = a thread per connection, whose steps may block */
    int64_t max_connections; /* at the bound the longest-idle one is closed */
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms; /* absolute deadlines */
    const struct http_service *service;
    void *context;
};

/* Opens a listening socket for "ADDRESS:PORT", "[IPV6]:PORT" or "unix:/PATH" (mode 0666 & ~umask; an old socket file nobody listens on is
 * replaced). Non-blocking, close-on-exec. */
int http_listen(const char *address, struct error *error);
/* What the socket is bound to, as such an address ("127.0.0.1:43210"). Returns text. */
#define HTTP_ADDRESS_BYTES 160
char *http_listen_address(int listen_fd, char text[HTTP_ADDRESS_BYTES]);

struct http_server *http_server_start(const struct http_options *options, struct error *error);
/* Stops listening; connections that are in the middle of a request go on. */
void http_server_quiesce(struct http_server *server);
/* Waits until no request is in progress, at most timeout_ms; then closes everything. -1: some request has not ended, and libmicrohttpd
 * cannot stop under it: the process can only exit. NULL is fine. */
int http_server_stop(struct http_server *server, int64_t timeout_ms);
/* After http_server_stop, when nobody can ask for its metrics any more. NULL is fine. */
void http_server_free(struct http_server *server);
void http_server_set_timeouts(struct http_server *server, int64_t header_ms, int64_t body_ms,
                              int64_t idle_ms); /* any thread */

struct http_metrics {
    int64_t connections; /* now */
    uint64_t accepted, closed_idle_for_room, closed_deadline, refused;
};
void http_server_get_metrics(struct http_server *server, struct http_metrics *metrics);

/* ---- an exchange, in its steps ---- */

void http_set_user(struct http_exchange *exchange, void *user);
void *http_user(const struct http_exchange *exchange);
const struct id *http_request_id(const struct http_exchange *exchange);
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange);  /* raw, up to "?" */
const char *http_query(const struct http_exchange *exchange); /* raw, behind "?"; "" if none */
/* A query parameter, percent-decoded, into text (cut never: -1 if it does not fit or decodes to a NUL). 1 = there, 0 = not. */
int http_query_value(const struct http_exchange *exchange, const char *name, char *text,
                     size_t text_bytes);
const char *http_header(const struct http_exchange *exchange,
                        const char *name); /* first value, or NULL */
/* Every header in order. `each` returns 0 to go on. */
void http_each_header(const struct http_exchange *exchange,
                      int (*each)(void *, const char *name, const char *value), void *context);
int64_t
http_content_length(const struct http_exchange
                        *exchange); /* declared; -1 = chunked, or no header about a body at all */
bool http_is_chunked(const struct http_exchange *exchange);
/* The peer's address as text without the port ("" on a unix socket). Returns text. */
#define HTTP_PEER_BYTES 64
char *http_peer(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES]);
/* On a unix socket: the user of the process that has connected (unix(7), SO_PEERCRED). 0, or -1. */
int http_peer_user(const struct http_exchange *exchange, uid_t *uid);
int64_t
http_started_us(const struct http_exchange *exchange); /* monotonic, when its headers were in */

/* deadline_ms on the monotonic clock; 0 = none. */
void http_suspend(struct http_exchange *exchange, int64_t deadline_ms);
void http_resume(
    struct http_exchange *exchange); /* any thread, exactly once per suspend (invariant 2) */
/* Closes the connection under a suspended exchange, which must still be resumed; its step is not called again. Any thread. */
void http_abort(struct http_exchange *exchange);
/* Who sends this request is not known yet: its connection goes first when there are too many. */
void http_is_from_stranger(struct http_exchange *exchange);
/* Has the client gone? Looked at, not waited for. */
bool http_peer_is_gone(const struct http_exchange *exchange);
/* No keep-alive after this answer. */
void http_close_after(struct http_exchange *exchange);

/* ---- answers (http/reply.c) ---- */

struct json_t; /* jansson's */

/* {"request":{"id":…},"data":data} with Content-Type: application/json and X-Request-Id. Takes data (NULL = null). */
enum http_step http_reply_data(struct http_exchange *exchange, unsigned status,
                               struct json_t *data);
/* {"request":…,"data":null,"error":{"message":…,"field":…}}. field NULL: left out. message NULL: no "error" at all (the 400 of a hook). */
enum http_step http_reply_error(struct http_exchange *exchange, unsigned status,
                                const char *message, const char *field);
/* The same with error.errors; takes the list. */
enum http_step http_reply_errors(struct http_exchange *exchange, unsigned status,
                                 const char *message, struct json_t *errors);
/* The envelope of an answer that is given very often and whose data is an object of ids only. Its text is made once; an answer costs a
 * copy of it. `names` are the object's members, at most HTTP_REPLY_TEMPLATE_IDS. Never NULL. */
#define HTTP_REPLY_TEMPLATE_IDS 4
struct http_reply_template;
struct http_reply_template *http_reply_template_new(const char *const names[], size_t count);
void http_reply_template_free(struct http_reply_template *template);
enum http_step http_reply_from_template(struct http_exchange *exchange, unsigned status,
                                        const struct http_reply_template *template,
                                        const struct id *const ids[]);
/* Bytes as they are; copies them. */
enum http_step http_reply_bytes(struct http_exchange *exchange, unsigned status,
                                const char *content_type, const void *data, size_t bytes);
/* An answer that is made while it is sent, on a listener with a thread per connection. `read` fills in at most so many bytes and returns how
 * many, 0 at the end, -1 if it cannot go on (the connection is closed, and the client sees that something is missing); it may block.
 * `done` is called once, however it ends. A client has the idle timeout for each piece. */
struct http_stream {
    ssize_t (*read)(void *context, char *data, size_t bytes);
    void (*done)(void *context);
    void *context;
};
enum http_step http_reply_stream(struct http_exchange *exchange, unsigned status,
                                 const char *content_type, const struct http_stream *stream);
/* A file from offset 0 to bytes; owns fd. */
enum http_step http_reply_file(struct http_exchange *exchange, unsigned status,
                               const char *content_type, int fd, uint64_t bytes);
/* Adds a header to the answer that follows; copies. */
void http_add_header(struct http_exchange *exchange, const char *name, const char *value);

#endif
