/* Fleet runs, for the other handlers. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_RUNS_H
#define WEBHOOKD_ADMIN_RUNS_H

#include <jansson.h>

#include "base/error.h"
#include "base/id.h"
#include "store/runs.h"

/* Returns the fleet run with its vessel runs, as the API shows it; the caller owns it. Returns NULL
 * and sets *error on failure, such as ERROR_NOT_FOUND. */
json_t *runs_object(struct store *store, const struct id *run_id, struct error *error);

#endif
