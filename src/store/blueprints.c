/* Blueprints: passes the calls of include/store/blueprints.h to the store's engine. */
#include "store/blueprints.h"

#include <stdlib.h>
#include <string.h>

#include "store/engine.h"

int store_list_blueprints(struct store *store, const struct id *org_id,
                          int (*each)(void *, const struct blueprint_row *), void *context,
                          struct error *error)
{
    return store->engine->list_blueprints(store, org_id, each, context, error);
}

int store_get_blueprint(struct store *store, const struct id *blueprint_id,
                        int (*each)(void *, const struct blueprint_row *), void *context,
                        struct error *error)
{
    return store->engine->get_blueprint(store, blueprint_id, each, context, error);
}

int store_list_blueprint_versions(struct store *store, const struct id *blueprint_id,
                                  int (*each)(void *, const struct blueprint_version_row *),
                                  void *context, struct error *error)
{
    return store->engine->list_blueprint_versions(store, blueprint_id, each, context, error);
}

int store_get_blueprint_version(struct store *store, const struct id *blueprint_id, int version,
                                int (*each)(void *, const struct blueprint_version_row *),
                                void *context, struct error *error)
{
    return store->engine->get_blueprint_version(store, blueprint_id, version, each, context, error);
}

int store_find_blueprint_inputs(struct store *store, const struct blueprint_query *query,
                                int (*each)(void *, const struct blueprint_inputs *), void *context,
                                struct error *error)
{
    return store->engine->find_blueprint_inputs(store, query, each, context, error);
}

char *store_get_blueprint_head(struct store *store, const struct id *blueprint_id, int *version,
                               struct error *error)
{
    return store->engine->get_blueprint_head(store, blueprint_id, version, error);
}

int store_complete_vessel(struct store *store, struct definition_vessel *vessel,
                          struct error *error)
{
    char *json =
        store_get_blueprint_head(store, &vessel->blueprint_id, &vessel->blueprint_version, error);
    int result = json ? blueprint_head_apply(json, strlen(json), vessel, error) : -1;
    free(json);
    return result;
}

int store_list_blueprint_users(struct store *store, const struct id *blueprint_id,
                               int (*each)(void *, const struct definition_row *), void *context,
                               struct error *error)
{
    return store->engine->list_blueprint_users(store, blueprint_id, each, context, error);
}

int store_search_blueprints(struct store *store, const struct id *org_id, const char *text,
                            int (*each)(void *, const struct blueprint_version_row *),
                            void *context, struct error *error)
{
    return store->engine->search_blueprints(store, org_id, text, each, context, error);
}

int store_apply_blueprint(struct store *store, const struct blueprint_application *application,
                          int64_t now_ms, struct blueprint_result *result, struct error *error)
{
    return store->engine->apply_blueprint(store, application, now_ms, result, error);
}

int store_delete_blueprint(struct store *store, const struct id *blueprint_id, int64_t now_ms,
                           struct error *error)
{
    return store->engine->delete_blueprint(store, blueprint_id, now_ms, error);
}
