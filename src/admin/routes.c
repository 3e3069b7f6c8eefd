/* The table of calls: docs/openapi.yaml in the order of its paths. */
#include "admin/calls.h"
#include "base/memory.h"

#define CALL(handler) (&(const struct admin_call){.handle = handler})
#define CALL_ASKED(handler, parameters)                                                            \
    (&(const struct admin_call){.handle = handler, .query = parameters})
#define CALL_WITH(handler, what) (&(const struct admin_call){.handle = handler, .body = what})
#define OPEN_CALL(handler)                                                                         \
    (&(const struct admin_call){.handle = handler, .access = ADMIN_ACCESS_OPEN})
#define API        "/api/v1"
#define RUN_FILTER "limit before status trigger since id request_id"

static const struct admin_call apply_fleet = {
    .handle = call_apply_fleet, .body = ADMIN_BODY_FLEET_FILE, .query = "check stub"};
static const struct admin_call sign_in = {
    .handle = call_sign_in, .body = ADMIN_BODY_JSON, .access = ADMIN_ACCESS_SIGN_IN};
static const struct admin_call page = {
    .handle = call_get_page, .access = ADMIN_ACCESS_OPEN, .may_be_kept = true};
static const struct admin_call console_file = {
    .handle = call_get_console_file, .access = ADMIN_ACCESS_OPEN, .may_be_kept = true};

const struct route admin_routes[] = {
    {"GET", API "/orgs", CALL(call_list_orgs)},
    {"POST", API "/orgs", CALL_WITH(call_create_org, ADMIN_BODY_JSON)},
    {"DELETE", API "/orgs/{org_id}", CALL(call_delete_org)},
    {"GET", API "/orgs/{org_id}/projects", CALL(call_list_projects)},
    {"POST", API "/orgs/{org_id}/projects", CALL_WITH(call_create_project, ADMIN_BODY_JSON)},
    {"DELETE", API "/orgs/{org_id}/projects/{project_id}", CALL(call_delete_project)},

    {"GET", API "/projects/{project_id}/fleets", CALL(call_list_project_fleets)},
    {"PUT", API "/projects/{project_id}/fleets", &apply_fleet},
    {"GET", API "/fleets", CALL(call_list_fleets)},
    {"GET", API "/fleets/{fleet_id}", CALL(call_get_fleet)},
    {"DELETE", API "/fleets/{fleet_id}", CALL(call_delete_fleet)},
    {"GET", API "/fleets/{fleet_id}/versions", CALL(call_list_versions)},
    {"GET", API "/fleets/{fleet_id}/versions/{n}", CALL(call_get_version)},

    {"GET", API "/fleets/{fleet_id}/webhook", CALL_ASKED(call_get_webhook, "since")},
    {"POST", API "/fleets/{fleet_id}/webhook", CALL(call_create_webhook)},
    {"PUT", API "/fleets/{fleet_id}/webhook", CALL_ASKED(call_replace_webhook, "since")},
    {"DELETE", API "/fleets/{fleet_id}/webhook", CALL(call_remove_webhook)},
    {"GET", API "/webhooks", CALL_ASKED(call_list_webhooks, "since")},

    {"GET", API "/fleets/{fleet_id}/fleetruns", CALL_ASKED(call_list_fleet_runs, RUN_FILTER)},
    {"POST", API "/fleets/{fleet_id}/fleetruns", CALL_WITH(call_start_run, ADMIN_BODY_RUN)},
    {"GET", API "/fleetruns", CALL_ASKED(call_list_runs, RUN_FILTER)},
    {"GET", API "/fleetruns/{run_id}", CALL(call_get_run)},
    {"GET", API "/fleetruns/{run_id}/body", CALL(call_get_run_body)},
    {"GET", API "/fleetruns/{run_id}/headers", CALL(call_get_run_headers)},
    {"POST", API "/fleetruns/{run_id}/stop", CALL(call_stop_run)},
    {"POST", API "/fleetruns/{run_id}/again", CALL(call_run_again)},
    {"GET", API "/fleetruns/{run_id}/vessels/{vessel_run_id}/log",
     CALL_ASKED(call_get_vessel_log, "attempt follow from")},

    {"GET", API "/events", CALL(call_get_events)},
    {"GET", API "/session", CALL(call_get_session)},
    {"POST", API "/session", &sign_in},
    {"DELETE", API "/session", CALL(call_sign_out)},
    {"GET", API "/keys", CALL(call_list_keys)},
    {"POST", API "/keys", CALL_WITH(call_create_key, ADMIN_BODY_JSON)},
    {"DELETE", API "/keys/{key_id}", CALL(call_revoke_key)},
    {"GET", API "/audit", CALL_ASKED(call_list_audit, "limit before")},
    {"GET", API "/status", CALL(call_get_status)},
    {"POST", API "/backup", CALL(call_backup)},

    {"GET", "/healthz", OPEN_CALL(call_is_alive)},
    {"GET", "/readyz", OPEN_CALL(call_is_ready)},
    {"GET", "/metrics", OPEN_CALL(call_get_metrics)},

    /* The console: not in docs/openapi.yaml. */
    {"GET", "/", &page},
    {"GET", "/fleets/{fleet_id}", &page},
    {"GET", "/fleets/{fleet_id}/{tab}", &page},
    {"GET", "/keys", &page},
    {"GET", "/keys/{tab}", &page},
    {"GET", "/runs", &page},
    {"GET", "/runs/{run_id}", &page},
    {"GET", "/runs/{run_id}/{tab}", &page},
    {"GET", "/runs/{run_id}/vessels/{vessel_run_id}", &page},
    {"GET", "/console/{file}", &console_file},
};
const struct admin_call admin_no_page = {.handle = call_get_no_page, .access = ADMIN_ACCESS_OPEN};
const size_t admin_route_count = ARRAY_COUNT(admin_routes);
