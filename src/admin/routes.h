/* Every route of the API, in the order of docs/openapi.yaml, then those of the console.
 *
 * This is the only list of routes. A row is a method, a path and its handler, followed by those
 * members of its struct admin_call (request.h) that are not zero. It both declares the handler and
 * becomes an entry of admin_routes. The handler is defined in the file that its name begins
 * with.
 *
 * Only owners may call a route, unless its row has ADMIN_TRIGGER (keys with the role trigger may,
 * too), or ADMIN_OPEN or ADMIN_PAGE (everyone may). tests/system/test_roles.c lists the exceptions:
 * a new one is a line there, too. */
#ifndef WEBHOOKD_ADMIN_ROUTES_H
#define WEBHOOKD_ADMIN_ROUTES_H

#include <stddef.h>

#include "admin/request.h"
#include "http/route.h"

#define ADMIN_RUN_FILTER .query = "limit before after status trigger since id request_id"
#define ADMIN_OPEN       .access = ADMIN_ACCESS_OPEN
#define ADMIN_PAGE       .access = ADMIN_ACCESS_OPEN, .may_be_kept = true
#define ADMIN_PACK       .may_be_packed = true
#define ADMIN_TRIGGER    .roles = ADMIN_ROLE(ROLE_TRIGGER) /* its handler: role_check_fleet */
#define ADMIN_START                                                                                \
    ADMIN_TRIGGER, .body = ADMIN_BODY_OVERRIDES, .takes_reference_key = true, .is_public = true

