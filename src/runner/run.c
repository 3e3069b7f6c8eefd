/* A fleet run's life between its claim and its end. On the runner's thread (at recovery, on that of
 * runner_start): called when a slot is free, when an attempt is over, when a step is back, when the
 * run is to be stopped, and by its retry timers.
 *
 *     claim ─► vessels ready ─► start (step: run and attempt start) ─► committed: launch ─┐
 *                  ▲                                                                      ▼
 *                  └── committed ◄────────── over (step: attempt, vessels and run end) ◄──┘
 *
 * Statuses in memory are ahead of the store by the steps under way; the queue keeps those in
 * order. */
#include "runner/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "runner/disk_watch.h"
#include "runner/run_log.h"
#include "runner/trash.h"
#include "runner/vessel_packages.h"

#define STOP_REASON "stopped"
#define STUB_REASON "not available here"

/* ---- states: nothing else changes them; model/ defines the transitions ---- */

static void run_set_state(struct run *run, enum run_status status)
{
    assert(run_status_may_follow(run->status, status));
    run->status = status;
}

static void run_set_vessel_state(struct run *run, size_t vessel, enum vessel_status status)
{
    assert(vessel_status_may_follow(run->statuses[vessel], status));
    run->statuses[vessel] = status;
}

/* ---- new and free ---- */

static void retry_is_due(struct loop_timer *timer);

struct run *run_new(struct runner *runner, struct run_work *work, struct definition *definition)
{
    struct run *run = memory_alloc(sizeof(*run));
    size_t count = definition->vessel_count;
    run->runner = runner;
    run->fleet_queue = fair_queue_get(&runner->fair_queue, work->fleet_no);
    fair_queue_run_begins(run->fleet_queue);
    run->work = work;
    run->definition = definition;
    run->status = work->status;
    run->started_ms = work->started_ms;
    run->is_stopped = work->is_stopped;
    run->vessels = memory_alloc(count * sizeof(*run->vessels));
    run->statuses = memory_alloc(count * sizeof(*run->statuses));
    run->vessel_run_ids = memory_alloc(count * sizeof(*run->vessel_run_ids));
    run->plan = memory_alloc(count * sizeof(*run->plan));
    for (size_t i = 0; i < count; i++) {
        run->vessels[i].run = run;
        run->vessels[i].index = i;
        run->vessels[i].retry_timer.fired = retry_is_due;
        run->statuses[i] = VESSEL_SCHEDULED;
    }
    list_prepend(&runner->runs, &run->active);
    atomic_fetch_add(&runner->active_runs, 1);
    return run;
}

void run_free(struct run *run)
{
    struct runner *runner = run->runner;
    assert(run->steps_under_way == 0);
    for (size_t i = 0; i < run->definition->vessel_count; i++) {
        runner_ready_remove(&run->vessels[i]);
        loop_clear_timer(runner->loop, &run->vessels[i].retry_timer);
        attempt_free(run->vessels[i].attempt);
        vessel_packages_drop(&run->vessels[i]);
    }
    list_remove(&runner->runs, &run->active);
    atomic_fetch_sub(&runner->active_runs, 1);
    disk_watch_remove(runner->disk_watch, run->disk);
    fair_queue_run_over(&runner->fair_queue, run->fleet_queue);
    loop_wake(runner->loop); /* another one may be claimed */
    step_free(run->first);
    store_free_work(run->work);
    definition_free(run->definition);
    free(run->vessels);
    free(run->statuses);
    free(run->vessel_run_ids);
    free(run->plan);
    free(run);
}

/* Frees the run once nothing can call back into it. */
static void run_free_if_over(struct run *run)
{
    bool is_over = run->given_up || run_status_has_ended(run->status);
    if (is_over && run->steps_under_way == 0 && run->attempts_under_way == 0)
        run_free(run);
}

/* ---- planning ---- */

