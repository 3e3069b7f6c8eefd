/* One HTTP listener on libmicrohttpd, for the public hooks and for the admin API. It provides what
 * both need: the deadlines and bounds of connections, the request guard, request ids, and the
 * envelope of answers. A service adds the rest, as named steps:
 *
 *   begin ──► data … ──► finish ──► end
 *     │ each of the first three may close and, with workers, suspend;
 *     │ begin and finish may answer (http_reply…)
 *
 * In data, libmicrohttpd 0.9.75 cannot answer: there only HTTP_CLOSE ends a request early. */
#ifndef WEBHOOKD_HTTP_SERVER_H
#define WEBHOOKD_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"

struct http_server;
/* One request and its answer, from begin to end. Only the handler's thread may use it, except where
 * a function says otherwise. While it is suspended, the thread that will resume it is its handler's
 * thread, except for http_reply…, http_suspend and http_abort. */
struct http_exchange;
struct MHD_Connection;

enum http_step {
    HTTP_CONTINUE, /* go on with the body; after finish this is a bug and closes the connection */
    /* http_suspend was called. After http_resume the same step is called again (data: with the
     * bytes that it did not consume). */
    HTTP_SUSPEND,
    HTTP_REPLIED, /* http_reply… was called */
    HTTP_CLOSE,   /* close the connection without an answer */
};

struct http_service {
    /* The headers have arrived, and the guard has accepted them. */
    enum http_step (*begin)(struct http_exchange *exchange, void *context);
    /* A piece of the body has arrived. *consumed is preset to count; only a step that suspends may
     * lower it. */
    enum http_step (*data)(struct http_exchange *exchange, const void *bytes, size_t count,
                           size_t *consumed, void *context);
    /* The whole body has arrived. */
    enum http_step (*finish)(struct http_exchange *exchange, void *context);
    /* The last call for every exchange whose begin was called: the answer was sent, or the
     * connection is gone. Frees the exchange's user data. */
    void (*end)(struct http_exchange *exchange, void *context);
    /* The deadline of a suspended exchange (http_suspend) has passed. Called on the reaper's thread
     * with the connection held, so that the exchange cannot be resumed into its next step
     * meanwhile. Must not block; may call http_abort and http_resume. May be NULL. */
    void (*expired)(struct http_exchange *exchange, void *context);
    /* The server itself has refused the request with this status (400 or 431 from the guard, 503
     * while stopping). For logs and metrics. May be NULL. */
    void (*refused)(struct http_exchange *exchange, unsigned status, const char *message,
                    void *context);
};

/* A second service of a listener, for some of its paths. */
struct http_mount {
    /* Whether the service takes this request. Called once for each request that the guard has
     * accepted, on the handler's thread. Must not block. */
    bool (*takes)(void *context, const char *method, const char *path);
    const struct http_service *service; /* its `refused` is not called */
    void *context;                      /* of both */
};

#define HTTP_MAX_WORKERS 8

struct http_options {
    const char *name; /* for the log: "hooks", "admin" */
    int listen_fd;    /* from http_listen or systemd; the server owns it */
    unsigned workers; /* threads in the pool; 0 = one for each connection, whose steps may block */
    /* At the bound, the connection that has earned its place least is closed (http/reaper.c, enum
     * rank). A busy one never is: its sender is known (http_sender_is_known) and makes progress, or
     * webhookd is handling its request. If all are busy, the new one is closed. */
    int64_t max_connections;
    int64_t reserved_for_known; /* of them: what connections of unknown senders cannot use up */
    /* The bound on connections of unknown senders from one address: an IPv4 address, or a /64 of
     * IPv6. 0 = there is no such bound. Unix sockets have none. */
    int64_t max_unknown_of_peer;
    /* A known sender is known when begin returns. A connection whose sender is not may then be
     * closed even while the request is handled. */
    bool knows_early;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms; /* absolute deadlines */
    const struct http_service *service;
    void *context;
    const struct http_mount *mount; /* NULL: `service` takes all requests; else borrowed */
};

/* Opens a listening socket for "ADDRESS:PORT", "[IPV6]:PORT" or "unix:/PATH", non-blocking and
 * close-on-exec. A unix socket has mode 0777 & ~umask and replaces an old socket file on which
 * nobody listens. Returns the descriptor, or -1. */
