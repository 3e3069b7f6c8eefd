/* The names of the triggers. Called by the admin API; any thread. */
#include "model/run_trigger.h"

#include <stddef.h>

#include "model/words.h"

/* The store's numbers come from a disk. A number that the enum does not have is shown as
 * "unknown". */
static const char *const NAMES[] = {
    [TRIGGER_WEBHOOK] = "webhook",
    [TRIGGER_ON_DEMAND] = "on_demand",
    [TRIGGER_API] = "api",
    [TRIGGER_SCHEDULE] = "schedule",
    NULL,
};

const char *run_trigger_name(enum run_trigger trigger)
{
    return words_at(NAMES, (int)trigger);
}

int run_trigger_parse(const char *name, enum run_trigger *trigger)
{
    int number = words_find(NAMES, name);
    if (number < 0)
        return -1;
    *trigger = (enum run_trigger)number;
    return 0;
}
