/* The statuses of a vessel run: their names, and which may follow which. Called by the store, the
 * runner and the admin API; any thread. */
#include "model/vessel_status.h"

#include <stddef.h>

#include "model/words.h"

/* The store's numbers come from a disk. A number that the enum does not have is shown as
 * "unknown". */
static const char *const NAMES[] = {
    [VESSEL_SCHEDULED] = "scheduled",   [VESSEL_RUNNING] = "running",
    [VESSEL_RETRYING] = "retrying",     [VESSEL_SUCCESS] = "success",
    [VESSEL_ERRORED] = "errored",       [VESSEL_TERMINATED] = "terminated",
    [VESSEL_INCOMPLETE] = "incomplete", NULL,
};

const char *vessel_status_name(enum vessel_status status)
{
    return words_at(NAMES, (int)status);
}

bool vessel_status_has_ended(enum vessel_status status)
{
    return status == VESSEL_SUCCESS || status == VESSEL_ERRORED || status == VESSEL_TERMINATED ||
           status == VESSEL_INCOMPLETE;
}

bool vessel_status_may_follow(enum vessel_status from, enum vessel_status to)
{
    switch (from) {
    case VESSEL_SCHEDULED:
        return to == VESSEL_RUNNING || to == VESSEL_INCOMPLETE || to == VESSEL_TERMINATED;
    case VESSEL_RUNNING:
        return to == VESSEL_RETRYING || to == VESSEL_SUCCESS || to == VESSEL_ERRORED ||
               to == VESSEL_TERMINATED;
    case VESSEL_RETRYING:
        /* A stop between two attempts ends the vessel run without another attempt. */
        return to == VESSEL_RUNNING || to == VESSEL_TERMINATED;
    case VESSEL_SUCCESS:
    case VESSEL_ERRORED:
    case VESSEL_TERMINATED:
    case VESSEL_INCOMPLETE:
        return false;
    }
    return false;
}
