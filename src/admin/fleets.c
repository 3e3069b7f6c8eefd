/* Handlers of fleets and their versions: reading and deleting. On admin workers' threads. */
#include "admin/fleets.h"

#include "admin/change.h"
#include "admin/projects.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"

#define LAST_RUNS_MAX 20

struct fleet_list {
    json_t *fleets;
    struct store *store;
    int last; /* how many runs of each fleet are shown */
    struct error *error;
};

static int append_run(void *context, const struct run_row *row)
{
    render_append(context, render_outcome(row));
    return 0;
}

static int append_fleet(void *context, const struct fleet_row *row)
{
    struct fleet_list *list = context;
    json_t *fleet = render_fleet(row);
    render_append(list->fleets, fleet);
    if (list->last == 0)
        return 0;
    const struct run_filter filter = {.fleet_id = &row->id, .limit = list->last};
    json_t *runs = json_array();
    render_set(fleet, "last", runs);
    return store_list_runs(list->store, &filter, append_run, runs, list->error);
}

static int list_fleets(struct admin_request *request, struct store *store,
                       const struct id *project_id, struct error *error)
{
    int64_t last = 0;
    if (request_query_number(request, "last", 0, LAST_RUNS_MAX, &last, error) != 0)
        return -1;
    struct fleet_list list = {json_array(), store, (int)last, error};
    request_answer_data(request, 200, render_one("fleets", list.fleets));
    if (store_list_fleets(store, project_id, append_fleet, &list, error) != 0)
        return -1;
    return error_is_set(error) ? -1 : 0;
}

int fleets_list(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    return store ? list_fleets(request, store, NULL, error) : -1;
}

int fleets_list_in_project(struct admin_request *request, struct error *error)
{
    struct id project_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "project_id", "project", &project_id, error) != 0)
        return -1;
    json_t *project = projects_object(store, &project_id, error);
    if (!project)
        return -1;
    json_decref(project);
    return list_fleets(request, store, &project_id, error);
}

static int keep_fleet(void *context, const struct fleet_row *row)
{
    json_t **object = context;
    *object = render_fleet(row);
    return 0;
}

json_t *fleets_object(struct store *store, const struct id *fleet_id, struct error *error)
{
    json_t *object = NULL;
    if (store_get_fleet(store, fleet_id, keep_fleet, &object, error) == 0)
        return object;
    json_decref(object);
    return NULL;
}

int fleets_get(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    json_t *fleet = fleets_object(store, &fleet_id, error);
    request_answer_data(request, 0, fleet);
    return fleet ? 0 : -1;
}

static int set_subject(void *context, const struct fleet_row *row)
{
    change_set_subject(context, &row->id, row->name);
    change_set_fleet(context, &row->id, 0);
    return 0;
}

int fleets_set_subject(struct change *change, struct store *store, const struct id *fleet_id,
                       struct error *error)
{
    return store_get_fleet(store, fleet_id, set_subject, change, error);
}

struct delete_fleet {
    struct change change;
    struct id id;
};

static int apply_delete_fleet(struct change *change, struct store *store, struct error *error)
{
    const struct delete_fleet *delete = CONTAINER_OF(change, struct delete_fleet, change);
    if (fleets_set_subject(change, store, &delete->id, error) != 0)
        return -1;
    return store_delete_fleet(store, &delete->id, change->now_ms, error);
}

static const struct change_kind delete_fleet_kind = {.action = "fleet.delete",
                                                     .apply = apply_delete_fleet};

int fleets_delete(struct admin_request *request, struct error *error)
{
    struct delete_fleet delete = {.change.kind = &delete_fleet_kind};
    if (request_path_id(request, "fleet_id", "fleet", &delete.id, error) != 0 ||
        change_commit(request, &delete.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "fleet deleted", log_id("fleet", &delete.id));
    struct error unread = ERROR_INIT;
    struct store *store = request_store(request, &unread);
    if (store)
        fleet_sections_examine(request->admin->fleet_sections, store);
    return 0;
}

/* ---- versions ---- */

static int append_version(void *context, const struct version_row *row)
{
    render_append(context, render_version(row));
    return 0;
}

int fleets_list_versions(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    json_t *fleet = fleets_object(store, &fleet_id, error);
    if (!fleet)
        return -1;
    json_decref(fleet);
    json_t *versions = json_array();
    request_answer_data(request, 200, render_one("versions", versions));
    return store_list_versions(store, &fleet_id, append_version, versions, error);
}

static int keep_version(void *context, const struct version_row *row)
{
    json_t **object = context;
    *object = render_version(row);
    return 0;
}

int fleets_get_version(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    int number = 0;
    if (request_path_version(request, &number, error) != 0)
        return -1;
    json_t *version = NULL;
    int result = store_get_version(store, &fleet_id, number, keep_version, &version, error);
    request_answer_data(request, 0, version);
    return result;
}
