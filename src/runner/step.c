/* Steps of runs in the commit queue. The runner's thread never waits for them: `done`, on the
 * committer's thread, posts the step back to it. One step is one savepoint, so a run's state
 * changes as a whole: the end of its last attempt, the ends of the vessels that will not run any
 * more, and its own end.
 *
 * The queue keeps the runner's operations in order, so a step may build on an earlier one that is
 * not committed yet. */
#include "runner/step.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- the committer's side ---- */

static void step_describe(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_STEP;
    item->step = &CONTAINER_OF(op, struct run_step, op)->what;
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
    .describe = step_describe,
    .done = step_done,
};

/* ---- the runner's side ---- */

struct run_step *step_new(struct run *run, int64_t now_ms)
{
    struct run_step *step = memory_alloc(sizeof(*step));
    step->op.kind = &run_step_kind;
    step->run = run;
    step->what = (struct store_step){.number = run->work->number,
                                     .now_ms = now_ms,
                                     .definition = run->definition,
                                     .vessel_run_ids = run->vessel_run_ids,
                                     .result = &step->result};
    return step;
}

void step_free(struct run_step *step)
{
    if (!step)
        return;
    free(step->vessel_ends);
    free(step);
}

static void add_vessel_end(struct run_step *step, const struct store_vessel_end *end)
{
    struct store_step *what = &step->what;
    step->vessel_ends =
        memory_array(step->vessel_ends, what->vessel_end_count + 1, sizeof(*step->vessel_ends));
    step->vessel_ends[what->vessel_end_count++] = *end;
    what->vessel_ends = step->vessel_ends;
}

void step_end_vessel(struct run_step *step, size_t vessel, enum vessel_status status,
                     const char *reason)
{
    const struct store_vessel_end end = {.vessel = vessel, .status = status, .reason = reason};
    add_vessel_end(step, &end);
}

void step_skip_vessel(struct run_step *step, size_t vessel, enum vessel_status status)
{
    const struct store_vessel_end end = {.vessel = vessel,
                                         .status = status,
                                         .reason = OVERRIDES_SKIPPED_REASON,
                                         .is_skipped = true,
                                         .exit_code = status == VESSEL_SUCCESS ? 0 : 1,
                                         .output_bytes = sizeof(OVERRIDES_SKIPPED_OUTPUT) - 1};
    add_vessel_end(step, &end);
}

bool step_is_empty(const struct run_step *step)
{
    const struct store_step *what = &step->what;
    return !what->starts_run && !what->ends_attempt && !what->starts_attempt &&
           what->vessel_end_count == 0 && !what->ends_run;
}

void step_submit(struct run_step *step)
{
    struct run *run = step->run;
    struct runner *runner = run->runner;
    assert(!step_is_empty(step) && !(step->what.starts_attempt && step->what.ends_attempt));
    step->op.bytes = sizeof(*step) + step->what.vessel_end_count * sizeof(*step->vessel_ends);
    if (step->what.starts_run)
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
        if (only_starts && !step->what.starts_attempt)
            continue;
        if (commit_withdraw(runner->options.queue, &step->op)) {
            step_take_back(step);
            step_free(step);
        }
    }
}
