/* One listener: its sockets, threads and connections. Passes libmicrohttpd's calls about a request
 * on to exchange.c. Started and stopped by the folders that have a listener (hooks, admin); the
 * callbacks run on the worker threads, or on those of http/threads. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/reaper.h"
#include "http/strangers.h"
#include "http/threads.h"
#include "http/worker.h"

/* The memory of each connection: 16 KiB of headers and what libmicrohttpd keeps about them.
 * libmicrohttpd clears all of it for each request. */
#define POOL_BYTES    (24 * 1024)
#define DRAIN_LOOK_US 2000
#define DRAIN_SHUT_MS 1000 /* for libmicrohttpd to notice a connection that was shut down */

/* ---- libmicrohttpd's callbacks ---- */

static void *on_first_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
    (void)context;
    worker_note_call();
    struct http_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    /* The first request's headers are timed from the connection's start. */
    if (connection->state == CONNECTION_IDLE)
        connection_enter(connection, CONNECTION_HEADERS, clock_monotonic_ms());
    connection_take_line(connection);
    exchange_open(&connection->exchange, uri);
    return &connection->exchange;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_bytes, void **request)
{
    (void)mhd;
    (void)url;
    (void)context;
    struct http_exchange *exchange = *request;
    worker_note_call();
    exchange->connection->calls++;
    if (exchange->stage == EXCHANGE_LINE) {
        exchange->method = method;
        exchange->version = version;
    }
    return exchange_continue(exchange, upload_data, upload_bytes);
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **request,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)mhd;
    worker_note_call();
    struct http_exchange *exchange = *request;
    if (!exchange)
        return;
    struct http_connection *connection = exchange->connection;
    if (code != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        strangers_log_request_end(connection);
    /* This comes first: a suspension that libmicrohttpd ended by itself must not expire while the
     * service frees its request. */
    connection_enter(connection, CONNECTION_IDLE, clock_monotonic_ms());
    exchange_close(exchange);
    *request = NULL;
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    worker_note_call();
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        struct http_connection *connection = connection_new(server, fd, clock_monotonic_ms());
        *socket_context = connection;
        if (server->options.workers > 0) /* otherwise threads.c notes it when it accepts */
            listen_note(server, NULL);
        connection->exchange.mhd = mhd;
        if (server->options.max_unknown_of_peer > 0)
            peer_network_of(peer_address(&connection->exchange), &connection->peer);
        worker_watch(connection->worker, connection);
        reaper_add(server->reaper, connection);
    } else {
        struct http_connection *connection = *socket_context;
        reaper_remove(server->reaper, connection);
        worker_forget(connection->worker, connection);
        if (connection->leaves_rest && !connection->aborted)
            reaper_linger(server->reaper, connection);
        if (!atomic_load(&server->stopping))
            strangers_log_end(connection);
        connection_free(connection);
        *socket_context = NULL;
    }
}

/* Whether libmicrohttpd 0.9.75 says with this that it could not accept a connection. */
static bool is_about_accepting(const char *format)
{
    return strstr(format, "accepting connection") || strstr(format, "system resource limit");
}

/* libmicrohttpd's own messages: a client that disconnected, bytes that it cannot parse. All but one
 * kind are for debugging only. */
static void on_log(void *context, const char *format, va_list arguments)
{
    struct http_server *server = context;
    bool is_deaf = is_about_accepting(format);
    if (!is_deaf && !log_enabled(LOG_LEVEL_DEBUG))
        return;
    char text[300];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof(text), format, arguments);
#pragma GCC diagnostic pop
    text[strcspn(text, "\r\n")] = '\0';
    if (is_deaf)
        listen_note(server, text);
    log_debug("libmicrohttpd", log_text("listener", server->options.name), log_text("error", text));
}

/* ---- start and stop ---- */

