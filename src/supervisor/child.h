/* The process that becomes the interpreter. */
#ifndef WEBHOOKD_SUPERVISOR_CHILD_H
#define WEBHOOKD_SUPERVISOR_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "supervisor/job.h"

struct child {
    pid_t pid;
    int talk_fd; /* one byte lets it go. Then the end of it means that it has become the interpreter (or died), and a kind and
                      a text that it could not, and why */
    int output_fd; /* its stdout and stderr */
};

/* Forks it. It prepares itself and waits to be let go; it dies with this process. */
int child_start(const struct job *job, struct child *child, struct error *error);
/* Could it be started? In strict mode the sandbox is built and left again; nothing is placed, marked or run. */
int child_try(const struct job *job, struct error *error);
/* Also when it is dead already: that shows in due course. */
void child_let_go(const struct child *child);
/* Sets *why if it did not become the interpreter. Waits until that is known. With a kind that may pass `started` is not marked. */
void child_read_report(const struct child *child, struct error *why);

#endif
