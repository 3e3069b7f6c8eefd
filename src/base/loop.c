/* An event loop: epoll for descriptors, a binary heap for timers, an eventfd for other threads.
 * Called by the daemon's main thread, the runner and the supervisor, each with a loop of its own.
 * One thread makes all calls on a loop; any thread may call loop_wake and loop_stop. */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum { BATCH_EVENTS = 64, FIRST_TIMERS = 16 };

struct loop {
    int epoll_fd, wake_fd;
    atomic_bool wake_wanted, stop_wanted; /* other threads touch only these and wake_fd */
    void (*woken)(void *context);
    void *woken_context;

    struct loop_timer **heap; /* heap[slot - 1]; the earliest is first */
    int timer_count, timer_capacity;

    struct epoll_event batch[BATCH_EVENTS]; /* what the last epoll_wait returned */
    int batch_count;
};

struct loop *loop_new(struct error *error)
{
    struct loop *loop = memory_alloc(sizeof(*loop));
    loop->wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        error_set_errno(error, errno, "cannot create an epoll descriptor");
        goto failed;
    }
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        error_set_errno(error, errno, "cannot create an eventfd");
        goto failed;
    }
    struct epoll_event event = {.events = EPOLLIN,
                                .data.ptr = loop}; /* no watch has this address */
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0) {
        error_set_errno(error, errno, "cannot watch an eventfd");
        goto failed;
    }
    return loop;
failed:
    loop_free(loop);
    return NULL;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (int i = 0; i < loop->timer_count; i++)
        loop->heap[i]->slot = 0;
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop->heap);
    free(loop);
}

int loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t epoll_events,
               struct error *error)
{
    struct epoll_event event = {.events = epoll_events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
        return error_set_errno(error, errno, "cannot watch descriptor %d", watch->fd);
    return 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    /* Its owner may free it now, so an event that was already fetched must not refer to it. */
    for (int i = 0; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

/* ---- timers ---- */

static void place(struct loop *loop, struct loop_timer *timer, int slot)
{
    loop->heap[slot - 1] = timer;
    timer->slot = slot;
}

/* Finds the timer's place, starting at the free `slot`: moves it towards the top, then towards the
 * bottom. */
static void settle(struct loop *loop, struct loop_timer *timer, int slot)
{
    while (slot > 1 && loop->heap[slot / 2 - 1]->due_ms > timer->due_ms) {
        place(loop, loop->heap[slot / 2 - 1], slot);
        slot /= 2;
    }
    for (;;) {
        int child = 2 * slot;
        if (child > loop->timer_count)
            break;
        if (child < loop->timer_count && loop->heap[child]->due_ms < loop->heap[child - 1]->due_ms)
            child++;
        if (loop->heap[child - 1]->due_ms >= timer->due_ms)
            break;
        place(loop, loop->heap[child - 1], slot);
        slot = child;
    }
    place(loop, timer, slot);
}

void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms)
{
    timer->due_ms = due_ms;
    if (timer->slot == 0) {
        if (loop->timer_count == loop->timer_capacity) {
            loop->timer_capacity =
                loop->timer_capacity > 0 ? 2 * loop->timer_capacity : FIRST_TIMERS;
            loop->heap =
                memory_array(loop->heap, (size_t)loop->timer_capacity, sizeof(*loop->heap));
        }
        place(loop, timer, ++loop->timer_count);
    }
    settle(loop, timer, timer->slot);
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
    if (timer->slot == 0)
        return;
    assert(loop->heap[timer->slot - 1] == timer);
    int slot = timer->slot;
    timer->slot = 0;
    struct loop_timer *last = loop->heap[--loop->timer_count];
    if (last != timer)
        settle(loop, last, slot);
}

/* A timer that sets itself again for a time in the past fires in a later round, after the
 * descriptors. */
static void fire_timers(struct loop *loop)
{
    int64_t now_ms = clock_monotonic_ms();
    for (int turns = loop->timer_count; turns > 0 && loop->timer_count > 0; turns--) {
        struct loop_timer *timer = loop->heap[0];
        if (timer->due_ms > now_ms)
            return;
        loop_clear_timer(loop, timer);
        timer->fired(timer);
    }
}

static int wait_ms(const struct loop *loop)
{
    if (loop->timer_count == 0)
        return -1;
    int64_t wait = loop->heap[0]->due_ms - clock_monotonic_ms();
    if (wait <= 0)
        return 0;
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

/* ---- other threads ---- */

void loop_on_wake(struct loop *loop, void (*woken)(void *context), void *context)
{
    loop->woken = woken;
    loop->woken_context = context;
}

/* The write fails only if the counter is full, and then a wake-up is already pending. Preserves
 * errno for the signal handlers that call this. */
static void poke(struct loop *loop)
{
    int errnum = errno;
    const uint64_t one = 1;
    ssize_t ignored = write(loop->wake_fd, &one, sizeof(one));
    (void)ignored;
    errno = errnum;
}

void loop_wake(struct loop *loop)
{
    /* While wake_wanted is set, an earlier poke has not been read yet, or its callback is about to
     * run. */
    if (!atomic_exchange(&loop->wake_wanted, true))
        poke(loop);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop_wanted, true);
    poke(loop);
}

static void answer_wake(struct loop *loop)
{
    uint64_t count;
    ssize_t ignored = read(loop->wake_fd, &count, sizeof(count));
    (void)ignored;
    if (atomic_exchange(&loop->wake_wanted, false) && loop->woken)
        loop->woken(loop->woken_context);
}

static void call_back(struct loop *loop)
{
    for (int i = 0; i < loop->batch_count; i++) {
        void *owner = loop->batch[i].data.ptr;
        uint32_t events = loop->batch[i].events;
        if (owner == loop) {
            answer_wake(loop);
        } else if (owner) {
            struct loop_watch *watch = owner;
            watch->ready(watch, events);
        }
    }
    loop->batch_count = 0;
}

int loop_run(struct loop *loop, struct error *error)
{
    while (!atomic_exchange(&loop->stop_wanted, false)) {
        int count = epoll_wait(loop->epoll_fd, loop->batch, BATCH_EVENTS, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            return error_set_errno(error, errno, "cannot wait for events");
        loop->batch_count = count > 0 ? count : 0;
        call_back(loop);
        fire_timers(loop);
    }
    return 0;
}
