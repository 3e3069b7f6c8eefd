/* An engine: a table of functions that implement the interface of include/store/. Each one
 * implements the function of the same name with the prefix store_, whose description and rules
 * about threads apply.
 *
 * An engine has a folder of its own and a row in store.c. Its connection begins with a struct
 * store. */
#ifndef WEBHOOKD_STORE_ENGINE_H
#define WEBHOOKD_STORE_ENGINE_H

#include "store/audit.h"
#include "store/blueprints.h"
#include "store/credentials.h"
#include "store/fleets.h"
#include "store/idempotency.h"
#include "store/keys.h"
#include "store/package_locks.h"
#include "store/runs.h"
#include "store/store.h"
#include "store/webhooks.h"
#include "store/work.h"

struct store_engine {
    const char *scheme; /* the part of a location before the colon */

    /* location.h; `rest` is the part of the location after the colon. */
    const char *(*location_problem)(const char *rest);
    bool (*location_owns)(const char *rest, const char *name);

    /* store.h */
    char *(*caveat)(void);
    int (*prepare)(const struct store_options *options, struct error *error);
    int (*exists)(const struct store_options *options, struct error *error);
    struct store *(*open)(const struct store_options *options, struct error *error);
    void (*close)(struct store *store);
    void (*set_deadline)(struct store *store, int64_t deadline_ms);
    int (*schema_version)(struct store *store);
    int64_t (*clock_floor_ms)(struct store *store);
    int (*write)(struct store *store, struct store_item **items, size_t count,
                 enum store_outcome *outcome, struct error *error);
    int (*start_upkeep)(struct store *store, const struct store_upkeep *upkeep,
                        struct error *error);
    int (*has_room)(struct store *store, int64_t bytes, struct error *error);
    void (*set_min_free)(struct store *store, int64_t bytes);
    int (*give_back)(struct store *store, bool *is_more, struct error *error);
    void (*get_metrics)(struct store *store, struct store_metrics *metrics);
    int (*backup)(struct store *store, const struct store_backup_guard *guard, struct error *error);
    const char *(*backup_name)(const struct store *store);

    /* fleets.h */
    int (*list_orgs)(struct store *store, int (*each)(void *, const struct org_row *),
                     void *context, struct error *error);
    int (*list_projects)(struct store *store, const struct id *org_id,
                         int (*each)(void *, const struct project_row *), void *context,
                         struct error *error);
    int (*list_fleets)(struct store *store, const struct id *project_id,
                       int (*each)(void *, const struct fleet_row *), void *context,
                       struct error *error);
    int (*get_fleet)(struct store *store, const struct id *fleet_id,
                     int (*each)(void *, const struct fleet_row *), void *context,
                     struct error *error);
    int (*list_versions)(struct store *store, const struct id *fleet_id,
                         int (*each)(void *, const struct version_row *), void *context,
                         struct error *error);
    int (*get_version)(struct store *store, const struct id *fleet_id, int version,
                       int (*each)(void *, const struct version_row *), void *context,
                       struct error *error);
    int (*create_org)(struct store *store, const char *name, int64_t now_ms, struct id *id,
                      struct error *error);
    int (*delete_org)(struct store *store, const struct id *id, struct error *error);
    int (*create_project)(struct store *store, const struct id *org_id, const char *name,
                          int64_t now_ms, struct id *id, struct error *error);
    int (*delete_project)(struct store *store, const struct id *id, struct error *error);
    int (*apply_fleet)(struct store *store, const struct fleet_application *application,
                       int64_t now_ms, struct apply_result *result, struct error *error);
    int (*delete_fleet)(struct store *store, const struct id *fleet_id, int64_t now_ms,
                        struct error *error);

    /* hidden.h */
    int (*list_hidden)(struct store *store, const struct hidden_version *version,
                       int (*each)(void *, const struct hidden_row *), void *context,
                       struct error *error);

