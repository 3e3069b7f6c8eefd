/* The triggers of a fleet run. The numbers are stored: never reuse one. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_RUN_TRIGGER_H
#define WEBHOOKD_MODEL_RUN_TRIGGER_H

enum run_trigger {
    TRIGGER_WEBHOOK = 0,
    TRIGGER_ON_DEMAND = 1,
    TRIGGER_API = 2,
    TRIGGER_SCHEDULE = 3
};

/* Returns "on_demand", …; "unknown" for any other number. */
const char *run_trigger_name(enum run_trigger trigger);
/* Returns 0, or -1 if no trigger has this name. */
int run_trigger_parse(const char *name, enum run_trigger *trigger);

#endif
