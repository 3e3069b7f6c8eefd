/* Recovers what the last daemon left: running runs, their attempts, and folders that belong to no
 * run. */
#ifndef WEBHOOKD_RUNNER_RECOVER_H
#define WEBHOOKD_RUNNER_RECOVER_H

#include "runner/core.h"

/* Takes over every run that is running in the store, and clears the folders. Returns -1 if the
 * store or a folder cannot be read. */
int recover(struct runner *runner, struct error *error);

#endif
