/* Whether vessels can be kept apart from the machine as the configuration wants it, and what that means for one attempt. */
#ifndef WEBHOOKD_RUNNER_ISOLATION_H
#define WEBHOOKD_RUNNER_ISOLATION_H

#include "base/error.h"
#include "supervisor/job.h"
#include "runner/settings.h"

/* -1 and why: something that belongs to webhookd alone lies where vessels would see it (ERROR_INVALID), or the kernel does not let it
 * isolate them. Starts the supervisor for a trial; blocks. config_path: the configuration's own file. */
int isolation_check(const struct runner_settings *settings, const char *config_path,
                    const char *supervisor_path, struct error *error);

/* Fills in user, sandbox, what it shows, and its bounds; all borrowed from the settings. */
void isolation_describe(const struct runner_settings *settings, const struct isolation *isolation,
                        struct job *job);

#endif
