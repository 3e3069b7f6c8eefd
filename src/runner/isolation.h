/* Checks whether vessels can be isolated from the machine as the configuration demands, and
 * describes the isolation of one attempt. */
#ifndef WEBHOOKD_RUNNER_ISOLATION_H
#define WEBHOOKD_RUNNER_ISOLATION_H

#include "base/error.h"
#include "supervisor/job.h"
#include "runner/settings.h"

/* Returns -1 and sets *error if something that belongs to webhookd alone is where vessels would see
 * it (ERROR_INVALID), or if the kernel does not permit the isolation. Tries that with a supervisor
 * (strict mode) or a child (off mode), so it blocks. config_path is the configuration's own
 * file. */
int isolation_check(const struct runner_settings *settings, const char *config_path,
                    const char *supervisor_path, struct error *error);

/* Fills in the job's user, sandbox, visible paths and limits, all borrowed from the settings. */
void isolation_describe(const struct runner_settings *settings, const struct isolation *isolation,
                        struct job *job);

#endif
