/* The state folder as the daemon finds or creates it: locked, with the key and the store in it.
 * Called by daemon.c, on the main thread. */
#ifndef WEBHOOKD_STATE_H
#define WEBHOOKD_STATE_H

#include "base/error.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "config/config.h"
#include "store/store.h"

struct state {
    struct state_dir dir;
    struct secret_key key;      /* not present: lost, beside a store that has sealed tokens */
    struct store_options store; /* for writing; borrows from the configuration */
};

/* The configuration must outlive it. -1: it is closed again. */
int state_open(struct state *state, const struct config *config, struct error *error);
void state_close(struct state *state);

/* Ids continue where the last daemon stopped, also when the clock has stepped back. Reads the
 * store, so it comes after commit_start. */
int state_advance_clock(const struct state *state, struct error *error);

#endif
