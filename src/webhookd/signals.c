/* See signals.h. */
#include "webhookd/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/systemd.h"

struct signals {
    struct loop *loop;
    struct signals_callbacks callbacks;
    struct loop_watch watch;
    struct loop_timer watchdog;
};

void signals_notify(const char *state)
{
    struct error error = ERROR_INIT;
    if (systemd_notify(state, &error) != 0)
        log_warning("service manager not notified", log_why(&error));
}

static void on_hangup(const struct signals *signals)
{
    char state[80];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
    signals_notify(state);
    signals->callbacks.reload(signals->callbacks.context);
    signals_notify("READY=1");
}

static void on_signal(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct signals *signals = CONTAINER_OF(watch, struct signals, watch);
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            on_hangup(signals);
        } else {
            log_info("stopping",
                     log_text("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
            signals->callbacks.stop(signals->callbacks.context);
        }
    }
}

static void on_watchdog(struct loop_timer *timer)
{
    struct signals *signals = CONTAINER_OF(timer, struct signals, watchdog);
    signals_notify("WATCHDOG=1");
    loop_set_timer(signals->loop, timer, clock_monotonic_ms() + systemd_watchdog_ms());
}

void signals_feed_watchdog(struct signals *signals)
{
    if (systemd_watchdog_ms() > 0)
        on_watchdog(&signals->watchdog);
}

struct signals *signals_start(struct loop *loop, const struct signals_callbacks *callbacks,
                              struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* If webhookd was started with SIGCHLD ignored, it would miss the ends of supervisors. */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not a reason to terminate */

    struct signals *signals = memory_alloc(sizeof(*signals));
    signals->loop = loop;
    signals->callbacks = *callbacks;
    signals->watchdog.fired = on_watchdog;
    signals->watch.ready = on_signal;
    signals->watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals->watch.fd < 0)
        error_set_errno(error, errno, "cannot wait for signals");
    else if (loop_watch(loop, &signals->watch, EPOLLIN, error) == 0)
        return signals;
    else
        close(signals->watch.fd);
    free(signals);
    return NULL;
}

void signals_stop(struct signals *signals)
{
    loop_clear_timer(signals->loop, &signals->watchdog);
    loop_unwatch(signals->loop, &signals->watch);
    close(signals->watch.fd);
    free(signals);
}
