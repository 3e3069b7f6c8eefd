/* Why vessels cannot be isolated or started on this machine, and what to do about it. */
#ifndef WEBHOOKD_RUNNER_REFUSAL_H
#define WEBHOOKD_RUNNER_REFUSAL_H

#include <stdbool.h>

#include "base/error.h"
#include "runner/settings.h"

#define REFUSAL_TURN_OFF "turn isolation off: runner { sandbox = \"off\" }"

/* Returns -1 and ERROR_CONFIG if webhookd is in a user namespace (user_namespaces(7)) in which the
 * user, or a group of it, does not exist: then nothing can be given to that user. */
int refusal_check_user(const struct vessel_user *user, struct error *error);

/* Sets ERROR_CONFIG: `words`, what the trial said, and the advice that fits. Returns -1. */
int refusal_report(bool is_strict, const char *words, struct error *error);

#endif
