/* The functions of the SQLite engine, which engine.c lists in its table. store/engine.h describes
 * them. */
#ifndef WEBHOOKD_STORE_SQLITE_SQLITE_H
#define WEBHOOKD_STORE_SQLITE_SQLITE_H

#include "store/engine.h"

extern const struct store_engine sqlite_engine;

const char *sqlite_location_problem(const char *rest);
bool sqlite_location_owns(const char *rest, const char *name);
char *sqlite_caveat(void);
/* For sqlite_caveat. The version as in sqlite3_libversion_number. */
bool sqlite_has_wal_reset_bug(int version);
int sqlite_prepare(const struct store_options *options, struct error *error);
int sqlite_exists(const struct store_options *options, struct error *error);
struct store *sqlite_open(const struct store_options *options, struct error *error);
void sqlite_close(struct store *store);
void sqlite_set_deadline(struct store *store, int64_t deadline_ms);
int sqlite_schema_version(struct store *store);
int64_t sqlite_clock_floor_ms(struct store *store);
int sqlite_write(struct store *store, struct store_item **items, size_t count,
                 enum store_outcome *outcome, struct error *error);
int sqlite_start_upkeep(struct store *store, const struct store_upkeep *upkeep,
                        struct error *error);
int sqlite_has_room(struct store *store, int64_t bytes, struct error *error);
void sqlite_set_min_free(struct store *store, int64_t bytes);
int sqlite_give_back(struct store *store, bool *is_more, struct error *error);
void sqlite_get_metrics(struct store *store, struct store_metrics *metrics);
int sqlite_backup(struct store *store, const struct store_backup_guard *guard, struct error *error);
const char *sqlite_backup_name(const struct store *store);
int sqlite_list_orgs(struct store *store, int (*each)(void *, const struct org_row *),
                     void *context, struct error *error);
int sqlite_list_projects(struct store *store, const struct id *org_id,
                         int (*each)(void *, const struct project_row *), void *context,
                         struct error *error);
int sqlite_list_fleets(struct store *store, const struct id *project_id,
                       int (*each)(void *, const struct fleet_row *), void *context,
                       struct error *error);
int sqlite_get_fleet(struct store *store, const struct id *fleet_id,
                     int (*each)(void *, const struct fleet_row *), void *context,
                     struct error *error);
int sqlite_list_versions(struct store *store, const struct id *fleet_id,
                         int (*each)(void *, const struct version_row *), void *context,
                         struct error *error);
int sqlite_get_version(struct store *store, const struct id *fleet_id, int version,
                       int (*each)(void *, const struct version_row *), void *context,
                       struct error *error);
int sqlite_create_org(struct store *store, const char *name, int64_t now_ms, struct id *id,
                      struct error *error);
int sqlite_delete_org(struct store *store, const struct id *id, struct error *error);
int sqlite_create_project(struct store *store, const struct id *org_id, const char *name,
                          int64_t now_ms, struct id *id, struct error *error);
int sqlite_delete_project(struct store *store, const struct id *id, struct error *error);
int sqlite_apply_fleet(struct store *store, const struct fleet_application *application,
                       int64_t now_ms, struct apply_result *result, struct error *error);
int sqlite_list_hidden(struct store *store, const struct hidden_version *version,
                       int (*each)(void *, const struct hidden_row *), void *context,
                       struct error *error);
int sqlite_delete_fleet(struct store *store, const struct id *fleet_id, int64_t now_ms,
                        struct error *error);
int sqlite_find_package_lock(struct store *store, const struct package_lock_place *place,
                             const char *request, struct package_lock *found, struct error *error);
int sqlite_set_package_lock(struct store *store, const struct package_lock_place *place,
                            const struct package_lock *lock, struct error *error);
int sqlite_list_package_fleets(struct store *store, const struct id *fleet_id,
                               int (*each)(void *, const struct package_fleet *), void *context,
                               struct error *error);
int sqlite_list_webhooks(struct store *store, int64_t since_ms,
                         int (*each)(void *, const struct webhook_row *), void *context,
                         struct error *error);
int sqlite_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                       int (*each)(void *, const struct webhook_row *), void *context,
                       struct error *error);
int sqlite_count_webhooks(struct store *store, int64_t *count, struct error *error);
int sqlite_list_tokens(struct store *store,
                       int (*each)(void *, const struct id *fleet_id, const struct webhook_token *),
                       void *context, struct error *error);
int sqlite_create_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, int64_t now_ms, struct error *error);
int sqlite_replace_webhook(struct store *store, const struct id *fleet_id,
                           const struct webhook_token *token, int64_t now_ms, struct error *error);
int sqlite_reseal_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, struct error *error);
int sqlite_remove_webhook(struct store *store, const struct id *fleet_id, struct error *error);
int sqlite_add_calls(struct store *store, const struct webhook_calls *calls, struct error *error);
int sqlite_list_credentials(struct store *store, const struct id *org_id,
                            int (*each)(void *, const struct credential_row *), void *context,
                            struct error *error);
int sqlite_find_credential(struct store *store, const struct id *org_id,
                           const struct reference *name,
                           int (*each)(void *, const struct credential_row *), void *context,
                           struct error *error);
int sqlite_list_definitions(struct store *store, const struct id *org_id, const char *text,
                            int (*each)(void *, const struct definition_row *), void *context,
                            struct error *error);
int sqlite_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                       void *context, struct error *error);
int sqlite_set_credential(struct store *store, const struct id *org_id,
                          const struct credential_value *value, int64_t now_ms, bool *is_new,
                          struct error *error);
