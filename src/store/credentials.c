/* Credentials and what else is sealed: passes the calls of include/store/credentials.h to the
 * store's engine. */
#include "store/credentials.h"

#include <stdio.h>

#include "store/engine.h"

char *store_credential_place(const struct id *org_id, const struct reference *name,
                             char place[STORE_CREDENTIAL_PLACE_BYTES])
{
    char id[ID_TEXT_BYTES], text[REFERENCE_TEXT_BYTES];
    (void)snprintf(place, STORE_CREDENTIAL_PLACE_BYTES, "credential/%s/%s", id_format(org_id, id),
                   reference_format(name, text));
    return place;
}

int store_list_credentials(struct store *store, const struct id *org_id,
                           int (*each)(void *, const struct credential_row *), void *context,
                           struct error *error)
{
    return store->engine->list_credentials(store, org_id, each, context, error);
}

int store_find_credential(struct store *store, const struct id *org_id,
                          const struct reference *name,
                          int (*each)(void *, const struct credential_row *), void *context,
                          struct error *error)
{
    return store->engine->find_credential(store, org_id, name, each, context, error);
}

int store_set_credential(struct store *store, const struct id *org_id,
                         const struct credential_value *value, int64_t now_ms, bool *is_new,
                         struct error *error)
{
    return store->engine->set_credential(store, org_id, value, now_ms, is_new, error);
}

int store_remove_credential(struct store *store, const struct id *org_id,
                            const struct reference *name, struct error *error)
{
    return store->engine->remove_credential(store, org_id, name, error);
}

int store_touch_credential(struct store *store, const struct id *org_id,
                           const struct reference *name, int64_t now_ms, struct error *error)
{
    return store->engine->touch_credential(store, org_id, name, now_ms, error);
}

int store_list_definitions(struct store *store, const struct id *org_id, const char *text,
                           int (*each)(void *, const struct definition_row *), void *context,
                           struct error *error)
{
    return store->engine->list_definitions(store, org_id, text, each, context, error);
}

int store_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                      void *context, struct error *error)
{
    return store->engine->list_sealed(store, each, context, error);
}
