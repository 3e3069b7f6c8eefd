/* Applies a fleet file: parses it, checks it, commits it and answers. On admin workers' threads. */
#include "admin/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/fleets.h"
#include "admin/hidden.h"
#include "admin/known.h"
#include "admin/packages.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"
#include "store/credentials.h"

/* ---- the change ---- */

int apply_end_check(struct error *error)
{
    return error_set(error, ERROR_CONFLICT, "the file was only checked");
}

int apply_commit(struct admin_request *request, struct change *change, const bool *is_checked,
                 struct error *error)
{
    struct error refusal = ERROR_INIT;
    if (change_commit(request, change, &refusal) == 0)
        return 0;
    if (*is_checked && refusal.kind == ERROR_CONFLICT)
        return 0;
    return error_set(error, refusal.kind, "%s", refusal.message);
}

struct file_change {
    struct change change;
    struct id project_id;
    const struct definition *definition;
    const char *file;
    size_t file_bytes;
    struct hidden_file hidden;
    bool check_only;            /* make the change, then undo it */
    bool checked;               /* out: the check ended without a refusal */
    struct apply_result result; /* out; after a check, what it would have been */
};

static int apply_file(struct change *change, struct store *store, struct error *error)
{
    struct file_change *apply = CONTAINER_OF(change, struct file_change, change);
    struct apply_result *result = &apply->result;
    apply->checked = false;
    const struct fleet_application application = {.project_id = &apply->project_id,
                                                  .definition = apply->definition,
                                                  .file = apply->file,
                                                  .file_bytes = apply->file_bytes,
                                                  .hidden = &apply->hidden.terms};
    if (store_apply_fleet(store, &application, change->now_ms, result, error) != 0)
        return -1;
    change_set_subject(change, &result->fleet_id, apply->definition->name);
    change_set_fleet(change, &result->fleet_id, result->version);
    snprintf(change->detail, sizeof(change->detail), "version %d", result->version);
    change->is_no_change = result->outcome == APPLY_UNCHANGED;
    apply->checked = apply->check_only;
    if (!apply->check_only)
        return 0;
    return apply_end_check(error);
}

static const struct change_kind apply_file_kind = {.action = "fleet.apply", .apply = apply_file};

static int submit_file(struct admin_request *request, struct file_change *apply,
                       struct error *error)
{
    apply->change.kind = &apply_file_kind;
    apply->change.bytes = 2 * apply->file_bytes; /* the file and the definition */
    return apply_commit(request, &apply->change, &apply->checked, error);
}

/* ---- the answer ---- */

const char *apply_outcome_name(enum apply_outcome outcome)
{
    switch (outcome) {
    case APPLY_CREATED:
        return "created";
    case APPLY_UPDATED:
        return "updated";
    case APPLY_UNCHANGED:
        break;
    }
    return "unchanged";
}

int apply_refuse(struct admin_request *request, const char *what,
                 const struct fleet_problems *problems, struct error *error)
{
    request->answer.status = 422;
    request->answer.errors = render_problems(problems);
    return error_set(error, ERROR_INVALID, "the %s was refused: %zu %s; nothing was changed", what,
                     problems->count, problems->count == 1 ? "error" : "errors");
}

/* Submits a valid definition with its hidden values. */
static int submit_definition(struct admin_request *request, struct file_change *apply,
                             const struct fleet_file_options *options, struct error *error)
{
    struct hidden_file *hidden = &apply->hidden;
    struct error refusal = ERROR_INIT;
    if (hidden_begin(request, apply->definition, options, apply->check_only, hidden, error) != 0)
        return -1;
    if (hidden->text) {
        apply->file = hidden->text;
        apply->file_bytes = hidden->bytes;
    }
    if (submit_file(request, apply, &refusal) == 0)
        return 0;
    struct fleet_problems problems = {NULL, 0};
    hidden_refuse_missing(hidden, &problems);
    int result = problems.count > 0 ? apply_refuse(request, "fleet file", &problems, error)
                                    : error_set(error, refusal.kind, "%s", refusal.message);
    report_free_problems(&problems);
    return result;
}

