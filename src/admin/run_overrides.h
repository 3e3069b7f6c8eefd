/* The overrides of a fleet run on their way into the store and out of it. Their values are seen by
 * nobody but the runner, and by "run again", which seals them anew. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_RUN_OVERRIDES_H
#define WEBHOOKD_ADMIN_RUN_OVERRIDES_H

#include <jansson.h>

#include "admin/request.h"
#include "model/overrides.h"
#include "store/runs.h"

/* Checks the overrides of an earlier run against the fleet's current version, which it copies to
 * *version. ERROR_CONFLICT says what does not fit any more. */
int run_overrides_check_again(struct store *store, const struct id *fleet_id,
                              const struct overrides *overrides, int *version, struct error *error);

struct sealed_overrides {
    struct run_overrides stored; /* borrows the following */
    struct buffer names;
    uint8_t *sealed;
};
/* Seals overrides that are not empty for the run of this request. ERROR_UNAVAILABLE: they have
 * values, and there is no key that could seal them. The caller frees `sealed` in any case. */
int run_overrides_seal(struct admin_request *request, const struct overrides *overrides,
                       const struct id *request_id, struct sealed_overrides *sealed,
                       struct error *error);
void run_overrides_free_sealed(struct sealed_overrides *sealed);

/* Opens the overrides of a run, which may have none; the caller wipes them. ERROR_UNAVAILABLE: they
 * have values, and the key does not open them. */
int run_overrides_open(struct admin_request *request, const struct id *run_id,
                       const struct id *request_id, struct overrides *overrides,
                       struct error *error);

/* Returns the vessels of a run that have overrides, with the names of their variables. The caller
 * owns the list. Returns NULL and sets *error if the store cannot be read. */
json_t *run_overrides_render(struct store *store, const struct id *run_id, struct error *error);

#endif
