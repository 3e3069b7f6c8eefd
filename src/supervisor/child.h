/* The process that becomes the interpreter. Called by supervise.c and main.c. */
#ifndef WEBHOOKD_SUPERVISOR_CHILD_H
#define WEBHOOKD_SUPERVISOR_CHILD_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "supervisor/job.h"

struct child {
    pid_t pid;
    /* One byte releases the process. After that, the end of the stream means that it has become the
     * interpreter or died; a `struct error` says why it could not. */
    int talk_fd;
    int output_fd; /* its stdout and stderr */
    /* Strict mode (else NULL): memory that is shared with pid 1 of the sandbox. It holds the number
     * of processes that the main process left running and that pid 1 killed; valid once pid 1 has
     * ended. */
    const atomic_uint *leftovers;
};

/* Forks the process. It prepares itself and waits to be released; it dies with the calling
 * process. */
int child_start(const struct job *job, struct child *child, struct error *error);
/* Checks whether the process could be started. In strict mode the sandbox is built and left again.
 * In off mode the process goes on to its working folder, as the vessel's user, and places the job's
 * file there. Nothing is marked or run. */
int child_try(const struct job *job, struct error *error);
/* Releases the process. May be called when it is dead already: child_read_report shows that. */
void child_let_go(const struct child *child);
/* Waits until it is known whether the process has become the interpreter, and sets *why if it could
 * not. If error_may_pass holds for *why, the record is not marked as started. */
void child_read_report(const struct child *child, struct error *why);

#endif
