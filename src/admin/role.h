/* Decides what a key's role allows. Nothing else does: each route names the roles that may call
 * it besides the owners (`roles` of struct admin_call, such as ADMIN_TRIGGER in routes.h),
 * so a route that names none is for owners only. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_ROLE_H
#define WEBHOOKD_ADMIN_ROLE_H

#include <stdbool.h>

#include "admin/request.h"
#include "model/api_key.h"

/* Whether a caller with this role may make this call. `call` NULL: the path or its method does not
 * exist, which only owners learn. */
bool role_may_call(enum api_key_role role, const struct admin_call *call);

/* Returns 0 if the request's caller may make its call. Otherwise returns -1 and sets *error to the
 * message of a 403. If the call would change something, the refusal is an entry of the audit log,
 * at most one an hour for each key, address, call and fleet. */
int role_check(struct admin_request *request, struct error *error);

/* For the routes of ADMIN_TRIGGER: returns 0 if the caller's key is not bound, or is bound to this
 * fleet or to its organization. Otherwise returns -1 with the ERROR_NOT_FOUND of a fleet that does
 * not exist. */
int role_check_fleet(struct admin_request *request, const struct id *fleet_id, struct error *error);

/* Returns 0 if the caller may begin a session. Otherwise returns -1, and sets *error and the status
 * of the answer. */
int role_check_sign_in(struct admin_request *request, struct error *error);

#endif
