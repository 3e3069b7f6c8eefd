/* org and project: list, create, delete. Called by main.c; the program has one thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

/* Returns {"name": …}, or NULL and *error. */
static json_t *name_body(const char *name, struct error *error)
{
    json_t *body = json_pack("{s:s}", "name", name);
    if (!body)
        error_set(error, ERROR_INVALID, "the name must be UTF-8 text");
    return body;
}

/* Prints what was created, as text or JSON. Takes ownership of data. Returns -1 if it is NULL. */
static int show_created(const struct ctl *ctl, const char *what, json_t *data)
{
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        ctl_say("%s %s created, id %s", what, ctl->operands[0], show_text(data, "id"));
    json_decref(data);
    return CTL_DONE;
}

static int show_deleted(const struct ctl *ctl, const char *what, json_t *data)
{
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        ctl_say("%s %s deleted", what, ctl->operands[0]);
    json_decref(data);
    return CTL_DONE;
}

/* ---- organizations ---- */

static void add_org(struct table *table, const json_t *org)
{
    show_cell(table, org, "name");
    show_time_cell(table, org, "created_at");
    show_cell(table, org, "id");
}

static const struct table_column org_columns[] = {
    {"ORGANIZATION", TABLE_LEFT}, {"CREATED", TABLE_LEFT}, {"ID", TABLE_LEFT}};
static const struct show_listing org_listing = {"orgs", org_columns, ARRAY_COUNT(org_columns),
                                                add_org};

int projects_list_orgs(struct ctl *ctl, struct error *error)
{
    return show_list(&org_listing, ctl->json, client_get(ctl->client, error, "/orgs"));
}

int projects_create_org(struct ctl *ctl, struct error *error)
{
    json_t *body = name_body(ctl->operands[0], error);
    if (!body)
        return -1;
    return show_created(ctl, "organization",
                        client_send(ctl->client, "POST", "/orgs", body, error));
}

int projects_delete_org(struct ctl *ctl, struct error *error)
{
    json_t *org = resolve_org(ctl->client, ctl->operands[0], error);
    if (!org)
        return -1;
    char *path = memory_format("/orgs/%s", show_text(org, "id"));
    json_t *data = client_send(ctl->client, "DELETE", path, NULL, error);
    free(path);
    json_decref(org);
    return show_deleted(ctl, "organization", data);
}

/* ---- projects ---- */

/* Appends the organization's projects to the list. Returns 0, or -1 and *error. */
static int collect_projects(struct client *client, const json_t *org, json_t *list,
                            struct error *error)
{
    json_t *data = client_get(client, error, "/orgs/%s/projects", show_text(org, "id"));
    if (!data)
        return -1;
    json_array_extend(list, json_object_get(data, "projects"));
    json_decref(data);
    return 0;
}

/* Returns a list of the given organization's projects, or of all, or NULL and *error. */
static json_t *list_projects(struct ctl *ctl, struct error *error)
{
    json_t *orgs = NULL, *projects = json_array();
    if (ctl->operand_count > 0) {
        json_t *org = resolve_org(ctl->client, ctl->operands[0], error);
        orgs = org ? json_pack("{s:[o]}", "orgs", org) : NULL;
    } else {
        orgs = client_get(ctl->client, error, "/orgs");
    }
    const json_t *list = json_object_get(orgs, "orgs");
    for (size_t i = 0; i < json_array_size(list) && !error_is_set(error); i++)
        collect_projects(ctl->client, json_array_get(list, i), projects, error);
    json_decref(orgs);
    if (!error_is_set(error))
        return projects;
    json_decref(projects);
    return NULL;
}

static void add_project(struct table *table, const json_t *project)
{
    show_cell(table, project, "org_name");
    show_cell(table, project, "name");
    show_time_cell(table, project, "created_at");
    show_cell(table, project, "id");
}

static const struct table_column project_columns[] = {{"ORGANIZATION", TABLE_LEFT},
                                                      {"PROJECT", TABLE_LEFT},
                                                      {"CREATED", TABLE_LEFT},
                                                      {"ID", TABLE_LEFT}};
static const struct show_listing project_listing = {"projects", project_columns,
                                                    ARRAY_COUNT(project_columns), add_project};

int projects_list(struct ctl *ctl, struct error *error)
{
    json_t *projects = list_projects(ctl, error);
    if (!projects)
        return -1;
    return show_list(&project_listing, ctl->json, json_pack("{s:o}", "projects", projects));
}

int projects_create(struct ctl *ctl, struct error *error)
{
    const char *slash = strchr(ctl->operands[0], '/');
    if (slash && strchr(slash + 1, '/'))
        return error_set(error, ERROR_INVALID, "\"%.200s\" is not of the form [ORG/]NAME",
                         ctl->operands[0]);
    json_t *body = name_body(slash ? slash + 1 : ctl->operands[0], error);
    if (!body)
        return -1;
    char *org_name = slash ? memory_string_n(ctl->operands[0], (size_t)(slash - ctl->operands[0]))
                           : memory_string("default");
    json_t *org = resolve_org(ctl->client, org_name, error);
    free(org_name);
    if (!org) {
        json_decref(body);
        return -1;
    }
    char *path = memory_format("/orgs/%s/projects", show_text(org, "id"));
    json_t *data = client_send(ctl->client, "POST", path, body, error);
    free(path);
    json_decref(org);
    return show_created(ctl, "project", data);
}

int projects_delete(struct ctl *ctl, struct error *error)
{
    json_t *project = resolve_project(ctl->client, ctl->operands[0], error);
    if (!project)
        return -1;
    char *path = memory_format("/orgs/%s/projects/%s", show_text(project, "org_id"),
                               show_text(project, "id"));
    json_t *data = client_send(ctl->client, "DELETE", path, NULL, error);
    free(path);
    json_decref(project);
    return show_deleted(ctl, "project", data);
}
