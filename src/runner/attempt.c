/* Attempts: launches the supervisor, watches it and finds out what became of it. On the runner's
 * thread (at recovery, on that of runner_start); called by runner/run and runner/recover, and by
 * the loop through the attempt's watch and timer.
 *
 * The outcome is determined without guessing by pid: the supervisor holds the lock of the
 * attempt's record while it lives. If the lock is held, the attempt is running and is watched. If
 * the lock is free, the record says how the attempt ended. Without a result, there are two cases.
 * If the boot and the state folder are still the same and the record has no mark of a start, the
 * attempt never ran; otherwise it was interrupted. */
#include "runner/attempt.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/memory.h"
#include "runner/disk_watch.h"
#include "runner/launch.h"
#include "runner/run_log.h"
#include "runner/vessel_packages.h"
#include "supervisor/spawn.h"

#define LAUNCH_FIRST_MS 100
#define LAUNCH_MAX_MS   30000
#define LAUNCH_TRIES    8 /* that fail for another reason than a shortage: 12.7 s at least */
#define LOOK_FIRST_MS   10
#define LOOK_MAX_MS     1000
#define LOOKS_SILENT    8 /* the wait has grown to LOOK_MAX_MS */
#define SIGNALLED       128

/* If the supervisor says that it was told to kill, but not to this daemon. */
#define KILL_REASON "killed: its run occupied too much disk space"

static void timer_fired(struct loop_timer *timer);
static void supervisor_gone(struct loop_watch *watch, uint32_t events);
static void look(struct attempt *attempt);

/* ---- new, free, states ---- */

struct attempt *attempt_new(struct run_vessel *vessel, int number, const struct id *boot_id,
                            attempt_over *over)
{
    struct attempt *attempt = memory_alloc(sizeof(*attempt));
    char id[ID_TEXT_BYTES];
    attempt->vessel = vessel;
    attempt->number = number;
    attempt->boot_id = *boot_id;
    attempt->over = over;
    record_name(id_format(&vessel->run->vessel_run_ids[vessel->index], id), number, attempt->name);
    for (int i = 0; i < JOB_FDS; i++)
        attempt->fds[i] = -1;
    attempt->supervisor_status = -1;
    attempt->watch = (struct loop_watch){.fd = -1, .ready = supervisor_gone};
    attempt->timer.fired = timer_fired;
    vessel->run->attempts_under_way++;
    return attempt;
}

static struct runner *runner_of(const struct attempt *attempt)
{
    return attempt->vessel->run->runner;
}

static const struct run_work *work_of(const struct attempt *attempt)
{
    return attempt->vessel->run->work;
}

static void stop_watching(struct attempt *attempt)
{
    if (attempt->watch.fd < 0)
        return;
    loop_unwatch(runner_of(attempt)->loop, &attempt->watch);
    close(attempt->watch.fd);
    attempt->watch.fd = -1;
}

static void set_state(struct attempt *attempt, enum attempt_state state)
{
    struct runner *runner = runner_of(attempt);
    assert((attempt->state == ATTEMPT_COMMITTING) ||
           (attempt->state == ATTEMPT_LAUNCHING && state == ATTEMPT_RUNNING) ||
           (attempt->state == ATTEMPT_RUNNING && state == ATTEMPT_LAUNCHING));
    struct run *run = attempt->vessel->run;
    if (state == ATTEMPT_RUNNING)
        atomic_fetch_add(&runner->running_vessels, 1);
    else if (attempt->state == ATTEMPT_RUNNING)
        atomic_fetch_sub(&runner->running_vessels, 1);
    if (state == ATTEMPT_RUNNING && !run->disk)
        run->disk = disk_watch_add(runner->disk_watch, &run->work->ids.run_id, run);
    attempt->state = state;
}

void attempt_take_slot(struct attempt *attempt)
{
    assert(!attempt->has_slot);
    attempt->has_slot = true;
    runner_take_slot(runner_of(attempt));
}

