/* An event loop for one thread: descriptors, timers, and a wake-up that any thread may send. */
#ifndef WEBHOOKD_BASE_LOOP_H
#define WEBHOOKD_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct loop;

/* Embed it. The loop borrows it until loop_unwatch. */
struct loop_watch {
    int fd;
    void (*ready)(struct loop_watch *watch, uint32_t epoll_events);
};

/* Embed and zero it. The loop borrows it while it is set. */
struct loop_timer {
    void (*fired)(struct loop_timer *timer);
    int64_t due_ms; /* on the monotonic clock */
    int slot;       /* for the loop: 1-based place in its heap, 0 = not set */
};

struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* epoll_events as in epoll_ctl(2). */
int loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t epoll_events,
               struct error *error);
/* Safe inside any callback, even for a watch whose event is pending. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Moves the timer if it is already set. */
void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms);
/* Does nothing if the timer is not set. */
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Registers the function that the loop's thread calls after loop_wake, once for any number of
 * wake-ups. */
void loop_on_wake(struct loop *loop, void (*woken)(void *context), void *context);
void loop_wake(struct loop *loop); /* any thread, or a signal handler */

/* Runs until loop_stop, which any thread may call. */
int loop_run(struct loop *loop, struct error *error);
void loop_stop(struct loop *loop);

#endif
