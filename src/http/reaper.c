/* The reaper: one thread for each server, which examines the deadline of every connection ten times
 * a second. Started and stopped by server.c. Locks are taken in these orders: reaper → connection →
 * commit queue or spool; daemon → reaper (docs/architecture.md). */
#include "http/reaper.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "http/linger.h"
#include "http/strangers.h"

#define LOOK_EVERY_MS    100
#define SHUT_AT_ONCE     50 /* connections; then the workers have PAUSE_MS to deal with them */
#define PAUSE_MS         5
#define GONE_LOOK_MS     1000 /* between two looks whether the sender of a connection is gone */
#define SLOW_AFTER_MS    5000
#define SLOW_BYTES_PER_S 500

struct reaper {
    struct http_server *server;
    int64_t max_connections, reserved_for_known, max_unknown_of_peer;
    pthread_t thread;
    struct linger_set *linger;
    pthread_mutex_t lock; /* guards the following; a socket in the list is open */
    pthread_cond_t news;
    struct list connections; /* the one that was examined last is last; linked by `watched` */
    int64_t count;
    uint64_t accepted, closed_for_room, closed_at_deadline;
    bool stopping;
};

static void connection_shut(struct http_connection *connection, const char *why)
{
    /* libmicrohttpd sees the end of the stream and closes the descriptor; closing it here as well
     * would be a race. */
    shutdown(connection->fd, SHUT_RDWR);
    strangers_log_closed(connection, why);
    connection->deadline_ms = 0;
    /* Bytes that have arrived can still be read, but their sender gets no answer any more. */
    connection->aborted = true;
}

/* If the end of the stream arrives together with a part of the request, libmicrohttpd 0.9.75 reads
 * the part only, and then waits for an event that has already happened: until the deadline.
 * Shutting down what is shut down anyway makes the event happen again; bytes that have arrived stay
 * readable. The caller holds the connection. */
static void remind_of_end(struct http_connection *connection, int64_t now_ms)
{
    if (connection->state != CONNECTION_HEADERS && connection->state != CONNECTION_BODY)
        return;
    if (connection->deadline_ms == 0 || now_ms < connection->next_look_ms)
        return;
    connection->next_look_ms = now_ms + GONE_LOOK_MS;
    if (now_ms - connection->since_ms >= GONE_LOOK_MS && http_peer_is_gone(&connection->exchange))
        shutdown(connection->fd, SHUT_RD);
}

/* Returns whether the connection was shut down. The caller holds the reaper's lock. */
static bool connection_look(struct reaper *reaper, struct http_connection *connection,
                            int64_t now_ms)
{
    bool is_shut = false;
    pthread_mutex_lock(&connection->hold);
    /* Resumed in the middle of its body. libmicrohttpd calls the handler only when more of the body
     * arrives, so the body's deadline takes effect again here. */
    if (connection->state == CONNECTION_SUSPENDED && connection->between_pieces &&
        !atomic_load(&connection->suspended)) {
        connection_go_on(connection, now_ms);
    }
    bool is_late = connection->deadline_ms != 0 && connection->deadline_ms <= now_ms;
    if (is_late && connection->state == CONNECTION_SUSPENDED) {
        struct http_exchange *exchange = &connection->exchange;
        if (exchange->service->expired && !connection->expired) {
            connection->expired = true;
            exchange->service->expired(exchange, exchange->service_context);
        }
    } else if (is_late && !connection->aborted) {
        connection_shut(connection, "deadline");
        reaper->closed_at_deadline++;
        is_shut = true;
    } else {
        remind_of_end(connection, now_ms);
    }
    pthread_mutex_unlock(&connection->hold);
    return is_shut;
}

/* Examines each connection once. Thousands may have the same deadline. If all were shut down at
 * once, the workers would have to wait for the lock, and other senders for the workers. The caller
 * holds the lock. */
