/* What webhookctl's commands have in common. One thread, one command, then the process ends. */
#ifndef WEBHOOKCTL_CTL_H
#define WEBHOOKCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "webhookctl/client.h"
#include "webhookctl/options.h"

enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* What *error says was typed wrongly: main.c adds the command's form and exits with CTL_USAGE. */
#define CTL_MISTAKE (-2)

struct ctl {
    struct client *client;
    const struct options *options;
    const char *const *operands; /* behind the command's words */
    size_t operand_count;
    bool json;
};

/* A command returns CTL_DONE, CTL_FAILED when everything has been said, -1 when *error says what
 * failed, or CTL_MISTAKE. */
typedef int ctl_command(struct ctl *ctl, struct error *error);

/* projects.c */
ctl_command projects_list_orgs, projects_create_org, projects_delete_org, projects_list,
    projects_create, projects_delete;
/* fleets.c, apply.c */
ctl_command fleets_list, apply_fleet, fleets_show, fleets_versions, fleets_delete;
/* webhooks.c */
ctl_command webhooks_list, webhooks_create, webhooks_show, webhooks_replace, webhooks_remove;
/* runs.c */
ctl_command runs_list, runs_show, runs_start, runs_stop, runs_again;
/* keys.c */
ctl_command keys_list, keys_create, keys_revoke, keys_list_audit;
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

/* "webhookctl: …" on stderr, control characters escaped. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on stdout, escaped likewise. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* run_follow.c, for run log --follow: of one vessel (NULL: of all), and of one attempt (0: of all). */
int run_follow(struct ctl *ctl, json_t *run, const char *vessel, int64_t attempt,
               struct error *error);
/* Is it that vessel, by its name, the id of its vessel run, or its own? */
bool run_follow_is_vessel(const json_t *vessel, const char *text);

#endif
