/* What webhookd gives up when it starts. */
#ifndef WEBHOOKD_PRIVILEGES_H
#define WEBHOOKD_PRIVILEGES_H

#include "base/error.h"
#include "config/config.h"

/* Gives up the capabilities that webhookd never uses. If every vessel is isolated, or the runner is
 * off, the programs that webhookd executes cannot gain them, either. Without root there may be
 * nothing to give up, which is not an error. Call this before other threads start, because each
 * thread has capabilities of its own. Returns 0, or -1 and an error. */
int privileges_reduce(const struct config *config, struct error *error);

#endif