static void end_vessel(struct run *run, struct run_step *step, size_t vessel,
                       enum vessel_status status, const char *reason)
{
    run_set_vessel_state(run, vessel, status);
    step_end_vessel(step, vessel, status, reason);
}

/* Ends, in the step, a vessel whose status the run's overrides give. They are in the store, so a
 * claim that is repeated after a crash leads to the same plan. Returns false if there is no such
 * override. */
static bool skip_vessel(struct run *run, struct run_step *step, size_t vessel)
{
    const struct vessel_override *override =
        overrides_find(&run->work->overrides, run->definition->vessels[vessel].name);
    if (!override || override->status == OVERRIDE_RUN)
        return false;
    enum vessel_status status =
        override->status == OVERRIDE_SUCCESS ? VESSEL_SUCCESS : VESSEL_ERRORED;
    run_set_vessel_state(run, vessel, VESSEL_RUNNING);
    run_set_vessel_state(run, vessel, status);
    step_skip_vessel(step, vessel, status);
    return true;
}

/* Ends, in the step, a vessel that will never be launched. Returns false if the vessel is not one
 * of those. */
static bool settle_vessel(struct run *run, struct run_step *step, size_t vessel)
{
    switch (run->plan[vessel]) {
    case PLAN_WAIT:
        return false;
    case PLAN_INCOMPLETE:
        end_vessel(run, step, vessel, VESSEL_INCOMPLETE, "");
        return true;
    case PLAN_START:
        if (run->is_stopped) {
            end_vessel(run, step, vessel, VESSEL_TERMINATED, STOP_REASON);
            return true;
        }
        if (skip_vessel(run, step, vessel))
            return true;
        if (run->definition->vessels[vessel].kind != VESSEL_STUB)
            return false;
        run_set_vessel_state(run, vessel, VESSEL_RUNNING);
        end_vessel(run, step, vessel, VESSEL_ERRORED, STUB_REASON);
        return true;
    }
    return false;
}

static void begin(struct run *run, struct run_step *step)
{
    run_set_state(run, RUN_RUNNING);
    run->started_ms = step->what.now_ms;
    step->what.starts_run = true;
}

/* Puts into the step what follows from the statuses: the vessels that end without an attempt, as
 * far as that spreads, and the end of the run if nothing is left to do. */
static void settle(struct run *run, struct run_step *step)
{
    bool changed = true;
    for (size_t i = 0; run->is_stopped && i < run->definition->vessel_count; i++)
        if (run->statuses[i] == VESSEL_RETRYING && !run->vessels[i].attempt)
            end_vessel(run, step, i, VESSEL_TERMINATED, STOP_REASON);
    while (changed) {
        changed = false;
        plan_next(run->definition, run->statuses, run->plan);
        for (size_t i = 0; i < run->definition->vessel_count; i++)
            changed |= settle_vessel(run, step, i);
    }
    enum run_status status = plan_run_status(run->statuses, run->definition->vessel_count);
    if (!run_status_has_ended(status))
        return;
    if (run->status == RUN_SCHEDULED)
        begin(run, step);
    run_set_state(run, status);
    step->what.ends_run = true;
    step->what.run_status = status;
}

/* Returns how long a retry still has to wait. The wall clock may have been set meanwhile, so the
 * wait is never longer than the fleet says. */
static int64_t retry_wait_ms(const struct run_vessel *vessel)
{
    int64_t most_ms = vessel->run->definition->vessels[vessel->index].guardrails.retry_wait_ms;
    int64_t wait_ms = vessel->retry_at_ms - clock_wall_ms();
    return wait_ms < most_ms ? wait_ms : most_ms;
}

static void make_retry_ready(struct run_vessel *vessel)
{
    int64_t wait_ms = vessel->retry_at_ms == 0 ? 0 : retry_wait_ms(vessel);
    struct runner *runner = vessel->run->runner;
    if (wait_ms <= 0)
        vessel_packages_await(vessel);
    else
        loop_set_timer(runner->loop, &vessel->retry_timer, clock_monotonic_ms() + wait_ms);
}

