/* The state folder. state_dir_open creates it, checks that it is webhookd's, closes it to other
 * users, and locks it, so that only one webhookd at a time uses it (invariant 3). */
#ifndef WEBHOOKD_BASE_STATE_DIR_H
#define WEBHOOKD_BASE_STATE_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct state_dir {
    int fd;      /* the folder; -1: not open */
    int lock_fd; /* holds the lock until the process ends or it is closed */
};

#define STATE_DIR_INIT                                                                             \
    {                                                                                              \
        -1, -1                                                                                     \
    }
#define STATE_DIR_SECRET "secret.key" /* the key file */
#define STATE_DIR_BACKUP "backup.tmp" /* a copy of the store while a backup runs */

/* Whether a store at this location keeps a file or folder of this name in the state folder. */
typedef bool state_dir_is_stores(const char *location, const char *name);

/* Opens path (creates it if it is missing, one level), gives the folder mode 0700 if it is open to
 * others, takes the lock (the file "lock" in it), creates the folders in it and syncs it. If the
 * folder has no lock file and holds anything but webhookd's own files and the store's, refuses it
 * and leaves it unchanged: a mistake in the configuration must not close someone's home, or /var,
 * to everyone else. ERROR_CONFIG: the path is not a folder, its parent is missing, or the folder
 * belongs to another user or holds other files. ERROR_CONFLICT: another webhookd held the lock for
 * a whole second. */
int state_dir_open(struct state_dir *state, const char *path, const char *store_location,
                   state_dir_is_stores *is_stores, struct error *error);
void state_dir_close(struct state_dir *state);

/* Whether webhookd itself, apart from the store, keeps something of this name in the folder. */
bool state_dir_uses(const char *name, size_t bytes);

#endif
