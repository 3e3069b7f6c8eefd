/* Webhooks and their counts: passes the calls of include/store/webhooks.h to the store's engine. */
#include "store/webhooks.h"

#include "store/engine.h"

int64_t store_quarter(int64_t at_ms)
{
    return at_ms - at_ms % STORE_QUARTER_MS;
}

int store_list_webhooks(struct store *store, int64_t since_ms,
                        int (*each)(void *, const struct webhook_row *), void *context,
                        struct error *error)
{
    return store->engine->list_webhooks(store, since_ms, each, context, error);
}

int store_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                      int (*each)(void *, const struct webhook_row *), void *context,
                      struct error *error)
{
    return store->engine->get_webhook(store, fleet_id, since_ms, each, context, error);
}

int store_count_webhooks(struct store *store, int64_t *count, struct error *error)
{
    return store->engine->count_webhooks(store, count, error);
}

int store_list_tokens(struct store *store,
                      int (*each)(void *, const struct id *fleet_id, const struct webhook_token *),
                      void *context, struct error *error)
{
    return store->engine->list_tokens(store, each, context, error);
}

int store_create_webhook(struct store *store, const struct id *fleet_id,
                         const struct webhook_token *token, int64_t now_ms, struct error *error)
{
    return store->engine->create_webhook(store, fleet_id, token, now_ms, error);
}

int store_replace_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, int64_t now_ms, struct error *error)
{
    return store->engine->replace_webhook(store, fleet_id, token, now_ms, error);
}

int store_reseal_webhook(struct store *store, const struct id *fleet_id,
                         const struct webhook_token *token, struct error *error)
{
    return store->engine->reseal_webhook(store, fleet_id, token, error);
}

int store_remove_webhook(struct store *store, const struct id *fleet_id, struct error *error)
{
    return store->engine->remove_webhook(store, fleet_id, error);
}

int store_add_calls(struct store *store, const struct webhook_calls *calls, struct error *error)
{
    return store->engine->add_calls(store, calls, error);
}
