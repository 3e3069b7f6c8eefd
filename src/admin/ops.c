/* The admin API's operations on the commit queue. Submitted and waited for by admin workers, so an operation lives on its caller's
 * stack; `apply` runs on the committer's thread, perhaps more than once, and only sets what it is to bring back. */
#include "admin/ops.h"

/* All have the same shape. Each has a savepoint of its own, so that it fails alone (docs/architecture.md, invariant 5). */
struct change {
    struct commit_waiting_op waiting; /* first: commit_wake_waiter finds it by the operation */
    const struct id *id;              /* of what is changed */
    const char *name;
    int64_t now_ms;
    struct id created; /* out */
    struct ops_project *project;
    struct ops_apply *apply;
    bool checked; /* out, of an apply that only checks */
    const struct ops_webhook *webhook;
    const struct run_input *input;
    struct run_ids *ids; /* out */
};

#define CHANGE_BYTES 256 /* what an operation weighs besides what it carries */

#define CHANGE_KIND(function)                                                                      \
    static const struct commit_kind function##_kind = {#function, COMMIT_REQUEST, true, function,  \
                                                       commit_wake_waiter}

static struct change *change_of(struct commit_op *op)
{
    return (struct change *)op;
}

static int change_run(struct commit_queue *queue, struct change *change,
                      const struct commit_kind *kind, size_t bytes, struct error *error)
{
    change->waiting.op.kind = kind;
    change->waiting.op.bytes = CHANGE_BYTES + bytes;
    return commit_and_wait(queue, &change->waiting.op, error);
}

/* ---- folders ---- */

static int create_org(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    return store_create_org(store, change->name, change->now_ms, &change->created, error);
}
CHANGE_KIND(create_org);

int ops_create_org(struct commit_queue *queue, const char *name, int64_t now_ms, struct id *id,
                   struct error *error)
{
    struct change change = {.name = name, .now_ms = now_ms};
    if (change_run(queue, &change, &create_org_kind, 0, error) != 0)
        return -1;
    *id = change.created;
    return 0;
}

static int delete_org(struct commit_op *op, struct store *store, struct error *error)
{
    return store_delete_org(store, change_of(op)->id, error);
}
CHANGE_KIND(delete_org);

int ops_delete_org(struct commit_queue *queue, const struct id *id, struct error *error)
{
    struct change change = {.id = id};
    return change_run(queue, &change, &delete_org_kind, 0, error);
}

static int create_project(struct commit_op *op, struct store *store, struct error *error)
{
    struct ops_project *project = change_of(op)->project;
    return store_create_project(store, project->org_id, project->name, project->now_ms,
                                &project->id, error);
}
CHANGE_KIND(create_project);

int ops_create_project(struct commit_queue *queue, struct ops_project *project, struct error *error)
{
    struct change change = {.project = project};
    return change_run(queue, &change, &create_project_kind, 0, error);
}

static int delete_project(struct commit_op *op, struct store *store, struct error *error)
{
    return store_delete_project(store, change_of(op)->id, error);
}
CHANGE_KIND(delete_project);

int ops_delete_project(struct commit_queue *queue, const struct id *id, struct error *error)
{
    struct change change = {.id = id};
    return change_run(queue, &change, &delete_project_kind, 0, error);
}

/* ---- fleets ---- */

static int apply_fleet(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    struct ops_apply *apply = change->apply;
    change->checked = false;
    if (store_apply_fleet(store, apply->project_id, apply->definition, apply->file,
                          apply->file_bytes, apply->now_ms, &apply->result, error) != 0)
        return -1;
    change->checked = apply->check_only;
    if (!apply->check_only)
        return 0;
    /* A refusal is what undoes an operation alone. */
    return error_set(error, ERROR_CONFLICT, "the fleet file was only checked");
}
CHANGE_KIND(apply_fleet);

int ops_apply_fleet(struct commit_queue *queue, struct ops_apply *apply, struct error *error)
{
    struct change change = {.apply = apply};
    struct error refusal = ERROR_INIT;
    if (change_run(queue, &change, &apply_fleet_kind, 2 * apply->file_bytes, &refusal) == 0)
        return 0;
    if (change.checked && refusal.kind == ERROR_CONFLICT)
        return 0;
    return error_set(error, refusal.kind, "%s", refusal.message);
}

static int delete_fleet(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    return store_delete_fleet(store, change->id, change->now_ms, error);
}
CHANGE_KIND(delete_fleet);

int ops_delete_fleet(struct commit_queue *queue, const struct id *fleet_id, int64_t now_ms,
                     struct error *error)
{
    struct change change = {.id = fleet_id, .now_ms = now_ms};
    return change_run(queue, &change, &delete_fleet_kind, 0, error);
}

/* ---- webhooks ---- */

static int create_webhook(struct commit_op *op, struct store *store, struct error *error)
{
    const struct ops_webhook *webhook = change_of(op)->webhook;
    return store_create_webhook(store, webhook->fleet_id, webhook->hash, webhook->sealed,
                                webhook->now_ms, error);
}
CHANGE_KIND(create_webhook);

int ops_create_webhook(struct commit_queue *queue, const struct ops_webhook *webhook,
                       struct error *error)
{
    struct change change = {.webhook = webhook};
    return change_run(queue, &change, &create_webhook_kind, 0, error);
}

static int replace_webhook(struct commit_op *op, struct store *store, struct error *error)
{
    const struct ops_webhook *webhook = change_of(op)->webhook;
    return store_replace_webhook(store, webhook->fleet_id, webhook->hash, webhook->sealed,
                                 webhook->now_ms, error);
}
CHANGE_KIND(replace_webhook);

int ops_replace_webhook(struct commit_queue *queue, const struct ops_webhook *webhook,
                        struct error *error)
{
    struct change change = {.webhook = webhook};
    return change_run(queue, &change, &replace_webhook_kind, 0, error);
}

static int remove_webhook(struct commit_op *op, struct store *store, struct error *error)
{
    return store_remove_webhook(store, change_of(op)->id, error);
}
CHANGE_KIND(remove_webhook);

int ops_remove_webhook(struct commit_queue *queue, const struct id *fleet_id, struct error *error)
{
    struct change change = {.id = fleet_id};
    return change_run(queue, &change, &remove_webhook_kind, 0, error);
}

/* ---- runs ---- */

static int stop_run(struct commit_op *op, struct store *store, struct error *error)
{
    return store_stop_run(store, change_of(op)->id, change_of(op)->now_ms, error);
}
CHANGE_KIND(stop_run);

int ops_stop_run(struct commit_queue *queue, const struct id *run_id, int64_t now_ms,
                 struct error *error)
{
    struct change change = {.id = run_id, .now_ms = now_ms};
    return change_run(queue, &change, &stop_run_kind, 0, error);
}

static int accept_run(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    return store_accept_run(store, change->id, change->input, change->ids, error);
}
CHANGE_KIND(accept_run);

int ops_accept_run(struct commit_queue *queue, const struct id *fleet_id,
                   const struct run_input *input, struct run_ids *ids, struct error *error)
{
    struct change change = {.id = fleet_id, .input = input, .ids = ids};
    size_t bytes = input->headers_bytes;
    if (input->body_place == BODY_INLINE)
        bytes += (size_t)input->body_bytes;
    return change_run(queue, &change, &accept_run_kind, bytes, error);
}
