/* See role.h. Called by service.c for each request, and by handlers. On admin workers' threads. */
#include "admin/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "base/memory.h"
#include "http/log.h"
#include "store/fleets.h"

#define REFUSED_AGAIN_MS INT64_C(3600000) /* a program that uses the wrong key repeats itself */

bool role_may_call(enum api_key_role role, const struct admin_call *call)
{
    if (call && call->access != ADMIN_ACCESS_KEY)
        return true;
    if (role == ROLE_OWNER)
        return true;
    /* The store's numbers come from a disk: a number that is no role may call nothing. */
    return call && role > ROLE_NONE && role <= ROLE_TRIGGER &&
           (call->roles & ADMIN_ROLE(role)) != 0;
}

#define MAY_ONLY                                                                                   \
    "this key's role is %s: it may only trigger fleets (POST /api/v1/fleets/{fleet_id}/trigger)"

/* ---- the audit log ---- */

struct refused_call {
    struct change change;
    char call[NAME_MAX_BYTES + 1]; /* "DELETE /api/v1/fleets/{fleet_id}" */
    enum api_key_role role;
    bool names_fleet;
    struct id fleet_id; /* in the path; there may be no such fleet */
};

static int set_fleet(void *context, const struct fleet_row *row)
{
    change_set_fleet(context, &row->id, 0);
    return 0;
}

/* Names the fleet only if there is one: otherwise a caller could add an entry for each id. */
static int describe_refused(struct change *change, struct store *store, struct error *error)
{
    struct error why = ERROR_INIT;
    const struct refused_call *refused = CONTAINER_OF(change, struct refused_call, change);
    snprintf(change->subject, sizeof(change->subject), "%s", refused->call);
    snprintf(change->detail, sizeof(change->detail), "role %s", api_key_role_name(refused->role));
    if (!refused->names_fleet ||
        store_get_fleet(store, &refused->fleet_id, set_fleet, change, &why) == 0 ||
        why.kind == ERROR_NOT_FOUND)
        return 0;
    return error_set(error, why.kind, "%s", why.message);
}

static const struct change_kind refused_kind = {
    .action = "access.refuse", .repeats_after_ms = REFUSED_AGAIN_MS, .apply = describe_refused};

static bool would_change(const struct admin_request *request)
{
    const char *method = http_method(request->exchange);
    return request->call && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

/* The call is refused even if the entry cannot be written. */
static void audit_refusal(struct admin_request *request)
{
    struct error error = ERROR_INIT;
    struct refused_call refused = {.change.kind = &refused_kind, .role = request->caller.role};
    const char *fleet = route_value(&request->match, "fleet_id");
    snprintf(refused.call, sizeof(refused.call), "%s %s", http_method(request->exchange),
             request->match.route->pattern);
    refused.names_fleet = fleet && id_parse(fleet, &refused.fleet_id) == 0;
    if (change_commit(request, &refused.change, &error) != 0)
        http_log_warning(request->exchange, "refused call not in the audit log", log_why(&error));
}

int role_check(struct admin_request *request, struct error *error)
{
    if (role_may_call(request->caller.role, request->call))
        return 0;
    if (would_change(request))
        audit_refusal(request);
    return error_set(error, ERROR_CONFLICT, MAY_ONLY, api_key_role_name(request->caller.role));
}

/* ---- what a key is bound to ---- */

struct bound {
    const struct key_binding *binding;
    bool includes;
};

static int match_fleet(void *context, const struct fleet_row *row)
{
    struct bound *bound = context;
    const struct key_binding *binding = bound->binding;
    bound->includes = binding->has_fleet ? id_equal(&binding->fleet_id, &row->id)
                                         : id_equal(&binding->org_id, &row->org_id);
    return 0;
}

int role_check_fleet(struct admin_request *request, const struct id *fleet_id, struct error *error)
{
    struct bound bound = {.binding = &request->caller.binding};
    char text[ID_TEXT_BYTES];
    if (!bound.binding->has_fleet && !bound.binding->has_org)
        return 0;
    struct store *store = request_store(request, error);
    if (!store || store_get_fleet(store, fleet_id, match_fleet, &bound, error) != 0)
        return -1;
    if (bound.includes)
        return 0;
    return error_set(error, ERROR_NOT_FOUND, "there is no fleet %s", id_format(fleet_id, text));
}

/* ---- signing in ---- */

int role_check_sign_in(struct admin_request *request, struct error *error)
{
    if (request->caller.role == ROLE_OWNER)
        return 0;
    free(request->answer.field);
    request->answer.status = 403;
    request->answer.field = memory_string("key");
    return error_set(error, ERROR_CONFLICT, MAY_ONLY "; sign in with a key whose role is owner",
                     api_key_role_name(request->caller.role));
}
