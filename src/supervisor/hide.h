/* What of the file system a vessel sees when its user may not enter the state folder. */
#ifndef WEBHOOKD_SUPERVISOR_HIDE_H
#define WEBHOOKD_SUPERVISOR_HIDE_H

#include "base/error.h"
#include "supervisor/job.h"

/* Moves the calling process into a mount namespace of its own, where hidden_dir holds nothing but workdir. For root. */
int hide_state_dir(const struct job *job, struct error *error);

#endif