static void retry_is_due(struct loop_timer *timer)
{
    struct run_vessel *vessel = CONTAINER_OF(timer, struct run_vessel, retry_timer);
    struct run *run = vessel->run;
    vessel->retry_at_ms = 0;
    if (!run->given_up && !run->is_stopped && !run->runner->is_stopping && !vessel->is_ready &&
        !vessel->waits_for_packages && run->statuses[vessel->index] == VESSEL_RETRYING &&
        !vessel->attempt)
        vessel_packages_await(vessel);
}

/* Queues the vessels that the plan would start now. Call it after settle(). */
static void make_ready(struct run *run)
{
    if (run->given_up || run->is_stopped)
        return;
    plan_next(run->definition, run->statuses, run->plan);
    for (size_t i = 0; i < run->definition->vessel_count; i++) {
        struct run_vessel *vessel = &run->vessels[i];
        if (vessel->is_ready || vessel->waits_for_packages || vessel->attempt)
            continue;
        if (run->statuses[i] == VESSEL_RETRYING)
            make_retry_ready(vessel);
        else if (run->plan[i] == PLAN_START)
            vessel_packages_await(vessel);
    }
}

/* ---- claim and resume ---- */

void run_claim(struct runner *runner, struct run_work *work, struct definition *definition)
{
    struct run *run = run_new(runner, work, definition);
    for (size_t i = 0; i < definition->vessel_count; i++)
        run->vessel_run_ids[i] = id_ordered();
    struct run_step *step = step_new(run, clock_wall_ms());
    settle(run, step);
    if (step->what.ends_run) {
        step_submit(step);
        return;
    }
    /* A run becomes running in the transaction of its first attempt (invariant 4). */
    run->first = step;
    vessel_packages_prepare(run);
    make_ready(run);
}

void run_resume(struct run *run)
{
    if (run_status_has_ended(run->status))
        return;
    struct run_step *step = step_new(run, clock_wall_ms());
    settle(run, step);
    if (step_is_empty(step))
        step_free(step);
    else
        step_submit(step);
    vessel_packages_prepare(run);
    make_ready(run);
}

/* ---- stop ---- */

void run_stop(struct run *run)
{
    if (run->is_stopped || run->given_up || run_status_has_ended(run->status))
        return;
    run->is_stopped = true;
    run_log_info(run->work, "fleet run is being stopped");
    for (size_t i = 0; i < run->definition->vessel_count; i++) {
        runner_ready_remove(&run->vessels[i]);
        loop_clear_timer(run->runner->loop, &run->vessels[i].retry_timer);
        if (!run->vessels[i].attempt)
            vessel_packages_drop(&run->vessels[i]);
    }
    struct run_step *step = run->first ? run->first : step_new(run, clock_wall_ms());
    run->first = NULL;
    step->what.now_ms = clock_wall_ms();
    settle(run, step);
    if (step_is_empty(step))
        step_free(step);
    else
        step_submit(step);
    /* Each of them may end immediately. Even if the last one ends the run, the run is freed only
     * when its step is back. */
    for (size_t i = 0; i < run->definition->vessel_count; i++)
        if (run->vessels[i].attempt)
            attempt_stop(run->vessels[i].attempt);
}

/* ---- too much disk ---- */

void run_kill_vessels(struct run *run, const char *reason)
{
    bool is_news = false;
    for (size_t i = 0; i < run->definition->vessel_count; i++)
        if (run->vessels[i].attempt)
            is_news |= attempt_kill(run->vessels[i].attempt, reason);
    if (is_news)
        run_log_warning(run->work, "vessels killed for their use of the disk",
                        log_text("reason", reason));
}

/* ---- an attempt's start ---- */

