/* Launches an attempt: creates its folders, its log, its lock and the descriptors for its
 * supervisor, and spawns the supervisor. On the runner's thread; launch_make_workdir also on that
 * of runner_check_config and runner_start (trial_folder.c). */
#ifndef WEBHOOKD_RUNNER_LAUNCH_H
#define WEBHOOKD_RUNNER_LAUNCH_H

#include <stdint.h>

#include "base/error.h"
#include "runner/attempt.h"
#include "runner/settings.h"

/* Fills attempt->fds. Takes over what an earlier try of the same attempt has left. On failure
 * nothing stays open. ERROR_NOT_FOUND: the run's body is gone, and no later try will help.
 * ERROR_CONFLICT: the attempt has a supervisor already. */
int launch_prepare(struct attempt *attempt, struct error *error);
/* Spawns the supervisor with these descriptors. Sets attempt->pid. */
int launch_spawn(struct attempt *attempt, struct error *error);
/* Closes the descriptors; the supervisor has its own copies, including the one with the lock. */
void launch_close(struct attempt *attempt);
/* Returns the current size of the attempt's log, 0 if there is none. */
int64_t launch_log_bytes(const struct attempt *attempt);

/* Opens a run's working folder, creates it if it is missing, and gives it to the vessel's user.
 * Returns a descriptor, or -1. */
int launch_make_workdir(int runs_fd, const char *name, const struct vessel_user *user,
                        struct error *error);

#endif
