/* See signals.h. Called by daemon.c and by the loop. */
#include "webhookd/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/systemd.h"
#include "hooks/hooks.h"
#include "queue/commit.h"
#include "retention/retention.h"
#include "runner/runner.h"

static void log_report(enum log_level level, const char *event, struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        LOG_AT(level, event, log_text("message", report->lines[i]));
    config_report_free(report);
}

void signals_notify(const char *state)
{
    struct error error = ERROR_INIT;
    if (systemd_notify(state, &error) != 0)
        log_warning("service manager not told", log_why(&error));
}

/* The file, if webhookd could also be started with it; else NULL and why. */
static struct config *load_startable(const struct daemon *daemon, struct config_report *report)
{
    struct config *fresh = config_load(daemon->config_path, report);
    struct error error = ERROR_INIT;
    if (!fresh || daemon_check_config(daemon, fresh, &error) == 0)
        return fresh;
    config_report_add(report, "%s: %s", daemon->config_path, error.message);
    config_release(fresh);
    return NULL;
}

static void take_over(struct daemon *daemon, struct config *fresh)
{
    config_keep_until_restart(fresh, daemon->config);
    log_set_level(fresh->log_level);
    log_set_format(fresh->log_format);
    commit_set_min_free(daemon->queue, fresh->min_free_bytes);
    retention_set(daemon->retention, fresh->retention.runs_ms);
    runner_reconfigure(daemon->runner, fresh);
    admin_reconfigure(daemon->admin, fresh);
    hooks_reconfigure(daemon->hooks, fresh);
    config_release(daemon->config);
    daemon->config = fresh;
}

/* SIGHUP: a good file takes effect at once, as far as it can; a bad one changes nothing. */
static void reload(struct daemon *daemon)
{
    char state[80];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
    signals_notify(state);
    struct config_report report = {0};
    struct config *fresh = load_startable(daemon, &report);
    if (!fresh) {
        log_report(LOG_LEVEL_ERROR, "configuration not reloaded", &report);
    } else {
        config_report_restart(daemon->first, fresh, &report);
        log_report(LOG_LEVEL_WARNING, "configuration", &report);
        take_over(daemon, fresh);
        log_info("configuration reloaded", log_text("file", daemon->config_path));
    }
    signals_notify("READY=1");
}

static void on_signal(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct daemon *daemon = CONTAINER_OF(watch, struct daemon, signals);
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            reload(daemon);
        } else {
            log_info("stopping",
                     log_text("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
            loop_stop(daemon->loop);
        }
    }
}

static void on_watchdog(struct loop_timer *timer)
{
    struct daemon *daemon = CONTAINER_OF(timer, struct daemon, watchdog);
    signals_notify("WATCHDOG=1");
    loop_set_timer(daemon->loop, timer, clock_monotonic_ms() + systemd_watchdog_ms());
}

int signals_prepare(struct daemon *daemon, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(
        SIGCHLD,
        SIG_DFL); /* ignored, as whoever started us may have left it, it would take supervisors' ends away */
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not a reason to die */
    daemon->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (daemon->signals.fd < 0)
        return error_set_errno(error, errno, "cannot wait for signals");
    daemon->signals.ready = on_signal;
    return loop_watch(daemon->loop, &daemon->signals, EPOLLIN, error);
}

void signals_feed_watchdog(struct daemon *daemon)
{
    if (systemd_watchdog_ms() <= 0)
        return;
    daemon->watchdog.fired = on_watchdog;
    on_watchdog(&daemon->watchdog);
}
