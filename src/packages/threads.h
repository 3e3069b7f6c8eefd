/* The installer's threads: up to packages.max_installs. They are started when there is work for
 * them and none is free, and end with the installer. */
#ifndef WEBHOOKD_PACKAGES_THREADS_H
#define WEBHOOKD_PACKAGES_THREADS_H

#include "packages/core.h"

/* Starts a thread if none is free. Returns -1 if there is none at all. Under the lock. */
int threads_start_one(struct installer *installer, struct error *error);

#endif
