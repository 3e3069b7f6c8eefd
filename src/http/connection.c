/* The phases of a connection, which the reaper times, and suspending and resuming its request. Phases change on the handler's
 * thread; http_resume and http_abort come from any. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/worker.h"

static int64_t phase_deadline_ms(const struct http_connection *connection,
                                 enum connection_phase phase, int64_t now_ms)
{
    struct http_server *server = connection->server;
    switch (phase) {
    case PHASE_HEADERS:
        return now_ms + atomic_load_explicit(&server->header_timeout_ms, memory_order_relaxed);
    case PHASE_BODY:
        return now_ms + atomic_load_explicit(&server->body_timeout_ms, memory_order_relaxed);
    case PHASE_IDLE:
    case PHASE_REPLY: /* a client that does not read its answer has as long as one that is silent */
        return now_ms + atomic_load_explicit(&server->idle_timeout_ms, memory_order_relaxed);
    case PHASE_SUSPENDED:
        break;
    }
    return 0;
}

struct http_connection *connection_new(struct http_server *server, int fd, int64_t now_ms)
{
    struct http_connection *connection = memory_alloc(sizeof(*connection));
    connection->server = server;
    connection->worker = worker_current();
    connection->fd = fd;
    pthread_mutex_init(&connection->hold, NULL);
    connection->exchange.connection = connection;
    connection->exchange.query = "";
    connection_enter(connection, PHASE_HEADERS, now_ms);
    return connection;
}

void connection_free(struct http_connection *connection)
{
    pthread_mutex_destroy(&connection->hold);
    exchange_free_headers(&connection->exchange);
    free(connection->exchange.target);
    free(connection);
}

void connection_enter(struct http_connection *connection, enum connection_phase phase,
                      int64_t now_ms)
{
    pthread_mutex_lock(&connection->hold);
    connection->phase = phase;
    connection->since_ms = now_ms;
    connection->is_strangers = false;
    connection->deadline_ms = phase_deadline_ms(connection, phase, now_ms);
    if (phase == PHASE_BODY)
        connection->body_deadline_ms = connection->deadline_ms;
    pthread_mutex_unlock(&connection->hold);
}

void http_is_from_stranger(struct http_exchange *exchange)
{
    pthread_mutex_lock(&exchange->connection->hold);
    exchange->connection->is_strangers = true;
    pthread_mutex_unlock(&exchange->connection->hold);
}

bool http_peer_is_gone(const struct http_exchange *exchange)
{
    struct pollfd watch = {.fd = exchange->connection->fd, .events = POLLRDHUP};
    return poll(&watch, 1, 0) == 1 && (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void connection_heard(struct http_connection *connection, int64_t now_ms)
{
    pthread_mutex_lock(&connection->hold);
    connection->since_ms = now_ms;
    pthread_mutex_unlock(&connection->hold);
}

void connection_let_finish(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->hold);
    connection->deadline_ms = 0;
    pthread_mutex_unlock(&connection->hold);
}

bool connection_reenter(struct http_connection *connection)
{
    pthread_mutex_lock(&connection->hold);
    if (connection->phase == PHASE_SUSPENDED) {
        connection->phase = PHASE_BODY;
        bool has_body = connection->exchange.stage == EXCHANGE_FINISH;
        connection->deadline_ms = has_body ? 0 : connection->body_deadline_ms;
    }
    bool aborted = connection->aborted;
    pthread_mutex_unlock(&connection->hold);
    return !aborted;
}

void http_suspend(struct http_exchange *exchange, int64_t deadline_ms)
{
    struct http_connection *connection = exchange->connection;
    pthread_mutex_lock(&connection->hold);
    connection->phase = PHASE_SUSPENDED;
    connection->deadline_ms = deadline_ms;
    connection->expired = false;
    connection->between_pieces = exchange->stage == EXCHANGE_BODY;
    pthread_mutex_unlock(&connection->hold);
    bool was_suspended = atomic_exchange(&connection->suspended, true);
    assert(!was_suspended);
    (void)was_suspended;
    /* Before anyone else can know of the request: who resumes first would otherwise resume nothing. */
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
    /* Called by the service's expired, with the connection held. */
    exchange->connection->aborted = true;
    shutdown(exchange->connection->fd, SHUT_RDWR);
}
