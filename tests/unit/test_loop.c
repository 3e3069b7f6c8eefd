#include "base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/suite.h"

enum { TIMERS = 500, WAKERS = 4, WAKES = 5000 };

static struct error error = ERROR_INIT;
static struct loop *loop;

static void new_loop(void)
{
    loop = loop_new(&error);
    ck_assert_msg(loop, "%s", error.message);
}

static void run(void)
{
    ck_assert_msg(loop_run(loop, &error) == 0, "%s", error.message);
}

struct counter {
    struct loop_watch watch;
    int count, stop_at;
    uint32_t events;
};

static void count_ready(struct loop_watch *watch, uint32_t events)
{
    struct counter *counter = CONTAINER_OF(watch, struct counter, watch);
    counter->events = events;
    if (++counter->count == counter->stop_at)
        loop_stop(loop);
}

static int signalled_fd(void)
{
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    return fd;
}

TEST(a_ready_descriptor_is_reported_until_it_is_unwatched)
{
    new_loop();
    struct counter counter = {.watch = {signalled_fd(), count_ready}, .stop_at = 3};
    ck_assert_int_eq(loop_watch(loop, &counter.watch, EPOLLIN, &error), 0);
    run();
    ck_assert_int_eq(counter.count, 3);
    ck_assert_uint_eq(counter.events, EPOLLIN);

    loop_unwatch(loop, &counter.watch);
    struct counter other = {.watch = {signalled_fd(), count_ready}, .stop_at = 2};
    ck_assert_int_eq(loop_watch(loop, &other.watch, EPOLLIN, &error), 0);
    run();
    ck_assert_int_eq(counter.count, 3);
    close(counter.watch.fd);
    close(other.watch.fd);
    loop_free(loop);
}

TEST(a_descriptor_that_cannot_be_watched_is_an_error)
{
    new_loop();
    struct counter counter = {.watch = {-1, count_ready}};
    ck_assert_int_eq(loop_watch(loop, &counter.watch, EPOLLIN, &error), -1);
    ck_assert(error_is_set(&error));
    loop_free(loop);
}

static struct counter *pair[2];

/* The first of the two callbacks frees the other watch, whose event is in the same batch. */
static void free_other(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct counter *counter = CONTAINER_OF(watch, struct counter, watch);
    counter->count++;
    int other = counter == pair[0] ? 1 : 0;
    if (pair[other]) {
        loop_unwatch(loop, &pair[other]->watch);
        close(pair[other]->watch.fd);
        free(pair[other]);
        pair[other] = NULL;
    }
    loop_stop(loop);
}

TEST(a_pending_event_never_reaches_a_watch_that_was_freed)
{
    new_loop();
    for (int i = 0; i < 2; i++) {
        pair[i] = memory_alloc(sizeof(*pair[i]));
        pair[i]->watch = (struct loop_watch){signalled_fd(), free_other};
        ck_assert_int_eq(loop_watch(loop, &pair[i]->watch, EPOLLIN, &error), 0);
    }
    run();
    struct counter *left = pair[0] ? pair[0] : pair[1];
    ck_assert(!pair[0] || !pair[1]);
    ck_assert_ptr_nonnull(left);
    ck_assert_int_eq(left->count, 1);
    close(left->watch.fd);
    free(left);
    loop_free(loop);
}

static void unwatch_itself(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    loop_unwatch(loop, watch);
    CONTAINER_OF(watch, struct counter, watch)->count++;
    loop_wake(loop);
}

static void stop_at_wake(void *context)
{
    (void)context;
    loop_stop(loop);
}

TEST(a_watch_may_unwatch_itself)
{
    new_loop();
    loop_on_wake(loop, stop_at_wake, NULL);
    struct counter counter = {.watch = {signalled_fd(), unwatch_itself}};
    ck_assert_int_eq(loop_watch(loop, &counter.watch, EPOLLIN, &error), 0);
    run();
    ck_assert_int_eq(counter.count, 1);
    ck_assert_int_eq(loop_watch(loop, &counter.watch, EPOLLIN, &error), 0);
    run();
    ck_assert_int_eq(counter.count, 2);
    close(counter.watch.fd);
    loop_free(loop);
}

/* ---- timers ---- */

struct clocked {
    struct loop_timer timer;
    int fired;
};

static int64_t last_due_ms;
static int fired_in_all, stop_after;

static void note_fired(struct loop_timer *timer)
{
    ck_assert_int_eq(timer->slot, 0);
    ck_assert_int_ge(timer->due_ms, last_due_ms);
    ck_assert_int_ge(clock_monotonic_ms(), timer->due_ms);
    last_due_ms = timer->due_ms;
    CONTAINER_OF(timer, struct clocked, timer)->fired++;
    if (++fired_in_all == stop_after)
        loop_stop(loop);
}

