/* Handlers of organizations and projects. On admin workers' threads. */
#include "admin/projects.h"

#include <stdlib.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"

/* ---- organizations ---- */

static int append_org(void *context, const struct org_row *row)
{
    render_append(context, render_org(row));
    return 0;
}

int projects_list_orgs(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    json_t *orgs = json_array();
    request_answer_data(request, 200, render_one("orgs", orgs));
    return store_list_orgs(store, append_org, orgs, error);
}

struct create_org {
    struct change change;
    const char *name;
    struct id id; /* out */
};

static int apply_create_org(struct change *change, struct store *store, struct error *error)
{
    struct create_org *create = CONTAINER_OF(change, struct create_org, change);
    if (store_create_org(store, create->name, change->now_ms, &create->id, error) != 0)
        return -1;
    change_set_subject(change, &create->id, create->name);
    return 0;
}

static const struct change_kind create_org_kind = {.action = "org.create",
                                                   .apply = apply_create_org};

int projects_create_org(struct admin_request *request, struct error *error)
{
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    struct create_org create = {.change.kind = &create_org_kind, .name = name};
    int result = change_commit(request, &create.change, error);
    if (result == 0) {
        const struct org_row row = {
            .id = create.id, .name = name, .created_ms = create.change.now_ms};
        request_answer_data(request, 201, render_org(&row));
        http_log_info(request->exchange, "organization created", log_id("org", &create.id),
                      log_text("name", name));
    }
    free(name);
    return result;
}

struct delete_org {
    struct change change;
    struct id id;
};

static int set_org_subject(void *context, const struct org_row *row)
{
    struct delete_org *delete = context;
    if (!id_equal(&row->id, &delete->id))
        return 0;
    change_set_subject(&delete->change, &row->id, row->name);
    return 1;
}

static int apply_delete_org(struct change *change, struct store *store, struct error *error)
{
    struct delete_org *delete = CONTAINER_OF(change, struct delete_org, change);
    if (store_list_orgs(store, set_org_subject, delete, error) != 0)
        return -1;
    return store_delete_org(store, &delete->id, error);
}

static const struct change_kind delete_org_kind = {.action = "org.delete",
                                                   .apply = apply_delete_org};

int projects_delete_org(struct admin_request *request, struct error *error)
{
    struct delete_org delete = {.change.kind = &delete_org_kind};
    if (request_path_id(request, "org_id", "organization", &delete.id, error) != 0 ||
        change_commit(request, &delete.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "organization deleted", log_id("org", &delete.id));
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

/* Reads the id of the organization in the path. Fails if the organization does not exist; otherwise
 * its list of projects would merely look empty. */
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

int projects_list(struct admin_request *request, struct error *error)
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

json_t *projects_object(struct store *store, const struct id *project_id, struct error *error)
{
    struct find_project find = {.id = project_id};
    return find_project(store, &find, error);
}

struct create_project {
    struct change change;
    struct id org_id;
    const char *name;
    struct id id; /* out */
};

static int apply_create_project(struct change *change, struct store *store, struct error *error)
{
    struct create_project *create = CONTAINER_OF(change, struct create_project, change);
    if (store_create_project(store, &create->org_id, create->name, change->now_ms, &create->id,
                             error) != 0)
        return -1;
    change_set_subject(change, &create->id, create->name);
    return 0;
}

static const struct change_kind create_project_kind = {.action = "project.create",
                                                       .apply = apply_create_project};

int projects_create(struct admin_request *request, struct error *error)
{
    struct create_project create = {.change.kind = &create_project_kind};
    struct store *store = request_store(request, error); /* may fail, so before the change */
    if (!store || request_path_id(request, "org_id", "organization", &create.org_id, error) != 0)
        return -1;
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    create.name = name;
    int result = change_commit(request, &create.change, error);
    if (result == 0)
        http_log_info(request->exchange, "project created", log_id("project", &create.id),
                      log_text("name", name), log_id("org", &create.org_id));
    free(name);
    if (result != 0)
        return -1;
    json_t *object = projects_object(store, &create.id, error);
    request_answer_data(request, object ? 201 : 0, object);
    return object ? 0 : -1;
}

struct delete_project {
    struct change change;
    struct id id;
};

static int set_project_subject(void *context, const struct project_row *row)
{
    struct delete_project *delete = context;
    if (!id_equal(&row->id, &delete->id))
        return 0;
    change_set_subject(&delete->change, &row->id, row->name);
    return 1;
}

static int apply_delete_project(struct change *change, struct store *store, struct error *error)
{
    struct delete_project *delete = CONTAINER_OF(change, struct delete_project, change);
    if (store_list_projects(store, NULL, set_project_subject, delete, error) != 0)
        return -1;
    return store_delete_project(store, &delete->id, error);
}

static const struct change_kind delete_project_kind = {.action = "project.delete",
                                                       .apply = apply_delete_project};

int projects_delete(struct admin_request *request, struct error *error)
{
    struct delete_project delete = {.change.kind = &delete_project_kind};
    struct id org_id;
    if (request_path_id(request, "org_id", "organization", &org_id, error) != 0 ||
        request_path_id(request, "project_id", "project", &delete.id, error) != 0)
        return -1;
    struct store *store = request_store(request, error);
    struct find_project find = {.id = &delete.id};
    json_t *object = store ? find_project(store, &find, error) : NULL;
    if (!object)
        return -1;
    json_decref(object);
    if (!id_equal(&find.org_id, &org_id))
        return error_set(error, ERROR_NOT_FOUND, "there is no such project in this organization");
    if (change_commit(request, &delete.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "project deleted", log_id("project", &delete.id));
    return 0;
}
