/* Lists the package environments, and removes those that are not needed. On an installer's thread,
 * or another one that may block. */
#ifndef WEBHOOKD_PACKAGES_CLEAN_H
#define WEBHOOKD_PACKAGES_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packages/cache.h"

struct clean_environment {
    char key[INSTALLER_KEY_BYTES];
    int64_t bytes;       /* that it occupied when it was installed */
    int64_t last_use_ms; /* wall clock; correct to an hour */
    bool is_orphaned;    /* its interpreter does not exist any more */
};

/* Returns the environments, the least recently used first, and their number. Free them. NULL on
 * failure. */
struct clean_environment *clean_list(const struct cache *cache, size_t *count, struct error *error);

/* Fills in one environment. Returns false if there is none with that key. */
bool clean_examine(const struct cache *cache, const char *key, struct clean_environment *found);

struct clean_bounds {
    int64_t now_ms;  /* wall clock */
    int64_t keep_ms; /* those that were not used for this long are removed */
    /* Then those unused longest, until the others occupy no more than this. Those used within the
     * last ten minutes stay. */
    int64_t max_bytes;
    /* Keeps others from installing the environment while it is removed. */
    void (*claim)(void *context, const char *key);
    void (*release)(void *context, const char *key);
    void *context;
};
struct clean_totals {
    int64_t count, bytes;
};
/* Removes environments that exceed the bounds; never one that an attempt uses. Returns how many and
 * what is left, or -1. */
int clean_cache(const struct cache *cache, const struct clean_bounds *bounds,
                struct clean_totals *left, struct error *error);
/* Removes this one, between `claim` and `release` of the bounds. Returns 1, 0 if an attempt uses it
 * or it is gone, or -1. */
int clean_remove(const struct cache *cache, const struct clean_bounds *bounds,
                 const struct clean_environment *environment, struct error *error);

#endif
