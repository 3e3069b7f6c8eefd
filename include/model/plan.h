/* Which vessels of a run start next, which can no longer run, and how the run ended: pure functions of the graph and the statuses. */
#ifndef WEBHOOKD_MODEL_PLAN_H
#define WEBHOOKD_MODEL_PLAN_H

#include <stddef.h>

#include "model/definition.h"
#include "model/status.h"

enum plan_step {
    PLAN_WAIT,        /* a vessel before it has not ended, or it is itself past scheduled */
    PLAN_START,       /* all that it waits for has ended as its paths ask */
    PLAN_INCOMPLETE,  /* one of its paths can no longer hold */
    PLAN_UNSUPPORTED, /* it hangs on an ERRORED or COMPLETED path, which this version does not act on: incomplete, with that reason */
};

/* For each of definition->vessel_count vessels: statuses in, steps out. Call again after applying the INCOMPLETE
 * ones, until none is left: incompleteness spreads along the paths. */
void plan_next(const struct definition *definition, const enum vessel_status *statuses,
               enum plan_step *steps);

/* RUN_RUNNING while any vessel has not ended; else terminated > errored > success. Incomplete vessels do not count. */
enum run_status plan_run_status(const enum vessel_status *statuses, size_t count);

#endif
