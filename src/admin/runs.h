/* Fleet runs, for the other handlers. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_RUNS_H
#define WEBHOOKD_ADMIN_RUNS_H

#include <jansson.h>

#include "base/error.h"
#include "base/id.h"
#include "store/runs.h"

/* The fleet run with its vessel runs, as the API shows it; the caller owns it. NULL and *error,
 * such as ERROR_NOT_FOUND. */
json_t *runs_object(struct store *store, const struct id *run_id, struct error *error);

#endif
