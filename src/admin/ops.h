/* The changes that the admin API makes, each one operation of the commit queue, waited for. They return 0 once the change is
 * committed and synced, and -1 with *error if it is not. Each writes its entry of the audit log in the same transaction. Everything
 * passed is borrowed for the call. Admin workers only. */
#ifndef WEBHOOKD_ADMIN_OPS_H
#define WEBHOOKD_ADMIN_OPS_H

#include <stdbool.h>

#include "admin/admin.h"
#include "base/error.h"
#include "base/id.h"
#include "queue/commit.h"
#include "store/store.h"

/* Who does it, as request_audit (request.h) says; the operation fills in the rest. */
struct ops_audit {
    const char *who, *source;
    struct id request_id;
    int64_t now_ms; /* of the change, too */
};

int ops_create_org(struct commit_queue *queue, const struct ops_audit *audit, const char *name,
                   struct id *id, struct error *error);
int ops_delete_org(struct commit_queue *queue, const struct ops_audit *audit, const struct id *id,
                   struct error *error);

struct ops_project {
    const struct id *org_id;
    const char *name;
    struct id id; /* out */
};
int ops_create_project(struct commit_queue *queue, const struct ops_audit *audit,
                       struct ops_project *project, struct error *error);
int ops_delete_project(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct id *id, struct error *error);

struct ops_apply {
    const struct id *project_id;
    const struct definition *definition;
    const char *file;
    size_t file_bytes;
    bool check_only;            /* does everything and undoes it */
    struct apply_result result; /* out; of a check, what it would have been */
};
int ops_apply_fleet(struct commit_queue *queue, const struct ops_audit *audit,
                    struct ops_apply *apply, struct error *error);
int ops_delete_fleet(struct commit_queue *queue, const struct ops_audit *audit,
                     const struct id *fleet_id, struct error *error);

struct ops_webhook {
    const struct id *fleet_id;
    uint8_t hash[SECRET_HASH_BYTES];
    uint8_t sealed[SECRET_SEALED_BYTES];
};
int ops_create_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct ops_webhook *webhook, struct error *error);
int ops_replace_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                        const struct ops_webhook *webhook, struct error *error);
int ops_remove_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct id *fleet_id, struct error *error);

int ops_stop_run(struct commit_queue *queue, const struct ops_audit *audit, const struct id *run_id,
                 struct error *error);
int ops_accept_run(struct commit_queue *queue, const struct ops_audit *audit,
                   struct admin_events *events, const struct id *fleet_id,
                   const struct run_input *input, struct run_ids *ids, struct error *error);

int ops_create_key(struct commit_queue *queue, const struct ops_audit *audit, const char *name,
                   const uint8_t hash[SECRET_HASH_BYTES], struct id *id, struct error *error);
int ops_revoke_key(struct commit_queue *queue, const struct ops_audit *audit, const struct id *id,
                   struct error *error);
/* Something that changes nothing in the store and is to be known all the same, such as a backup. */
int ops_note(struct commit_queue *queue, const struct ops_audit *audit, const char *action,
             struct error *error);
/* Sessions are no changes that anybody audits. ERROR_NOT_FOUND: the key was revoked. */
int ops_begin_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                      const struct id *key_id, const struct session_time *time,
                      struct error *error);
int ops_end_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                    struct error *error);
/* Notes when it was last used; as for a key: */
void ops_touch_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                       int64_t now_ms);
/* Notes when a key was last used; nobody waits for it, and a note that fails is lost. */
void ops_touch_key(struct commit_queue *queue, const struct id *id, int64_t now_ms);

#endif
