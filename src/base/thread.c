/* Threads, and condition variables that use the monotonic clock: see thread.h. Called by every part
 * of webhookd that starts a thread, except the log, on any thread. */
#include "base/thread.h"

#include <signal.h>
#include <time.h>

int thread_start(pthread_t *thread, const char *name, void *(*main)(void *), void *argument,
                 struct error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(thread, NULL, main, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        return error_set_errno(error, failure, "cannot start the thread \"%s\"", name);
    pthread_setname_np(*thread, name);
    return 0;
}

void thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void thread_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t due_ms)
{
    struct timespec until = {due_ms / 1000, due_ms % 1000 * 1000000L};
    pthread_cond_timedwait(condition, lock, &until);
}
