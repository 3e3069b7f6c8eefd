/* Checks whether vessels can be isolated from the machine as the configuration demands, and
 * describes the isolation of one attempt. */
#ifndef WEBHOOKD_RUNNER_ISOLATION_H
#define WEBHOOKD_RUNNER_ISOLATION_H

#include "base/error.h"
#include "supervisor/job.h"
#include "runner/settings.h"

/* Returns -1 and ERROR_INVALID if something that belongs to webhookd alone is where vessels would
 * see it, or a path cannot be shown. config_path is the configuration's own file. */
int isolation_check(const struct runner_settings *settings, const char *config_path,
                    struct error *error);

/* Where and with what the isolation is tried. */
struct isolation_trial {
    const char *supervisor_path;
    const char *state_path;
    int runs_fd; /* the state folder's `runs`; -1 = it does not exist yet */
};

/* Starts a supervisor for each kind of isolation that the settings name. It goes as far as one that
 * runs a vessel: builds the sandbox, or hides the state folder, becomes the vessel's user, and
 * enters the working folder. Returns -1 and ERROR_CONFIG, with what to do, if no vessel could be
 * started. Blocks. */
int isolation_try(const struct runner_settings *settings, const struct isolation_trial *trial,
                  struct error *error);

/* Fills in the job's user, sandbox, visible paths and limits, all borrowed from the settings. */
void isolation_describe(const struct runner_settings *settings, const struct isolation *isolation,
                        struct job *job);

#endif
