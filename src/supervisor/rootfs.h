/* The file system of a vessel in strict mode. */
#ifndef WEBHOOKD_SUPERVISOR_ROOTFS_H
#define WEBHOOKD_SUPERVISOR_ROOTFS_H

#include "base/error.h"
#include "supervisor/job.h"

/* Replaces the root of the calling process with a fresh one that contains only what rootfs.c lists.
 * The process must have mount and pid namespaces of its own and its cwd in the working folder.
 * Afterwards the cwd is the working folder. */
int rootfs_build(const struct job *job, struct error *error);

#endif
