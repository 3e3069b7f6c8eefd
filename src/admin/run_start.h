/* Shared by the handlers that start fleet runs. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_RUN_START_H
#define WEBHOOKD_ADMIN_RUN_START_H

#include "admin/request.h"
#include "store/idempotency.h"
#include "store/runs.h"

/* All pointers are borrowed. */
struct run_start {
    const struct id *fleet_id;
    const struct run_input *input;
    const struct idempotency *idempotency; /* NULL: each call starts a run */
    /* Out. Without `idempotency`, `found` is IDEMPOTENCY_NEW. If the request is repeated, only
     * ids.run_id is set. */
    enum idempotency_found found;
    struct run_ids ids;
};
/* Commits a fleet run and logs it, unless an earlier request with the same Idempotency-Key has
 * started one. ERROR_STALE: its overrides are to be checked again. ERROR_INVALID,
 * ERROR_UNAVAILABLE, with `found`: idempotency_check. */
int run_start_commit(struct admin_request *request, struct run_start *start, struct error *error);
/* Fills in the request, the trigger, the time and the sender, whose text is kept in `peer`. */
void run_start_fill_origin(struct admin_request *request, struct run_input *input,
                           char peer[HTTP_PEER_BYTES]);

#endif
