/* Giving free slots to fleets, and stopping runs. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_DISPATCH_H
#define WEBHOOKD_RUNNER_DISPATCH_H

#include "runner/core.h"

void dispatch_init(struct runner *runner);
/* Claims runs and starts vessels while slots are free. Call it whenever something has changed. */
void dispatch(struct runner *runner);
/* Ends the runs that somebody asked to stop; also while the runner is disabled. */
void dispatch_stops(struct runner *runner);

#endif