struct MHD_Daemon *server_new_daemon(struct http_server *server, unsigned flags, int listen_fd,
                                     unsigned limit)
{
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)limit, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {listen_fd >= 0 ? MHD_OPTION_LISTEN_SOCKET : MHD_OPTION_END, listen_fd, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
                            MHD_OPTION_EXTERNAL_LOGGER, on_log, server, MHD_OPTION_URI_LOG_CALLBACK,
                            on_first_line, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                            server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

/* Starts the threads, or the workers, each on its own copy of the socket. */
static int daemons_start(struct http_server *server, struct error *error)
{
    const struct http_options *options = &server->options;
    unsigned count = options->workers ? options->workers : 1;
    assert(count <= HTTP_MAX_WORKERS);
    for (unsigned i = 0; i < count; i++) {
        int fd = fcntl(options->listen_fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            return error_set_errno(error, errno, "cannot duplicate the %s socket", options->name);
        if (!options->workers) {
            server->threads = threads_start(server, fd, error);
            return server->threads ? 0 : -1;
        }
        /* The reaper enforces the real bound. libmicrohttpd's own is higher: beyond it, connections
         * would wait unseen in the backlog. */
        struct MHD_Daemon *daemon =
            server_new_daemon(server, MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, fd,
                              (unsigned)options->max_connections + 64);
        if (!daemon) {
            close(fd);
            return error_set(error, ERROR_INTERNAL,
                             "cannot start the %s listener: MHD_start_daemon failed",
                             options->name);
        }
        if (!(server->workers[i] = worker_start(server, daemon, error)))
            return -1;
    }
    return 0;
}

static void daemons_stop(struct http_server *server)
{
    for (unsigned i = 0; i < HTTP_MAX_WORKERS; i++)
        worker_end(server->workers[i]);
    for (unsigned i = 0; i < HTTP_MAX_WORKERS; i++)
        worker_free(server->workers[i]);
    threads_stop(server->threads);
}

struct http_server *http_server_start(const struct http_options *options, struct error *error)
{
    struct http_server *server = memory_alloc(sizeof(*server));
    server->options = *options;
    http_server_set_timeouts(server, options->header_timeout_ms, options->body_timeout_ms,
                             options->idle_timeout_ms);
    server->reaper = reaper_start(server, options->max_connections, error);
    int result = server->reaper ? daemons_start(server, error) : -1;
    close(options->listen_fd);
    if (result == 0)
        return server;
    daemons_stop(server);
    if (server->reaper) {
        reaper_stop(server->reaper);
        reaper_free(server->reaper);
    }
    free(server);
    return NULL;
}

void http_server_quiesce(struct http_server *server)
{
    if (atomic_exchange(&server->draining, true))
        return;
    for (unsigned i = 0; i < HTTP_MAX_WORKERS; i++)
        if (server->workers[i])
            worker_quiesce(server->workers[i]);
    if (server->threads)
        threads_quiesce(server->threads);
}

/* Returns -1 if some request has not ended DRAIN_SHUT_MS after until_ms. */
static int await_idle(struct http_server *server, int64_t until_ms)
{
    while (atomic_load(&server->in_progress) > 0) {
        int64_t over_ms = clock_monotonic_ms() - until_ms;
        if (over_ms >= DRAIN_SHUT_MS)
            return -1;
        if (over_ms >= 0) /* a slow or absent client must not delay the stop */
            reaper_shut_unfinished(server->reaper);
        usleep(DRAIN_LOOK_US);
    }
    return 0;
}

int http_server_stop(struct http_server *server, int64_t timeout_ms)
{
    if (!server)
        return 0;
    http_server_quiesce(server);
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    if (await_idle(server, until_ms) != 0)
        return -1;
    /* Kept-alive connections may have sent further requests in the meantime: those that have begun
     * may end, but no new one may begin. */
    atomic_store(&server->stopping, true);
    if (await_idle(server, clock_monotonic_ms() + timeout_ms) != 0)
        return -1;
    daemons_stop(server);
    reaper_stop(server->reaper);
    return 0;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    reaper_free(server->reaper);
    free(server);
}

void http_server_set_timeouts(struct http_server *server, int64_t header_ms, int64_t body_ms,
                              int64_t idle_ms)
{
    atomic_store(&server->header_timeout_ms, header_ms);
    atomic_store(&server->body_timeout_ms, body_ms);
    atomic_store(&server->idle_timeout_ms, idle_ms);
}

void http_server_get_metrics(struct http_server *server, struct http_metrics *metrics)
{
    reaper_get_metrics(server->reaper, metrics);
    metrics->refused = atomic_load(&server->refused);
}
