/* The admin API's operations on the commit queue. Submitted and waited for by admin workers, so an operation lives on its caller's
 * stack; `apply` runs on the committer's thread, perhaps more than once, and only sets what it is to bring back. */
#include "admin/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/name.h"

struct change;

/* What an operation does. */
struct change_kind {
    struct commit_kind commit;
    const char *action; /* as the audit log has it */
    int (*work)(struct change *change, struct store *store, struct error *error);
};

/* All have the same shape. Each has a savepoint of its own, so that it fails alone (docs/architecture.md, invariant 5). */
struct change {
    struct commit_waiting_op waiting; /* first: commit_wake_waiter finds it by the operation */
    const struct change_kind *kind;
    const struct ops_audit *audit;
    const struct id *id; /* of what is changed; the audit log's subject unless `created` is set */
    const char *name;
    const uint8_t *hash;
    struct ops_project *project;
    struct ops_apply *apply;
    const struct ops_webhook *webhook;
    const struct run_input *input;
    struct admin_events *events;

    /* What `work` leaves: */
    struct id created;                            /* out */
    struct run_ids *ids;                          /* out */
    bool has_created;                             /* created is the subject */
    bool is_no_change;                            /* nothing to be audited */
    bool checked;                                 /* of an apply that only checks */
    char subject[NAME_MAX_BYTES + 1], detail[40]; /* for the audit log */
};

#define CHANGE_BYTES 512 /* what an operation weighs besides what it carries */

static struct change *change_of(struct commit_op *op)
{
    return (struct change *)op;
}

static int add_audit(const struct change *change, struct store *store, struct error *error)
{
    const struct ops_audit *audit = change->audit;
    struct audit_row row = {.at_ms = audit->now_ms,
                            .who = audit->who,
                            .source = audit->source,
                            .action = change->kind->action,
                            .subject = change->subject,
                            .detail = change->detail,
                            .request_id = audit->request_id};
    row.has_subject_id = change->has_created || change->id;
    if (row.has_subject_id)
        row.subject_id = change->has_created ? change->created : *change->id;
    return store_add_audit(store, &row, error);
}

static int change_apply(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    change->has_created = change->is_no_change = change->checked = false;
    change->subject[0] = change->detail[0] = '\0';
    if (change->kind->work(change, store, error) != 0)
        return -1;
    return change->is_no_change ? 0 : add_audit(change, store, error);
}

