/* What an attempt is equipped with: its folders, its log, its lock, and the descriptors that its supervisor is spawned with. */
#ifndef WEBHOOKD_RUNNER_OUTFIT_H
#define WEBHOOKD_RUNNER_OUTFIT_H

#include <stdint.h>

#include "base/error.h"
#include "runner/attempt.h"

/* Fills attempt->fds; every descriptor is at least LAUNCH_FIRST_FD, so that spawning can place copies below. What an earlier try of the same
 * attempt left is taken over. On failure nothing stays open; ERROR_NOT_FOUND means that the run's body is gone, and no later try will help. */
int launch_prepare(struct attempt *attempt, struct error *error);
void launch_close(struct attempt *attempt);
/* What the log holds by now; 0 if there is none. */
int64_t launch_log_bytes(const struct attempt *attempt);

#define LAUNCH_FIRST_FD 20

#endif
