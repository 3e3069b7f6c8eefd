/* A struct config with what only this folder knows of it. */
#ifndef WEBHOOKD_CONFIG_SNAPSHOT_H
#define WEBHOOKD_CONFIG_SNAPSHOT_H

#include <stdatomic.h>

#include "config/config.h"
#include "config/keys.h"

/* Immutable once config_parse has returned it, but for the count. */
struct config_snapshot {
    struct config config; /* first: a pointer to one is a pointer to the other */
    atomic_int holders;
    int set_line
        [CONFIG_KEYS_MAX]; /* per row of config_keys: where the file sets it, 0 = it does not */
};

/* All defaults, held once. */
struct config_snapshot *config_snapshot_new(void);

#endif
