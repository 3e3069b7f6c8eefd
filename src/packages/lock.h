/* Locks: what the packages of a vessel were resolved to, and what follows from that. */
#ifndef WEBHOOKD_PACKAGES_LOCK_H
#define WEBHOOKD_PACKAGES_LOCK_H

#include "model/definition.h"
#include "packages/installer.h"
#include "store/package_locks.h"

/* Returns what is asked for, as text that is equal if and only if that is. Free it. The language
 * must have packages of its own (packages/tool.h). */
char *lock_describe_request(enum vessel_language language, const struct package_list *packages);
/* Fills in the key of the environment that the lock describes. `user`: NULL if other users' vessels
 * may use it, too. */
void lock_make_key(enum vessel_language language, const struct package_lock *lock,
                   const struct installer_user *user, char key[INSTALLER_KEY_BYTES]);

/* store_find_package_lock on a connection of its own. */
int lock_find(const struct store_options *options, const struct package_lock_place *place,
              const char *request, struct package_lock *found, struct error *error);
/* Commits the lock, and waits for that. */
int lock_keep(struct commit_queue *queue, const struct package_lock_place *place,
              const struct package_lock *lock, struct error *error);

#endif
