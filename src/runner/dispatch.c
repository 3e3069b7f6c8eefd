/* Decides which fleet gets the next free slot. Each scheduled run is scanned once, in order of
 * acceptance, and put into its fleet's queue (fair_queue.h). Each fleet in its turn starts one
 * vessel: one that is ready, or the first of the run that it claims next. Called by runner/runner
 * on the runner's thread, and by its own timer. */
#include "runner/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "runner/blueprints.h"
#include "runner/fair_queue.h"
#include "runner/step.h"
#include "runner/run.h"
#include "runner/run_log.h"
#include "runner/settings.h"

#define SCAN_RUNS   256 /* in one query */
#define SCAN_ROUNDS 16  /* queries before other work of this thread has its turn */
#define STOP_RUNS   64  /* in one query */
#define STEPS_MORE  64  /* under way, beyond 4 for each slot */
#define TRIES       30  /* to read a run, RETRY_MS apart */
#define RETRY_MS    1000

static int free_slots(const struct runner *runner)
{
    return runner->settings->slots - runner->slots_used;
}

static void try_again_later(struct runner *runner)
{
    loop_set_timer(runner->loop, &runner->claim_timer, clock_monotonic_ms() + RETRY_MS);
}

static struct run *find_run(const struct runner *runner, int64_t number)
{
    LIST_EACH(struct run, run, &runner->runs, active)
        if (run->work->number == number)
            return run;
    return NULL;
}

/* ---- finding scheduled runs ---- */

/* Puts new scheduled runs into their queues. Returns false if the store could not be read. */
static bool scan(struct runner *runner)
{
    struct fair_queue *queue = &runner->fair_queue;
    struct scheduled_run found[SCAN_RUNS];
    for (int round = 0; runner->may_have_scheduled && round < SCAN_ROUNDS; round++) {
        struct error error = ERROR_INIT;
        int count = store_find_scheduled(runner->store, queue->scanned, SCAN_RUNS, found, &error);
        if (count < 0) {
            log_warning("cannot query the scheduled fleet runs, will retry", log_why(&error));
            return false;
        }
        for (int i = 0; i < count; i++) {
            struct fleet_queue *fleet = fair_queue_get(queue, found[i].fleet_no);
            fair_queue_add_scheduled(fleet, found[i].number);
            fair_queue_enter(queue, fleet);
            queue->scanned = found[i].number;
        }
        runner->may_have_scheduled = count == SCAN_RUNS;
    }
    if (runner->may_have_scheduled)
        loop_wake(runner->loop);
    return true;
}

/* Refills a fleet's ring of scheduled runs (fair_queue.h), which is empty while the store has
 * more. */
static int fill(struct runner *runner, struct fleet_queue *fleet, struct error *error)
{
    int64_t numbers[FAIR_QUEUE_SCHEDULED];
    int64_t from = fleet->skipped_from;
    int count =
        store_find_scheduled_of(runner->store, fleet->fleet_no, from, runner->fair_queue.scanned,
                                FAIR_QUEUE_SCHEDULED, numbers, error);
    if (count < 0)
        return -1;
    fleet->skipped_from = 0;
    for (int i = 0; i < count; i++)
        fair_queue_add_scheduled(fleet, numbers[i]);
    if (count == FAIR_QUEUE_SCHEDULED)
        fleet->skipped_from = numbers[count - 1] + 1;
    return 0;
}

/* ---- claiming ---- */

/* Whether the limit in the run's own version of the fleet allows another run. */
static bool may_run(const struct fleet_queue *fleet, const struct definition *definition)
{
    return definition->max_concurrent_runs == 0 ||
           fleet->active_runs < definition->max_concurrent_runs;
}

enum claim {
    CLAIMED,
    CLAIM_NEXT, /* nothing can be claimed under this number any more */
    CLAIM_HELD, /* not now */
};

static enum claim cannot_read(struct runner *runner, struct fleet_queue *fleet,
                              const struct error *error)
{
    if (++fleet->failures < TRIES) {
        log_warning("scheduled fleet run not readable, will retry",
                    log_int("number", fair_queue_first_scheduled(fleet)), log_why(error));
        try_again_later(runner);
        return CLAIM_HELD;
    }
    log_error("scheduled fleet run not readable, skipped until the next start",
              log_int("number", fair_queue_first_scheduled(fleet)), log_why(error));
    return CLAIM_NEXT;
}

/* Claims the first run of a fleet's ring. A run with an unknown definition stays in the store, for
 * a program that understands it. */