    /* package_locks.h */
    int (*find_package_lock)(struct store *store, const struct package_lock_place *place,
                             const char *request, struct package_lock *found, struct error *error);
    int (*set_package_lock)(struct store *store, const struct package_lock_place *place,
                            const struct package_lock *lock, struct error *error);
    int (*list_package_fleets)(struct store *store, const struct id *fleet_id,
                               int (*each)(void *, const struct package_fleet *), void *context,
                               struct error *error);

    /* webhooks.h */
    int (*list_webhooks)(struct store *store, int64_t since_ms,
                         int (*each)(void *, const struct webhook_row *), void *context,
                         struct error *error);
    int (*get_webhook)(struct store *store, const struct id *fleet_id, int64_t since_ms,
                       int (*each)(void *, const struct webhook_row *), void *context,
                       struct error *error);
    int (*count_webhooks)(struct store *store, int64_t *count, struct error *error);
    int (*list_tokens)(struct store *store,
                       int (*each)(void *, const struct id *fleet_id, const struct webhook_token *),
                       void *context, struct error *error);
    int (*create_webhook)(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, int64_t now_ms, struct error *error);
    int (*replace_webhook)(struct store *store, const struct id *fleet_id,
                           const struct webhook_token *token, int64_t now_ms, struct error *error);
    int (*reseal_webhook)(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, struct error *error);
    int (*remove_webhook)(struct store *store, const struct id *fleet_id, struct error *error);
    int (*add_calls)(struct store *store, const struct webhook_calls *calls, struct error *error);

