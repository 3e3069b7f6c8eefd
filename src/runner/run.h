/* One fleet run: which vessel starts when, what has become of each one, and when the run is over.
 * On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_RUN_H
#define WEBHOOKD_RUNNER_RUN_H

#include "runner/core.h"
#include "runner/step.h"
#include "runner/attempt.h"

/* Takes ownership of the work and the definition. All vessels are scheduled, without ids. */
struct run *run_new(struct runner *runner, struct run_work *work, struct definition *definition);
/* Frees the run; its vessels go on. None of its steps may be under way. */
void run_free(struct run *run);

/* Claims a scheduled fleet run: mints the ids of its vessel runs and makes the vessels without
 * predecessors ready. Takes ownership of the work and the definition. */
void run_claim(struct runner *runner, struct run_work *work, struct definition *definition);
/* Goes on with a run that was running at the start, once all its attempts are recovered. */
void run_resume(struct run *run);

/* Stops the run: ends its running vessels and starts no others; the run ends with its last vessel.
 * May be called again. */
void run_stop(struct run *run);

/* Kills the vessels of a run that occupies too much disk, for this reason. The fleet's rules for
 * errors decide what follows. May be called again. */
void run_kill_vessels(struct run *run, const char *reason);

/* Starts a ready vessel, for which a slot must be free. */
void run_start_vessel(struct run_vessel *vessel);
/* Handles the end of an attempt, and frees the attempt. */
void run_attempt_over(struct attempt *attempt, const struct attempt_result *outcome);
/* Handles a step that is back from the committer. Frees the step, and the run if that is over. */
void run_step_done(struct run_step *step);

#endif
