/* Decides which vessels of a run start next, which can no longer run, and how the run ended. Pure
 * functions of the graph and the statuses; any thread. */
#ifndef WEBHOOKD_MODEL_PLAN_H
#define WEBHOOKD_MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/definition.h"
#include "model/run_status.h"
#include "model/vessel_status.h"

enum plan_verdict {
    PLAN_WAIT,       /* a predecessor has not ended, or the vessel is not scheduled any more */
    PLAN_START,      /* all predecessors have ended, and the conditions of all paths hold */
    PLAN_INCOMPLETE, /* all predecessors have ended, but the condition of a path does not hold */
};

/* Reads the statuses and writes a verdict for each of the definition->vessel_count vessels to
 * `verdicts`. The caller sets the vessels with PLAN_INCOMPLETE to that status and calls this again
 * until there are none: incompleteness spreads along the paths. */
void plan_next(const struct definition *definition, const enum vessel_status *statuses,
               enum plan_verdict *verdicts);

/* Whether a vessel that errored with this exit code (-1 = it has none) is tried again after this
 * many retries (guardrails: retry_count, excluded). */
bool plan_retries(const struct definition_vessel *vessel, int exit_code, int retries);

/* Returns RUN_RUNNING until all vessels have ended. Then terminated takes precedence over errored,
 * and errored over success. Incomplete vessels do not count. */
enum run_status plan_run_status(const enum vessel_status *statuses, size_t count);

#endif