#define CHANGE_KIND(function, action)                                                              \
    static const struct change_kind function##_kind = {                                            \
        {#function, COMMIT_REQUEST, true, change_apply, commit_wake_waiter}, action, function}

static int change_run(struct commit_queue *queue, const struct ops_audit *audit,
                      struct change *change, const struct change_kind *kind, size_t bytes,
                      struct error *error)
{
    change->kind = kind;
    change->audit = audit;
    change->waiting.op.kind = &kind->commit;
    change->waiting.op.bytes = CHANGE_BYTES + bytes;
    return commit_and_wait(queue, &change->waiting.op, error);
}

static void set_created(struct change *change, const struct id *id)
{
    change->created = *id;
    change->has_created = true;
}

/* ---- the names of what is changed, as they are before the change ---- */

static void set_subject(struct change *change, const char *name)
{
    snprintf(change->subject, sizeof(change->subject), "%s", name);
}

static int keep_org(void *context, const struct org_row *row)
{
    struct change *change = context;
    if (!id_equal(&row->id, change->id))
        return 0;
    set_subject(change, row->name);
    return 1;
}

static int keep_project(void *context, const struct project_row *row)
{
    struct change *change = context;
    if (!id_equal(&row->id, change->id))
        return 0;
    set_subject(change, row->name);
    return 1;
}

static int keep_fleet(void *context, const struct fleet_row *row)
{
    set_subject(context, row->name);
    return 0;
}

static int keep_run(void *context, const struct run_row *row)
{
    set_subject(context, row->fleet_name);
    return 0;
}

static int keep_key(void *context, const struct key_row *row)
{
    struct change *change = context;
    if (!id_equal(&row->id, change->id))
        return 0;
    set_subject(change, row->name);
    return 1;
}

/* ---- folders ---- */

static int create_org(struct change *change, struct store *store, struct error *error)
{
    change->has_created = true;
    set_subject(change, change->name);
    return store_create_org(store, change->name, change->audit->now_ms, &change->created, error);
}
CHANGE_KIND(create_org, "org.create");

int ops_create_org(struct commit_queue *queue, const struct ops_audit *audit, const char *name,
                   struct id *id, struct error *error)
{
    struct change change = {.name = name};
    if (change_run(queue, audit, &change, &create_org_kind, 0, error) != 0)
        return -1;
    *id = change.created;
    return 0;
}

static int delete_org(struct change *change, struct store *store, struct error *error)
{
    if (store_list_orgs(store, keep_org, change, error) != 0)
        return -1;
    return store_delete_org(store, change->id, error);
}
CHANGE_KIND(delete_org, "org.delete");

int ops_delete_org(struct commit_queue *queue, const struct ops_audit *audit, const struct id *id,
                   struct error *error)
{
    struct change change = {.id = id};
    return change_run(queue, audit, &change, &delete_org_kind, 0, error);
}

static int create_project(struct change *change, struct store *store, struct error *error)
{
    struct ops_project *project = change->project;
    if (store_create_project(store, project->org_id, project->name, change->audit->now_ms,
                             &project->id, error) != 0)
        return -1;
    set_created(change, &project->id);
    set_subject(change, project->name);
    return 0;
}
CHANGE_KIND(create_project, "project.create");

int ops_create_project(struct commit_queue *queue, const struct ops_audit *audit,
                       struct ops_project *project, struct error *error)
{
    struct change change = {.project = project};
    return change_run(queue, audit, &change, &create_project_kind, 0, error);
}

static int delete_project(struct change *change, struct store *store, struct error *error)
{
    if (store_list_projects(store, NULL, keep_project, change, error) != 0)
        return -1;
    return store_delete_project(store, change->id, error);
}
CHANGE_KIND(delete_project, "project.delete");

int ops_delete_project(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct id *id, struct error *error)
{
    struct change change = {.id = id};
    return change_run(queue, audit, &change, &delete_project_kind, 0, error);
}

/* ---- fleets ---- */

static int apply_fleet(struct change *change, struct store *store, struct error *error)
{
    struct ops_apply *apply = change->apply;
    if (store_apply_fleet(store, apply->project_id, apply->definition, apply->file,
                          apply->file_bytes, change->audit->now_ms, &apply->result, error) != 0)
        return -1;
    set_created(change, &apply->result.fleet_id);
    set_subject(change, apply->definition->name);
    snprintf(change->detail, sizeof(change->detail), "version %d", apply->result.version);
    change->is_no_change = apply->result.outcome == APPLY_UNCHANGED;
    change->checked = apply->check_only;
    if (!apply->check_only)
        return 0;
    /* A refusal is what undoes an operation alone. */
    return error_set(error, ERROR_CONFLICT, "the fleet file was only checked");
}
CHANGE_KIND(apply_fleet, "fleet.apply");

int ops_apply_fleet(struct commit_queue *queue, const struct ops_audit *audit,
                    struct ops_apply *apply, struct error *error)
{
    struct change change = {.apply = apply};
    struct error refusal = ERROR_INIT;
    if (change_run(queue, audit, &change, &apply_fleet_kind, 2 * apply->file_bytes, &refusal) == 0)
        return 0;
    if (change.checked && refusal.kind == ERROR_CONFLICT)
        return 0;
    return error_set(error, refusal.kind, "%s", refusal.message);
}

static int delete_fleet(struct change *change, struct store *store, struct error *error)
{
    if (store_get_fleet(store, change->id, keep_fleet, change, error) != 0)
        return -1;
    return store_delete_fleet(store, change->id, change->audit->now_ms, error);
}
CHANGE_KIND(delete_fleet, "fleet.delete");

int ops_delete_fleet(struct commit_queue *queue, const struct ops_audit *audit,
                     const struct id *fleet_id, struct error *error)
{
    struct change change = {.id = fleet_id};
    return change_run(queue, audit, &change, &delete_fleet_kind, 0, error);
}

/* ---- webhooks: the fleet's is the subject ---- */

static int create_webhook(struct change *change, struct store *store, struct error *error)
{
    const struct ops_webhook *webhook = change->webhook;
    if (store_get_fleet(store, change->id, keep_fleet, change, error) != 0)
        return -1;
    return store_create_webhook(store, change->id, webhook->hash, webhook->sealed,
                                change->audit->now_ms, error);
}
CHANGE_KIND(create_webhook, "webhook.create");

int ops_create_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct ops_webhook *webhook, struct error *error)
{
    struct change change = {.id = webhook->fleet_id, .webhook = webhook};
    return change_run(queue, audit, &change, &create_webhook_kind, 0, error);
}

