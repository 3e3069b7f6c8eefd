/* Bounds that need something of the machine: the lesser of what is configured and what there is.
 * Without that, webhookd would promise connections, threads or memory that it cannot get, and
 * whoever takes the last one would shut everybody else out. */
#ifndef WEBHOOKD_CONFIG_BOUNDS_H
#define WEBHOOKD_CONFIG_BOUNDS_H

#include <stdint.h>

#include "base/resources.h"
#include "config/config.h"

/* A body over 64 KiB reserves this much of max_in_flight for as long as its file is open, so
 * max_in_flight also bounds the open files. */
#define CONFIG_LARGE_BODY_BYTES (256 * 1024)

/* Lowers the bounds of a configuration that no other thread knows yet (enum config_bound_name), and
 * notes in config->bounds what was lowered and why. Returns -1 and ERROR_CONFIG if there are too
 * few descriptors to start at all. */
int config_bounds_apply(struct config *config, const struct resources *resources,
                        struct error *error);

/* Returns what runner.max_vessels = 0 means: four for each core. */
int64_t config_default_vessels(void);
/* Returns the number of descriptors that the bounds need. */
int64_t config_bounds_files(const struct config *config);

static inline bool config_bound_is_lowered(const struct config_bound *bound)
{
    return bound->effective < bound->configured;
}

#endif
