/* Gives free slots to fleets, and stops runs. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_DISPATCH_H
#define WEBHOOKD_RUNNER_DISPATCH_H

#include "runner/core.h"

void dispatch_init(struct runner *runner);
/* Claims runs and starts vessels while slots are free. Must be called whenever something has
 * changed. */
void dispatch(struct runner *runner);
/* Ends the runs that are to be stopped, even while the runner is disabled. */
void dispatch_stops(struct runner *runner);

#endif