static int replace_webhook(struct change *change, struct store *store, struct error *error)
{
    const struct ops_webhook *webhook = change->webhook;
    if (store_get_fleet(store, change->id, keep_fleet, change, error) != 0)
        return -1;
    return store_replace_webhook(store, change->id, webhook->hash, webhook->sealed,
                                 change->audit->now_ms, error);
}
CHANGE_KIND(replace_webhook, "webhook.replace");

int ops_replace_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                        const struct ops_webhook *webhook, struct error *error)
{
    struct change change = {.id = webhook->fleet_id, .webhook = webhook};
    return change_run(queue, audit, &change, &replace_webhook_kind, 0, error);
}

static int remove_webhook(struct change *change, struct store *store, struct error *error)
{
    if (store_get_fleet(store, change->id, keep_fleet, change, error) != 0)
        return -1;
    return store_remove_webhook(store, change->id, error);
}
CHANGE_KIND(remove_webhook, "webhook.remove");

int ops_remove_webhook(struct commit_queue *queue, const struct ops_audit *audit,
                       const struct id *fleet_id, struct error *error)
{
    struct change change = {.id = fleet_id};
    return change_run(queue, audit, &change, &remove_webhook_kind, 0, error);
}

/* ---- runs ---- */

static int stop_run(struct change *change, struct store *store, struct error *error)
{
    if (store_get_run(store, change->id, keep_run, change, error) != 0)
        return -1;
    return store_stop_run(store, change->id, change->audit->now_ms, error);
}
CHANGE_KIND(stop_run, "run.stop");

int ops_stop_run(struct commit_queue *queue, const struct ops_audit *audit, const struct id *run_id,
                 struct error *error)
{
    struct change change = {.id = run_id};
    return change_run(queue, audit, &change, &stop_run_kind, 0, error);
}

static int accept_run(struct change *change, struct store *store, struct error *error)
{
    if (store_accept_run(store, change->id, change->input, change->ids, error) != 0)
        return -1;
    set_created(change, &change->ids->run_id);
    return store_get_run(store, &change->ids->run_id, keep_run, change, error);
}

/* Before the runner can know of it. */
static void accepted(struct commit_op *op, const struct error *error)
{
    const struct change *change = change_of(op);
    if (!error)
        admin_events_push(change->events, change->ids, RUN_SCHEDULED);
    commit_wake_waiter(op, error);
}

static const struct change_kind accept_run_kind = {
    {"accept_run", COMMIT_REQUEST, true, change_apply, accepted}, "run.start", accept_run};

int ops_accept_run(struct commit_queue *queue, const struct ops_audit *audit,
                   struct admin_events *events, const struct id *fleet_id,
                   const struct run_input *input, struct run_ids *ids, struct error *error)
{
    struct change change = {.id = fleet_id, .input = input, .ids = ids, .events = events};
    size_t bytes = input->headers_bytes;
    if (input->body_place == BODY_INLINE)
        bytes += (size_t)input->body_bytes;
    return change_run(queue, audit, &change, &accept_run_kind, bytes, error);
}

/* ---- keys ---- */

static int create_key(struct change *change, struct store *store, struct error *error)
{
    change->has_created = true;
    set_subject(change, change->name);
    return store_create_key(store, change->name, change->hash, change->audit->now_ms,
                            &change->created, error);
}
CHANGE_KIND(create_key, "key.create");

int ops_create_key(struct commit_queue *queue, const struct ops_audit *audit, const char *name,
                   const uint8_t hash[SECRET_HASH_BYTES], struct id *id, struct error *error)
{
    struct change change = {.name = name, .hash = hash};
    if (change_run(queue, audit, &change, &create_key_kind, 0, error) != 0)
        return -1;
    *id = change.created;
    return 0;
}

static int revoke_key(struct change *change, struct store *store, struct error *error)
{
    if (store_list_keys(store, keep_key, change, error) != 0)
        return -1;
    return store_revoke_key(store, change->id, error);
}
CHANGE_KIND(revoke_key, "key.revoke");

