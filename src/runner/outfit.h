/* What an attempt is equipped with: its folders, its log, its lock, and the descriptors that its supervisor is spawned with. */
#ifndef WEBHOOKD_RUNNER_OUTFIT_H
#define WEBHOOKD_RUNNER_OUTFIT_H

#include <stdint.h>

#include "base/error.h"
#include "runner/vessel.h"

/* Fills attempt->fds; every descriptor is at least OUTFIT_FIRST_FD, so that spawning can place copies below. What an earlier try of the same
 * attempt left is taken over. On failure nothing stays open; ERROR_NOT_FOUND means that the run's body is gone, and no later try will help. */
int outfit_make(struct attempt *attempt, struct error *error);
void outfit_close(struct attempt *attempt);
/* What the log holds by now; 0 if there is none. */
int64_t outfit_log_bytes(const struct attempt *attempt);

#define OUTFIT_FIRST_FD 20

#endif
