/* The state folder: made, checked to be ours, closed to others, and locked, so that one webhookd at a time uses it (invariant 3). */
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
#define STATE_DIR_SECRET "secret.key" /* the key's file in it */
#define STATE_DIR_BACKUP "backup.tmp" /* a copy of the store while a backup is made */

/* Does a store at this location keep a file or folder of this name in the state folder? */
typedef bool state_dir_is_stores(const char *location, const char *name);

/* Opens path (created if it is missing, one level), takes state_dir/lock, gives the folder mode
 * 0700, creates the folders in it and syncs it. A folder that holds anything but webhookd's own
 * files and the store's is refused and left as it is: a slip in the configuration must not close
 * somebody's home, or /var, to all others. ERROR_INVALID: another folder must be named;
 * ERROR_CONFLICT: another webhookd has had the lock for a second. */
int state_dir_open(struct state_dir *state, const char *path, const char *store_location,
                   state_dir_is_stores *is_stores, struct error *error);
void state_dir_close(struct state_dir *state);

/* Is it the name of something that webhookd keeps there itself, beside the store? */
bool state_dir_uses(const char *name, size_t bytes);

#endif
