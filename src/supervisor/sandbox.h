/* The namespaces of a vessel in strict mode, and pid 1 in them. */
#ifndef WEBHOOKD_SUPERVISOR_SANDBOX_H
#define WEBHOOKD_SUPERVISOR_SANDBOX_H

#include <sys/types.h>

#include "base/error.h"
#include "supervisor/job.h"

/* ---- the supervisor's side ---- */

/* Like fork, into namespaces of the child's own. -1 and why. The working folder becomes the caller's cwd, and the vessel's groups its
 * own. The child then waits for sandbox_map. */
pid_t sandbox_fork(const struct job *job, struct error *error);
/* Gives the child's namespace its one user, that of the vessel. */
int sandbox_map(pid_t pid, const struct job *job, struct error *error);

/* ---- in pid 1 of the sandbox, once it is mapped ---- */

/* The vessel's user with every capability in here, its root, and nothing that could be made anew later (namespaces). */
int sandbox_enter(const struct job *job, struct error *error);
/* Forks the process that becomes the interpreter: returns in it alone. The caller stays as pid 1: it keeps nothing but the attempt's lock,
 * reaps, and ends with main's exit code; then the kernel ends whatever else there is. -1: could not fork. */
int sandbox_fork_main(struct error *error);

/* ---- in the process that becomes the interpreter ---- */

/* Limits; no capability, nor any way to gain one. */
int sandbox_lock(const struct job *job, struct error *error);

#endif
