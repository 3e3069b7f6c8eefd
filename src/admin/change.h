/* A change made through the admin API: one operation of the commit queue, which writes its entry of
 * the audit log in the same transaction, so neither can exist without the other.
 *
 * A new change needs a struct of its own that embeds struct change, a struct change_kind with an
 * `apply` function, and a handler that fills in the struct and calls change_commit. All of that is
 * in the handler's file; its route is a row of routes.h. */
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
    /* Not 0: an entry that repeats one of the same caller, action, subject and fleet within this
     * time is left out. For what a page asks for again and again. */
    int64_t repeats_after_ms;
    /* Makes the change. Called on the committer's thread, inside the transaction, possibly more
     * than once, so it must write only to the store and to its own struct. If it returns -1 and
     * sets *error, only this change is undone (docs/architecture.md, invariant 5). NULL: only the
     * entry of the audit log is written. */
    int (*apply)(struct change *change, struct store *store, struct error *error);
    /* Called when the change is committed and synced (error NULL) or has failed: on the committer's
     * thread, before the caller and the runner are notified. Must not block. May be NULL. */
    void (*done)(struct change *change, const struct error *error);
};

struct change {
    /* Filled in by the caller: */
    const struct change_kind *kind;
    size_t bytes; /* of memory that the change holds besides its own struct */

    int64_t now_ms; /* set by change_commit and change_post: wall clock */

    /* Left by `apply` for the audit log; cleared before each call: */
    bool is_no_change; /* nothing to audit */
    bool has_subject_id;
    struct id subject_id;
    char subject[NAME_MAX_BYTES + 1], detail[NAME_MAX_BYTES + 100];
    bool has_fleet_id;
    struct id fleet_id;
    int version;

    /* Private to change.c: */
    const struct admin_request *request; /* its caller makes the change */
    struct commit_op note;               /* of change_post */
};

/* Returns 0 after the change is committed and synced; otherwise -1 with *error. Everything that
 * `change` points to is borrowed for the call. Called on the thread of the request's connection. */
int change_commit(struct admin_request *request, struct change *change, struct error *error);
/* Submits a change that is not audited, without waiting for it: it is lost if it fails. The kind's
 * `done` is called in any case and must free the change. Any thread. */
void change_post(struct commit_queue *queue, struct change *change);

/* For `apply`: sets the subject of the change, with its name before the change. */
void change_set_subject(struct change *change, const struct id *id, const char *name);
/* For `apply`: sets the fleet that the change is about, and the version that it created, or 0. */
void change_set_fleet(struct change *change, const struct id *fleet_id, int version);

#endif
