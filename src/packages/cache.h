/* The folder packages.dir, and what is in it:
 *
 *   lock               locked by the webhookd that uses the folder
 *   building/          what is being made; only webhookd may enter it
 *   logs/              the output of the tools: <key> of an installation, "lock-…" of a lock
 *   <key>/             a package environment; complete if it holds the file `ready`
 *
 * An environment that others may use has been renamed to its place, with `ready` in it and synced.
 * Without a sandbox it has to be built in its place: then it is complete as soon as `ready` exists.
 * A supervisor whose vessel uses an environment holds a shared lock on `ready`, so an exclusive one
 * shows that nobody does. Any thread, unless a function says otherwise. */
#ifndef WEBHOOKD_PACKAGES_CACHE_H
#define WEBHOOKD_PACKAGES_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "packages/installer.h"

struct cache {
    char *path;
    int fd, building_fd, logs_fd, lock_fd;
};

/* Opens the folder, and creates it (one level). Removes what an earlier webhookd left unfinished,
 * after ending the tools that still work on it. ERROR_CONFLICT: another webhookd uses it. */
int cache_open(struct cache *cache, const char *path, struct error *error);
void cache_close(struct cache *cache); /* also a zeroed one */

/* Whether the name has the form of a key. */
bool cache_is_key(const char *name);
/* Opens `ready` of an environment. Returns a descriptor, or -1 with errno. */
int cache_open_ready(const struct cache *cache, const char *key);
bool cache_has(const struct cache *cache, const char *key);
/* Opens `ready` of an environment with a shared lock. Returns a descriptor, or -1 (ERROR_NOT_FOUND:
 * there is none, or it is being removed). Notes the use. */
int cache_use(const struct cache *cache, const char *key, struct error *error);

/* A folder in which a tool works. It is seen as <dir>/<name>; in a sandbox that is a mount. */
struct cache_place {
    char name[INSTALLER_KEY_BYTES];
    char *path;
    int fd;
    int parent_fd; /* borrowed: building/, or packages.dir itself without a sandbox */
};
/* Creates it, in place of one that a failure left, and gives it to the user. */
int cache_place_open(const struct cache *cache, const char *name, const struct installer_user *user,
                     struct cache_place *place, struct error *error);
/* Removes it, unless cache_publish has made it an environment. */
void cache_place_close(struct cache_place *place);
/* Makes an environment of a place whose tree belongs to webhookd: syncs it, writes `ready`, which
 * holds its size, and moves it. Blocks. */
int cache_publish(const struct cache *cache, struct cache_place *place, int64_t bytes,
                  struct error *error);

/* Opens the log of that name for appending, emptied. Returns a descriptor, or -1. */
int cache_open_log(const struct cache *cache, const char *name, struct error *error);

#endif
