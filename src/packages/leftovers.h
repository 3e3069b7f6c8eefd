/* Leftovers of a webhookd that was killed, in packages.dir. */
#ifndef WEBHOOKD_PACKAGES_LEFTOVERS_H
#define WEBHOOKD_PACKAGES_LEFTOVERS_H

#include "packages/cache.h"

/* Ends the supervisors of an earlier webhookd that still run, and removes what they were making.
 * On the thread that opens the cache, before anything is made in it. Blocks. */
int leftovers_remove(const struct cache *cache, struct error *error);

#endif
