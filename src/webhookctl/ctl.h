/* What webhookctl's commands share. The process has one thread, runs one command and ends. */
#ifndef WEBHOOKCTL_CTL_H
#define WEBHOOKCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "webhookctl/client.h"
#include "webhookctl/options.h"

enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* A usage error, described by *error. main.c adds the command's usage and exits with CTL_USAGE. */
#define CTL_MISTAKE (-2)

struct ctl {
    struct client *client;
    const struct options *options;
    const char *const *operands; /* after the command's words */
    size_t operand_count;
    bool json;
};

/* A command returns CTL_DONE; CTL_FAILED if it has already printed the reason; -1 if *error holds
 * the reason; or CTL_MISTAKE. */
typedef int ctl_command(struct ctl *ctl, struct error *error);

/* projects.c */
ctl_command projects_list_orgs, projects_create_org, projects_delete_org, projects_list,
    projects_create, projects_delete;
/* fleets.c, apply.c */
ctl_command fleets_list, apply_fleet, apply_back, fleets_show, fleets_versions, fleets_delete;
/* webhooks.c */
ctl_command webhooks_list, webhooks_create, webhooks_show, webhooks_replace, webhooks_remove;
/* runs.c */
ctl_command runs_list, runs_show, runs_start, runs_stop, runs_again;
/* trigger.c */
ctl_command trigger_run;
/* keys.c */
ctl_command keys_list, keys_create, keys_revoke;
/* credentials.c */
ctl_command credentials_list, credentials_set, credentials_remove, credentials_used;
/* blueprints.c, apply.c */
ctl_command blueprints_list, apply_blueprint, blueprints_show, blueprints_versions, blueprints_used,
    blueprints_delete;
/* packages.c */
ctl_command packages_list, packages_show, packages_log, packages_refresh, packages_clean;
/* audit.c */
ctl_command audit_list;
/* backup.c */
ctl_command backup;
/* run_output.c */
ctl_command run_output_body, run_output_headers, run_output_log;
/* run_wait.c */
ctl_command run_wait;
/* status.c */
ctl_command status_show;

static inline bool ctl_has(const struct ctl *ctl, enum option option)
{
    return ctl->options->values[option];
}

/* Prints "webhookctl: …" on stderr, with control characters escaped. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line on stdout, escaped in the same way. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* blueprints.c: prints the vessels of these fleets, and which inputs do not fit their blueprint. */
void blueprints_show_users(const json_t *fleets);
/* packages.c, for fleet apply --wait: waits until no packages of the fleet are being installed.
 * Returns CTL_FAILED if some could not be, and says why. */
int packages_wait(struct ctl *ctl, const char *file, const char *fleet_id, struct error *error);

/* trigger.c, for run show: prints what was overridden. */
void trigger_show_overrides(const json_t *run);

/* run_follow.c, for run log --follow. A NULL vessel means all vessels, attempt 0 all attempts. */
int run_follow(struct ctl *ctl, json_t *run, const char *vessel, int64_t attempt,
               struct error *error);
/* Whether the text is this vessel's name, its vessel run's id, or its own id. */
bool run_follow_is_vessel(const json_t *vessel, const char *text);

#endif