    /* keys.h */
    int (*list_keys)(struct store *store, int (*each)(void *, const struct key_row *),
                     void *context, struct error *error);
    int (*find_key)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                    int (*each)(void *, const struct key_row *), void *context,
                    struct error *error);
    int (*create_key)(struct store *store, const struct new_key *key, struct id *id,
                      struct error *error);
    int (*find_revoked_key)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                            int64_t *revoked_ms, struct error *error);
    int (*revoke_key)(struct store *store, const struct id *id, int64_t now_ms,
                      struct error *error);
    int (*touch_key)(struct store *store, const struct id *id, int64_t now_ms, struct error *error);
    int (*find_session)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct session_time *time,
                        int (*each)(void *, const struct session_row *), void *context,
                        struct error *error);
    int (*begin_session)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                         const struct id *key_id, const struct session_time *time,
                         struct error *error);
    int (*touch_session)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                         struct error *error);
    int (*end_session)(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       struct error *error);

    /* credentials.h */
    int (*list_credentials)(struct store *store, const struct id *org_id,
                            int (*each)(void *, const struct credential_row *), void *context,
                            struct error *error);
    int (*find_credential)(struct store *store, const struct id *org_id,
                           const struct reference *name,
                           int (*each)(void *, const struct credential_row *), void *context,
                           struct error *error);
    int (*set_credential)(struct store *store, const struct id *org_id,
                          const struct credential_value *value, int64_t now_ms, bool *is_new,
                          struct error *error);
    int (*remove_credential)(struct store *store, const struct id *org_id,
                             const struct reference *name, struct error *error);
    int (*touch_credential)(struct store *store, const struct id *org_id,
                            const struct reference *name, int64_t now_ms, struct error *error);
    int (*list_definitions)(struct store *store, const struct id *org_id, const char *text,
                            int (*each)(void *, const struct definition_row *), void *context,
                            struct error *error);
    int (*list_sealed)(struct store *store, int (*each)(void *, const struct sealed_row *),
                       void *context, struct error *error);

    /* blueprints.h */
    int (*list_blueprints)(struct store *store, const struct id *org_id,
                           int (*each)(void *, const struct blueprint_row *), void *context,
                           struct error *error);
    int (*get_blueprint)(struct store *store, const struct id *blueprint_id,
                         int (*each)(void *, const struct blueprint_row *), void *context,
                         struct error *error);
    int (*list_blueprint_versions)(struct store *store, const struct id *blueprint_id,
                                   int (*each)(void *, const struct blueprint_version_row *),
                                   void *context, struct error *error);
    int (*get_blueprint_version)(struct store *store, const struct id *blueprint_id, int version,
                                 int (*each)(void *, const struct blueprint_version_row *),
                                 void *context, struct error *error);
    int (*find_blueprint_inputs)(struct store *store, const struct blueprint_query *query,
                                 int (*each)(void *, const struct blueprint_inputs *),
                                 void *context, struct error *error);
    char *(*get_blueprint_head)(struct store *store, const struct id *blueprint_id, int *version,
                                struct error *error);
    int (*list_blueprint_users)(struct store *store, const struct id *blueprint_id,
                                int (*each)(void *, const struct definition_row *), void *context,
                                struct error *error);
    int (*search_blueprints)(struct store *store, const struct id *org_id, const char *text,
                             int (*each)(void *, const struct blueprint_version_row *),
                             void *context, struct error *error);
    int (*apply_blueprint)(struct store *store, const struct blueprint_application *application,
                           int64_t now_ms, struct blueprint_result *result, struct error *error);
    int (*delete_blueprint)(struct store *store, const struct id *blueprint_id, int64_t now_ms,
                            struct error *error);

    /* audit.h */
    int (*list_audit)(struct store *store, const struct audit_filter *filter,
                      int (*each)(void *, const struct audit_row *), void *context,
                      struct error *error);
    int (*find_audit)(struct store *store, const struct audit_row *row, int64_t since_ms,
                      struct error *error);
    int (*add_audit)(struct store *store, const struct audit_row *row, struct error *error);

    /* runs.h */
    int (*accept_run)(struct store *store, const struct id *fleet_id, const struct run_input *input,
                      struct run_ids *ids, struct error *error);
    int (*list_runs)(struct store *store, const struct run_filter *filter,
                     int (*each)(void *, const struct run_row *), void *context,
                     struct error *error);
    int (*get_run)(struct store *store, const struct id *run_id,
                   int (*each)(void *, const struct run_row *), void *context, struct error *error);
    int (*get_origin)(struct store *store, const struct id *run_id,
                      int (*each)(void *, const struct run_origin *), void *context,
                      struct error *error);
    int (*get_overrides)(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct run_overrides *), void *context,
                         struct error *error);
    int (*get_headers)(struct store *store, const struct id *run_id,
                       int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                       struct error *error);
    int (*get_body)(struct store *store, const struct id *run_id,
                    int (*each)(void *, enum body_place place, const struct id *request_id,
                                const void *body, int64_t bytes),
                    void *context, struct error *error);
    int (*list_again)(struct store *store, const struct id *run_id, int limit,
                      int (*each)(void *, const struct id *), void *context, struct error *error);
    int (*list_vessels)(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct vessel_row *), void *context,
                        struct error *error);
    int (*list_attempts)(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct attempt_row *), void *context,
                         struct error *error);
    int (*count_open_runs)(struct store *store, struct run_counts *counts, struct error *error);
    int (*find_expired)(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                        struct error *error);
    int (*delete_run)(struct store *store, int64_t number, struct error *error);

    /* idempotency.h */
    int (*find_idempotency)(struct store *store, const struct idempotency *idempotency,
                            int64_t now_ms, enum idempotency_found *found, struct id *run_id,
                            struct error *error);
    int (*add_idempotency)(struct store *store, const struct idempotency *idempotency,
                           int64_t now_ms, const struct id *run_id, struct error *error);
    int (*forget_idempotency)(struct store *store, int64_t now_ms, int limit, struct error *error);

    /* work.h */
    struct run_work *(*load_work)(struct store *store, int64_t number, struct error *error);
    int (*find_scheduled)(struct store *store, int64_t after_number, int limit,
                          struct scheduled_run *runs, struct error *error);
    int (*find_scheduled_of)(struct store *store, int64_t fleet_no, int64_t from_number,
                             int64_t to_number, int limit, int64_t *numbers, struct error *error);
    int (*find_running)(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error);
    int (*find_stopping)(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                         struct error *error);
    int (*stop_run)(struct store *store, const struct id *run_id, int64_t now_ms,
                    struct error *error);
};

struct store {
    const struct store_engine *engine;
};

#endif
