/* See render.h. The keys are a contract (docs/openapi.yaml): new ones may be added, but none may be
 * renamed. Handlers also call this inside the store's callbacks, so all text is copied here. */
#include "admin/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/utf8.h"

void render_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort();
}

void render_append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0)
        abort();
}

json_t *render_one(const char *key, json_t *value)
{
    json_t *object = json_object();
    render_set(object, key, value);
    return object;
}

json_t *render_time(int64_t wall_ms)
{
    char text[CLOCK_TEXT_BYTES];
    return wall_ms == 0 ? json_null() : json_string(clock_format_ms(wall_ms, text));
}

json_t *render_id(const struct id *id)
{
    char text[ID_TEXT_BYTES];
    return json_string(id_format(id, text));
}

static json_t *render_latin1(const char *text)
{
    char *utf8 = utf8_from_latin1(text);
    json_t *string = json_string(utf8);
    free(utf8);
    return string;
}

json_t *render_text(const char *text)
{
    json_t *string = json_string(text);
    return string ? string : render_latin1(text);
}

json_t *render_optional(const char *text)
{
    return text && text[0] != '\0' ? render_text(text) : json_null();
}

json_t *render_org(const struct org_row *row)
{
    json_t *org = json_object();
    render_set(org, "id", render_id(&row->id));
    render_set(org, "name", render_text(row->name));
    render_set(org, "created_at", render_time(row->created_ms));
    return org;
}

json_t *render_project(const struct project_row *row)
{
    json_t *project = json_object();
    render_set(project, "id", render_id(&row->id));
    render_set(project, "name", render_text(row->name));
    render_set(project, "org_id", render_id(&row->org_id));
    render_set(project, "org_name", render_text(row->org_name));
    render_set(project, "created_at", render_time(row->created_ms));
    return project;
}

json_t *render_fleet(const struct fleet_row *row)
{
    json_t *fleet = json_object();
    render_set(fleet, "id", render_id(&row->id));
    render_set(fleet, "name", render_text(row->name));
    render_set(fleet, "project_id", render_id(&row->project_id));
    render_set(fleet, "project_name", render_text(row->project_name));
    render_set(fleet, "org_id", render_id(&row->org_id));
    render_set(fleet, "org_name", render_text(row->org_name));
    render_set(fleet, "version", json_integer(row->version));
    render_set(fleet, "created_at", render_time(row->created_ms));
    render_set(fleet, "updated_at", render_time(row->updated_ms));
    render_set(fleet, "has_webhook", json_boolean(row->has_webhook));
    render_set(fleet, "waiting", json_integer(row->scheduled_runs));
    render_set(fleet, "running", json_integer(row->running_runs));
    return fleet;
}

void render_file(json_t *version, const char *file, size_t file_bytes, const char *definition_json)
{
    if (file) {
        json_t *text = json_stringn(file, file_bytes);
        render_set(version, "file", text ? text : json_null());
    }
    if (definition_json) {
        json_t *definition = json_loads(definition_json, 0, NULL);
        render_set(version, "definition", definition ? definition : json_null());
    }
}

json_t *render_version(const struct version_row *row)
{
    json_t *version = json_object();
    render_set(version, "fleet_id", render_id(&row->fleet_id));
    render_set(version, "version", json_integer(row->version));
    render_set(version, "created_at", render_time(row->created_ms));
    render_file(version, row->file, row->file_bytes, row->definition_json);
    return version;
}

static json_t *render_call(const struct webhook_call *call)
{
    json_t *object = json_object();
    render_set(object, "at", render_time(call->at_ms));
    render_set(object, "status", call->status != 0 ? json_integer(call->status) : json_null());
    render_set(object, "answer_us",
               call->status != 0 ? json_integer(call->answer_us) : json_null());
    render_set(object, "remote_addr", render_optional(call->remote_addr));
    return object;
}

static json_t *render_calls(const struct webhook_row *row)
{
    json_t *object = json_object();
    render_set(object, "since", render_time(row->counted_from_ms));
    render_set(object, "accepted", json_integer(row->accepted));
    render_set(object, "refused", json_integer(row->refused));
    return object;
}

json_t *render_webhook(const struct webhook_row *row, const char *url)
{
    json_t *webhook = json_object();
    render_set(webhook, "url", url ? render_text(url) : json_null());
    render_set(webhook, "fleet_id", render_id(&row->fleet_id));
    render_set(webhook, "fleet_name", render_text(row->fleet_name));
    render_set(webhook, "project_id", render_id(&row->project_id));
    render_set(webhook, "project_name", render_text(row->project_name));
    render_set(webhook, "org_id", render_id(&row->org_id));
    render_set(webhook, "org_name", render_text(row->org_name));
    render_set(webhook, "created_at", render_time(row->created_ms));
    render_set(webhook, "last_request",
               row->was_called ? render_call(&row->last_call) : json_null());
    render_set(webhook, "requests", render_calls(row));
    return webhook;
}

