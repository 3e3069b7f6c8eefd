/* A configuration with what the system says to it: users looked up, slots counted. */
#ifndef WEBHOOKD_RUNNER_SETTINGS_H
#define WEBHOOKD_RUNNER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "config/config.h"

struct vessel_user {
    bool change; /* webhookd is root and the vessel is not to be */
    char *name;
    uint32_t uid, gid;
    gid_t *groups; /* supplementary ones and gid; owned */
    size_t group_count;
};

/* As whom, and how far apart from the machine, a fleet's vessels run. */
struct isolation {
    bool is_strict;
    struct vessel_user user;
};

struct runner_settings {
    struct config *config; /* held */
    struct isolation isolation;
    struct isolation *fleet_isolations; /* one per fleet section of the configuration */
    int slots;                          /* vessels at once */
    char *time_zone;                    /* the vessels' TZ */
};

/* NULL if a user is unknown, or may not be. May block (name services): not for the runner's
 * thread. */
struct runner_settings *runner_settings_new(struct config *config, struct error *error);
void runner_settings_free(struct runner_settings *settings); /* NULL is fine */

const struct isolation *runner_settings_isolation(const struct runner_settings *settings,
                                                  const char *org_name, const char *project_name,
                                                  const char *fleet_name);

#endif
