/* blueprint list, show, versions, used and delete; apply.c has blueprint apply. Called by main.c;
 * the program has one thread. */
#include <stdlib.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

/* ---- list ---- */

static void add_blueprint(struct table *table, const json_t *blueprint)
{
    show_cell(table, blueprint, "name");
    show_cell(table, blueprint, "version");
    show_cell(table, blueprint, "visibility");
    show_cell(table, blueprint, "fleets");
    show_time_cell(table, blueprint, "updated_at");
    show_cell(table, blueprint, "id");
    show_cell(table, blueprint, "synopsis");
}

static const struct table_column columns[] = {{"BLUEPRINT", TABLE_LEFT},  {"VERSION", TABLE_RIGHT},
                                              {"VISIBILITY", TABLE_LEFT}, {"FLEETS", TABLE_RIGHT},
                                              {"UPDATED", TABLE_LEFT},    {"ID", TABLE_LEFT},
                                              {"SYNOPSIS", TABLE_LEFT}};
static const struct show_listing listing = {"blueprints", columns, ARRAY_COUNT(columns),
                                            add_blueprint};

int blueprints_list(struct ctl *ctl, struct error *error)
{
    const char *name = ctl->operand_count > 0 ? ctl->operands[0] : "default";
    json_t *org = resolve_org(ctl->client, name, error);
    if (!org)
        return -1;
    json_t *data = client_get(ctl->client, error, "/orgs/%s/blueprints", show_text(org, "id"));
    json_decref(org);
    return show_list(&listing, ctl->json, data);
}

/* ---- show and versions ---- */

int blueprints_show(struct ctl *ctl, struct error *error)
{
    int64_t number = 0;
    if (options_number(ctl->options, OPTION_VERSION, 1, INT32_MAX, &number, error) != 0)
        return CTL_MISTAKE;
    json_t *blueprint = resolve_blueprint(ctl->client, ctl->operands[0], error);
    if (!blueprint)
        return -1;
    if (number == 0)
        number = show_integer(blueprint, "version");
    json_t *version = client_get(ctl->client, error, "/blueprints/%s/versions/%lld",
                                 show_text(blueprint, "id"), (long long)number);
    json_decref(blueprint);
    if (!version)
        return -1;
    int result = ctl->json ? show_json(version) : show_file(version, error);
    json_decref(version);
    return result;
}

static void add_version(struct table *table, const json_t *version)
{
    show_cell(table, version, "version");
    show_time_cell(table, version, "created_at");
}

static const struct table_column version_columns[] = {{"VERSION", TABLE_RIGHT},
                                                      {"CREATED", TABLE_LEFT}};
static const struct show_listing version_listing = {"versions", version_columns,
                                                    ARRAY_COUNT(version_columns), add_version};

/* Returns the answer of /blueprints/ID/<what>, or NULL and *error. */
static json_t *get_part(struct ctl *ctl, const char *what, struct error *error)
{
    json_t *blueprint = resolve_blueprint(ctl->client, ctl->operands[0], error);
    if (!blueprint)
        return NULL;
    json_t *data =
        client_get(ctl->client, error, "/blueprints/%s/%s", show_text(blueprint, "id"), what);
    json_decref(blueprint);
    return data;
}

int blueprints_versions(struct ctl *ctl, struct error *error)
{
    return show_list(&version_listing, ctl->json, get_part(ctl, "versions", error));
}

/* ---- used ---- */

static const struct table_column user_columns[] = {{"PROJECT", TABLE_LEFT},
                                                   {"FLEET", TABLE_LEFT},
                                                   {"VESSEL", TABLE_LEFT},
                                                   {"VERSION", TABLE_LEFT},
                                                   {"PROBLEM", TABLE_LEFT}};

static void add_user(struct table *table, const json_t *row)
{
    show_cell(table, row, "project");
    show_cell(table, row, "fleet");
    show_cell(table, row, "vessel");
    show_cell(table, row, "version");
    show_cell(table, row, "problem");
}

static const struct show_listing user_listing = {NULL, user_columns, ARRAY_COUNT(user_columns),
                                                 add_user};

/* Adds a line for each problem of a vessel, or one line if there is none. */
static void add_vessel(json_t *rows, const json_t *fleet, const json_t *vessel)
{
    const json_t *problems = json_object_get(vessel, "problems");
    const json_t *version = json_object_get(vessel, "blueprint_version");
    size_t count = json_array_size(problems);
    for (size_t i = 0; i < count || i == 0; i++) {
        const json_t *problem = json_array_get(problems, i);
        json_t *row = json_pack(
            "{s:O, s:O, s:O, s:o, s:o}", "project", json_object_get(fleet, "project_name"), "fleet",
            json_object_get(fleet, "name"), "vessel", json_object_get(vessel, "name"), "version",
            json_is_integer(version) ? json_deep_copy(version) : json_string("current"), "problem",
            problem ? json_deep_copy(json_object_get(problem, "message")) : json_null());
        if (row)
            json_array_append_new(rows, row);
    }
}

void blueprints_show_users(const json_t *fleets)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(fleets); i++) {
        const json_t *fleet = json_array_get(fleets, i);
        const json_t *vessels = json_object_get(fleet, "vessels");
        for (size_t j = 0; j < json_array_size(vessels); j++)
            add_vessel(rows, fleet, json_array_get(vessels, j));
    }
    show_rows(&user_listing, rows);
    json_decref(rows);
}

int blueprints_used(struct ctl *ctl, struct error *error)
{
    json_t *data = get_part(ctl, "used", error);
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        blueprints_show_users(json_object_get(data, "fleets"));
    json_decref(data);
    return CTL_DONE;
}

/* ---- delete ---- */

int blueprints_delete(struct ctl *ctl, struct error *error)
{
    json_t *blueprint = resolve_blueprint(ctl->client, ctl->operands[0], error);
    if (!blueprint)
        return -1;
    char *path = memory_format("/blueprints/%s", show_text(blueprint, "id"));
    json_t *data = client_send(ctl->client, "DELETE", path, NULL, error);
    free(path);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("blueprint %s deleted", show_text(blueprint, "name"));
    const json_t *fleets = data ? NULL : client_errors(ctl->client);
    for (size_t i = 0; i < json_array_size(fleets); i++)
        ctl_complain("used by fleet %s", show_text(json_array_get(fleets, i), "path"));
    json_decref(blueprint);
    json_decref(data);
    return data ? CTL_DONE : -1;
}