void run_start_vessel(struct run_vessel *vessel)
{
    struct run *run = vessel->run;
    if (vessel->attempt) { /* its start is committed, and it provably never ran */
        attempt_take_slot(vessel->attempt);
        attempt_launch(vessel->attempt);
        return;
    }
    int64_t now_ms = clock_wall_ms();
    struct run_step *step = run->first ? run->first : step_new(run, now_ms);
    run->first = NULL;
    step->what.now_ms = now_ms;
    if (run->status == RUN_SCHEDULED)
        begin(run, step);
    run_set_vessel_state(run, vessel->index, VESSEL_RUNNING);
    if (vessel->started_ms == 0)
        vessel->started_ms = now_ms;
    vessel->attempts++;
    vessel->attempt =
        attempt_new(vessel, vessel->attempts, &run->runner->boot_id, run_attempt_over);
    attempt_take_slot(vessel->attempt);
    step->what.starts_attempt = true;
    step->what.vessel = vessel->index;
    step->what.attempt = vessel->attempts;
    step->what.boot_id = run->runner->boot_id;
    step_submit(step);
    attempt_prepare(vessel->attempt);
}

/* ---- an attempt's end ---- */

/* Returns when the attempt ended: if webhookd was away then, earlier than now. */
static int64_t end_of(const struct attempt_result *result)
{
    int64_t now_ms = clock_wall_ms();
    return result->ended_ms == 0 || result->ended_ms > now_ms ? now_ms : result->ended_ms;
}

static struct run_step *end_step(const struct attempt *attempt, const struct attempt_result *result)
{
    struct run_step *step = step_new(attempt->vessel->run, end_of(result));
    step->what.ends_attempt = true;
    step->what.vessel = attempt->vessel->index;
    step->what.attempt = attempt->number;
    step->status = attempt_result_status(result);
    step->result = *result;
    if (result->ended_ms == 0)
        step->result.ended_ms = step->what.now_ms;
    snprintf(step->attempt_name, sizeof(step->attempt_name), "%s", attempt->name);
    return step;
}

/* Whether the vessel is to run again: immediately after an interruption, if on_interrupt is RERUN;
 * after an error, as often as retry_count allows, each time after retry_wait. Counts the retry. */
static bool is_tried_again(struct run_vessel *vessel, const struct attempt_result *result)
{
    const struct definition *definition = vessel->run->definition;
    const struct definition_vessel *what = &definition->vessels[vessel->index];
    vessel->retry_at_ms = 0;
    if (vessel->run->is_stopped)
        return false;
    if (result->ending == ATTEMPT_INTERRUPTED)
        return definition->on_interrupt == INTERRUPT_RERUN;
    if (attempt_result_status(result) != VESSEL_ERRORED || result->ending == ATTEMPT_REFUSED ||
        !plan_retries(what, result->has_exit_code ? result->exit_code : -1, vessel->retries))
        return false;
    vessel->retries++;
    int64_t ended_ms = result->ended_ms != 0 ? result->ended_ms : clock_wall_ms();
    vessel->retry_at_ms = ended_ms + what->guardrails.retry_wait_ms;
    return true;
}

void run_attempt_over(struct attempt *attempt, const struct attempt_result *result)
{
    struct run_vessel *vessel = attempt->vessel;
    struct run *run = vessel->run;
    struct runner *runner = run->runner;
    atomic_fetch_add(&runner->attempts_ended, 1);
    if (result->ending == ATTEMPT_INTERRUPTED)
        atomic_fetch_add(&runner->attempts_interrupted, 1);
    if (result->ending == ATTEMPT_OVER_DISK)
        atomic_fetch_add(&runner->attempts_over_disk, 1);
    struct run_step *step = run->given_up ? NULL : end_step(attempt, result);
    vessel->attempt = NULL;
    attempt_free(attempt);
    vessel_packages_drop(vessel);
    if (!step) {
        run_free_if_over(run);
        return;
    }
    if (is_tried_again(vessel, result)) {
        run_set_vessel_state(run, vessel->index, VESSEL_RETRYING);
        step->status = VESSEL_RETRYING;
    } else {
        end_vessel(run, step, vessel->index, step->status, step->result.reason);
        settle(run, step);
    }
    step_submit(step);
}

