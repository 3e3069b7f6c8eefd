/* The state folder as the daemon finds or creates it: locked, with the key and the store in it.
 * Called by daemon.c, on the main thread. */
#ifndef WEBHOOKD_STATE_FOLDER_H
#define WEBHOOKD_STATE_FOLDER_H

#include "base/error.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "config/config.h"
#include "store/store.h"

struct state_folder {
    struct state_dir dir;
    struct secret_key key;      /* not present: lost, beside a store that has sealed tokens */
    struct store_options store; /* for writing; borrows from the configuration */
};

/* The configuration must outlive it. -1: it is closed again. */
int state_folder_open(struct state_folder *folder, const struct config *config,
                      struct error *error);
void state_folder_close(struct state_folder *folder);

/* Ids continue where the last daemon stopped, also when the clock has stepped back. Reads the
 * store, so it comes after commit_start. */
int state_folder_advance_clock(const struct state_folder *folder, struct error *error);

#endif