TEST(timers_fire_once_each_in_the_order_of_their_times)
{
    new_loop();
    static struct clocked clocked[TIMERS];
    int64_t now_ms = clock_monotonic_ms();
    unsigned random = 12345;
    int cleared = 0;
    for (int i = 0; i < TIMERS; i++) {
        random = random * 1103515245 + 12345;
        clocked[i].timer.fired = note_fired;
        loop_set_timer(loop, &clocked[i].timer, now_ms - 1000 + (random >> 16) % 1020);
    }
    for (int i = 0; i < TIMERS; i += 3) { /* some are moved, some are cleared */
        random = random * 1103515245 + 12345;
        if (i % 2 == 0)
            loop_set_timer(loop, &clocked[i].timer, now_ms - 1000 + (random >> 16) % 1020);
        else {
            loop_clear_timer(loop, &clocked[i].timer);
            loop_clear_timer(loop, &clocked[i].timer);
            cleared++;
        }
    }
    stop_after = TIMERS - cleared;
    run();
    for (int i = 0; i < TIMERS; i++)
        ck_assert_int_eq(clocked[i].fired, i % 3 == 0 && i % 2 != 0 ? 0 : 1);
    loop_free(loop);
}

static struct clocked first, second;

static void clear_second(struct loop_timer *timer)
{
    CONTAINER_OF(timer, struct clocked, timer)->fired++;
    loop_clear_timer(loop, &second.timer);
    loop_stop(loop);
}

TEST(a_timer_that_is_cleared_by_another_never_fires)
{
    new_loop();
    int64_t now_ms = clock_monotonic_ms();
    first.timer.fired = clear_second;
    second.timer.fired = note_fired;
    loop_set_timer(loop, &first.timer, now_ms - 2);
    loop_set_timer(loop, &second.timer, now_ms - 1);
    run();
    ck_assert_int_eq(first.fired, 1);
    ck_assert_int_eq(second.fired, 0);
    ck_assert_int_eq(second.timer.slot, 0);
    loop_free(loop);
}

static void set_again(struct loop_timer *timer)
{
    CONTAINER_OF(timer, struct clocked, timer)->fired++;
    loop_set_timer(loop, timer, 0);
}

TEST(a_timer_that_is_always_due_does_not_keep_descriptors_waiting)
{
    new_loop();
    first.timer.fired = set_again;
    loop_set_timer(loop, &first.timer, 0);
    struct counter counter = {.watch = {signalled_fd(), count_ready}, .stop_at = 5};
    ck_assert_int_eq(loop_watch(loop, &counter.watch, EPOLLIN, &error), 0);
    run();
    ck_assert_int_ge(first.fired, 5);
    close(counter.watch.fd);
    loop_free(loop);
    ck_assert_int_eq(first.timer.slot, 0);
}

TEST(a_distant_timer_lets_the_loop_wait_for_other_events)
{
    new_loop();
    first.timer.fired = note_fired;
    loop_set_timer(loop, &first.timer, INT64_MAX);
    loop_on_wake(loop, stop_at_wake, NULL);
    loop_wake(loop);
    run();
    ck_assert_int_eq(first.fired, 0);
    loop_free(loop);
}

/* ---- other threads ---- */

static atomic_int work_done;
static int work_seen, wakes;

static void look_at_work(void *context)
{
    ck_assert_ptr_eq(context, &work_seen);
    wakes++;
    work_seen = atomic_load(&work_done);
    if (work_seen == WAKERS * WAKES)
        loop_stop(loop);
}

static void *wake_often(void *unused)
{
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&work_done, 1);
        loop_wake(loop);
    }
    return unused;
}

/* Invariant 9. */
TEST(no_wake_of_any_thread_is_lost)
{
    new_loop();
    loop_on_wake(loop, look_at_work, &work_seen);
    pthread_t threads[WAKERS];
    for (int i = 0; i < WAKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wake_often, NULL), 0);
    run(); /* would run forever if the last wake were lost */
    for (int i = 0; i < WAKERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(work_seen, WAKERS * WAKES);
    loop_free(loop);
}

static void count_wake(void *context)
{
    (void)context;
    wakes++;
    loop_stop(loop);
}

TEST(many_wakes_before_the_loop_runs_count_as_one)
{
    new_loop();
    loop_on_wake(loop, count_wake, NULL);
    for (int i = 0; i < 100; i++)
        loop_wake(loop);
    run();
    ck_assert_int_eq(wakes, 1);
    loop_wake(loop);
    run();
    ck_assert_int_eq(wakes, 2);
    loop_free(loop);
}

static void *stop_loop(void *unused)
{
    loop_stop(loop);
    return unused;
}

TEST(another_thread_stops_a_waiting_loop)
{
    new_loop();
    loop_on_wake(loop, count_wake, NULL);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_loop, NULL), 0);
    run();
    pthread_join(thread, NULL);
    ck_assert_int_eq(wakes, 0);
    loop_free(loop);
}

static void wake_from_handler(int number)
{
    (void)number;
    loop_wake(loop);
}

TEST(a_signal_handler_may_wake)
{
    new_loop();
    loop_on_wake(loop, count_wake, NULL);
    struct sigaction action = {.sa_handler = wake_from_handler};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    run();
    ck_assert_int_eq(wakes, 1);
    loop_free(loop);
}
