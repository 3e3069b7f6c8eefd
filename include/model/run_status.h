/* The statuses of a fleet run. The numbers are stored: never reuse one. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_RUN_STATUS_H
#define WEBHOOKD_MODEL_RUN_STATUS_H

#include <stdbool.h>

/*   scheduled ─► running ─► success | errored | terminated
 *        └──────────────────────────────────► terminated        */
enum run_status {
    RUN_SCHEDULED = 0,
    RUN_RUNNING = 1,
    RUN_SUCCESS = 2,
    RUN_ERRORED = 3,
    RUN_TERMINATED = 4,
};

/* Returns "scheduled", …; "unknown" for any other number. */
const char *run_status_name(enum run_status status);
/* Returns 0, or -1 if no status has this name. */
int run_status_parse(const char *name, enum run_status *status);
bool run_status_has_ended(enum run_status status);
/* Whether the diagram above has this edge. */
bool run_status_may_follow(enum run_status from, enum run_status to);

#endif
