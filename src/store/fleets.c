/* Organizations, projects, fleets and versions: passes the calls of include/store/fleets.h to the
 * store's engine. */
#include "store/fleets.h"

#include "store/engine.h"

int store_list_orgs(struct store *store, int (*each)(void *, const struct org_row *), void *context,
                    struct error *error)
{
    return store->engine->list_orgs(store, each, context, error);
}

int store_list_projects(struct store *store, const struct id *org_id,
                        int (*each)(void *, const struct project_row *), void *context,
                        struct error *error)
{
    return store->engine->list_projects(store, org_id, each, context, error);
}

int store_list_fleets(struct store *store, const struct id *project_id,
                      int (*each)(void *, const struct fleet_row *), void *context,
                      struct error *error)
{
    return store->engine->list_fleets(store, project_id, each, context, error);
}

int store_get_fleet(struct store *store, const struct id *fleet_id,
                    int (*each)(void *, const struct fleet_row *), void *context,
                    struct error *error)
{
    return store->engine->get_fleet(store, fleet_id, each, context, error);
}

int store_list_versions(struct store *store, const struct id *fleet_id,
                        int (*each)(void *, const struct version_row *), void *context,
                        struct error *error)
{
    return store->engine->list_versions(store, fleet_id, each, context, error);
}

int store_get_version(struct store *store, const struct id *fleet_id, int version,
                      int (*each)(void *, const struct version_row *), void *context,
                      struct error *error)
{
    return store->engine->get_version(store, fleet_id, version, each, context, error);
}

int store_create_org(struct store *store, const char *name, int64_t now_ms, struct id *id,
                     struct error *error)
{
    return store->engine->create_org(store, name, now_ms, id, error);
}

int store_delete_org(struct store *store, const struct id *id, struct error *error)
{
    return store->engine->delete_org(store, id, error);
}

int store_create_project(struct store *store, const struct id *org_id, const char *name,
                         int64_t now_ms, struct id *id, struct error *error)
{
    return store->engine->create_project(store, org_id, name, now_ms, id, error);
}

int store_delete_project(struct store *store, const struct id *id, struct error *error)
{
    return store->engine->delete_project(store, id, error);
}

int store_apply_fleet(struct store *store, const struct fleet_application *application,
                      int64_t now_ms, struct apply_result *result, struct error *error)
{
    return store->engine->apply_fleet(store, application, now_ms, result, error);
}

int store_delete_fleet(struct store *store, const struct id *fleet_id, int64_t now_ms,
                       struct error *error)
{
    return store->engine->delete_fleet(store, fleet_id, now_ms, error);
}
