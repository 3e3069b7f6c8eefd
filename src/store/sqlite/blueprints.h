/* Blueprints, as the other files of this folder use them. */
#ifndef WEBHOOKD_STORE_SQLITE_BLUEPRINTS_H
#define WEBHOOKD_STORE_SQLITE_BLUEPRINTS_H

#include "store/blueprints.h"

/* Does not find a deleted blueprint: ERROR_NOT_FOUND. */
int blueprints_find(struct store *store, const struct id *blueprint_id, int64_t *blueprint_no,
                    struct error *error);
/* Records which blueprints a definition uses, instead of those that the fleet used before. Does
 * nothing for a fleet that uses none and has used none. ERROR_CONFLICT: one was deleted, or is not
 * its organization's. On the committer's thread. */
int blueprint_uses_write(struct store *store, int64_t fleet_no, const struct definition *definition,
                         struct error *error);
/* Forgets them: the fleet is deleted. */
int blueprint_uses_forget(struct store *store, int64_t fleet_no, struct error *error);

#endif
