/* A configuration with what is looked up in the system for it: users and the number of slots. */
#ifndef WEBHOOKD_RUNNER_SETTINGS_H
#define WEBHOOKD_RUNNER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "config/config.h"

struct vessel_user {
    bool change; /* webhookd is root and changes to this user */
    char *name;
    uint32_t uid, gid;
    gid_t *groups; /* the supplementary groups and gid; owned */
    size_t group_count;
};

/* The user that a fleet's vessels run as, and how they are isolated from the machine. */
struct isolation {
    bool is_strict;
    struct vessel_user user;
};

struct runner_settings {
    struct config *config; /* holds a reference */
    struct isolation isolation;
    struct isolation *fleet_isolations; /* one for each fleet section of the configuration */
    int slots;                          /* vessels that may run at the same time */
    char *time_zone;                    /* TZ for the vessels */
};

/* Returns NULL if a user is unknown or not permitted. May block (name services), so not for the
 * runner's thread. */
struct runner_settings *runner_settings_new(struct config *config, struct error *error);
void runner_settings_free(struct runner_settings *settings); /* NULL is fine */

/* Returns the isolation of the fleet's own section, or the common one if it has none. */
const struct isolation *runner_settings_isolation(const struct runner_settings *settings,
                                                  const char *org_name, const char *project_name,
                                                  const char *fleet_name);

#endif
