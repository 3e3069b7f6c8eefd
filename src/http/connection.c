/* The states of a connection, which the reaper times, and suspending and resuming its request. The
 * handler's thread changes the state, except for one transition that the reaper makes
 * (connection_look). http_resume may come from any thread, http_abort from the reaper's. */
#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/threads.h"
#include "http/worker.h"

#define REFUSED_MS  5000                /* for the body and the answer of a refused request */
#define PUT_FIRST_S (7U * 24 * 60 * 60) /* longer than any request takes */

/*   IDLE ─► HEADERS ─► BODY ─► REPLY ─┐ another piece of a streamed answer
 *    ▲         │      ▲ │ │    │ ▲─────┘
 *    │         │      │ ▼ │    │
 *    │         │ SUSPENDED│    │
 *    └─────────┴──────┴───┴────┘
 *     the request is over, or its connection is gone */
void connection_set_state(struct http_connection *connection, enum connection_state state)
{
    switch (connection->state) {
    case CONNECTION_IDLE:
        assert(state == CONNECTION_HEADERS);
        break;
    case CONNECTION_HEADERS:
        assert(state == CONNECTION_BODY || state == CONNECTION_IDLE);
        break;
    case CONNECTION_BODY:
        assert(state == CONNECTION_SUSPENDED || state == CONNECTION_REPLY ||
               state == CONNECTION_IDLE);
        break;
    case CONNECTION_SUSPENDED:
        assert(state == CONNECTION_BODY || state == CONNECTION_IDLE);
        break;
    case CONNECTION_REPLY:
        assert(state == CONNECTION_REPLY || state == CONNECTION_IDLE);
        break;
    }
    connection->state = state;
}

static int64_t state_deadline_ms(const struct http_connection *connection,
                                 enum connection_state state, int64_t now_ms)
{
    struct http_server *server = connection->server;
    switch (state) {
    case CONNECTION_HEADERS:
        return now_ms + atomic_load_explicit(&server->header_timeout_ms, memory_order_relaxed);
    case CONNECTION_BODY:
        return now_ms + atomic_load_explicit(&server->body_timeout_ms, memory_order_relaxed);
    case CONNECTION_REPLY: /* a known sender may read for as long as it may be idle */
        if (!connection->is_known)
            return now_ms + atomic_load_explicit(&server->header_timeout_ms, memory_order_relaxed);
        return now_ms + atomic_load_explicit(&server->idle_timeout_ms, memory_order_relaxed);
    case CONNECTION_IDLE:
        return now_ms + atomic_load_explicit(&server->idle_timeout_ms, memory_order_relaxed);
    case CONNECTION_SUSPENDED:
        break;
    }
    return 0;
}

void connection_enter(struct http_connection *connection, enum connection_state state,
                      int64_t now_ms)
{
    pthread_mutex_lock(&connection->hold);
    connection_set_state(connection, state);
    connection->since_ms = now_ms;
    connection->sampled_ms = 0;
    if (state == CONNECTION_IDLE) {
        connection->was_known = connection->is_known;
        connection->is_known = false;
        connection->refused_by_ms = 0;
    }
    if (state == CONNECTION_HEADERS && connection->was_known)
        connection->stranger_since_us = clock_monotonic_us();
    connection->deadline_ms = state_deadline_ms(connection, state, now_ms);
    if (connection->refused_by_ms != 0 && connection->deadline_ms > connection->refused_by_ms)
        connection->deadline_ms = connection->refused_by_ms;
    if (state == CONNECTION_BODY) {
        connection->body_bytes = 0;
        connection->body_deadline_ms = connection->deadline_ms;
    }
    pthread_mutex_unlock(&connection->hold);
}

struct http_connection *connection_new(struct http_server *server, int fd, int64_t now_ms)
{
    struct http_connection *connection = memory_alloc(sizeof(*connection));
    connection->server = server;
    connection->worker = worker_current();
    connection->shares_thread = threads_is_shared();
    connection->stranger_since_us = threads_accepted_us();
    if (connection->stranger_since_us == 0)
        connection->stranger_since_us = clock_monotonic_us();
    connection->fd = fd;
    pthread_mutex_init(&connection->hold, NULL);
    connection->exchange.connection = connection;
    connection->exchange.query = "";
    connection_enter(connection, CONNECTION_HEADERS, now_ms);
    return connection;
}

void connection_free(struct http_connection *connection)
{
    pthread_mutex_destroy(&connection->hold);
    exchange_free_headers(&connection->exchange);
    free(connection->exchange.target);
    free(connection);
}

