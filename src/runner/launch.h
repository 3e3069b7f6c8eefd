/* Launching an attempt: its folders, its log, its lock, the descriptors that its supervisor is
 * spawned with, and the spawning. */
#ifndef WEBHOOKD_RUNNER_LAUNCH_H
#define WEBHOOKD_RUNNER_LAUNCH_H

#include <stdint.h>

#include "base/error.h"
#include "runner/attempt.h"

/* Fills attempt->fds; every descriptor is at least LAUNCH_FIRST_FD, so that spawning can place
 * copies below. It takes over what an earlier try of the same attempt has left. On failure
 * nothing stays open; ERROR_NOT_FOUND: the run's body is gone, and no later try will help. */
int launch_prepare(struct attempt *attempt, struct error *error);
/* Spawns the supervisor with them: sets attempt->pid. */
int launch_spawn(struct attempt *attempt, struct error *error);
/* Closes the descriptors; the supervisor has its own copies, and the lock with them. */
void launch_close(struct attempt *attempt);
/* What the log holds by now; 0 if there is none. */
int64_t launch_log_bytes(const struct attempt *attempt);

#define LAUNCH_FIRST_FD 20

#endif
