/* See threads.h. Started and stopped by server.c. Each thread drives a libmicrohttpd daemon of its
 * own, which has no listening socket. libmicrohttpd's own threads would not do: if it cannot start
 * one, it closes the connection and says nothing. */
#include "http/threads.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "http/reaper.h"
#include "http/worker.h"

#define SLACK            64  /* threads of connections that are about to end */
#define ACCEPT_AGAIN_MS  100 /* after a failure, for example without descriptors */
#define ACCEPTED_AT_ONCE 64
/* How much a client that does not read can make the kernel hold (socket(7): twice this). By itself,
 * the kernel would take up to 4 MiB for each connection. */
#define SEND_BUFFER_BYTES (128 * 1024)

union peer {
    struct sockaddr any;
    struct sockaddr_storage storage;
};

struct threads {
    struct http_server *server;
    int listen_fd; /* of the accepting thread; -1 once it is closed */
    int wake_fd;
    pthread_t accepting;
    struct MHD_Daemon *shared; /* of the accepting thread: connections without a thread */
    int shared_fd;             /* the epoll descriptor of `shared` */
    bool is_short;             /* the last connection got no thread */
    atomic_bool quiesce, stop;
    sem_t quiesced;
    pthread_mutex_t lock;       /* guards the following */
    struct list running, ended; /* of struct serving; the ended ones are to be joined */
    int64_t count;              /* of both */
};

/* A thread and its connection. */
struct serving {
    struct list_node node;
    struct threads *threads;
    pthread_t thread;
    int fd;
    union peer peer;
    socklen_t peer_bytes;
    int64_t accepted_us;
};

static _Thread_local bool is_shared;
static _Thread_local int64_t accepted_us;

bool threads_is_shared(void)
{
    return is_shared;
}

int64_t threads_accepted_us(void)
{
    return accepted_us;
}

static void wake(struct threads *threads)
{
    uint64_t one = 1;
    ssize_t written = write(threads->wake_fd, &one, sizeof(one));
    assert(written == sizeof(one));
    (void)written;
}

/* ---- the thread of one connection ---- */

static void serve(struct serving *serving)
{
    struct threads *threads = serving->threads;
    struct MHD_Daemon *daemon =
        server_new_daemon(threads->server, MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, -1, 1);
    if (!daemon) {
        log_warning("connection closed", log_text("listener", threads->server->options.name),
                    log_text("reason", "libmicrohttpd could not be started for it"));
        close(serving->fd);
        return;
    }
    struct worker *worker = worker_on_this_thread(threads->server, daemon);
    struct pollfd watched = {MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                             POLLIN, 0};
    /* libmicrohttpd owns the socket, also on failure. */
    bool is_added =
        MHD_add_connection(daemon, serving->fd, &serving->peer.any, serving->peer_bytes) == MHD_YES;
    /* threads_stop sets the flag first and then shuts down the connections that the reaper knows,
     * so at least one of the two closes this one. */
    if (is_added && atomic_load(&threads->stop))
        shutdown(serving->fd, SHUT_RDWR);
    while (MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections > 0) {
        poll(&watched, 1, worker_wait_ms(worker));
        MHD_run(daemon);
    }
    worker_free(worker);
}

static void *serving_main(void *argument)
{
    struct serving *serving = argument;
    struct threads *threads = serving->threads;
    accepted_us = serving->accepted_us;
    serve(serving);
    pthread_mutex_lock(&threads->lock);
    list_remove(&threads->running, &serving->node);
    list_append(&threads->ended, &serving->node);
    wake(threads); /* with the lock, after which `threads` may be gone */
    pthread_mutex_unlock(&threads->lock);
    return NULL;
}

static void join_ended(struct threads *threads)
{
    for (;;) {
        pthread_mutex_lock(&threads->lock);
        struct serving *serving = LIST_TAKE_FIRST(&threads->ended, struct serving, node);
        threads->count -= serving != NULL;
        pthread_mutex_unlock(&threads->lock);
        if (!serving)
            return;
        pthread_join(serving->thread, NULL);
        free(serving);
    }
}

/* ---- the accepting thread ---- */

/* Logs the first connection without a thread, and the first with one after that. */
static void note_shortage(struct threads *threads, const struct error *error)
{
    bool is_short = error_is_set(error);
    if (is_short && !threads->is_short)
        log_warning("no thread for a connection",
                    log_text("listener", threads->server->options.name), log_why(error),
                    log_text("effect", "such connections share one thread and get no streams"),
                    log_text("advice", "raise TasksMax= or LimitNPROC= in the unit, or bound what "
                                       "vessels start (runner.max_processes)"));
    else if (!is_short && threads->is_short)
        log_info("connections have threads again",
                 log_text("listener", threads->server->options.name));
    threads->is_short = is_short;
}

/* Starts a thread for the connection. On failure, the caller still owns *serving. */
static int start_serving(struct threads *threads, struct serving *serving, struct error *error)
{
    const struct http_options *options = &threads->server->options;
    pthread_mutex_lock(&threads->lock);
    int result = threads->count < options->max_connections + SLACK
                     ? thread_start(&serving->thread, options->name, serving_main, serving, error)
                     : error_set(error, ERROR_UNAVAILABLE, "too many threads are about to end");
    if (result == 0) {
        list_append(&threads->running, &serving->node);
        threads->count++;
    }
    pthread_mutex_unlock(&threads->lock);
    return result;
}

