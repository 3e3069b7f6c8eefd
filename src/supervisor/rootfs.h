/* The file system of a vessel in strict mode. */
#ifndef WEBHOOKD_SUPERVISOR_ROOTFS_H
#define WEBHOOKD_SUPERVISOR_ROOTFS_H

#include "base/error.h"
#include "supervisor/job.h"

/* Replaces the root of the calling process, which has mount and pid namespaces of its own and its cwd in the working folder, by a fresh one
 * that holds what is on the allow-list and nothing else. Afterwards the cwd is SANDBOX_HOME. */
int rootfs_build(const struct job *job, struct error *error);

#endif
