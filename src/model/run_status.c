/* The statuses of a fleet run: their names, and which may follow which. Called by the store, the
 * runner and the admin API; any thread. */
#include "model/run_status.h"

#include <stddef.h>

#include "model/words.h"

/* The store's numbers come from a disk. A number that the enum does not have is shown as
 * "unknown". */
static const char *const NAMES[] = {
    [RUN_SCHEDULED] = "scheduled", [RUN_RUNNING] = "running",       [RUN_SUCCESS] = "success",
    [RUN_ERRORED] = "errored",     [RUN_TERMINATED] = "terminated", NULL,
};

const char *run_status_name(enum run_status status)
{
    return words_at(NAMES, (int)status);
}

int run_status_parse(const char *name, enum run_status *status)
{
    int number = words_find(NAMES, name);
    if (number < 0)
        return -1;
    *status = (enum run_status)number;
    return 0;
}

bool run_status_has_ended(enum run_status status)
{
    return status == RUN_SUCCESS || status == RUN_ERRORED || status == RUN_TERMINATED;
}

bool run_status_may_follow(enum run_status from, enum run_status to)
{
    switch (from) {
    case RUN_SCHEDULED:
        return to == RUN_RUNNING || to == RUN_TERMINATED;
    case RUN_RUNNING:
        return run_status_has_ended(to);
    case RUN_SUCCESS:
    case RUN_ERRORED:
    case RUN_TERMINATED:
        return false;
    }
    return false;
}
