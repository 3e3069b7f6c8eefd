/* The API trigger: starts a fleet run with overrides, at webhookd's address and at that of the
 * reference platform. On admin workers' threads. */
#include <string.h>

#include "admin/idempotency.h"
#include "admin/override_rules.h"
#include "admin/render.h"
#include "admin/role.h"
#include "admin/routes.h"
#include "admin/run_overrides.h"
#include "admin/run_start.h"
#include "admin/status.h"
#include "base/secret.h"
#include "http/log.h"
#include "store/fleets.h"

#define TRIES 3 /* if the fleet is changed between the check and the commit */

/* ---- the overrides ---- */

struct target {
    struct definition *definition;
    int version;
    struct error *error;
};

static int keep_version(void *context, const struct version_row *row)
{
    struct target *target = context;
    target->version = row->version;
    target->definition =
        definition_json_read(row->definition_json, strlen(row->definition_json), target->error);
    return 0;
}

static int refuse_overrides(struct admin_request *request, const struct fleet_problems *problems,
                            struct error *error)
{
    request->answer.status = 422;
    json_decref(request->answer.errors);
    request->answer.errors = render_problems(problems);
    return error_set(error, ERROR_INVALID, "the overrides were refused: %zu %s; no run was started",
                     problems->count, problems->count == 1 ? "error" : "errors");
}

/* Reads the request's overrides for the fleet's current version. */
static int read_overrides(struct admin_request *request, const struct id *fleet_id,
                          struct overrides *overrides, int *version, struct error *error)
{
    struct target target = {.error = error};
    struct fleet_problems problems = {NULL, 0};
    struct store *store = request_store(request, error);
    if (!store || store_get_version(store, fleet_id, 0, keep_version, &target, error) != 0)
        return -1;
    if (!target.definition)
        return error_set(error, ERROR_INTERNAL, "the fleet's definition is damaged");
    *version = target.version;
    struct override_rules rules;
    override_rules_begin(&rules, store, request->caller.role == ROLE_TRIGGER);
    int result = overrides_json_read(request->body.data, request->body.bytes, target.definition,
                                     &rules.rules, overrides, &problems);
    override_rules_end(&rules);
    if (result != 0)
        refuse_overrides(request, &problems, error);
    report_free_problems(&problems);
    definition_free(target.definition);
    return result;
}

/* ---- the run ---- */

struct call {
    const struct id *fleet_id;
    const struct idempotency *idempotency; /* NULL: none */
};

/* Answers as the webhook does: with the ids, and nothing else. */
static json_t *render_ids(const struct run_ids *ids)
{
    json_t *data = json_object();
    render_set(data, "fleet_id", render_id(&ids->fleet_id));
    render_set(data, "project_id", render_id(&ids->project_id));
    render_set(data, "org_id", render_id(&ids->org_id));
    render_set(data, "fleet_run_id", render_id(&ids->run_id));
    return data;
}

static int keep_ids(void *context, const struct fleet_row *row)
{
    struct run_ids *ids = context;
    ids->project_id = row->project_id;
    ids->org_id = row->org_id;
    return 0;
}

/* Answers with the run that an earlier copy of the request has started. The run may have been
 * deleted since. */
static int answer_repeated(struct admin_request *request, const struct id *fleet_id,
                           const struct id *run_id, struct error *error)
{
    struct run_ids ids = {.run_id = *run_id, .fleet_id = *fleet_id};
    struct store *store = request_store(request, error);
    if (!store || store_get_fleet(store, fleet_id, keep_ids, &ids, error) != 0)
        return -1;
    http_log_info(request->exchange, "request repeated, no new fleet run", log_id("run", run_id),
                  log_id("fleet", fleet_id));
    http_add_header(request->exchange, "Idempotent-Replayed", "true");
    request_answer_data(request, 201, render_ids(&ids));
    return 0;
}

static int commit(struct admin_request *request, struct run_start *start, struct error *error)
{
    int result = run_start_commit(request, start, error);
    if (result != 0) {
        idempotency_set_status(request, start->found);
        return -1;
    }
    if (start->found == IDEMPOTENCY_REPEATED)
        return answer_repeated(request, start->fleet_id, &start->ids.run_id, error);
    request_answer_data(request, 201, render_ids(&start->ids));
    return 0;
}

