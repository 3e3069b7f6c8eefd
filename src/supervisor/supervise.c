/* The supervisor's loop: output, the vessel's end, the cutoff, and a stop by SIGTERM. Called by
 * main.
 *
 *     STARTING ──► RUNNING ──────────────► SWEEPING ──► DONE
 *         │            │  stop or cutoff       ▲          ▲
 *         └────────────┴──────► STOPPING ──────┴──────────┘
 *
 *   STARTING  the child has not become the interpreter yet; the cutoff does not count yet
 *   STOPPING  SIGTERM was sent; the vessel and all that it started have until the grace timer fires
 *             or JOB_KILL arrives
 *   SWEEPING  SIGKILL to what is left, layer by layer: children of dead processes become ours
 *
 * STARTING also leads to SWEEPING: the child ended before it became the interpreter. In STARTING
 * and RUNNING the main process stays unreaped until its group has been killed, so that no other
 * process can get its number before then. In STOPPING it is reaped when it ends; from then on its
 * group is not signalled as a group. */
#include "supervisor/supervise.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/memory.h"
#include "supervisor/child.h"
#include "supervisor/tree.h"

enum {
    CHUNK_BYTES = 65536,
    SWEEP_MS = 50,          /* a child that /proc did not list in one look is listed in the next */
    SWEEP_LIMIT_MS = 10000, /* what survives SIGKILL for this long is stuck in the kernel */
    KILLED_CODE = 128,
    NOT_STARTED_CODE = 127,
};

enum phase { STARTING, RUNNING, STOPPING, SWEEPING, DONE };

struct supervisor {
    const struct job *job;
    struct loop *loop;
    struct child child;
    enum phase phase;
    bool main_reaped;
    bool may_pass;      /* it was not started because of a passing shortage */
    int main_status;    /* as of wait(2) */
    unsigned leftovers; /* processes that ran when the main process had ended by itself */
    int64_t sweep_until_ms;
    struct loop_watch output_watch, talk_watch, signal_watch; /* fd -1: closed */
    struct loop_timer cutoff_timer, grace_timer, sweep_timer;
    struct output *output;
    struct attempt_result *result;
};

static void set_phase(struct supervisor *supervisor, enum phase phase)
{
    switch (supervisor->phase) {
    case STARTING:
        assert(phase == RUNNING || phase == STOPPING || phase == SWEEPING);
        break;
    case RUNNING:
        assert(phase == STOPPING || phase == SWEEPING);
        break;
    case STOPPING:
        assert(phase == SWEEPING || phase == DONE);
        break;
    case SWEEPING:
        assert(phase == DONE);
        break;
    case DONE:
        assert(0);
        break;
    }
    supervisor->phase = phase;
}

static void close_watch(struct supervisor *supervisor, struct loop_watch *watch)
{
    if (watch->fd < 0)
        return;
    loop_unwatch(supervisor->loop, watch);
    close(watch->fd);
    watch->fd = -1;
}

/* ---- the end ---- */

static void finish(struct supervisor *supervisor)
{
    set_phase(supervisor, DONE);
    loop_stop(supervisor->loop);
}

static void sweep(struct supervisor *supervisor);

static void on_sweep_timer(struct loop_timer *timer)
{
    struct supervisor *supervisor = CONTAINER_OF(timer, struct supervisor, sweep_timer);
    if (supervisor->phase == SWEEPING)
        sweep(supervisor);
}

/* Reaps all children that have ended. Returns false if no child is left. */
static bool reap(struct supervisor *supervisor)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return pid == 0;
        if (pid == supervisor->child.pid) {
            supervisor->main_reaped = true;
            supervisor->main_status = status;
        }
    }
}

