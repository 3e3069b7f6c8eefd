/* Organizations and projects. On admin workers' threads. */
#include <stdlib.h>

#include "admin/calls.h"
#include "admin/ops.h"
#include "admin/render.h"
#include "base/clock.h"
#include "http/log.h"

/* ---- organizations ---- */

static int append_org(void *context, const struct org_row *row)
{
    render_append(context, render_org(row));
    return 0;
}

int call_list_orgs(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    json_t *orgs = json_array();
    request_answer_data(request, 200, render_one("orgs", orgs));
    return store_list_orgs(store, append_org, orgs, error);
}

int call_create_org(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    struct org_row row = {.name = name, .created_ms = audit.now_ms};
    int result = ops_create_org(request->admin->options.queue, &audit, name, &row.id, error);
    if (result == 0) {
        request_answer_data(request, 201, render_org(&row));
        http_log_info(request->exchange, "organization created", log_id("org", &row.id),
                      log_text("name", name));
    }
    free(name);
    return result;
}

int call_delete_org(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    struct id id;
    if (request_path_id(request, "org_id", "organization", &id, error) != 0 ||
        ops_delete_org(request->admin->options.queue, &audit, &id, error) != 0)
        return -1;
    http_log_info(request->exchange, "organization deleted", log_id("org", &id));
    return 0;
}

struct find_org {
    struct id id;
    bool found;
};

static int match_org(void *context, const struct org_row *row)
{
    struct find_org *find = context;
    find->found = id_equal(&row->id, &find->id);
    return find->found;
}

/* The organization in the path, which must exist: an empty list of its projects would not say that it does not. */
static int path_org(struct admin_request *request, struct store *store, struct id *id,
                    struct error *error)
{
    struct find_org find = {.found = false};
    if (request_path_id(request, "org_id", "organization", &find.id, error) != 0 ||
        store_list_orgs(store, match_org, &find, error) != 0)
        return -1;
    *id = find.id;
    if (!find.found)
        return error_set(error, ERROR_NOT_FOUND, "there is no such organization");
    return 0;
}

/* ---- projects ---- */

static int append_project(void *context, const struct project_row *row)
{
    render_append(context, render_project(row));
    return 0;
}

int call_list_projects(struct admin_request *request, struct error *error)
{
    struct id org_id;
    struct store *store = request_store(request, error);
    if (!store || path_org(request, store, &org_id, error) != 0)
        return -1;
    json_t *projects = json_array();
    request_answer_data(request, 200, render_one("projects", projects));
    return store_list_projects(store, &org_id, append_project, projects, error);
}

struct find_project {
    const struct id *id;
    json_t *object;
    struct id org_id;
};

static int match_project(void *context, const struct project_row *row)
{
    struct find_project *find = context;
    if (!id_equal(&row->id, find->id))
        return 0;
    find->object = render_project(row);
    find->org_id = row->org_id;
    return 1;
}

static json_t *find_project(struct store *store, struct find_project *find, struct error *error)
{
    if (store_list_projects(store, NULL, match_project, find, error) != 0) {
        json_decref(find->object);
        return NULL;
    }
    if (!find->object)
        error_set(error, ERROR_NOT_FOUND, "there is no such project");
    return find->object;
}

json_t *project_object(struct store *store, const struct id *project_id, struct error *error)
{
    struct find_project find = {.id = project_id};
    return find_project(store, &find, error);
}

int call_create_project(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    struct id org_id;
    struct store *store = request_store(request, error); /* before anything is changed */
    if (!store || request_path_id(request, "org_id", "organization", &org_id, error) != 0)
        return -1;
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    struct ops_project project = {.org_id = &org_id, .name = name};
    int result = ops_create_project(request->admin->options.queue, &audit, &project, error);
    if (result == 0)
        http_log_info(request->exchange, "project created", log_id("project", &project.id),
                      log_text("name", name), log_id("org", &org_id));
    free(name);
    if (result != 0)
        return -1;
    json_t *object = project_object(store, &project.id, error);
    request_answer_data(request, object ? 201 : 0, object);
    return object ? 0 : -1;
}

int call_delete_project(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    struct id org_id, id;
    if (request_path_id(request, "org_id", "organization", &org_id, error) != 0 ||
        request_path_id(request, "project_id", "project", &id, error) != 0)
        return -1;
    struct store *store = request_store(request, error);
    struct find_project find = {.id = &id};
    json_t *object = store ? find_project(store, &find, error) : NULL;
    if (!object)
        return -1;
    json_decref(object);
    if (!id_equal(&find.org_id, &org_id))
        return error_set(error, ERROR_NOT_FOUND, "there is no such project in this organization");
    if (ops_delete_project(request->admin->options.queue, &audit, &id, error) != 0)
        return -1;
    http_log_info(request->exchange, "project deleted", log_id("project", &id));
    return 0;
}
