/* The namespaces of a vessel in strict mode, and pid 1 in them. */
#ifndef WEBHOOKD_SUPERVISOR_SANDBOX_H
#define WEBHOOKD_SUPERVISOR_SANDBOX_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/error.h"
#include "supervisor/job.h"

/* ---- the supervisor's side ---- */

/* Like fork, but into new namespaces. Returns -1 and sets *error on failure. The working folder
 * becomes the caller's cwd, and the vessel's groups become the caller's. The child must then wait
 * for sandbox_map. */
pid_t sandbox_fork(const struct job *job, struct error *error);
/* Maps one user and one group, the vessel's, into the child's user namespace. */
int sandbox_map(pid_t pid, const struct job *job, struct error *error);

/* ---- in pid 1 of the sandbox, once its user is mapped ---- */

/* Takes on the vessel's user with every capability in this namespace, builds the root, and forbids
 * further namespaces. */
int sandbox_enter(const struct job *job, struct error *error);
/* Forks the process that becomes the interpreter and returns 0 in that process alone. The caller
 * stays as pid 1: it keeps only the attempt's lock, reaps, ends what the main process left running,
 * writes how many processes that were, and exits with the code of the main process. Returns -1 on
 * failure. */
int sandbox_fork_main(atomic_uint *leftovers, struct error *error);

/* ---- in the process that becomes the interpreter ---- */

/* Sets the limits, drops all capabilities, prevents gaining new ones, and installs the filter of
 * system calls. */
int sandbox_lock(const struct job *job, struct error *error);

#endif