/* Returns what a check found. A fleet that would be created has no id yet. */
static json_t *would_object(const struct apply_result *result)
{
    json_t *would = json_object();
    render_set(would, "outcome", json_string(apply_outcome_name(result->outcome)));
    render_set(would, "fleet_id",
               result->outcome == APPLY_CREATED ? json_null() : render_id(&result->fleet_id));
    render_set(would, "version", json_integer(result->version));
    return would;
}

/* Logs and answers after the change was committed or checked. */
static int answer_applied(struct admin_request *request, const struct file_change *apply,
                          const struct fleet_problems *notes, struct error *error)
{
    json_t *fleet = json_null(), *version = json_null();
    const char *outcome = "checked";
    if (!apply->check_only) {
        outcome = apply_outcome_name(apply->result.outcome);
        http_log_info(request->exchange, "fleet applied", log_id("fleet", &apply->result.fleet_id),
                      log_text("fleet_name", apply->definition->name), log_text("outcome", outcome),
                      log_int("version", apply->result.version));
        if (apply->result.outcome != APPLY_UNCHANGED)
            fleet_sections_examine(request->admin->fleet_sections, request->store);
        packages_begin(request, &apply->result.fleet_id, apply->definition);
        fleet = fleets_object(request->store, &apply->result.fleet_id, error);
        if (!fleet)
            return -1;
        version = json_integer(apply->result.version);
    }
    json_t *would = json_null();
    if (apply->check_only)
        would = would_object(&apply->result);
    json_t *data = json_object();
    render_set(data, "outcome", json_string(outcome));
    render_set(data, "fleet", fleet);
    render_set(data, "version", version);
    render_set(data, "would", would);
    render_set(data, "notes", render_problems(notes));
    request_answer_data(request, 200, data);
    return 0;
}

/* ---- the whole ---- */

/* Parses the file, and applies what it means. */
static int apply_text(struct admin_request *request, struct file_change *apply,
                      const struct known *known, const struct fleet_file_options *options,
                      struct error *error)
{
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct definition *definition =
        fleet_file_parse(apply->file, apply->file_bytes, options, &problems, &notes);
    apply->definition = definition;
    int result = -1;
    if (error_is_set(&known->failure))
        error_set(error, known->failure.kind, "%s", known->failure.message);
    else if (!definition)
        result = apply_refuse(request, "fleet file", &problems, error);
    else if (submit_definition(request, apply, options, error) == 0)
        result = answer_applied(request, apply, &notes, error);
    hidden_end(&apply->hidden);
    definition_free(definition);
    report_free_problems(&problems);
    report_free_problems(&notes);
    return result;
}

int apply_fleet(struct admin_request *request, struct error *error)
{
    struct known known = {.credentials = NULL};
    struct fleet_file_options options = {.stub = false};
    struct file_change apply = {.file = ""};
    if (request_path_id(request, "project_id", "project", &apply.project_id, error) != 0 ||
        request_query_flag(request, "check", &apply.check_only, error) != 0 ||
        request_query_flag(request, "stub", &options.stub, error) != 0 ||
        request_query_flag(request, "strict", &options.strict, error) != 0 ||
        request_query_flag(request, "missing_credentials", &options.missing_credentials, error) !=
            0 ||
        hidden_read_source(request, &apply.hidden, error) != 0 ||
        !request_store(request, error)) /* may fail, so before the change */
        return -1;
    if (request->body.data)
        apply.file = request->body.data;
    apply.file_bytes = request->body.bytes;
    known_fill_options(&known, &options);
    int result = known_read_of_project(request->store, &apply.project_id, &known, error);
    if (result == 0)
        result = apply_text(request, &apply, &known, &options, error);
    known_free(&known);
    return result;
}