static void give_slot(struct attempt *attempt)
{
    if (attempt->has_slot)
        runner_give_slot(runner_of(attempt));
    attempt->has_slot = false;
}

void attempt_free(struct attempt *attempt)
{
    if (!attempt)
        return;
    stop_watching(attempt);
    loop_clear_timer(runner_of(attempt)->loop, &attempt->timer);
    launch_close(attempt);
    give_slot(attempt);
    if (attempt->state == ATTEMPT_RUNNING)
        atomic_fetch_sub(&runner_of(attempt)->running_vessels, 1);
    attempt->vessel->run->attempts_under_way--;
    free(attempt->kill_reason);
    free(attempt);
}

/* Returns first_ms after the first failure, doubled for each further one, at most max_ms. */
static int64_t wait_after(int count, int64_t first_ms, int64_t max_ms)
{
    int64_t wait_ms = first_ms;
    for (int i = 1; i < count && wait_ms < max_ms; i++)
        wait_ms *= 2;
    return wait_ms < max_ms ? wait_ms : max_ms;
}

static void call_again(struct attempt *attempt, int64_t wait_ms)
{
    loop_set_timer(runner_of(attempt)->loop, &attempt->timer, clock_monotonic_ms() + wait_ms);
}

/* ---- the end ---- */

/* Adds to the supervisor's result what only the daemon knows. */
static void complete_result(const struct attempt *attempt, struct attempt_result *result)
{
    const struct run_vessel *vessel = attempt->vessel;
    char cutoff[DURATION_TEXT_BYTES];
    switch (result->ending) {
    case ATTEMPT_CUTOFF:
        duration_format(vessel->run->definition->vessels[vessel->index].guardrails.cutoff_ms,
                        cutoff);
        snprintf(result->reason, sizeof(result->reason), "cut off after %s", cutoff);
        break;
    case ATTEMPT_STOPPED:
        if (vessel->run->is_stopped) {
            attempt_result_set_reason(result, "stopped");
            break;
        }
        if (attempt->kill_reason) { /* by a supervisor that knows only one way to be stopped */
            result->ending = ATTEMPT_OVER_DISK;
            attempt_result_set_reason(result, attempt->kill_reason);
            break;
        }
        /* webhookd did not stop it: the machine is shutting down, or an administrator killed it. */
        result->ending = ATTEMPT_INTERRUPTED;
        result->has_exit_code = false; /* it is not the vessel's own */
        attempt_result_set_reason(result, "interrupted: its supervisor was sent SIGTERM");
        break;
    case ATTEMPT_OVER_DISK:
        attempt_result_set_reason(result,
                                  attempt->kill_reason ? attempt->kill_reason : KILL_REASON);
        break;
    case ATTEMPT_NOT_STARTED:
        result->exit_code = 127;
        break;
    case ATTEMPT_EXITED:
    case ATTEMPT_INTERRUPTED:
    case ATTEMPT_REFUSED:
    case ATTEMPT_UNPREPARED:
        break;
    }
}

static void end_interrupted(struct attempt *attempt, const char *why)
{
    struct attempt_result result = {.ending = ATTEMPT_INTERRUPTED,
                                    .output_bytes = launch_log_bytes(attempt)};
    snprintf(result.reason, sizeof(result.reason), "interrupted: %s", why);
    attempt->over(attempt, &result);
}

/* Ends an attempt that cannot be started. If its packages are missing, its output says why. */
static void end_impossible(struct attempt *attempt, const struct error *error)
{
    struct attempt_result result = {
        .ending = ATTEMPT_NOT_STARTED, .has_exit_code = true, .exit_code = 127};
    if (vessel_packages_have_failed(attempt->vessel))
        result = (struct attempt_result){.ending = ATTEMPT_UNPREPARED,
                                         .output_bytes = launch_log_bytes(attempt)};
    else if (error->kind == ERROR_INVALID)
        result = (struct attempt_result){.ending = ATTEMPT_REFUSED};
    attempt_result_set_reason(&result, error->message);
    attempt->over(attempt, &result);
}

