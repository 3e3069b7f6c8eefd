/* Fleets, for the other handlers. On admin workers' threads, but for fleets_set_subject. */
#ifndef WEBHOOKD_ADMIN_FLEETS_H
#define WEBHOOKD_ADMIN_FLEETS_H

#include <jansson.h>

#include "admin/change.h"
#include "base/error.h"
#include "base/id.h"
#include "store/fleets.h"

/* The fleet as the API shows it; the caller owns it. NULL and *error, such as ERROR_NOT_FOUND. */
json_t *fleets_object(struct store *store, const struct id *fleet_id, struct error *error);
/* Sets the subject of a change to something of this fleet's. -1: ERROR_NOT_FOUND, or the store
 * cannot be asked. From `apply`, on the committer's thread. */
int fleets_set_subject(struct change *change, struct store *store, const struct id *fleet_id,
                       struct error *error);

#endif