/* Returns 0, or the errno of accept4(2). */
static int accept_one(struct threads *threads)
{
    struct serving *serving = memory_alloc(sizeof(*serving));
    serving->threads = threads;
    serving->peer_bytes = sizeof(serving->peer);
    serving->fd = accept4(threads->listen_fd, &serving->peer.any, &serving->peer_bytes,
                          SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (serving->fd < 0) {
        int errnum = errno;
        free(serving);
        return errnum;
    }
    serving->accepted_us = clock_monotonic_us();
    int send_bytes = SEND_BUFFER_BYTES;
    (void)setsockopt(serving->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    struct error error = ERROR_INIT;
    if (start_serving(threads, serving, &error) != 0) {
        MHD_add_connection(threads->shared, serving->fd, &serving->peer.any, serving->peer_bytes);
        free(serving);
    }
    note_shortage(threads, &error);
    return 0;
}

/* Returns false if accepting failed for a reason that may last for a moment. */
static bool accept_all(struct threads *threads)
{
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        int errnum = accept_one(threads);
        if (errnum == EAGAIN || errnum == EINTR || errnum == ECONNABORTED)
            return true;
        listen_note(threads->server, errnum != 0 ? kernel_error_text(errnum) : NULL);
        if (errnum != 0)
            return false;
    }
    return true;
}

static void stop_listening(struct threads *threads)
{
    close(threads->listen_fd);
    threads->listen_fd = -1;
    sem_post(&threads->quiesced);
}

static void *accepting_main(void *argument)
{
    struct threads *threads = argument;
    bool accepts = true;
    struct worker *worker = worker_on_this_thread(threads->server, threads->shared);
    is_shared = true;
    while (!atomic_load(&threads->stop)) {
        struct pollfd watched[] = {{threads->wake_fd, POLLIN, 0},
                                   {threads->shared_fd, POLLIN, 0},
                                   {accepts ? threads->listen_fd : -1, POLLIN, 0}};
        int timeout_ms = worker_wait_ms(worker);
        if (!accepts && (timeout_ms < 0 || timeout_ms > ACCEPT_AGAIN_MS))
            timeout_ms = ACCEPT_AGAIN_MS;
        int ready = poll(watched, ARRAY_COUNT(watched), timeout_ms);
        uint64_t count;
        if (ready > 0 && watched[0].revents != 0)
            (void)!read(threads->wake_fd, &count, sizeof(count));
        join_ended(threads);
        if (threads->listen_fd >= 0 && atomic_load(&threads->quiesce))
            stop_listening(threads);
        accepts =
            threads->listen_fd < 0 || ready <= 0 || watched[2].revents == 0 || accept_all(threads);
        MHD_run(threads->shared);
    }
    worker_free(worker); /* closes the connections without a thread */
    threads->shared = NULL;
    return NULL;
}

/* ---- start and stop ---- */

static void threads_free(struct threads *threads)
{
    if (threads->shared)
        MHD_stop_daemon(threads->shared);
    if (threads->wake_fd >= 0)
        close(threads->wake_fd);
    if (threads->listen_fd >= 0)
        close(threads->listen_fd);
    sem_destroy(&threads->quiesced);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

struct threads *threads_start(struct http_server *server, int listen_fd, struct error *error)
{
    struct threads *threads = memory_alloc(sizeof(*threads));
    threads->server = server;
    threads->listen_fd = listen_fd;
    threads->wake_fd = eventfd(0, EFD_CLOEXEC);
    sem_init(&threads->quiesced, 0, 0);
    pthread_mutex_init(&threads->lock, NULL);
    threads->shared = server_new_daemon(server, MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, -1,
                                        (unsigned)server->options.max_connections + SLACK);
    if (threads->wake_fd < 0) {
        error_set_errno(error, errno, "cannot create an eventfd");
    } else if (!threads->shared) {
        error_set(error, ERROR_INTERNAL, "cannot start the %s listener: MHD_start_daemon failed",
                  server->options.name);
    } else {
        threads->shared_fd =
            MHD_get_daemon_info(threads->shared, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        if (thread_start(&threads->accepting, server->options.name, accepting_main, threads,
                         error) == 0)
            return threads;
    }
    threads_free(threads);
    return NULL;
}

void threads_quiesce(struct threads *threads)
{
    if (atomic_exchange(&threads->quiesce, true))
        return;
    wake(threads);
    while (sem_wait(&threads->quiesced) != 0)
        ;
}

static bool has_running(struct threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    bool has = !list_is_empty(&threads->running);
    pthread_mutex_unlock(&threads->lock);
    return has;
}

void threads_stop(struct threads *threads)
{
    if (!threads)
        return;
    atomic_store(&threads->stop, true);
    wake(threads);
    pthread_join(threads->accepting, NULL);
    while (has_running(threads)) {
        reaper_shut_unfinished(threads->server->reaper);
        struct pollfd ended = {threads->wake_fd, POLLIN, 0};
        uint64_t count;
        if (poll(&ended, 1, ACCEPT_AGAIN_MS) == 1)
            (void)!read(threads->wake_fd, &count, sizeof(count));
    }
    join_ended(threads);
    threads_free(threads);
}
