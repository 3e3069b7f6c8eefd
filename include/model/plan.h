/* Which vessels of a run start next, which can no longer run, and how the run ended: pure functions of the graph and the statuses. */
#ifndef WEBHOOKD_MODEL_PLAN_H
#define WEBHOOKD_MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/definition.h"
#include "model/run_status.h"
#include "model/vessel_status.h"

enum plan_verdict {
    PLAN_WAIT,       /* a vessel before it has not ended, or it is itself past scheduled */
    PLAN_START,      /* all that it waits for has ended as its paths ask */
    PLAN_INCOMPLETE, /* all that it waits for has ended, and one of its paths does not hold */
};

/* For each of definition->vessel_count vessels: statuses in, steps out. Call again after applying the INCOMPLETE
 * ones, until none is left: incompleteness spreads along the paths. */
void plan_next(const struct definition *definition, const enum vessel_status *statuses,
               enum plan_verdict *steps);

/* Is a vessel that has errored with this exit code tried again, after so many retries (guardrails: retry_count, excluded)? */
bool plan_retries(const struct definition_vessel *vessel, int exit_code, int retries);

/* RUN_RUNNING while any vessel has not ended; else terminated > errored > success. Incomplete vessels do not count. */
enum run_status plan_run_status(const enum vessel_status *statuses, size_t count);

#endif