/* Kills the children that exist now. Called again at each child's end and by the timer. */
static void sweep(struct supervisor *supervisor)
{
    if (!reap(supervisor)) {
        finish(supervisor);
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    int taken = tree_kill_children();
    if (now_ms < supervisor->sweep_until_ms) {
        loop_set_timer(supervisor->loop, &supervisor->sweep_timer, now_ms + SWEEP_MS);
        return;
    }
    attempt_result_set_reason(supervisor->result,
                              taken > 0
                                  ? "some of its processes did not end when killed"
                                  : "some of its processes belong to another user and still run");
    finish(supervisor);
}

static void start_sweep(struct supervisor *supervisor)
{
    set_phase(supervisor, SWEEPING);
    loop_clear_timer(supervisor->loop, &supervisor->cutoff_timer);
    loop_clear_timer(supervisor->loop, &supervisor->grace_timer);
    supervisor->sweep_until_ms = clock_monotonic_ms() + SWEEP_LIMIT_MS;
    if (!supervisor->main_reaped)
        (void)kill(-supervisor->child.pid, SIGKILL); /* the whole group at the same moment */
    sweep(supervisor);
}

static void kill_all(struct supervisor *supervisor)
{
    tree_signal(supervisor->main_reaped ? 0 : supervisor->child.pid, SIGKILL);
    start_sweep(supervisor);
}

static void on_grace_timer(struct loop_timer *timer)
{
    struct supervisor *supervisor = CONTAINER_OF(timer, struct supervisor, grace_timer);
    if (supervisor->phase == STOPPING)
        kill_all(supervisor);
}

static void stop(struct supervisor *supervisor, enum attempt_ending ending)
{
    if (supervisor->phase != STARTING && supervisor->phase != RUNNING)
        return; /* it is ending already: a second request changes nothing */
    set_phase(supervisor, STOPPING);
    supervisor->result->ending = ending;
    loop_clear_timer(supervisor->loop, &supervisor->cutoff_timer);
    tree_signal(supervisor->child.pid, SIGTERM);
    loop_set_timer(supervisor->loop, &supervisor->grace_timer,
                   clock_monotonic_ms() + supervisor->job->stop_grace_ms);
}

/* JOB_KILL. */
static void stop_without_grace(struct supervisor *supervisor)
{
    switch (supervisor->phase) {
    case STARTING:
    case RUNNING:
        set_phase(supervisor, STOPPING);
        supervisor->result->ending = ATTEMPT_OVER_DISK;
        kill_all(supervisor);
        break;
    case STOPPING:
        kill_all(supervisor); /* what it was stopped for stays the reason */
        break;
    case SWEEPING:
    case DONE:
        break;
    }
}

static void on_cutoff_timer(struct loop_timer *timer)
{
    stop(CONTAINER_OF(timer, struct supervisor, cutoff_timer), ATTEMPT_CUTOFF);
}

/* ---- what happens ---- */

static void on_output(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct supervisor *supervisor = CONTAINER_OF(watch, struct supervisor, output_watch);
    if (output_copy(supervisor->output, watch->fd, CHUNK_BYTES) <= 0)
        close_watch(supervisor, watch); /* the vessel may go on without any */
}

static void on_talk(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct supervisor *supervisor = CONTAINER_OF(watch, struct supervisor, talk_watch);
    struct error why = ERROR_INIT;
    child_read_report(&supervisor->child, &why);
    close_watch(supervisor, watch);
    if (error_is_set(&why)) {
        supervisor->result->ending = ATTEMPT_NOT_STARTED;
        supervisor->may_pass = error_may_pass(&why);
        attempt_result_set_reason(supervisor->result, why.message);
        return; /* the child's end comes next */
    }
    supervisor->result->started_ms = clock_wall_ms();
    if (supervisor->phase != STARTING)
        return;
    set_phase(supervisor, RUNNING);
    if (supervisor->job->cutoff_ms > 0)
        loop_set_timer(supervisor->loop, &supervisor->cutoff_timer,
                       clock_monotonic_ms() + supervisor->job->cutoff_ms);
}

/* Whether the main process has ended. Reaps the vessel's orphans, but not the main process, whose
 * number must stay taken until its group is killed. */
static bool main_has_ended(const struct supervisor *supervisor)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return false;
        if (info.si_pid == supervisor->child.pid)
            return true;
        (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}

/* Call it before anything is killed. In strict mode pid 1 of the sandbox has ended them already. */
static void count_leftovers(struct supervisor *supervisor)
{
    const struct child *child = &supervisor->child;
    supervisor->leftovers =
        child->leftovers ? atomic_load(child->leftovers) : tree_count(child->pid);
}

static void on_child_ended(struct supervisor *supervisor)
{
    switch (supervisor->phase) {
    case STARTING:
    case RUNNING:
        if (main_has_ended(supervisor)) {
            if (supervisor->talk_watch.fd >= 0)
                on_talk(&supervisor->talk_watch, 0); /* the stream ends with its only writer */
            count_leftovers(supervisor);
            start_sweep(supervisor);
        }
        break;
    case STOPPING:
        if (!reap(supervisor))
            finish(supervisor);
        break;
    case SWEEPING:
        sweep(supervisor);
        break;
    case DONE:
        break;
    }
}

static void on_signal(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct supervisor *supervisor = CONTAINER_OF(watch, struct supervisor, signal_watch);
    struct signalfd_siginfo info;
    if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGTERM && info.ssi_code == SI_QUEUE && info.ssi_int == JOB_KILL)
        stop_without_grace(supervisor);
    else if (info.ssi_signo == SIGTERM)
        stop(supervisor, ATTEMPT_STOPPED);
    else
        on_child_ended(supervisor);
}

