/* A change that the admin API makes: one operation of the commit queue, which writes its entry of
 * the audit log in its own transaction, so neither can be there without the other.
 *
 * A new change needs a struct of its own that embeds struct change, a struct change_kind with an
 * `apply` function, and a handler that fills in the struct and calls change_commit. All of that
 * stands in the handler's file; its route is a row of routes.h. */
#ifndef WEBHOOKD_ADMIN_CHANGE_H
#define WEBHOOKD_ADMIN_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "model/name.h"
#include "queue/commit.h"
#include "store/store.h"

struct admin_request;
struct change;

struct change_kind {
    const char *action; /* in the audit log, such as "key.create"; NULL: not audited */
    /* Makes the change. On the committer's thread, inside the transaction, perhaps more than once:
     * it writes to nothing but the store and its own struct. -1 and *error: it is undone alone
     * (docs/architecture.md, invariant 5). NULL: only the audit log's entry is written. */
    int (*apply)(struct change *change, struct store *store, struct error *error);
    /* The change is committed and synced (error NULL), or it failed. On the committer's thread,
     * before anybody else hears of it. Must not block. May be NULL. */
    void (*done)(struct change *change, const struct error *error);
};

struct change {
    /* Filled in by the caller: */
    const struct change_kind *kind;
    size_t bytes; /* in memory, which it carries besides its own struct */

    int64_t now_ms; /* set by change_commit and change_post: wall clock */

    /* Left by `apply` for the audit log; cleared before each call: */
    bool is_no_change; /* there is nothing to audit */
    bool has_subject_id;
    struct id subject_id;
    char subject[NAME_MAX_BYTES + 1], detail[40];

    /* change.c's own: */
    const struct admin_request *request; /* whose caller makes it */
    struct commit_op note;               /* change_post */
};

/* Returns 0 after the change is committed and synced, else -1 with *error. All that `change` points
 * to is borrowed for the call. On the thread of the request's connection. */
int change_commit(struct admin_request *request, struct change *change, struct error *error);
/* Hands over a change that is not audited and that nobody waits for: it is lost if it fails. The
 * kind's `done` is called in any case and frees it. Any thread. */
void change_post(struct commit_queue *queue, struct change *change);

/* For `apply`: what the change is about, and its name before the change. */
void change_set_subject(struct change *change, const struct id *id, const char *name);

#endif