#define ADMIN_ROUTES(ROUTE)                                                                        \
    ROUTE("GET", "/api/v1/orgs", projects_list_orgs, ADMIN_PACK)                                   \
    ROUTE("POST", "/api/v1/orgs", projects_create_org, .body = ADMIN_BODY_JSON)                    \
    ROUTE("DELETE", "/api/v1/orgs/{org_id}", projects_delete_org)                                  \
    ROUTE("GET", "/api/v1/orgs/{org_id}/projects", projects_list, ADMIN_PACK)                      \
    ROUTE("POST", "/api/v1/orgs/{org_id}/projects", projects_create, .body = ADMIN_BODY_JSON)      \
    ROUTE("DELETE", "/api/v1/orgs/{org_id}/projects/{project_id}", projects_delete)                \
                                                                                                   \
    ROUTE("GET", "/api/v1/orgs/{org_id}/credentials", credentials_list, ADMIN_PACK)                \
    ROUTE("PUT", "/api/v1/orgs/{org_id}/credentials/{group}/{item}", credentials_set,              \
          .body = ADMIN_BODY_CREDENTIAL)                                                           \
    ROUTE("DELETE", "/api/v1/orgs/{org_id}/credentials/{group}/{item}", credentials_remove,        \
          .query = "force")                                                                        \
    ROUTE("GET", "/api/v1/orgs/{org_id}/credentials/{group}/{item}/used", credentials_used,        \
          ADMIN_PACK)                                                                              \
                                                                                                   \
    ROUTE("GET", "/api/v1/orgs/{org_id}/blueprints", blueprints_list, ADMIN_PACK)                  \
    ROUTE("PUT", "/api/v1/orgs/{org_id}/blueprints", apply_blueprint,                              \
          .body = ADMIN_BODY_FLEET_FILE, .query = "check")                                         \
    ROUTE("GET", "/api/v1/blueprints/{blueprint_id}", blueprints_get)                              \
    ROUTE("DELETE", "/api/v1/blueprints/{blueprint_id}", blueprints_delete)                        \
    ROUTE("GET", "/api/v1/blueprints/{blueprint_id}/versions", blueprints_list_versions,           \
          ADMIN_PACK)                                                                              \
    ROUTE("GET", "/api/v1/blueprints/{blueprint_id}/versions/{n}", blueprints_get_version)         \
    ROUTE("GET", "/api/v1/blueprints/{blueprint_id}/used", blueprints_used, ADMIN_PACK)            \
                                                                                                   \
    ROUTE("GET", "/api/v1/projects/{project_id}/fleets", fleets_list_in_project, .query = "last",  \
          ADMIN_PACK)                                                                              \
    ROUTE("PUT", "/api/v1/projects/{project_id}/fleets", apply_fleet,                              \
          .body = ADMIN_BODY_FLEET_FILE,                                                           \
          .query = "check stub strict missing_credentials from_fleet from_version")                \
    ROUTE("GET", "/api/v1/fleets", fleets_list, .query = "last", ADMIN_PACK)                       \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}", fleets_get)                                          \
    ROUTE("DELETE", "/api/v1/fleets/{fleet_id}", fleets_delete)                                    \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}/versions", fleets_list_versions, ADMIN_PACK)           \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}/versions/{n}", fleets_get_version)                     \
                                                                                                   \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}/packages", packages_show)                              \
    ROUTE("POST", "/api/v1/fleets/{fleet_id}/packages/refresh", packages_refresh)                  \
    ROUTE("GET", "/api/v1/packages", packages_list)                                                \
    ROUTE("DELETE", "/api/v1/packages", packages_clean, .query = "all")                            \
    ROUTE("DELETE", "/api/v1/packages/{key}", packages_remove)                                     \
    ROUTE("GET", "/api/v1/packages/{key}/log", package_log_get, .query = "follow from")            \
                                                                                                   \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}/webhook", webhooks_get, .query = "since")              \
    ROUTE("POST", "/api/v1/fleets/{fleet_id}/webhook", webhooks_create)                            \
    ROUTE("PUT", "/api/v1/fleets/{fleet_id}/webhook", webhooks_replace, .query = "since")          \
    ROUTE("DELETE", "/api/v1/fleets/{fleet_id}/webhook", webhooks_remove)                          \
    ROUTE("GET", "/api/v1/webhooks", webhooks_list, .query = "since")                              \
                                                                                                   \
    ROUTE("GET", "/api/v1/fleets/{fleet_id}/fleetruns", runs_list_of_fleet, ADMIN_RUN_FILTER,      \
          ADMIN_PACK)                                                                              \
    ROUTE("POST", "/api/v1/fleets/{fleet_id}/fleetruns", run_start_new, .body = ADMIN_BODY_RUN)    \
    ROUTE("POST", "/api/v1/fleets/{fleet_id}/trigger", trigger_start, ADMIN_START)                 \
    ROUTE("POST", "/orgs/{org_id}/projects/{project_id}/fleets/{fleet_id}/fleetruns",              \
          trigger_start_as_reference, ADMIN_START)                                                 \
    ROUTE("GET", "/api/v1/fleetruns", runs_list, ADMIN_RUN_FILTER, ADMIN_PACK)                     \
    ROUTE("GET", "/api/v1/fleetruns/{run_id}", runs_get, ADMIN_PACK)                               \
    ROUTE("GET", "/api/v1/fleetruns/{run_id}/body", run_files_get_body)                            \
    ROUTE("GET", "/api/v1/fleetruns/{run_id}/headers", run_files_get_headers)                      \
    ROUTE("POST", "/api/v1/fleetruns/{run_id}/stop", runs_stop)                                    \
    ROUTE("POST", "/api/v1/fleetruns/{run_id}/again", run_start_again)                             \
    ROUTE("GET", "/api/v1/fleetruns/{run_id}/vessels/{vessel_run_id}/log", run_files_get_log,      \
          .query = "attempt follow from")                                                          \
                                                                                                   \
    ROUTE("GET", "/api/v1/events", events_get, .query = "after")                                   \
    ROUTE("GET", "/api/v1/session", sign_in_get)                                                   \
    ROUTE("POST", "/api/v1/session", sign_in_begin, .body = ADMIN_BODY_JSON,                       \
          .access = ADMIN_ACCESS_SIGN_IN)                                                          \
    ROUTE("DELETE", "/api/v1/session", sign_in_end)                                                \
    ROUTE("GET", "/api/v1/keys", keys_list, ADMIN_PACK)                                            \
    ROUTE("POST", "/api/v1/keys", keys_create, .body = ADMIN_BODY_JSON)                            \
    ROUTE("DELETE", "/api/v1/keys/{key_id}", keys_revoke)                                          \
    ROUTE("GET", "/api/v1/audit", audit_list, .query = "limit before since who action fleet",      \
          ADMIN_PACK)                                                                              \
    ROUTE("GET", "/api/v1/status", status_get, ADMIN_PACK)                                         \
    ROUTE("POST", "/api/v1/backup", backup_create)                                                 \
                                                                                                   \
    ROUTE("GET", "/healthz", status_healthz, ADMIN_OPEN)                                           \
    ROUTE("GET", "/readyz", status_readyz, ADMIN_OPEN)                                             \
    ROUTE("GET", "/metrics", metrics_get, ADMIN_OPEN)                                              \
                                                                                                   \
    /* The console: not in docs/openapi.yaml. */                                                   \
    ROUTE("GET", "/", console_get_page, ADMIN_PAGE)                                                \
    ROUTE("GET", "/fleets/{fleet_id}", console_get_page, ADMIN_PAGE)                               \
    ROUTE("GET", "/fleets/{fleet_id}/{tab}", console_get_page, ADMIN_PAGE)                         \
    ROUTE("GET", "/credentials", console_get_page, ADMIN_PAGE)                                     \
    ROUTE("GET", "/credentials/{org_id}/{name}", console_get_page, ADMIN_PAGE)                     \
    ROUTE("GET", "/keys", console_get_page, ADMIN_PAGE)                                            \
    ROUTE("GET", "/keys/{tab}", console_get_page, ADMIN_PAGE)                                      \
    ROUTE("GET", "/runs", console_get_page, ADMIN_PAGE)                                            \
    ROUTE("GET", "/runs/{run_id}", console_get_page, ADMIN_PAGE)                                   \
    ROUTE("GET", "/runs/{run_id}/{tab}", console_get_page, ADMIN_PAGE)                             \
    ROUTE("GET", "/runs/{run_id}/vessels/{vessel_run_id}", console_get_page, ADMIN_PAGE)           \
    ROUTE("GET", "/console/{file}", console_get_file, ADMIN_PAGE)

#define ADMIN_DECLARE_HANDLER(method, pattern, handler, ...)                                       \
    int handler(struct admin_request *request, struct error *error);
ADMIN_ROUTES(ADMIN_DECLARE_HANDLER)
#undef ADMIN_DECLARE_HANDLER

extern const struct route admin_routes[];
extern const size_t admin_route_count;

#endif
