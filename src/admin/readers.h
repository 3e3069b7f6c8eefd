/* A pool of read-only store connections: a request takes one and gives it back before its answer is
 * sent. Any thread. */
#ifndef WEBHOOKD_ADMIN_READERS_H
#define WEBHOOKD_ADMIN_READERS_H

#include <stdbool.h>

#include "base/error.h"
#include "store/store.h"

struct readers;

/* Borrows the options' strings. */
struct readers *readers_new(const struct store_options *options);
/* All connections must have been given back before. NULL is fine. */
void readers_free(struct readers *readers);

/* Returns a connection, or NULL and sets *error. */
struct store *readers_take(struct readers *readers, struct error *error);
/* broken: the request failed on this connection, which is therefore closed and not kept. */
void readers_give(struct readers *readers, struct store *store, bool broken);

#endif
