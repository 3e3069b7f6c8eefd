/* Hides the state folder in off mode from a vessel whose user may not enter it. */
#ifndef WEBHOOKD_SUPERVISOR_HIDE_H
#define WEBHOOKD_SUPERVISOR_HIDE_H

#include "base/error.h"
#include "supervisor/job.h"

/* Moves the calling process, which must be root, into a mount namespace of its own, where
 * hidden_dir contains nothing but workdir. */
int hide_state_dir(const struct job *job, struct error *error);

#endif
