/* A struct config with the fields that are private to this folder. */
#ifndef WEBHOOKD_CONFIG_SNAPSHOT_H
#define WEBHOOKD_CONFIG_SNAPSHOT_H

#include <stdatomic.h>

#include "config/config.h"
#include "config/keys.h"

/* Immutable after config_parse has returned it, except for the reference count. */
struct config_snapshot {
    struct config config;
    atomic_int holders; /* the reference count */
    /* For each row of config_keys: the line where the file sets it, 0 = not set. */
    int set_line[CONFIG_KEYS_MAX];
};

/* Returns a snapshot of the defaults with a reference count of 1. */
struct config_snapshot *config_snapshot_new(void);

#endif
