/* The words for what a run and a vessel run are doing, and for what started a run. The numbers are stored: never reuse one. */
#ifndef WEBHOOKD_MODEL_STATUS_H
#define WEBHOOKD_MODEL_STATUS_H

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

/*   scheduled ─► running ─► success | errored | terminated
 *        │          └─► retrying ─► running
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

enum run_trigger {
    TRIGGER_WEBHOOK = 0,
    TRIGGER_ON_DEMAND = 1,
    TRIGGER_API = 2,
    TRIGGER_SCHEDULE = 3
};

const char *run_status_name(enum run_status status); /* "scheduled", … */
const char *vessel_status_name(enum vessel_status status);
const char *run_trigger_name(enum run_trigger trigger);          /* "on_demand", … */
int run_status_parse(const char *name, enum run_status *status); /* 0 or -1 */
int run_trigger_parse(const char *name, enum run_trigger *trigger);

bool run_status_has_ended(enum run_status status);
bool vessel_status_has_ended(enum vessel_status status);
/* The edges of the diagrams above. */
bool run_status_may_follow(enum run_status from, enum run_status to);
bool vessel_status_may_follow(enum vessel_status from, enum vessel_status to);

#endif
