/* Watches one vessel to its end. */
#ifndef WEBHOOKD_SUPERVISOR_SUPERVISE_H
#define WEBHOOKD_SUPERVISOR_SUPERVISE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/attempt_result.h"
#include "supervisor/job.h"
#include "supervisor/output.h"

/* Runs the job; returns when the vessel and all that it started are gone, with *exit and *output filled. Every signal is blocked. A
 * failure of our own is an exit record, too: NOT_STARTED with the reason. False: something was short before the vessel was started, and may not
 * be the next time: there is nothing to record. */
bool supervise(const struct job *job, struct output *output, struct attempt_result *result);

#endif
