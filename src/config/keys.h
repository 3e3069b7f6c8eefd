/* The table of keys. Constant; any thread. */
#ifndef WEBHOOKD_CONFIG_KEYS_H
#define WEBHOOKD_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* Room for one entry per key. */
#define CONFIG_KEYS_MAX 96

enum config_type {
    CONFIG_NUMBER,   /* int64_t */
    CONFIG_SIZE,     /* int64_t, bytes */
    CONFIG_DURATION, /* int64_t, milliseconds */
    CONFIG_BOOL,     /* bool */
    CONFIG_CHOICE,   /* an enumeration */
    CONFIG_TEXT,     /* char *, owned */
    CONFIG_LIST,     /* struct config_list, owned; {} by default */
};

/* What the documentation says about a key; the tests compare the two. */
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
    const char *lowest, *highest; /* of a quantity, as written in the file */
    const char *const *choices;   /* of a choice, indexed by its enumeration; NULL at the end */
    const char *(*check)(const char *value); /* of a text, or of each item of a list */
};

/* In the order of the file; offsets into struct config. */
extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The keys of a fleet section; offsets into struct config_fleet. */
extern const struct config_key config_fleet_keys[];
enum { CONFIG_FLEET_SANDBOX, CONFIG_FLEET_USER, CONFIG_FLEET_KEYS };

/* The section is "" for the top level. Returns NULL if there is no such key. */
const struct config_key *config_key_find(const char *section, const char *name);
/* Returns "hooks.max_body" or, at the top level, "state_dir". The caller frees it. */
char *config_key_path(const char *section, const char *name);

#endif