int http_listen(const char *address, struct error *error);
/* Writes the address that the socket is bound to in the same form ("127.0.0.1:43210"). Returns
 * text. */
#define HTTP_ADDRESS_BYTES 160
char *http_listen_address(int listen_fd, char text[HTTP_ADDRESS_BYTES]);

/* The file of a unix socket. */
struct http_socket_file {
    char path[HTTP_ADDRESS_BYTES]; /* "": there is none */
    dev_t device;
    ino_t inode;
};
/* Notes the file of a socket that this process has just bound. */
void http_socket_file_note(int listen_fd, struct http_socket_file *file);
/* Removes the file if it is still the one that was noted, so that no sender meets a socket on which
 * no process listens. */
void http_socket_file_remove(const struct http_socket_file *file);

struct http_server *http_server_start(const struct http_options *options, struct error *error);
/* Stops listening. Connections in the middle of a request go on. */
void http_server_quiesce(struct http_server *server);
/* Waits until no request is in progress, and then closes everything. After timeout_ms it shuts down
 * the connections that wait for their client. If some request has still not ended after another
 * second, it returns -1: libmicrohttpd cannot be stopped while a request is in progress, so the
 * process can only exit. Requests that arrived during the wait get the same time once again. NULL
 * is fine. */
int http_server_stop(struct http_server *server, int64_t timeout_ms);
/* Call after http_server_stop, once nothing can read the metrics any more. NULL is fine. */
void http_server_free(struct http_server *server);
/* Any thread. */
void http_server_set_timeouts(struct http_server *server, int64_t header_ms, int64_t body_ms,
                              int64_t idle_ms);

struct http_metrics {
    int64_t connections; /* open at present */
    uint64_t accepted, closed_idle_for_room, closed_deadline, refused;
};
void http_server_get_metrics(struct http_server *server, struct http_metrics *metrics);

/* ---- the exchange, for the steps of a service ---- */

void http_set_user(struct http_exchange *exchange, void *user);
void *http_user(const struct http_exchange *exchange);
const struct id *http_request_id(const struct http_exchange *exchange);
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange);  /* raw, up to "?" */
const char *http_query(const struct http_exchange *exchange); /* raw, after "?"; "" if none */
/* Decodes a query parameter into text. Returns 1, 0 if there is no such parameter, or -1 if its
 * value does not fit (it is never truncated) or is invalid (query_decode). */
int http_query_value(const struct http_exchange *exchange, const char *name, char *text,
                     size_t text_bytes);
/* Returns the header's first value without the blanks around it, or NULL. */
const char *http_header(struct http_exchange *exchange, const char *name);
/* Returns the host that the request is for, with the port if there is one: the authority of a
 * target in absolute form, or else the Host header ("" if there is none). */
const char *http_host(struct http_exchange *exchange);
/* Whether the client accepts an answer in gzip's format (Accept-Encoding, RFC 9110 section 12.5.3).
 * False for HTTP/1.0, whose caches do not know Vary. An answer that cannot be compressed goes out
 * as it is, also to a client that refuses that ("identity;q=0"). */
bool http_accepts_gzip(struct http_exchange *exchange);
/* Calls `each` for every header in order, as long as `each` returns 0. Values are without the
 * blanks around them and live as long as the exchange. */
void http_each_header(struct http_exchange *exchange,
                      int (*each)(void *, const char *name, const char *value), void *context);
/* Returns the declared length, or -1 if there is no Content-Length: the body is chunked or
 * empty. */
int64_t http_content_length(const struct http_exchange *exchange);
bool http_is_chunked(const struct http_exchange *exchange);
/* Writes the peer's address without the port ("" on a unix socket). Returns text. */
#define HTTP_PEER_BYTES 64
char *http_peer(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES]);
/* Writes the same address, but of an IPv6 address only its network ("2001:db8:1:2::/64"), because
 * one sender usually has all of it. Returns text. */
char *http_peer_network(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES]);
/* On a unix socket: sets *uid to the user of the process that connected (unix(7), SO_PEERCRED).
 * Returns 0, or -1. */
int http_peer_user(const struct http_exchange *exchange, uid_t *uid);
/* Returns the time at which the request's first line arrived, on the monotonic clock. */
int64_t http_started_us(const struct http_exchange *exchange);

/* Suspends the exchange until http_resume. Only on a listener with workers. deadline_ms is on the
 * monotonic clock; 0 = none. */