/* ---- launching ---- */

static int watch(struct attempt *attempt, pid_t pid, struct error *error)
{
    int fd = pidfd_open(pid, 0);
    if (fd < 0 && errno == ESRCH)
        return error_set(error, ERROR_NOT_FOUND, "process %d has ended", (int)pid);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open a pidfd of process %d", (int)pid);
    attempt->watch.fd = fd;
    if (loop_watch(runner_of(attempt)->loop, &attempt->watch, EPOLLIN, error) == 0)
        return 0;
    attempt->watch.fd = -1;
    close(fd);
    return -1;
}

/* Tells the supervisor of a stopped run to end the vessel: it passes SIGTERM on, waits, and kills.
 * With JOB_KILL it kills immediately. */
static void signal_supervisor(const struct attempt *attempt)
{
    if (attempt->watch.fd < 0)
        return;
    /* It may just have ended: hence no look at the results. */
    if (attempt->kill_reason)
        spawn_kill(attempt->watch.fd);
    else if (attempt->vessel->run->is_stopped)
        (void)pidfd_send_signal(attempt->watch.fd, SIGTERM, NULL, 0);
}

/* Watches a supervisor that is webhookd's child. A child stays a zombie until it is reaped, so its
 * pid stays valid however often this is tried. */
static void watch_child(struct attempt *attempt)
{
    struct error error = ERROR_INIT;
    if (watch(attempt, attempt->pid, &error) == 0) {
        signal_supervisor(attempt);
        return;
    }
    if (error.kind == ERROR_NOT_FOUND) { /* something else has reaped it */
        attempt->pid = 0;
        look(attempt);
        return;
    }
    if (attempt->looks == 0)
        run_log_warning(work_of(attempt), "vessel not watched, will retry",
                        log_text("record", attempt->name), log_why(&error));
    call_again(attempt, wait_after(++attempt->looks, LOOK_FIRST_MS, LOOK_MAX_MS));
}

/* Whether a later try can help. It cannot if something is gone, or if the vessel lacks something
 * (ERROR_INVALID: vessel_values.h). A shortage may pass at any time. Any other failure may be due
 * to an administrator who is replacing a program or a folder just now; if it stays, it is
 * permanent. */
static bool may_succeed_later(struct attempt *attempt, const struct error *error)
{
    attempt->refusals = error_may_pass(error) ? 0 : attempt->refusals + 1;
    return error->kind != ERROR_NOT_FOUND && error->kind != ERROR_INVALID &&
           attempt->refusals < LAUNCH_TRIES;
}

/* Watches an attempt whose launch showed that it has a supervisor already. */
static void follow_other(struct attempt *attempt)
{
    set_state(attempt, ATTEMPT_RUNNING);
    look(attempt);
}

static void launch_now(struct attempt *attempt)
{
    struct error error = ERROR_INIT;
    if (runner_of(attempt)->is_stopping)
        return;
    attempt->tries++;
    if (launch_prepare(attempt, &error) == 0 && launch_spawn(attempt, &error) == 0) {
        launch_close(attempt); /* the supervisor has its own copies, including the lock's */
        attempt->looks = 0;
        set_state(attempt, ATTEMPT_RUNNING);
        watch_child(attempt);
        return;
    }
    launch_close(attempt);
    if (error.kind == ERROR_CONFLICT) {
        follow_other(attempt);
        return;
    }
    if (!may_succeed_later(attempt, &error)) {
        end_impossible(attempt, &error);
        return;
    }
    int64_t wait_ms = wait_after(attempt->tries, LAUNCH_FIRST_MS, LAUNCH_MAX_MS);
    run_log_warning(work_of(attempt), "vessel not started, will retry",
                    log_text("record", attempt->name), log_int("wait_ms", wait_ms),
                    log_why(&error));
    call_again(attempt, wait_ms);
}

void attempt_prepare(struct attempt *attempt)
{
    struct error error = ERROR_INIT;
    if (launch_prepare(attempt, &error) != 0)
        run_log_debug(work_of(attempt), "attempt not prepared", log_text("record", attempt->name),
                      log_why(&error));
}