int sqlite_remove_credential(struct store *store, const struct id *org_id,
                             const struct reference *name, struct error *error);
int sqlite_touch_credential(struct store *store, const struct id *org_id,
                            const struct reference *name, int64_t now_ms, struct error *error);
int sqlite_list_blueprints(struct store *store, const struct id *org_id,
                           int (*each)(void *, const struct blueprint_row *), void *context,
                           struct error *error);
int sqlite_get_blueprint(struct store *store, const struct id *blueprint_id,
                         int (*each)(void *, const struct blueprint_row *), void *context,
                         struct error *error);
int sqlite_list_blueprint_versions(struct store *store, const struct id *blueprint_id,
                                   int (*each)(void *, const struct blueprint_version_row *),
                                   void *context, struct error *error);
int sqlite_get_blueprint_version(struct store *store, const struct id *blueprint_id, int version,
                                 int (*each)(void *, const struct blueprint_version_row *),
                                 void *context, struct error *error);
int sqlite_find_blueprint_inputs(struct store *store, const struct blueprint_query *query,
                                 int (*each)(void *, const struct blueprint_inputs *),
                                 void *context, struct error *error);
char *sqlite_get_blueprint_head(struct store *store, const struct id *blueprint_id, int *version,
                                struct error *error);
int sqlite_list_blueprint_users(struct store *store, const struct id *blueprint_id,
                                int (*each)(void *, const struct definition_row *), void *context,
                                struct error *error);
int sqlite_search_blueprints(struct store *store, const struct id *org_id, const char *text,
                             int (*each)(void *, const struct blueprint_version_row *),
                             void *context, struct error *error);
int sqlite_apply_blueprint(struct store *store, const struct blueprint_application *application,
                           int64_t now_ms, struct blueprint_result *result, struct error *error);
int sqlite_delete_blueprint(struct store *store, const struct id *blueprint_id, int64_t now_ms,
                            struct error *error);
int sqlite_list_keys(struct store *store, int (*each)(void *, const struct key_row *),
                     void *context, struct error *error);
int sqlite_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                    int (*each)(void *, const struct key_row *), void *context,
                    struct error *error);
int sqlite_create_key(struct store *store, const struct new_key *key, struct id *id,
                      struct error *error);
int sqlite_find_revoked_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                            int64_t *revoked_ms, struct error *error);
int sqlite_revoke_key(struct store *store, const struct id *id, int64_t now_ms,
                      struct error *error);
int sqlite_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error);
int sqlite_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct session_time *time,
                        int (*each)(void *, const struct session_row *), void *context,
                        struct error *error);
int sqlite_begin_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                         const struct id *key_id, const struct session_time *time,
                         struct error *error);
int sqlite_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                         struct error *error);
int sqlite_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       struct error *error);
int sqlite_list_audit(struct store *store, const struct audit_filter *filter,
                      int (*each)(void *, const struct audit_row *), void *context,
                      struct error *error);
int sqlite_find_audit(struct store *store, const struct audit_row *row, int64_t since_ms,
                      struct error *error);
int sqlite_add_audit(struct store *store, const struct audit_row *row, struct error *error);
int sqlite_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                      struct run_ids *ids, struct error *error);
int sqlite_list_runs(struct store *store, const struct run_filter *filter,
                     int (*each)(void *, const struct run_row *), void *context,
                     struct error *error);
int sqlite_get_run(struct store *store, const struct id *run_id,
                   int (*each)(void *, const struct run_row *), void *context, struct error *error);
int sqlite_get_origin(struct store *store, const struct id *run_id,
                      int (*each)(void *, const struct run_origin *), void *context,
                      struct error *error);
int sqlite_get_overrides(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct run_overrides *), void *context,
                         struct error *error);
int sqlite_get_headers(struct store *store, const struct id *run_id,
                       int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                       struct error *error);
int sqlite_get_body(struct store *store, const struct id *run_id,
                    int (*each)(void *, enum body_place place, const struct id *request_id,
                                const void *body, int64_t bytes),
                    void *context, struct error *error);
int sqlite_list_again(struct store *store, const struct id *run_id, int limit,
                      int (*each)(void *, const struct id *), void *context, struct error *error);
int sqlite_list_vessels(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct vessel_row *), void *context,
                        struct error *error);
int sqlite_list_attempts(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct attempt_row *), void *context,
                         struct error *error);
int sqlite_count_open_runs(struct store *store, struct run_counts *counts, struct error *error);
int sqlite_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                        struct error *error);
int sqlite_delete_run(struct store *store, int64_t number, struct error *error);
int sqlite_find_idempotency(struct store *store, const struct idempotency *idempotency,
                            int64_t now_ms, enum idempotency_found *found, struct id *run_id,
                            struct error *error);
int sqlite_add_idempotency(struct store *store, const struct idempotency *idempotency,
                           int64_t now_ms, const struct id *run_id, struct error *error);
int sqlite_forget_idempotency(struct store *store, int64_t now_ms, int limit, struct error *error);
struct run_work *sqlite_load_work(struct store *store, int64_t number, struct error *error);
int sqlite_find_scheduled(struct store *store, int64_t after_number, int limit,
                          struct scheduled_run *runs, struct error *error);
int sqlite_find_scheduled_of(struct store *store, int64_t fleet_no, int64_t from_number,
                             int64_t to_number, int limit, int64_t *numbers, struct error *error);
int sqlite_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error);
int sqlite_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                         struct error *error);
int sqlite_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                    struct error *error);

#endif