/* ---- setting up ---- */

static int open_signals(struct error *error)
{
    sigset_t watched;
    (void)sigemptyset(&watched);
    (void)sigaddset(&watched, SIGTERM);
    (void)sigaddset(&watched, SIGCHLD);
    int fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        error_set_errno(error, errno, "cannot create a signalfd");
    return fd;
}

static int watch(struct supervisor *supervisor, struct error *error)
{
    supervisor->output_watch = (struct loop_watch){supervisor->child.output_fd, on_output};
    supervisor->talk_watch = (struct loop_watch){supervisor->child.talk_fd, on_talk};
    if (loop_watch(supervisor->loop, &supervisor->output_watch, EPOLLIN, error) != 0 ||
        loop_watch(supervisor->loop, &supervisor->talk_watch, EPOLLIN, error) != 0 ||
        loop_watch(supervisor->loop, &supervisor->signal_watch, EPOLLIN, error) != 0)
        return -1;
    return 0;
}

/* Starts the child, and creates the loop while the child prepares itself, on another core if there
 * is one. */
static int start(struct supervisor *supervisor, const struct job *job, struct error *error)
{
    if (child_start(job, &supervisor->child, error) != 0)
        return -1;
    supervisor->loop = loop_new(error);
    if (supervisor->loop)
        supervisor->signal_watch = (struct loop_watch){open_signals(error), on_signal};
    if (error_is_set(error) || watch(supervisor, error) != 0) {
        (void)kill(supervisor->child.pid, SIGKILL); /* it is waiting, and nothing was started */
        loop_free(supervisor->loop);
        return -1;
    }
    child_let_go(&supervisor->child);
    return 0;
}

/* They end without a trace otherwise, and a script that starts a server looks like a success. */
static void say_leftovers(const struct supervisor *supervisor)
{
    char text[100];
    unsigned count = supervisor->leftovers;
    (void)snprintf(text, sizeof(text), "ended %u process%s that the vessel left running", count,
                   count == 1 ? "" : "es");
    if (count > 0)
        output_say(supervisor->output, text);
}

static void conclude(struct supervisor *supervisor)
{
    struct attempt_result *result = supervisor->result;
    if (supervisor->output_watch.fd >= 0)
        output_drain(supervisor->output, supervisor->output_watch.fd);
    say_leftovers(supervisor);
    int status = supervisor->main_status;
    if (result->ending == ATTEMPT_NOT_STARTED) {
        result->exit_code = NOT_STARTED_CODE;
        result->started_ms = 0;
    } else if (!supervisor->main_reaped) {
        result->exit_code = KILLED_CODE + SIGKILL;
    } else {
        result->exit_code =
            WIFSIGNALED(status) ? KILLED_CODE + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

bool supervise(const struct job *job, struct output *output, struct attempt_result *result)
{
    struct error error = ERROR_INIT;
    struct supervisor supervisor = {
        .job = job,
        .phase = STARTING,
        .cutoff_timer.fired = on_cutoff_timer,
        .grace_timer.fired = on_grace_timer,
        .sweep_timer.fired = on_sweep_timer,
        .output = output,
        .result = result,
    };
    result->ending = ATTEMPT_EXITED;
    if (start(&supervisor, job, &error) != 0) {
        result->ending = ATTEMPT_NOT_STARTED;
        result->exit_code = NOT_STARTED_CODE;
        attempt_result_set_reason(result, error.message);
        return !error_may_pass(&error);
    }
    if (loop_run(supervisor.loop, &error) != 0) {
        tree_signal(supervisor.main_reaped ? 0 : supervisor.child.pid, SIGKILL);
        attempt_result_set_reason(result, error.message);
    }
    conclude(&supervisor);
    loop_free(supervisor.loop); /* the exit of the process closes the descriptors */
    return !(result->ending == ATTEMPT_NOT_STARTED && supervisor.may_pass);
}