void attempt_committed(struct attempt *attempt)
{
    set_state(attempt, ATTEMPT_LAUNCHING);
}

void attempt_launch(struct attempt *attempt)
{
    assert(attempt->state == ATTEMPT_LAUNCHING && attempt->has_slot);
    if (attempt->tries > 0)
        call_again(attempt, wait_after(attempt->tries, LAUNCH_FIRST_MS, LAUNCH_MAX_MS));
    else
        launch_now(attempt);
}

/* ---- finding out ---- */

static void end_stopped(struct attempt *attempt)
{
    struct attempt_result result = {.ending = ATTEMPT_STOPPED};
    attempt_result_set_reason(&result, "stopped before it started");
    attempt->over(attempt, &result);
}

void attempt_stop(struct attempt *attempt)
{
    switch (attempt->state) {
    case ATTEMPT_COMMITTING: /* run.c calls again when its start is committed */
        break;
    case ATTEMPT_LAUNCHING:
        end_stopped(attempt);
        break;
    case ATTEMPT_RUNNING:
        signal_supervisor(attempt); /* or later, once it is watched */
        break;
    }
}

bool attempt_kill(struct attempt *attempt, const char *reason)
{
    if (attempt->state != ATTEMPT_RUNNING)
        return false;
    bool is_news = !attempt->kill_reason;
    if (is_news)
        attempt->kill_reason = memory_string(reason);
    signal_supervisor(attempt);
    return is_news;
}

static void log_never_ran(const struct attempt *attempt)
{
    const char *why = NULL;
    if (attempt->supervisor_status == JOB_EXIT_OTHER_FORMAT) {
        run_log_error(work_of(attempt), "attempt not started, will be launched again",
                      log_text("record", attempt->name),
                      log_text("reason", "webhookd-vessel was replaced by another version; restart "
                                         "webhookd"));
        return;
    }
    if (attempt->supervisor_status == JOB_EXIT_SHORTAGE)
        why = "its supervisor lacked memory, disk space, processes, descriptors or kernel keys";
    else if (attempt->supervisor_status >= SIGNALLED)
        why = "its supervisor was killed";
    run_log_warning(work_of(attempt), "attempt never ran, will be launched",
                    log_text("record", attempt->name), log_text("reason", why));
}

/* Queues the attempt to be launched (again) when its turn comes. */
static void never_ran(struct attempt *attempt)
{
    if (attempt->vessel->run->is_stopped) {
        end_stopped(attempt);
        return;
    }
    if (attempt->vessel->run->given_up) {
        end_interrupted(attempt, "its run was given up");
        return;
    }
    log_never_ran(attempt);
    set_state(attempt, ATTEMPT_LAUNCHING);
    give_slot(attempt);
    runner_ready_add(runner_of(attempt), attempt->vessel);
}

static void look_again(struct attempt *attempt, const char *why)
{
    if (++attempt->looks == LOOKS_SILENT)
        run_log_warning(work_of(attempt), "attempt's state not known yet, will retry",
                        log_text("record", attempt->name), log_text("reason", why));
    call_again(attempt, wait_after(attempt->looks, LOOK_FIRST_MS, LOOK_MAX_MS));
}

/* Decides by the record, whose lock is free. record_fd -1: there is no record. */
static void look_at_remains(struct attempt *attempt, int record_fd)
{
    struct error error = ERROR_INIT;
    struct attempt_result result;
    int found = record_fd < 0 ? 0 : record_read_result(record_fd, &result, &error);
    int has_started = record_fd < 0 || found != 0 ? 0 : record_has_started(record_fd);
    bool same_boot = id_equal(&attempt->boot_id, &runner_of(attempt)->boot_id);
    if (found > 0) {
        complete_result(attempt, &result);
        attempt->over(attempt, &result);
    } else if ((found < 0 && error.kind != ERROR_INVALID) || has_started < 0) {
        /* it exists and can be read later */
        look_again(attempt, found < 0 ? error.message : "the record cannot be read");
    } else if (found < 0) {
        run_log_error(work_of(attempt), "attempt's record not readable",
                      log_text("record", attempt->name), log_why(&error));
        end_interrupted(attempt, "the record of its end cannot be read");
    } else if (!same_boot) {
        end_interrupted(attempt, "the machine was restarted, or the state was restored");
    } else if (has_started > 0) {
        end_interrupted(attempt, "its supervisor ended without leaving a result");
    } else {
        never_ran(attempt);
    }
}

