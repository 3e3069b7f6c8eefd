/* The header Idempotency-Key: a client that does not know whether its request was received repeats
 * it with the same key, and webhookd starts one fleet run. Without the header, nothing of this is
 * done. */
#ifndef WEBHOOKD_ADMIN_IDEMPOTENCY_H
#define WEBHOOKD_ADMIN_IDEMPOTENCY_H

#include "admin/request.h"
#include "store/idempotency.h"

/* "key " or "user ", and an id or a number. */
#define IDEMPOTENCY_CALLER_BYTES 64

struct idempotency_header {
    bool is_given;
    char caller[IDEMPOTENCY_CALLER_BYTES];
    struct idempotency value;
};

/* Reads the header of a request that starts a run of this fleet. The same request is one for the
 * same fleet with the same bytes as body, whatever its address. A key belongs to the API key that
 * the caller uses, or on the admin socket to the user of the calling process. Returns -1 with
 * ERROR_INVALID and the status 422 if the header is malformed. On admin workers' threads. */
int idempotency_read(struct admin_request *request, const struct id *fleet_id,
                     struct idempotency_header *header, struct error *error);

/* store_find_idempotency. Returns -1 also if nothing may be started: ERROR_INVALID with
 * IDEMPOTENCY_OTHER, ERROR_UNAVAILABLE with IDEMPOTENCY_FULL. Any thread. */
int idempotency_check(struct store *store, const struct idempotency *idempotency, int64_t now_ms,
                      enum idempotency_found *found, struct id *run_id, struct error *error);

/* The same on a read-only connection, and sets the status of the answer; without the header,
 * IDEMPOTENCY_NEW. Only idempotency_check in the transaction of the run finds copies of the request
 * that are on their way. On admin workers' threads. */
int idempotency_look_up(struct admin_request *request, const struct idempotency_header *header,
                        enum idempotency_found *found, struct id *run_id, struct error *error);

/* Sets the status of the answer to a request that was not repeated but refused. On admin workers'
 * threads. */
void idempotency_set_status(struct admin_request *request, enum idempotency_found found);

#endif
