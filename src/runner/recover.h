/* What the last daemon left: running runs, their attempts, and folders that are nobody's. */
#ifndef WEBHOOKD_RUNNER_RECOVER_H
#define WEBHOOKD_RUNNER_RECOVER_H

#include "runner/core.h"

/* Takes over every run that is running in the store, and clears the folders. -1 = the store or a folder cannot be read. */
int recover(struct runner *runner, struct error *error);

#endif
