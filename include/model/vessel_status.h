/* The statuses of a vessel run. The numbers are stored: never reuse one. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_VESSEL_STATUS_H
#define WEBHOOKD_MODEL_VESSEL_STATUS_H

#include <stdbool.h>

/*   scheduled ─► running ─► success | errored | terminated
 *        │          └─► retrying ─► running | terminated
 *        └─► incomplete | terminated                          */
enum vessel_status {
    VESSEL_SCHEDULED = 0,
    VESSEL_RUNNING = 1,
    VESSEL_RETRYING = 2,
    VESSEL_SUCCESS = 3,
    VESSEL_ERRORED = 4,
    VESSEL_TERMINATED = 5,
    VESSEL_INCOMPLETE = 6,
};

/* Returns "scheduled", …; "unknown" for any other number. */
const char *vessel_status_name(enum vessel_status status);
bool vessel_status_has_ended(enum vessel_status status);
/* Whether the diagram above has this edge. */
bool vessel_status_may_follow(enum vessel_status from, enum vessel_status to);

#endif
