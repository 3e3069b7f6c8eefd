/* Applies a blueprint file: parses it, checks it, commits it and answers. On admin workers'
 * threads. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/apply.h"
#include "admin/blueprints.h"
#include "admin/change.h"
#include "admin/known.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"
#include "store/blueprints.h"

/* ---- the change ---- */

struct blueprint_change {
    struct change change;
    struct id org_id;
    const struct blueprint *blueprint;
    char *definition_json, *inputs_json, *head_json;
    const char *file;
    size_t file_bytes;
    bool check_only;                /* make the change, then undo it */
    bool checked;                   /* out: the check ended without a refusal */
    struct blueprint_result result; /* out; after a check, what it would have been */
};

static int apply_file(struct change *change, struct store *store, struct error *error)
{
    struct blueprint_change *apply = CONTAINER_OF(change, struct blueprint_change, change);
    struct blueprint_result *result = &apply->result;
    const struct blueprint_application application = {.org_id = &apply->org_id,
                                                      .blueprint = apply->blueprint,
                                                      .definition_json = apply->definition_json,
                                                      .inputs_json = apply->inputs_json,
                                                      .head_json = apply->head_json,
                                                      .file = apply->file,
                                                      .file_bytes = apply->file_bytes};
    apply->checked = false;
    if (store_apply_blueprint(store, &application, change->now_ms, result, error) != 0)
        return -1;
    change_set_subject(change, &result->blueprint_id, apply->blueprint->name);
    snprintf(change->detail, sizeof(change->detail), "version %d", result->version);
    change->is_no_change = result->outcome == APPLY_UNCHANGED;
    apply->checked = apply->check_only;
    if (!apply->check_only)
        return 0;
    return apply_end_check(error);
}

static const struct change_kind apply_kind = {.action = "blueprint.apply", .apply = apply_file};

static int submit(struct admin_request *request, struct blueprint_change *apply,
                  struct error *error)
{
    apply->change.kind = &apply_kind;
    apply->change.bytes = 2 * apply->file_bytes; /* the file and the definition */
    apply->definition_json = blueprint_json_write(apply->blueprint);
    apply->inputs_json = inputs_json_write(&apply->blueprint->inputs);
    apply->head_json = blueprint_head_write(apply->blueprint);
    int result = apply_commit(request, &apply->change, &apply->checked, error);
    free(apply->definition_json);
    free(apply->inputs_json);
    free(apply->head_json);
    return result;
}

/* ---- the answer ---- */

/* The vessels that the new version does not suit. A blueprint that would be created has none. */
static json_t *render_affected(struct admin_request *request, const struct blueprint_change *apply,
                               struct error *error)
{
    json_t *affected = json_array();
    if (apply->result.outcome != APPLY_CREATED &&
        blueprints_list_users(request->store, &apply->result.blueprint_id,
                              &apply->blueprint->inputs, true, affected, error) != 0) {
        json_decref(affected);
        return NULL;
    }
    return affected;
}

static json_t *would_object(const struct blueprint_result *result)
{
    json_t *would = json_object();
    render_set(would, "outcome", json_string(apply_outcome_name(result->outcome)));
    render_set(would, "blueprint_id",
               result->outcome == APPLY_CREATED ? json_null() : render_id(&result->blueprint_id));
    render_set(would, "version", json_integer(result->version));
    return would;
}

static void log_applied(struct admin_request *request, const struct blueprint_change *apply)
{
    http_log_info(request->exchange, "blueprint applied",
                  log_id("blueprint", &apply->result.blueprint_id),
                  log_text("blueprint_name", apply->blueprint->name),
                  log_text("outcome", apply_outcome_name(apply->result.outcome)),
                  log_int("version", apply->result.version));
}

static int answer(struct admin_request *request, const struct blueprint_change *apply,
                  const struct fleet_problems *notes, struct error *error)
{
    const struct blueprint_result *result = &apply->result;
    json_t *blueprint = json_null();
    if (!apply->check_only) {
        log_applied(request, apply);
        blueprint = blueprints_object(request->store, &result->blueprint_id, error);
    }
    json_t *affected = blueprint ? render_affected(request, apply, error) : NULL;
    if (!affected) {
        json_decref(blueprint);
        return -1;
    }
    json_t *data = json_object();
    render_set(data, "outcome",
               json_string(apply->check_only ? "checked" : apply_outcome_name(result->outcome)));
    render_set(data, "blueprint", blueprint);
    render_set(data, "version", apply->check_only ? json_null() : json_integer(result->version));
    render_set(data, "would", apply->check_only ? would_object(result) : json_null());
    render_set(data, "affected", affected);
    render_set(data, "notes", render_problems(notes));
    request_answer_data(request, 200, data);
    return 0;
}

/* ---- the whole ---- */

static int apply_text(struct admin_request *request, struct blueprint_change *apply,
                      const struct fleet_file_options *options, struct error *error)
{
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct blueprint *blueprint =
        blueprint_file_parse(apply->file, apply->file_bytes, options, &problems, &notes);
    apply->blueprint = blueprint;
    int result = -1;
    if (!blueprint)
        result = apply_refuse(request, "blueprint file", &problems, error);
    else if (submit(request, apply, error) == 0)
        result = answer(request, apply, &notes, error);
    blueprint_free(blueprint);
    report_free_problems(&problems);
    report_free_problems(&notes);
    return result;
}

int apply_blueprint(struct admin_request *request, struct error *error)
{
    struct known known = {.credentials = NULL};
    struct fleet_file_options options = {.stub = false};
    struct blueprint_change apply = {.file = ""};
    if (request_path_id(request, "org_id", "organization", &apply.org_id, error) != 0 ||
        request_query_flag(request, "check", &apply.check_only, error) != 0 ||
        !request_store(request, error)) /* may fail, so before the change */
        return -1;
    if (request->body.data)
        apply.file = request->body.data;
    apply.file_bytes = request->body.bytes;
    known_fill_options(&known, &options);
    int result = known_read(request->store, &apply.org_id, &known, error);
    if (result == 0)
        result = apply_text(request, &apply, &options, error);
    known_free(&known);
    return result;
}
