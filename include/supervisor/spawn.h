/* The daemon's side of a supervisor's start: spawns webhookd-vessel with the descriptors of a job.
 * Any thread. */
#ifndef WEBHOOKD_SUPERVISOR_SPAWN_H
#define WEBHOOKD_SUPERVISOR_SPAWN_H

#include <sys/types.h>

#include "base/error.h"
#include "supervisor/job.h"

/* Descriptors to be passed on must have at least this number (file_move_up), so that no copy
 * overwrites one of them. */
#define SPAWN_FIRST_FD 20

/* Spawns the supervisor at `path`. fds holds a descriptor for each enum job_fd, -1 = absent; the
 * caller keeps them. Returns -1 if it cannot be spawned, and *pid is 0 then. */
int spawn_supervisor(const char *path, const int fds[JOB_FDS], pid_t *pid, struct error *error);

/* Has a supervisor kill what it runs, immediately (JOB_KILL). It may have ended already. */
void spawn_kill(int supervisor_pidfd);

#endif
