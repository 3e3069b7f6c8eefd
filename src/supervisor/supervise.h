/* Watches one vessel until its end. */
#ifndef WEBHOOKD_SUPERVISOR_SUPERVISE_H
#define WEBHOOKD_SUPERVISOR_SUPERVISE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/attempt_result.h"
#include "supervisor/job.h"
#include "supervisor/output.h"

/* Runs the job. Returns with *result and *output filled when the vessel and all that it started are
 * gone, or when what is left withstands SIGKILL for 10 s. Every signal must be blocked. A failure
 * of the supervisor itself is a result as well: NOT_STARTED with the reason. Returns false if the
 * vessel could not be started because a resource was short for the moment. Then there is nothing to
 * record, and the daemon tries again. */
bool supervise(const struct job *job, struct output *output, struct attempt_result *result);

#endif
