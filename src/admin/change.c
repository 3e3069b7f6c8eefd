/* See change.h. In admin/, only this file and seal.c (which renews the seals at the start) submit
 * operations to the commit queue. Called by the handlers, on admin workers' threads; the callbacks
 * run on the committer's thread. */
#include "admin/change.h"

#include <assert.h>
#include <stdio.h>

#include "admin/request.h"
#include "base/clock.h"
#include "base/memory.h"
#include "store/audit.h"

#define OWN_BYTES 512 /* of a change without the memory that it holds */

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
                                  .has_fleet_id = change->has_fleet_id,
                                  .fleet_id = change->fleet_id,
                                  .version = change->version,
                                  .request_id = *http_request_id(request->exchange)};
    if (change->kind->repeats_after_ms > 0) {
        int found =
            store_find_audit(store, &row, row.at_ms - change->kind->repeats_after_ms, error);
        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    return store_add_audit(store, &row, error);
}

static int apply(void *context, struct store *store, struct error *error)
{
    struct change *change = context;
    const struct change_kind *kind = change->kind;
    change->is_no_change = change->has_subject_id = change->has_fleet_id = false;
    change->subject[0] = change->detail[0] = '\0';
    change->version = 0;
    if (kind->apply && kind->apply(change, store, error) != 0)
        return -1;
    return kind->action && !change->is_no_change ? add_audit(change, store, error) : 0;
}

static void tell(void *context, const struct error *error)
{
    struct change *change = context;
    if (change->kind->done)
        change->kind->done(change, error);
}

int change_commit(struct admin_request *request, struct change *change, struct error *error)
{
    const struct commit_call call = {.name = "change",
                                     .bytes = OWN_BYTES + change->bytes,
                                     .apply = apply,
                                     .done = tell,
                                     .context = change};
    change->request = request;
    change->now_ms = clock_wall_ms();
    return commit_call(request->admin->options.queue, &call, error);
}

static void describe_note(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_CALL;
    item->call.apply = apply;
    item->call.context = CONTAINER_OF(op, struct change, note);
}

static void note_done(struct commit_op *op, const struct error *error)
{
    tell(CONTAINER_OF(op, struct change, note), error);
}

void change_post(struct commit_queue *queue, struct change *change)
{
    static const struct commit_kind kind = {"note", COMMIT_REQUEST, describe_note, note_done};
    struct error error = ERROR_INIT;
    assert(!change->kind->action && change->kind->done);
    change->now_ms = clock_wall_ms();
    change->note.kind = &kind;
    change->note.bytes = OWN_BYTES + change->bytes;
    if (commit_submit(queue, &change->note, &error) != 0)
        change->kind->done(change, &error);
}

void change_set_subject(struct change *change, const struct id *id, const char *name)
{
    change->has_subject_id = true;
    change->subject_id = *id;
    snprintf(change->subject, sizeof(change->subject), "%s", name);
}

void change_set_fleet(struct change *change, const struct id *fleet_id, int version)
{
    change->has_fleet_id = true;
    change->fleet_id = *fleet_id;
    change->version = version;
}
