/* Shared by the handlers that start fleet runs. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_RUN_START_H
#define WEBHOOKD_ADMIN_RUN_START_H

#include "admin/request.h"
#include "store/runs.h"

/* Commits a fleet run and logs it. ERROR_STALE: its overrides are to be checked again. */
int run_start_commit(struct admin_request *request, const struct id *fleet_id,
                     const struct run_input *input, struct run_ids *ids, struct error *error);
/* Fills in the request, the trigger, the time and the sender, whose text is kept in `peer`. */
void run_start_fill_origin(struct admin_request *request, struct run_input *input,
                           char peer[HTTP_PEER_BYTES]);

#endif