static void look_at_all(struct reaper *reaper)
{
    int shut = 0;
    int64_t now_ms = clock_monotonic_ms();
    for (int64_t left = reaper->count; left > 0 && !reaper->stopping; left--) {
        struct http_connection *connection =
            LIST_FIRST(&reaper->connections, struct http_connection, watched);
        if (!connection) /* others have ended in a pause */
            return;
        list_remove(&reaper->connections, &connection->watched);
        list_append(&reaper->connections, &connection->watched);
        shut += connection_look(reaper, connection, now_ms);
        if (shut < SHUT_AT_ONCE)
            continue;
        thread_condition_wait_until(&reaper->news, &reaper->lock, clock_monotonic_ms() + PAUSE_MS);
        shut = 0;
    }
}

static void *reaper_main(void *argument)
{
    struct reaper *reaper = argument;
    pthread_mutex_lock(&reaper->lock);
    while (!reaper->stopping) {
        if (list_is_empty(&reaper->connections) && linger_is_empty(reaper->linger)) {
            pthread_cond_wait(&reaper->news, &reaper->lock);
            continue;
        }
        int64_t next_ms = clock_monotonic_ms() + LOOK_EVERY_MS;
        look_at_all(reaper);
        pthread_mutex_unlock(&reaper->lock); /* workers need it; the look takes a lock itself */
        linger_look(reaper->linger);
        pthread_mutex_lock(&reaper->lock);
        if (reaper->stopping)
            break;
        thread_condition_wait_until(&reaper->news, &reaper->lock, next_ms);
    }
    pthread_mutex_unlock(&reaper->lock);
    return NULL;
}

/* ---- room for a new connection ---- */

/* How little a connection has earned its place; the highest is closed first. */
enum rank {
    RANK_BUSY, /* a known sender makes progress, or webhookd has the request: never closed */
    RANK_SLOW, /* a known sender below SLOW_BYTES_PER_S, SLOW_AFTER_MS into the body or answer */
    /* Headers, a body or an answer of a sender who is not known. The phases are equal, so that age
     * decides: if headers ranked lower, strangers in later phases who come back at once would push
     * out everybody who has just connected. */
    RANK_STRANGER,
    RANK_IDLE, /* between two requests */
};

static bool is_below_rate(int64_t bytes, int64_t for_ms)
{
    return bytes * 1000 < SLOW_BYTES_PER_S * for_ms;
}

/* Whether the peer reads the answer too slowly: compares what it has received since somebody first
 * looked in this state. Only TCP tells; elsewhere nobody is slow. */
static bool reads_slowly(struct http_connection *connection, int64_t now_ms)
{
    struct tcp_info info;
    socklen_t bytes = sizeof(info);
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
        bytes < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
        return false;
    int64_t received = (int64_t)info.tcpi_bytes_acked;
    bool is_slow =
        connection->sampled_ms != 0 &&
        is_below_rate(received - connection->sampled_bytes, now_ms - connection->sampled_ms);
    if (connection->sampled_ms == 0) {
        connection->sampled_ms = now_ms;
        connection->sampled_bytes = received;
    }
    return is_slow;
}

/* The caller holds the connection. */
static enum rank rank(struct http_connection *connection, int64_t now_ms)
{
    int64_t for_ms = now_ms - connection->since_ms;
    if (connection->aborted) /* it is about to end */
        return RANK_BUSY;
    if (connection->deadline_ms == 0)
        return connection->server->options.knows_early && !connection->is_known ? RANK_STRANGER
                                                                                : RANK_BUSY;
    switch (connection->state) {
    case CONNECTION_IDLE:
        return RANK_IDLE;
    case CONNECTION_HEADERS:
        return RANK_STRANGER;
    case CONNECTION_BODY:
        if (!connection->is_known)
            return RANK_STRANGER;
        return for_ms >= SLOW_AFTER_MS && is_below_rate(connection->body_bytes, for_ms) ? RANK_SLOW
                                                                                        : RANK_BUSY;
    case CONNECTION_REPLY:
        if (!connection->is_known)
            return RANK_STRANGER;
        return for_ms >= SLOW_AFTER_MS && reads_slowly(connection, now_ms) ? RANK_SLOW : RANK_BUSY;
    case CONNECTION_SUSPENDED:
        break;
    }
    return RANK_BUSY;
}

