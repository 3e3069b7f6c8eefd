/* An event loop for one thread: descriptors, timers, and a wake-up that any thread may send. */
#ifndef WEBHOOKD_BASE_LOOP_H
#define WEBHOOKD_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct loop;

struct loop_watch { /* embed it; the loop borrows it until loop_unwatch */
    int fd;
    void (*ready)(struct loop_watch *watch, uint32_t epoll_events);
};

struct loop_timer { /* embed it; zero it first; the loop borrows it while it is set */
    void (*fired)(struct loop_timer *timer);
    int64_t due_ms; /* on the monotonic clock */
    int slot;       /* the loop's: 1-based place in its heap, 0 = not set */
};

struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* epoll_events as in epoll_ctl(2). */
int loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t epoll_events,
               struct error *error);
void loop_unwatch(
    struct loop *loop,
    struct loop_watch
        *watch); /* safe inside any callback, also for a watch whose event is pending */

void loop_set_timer(struct loop *loop, struct loop_timer *timer,
                    int64_t due_ms);                                /* moves it if set */
void loop_clear_timer(struct loop *loop, struct loop_timer *timer); /* fine if not set */

/* Called on the loop's thread after loop_wake, once for any number of wakes. */
void loop_on_wake(struct loop *loop, void (*woken)(void *context), void *context);
void loop_wake(struct loop *loop); /* any thread, also a signal handler */

/* Runs until loop_stop (any thread). */
int loop_run(struct loop *loop, struct error *error);
void loop_stop(struct loop *loop);

#endif
