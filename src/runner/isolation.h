/* Whether vessels can be kept apart from the machine as the configuration wants it, and what that means for one attempt. */
#ifndef WEBHOOKD_RUNNER_ISOLATION_H
#define WEBHOOKD_RUNNER_ISOLATION_H

#include "base/error.h"
#include "base/record.h"
#include "runner/setup.h"

/* -1 and why: something that belongs to webhookd alone lies where vessels would see it (ERROR_INVALID), or the kernel does not let it
 * isolate them. Starts the supervisor for a trial; blocks. config_path: the configuration's own file. */
int isolation_check(const struct setup *setup, const char *config_path, const char *supervisor_path,
                    struct error *error);

/* Fills in user, sandbox, what it shows, and its bounds; all borrowed from setup. */
void isolation_describe(const struct setup *setup, const struct setup_isolation *isolation,
                        struct record_job *job);

#endif