int ops_revoke_key(struct commit_queue *queue, const struct ops_audit *audit, const struct id *id,
                   struct error *error)
{
    struct change change = {.id = id};
    return change_run(queue, audit, &change, &revoke_key_kind, 0, error);
}

/* Its own action, of the caller's. */
static int note(struct change *change, struct store *store, struct error *error)
{
    (void)change;
    (void)store;
    (void)error;
    return 0;
}

int ops_note(struct commit_queue *queue, const struct ops_audit *audit, const char *action,
             struct error *error)
{
    const struct change_kind kind = {
        {"note", COMMIT_REQUEST, true, change_apply, commit_wake_waiter}, action, note};
    struct change change = {.name = NULL};
    return change_run(queue, audit, &change, &kind, 0, error);
}

/* ---- sessions; and when they and keys were last used ---- */

struct session_change {
    struct commit_waiting_op waiting; /* first */
    const uint8_t *hash;
    const struct id *key_id;
    const struct session_time *time;
};

static int begin_session(struct commit_op *op, struct store *store, struct error *error)
{
    const struct session_change *change = (struct session_change *)op;
    return store_begin_session(store, change->hash, change->key_id, change->time, error);
}

int ops_begin_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                      const struct id *key_id, const struct session_time *time, struct error *error)
{
    static const struct commit_kind kind = {"begin_session", COMMIT_REQUEST, true, begin_session,
                                            commit_wake_waiter};
    struct session_change change = {.waiting.op = {.kind = &kind, .bytes = CHANGE_BYTES},
                                    .hash = hash,
                                    .key_id = key_id,
                                    .time = time};
    return commit_and_wait(queue, &change.waiting.op, error);
}

static int end_session(struct commit_op *op, struct store *store, struct error *error)
{
    return store_end_session(store, ((struct session_change *)op)->hash, error);
}

int ops_end_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                    struct error *error)
{
    static const struct commit_kind kind = {"end_session", COMMIT_REQUEST, true, end_session,
                                            commit_wake_waiter};
    struct session_change change = {.waiting.op = {.kind = &kind, .bytes = CHANGE_BYTES},
                                    .hash = hash};
    return commit_and_wait(queue, &change.waiting.op, error);
}

/* Nobody waits for it. */
struct touch {
    struct commit_op op; /* first */
    struct id key_id;
    uint8_t session[SECRET_HASH_BYTES];
    int64_t now_ms;
};

static int touch_key(struct commit_op *op, struct store *store, struct error *error)
{
    const struct touch *touch = (struct touch *)op;
    return store_touch_key(store, &touch->key_id, touch->now_ms, error);
}

static int touch_session(struct commit_op *op, struct store *store, struct error *error)
{
    const struct touch *touch = (struct touch *)op;
    return store_touch_session(store, touch->session, touch->now_ms, error);
}

static void touch_done(struct commit_op *op, const struct error *error)
{
    (void)error; /* revoked meanwhile, or no room: it is used again */
    free(op);
}

static void submit_touch(struct commit_queue *queue, struct touch *touch,
                         const struct commit_kind *kind, int64_t now_ms)
{
    struct error ignored = ERROR_INIT;
    touch->op.kind = kind;
    touch->op.bytes = CHANGE_BYTES;
    touch->now_ms = now_ms;
    if (commit_submit(queue, &touch->op, &ignored) != 0)
        free(touch);
}

void ops_touch_key(struct commit_queue *queue, const struct id *id, int64_t now_ms)
{
    static const struct commit_kind kind = {"touch_key", COMMIT_REQUEST, true, touch_key,
                                            touch_done};
    struct touch *touch = memory_alloc(sizeof(*touch));
    touch->key_id = *id;
    submit_touch(queue, touch, &kind, now_ms);
}

void ops_touch_session(struct commit_queue *queue, const uint8_t hash[SECRET_HASH_BYTES],
                       int64_t now_ms)
{
    static const struct commit_kind kind = {"touch_session", COMMIT_REQUEST, true, touch_session,
                                            touch_done};
    struct touch *touch = memory_alloc(sizeof(*touch));
    memcpy(touch->session, hash, SECRET_HASH_BYTES);
    submit_touch(queue, touch, &kind, now_ms);
}