/* The connections that share a bound: all of a listener, or those of one peer. */
struct crowd {
    int64_t open, unknown;
    /* The connection with the highest rank; among equals, the oldest. NULL if all are busy. */
    struct http_connection *worst;
    enum rank rank;
    int64_t since_us;
};

/* The time by which connections of the same rank are compared: the earliest is closed first. */
static int64_t since_us(const struct http_connection *connection, enum rank rank)
{
    return rank == RANK_STRANGER ? connection->stranger_since_us : connection->since_ms * 1000;
}

/* Connections that were shut down do not count: they end as soon as their threads get to it. The
 * caller holds the connection. */
static void crowd_add(struct crowd *crowd, struct http_connection *connection, enum rank rank)
{
    int64_t since = since_us(connection, rank);
    if (rank > crowd->rank || (crowd->worst && rank == crowd->rank && since < crowd->since_us)) {
        crowd->worst = connection;
        crowd->rank = rank;
        crowd->since_us = since;
    }
    crowd->open += !connection->aborted;
    crowd->unknown += !connection->aborted && !connection->is_known;
}

/* If a bound is reached, closes the connection that has earned its place least, of the newcomer's
 * peer or of all; the newcomer itself if all are busy. The caller holds the reaper's lock. */
static void make_room(struct reaper *reaper, struct http_connection *newcomer)
{
    struct crowd all = {.rank = RANK_BUSY}, of_peer = {.rank = RANK_BUSY}, *full = NULL;
    int64_t now_ms = clock_monotonic_ms();
    LIST_EACH(struct http_connection, connection, &reaper->connections, watched) {
        pthread_mutex_lock(&connection->hold);
        enum rank its_rank = rank(connection, now_ms);
        crowd_add(&all, connection, its_rank);
        if (peer_network_is_same(&connection->peer, &newcomer->peer))
            crowd_add(&of_peer, connection, its_rank);
        pthread_mutex_unlock(&connection->hold);
    }
    if (reaper->max_unknown_of_peer > 0 && of_peer.unknown >= reaper->max_unknown_of_peer)
        full = &of_peer;
    else if (all.open >= reaper->max_connections ||
             all.unknown >= reaper->max_connections - reaper->reserved_for_known)
        full = &all;
    if (!full)
        return;
    struct http_connection *closed = full->worst ? full->worst : newcomer;
    pthread_mutex_lock(&closed->hold);
    connection_shut(closed, full == &of_peer ? "too many connections from this address"
                                             : "too many connections");
    pthread_mutex_unlock(&closed->hold);
    reaper->closed_for_room++;
}

/* Whether make_room could find a bound that is reached. */
static bool may_be_full(const struct reaper *reaper)
{
    return reaper->count >= reaper->max_connections - reaper->reserved_for_known ||
           (reaper->max_unknown_of_peer > 0 && reaper->count >= reaper->max_unknown_of_peer);
}

void reaper_add(struct reaper *reaper, struct http_connection *connection)
{
    pthread_mutex_lock(&reaper->lock);
    if (may_be_full(reaper))
        make_room(reaper, connection);
    list_append(&reaper->connections, &connection->watched);
    reaper->accepted++;
    if (reaper->count++ == 0)
        pthread_cond_signal(&reaper->news);
    pthread_mutex_unlock(&reaper->lock);
}

void reaper_remove(struct reaper *reaper, struct http_connection *connection)
{
    pthread_mutex_lock(&reaper->lock);
    list_remove(&reaper->connections, &connection->watched);
    reaper->count--;
    pthread_mutex_unlock(&reaper->lock);
}

void reaper_linger(struct reaper *reaper, const struct http_connection *connection)
{
    linger_add(reaper->linger, connection->fd);
    pthread_mutex_lock(&reaper->lock);
    /* While there are connections, the reaper looks every LOOK_EVERY_MS anyway. To wake it for each
     * socket would let senders decide how often it examines all of them. */
    if (list_is_empty(&reaper->connections))
        pthread_cond_signal(&reaper->news);
    pthread_mutex_unlock(&reaper->lock);
}

