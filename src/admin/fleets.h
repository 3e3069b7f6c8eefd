/* Fleets, for the other handlers. On admin workers' threads, except for fleets_set_subject. */
#ifndef WEBHOOKD_ADMIN_FLEETS_H
#define WEBHOOKD_ADMIN_FLEETS_H

#include <jansson.h>

#include "admin/change.h"
#include "base/error.h"
#include "base/id.h"
#include "store/fleets.h"

/* Returns the fleet as the API shows it; the caller owns it. Returns NULL and sets *error on
 * failure, such as ERROR_NOT_FOUND. */
json_t *fleets_object(struct store *store, const struct id *fleet_id, struct error *error);
/* Makes the fleet the subject of a change to it or to its webhook. Returns -1 and sets *error:
 * ERROR_NOT_FOUND, or the store cannot be read. Called from `apply`, on the committer's thread. */
int fleets_set_subject(struct change *change, struct store *store, const struct id *fleet_id,
                       struct error *error);

#endif
