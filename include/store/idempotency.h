/* Idempotency-Keys: a caller that repeats a request gets the run that the first one started, for
 * STORE_IDEMPOTENCY_MS after that. Any connection can look; functions that change something may
 * only be called inside store_write (store.h).
 *
 * All times are of the wall clock. If it steps back, keys are remembered for that much longer. */
#ifndef WEBHOOKD_STORE_IDEMPOTENCY_H
#define WEBHOOKD_STORE_IDEMPOTENCY_H

#include "base/secret.h"
#include "store/store.h"

#define STORE_IDEMPOTENCY_MS (24 * INT64_C(3600000))
/* For each caller; beyond it, requests with a new key are refused. Each one has started a run, so
 * the runs take more room. */
#define STORE_MAX_IDEMPOTENCY_KEYS 1000000

struct idempotency {
    const char *caller;                     /* borrowed; callers share no keys */
    uint8_t id_hash[SECRET_HASH_BYTES];     /* of the key */
    uint8_t fingerprint[SECRET_HASH_BYTES]; /* of what is asked for */
};

enum idempotency_found {
    IDEMPOTENCY_NEW,
    IDEMPOTENCY_REPEATED, /* the same request has started a run */
    IDEMPOTENCY_OTHER,    /* another request has used the key */
    IDEMPOTENCY_FULL,     /* new, but the caller has as many keys as are remembered */
};
/* Looks for a request with this key. Sets *run_id if it is repeated. */
int store_find_idempotency(struct store *store, const struct idempotency *idempotency,
                           int64_t now_ms, enum idempotency_found *found, struct id *run_id,
                           struct error *error);
/* Remembers the run of a request whose key is IDEMPOTENCY_NEW, in the run's transaction. */
int store_add_idempotency(struct store *store, const struct idempotency *idempotency,
                          int64_t now_ms, const struct id *run_id, struct error *error);
/* Forgets at most `limit` keys whose time is over. Returns their number, or -1. */
int store_forget_idempotency(struct store *store, int64_t now_ms, int limit, struct error *error);

#endif