/* ---- connections that libmicrohttpd no longer reads ---- */

/* Whether libmicrohttpd leaves bytes of a chunked body unread: there are at least as many as at the
 * last look, and the handler was not called in between. If a chunk-size line ends exactly at the
 * end of the connection's memory, nothing is left unread; such a connection costs nothing
 * (worker.c) and ends at its deadline. */
static bool is_stuck(struct http_connection *connection)
{
    int unread = 0;
    if (connection->aborted)
        return true;
    if (ioctl(connection->fd, FIONREAD, &unread) != 0)
        return false;
    bool is_stuck = unread > 0 && connection->unread_then > 0 &&
                    unread >= connection->unread_then &&
                    connection->calls == connection->calls_then;
    connection->unread_then = unread;
    connection->calls_then = connection->calls;
    return is_stuck;
}

void reaper_end_stuck(struct reaper *reaper, const struct worker *worker)
{
    pthread_mutex_lock(&reaper->lock);
    LIST_EACH(struct http_connection, connection, &reaper->connections, watched) {
        if (connection->worker != worker)
            continue;
        pthread_mutex_lock(&connection->hold);
        if (connection->state == CONNECTION_BODY && connection->exchange.chunked &&
            !atomic_load(&connection->suspended) && is_stuck(connection)) {
            if (!connection->aborted)
                connection_shut(connection, "a chunk-size line is too long");
            /* libmicrohttpd does not look at the socket of such a connection any more, only at its
             * own timeout, which is at least a second. */
            MHD_set_connection_option(connection->exchange.mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
        }
        pthread_mutex_unlock(&connection->hold);
    }
    pthread_mutex_unlock(&reaper->lock);
}

void reaper_shut_unfinished(struct reaper *reaper)
{
    pthread_mutex_lock(&reaper->lock);
    LIST_EACH(struct http_connection, connection, &reaper->connections, watched) {
        pthread_mutex_lock(&connection->hold);
        if (connection->deadline_ms != 0 && connection->state != CONNECTION_SUSPENDED)
            connection_shut(connection, "shutting down");
        pthread_mutex_unlock(&connection->hold);
    }
    pthread_mutex_unlock(&reaper->lock);
}

void reaper_get_metrics(struct reaper *reaper, struct http_metrics *metrics)
{
    pthread_mutex_lock(&reaper->lock);
    metrics->connections = reaper->count;
    metrics->accepted = reaper->accepted;
    metrics->closed_idle_for_room = reaper->closed_for_room;
    metrics->closed_deadline = reaper->closed_at_deadline;
    pthread_mutex_unlock(&reaper->lock);
}

struct reaper *reaper_start(struct http_server *server, int64_t max_connections,
                            struct error *error)
{
    struct reaper *reaper = memory_alloc(sizeof(*reaper));
    reaper->server = server;
    reaper->max_connections = max_connections;
    reaper->reserved_for_known = server->options.reserved_for_known;
    reaper->max_unknown_of_peer = server->options.max_unknown_of_peer;
    reaper->linger = linger_new();
    pthread_mutex_init(&reaper->lock, NULL);
    thread_condition_init(&reaper->news);
    if (thread_start(&reaper->thread, "reaper", reaper_main, reaper, error) == 0)
        return reaper;
    reaper_free(reaper);
    return NULL;
}

void reaper_stop(struct reaper *reaper)
{
    if (!reaper)
        return;
    pthread_mutex_lock(&reaper->lock);
    reaper->stopping = true;
    pthread_cond_signal(&reaper->news);
    pthread_mutex_unlock(&reaper->lock);
    pthread_join(reaper->thread, NULL);
}

void reaper_free(struct reaper *reaper)
{
    linger_free(reaper->linger);
    pthread_cond_destroy(&reaper->news);
    pthread_mutex_destroy(&reaper->lock);
    free(reaper);
}
