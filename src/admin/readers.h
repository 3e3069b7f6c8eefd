/* A pool of read-only store connections: a call takes one and gives it back before its answer goes out. Any thread. */
#ifndef WEBHOOKD_ADMIN_READERS_H
#define WEBHOOKD_ADMIN_READERS_H

#include <stdbool.h>

#include "base/error.h"
#include "store/store.h"

struct readers;

struct readers *readers_new(const struct store_options *options); /* borrows its strings */
void readers_free(struct readers *readers); /* all must have been given back; NULL is fine */

struct store *readers_take(struct readers *readers, struct error *error);
/* A connection that a call failed on is `broken`: closed instead of kept. */
void readers_give(struct readers *readers, struct store *store, bool broken);

#endif
