/* The thread of a hook worker: see worker.h. Started and stopped by server.c; libmicrohttpd's
 * callbacks run on it. */
#include "http/worker.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "http/exchange.h"
#include "http/reaper.h"
#include "http/strangers.h"

#define SPIN_PASSES  50 /* in a row in which nothing happened, though the daemon would not wait */
#define SPIN_WAIT_MS 10 /* between two such passes from then on */

struct worker {
    struct http_server *server;
    struct MHD_Daemon *daemon; /* belongs to the thread until it has ended */
    int epoll_fd;              /* the daemon's */
    int wake_fd;
    int strangers; /* connections whose first bytes have not arrived; belongs to the thread. -1 =
                      nobody looks at them (worker_on_this_thread) */
    pthread_t thread;
    atomic_bool woken; /* a wake-up is pending: another would add nothing */
    atomic_bool quiesce, stop;
    bool called;          /* in this pass; this and the following belong to the thread */
    bool spins;           /* the daemon has asked for SPIN_PASSES passes in vain */
    unsigned vain_passes; /* in a row; while it spins, since the last look for the reason */
    sem_t quiesced;
    atomic_int resuming; /* threads in worker_resume; it must not be freed meanwhile */
};

static _Thread_local struct worker *current;

struct worker *worker_current(void)
{
    return current;
}

void worker_note_call(void)
{
    if (current)
        current->called = true;
}

void worker_watch(struct worker *worker, struct http_connection *connection)
{
    if (worker->strangers >= 0)
        strangers_add(worker->strangers, connection);
}

void worker_forget(struct worker *worker, struct http_connection *connection)
{
    strangers_remove(worker->strangers, connection);
}

static void wake(struct worker *worker)
{
    if (atomic_exchange(&worker->woken, true))
        return;
    uint64_t one = 1;
    ssize_t written = write(worker->wake_fd, &one, sizeof(one));
    assert(written == sizeof(one));
    (void)written;
}

void worker_resume(struct worker *worker, struct MHD_Connection *mhd)
{
    atomic_fetch_add(&worker->resuming, 1);
    MHD_resume_connection(mhd);
    wake(worker);
    atomic_fetch_sub(&worker->resuming, 1);
}

static void stop_listening(struct worker *worker)
{
    int fd = MHD_quiesce_daemon(worker->daemon);
    if (fd >= 0)
        close(fd);
    sem_post(&worker->quiesced);
}

/* Returns how long the daemon can wait; -1 = until something happens. */
static int timeout_ms(struct worker *worker)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(worker->daemon, &timeout) != MHD_YES)
        return -1;
    return timeout > INT_MAX ? INT_MAX : (int)timeout;
}

/* Looks at the last pass and returns how long to wait before the next one. A daemon that will not
 * wait although nothing happens is given SPIN_PASSES passes, because it may have read a part of
 * some headers in each. From then on it is run only so often that it costs nothing. Sockets that
 * become ready and resumed requests still end each wait. */
int worker_wait_ms(struct worker *worker)
{
    int wait = timeout_ms(worker);
    bool called = worker->called;
    worker->called = false;
    if (wait != 0) {
        worker->spins = false;
        worker->vain_passes = 0;
        return wait;
    }
    if (called) {
        if (!worker->spins)
            worker->vain_passes = 0;
        return 0;
    }
    if (++worker->vain_passes >= SPIN_PASSES) {
        worker->vain_passes = 0;
        worker->spins = true;
        reaper_end_stuck(worker->server->reaper, worker);
    }
    return worker->spins ? SPIN_WAIT_MS : 0;
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    bool listening = true;
    current = worker;
    while (!atomic_load(&worker->stop)) {
        struct pollfd watched[] = {{worker->epoll_fd, POLLIN, 0},
                                   {worker->wake_fd, POLLIN, 0},
                                   {worker->strangers, POLLIN, 0}};
        int ready = poll(watched, ARRAY_COUNT(watched), worker_wait_ms(worker));
        if (ready > 0 && watched[1].revents != 0) {
            uint64_t count;
            while (read(worker->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
                ;
            atomic_store(&worker->woken, false); /* before handling what it was for */
        }
        if (listening && atomic_load(&worker->quiesce)) {
            stop_listening(worker);
            listening = false;
        }
        if (ready > 0 && watched[2].revents != 0)
            strangers_look(worker->strangers);
        MHD_run(worker->daemon);
    }
    return NULL;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    MHD_stop_daemon(worker->daemon);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    if (worker->strangers >= 0)
        close(worker->strangers);
    sem_destroy(&worker->quiesced);
    if (current == worker)
        current = NULL;
    free(worker);
}

struct worker *worker_on_this_thread(struct http_server *server, struct MHD_Daemon *daemon)
{
    struct worker *worker = memory_alloc(sizeof(*worker));
    worker->server = server;
    worker->daemon = daemon;
    worker->wake_fd = worker->strangers = -1;
    sem_init(&worker->quiesced, 0, 0);
    current = worker;
    return worker;
}

struct worker *worker_start(struct http_server *server, struct MHD_Daemon *daemon,
                            struct error *error)
{
    struct worker *worker = memory_alloc(sizeof(*worker));
    worker->server = server;
    worker->daemon = daemon;
    worker->epoll_fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    sem_init(&worker->quiesced, 0, 0);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (worker->wake_fd < 0)
        error_set_errno(error, errno, "cannot create an eventfd");
    worker->strangers = strangers_open(error);
    if (worker->wake_fd >= 0 && worker->strangers >= 0 &&
        thread_start(&worker->thread, server->options.name, worker_main, worker, error) == 0)
        return worker;
    worker_free(worker);
    return NULL;
}

void worker_quiesce(struct worker *worker)
{
    if (atomic_exchange(&worker->quiesce, true))
        return;
    wake(worker);
    while (sem_wait(&worker->quiesced) != 0)
        ;
}

void worker_end(struct worker *worker)
{
    if (!worker)
        return;
    atomic_store(&worker->stop, true);
    wake(worker);
    pthread_join(worker->thread, NULL);
    /* The last answer is out, but the thread that resumed it may be a few instructions behind. */
    while (atomic_load(&worker->resuming) > 0)
        sched_yield();
}