/* ---- the return of a step ---- */

static void log_attempt_end(const struct run *run, const struct run_step *step)
{
    const struct attempt_result *result = &step->result;
    const struct run_vessel *vessel = &run->vessels[step->what.vessel];
    int64_t started_ms = result->started_ms != 0 ? result->started_ms : vessel->started_ms;
    char exit_code[16] = "";
    if (result->has_exit_code)
        snprintf(exit_code, sizeof(exit_code), "%d", result->exit_code);
    run_log_info(run->work, "attempt ended",
                 log_text("vessel", run->definition->vessels[step->what.vessel].name),
                 log_int("attempt", step->what.attempt),
                 log_text("status", vessel_status_name(step->status)),
                 log_text("exit", result->has_exit_code ? exit_code : NULL),
                 log_int("duration_ms", result->ended_ms - started_ms),
                 log_text("reason", result->reason[0] != '\0' ? result->reason : NULL));
}

/* The run's end is committed, so its working folder is not needed any more. */
static void run_ended(struct run *run, const struct run_step *step)
{
    struct error error = ERROR_INIT;
    char name[ID_TEXT_BYTES];
    id_format(&run->work->ids.run_id, name);
    if (trash_discard(run->runner->trash, run->runner->runs_fd, name, &error) != 0)
        run_log_warning(run->work, "working folder not removed, will retry at the next start",
                        log_why(&error));
    run_log_info(run->work, "fleet run ended",
                 log_text("status", run_status_name(step->what.run_status)),
                 log_int("duration_ms", step->what.now_ms - run->started_ms));
}

/* The store refused a step that should always be accepted. What runs is left alone; the next start
 * examines the run again. */
static void give_up(struct run *run, const struct error *error)
{
    struct runner *runner = run->runner;
    if (!run->given_up && !runner->is_stopping)
        run_log_error(run->work, "fleet run given up until the next start", log_why(error));
    run->given_up = true;
    for (size_t i = 0; i < run->definition->vessel_count; i++) {
        struct run_vessel *vessel = &run->vessels[i];
        runner_ready_remove(vessel);
        if (vessel->attempt && vessel->attempt->state != ATTEMPT_RUNNING) {
            attempt_free(vessel->attempt);
            vessel->attempt = NULL;
        }
        if (!vessel->attempt)
            vessel_packages_drop(vessel);
    }
}

static void tell(const struct run *run, enum run_status status)
{
    const struct runner_options *options = &run->runner->options;
    if (options->run_changed)
        options->run_changed(options->context, &run->work->ids, status);
}

static void step_committed(struct run *run, const struct run_step *step)
{
    if (step->what.starts_run)
        tell(run, RUN_RUNNING);
    if (step->what.ends_run)
        tell(run, step->what.run_status);
    if (step->what.starts_attempt) {
        struct attempt *attempt = run->vessels[step->what.vessel].attempt;
        atomic_fetch_add(&run->runner->attempts_started, 1);
        if (!attempt)
            return;
        attempt_committed(attempt);
        if (run->is_stopped)
            attempt_stop(attempt);
        else
            attempt_launch(attempt);
        return;
    }
    if (step->what.ends_attempt) {
        log_attempt_end(run, step);
        attempt_remove_record(run->runner, step->attempt_name);
    }
    if (step->what.ends_run)
        run_ended(run, step);
    else
        make_ready(run);
}

void run_step_done(struct run_step *step)
{
    struct run *run = step->run;
    step_take_back(step);
    if (error_is_set(&step->error))
        give_up(run, &step->error);
    else
        step_committed(run, step);
    step_free(step);
    run_free_if_over(run);
}