static int start(struct admin_request *request, const struct call *call,
                 const struct overrides *overrides, int version, struct error *error)
{
    char peer[HTTP_PEER_BYTES];
    struct sealed_overrides sealed = {.sealed = NULL};
    struct run_input input = {.host = "",
                              .query = "",
                              .event = "",
                              .headers_json = "{}",
                              .headers_bytes = 2,
                              .body_place = BODY_ABSENT,
                              .overrides_version = version};
    secret_hash("", 0, input.body_sha256);
    run_start_fill_origin(request, &input, peer);
    input.trigger = TRIGGER_API;
    int result = 0;
    if (!overrides_are_empty(overrides)) {
        result = run_overrides_seal(request, overrides, &input.request_id, &sealed, error);
        input.overrides = &sealed.stored;
    }
    struct run_start run = {
        .fleet_id = call->fleet_id, .input = &input, .idempotency = call->idempotency};
    if (result == 0)
        result = commit(request, &run, error);
    run_overrides_free_sealed(&sealed);
    return result;
}

static int try_once(struct admin_request *request, const struct call *call, struct error *error)
{
    struct overrides overrides;
    int version = 0;
    if (read_overrides(request, call->fleet_id, &overrides, &version, error) != 0)
        return -1;
    int result = start(request, call, &overrides, version, error);
    overrides_wipe(&overrides);
    return result;
}

/* Tries again if the fleet is changed between the check and the commit. */
static int start_new(struct admin_request *request, const struct call *call, struct error *error)
{
    struct error why = ERROR_INIT;
    if (status_has_room(request->admin, (int64_t)request->body.bytes, error) != 0)
        return -1;
    int result = try_once(request, call, &why);
    for (int i = 1; result != 0 && why.kind == ERROR_STALE && i < TRIES; i++) {
        error_clear(&why);
        result = try_once(request, call, &why);
    }
    return result == 0 ? 0 : error_set(error, why.kind, "%s", why.message);
}

/* A repeated request gets its answer before its overrides are checked: they may not fit the fleet
 * any more, or secret.key may be missing. The commit finds copies that are still on their way. */
static int trigger(struct admin_request *request, const struct id *fleet_id, struct error *error)
{
    struct idempotency_header header;
    enum idempotency_found found;
    struct id run_id;
    if (role_check_fleet(request, fleet_id, error) != 0 ||
        idempotency_read(request, fleet_id, &header, error) != 0 ||
        idempotency_look_up(request, &header, &found, &run_id, error) != 0)
        return -1;
    if (found == IDEMPOTENCY_REPEATED)
        return answer_repeated(request, fleet_id, &run_id, error);
    const struct call call = {fleet_id, header.is_given ? &header.value : NULL};
    return start_new(request, &call, error);
}

int trigger_start(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    if (request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    return trigger(request, &fleet_id, error);
}

/* ---- the address of the reference platform ---- */

struct address {
    struct id org_id, project_id, fleet_id;
    bool is_right;
};

static int compare_address(void *context, const struct fleet_row *row)
{
    struct address *address = context;
    address->is_right = id_equal(&row->org_id, &address->org_id) &&
                        id_equal(&row->project_id, &address->project_id);
    return 0;
}

/* A key that is bound to other fleets is told first that there is no such fleet: the rest would
 * show that there is one. */
static int check_address(struct admin_request *request, struct address *address,
                         struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store ||
        request_path_id(request, "org_id", "organization", &address->org_id, error) != 0 ||
        request_path_id(request, "project_id", "project", &address->project_id, error) != 0 ||
        request_path_id(request, "fleet_id", "fleet", &address->fleet_id, error) != 0 ||
        role_check_fleet(request, &address->fleet_id, error) != 0 ||
        store_get_fleet(store, &address->fleet_id, compare_address, address, error) != 0)
        return -1;
    if (address->is_right)
        return 0;
    return error_set(error, ERROR_NOT_FOUND,
                     "the organization and the project in the address are not those of the fleet");
}

/* Everything that is wrong with the address is 400 there, not 404. */
int trigger_start_as_reference(struct admin_request *request, struct error *error)
{
    struct address address = {.is_right = false};
    int result = check_address(request, &address, error);
    if (result == 0)
        result = trigger(request, &address.fleet_id, error);
    if (result != 0 && error->kind == ERROR_NOT_FOUND)
        request->answer.status = 400;
    return result;
}
