/* Projects, for the other handlers. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_PROJECTS_H
#define WEBHOOKD_ADMIN_PROJECTS_H

#include <jansson.h>

#include "base/error.h"
#include "base/id.h"
#include "store/fleets.h"

/* Returns the project as the API shows it; the caller owns it. Returns NULL and sets *error on
 * failure, such as ERROR_NOT_FOUND. */
json_t *projects_object(struct store *store, const struct id *project_id, struct error *error);

#endif
