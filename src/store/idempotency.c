/* Idempotency-Keys: passes the calls of include/store/idempotency.h to the store's engine. */
#include "store/idempotency.h"

#include "store/engine.h"

int store_find_idempotency(struct store *store, const struct idempotency *idempotency,
                           int64_t now_ms, enum idempotency_found *found, struct id *run_id,
                           struct error *error)
{
    return store->engine->find_idempotency(store, idempotency, now_ms, found, run_id, error);
}

int store_add_idempotency(struct store *store, const struct idempotency *idempotency,
                          int64_t now_ms, const struct id *run_id, struct error *error)
{
    return store->engine->add_idempotency(store, idempotency, now_ms, run_id, error);
}

int store_forget_idempotency(struct store *store, int64_t now_ms, int limit, struct error *error)
{
    return store->engine->forget_idempotency(store, now_ms, limit, error);
}
