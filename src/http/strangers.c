/* See strangers.h. Called by server.c, worker.c and reaper.c. */
#include "http/strangers.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/first_bytes.h"
#include "http/log.h"

#define LOOK_AT_ONCE 64
#define END_BYTES    1 /* the end of the stream counts as one byte */
#define STRAY_BYTES  2 /* some senders end a body with an empty line that nobody expects */

/* ---- the log ---- */

static const char *state_name(enum connection_state state)
{
    switch (state) {
    case CONNECTION_IDLE:
        return "idle";
    case CONNECTION_HEADERS:
        return "headers";
    case CONNECTION_BODY:
        return "body";
    case CONNECTION_SUSPENDED:
        return "storing";
    case CONNECTION_REPLY:
        return "reply";
    }
    return "?";
}

/* Returns how many bytes the peer has sent since it connected; 0 if that is unknown. */
static int64_t received_bytes(const struct http_connection *connection)
{
    struct tcp_info info;
    socklen_t bytes = sizeof(info);
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
        bytes < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
        return 0;
    return (int64_t)info.tcpi_bytes_received;
}

/* Whether the peer has sent anything since it connected or its last request was read. */
static bool has_sent(const struct http_connection *connection)
{
    int64_t then = connection->received_then;
    if (then == 0)
        return connection->has_spoken || received_bytes(connection) > END_BYTES;
    return received_bytes(connection) > then + END_BYTES + STRAY_BYTES;
}

/* Returns what to say of bytes that are not even a request line; NULL if there are none. */
static const char *hint(const struct http_connection *connection)
{
    bool reads = connection->state == CONNECTION_IDLE || connection->state == CONNECTION_HEADERS;
    if (!reads || connection->has_line || !has_sent(connection))
        return NULL;
    return "no valid HTTP/1.x request line: incomplete, too long, another version, or https, "
           "HTTP/2 or the PROXY protocol on a plain port";
}

/* An idle connection may be closed at any time, so that is for debugging only unless it is_news. */
static void log_closed(struct http_connection *connection, const char *reason, const char *more,
                       bool is_news)
{
    const char *listener = connection->server->options.name;
    char peer[HTTP_PEER_BYTES];
    http_peer(&connection->exchange, peer);
    if (connection->state == CONNECTION_IDLE && !is_news)
        log_debug("connection closed", log_text("listener", listener), http_log_from(peer),
                  log_text("reason", reason), log_text("phase", "idle"));
    else
        log_info("connection closed", log_text("listener", listener), http_log_from(peer),
                 log_text("reason", reason), log_text("phase", state_name(connection->state)),
                 log_text("hint", more));
}

void strangers_log_closed(struct http_connection *connection, const char *reason)
{
    /* Before the deadline, the bytes may be a good request that was not read yet. */
    bool is_late = connection->deadline_ms != 0 && clock_monotonic_ms() >= connection->deadline_ms;
    const char *more = is_late ? hint(connection) : NULL;
    log_closed(connection, reason, more, more != NULL);
}

/* Returns the reason for an answer that libmicrohttpd 0.9.75 gives by itself. */
static const char *meaning(unsigned status)
{
    switch (status) {
    case 400:
        return "malformed HTTP in a header line, a chunk or a trailer";
    case 413:
        return "the Content-Length or the size of a chunk is too large";
    case 431:
        return "the headers or trailers do not fit into a connection's memory";
    default:
        return "libmicrohttpd refuses the request";
    }
}

void strangers_log_request_end(struct http_connection *connection)
{
    const struct http_exchange *exchange = &connection->exchange;
    char peer[HTTP_PEER_BYTES];
    pthread_mutex_lock(&connection->hold);
    bool is_logged = connection->aborted || exchange->stage == EXCHANGE_REPLIED ||
                     exchange->stage == EXCHANGE_CLOSED;
    pthread_mutex_unlock(&connection->hold);
    if (is_logged)
        return;
    const union MHD_ConnectionInfo *answer =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
    const struct log_field listener = log_text("listener", connection->server->options.name);
    http_peer(exchange, peer);
    if (answer) {
        connection->leaves_rest = true;
        atomic_fetch_add(&connection->server->refused, 1);
        http_log_info(exchange, "request", listener, log_int("status", answer->http_status),
                      http_log_from(peer), log_text("reason", meaning(answer->http_status)));
    } else {
        http_log_info(exchange, "request closed", listener, http_log_from(peer),
                      log_text("reason", "the sender closed the connection before its end"));
    }
}

void strangers_expect_request(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->hold);
    connection->has_line = false;
    connection->received_then = received_bytes(connection);
    pthread_mutex_unlock(&connection->hold);
}

void strangers_log_end(struct http_connection *connection)
{
    const char *reason = connection->aborted ? NULL : hint(connection);
    if (!reason)
        return;
    atomic_fetch_add(&connection->server->refused, 1);
    log_closed(connection, reason, NULL, true);
}

/* ---- the first bytes ---- */

int strangers_open(struct error *error)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    return set >= 0 ? set : error_set_errno(error, errno, "cannot create an epoll descriptor");
}

void strangers_add(int set, struct http_connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};
    connection->is_watched = epoll_ctl(set, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

/* Closing the descriptor would not do: a child that has just been forked may still have it. */
void strangers_remove(int set, struct http_connection *connection)
{
    if (connection->is_watched)
        (void)epoll_ctl(set, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->is_watched = false;
}

static void look(struct http_connection *connection)
{
    char bytes[FIRST_BYTES_ENOUGH];
    ssize_t count = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    const char *name = count > 0 ? first_bytes_name(bytes, (size_t)count) : NULL;
    pthread_mutex_lock(&connection->hold);
    connection->has_spoken = count > 0;
    if (name && !connection->aborted) {
        shutdown(connection->fd, SHUT_RDWR);
        connection->aborted = true;
        connection->deadline_ms = 0;
        log_closed(connection, name, NULL, true);
        atomic_fetch_add(&connection->server->refused, 1);
    }
    pthread_mutex_unlock(&connection->hold);
}

void strangers_look(int set)
{
    struct epoll_event events[LOOK_AT_ONCE];
    int count;
    do {
        count = epoll_wait(set, events, LOOK_AT_ONCE, 0);
        for (int i = 0; i < count; i++) {
            struct http_connection *connection = events[i].data.ptr;
            strangers_remove(set, connection);
            look(connection);
        }
    } while (count == LOOK_AT_ONCE);
}