void http_sender_is_known(struct http_exchange *exchange)
{
    pthread_mutex_lock(&exchange->connection->hold);
    exchange->connection->is_known = true;
    pthread_mutex_unlock(&exchange->connection->hold);
}

void http_is_refused(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    int64_t by_ms = clock_monotonic_ms() + REFUSED_MS;
    pthread_mutex_lock(&connection->hold);
    connection->refused_by_ms = by_ms;
    if (connection->state == CONNECTION_BODY && connection->deadline_ms > by_ms)
        connection->deadline_ms = connection->body_deadline_ms = by_ms;
    pthread_mutex_unlock(&connection->hold);
}

bool http_peer_is_gone(const struct http_exchange *exchange)
{
    struct pollfd watch = {.fd = exchange->connection->fd, .events = POLLRDHUP};
    return poll(&watch, 1, 0) == 1 && (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int64_t http_waited_ms(const struct http_exchange *exchange)
{
    struct tcp_info info;
    socklen_t bytes = sizeof(info);
    if (getsockopt(exchange->connection->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
        bytes < offsetof(struct tcp_info, tcpi_last_data_recv) + sizeof(info.tcpi_last_data_recv))
        return 0;
    return info.tcpi_last_data_recv;
}

void connection_take_line(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->hold);
    connection->has_line = true;
    pthread_mutex_unlock(&connection->hold);
}

void connection_heard(struct http_connection *connection, int64_t bytes)
{
    pthread_mutex_lock(&connection->hold);
    connection->body_bytes += bytes;
    pthread_mutex_unlock(&connection->hold);
}

bool connection_let_finish(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->hold);
    connection->deadline_ms = 0;
    bool aborted = connection->aborted;
    pthread_mutex_unlock(&connection->hold);
    return !aborted;
}

void connection_go_on(struct http_connection *connection, int64_t now_ms)
{
    connection_set_state(connection, CONNECTION_BODY);
    connection->deadline_ms = connection->body_deadline_ms;
    connection->since_ms = now_ms;
    connection->body_bytes = 0;
}

/* libmicrohttpd 0.9.75 reads a resumed connection before it calls the handler. If the sender has
 * closed its half, libmicrohttpd would close the connection then, without the answer. Only
 * connections with a timeout of their own are handled before any is read, so a suspended connection
 * gets one. It never passes, and is removed when the handler is called. */
static void put_first(struct http_connection *connection, bool first)
{
    if (connection->is_put_first == first)
        return;
    connection->is_put_first = first;
    MHD_set_connection_option(connection->exchange.mhd, MHD_CONNECTION_OPTION_TIMEOUT,
                              first ? PUT_FIRST_S : 0U);
}

bool connection_reenter(struct http_connection *connection)
{
    connection->exchange.was_resumed |= connection->is_put_first;
    put_first(connection, false);
    pthread_mutex_lock(&connection->hold);
    if (connection->state == CONNECTION_SUSPENDED) {
        connection_go_on(connection, clock_monotonic_ms());
        if (connection->exchange.stage == EXCHANGE_FINISH)
            connection->deadline_ms = 0;
    }
    bool aborted = connection->aborted;
    pthread_mutex_unlock(&connection->hold);
    return !aborted;
}

void http_suspend(struct http_exchange *exchange, int64_t deadline_ms)
{
    struct http_connection *connection = exchange->connection;
    pthread_mutex_lock(&connection->hold);
    connection_set_state(connection, CONNECTION_SUSPENDED);
    connection->deadline_ms = deadline_ms;
    connection->expired = false;
    connection->between_pieces = exchange->stage == EXCHANGE_BODY;
    /* Set while the connection is held: to the reaper, a SUSPENDED connection without this flag is
     * one whose request was resumed. */
    bool was_suspended = atomic_exchange(&connection->suspended, true);
    pthread_mutex_unlock(&connection->hold);
    assert(!was_suspended);
    (void)was_suspended;
    put_first(connection, true);
    /* Suspend before any other thread can know of the request: a resume that came first would have
     * no effect. */
    MHD_suspend_connection(exchange->mhd);
}

void http_resume(struct http_exchange *exchange)
{
    bool was_suspended = atomic_exchange(&exchange->connection->suspended, false);
    assert(was_suspended);
    (void)was_suspended;
    worker_resume(exchange->connection->worker, exchange->mhd);
}

void http_abort(struct http_exchange *exchange)
{
    /* The service's `expired` calls this with the connection held. */
    exchange->connection->aborted = true;
    shutdown(exchange->connection->fd, SHUT_RDWR);
}
