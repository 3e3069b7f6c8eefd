/* Projects, for the other handlers. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_PROJECTS_H
#define WEBHOOKD_ADMIN_PROJECTS_H

#include <jansson.h>

#include "base/error.h"
#include "base/id.h"
#include "store/fleets.h"

/* The project as the API shows it; the caller owns it. NULL and *error, such as ERROR_NOT_FOUND. */
json_t *projects_object(struct store *store, const struct id *project_id, struct error *error);

#endif
