/* The table of keys. Constant; any thread. */
#ifndef WEBHOOKD_CONFIG_KEYS_H
#define WEBHOOKD_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* Room for one entry per key. */
#define CONFIG_KEYS_MAX 64

enum config_type {
    CONFIG_NUMBER,   /* int64_t */
    CONFIG_SIZE,     /* int64_t, bytes */
    CONFIG_DURATION, /* int64_t, milliseconds */
    CONFIG_BOOL,     /* bool */
    CONFIG_CHOICE,   /* an enumeration */
    CONFIG_TEXT,     /* char *, owned */
    CONFIG_LIST,     /* struct config_list, owned; {} by default */
};

/* What the documentation says of a key, which the tests compare with this. */
struct config_key_info {
    const char *section; /* "" = top level */
    const char *name;
    const char *default_text; /* as written in the file */
    const char *range_text;   /* "4KiB to 16GiB" */
    bool reloadable;
};

struct config_key {
    struct config_key_info info;
    enum config_type type;
    size_t offset;                /* of the field */
    const char *lowest, *highest; /* of a quantity, as they are written in the file */
    const char *const *choices;   /* of a choice: by the values of its enumeration; NULL ends */
    const char *(*check)(const char *value); /* of a text, or of each item of a list */
};

extern const struct config_key
    config_keys[]; /* in the order of the file, offsets into struct config */
extern const size_t config_key_count;

extern const struct config_key
    config_fleet_keys[]; /* of a fleet section, offsets into struct config_fleet */
enum { CONFIG_FLEET_SANDBOX, CONFIG_FLEET_USER, CONFIG_FLEET_KEYS };

/* The section's name is "" for the top level. NULL if there is no such key. */
const struct config_key *config_key_find(const char *section, const char *name);
/* "hooks.max_body", "state_dir". A fresh string. */
char *config_key_path(const char *section, const char *name);

#endif
