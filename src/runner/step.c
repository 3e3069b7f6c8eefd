/* Steps of runs in the commit queue. The runner's thread never waits for them: `done` posts the step back to it. One step is one
 * savepoint, so a run's state changes as a whole: the end of its last attempt, of the vessels that will not run any more, and its own.
 *
 * The queue keeps the runner's operations in order. So a step may build on an earlier one that is not committed yet. */
#include "runner/step.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- the committer's side ---- */

static int apply_vessel_ends(const struct run_step *step, struct store *store, struct error *error)
{
    for (size_t i = 0; i < step->vessel_end_count; i++) {
        const struct vessel_end *end = &step->vessel_ends[i];
        if (store_end_vessel(store, step->run->work->number, (int)end->vessel, end->status,
                             end->reason, step->now_ms, error) != 0)
            return -1;
    }
    return 0;
}

/* Reads nothing of the run but what never changes. */
static int step_apply(struct commit_op *op, struct store *store, struct error *error)
{
    const struct run_step *step = CONTAINER_OF(op, struct run_step, op);
    const struct run *run = step->run;
    int64_t number = run->work->number;
    int vessel = (int)step->attempt.vessel;
    if (step->starts_run && store_start_run(store, number, run->definition, run->vessel_run_ids,
                                            step->now_ms, error) != 0)
        return -1;
    if (step->ends_attempt && store_end_attempt(store, number, vessel, step->attempt.number,
                                                &step->attempt.result, error) != 0)
        return -1;
    if (step->starts_attempt &&
        store_start_attempt(store, number, vessel, step->attempt.number, &step->attempt.boot_id,
                            step->now_ms, error) != 0)
        return -1;
    if (apply_vessel_ends(step, store, error) != 0)
        return -1;
    return step->ends_run ? store_end_run(store, number, step->run_status, step->now_ms, error) : 0;
}

static void step_done(struct commit_op *op, const struct error *error)
{
    struct run_step *step = CONTAINER_OF(op, struct run_step, op);
    if (error)
        step->error = *error;
    runner_post(step->run->runner, step);
}

static const struct commit_kind run_step_kind = {
    .name = "run step",
    .class = COMMIT_RUNNER,
    .many_statements = true,
    .apply = step_apply,
    .done = step_done,
};

/* ---- the runner's side ---- */

struct run_step *step_new(struct run *run, int64_t now_ms)
{
    struct run_step *step = memory_alloc(sizeof(*step));
    step->op.kind = &run_step_kind;
    step->run = run;
    step->now_ms = now_ms;
    return step;
}

void step_free(struct run_step *step)
{
    if (!step)
        return;
    free(step->vessel_ends);
    free(step);
}

void step_end_vessel(struct run_step *step, size_t vessel, enum vessel_status status,
                     const char *reason)
{
    step->vessel_ends =
        memory_array(step->vessel_ends, step->vessel_end_count + 1, sizeof(*step->vessel_ends));
    step->vessel_ends[step->vessel_end_count++] = (struct vessel_end){vessel, status, reason};
}

bool step_is_empty(const struct run_step *step)
{
    return !step->starts_run && !step->ends_attempt && !step->starts_attempt &&
           step->vessel_end_count == 0 && !step->ends_run;
}

void step_submit(struct run_step *step)
{
    struct run *run = step->run;
    struct runner *runner = run->runner;
    assert(!step_is_empty(step) && !(step->starts_attempt && step->ends_attempt));
    step->op.bytes = sizeof(*step) + step->vessel_end_count * sizeof(*step->vessel_ends);
    if (step->starts_run)
        step->op.bytes += run->definition->vessel_count * sizeof(*run->vessels);
    list_prepend(&runner->steps, &step->under_way);
    runner->step_count++;
    run->steps_under_way++;
    struct error error = ERROR_INIT;
    if (commit_submit(runner->options.queue, &step->op, &error) != 0) {
        step->error = error;
        runner_post(runner, step);
    }
}

void step_take_back(struct run_step *step)
{
    struct runner *runner = step->run->runner;
    list_remove(&runner->steps, &step->under_way);
    runner->step_count--;
    step->run->steps_under_way--;
}

void step_withdraw_all(struct runner *runner, bool only_starts)
{
    LIST_EACH(struct run_step, step, &runner->steps, under_way) {
        if (only_starts && !step->starts_attempt)
            continue;
        if (commit_withdraw(runner->options.queue, &step->op)) {
            step_take_back(step);
            step_free(step);
        }
    }
}