json_t *render_outcome(const struct run_row *row)
{
    json_t *run = json_object();
    render_set(run, "id", render_id(&row->id));
    render_set(run, "status", json_string(run_status_name(row->status)));
    render_set(run, "created_at", render_time(row->created_ms));
    return run;
}

json_t *render_run(const struct run_row *row, json_t *vessels)
{
    char hash[2 * SECRET_HASH_BYTES + 1];
    json_t *run = json_object();
    render_set(run, "id", render_id(&row->id));
    render_set(run, "fleet_id", render_id(&row->fleet_id));
    render_set(run, "fleet_name", render_text(row->fleet_name));
    render_set(run, "fleet_version", json_integer(row->fleet_version));
    render_set(run, "project_id", render_id(&row->project_id));
    render_set(run, "org_id", render_id(&row->org_id));
    render_set(run, "trigger", json_string(run_trigger_name(row->trigger)));
    render_set(run, "event", render_optional(row->event));
    render_set(run, "status", json_string(run_status_name(row->status)));
    render_set(run, "request_id", render_id(&row->request_id));
    render_set(run, "remote_addr", render_optional(row->remote_addr));
    render_set(run, "host", render_optional(row->host));
    render_set(run, "query_string", render_optional(row->query));
    render_set(run, "body_bytes", json_integer(row->body_bytes));
    render_set(run, "body_sha256", json_string(secret_hash_format(row->body_sha256, hash)));
    render_set(run, "created_at", render_time(row->created_ms));
    render_set(run, "started_at", render_time(row->started_ms));
    render_set(run, "ended_at", render_time(row->ended_ms));
    render_set(run, "vessels", vessels);
    return run;
}

void render_origin(json_t *run, const struct run_origin *origin)
{
    json_t *withheld = origin->withheld_json ? json_loads(origin->withheld_json, 0, NULL) : NULL;
    if (withheld)
        render_set(run, "withheld", withheld);
    render_set(run, "again_of", origin->again_of ? render_id(origin->again_of) : json_null());
}

json_t *render_vessel(const struct vessel_row *row)
{
    json_t *vessel = json_object();
    render_set(vessel, "id", render_id(&row->id));
    render_set(vessel, "vessel_id", render_id(&row->vessel_id));
    render_set(vessel, "name", render_text(row->name));
    render_set(vessel, "status", json_string(vessel_status_name(row->status)));
    render_set(vessel, "attempts", json_integer(row->attempts));
    render_set(vessel, "exit_code",
               row->has_exit_code ? json_integer(row->exit_code) : json_null());
    render_set(vessel, "reason", render_optional(row->reason));
    render_set(vessel, "started_at", render_time(row->started_ms));
    render_set(vessel, "ended_at", render_time(row->ended_ms));
    render_set(vessel, "output_bytes", json_integer(row->output_bytes));
    render_set(vessel, "blueprint_version",
               row->blueprint_version > 0 ? json_integer(row->blueprint_version) : json_null());
    return vessel;
}

void render_retries(json_t *vessel, const struct vessel_row *row,
                    const struct guardrails *guardrails)
{
    int most = 1 + guardrails->retry_count + row->interruptions;
    int64_t next_ms = row->failed_ms != 0 ? row->failed_ms + guardrails->retry_wait_ms : 0;
    render_set(vessel, "max_attempts", json_integer(most));
    render_set(vessel, "next_attempt_at", render_time(next_ms));
}

void render_user(json_t *fleets, const struct definition_row *row, json_t *vessels)
{
    if (json_array_size(vessels) == 0) {
        json_decref(vessels);
        return;
    }
    json_t *fleet = json_object();
    render_set(fleet, "id", render_id(&row->fleet_id));
    render_set(fleet, "name", render_text(row->fleet_name));
    render_set(fleet, "project_id", render_id(&row->project_id));
    render_set(fleet, "project_name", render_text(row->project_name));
    render_set(fleet, "vessels", vessels);
    render_append(fleets, fleet);
}

json_t *render_problems(const struct fleet_problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct fleet_problem *problem = &problems->items[i];
        json_t *entry = json_object();
        render_set(entry, "message", render_text(problem->message));
        render_set(entry, "path", render_text(problem->path));
        render_set(entry, "line", problem->line > 0 ? json_integer(problem->line) : json_null());
        render_append(list, entry);
    }
    return list;
}
