/* The state folder, which the daemon opens or creates and locks, with the key and the store in it.
 * Called by daemon.c, on the main thread. */
#ifndef WEBHOOKD_STATE_H
#define WEBHOOKD_STATE_H

#include "base/error.h"
#include "base/state_dir.h"
#include "config/config.h"
#include "store/store.h"

struct state {
    struct state_dir dir;
    struct store_options store; /* for writing; borrows from the configuration */
};

/* Opens the state folder. The configuration must outlive it. On -1 it is closed again. */
int state_open(struct state *state, const struct config *config, struct error *error);
void state_close(struct state *state);

/* Makes ids continue where the last daemon stopped, even if the clock has been set back. Reads the
 * store, so it must be called after commit_start. */
int state_advance_clock(const struct state *state, struct error *error);

#endif
