/* One fleet run: which vessel starts when, what has become of each, and when it is over. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_RUN_H
#define WEBHOOKD_RUNNER_RUN_H

#include "runner/core.h"
#include "runner/step.h"
#include "runner/attempt.h"

/* Takes the work and the definition over. All vessels scheduled, without ids. */
struct run *run_new(struct runner *runner, struct run_work *work, struct definition *definition);
/* Forgets the run; its vessels go on. None of its steps may be under way. */
void run_free(struct run *run);

/* A scheduled fleet run: mints its vessels' ids, and makes those ready that nothing comes before.
 * Takes the work and the definition over. */
void run_claim(struct runner *runner, struct run_work *work, struct definition *definition);
/* A run found running whose attempts have all been looked after: goes on with what is due. */
void run_resume(struct run *run);

/* Somebody asked for it: what runs is ended, what waits is not started; the run ends when the last vessel has. Again is fine. */
void run_stop(struct run *run);

/* A slot is free for this ready vessel. */
void run_start_vessel(struct run_vessel *vessel);
/* The attempt (freed here) has ended. */
void run_attempt_over(struct attempt *attempt, const struct attempt_result *outcome);
/* The step (freed here, as may be the run) is back. */
void run_step_done(struct run_step *step);

#endif