void http_suspend(struct http_exchange *exchange, int64_t deadline_ms);
/* Call exactly once for each http_suspend (invariant 2). Any thread. */
void http_resume(struct http_exchange *exchange);
/* Closes the connection of a suspended exchange, which must still be resumed; its step is not
 * called again. Only for the service's `expired`, which has the connection held. */
void http_abort(struct http_exchange *exchange);
/* The sender of this request is authenticated. Until this is called, its connection may be closed
 * to make room for a new one; afterwards only if it is very slow. */
void http_sender_is_known(struct http_exchange *exchange);
/* The request is refused: its body and its answer get five seconds, not the usual deadlines. */
void http_is_refused(struct http_exchange *exchange);
/* Returns how long ago the client's last bytes arrived, in milliseconds: in `begin`, how long the
 * request waited until this process read it. Returns 0 on a unix socket, which does not tell. */
int64_t http_waited_ms(const struct http_exchange *exchange);
/* Whether the client has closed its connection. Does not wait. */
bool http_peer_is_gone(const struct http_exchange *exchange);
/* Closes the connection after this answer (no keep-alive). */
void http_close_after(struct http_exchange *exchange);

/* ---- answers (http/reply.c) ---- */

struct json_t; /* jansson's */

/* Answers {"request":{"id":…},"data":data} with Content-Type: application/json and X-Request-Id.
 * Takes ownership of data (NULL = null). */
enum http_step http_reply_data(struct http_exchange *exchange, unsigned status,
                               struct json_t *data);
/* Answers {"request":…,"data":null,"error":{"message":…,"field":…}}. Omits "field" if field is
 * NULL or not UTF-8, and all of "error" if message is NULL (the 400 of a hook). */
enum http_step http_reply_error(struct http_exchange *exchange, unsigned status,
                                const char *message, const char *field);
/* The same with error.errors. Takes ownership of the list. */
enum http_step http_reply_errors(struct http_exchange *exchange, unsigned status,
                                 const char *message, struct json_t *errors);
/* The envelope of an answer that is given very often and whose data is an object of ids only. Its
 * text is built once; each answer copies it. `names` are the members of the object, at most
 * HTTP_REPLY_TEMPLATE_IDS. Never returns NULL. */
#define HTTP_REPLY_TEMPLATE_IDS 4
struct http_reply_template;
struct http_reply_template *http_reply_template_new(const char *const names[], size_t count);
void http_reply_template_free(struct http_reply_template *template);
enum http_step http_reply_from_template(struct http_exchange *exchange, unsigned status,
                                        const struct http_reply_template *template,
                                        const struct id *const ids[]);
/* Answers with the bytes as they are; copies them. */
enum http_step http_reply_bytes(struct http_exchange *exchange, unsigned status,
                                const char *content_type, const void *data, size_t bytes);
/* An answer that is produced while it is sent, on a listener with a thread for each connection.
 * `read` fills in at most `bytes` bytes and returns how many, 0 at the end, or -1 if it cannot go
 * on: then the connection is closed, so that the client sees an incomplete answer. `read` may
 * block; if no thread could be started for the connection, the answer is 503 instead.
 * `done` is called once, however the answer ends. A known client has the idle timeout
 * for each piece, another the header timeout. */
struct http_stream {
    ssize_t (*read)(void *context, char *data, size_t bytes);
    void (*done)(void *context);
    void *context;
};
enum http_step http_reply_stream(struct http_exchange *exchange, unsigned status,
                                 const char *content_type, const struct http_stream *stream);
/* Answers with `bytes` bytes of fd from its current offset. Takes ownership of fd. */
enum http_step http_reply_file(struct http_exchange *exchange, unsigned status,
                               const char *content_type, int fd, uint64_t bytes);
/* Adds a header to the answer that follows. Copies both strings. */
void http_add_header(struct http_exchange *exchange, const char *name, const char *value);
/* The answer that follows may be compressed. It is if it is an envelope of more than 1 KiB, if the
 * client accepts gzip, and if that makes it shorter (http/gzip.h has the bounds). Bytes, files and
 * streams go out as they are.
 *
 * Not for an answer that contains a secret: beside text that a stranger chose, the lengths of
 * compressed answers reveal the secret, character by character. Not for an answer with an ETag,
 * which would have to differ between the two forms. */
void http_may_pack(struct http_exchange *exchange);

#endif
