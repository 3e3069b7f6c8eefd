/* API keys and sessions: passes the calls of include/store/keys.h to the store's engine. */
#include "store/keys.h"

#include "store/engine.h"

int store_list_keys(struct store *store, int (*each)(void *, const struct key_row *), void *context,
                    struct error *error)
{
    return store->engine->list_keys(store, each, context, error);
}

int store_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                   int (*each)(void *, const struct key_row *), void *context, struct error *error)
{
    return store->engine->find_key(store, hash, each, context, error);
}

int store_create_key(struct store *store, const struct new_key *key, struct id *id,
                     struct error *error)
{
    return store->engine->create_key(store, key, id, error);
}

int store_find_revoked_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                           int64_t *revoked_ms, struct error *error)
{
    return store->engine->find_revoked_key(store, hash, revoked_ms, error);
}

int store_revoke_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error)
{
    return store->engine->revoke_key(store, id, now_ms, error);
}

int store_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error)
{
    return store->engine->touch_key(store, id, now_ms, error);
}

int store_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct session_time *time,
                       int (*each)(void *, const struct session_row *), void *context,
                       struct error *error)
{
    return store->engine->find_session(store, hash, time, each, context, error);
}

int store_begin_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct id *key_id, const struct session_time *time,
                        struct error *error)
{
    return store->engine->begin_session(store, hash, key_id, time, error);
}

int store_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                        struct error *error)
{
    return store->engine->touch_session(store, hash, now_ms, error);
}

int store_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct error *error)
{
    return store->engine->end_session(store, hash, error);
}
