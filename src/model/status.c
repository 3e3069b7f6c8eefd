/* The names of statuses and triggers, and the edges of their diagrams. Pure; called from any thread. */
#include "model/status.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

static const char *const RUN_NAMES[] = {
    [RUN_SCHEDULED] = "scheduled", [RUN_RUNNING] = "running",       [RUN_SUCCESS] = "success",
    [RUN_ERRORED] = "errored",     [RUN_TERMINATED] = "terminated",
};
static const char *const VESSEL_NAMES[] = {
    [VESSEL_SCHEDULED] = "scheduled",   [VESSEL_RUNNING] = "running",
    [VESSEL_RETRYING] = "retrying",     [VESSEL_SUCCESS] = "success",
    [VESSEL_ERRORED] = "errored",       [VESSEL_TERMINATED] = "terminated",
    [VESSEL_INCOMPLETE] = "incomplete",
};
static const char *const TRIGGER_NAMES[] = {
    [TRIGGER_WEBHOOK] = "webhook",
    [TRIGGER_ON_DEMAND] = "on_demand",
    [TRIGGER_API] = "api",
    [TRIGGER_SCHEDULE] = "schedule",
};

/* Statuses come out of the store, too: a number that no enum has is shown, not obeyed. */
static const char *name_of(const char *const *names, size_t count, int number)
{
    return number >= 0 && (size_t)number < count ? names[number] : "unknown";
}

static int number_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *run_status_name(enum run_status status)
{
    return name_of(RUN_NAMES, ARRAY_COUNT(RUN_NAMES), (int)status);
}

const char *vessel_status_name(enum vessel_status status)
{
    return name_of(VESSEL_NAMES, ARRAY_COUNT(VESSEL_NAMES), (int)status);
}

const char *run_trigger_name(enum run_trigger trigger)
{
    return name_of(TRIGGER_NAMES, ARRAY_COUNT(TRIGGER_NAMES), (int)trigger);
}

int run_status_parse(const char *name, enum run_status *status)
{
    int number = number_of(RUN_NAMES, ARRAY_COUNT(RUN_NAMES), name);
    if (number < 0)
        return -1;
    *status = (enum run_status)number;
    return 0;
}

int run_trigger_parse(const char *name, enum run_trigger *trigger)
{
    int number = number_of(TRIGGER_NAMES, ARRAY_COUNT(TRIGGER_NAMES), name);
    if (number < 0)
        return -1;
    *trigger = (enum run_trigger)number;
    return 0;
}

bool run_status_has_ended(enum run_status status)
{
    return status == RUN_SUCCESS || status == RUN_ERRORED || status == RUN_TERMINATED;
}

bool vessel_status_has_ended(enum vessel_status status)
{
    return status == VESSEL_SUCCESS || status == VESSEL_ERRORED || status == VESSEL_TERMINATED ||
           status == VESSEL_INCOMPLETE;
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

bool vessel_status_may_follow(enum vessel_status from, enum vessel_status to)
{
    switch (from) {
    case VESSEL_SCHEDULED:
        return to == VESSEL_RUNNING || to == VESSEL_INCOMPLETE || to == VESSEL_TERMINATED;
    case VESSEL_RUNNING:
        return to == VESSEL_RETRYING || to == VESSEL_SUCCESS || to == VESSEL_ERRORED ||
               to == VESSEL_TERMINATED;
    case VESSEL_RETRYING:
        /* A stop during the wait between two attempts ends the vessel without another attempt. */
        return to == VESSEL_RUNNING || to == VESSEL_TERMINATED;
    case VESSEL_SUCCESS:
    case VESSEL_ERRORED:
    case VESSEL_TERMINATED:
    case VESSEL_INCOMPLETE:
        return false;
    }
    return false;
}
