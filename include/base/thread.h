/* Threads with names, and condition variables that use the monotonic clock. */
#ifndef WEBHOOKD_BASE_THREAD_H
#define WEBHOOKD_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

/* Starts a thread with all signals blocked (webhookd's main thread receives them by signalfd). The
 * name has at most 15 characters. */
int thread_start(pthread_t *thread, const char *name, void *(*main)(void *), void *argument,
                 struct error *error);

void thread_condition_init(pthread_cond_t *condition);
/* Waits until signalled or until due_ms on the monotonic clock (clock_monotonic_ms). May wake up
 * spuriously. */
void thread_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t due_ms);

#endif
