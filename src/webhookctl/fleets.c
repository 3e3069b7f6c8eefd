/* fleet list, show, versions, delete. Called by main.c; the program has one thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

static void add_fleet(struct table *table, const json_t *fleet)
{
    table_take(table, show_fleet_path(fleet));
    show_cell(table, fleet, "version");
    show_cell(table, fleet, "has_webhook");
    show_cell(table, fleet, "waiting");
    show_cell(table, fleet, "running");
    show_time_cell(table, fleet, "updated_at");
    show_cell(table, fleet, "id");
}

static const struct table_column fleet_columns[] = {
    {"FLEET", TABLE_LEFT},      {"VERSION", TABLE_RIGHT}, {"WEBHOOK", TABLE_LEFT},
    {"SCHEDULED", TABLE_RIGHT}, {"RUNNING", TABLE_RIGHT}, {"UPDATED", TABLE_LEFT},
    {"ID", TABLE_LEFT}};
static const struct show_listing fleet_listing = {"fleets", fleet_columns,
                                                  ARRAY_COUNT(fleet_columns), add_fleet};

int fleets_list(struct ctl *ctl, struct error *error)
{
    const char *in = ctl->options->values[OPTION_PROJECT];
    json_t *data = NULL;
    if (in) {
        json_t *project = resolve_project(ctl->client, in, error);
        if (project)
            data = client_get(ctl->client, error, "/projects/%s/fleets", show_text(project, "id"));
        json_decref(project);
    } else {
        data = client_get(ctl->client, error, "/fleets");
    }
    return show_list(&fleet_listing, ctl->json, data);
}

int fleets_show(struct ctl *ctl, struct error *error)
{
    int64_t number = 0;
    if (options_number(ctl->options, OPTION_VERSION, 1, INT32_MAX, &number, error) != 0)
        return CTL_MISTAKE;
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet)
        return -1;
    if (number == 0)
        number = show_integer(fleet, "version");
    json_t *version = client_get(ctl->client, error, "/fleets/%s/versions/%lld",
                                 show_text(fleet, "id"), (long long)number);
    json_decref(fleet);
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

int fleets_versions(struct ctl *ctl, struct error *error)
{
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet)
        return -1;
    json_t *data = client_get(ctl->client, error, "/fleets/%s/versions", show_text(fleet, "id"));
    json_decref(fleet);
    return show_list(&version_listing, ctl->json, data);
}

int fleets_delete(struct ctl *ctl, struct error *error)
{
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet)
        return -1;
    char *path = memory_format("/fleets/%s", show_text(fleet, "id"));
    json_t *data = client_send(ctl->client, "DELETE", path, NULL, error);
    free(path);
    char *name = show_fleet_path(fleet);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("fleet %s deleted", name);
    free(name);
    json_decref(fleet);
    json_decref(data);
    return data ? CTL_DONE : -1;
}
