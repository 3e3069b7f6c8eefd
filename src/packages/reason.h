/* Why a tool failed, in its own words. On an installer's thread. */
#ifndef WEBHOOKD_PACKAGES_REASON_H
#define WEBHOOKD_PACKAGES_REASON_H

#include "model/attempt_result.h"
#include "packages/cache.h"
#include "packages/tool.h"

/* Sets the error to the tool's own reason, found in the log, or to how it ended. Returns -1. */
int reason_set(const struct cache *cache, const char *log, const struct tool *tool,
               const struct attempt_result *result, struct error *error);

#endif
