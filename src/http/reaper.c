/* The reaper: one thread for each server, which examines the deadline of every connection ten times
 * a second. Started and stopped by server.c. Locks are taken in these orders: reaper → connection →
 * commit queue or spool; daemon → reaper (docs/architecture.md). */
#include "http/reaper.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define LOOK_EVERY_MS 100
#define STALLED_MS    5000 /* a body that pauses for longer makes room for others */

struct reaper {
    struct http_server *server;
    int64_t max_connections;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following; a socket in the list is open */
    pthread_cond_t news;
    struct list connections; /* in the order of their start; linked by `watched` */
    int64_t count;
    uint64_t accepted, closed_for_room, closed_at_deadline;
    bool stopping;
};

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

static void connection_shut(struct http_connection *connection, const char *why)
{
    /* libmicrohttpd sees the end of the stream and closes the descriptor; closing it here as well
     * would be a race. */
    shutdown(connection->fd, SHUT_RDWR);
    if (connection->state == CONNECTION_IDLE)
        log_debug("connection closed", log_text("listener", connection->server->options.name),
                  log_text("reason", why), log_text("phase", "idle"));
    else
        log_info("connection closed", log_text("listener", connection->server->options.name),
                 log_text("reason", why), log_text("phase", state_name(connection->state)));
    connection->deadline_ms = 0;
}

/* The caller holds the reaper's lock. */
static void connection_look(struct reaper *reaper, struct http_connection *connection,
                            int64_t now_ms)
{
    pthread_mutex_lock(&connection->hold);
    /* Resumed in the middle of its body. libmicrohttpd calls the handler only when more of the body
     * arrives, so the body's deadline takes effect again here. */
    if (connection->state == CONNECTION_SUSPENDED && connection->between_pieces &&
        !atomic_load(&connection->suspended)) {
        connection_set_state(connection, CONNECTION_BODY);
        connection->deadline_ms = connection->body_deadline_ms;
    }
    if (connection->deadline_ms != 0 && connection->deadline_ms <= now_ms) {
        const struct http_service *service = reaper->server->options.service;
        if (connection->state != CONNECTION_SUSPENDED) {
            connection_shut(connection, "deadline");
            reaper->closed_at_deadline++;
        } else if (service->expired && !connection->expired) {
            connection->expired = true;
            service->expired(&connection->exchange, reaper->server->options.context);
        }
    }
    pthread_mutex_unlock(&connection->hold);
}

static void *reaper_main(void *argument)
{
    struct reaper *reaper = argument;
    pthread_mutex_lock(&reaper->lock);
    while (!reaper->stopping) {
        if (list_is_empty(&reaper->connections)) {
            pthread_cond_wait(&reaper->news, &reaper->lock);
            continue;
        }
        int64_t now_ms = clock_monotonic_ms();
        LIST_EACH(struct http_connection, connection, &reaper->connections, watched)
            connection_look(reaper, connection, now_ms);
        thread_condition_wait_until(&reaper->news, &reaper->lock, now_ms + LOOK_EVERY_MS);
    }
    pthread_mutex_unlock(&reaper->lock);
    return NULL;
}

/* How readily a connection is closed to make room for a new one: 2 for idle ones, 1 for those whose
 * headers have not arrived yet, whose body has stalled, or whose sender is not authenticated yet,
 * and 0 for requests that make progress, which are never closed. */
static int rank(const struct http_connection *connection, int64_t now_ms)
{
    if (connection->deadline_ms == 0)
        return 0;
    switch (connection->state) {
    case CONNECTION_IDLE:
        return 2;
    case CONNECTION_HEADERS:
        return 1;
    case CONNECTION_BODY:
        return connection->is_strangers || now_ms - connection->since_ms >= STALLED_MS ? 1 : 0;
    case CONNECTION_SUSPENDED:
    case CONNECTION_REPLY:
        break;
    }
    return 0;
}

/* Closes the connection with the highest rank; among equals, the one that has been idle for
 * longest. If all are busy, closes the newcomer. The caller holds the reaper's lock. */
static void make_room(struct reaper *reaper, struct http_connection *newcomer)
{
    struct http_connection *worst = NULL;
    int worst_rank = 0;
    int64_t worst_since_ms = 0, now_ms = clock_monotonic_ms();
    LIST_EACH(struct http_connection, connection, &reaper->connections, watched) {
        pthread_mutex_lock(&connection->hold);
        int its_rank = rank(connection, now_ms);
        if (its_rank > worst_rank ||
            (its_rank == worst_rank && its_rank > 0 && connection->since_ms < worst_since_ms)) {
            worst = connection;
            worst_rank = its_rank;
            worst_since_ms = connection->since_ms;
        }
        pthread_mutex_unlock(&connection->hold);
    }
    if (!worst)
        worst = newcomer;
    pthread_mutex_lock(&worst->hold);
    connection_shut(worst, "too many connections");
    pthread_mutex_unlock(&worst->hold);
    reaper->closed_for_room++;
}

void reaper_add(struct reaper *reaper, struct http_connection *connection)
{
    pthread_mutex_lock(&reaper->lock);
    if (reaper->count >= reaper->max_connections)
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
    pthread_cond_destroy(&reaper->news);
    pthread_mutex_destroy(&reaper->lock);
    free(reaper);
}