/* Adopts the supervisor that holds the lock. The pid in the record is trusted only if that process
 * exists and the lock is still held afterwards. */
static bool adopt(struct attempt *attempt, int record_fd)
{
    struct error gone = ERROR_INIT;
    pid_t pid = record_pid_read(record_fd);
    if (pid <= 0 || watch(attempt, pid, &gone) != 0)
        return false; /* not written yet; or its process is gone, and the lock soon will be */
    if (record_lock_is_held(record_fd) != 1) {
        stop_watching(attempt);
        return false;
    }
    if (attempt->tries == 0 && !attempt->is_adopted)
        atomic_fetch_add(&runner_of(attempt)->attempts_adopted, 1);
    attempt->is_adopted = true;
    signal_supervisor(attempt);
    return true;
}

static void look(struct attempt *attempt)
{
    struct runner *runner = runner_of(attempt);
    int record_fd = record_open(runner->attempts_fd, attempt->name);
    if (record_fd < 0 && errno != ENOENT) {
        look_again(attempt, kernel_error_text(errno));
        return;
    }
    int held = record_fd < 0 ? 0 : record_lock_is_held(record_fd);
    if (held == 1 && adopt(attempt, record_fd))
        attempt->looks = 0;
    else if (held == 1)
        look_again(attempt, "the record is locked, and the process named in it does not exist");
    else if (held < 0) /* for want of descriptors, say */
        look_again(attempt, "the record's lock cannot be queried");
    else
        look_at_remains(attempt, record_fd);
    if (record_fd >= 0)
        close(record_fd);
}

static void supervisor_gone(struct loop_watch *gone, uint32_t events)
{
    (void)events;
    struct attempt *attempt = CONTAINER_OF(gone, struct attempt, watch);
    siginfo_t info = {0};
    /* No new steps while the runner stops: the next start finds the record. */
    if (runner_of(attempt)->is_stopping) {
        stop_watching(attempt);
        return;
    }
    if (attempt->pid > 0 && waitid(P_PIDFD, (id_t)gone->fd, &info, WEXITED) != 0 && errno == EINTR)
        return; /* the descriptor stays readable */
    attempt->supervisor_status = info.si_pid == 0             ? -1
                                 : info.si_code == CLD_EXITED ? info.si_status
                                                              : SIGNALLED + info.si_status;
    attempt->pid = 0;
    stop_watching(attempt);
    look(attempt);
}

static void timer_fired(struct loop_timer *timer)
{
    struct attempt *attempt = CONTAINER_OF(timer, struct attempt, timer);
    if (runner_of(attempt)->is_stopping)
        return;
    if (attempt->state == ATTEMPT_LAUNCHING)
        launch_now(attempt);
    else if (attempt->pid > 0)
        watch_child(attempt);
    else
        look(attempt);
}

void attempt_recover(struct attempt *attempt)
{
    attempt_take_slot(attempt);
    set_state(attempt, ATTEMPT_RUNNING);
    look(attempt);
}

/* ---- after the end ---- */

void attempt_remove_record(struct runner *runner, const char *name)
{
    struct error error = ERROR_INIT;
    if (unlinkat(runner->attempts_fd, name, 0) == 0 || errno == ENOENT)
        return;
    error_set_errno(&error, errno, "cannot remove \"attempts/%s\"", name);
    log_warning("attempt's record not removed, will retry at the next start",
                log_text("record", name), log_why(&error));
}
