/* The system calls that a vessel in strict mode may make: a table, and the seccomp filter that
 * enforces it. */
#ifndef WEBHOOKD_SUPERVISOR_SYSCALL_FILTER_H
#define WEBHOOKD_SUPERVISOR_SYSCALL_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/error.h"

enum { SYSCALL_FILTER_ROOM = 256 }; /* instructions; the jumps in it reach no further */

/* Writes the filter for this architecture and returns its number of instructions. */
size_t syscall_filter_build(struct sock_filter code[SYSCALL_FILTER_ROOM]);

/* Puts the filter on the calling thread, for good; processes that it starts inherit it. The thread
 * must have given up gaining privileges (PR_SET_NO_NEW_PRIVS). */
int syscall_filter_install(struct error *error);

#endif
