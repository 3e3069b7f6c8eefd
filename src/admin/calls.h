/* The calls of the API, by the file that has them. Each is the `handle` of a struct admin_call (request.h). */
#ifndef WEBHOOKD_ADMIN_CALLS_H
#define WEBHOOKD_ADMIN_CALLS_H

#include "admin/request.h"

/* projects.c */
int call_list_orgs(struct admin_request *request, struct error *error);
int call_create_org(struct admin_request *request, struct error *error);
int call_delete_org(struct admin_request *request, struct error *error);
int call_list_projects(struct admin_request *request, struct error *error);
int call_create_project(struct admin_request *request, struct error *error);
int call_delete_project(struct admin_request *request, struct error *error);

/* fleets.c */
int call_list_fleets(struct admin_request *request, struct error *error);
int call_list_project_fleets(struct admin_request *request, struct error *error);
int call_get_fleet(struct admin_request *request, struct error *error);
int call_delete_fleet(struct admin_request *request, struct error *error);
int call_list_versions(struct admin_request *request, struct error *error);
int call_get_version(struct admin_request *request, struct error *error);

/* apply.c */
int call_apply_fleet(struct admin_request *request, struct error *error);

/* webhooks.c */
int call_list_webhooks(struct admin_request *request, struct error *error);
int call_get_webhook(struct admin_request *request, struct error *error);
int call_create_webhook(struct admin_request *request, struct error *error);
int call_replace_webhook(struct admin_request *request, struct error *error);
int call_remove_webhook(struct admin_request *request, struct error *error);

/* runs.c */
int call_list_runs(struct admin_request *request, struct error *error);
int call_list_fleet_runs(struct admin_request *request, struct error *error);
int call_get_run(struct admin_request *request, struct error *error);
int call_stop_run(struct admin_request *request, struct error *error);

/* run_files.c */
int call_get_run_body(struct admin_request *request, struct error *error);
int call_get_run_headers(struct admin_request *request, struct error *error);
int call_get_vessel_log(struct admin_request *request, struct error *error);

/* run_start.c */
int call_start_run(struct admin_request *request, struct error *error);
int call_run_again(struct admin_request *request, struct error *error);

/* status.c */
int call_get_status(struct admin_request *request, struct error *error);
int call_is_alive(struct admin_request *request, struct error *error);
int call_is_ready(struct admin_request *request, struct error *error);

/* backup.c */
int call_backup(struct admin_request *request, struct error *error);

/* console.c */
int call_get_page(struct admin_request *request, struct error *error);
int call_get_no_page(struct admin_request *request, struct error *error);
int call_get_console_file(struct admin_request *request, struct error *error);

/* events.c */
int call_get_events(struct admin_request *request, struct error *error);

/* sign_in.c */
int call_sign_in(struct admin_request *request, struct error *error);
int call_get_session(struct admin_request *request, struct error *error);
int call_sign_out(struct admin_request *request, struct error *error);

/* keys.c */
int call_list_keys(struct admin_request *request, struct error *error);
int call_create_key(struct admin_request *request, struct error *error);
int call_revoke_key(struct admin_request *request, struct error *error);
int call_list_audit(struct admin_request *request, struct error *error);

/* metrics.c */
int call_get_metrics(struct admin_request *request, struct error *error);

/* The table of calls (routes.c). */
extern const struct route admin_routes[];
extern const size_t admin_route_count;
/* Where there is no route, for a person who has typed or kept an address. */
extern const struct admin_call admin_no_page;

/* ---- what several of them need ---- */

/* An object by its id, or NULL with ERROR_NOT_FOUND. */
json_t *fleet_object(struct store *store, const struct id *fleet_id, struct error *error);
json_t *project_object(struct store *store, const struct id *project_id, struct error *error);
json_t *run_object(struct store *store, const struct id *run_id,
                   struct error *error); /* with its vessel runs */
/* For a change of a fleet's: it is what the audit log says was changed. ERROR_NOT_FOUND. */
struct change;
int fleets_set_subject(struct change *change, struct store *store, const struct id *fleet_id,
                       struct error *error);
/* 0 if there is room for a run with a body of this size now; -1 and why. */
int admin_has_room(struct admin *admin, int64_t body_bytes, struct error *error);
/* 0 if the next run would probably be stored; -1 and why. What /readyz, /status and the metrics say. */
int admin_is_ready(struct admin *admin, struct error *error);

#endif
