/* What the files of hostile_vessel share. */
#ifndef WEBHOOKD_TESTS_SYSTEM_HOSTILE_HOSTILE_H
#define WEBHOOKD_TESTS_SYSTEM_HOSTILE_HOSTILE_H

#include <sys/types.h>

/* An attempt returns what its last system call did: a number that is not negative if it succeeded,
 * or -1 with errno. It must do no harm where it succeeds: it changes only what its process or its
 * namespaces have of their own. */
struct attempt {
    const char *group, *name;
    long (*run)(void);
};

#define ATTEMPT(group, function)                                                                   \
    {                                                                                              \
        group, #function, function                                                                 \
    }

/* Each ends with a row without a name. */
extern const struct attempt attempts_on_files[], attempts_on_processes[], attempts_on_sockets[],
    attempts_on_keys[], attempts_on_calls[], attempts_on_architecture[], attempts_on_mounts[],
    attempts_on_limits[];

/* ---- for the attempts (main.c) ---- */

long fail_with(int errnum);
/* Returns the variable of the environment; "" if there is none. */
const char *given(const char *name);
/* Returns a process of the vessels' user outside of the sandbox. */
pid_t victim(void);
/* Reads the file's first bytes. An empty file counts as a failure: ENODATA. */
long read_some(const char *path);
/* Opens the folder for reading. */
long list(const char *path);

#endif
