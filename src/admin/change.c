/* See change.h. This is the only file of admin/ that knows what an operation of the commit queue
 * looks like. */
#include "admin/change.h"

#include <assert.h>
#include <stdio.h>

#include "admin/request.h"
#include "base/clock.h"
#include "base/memory.h"

#define OWN_BYTES 512 /* what a change weighs besides what it carries */

static struct change *change_of(struct commit_op *op)
{
    return CONTAINER_OF(op, struct change, waiting.op);
}

static int add_audit(const struct change *change, struct store *store, struct error *error)
{
    const struct admin_request *request = change->request;
    const struct audit_row row = {.at_ms = change->now_ms,
                                  .who = request->caller.who,
                                  .source = request->caller.source,
                                  .action = change->kind->action,
                                  .has_subject_id = change->has_subject_id,
                                  .subject_id = change->subject_id,
                                  .subject = change->subject,
                                  .detail = change->detail,
                                  .request_id = *http_request_id(request->exchange)};
    return store_add_audit(store, &row, error);
}

static int apply(struct commit_op *op, struct store *store, struct error *error)
{
    struct change *change = change_of(op);
    const struct change_kind *kind = change->kind;
    change->is_no_change = change->has_subject_id = false;
    change->subject[0] = change->detail[0] = '\0';
    if (kind->apply && kind->apply(change, store, error) != 0)
        return -1;
    return kind->action && !change->is_no_change ? add_audit(change, store, error) : 0;
}

static void tell(struct commit_op *op, const struct error *error)
{
    struct change *change = change_of(op);
    if (change->kind->done)
        change->kind->done(change, error);
}

static void tell_and_wake(struct commit_op *op, const struct error *error)
{
    tell(op, error);
    commit_wake_waiter(op, error);
}

int change_commit(struct admin_request *request, struct change *change, struct error *error)
{
    static const struct commit_kind kind = {"change", COMMIT_REQUEST, true, apply, tell_and_wake};
    change->request = request;
    change->now_ms = clock_wall_ms();
    change->waiting.op.kind = &kind;
    change->waiting.op.bytes = OWN_BYTES + change->bytes;
    return commit_and_wait(request->admin->options.queue, &change->waiting.op, error);
}

void change_post(struct commit_queue *queue, struct change *change)
{
    static const struct commit_kind kind = {"note", COMMIT_REQUEST, true, apply, tell};
    struct error error = ERROR_INIT;
    assert(!change->kind->action && change->kind->done);
    change->now_ms = clock_wall_ms();
    change->waiting.op.kind = &kind;
    change->waiting.op.bytes = OWN_BYTES + change->bytes;
    if (commit_submit(queue, &change->waiting.op, &error) != 0)
        change->kind->done(change, &error);
}

void change_set_subject(struct change *change, const struct id *id, const char *name)
{
    change->has_subject_id = true;
    change->subject_id = *id;
    snprintf(change->subject, sizeof(change->subject), "%s", name);
}
