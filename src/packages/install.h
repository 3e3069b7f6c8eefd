/* The work for one vessel's packages, from what its fleet asks for to an environment. On an
 * installer's thread. */
#ifndef WEBHOOKD_PACKAGES_INSTALL_H
#define WEBHOOKD_PACKAGES_INSTALL_H

#include "packages/cache.h"
#include "packages/installer.h"
#include "store/package_locks.h"

#define INSTALL_LOG_BYTES 128

struct install {
    const struct config *config;
    const char *supervisor_path;
    const struct store_options *store;
    struct commit_queue *queue;
    const struct cache *cache;
    struct package_lock_place place;
    const char *fleet_name;
    enum vessel_language language;
    const struct package_list *packages;
    struct installer_user user;
    bool is_shared;  /* set by install_run: other users' vessels may use the environment, too */
    bool is_refresh; /* resolves again, although there is a lock */
    /* Whether nobody waits for it any more. */
    bool (*is_unwanted)(void *context);
    /* Tools write to the log of that name from now on. */
    void (*log_begins)(void *context, const char *name);
    void *context;
    /* Waits until no other thread installs or removes this environment, and claims it; released
     * with `release`. */
    void (*claim)(void *claims, const char *key);
    void (*release)(void *claims, const char *key);
    void *claims;

    /* Results. The log is that of the last tool that ran; "" = none has. */
    char key[INSTALLER_KEY_BYTES];
    char log[INSTALL_LOG_BYTES];
    bool has_installed; /* a new environment */
};

/* Locks what is not locked yet, and installs the environment unless there is one. Sets key. The
 * error's message is the tool's own last word if one failed. Blocks. */
int install_run(struct install *install, struct error *error);

#endif