static enum claim claim_first(struct runner *runner, struct fleet_queue *fleet)
{
    int64_t number = fair_queue_first_scheduled(fleet);
    struct error error = ERROR_INIT;
    if (find_run(runner, number)) /* claimed before its turn, to be stopped */
        return CLAIM_NEXT;
    struct run_work *work = store_load_work(runner->store, number, &error);
    if (!work)
        return error.kind == ERROR_NOT_FOUND ? CLAIM_NEXT : cannot_read(runner, fleet, &error);
    struct definition *definition =
        definition_json_read(work->definition_json, strlen(work->definition_json), &error);
    if (!definition) {
        run_log_error(work, "cannot read a fleet run's definition, the run stays scheduled",
                      log_why(&error));
        store_free_work(work);
        return CLAIM_NEXT;
    }
    if (!may_run(fleet, definition)) {
        store_free_work(work);
        definition_free(definition);
        return CLAIM_HELD;
    }
    if (blueprints_resolve(runner->store, definition, &error) != 0) {
        store_free_work(work);
        definition_free(definition);
        return cannot_read(runner, fleet, &error);
    }
    fair_queue_drop_scheduled(fleet);
    run_claim(runner, work, definition);
    return CLAIMED;
}

/* Returns true if a run was claimed. */
static bool claim(struct runner *runner, struct fleet_queue *fleet)
{
    while (!fleet->is_held && fleet->waiting == 0) {
        struct error error = ERROR_INIT;
        if (fleet->count == 0 && fleet->skipped_from > 0 && fill(runner, fleet, &error) != 0) {
            fleet->failures = 1;
            fleet->is_held = true;
            log_warning("cannot query the scheduled fleet runs, will retry", log_why(&error));
            try_again_later(runner);
            return false;
        }
        if (fleet->count == 0)
            return false;
        switch (claim_first(runner, fleet)) {
        case CLAIMED:
            return true;
        case CLAIM_NEXT:
            fair_queue_drop_scheduled(fleet);
            break;
        case CLAIM_HELD:
            fleet->is_held = true;
            break;
        }
    }
    return false;
}

/* ---- whose turn it is ---- */

static void start_one(struct fleet_queue *fleet)
{
    struct run_vessel *vessel = LIST_FIRST(&fleet->ready, struct run_vessel, ready);
    fair_queue_remove_ready(fleet, vessel);
    run_start_vessel(vessel);
}

/* Returns false if the fleet has nothing to do now. */
static bool give_turn(struct runner *runner, struct fleet_queue *fleet)
{
    if (list_is_empty(&fleet->ready) && !claim(runner, fleet))
        return false;
    if (!list_is_empty(&fleet->ready)) /* a run with no vessels but stubs has ended already */
        start_one(fleet);
    return true;
}

void dispatch(struct runner *runner)
{
    struct fair_queue *queue = &runner->fair_queue;
    if (runner->is_stopping || !runner->settings->config->runner.enabled)
        return;
    if (!scan(runner))
        try_again_later(runner);
    /* Without the bound on steps, runs that never need a slot (all stubs) or that end faster than
     * the disk writes would pile up in memory. */
    struct fleet_queue *fleet;
    while ((fleet = LIST_FIRST(&queue->turn, struct fleet_queue, turn)) && free_slots(runner) > 0 &&
           runner->step_count < 4 * runner->settings->slots + STEPS_MORE) {
        if (give_turn(runner, fleet))
            fair_queue_to_end(queue, fleet);
        else
            fair_queue_leave(queue, fleet);
    }
}

/* ---- stopping runs ---- */

/* Stops one run. A run that is still scheduled is claimed as well, to be ended immediately. Returns
 * -1 if that is not possible now. */
static int stop_one(struct runner *runner, int64_t number, struct error *error)
{
    struct run *run = find_run(runner, number);
    if (run) {
        run_stop(run);
        return 0;
    }
    struct run_work *work = store_load_work(runner->store, number, error);
    if (!work && error->kind == ERROR_NOT_FOUND) { /* it has just ended */
        error_clear(error);
        return 0;
    }
    if (!work)
        return -1;
    struct error damage = ERROR_INIT;
    struct definition *definition =
        definition_json_read(work->definition_json, strlen(work->definition_json), &damage);
    if (!definition) {
        run_log_error(work, "cannot read a fleet run's definition, the run is not stopped",
                      log_why(&damage));
        store_free_work(work);
        return 0;
    }
    run_claim(runner, work, definition);
    return 0;
}

void dispatch_stops(struct runner *runner)
{
    int64_t numbers[STOP_RUNS], last = 0;
    struct error error = ERROR_INIT;
    int count;
    while ((count = store_find_stopping(runner->store, last, STOP_RUNS, numbers, &error)) > 0) {
        for (int i = 0; i < count && !error_is_set(&error); i++)
            (void)stop_one(runner, numbers[i], &error);
        if (error_is_set(&error))
            break;
        last = numbers[count - 1];
    }
    if (!error_is_set(&error))
        return;
    log_warning("fleet runs not stopped, will retry", log_why(&error));
    atomic_store(&runner->stops, true);
    try_again_later(runner);
}

/* ---- the timer ---- */

static void try_again(struct loop_timer *timer)
{
    struct runner *runner = CONTAINER_OF(timer, struct runner, claim_timer);
    if (runner->is_stopping)
        return;
    runner->may_have_scheduled = true;
    fair_queue_release(&runner->fair_queue);
    if (atomic_exchange(&runner->stops, false))
        dispatch_stops(runner);
    dispatch(runner);
}

void dispatch_init(struct runner *runner)
{
    runner->may_have_scheduled = true;
    runner->claim_timer.fired = try_again;
}
