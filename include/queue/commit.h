/* The commit queue: the only writer. Producers on any thread submit operations. The committer's
 * thread takes all queued operations (bounded in count and bytes), passes them to the store as one
 * batch, and then calls each one's `done`. One fsync serves the whole batch.
 *
 * This module keeps these invariants of docs/architecture.md: 1 (no answer before COMMIT has
 * returned), 3 (one writer), 5 (an operation that fails does not affect the others in its batch), 6
 * (a disk failure stops the process), 8 (bounds), 9 (news reaches the runner as a flag). */
#ifndef WEBHOOKD_QUEUE_COMMIT_H
#define WEBHOOKD_QUEUE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "store/runs.h"

struct commit_queue;
struct commit_op;

enum commit_class {
    /* A caller waits for the outcome: refused if the queue is full; fails if its batch fails. */
    COMMIT_REQUEST,
    /* Never refused for lack of room. Retried after a failure that is not its own, until it is
     * committed, the queue stops or the disk fails; refused alone if the store rejects it. */
    COMMIT_RUNNER,
};

/* What an operation does; one constant for each kind of operation. */
struct commit_kind {
    const char *name; /* for the log */
    enum commit_class class;
    /* Fills in the item to be written. Called on the committer's thread, once per try. */
    void (*describe)(struct commit_op *op, struct store_item *item);
    /* Called on the committer's thread without a lock, exactly once for each submitted operation
     * that was not withdrawn. error NULL: the operation is committed and synced. Must not block;
     * may free the operation. */
    void (*done)(struct commit_op *op, const struct error *error);
};

/* To be embedded in the operation's own struct. The submitter owns the memory until commit_submit
 * returns 0; from then on, `done` owns it. */
struct commit_op {
    const struct commit_kind *kind;
    size_t bytes; /* its share of the bound on a batch's bytes */
    /* Private to the queue: */
    struct list_node queued;
    enum commit_op_state { COMMIT_OP_NEW, COMMIT_OP_QUEUED, COMMIT_OP_TAKEN } state;
    struct store_item item;
};

struct commit_options {
    struct store_options store;
    int64_t max_queued; /* queued requests; at this bound commit_submit fails: ERROR_UNAVAILABLE */
    int64_t min_free_bytes;
    /* Called on the committer's thread after each commit that changed something: news for the
     * runner (a flag, invariant 9). May be NULL. */
    void (*committed)(void *context);
    /* Called once, when the disk has failed (invariant 6): the process must stop immediately with
     * status 1. It is called either on the committer's thread after a batch whose operations have
     * all been called back, or on a thread of the store while operations are still queued. May be
     * NULL. */
    void (*failed)(void *context, const struct error *error);
    void *context;
};

/* Opens the store (creating and migrating it if necessary), and starts its upkeep and the
 * committer's thread. */
struct commit_queue *commit_start(const struct commit_options *options, struct error *error);
/* Commits the queued operations, refuses new ones, and ends the committer's thread. Afterwards no
 * `done` is called any more, and whatever the operations point to may be freed. NULL is fine. */
void commit_drain(struct commit_queue *queue);
/* Drains the queue unless that has been done, closes the store and frees the queue. NULL is
 * fine. */
void commit_stop(struct commit_queue *queue);

/* 0: `done` will be called. -1: the operation is refused, and `done` will not be called. Any
 * thread. */
int commit_submit(struct commit_queue *queue, struct commit_op *op, struct error *error);
/* Returns true if the operation was still queued: `done` will not be called, and the caller owns
 * the operation again. Any thread. */
bool commit_withdraw(struct commit_queue *queue, struct commit_op *op);

/* Returns 0 if there is room for a run with a body of this size, else -1: the disk has little
 * space, or has failed. Callers that accept runs check this before they submit one, and before they
 * write a piece of a large body. Any thread; cheap. */
int commit_has_room(struct commit_queue *queue, int64_t body_bytes, struct error *error);
/* Returns 0 if the next run would probably be stored, that is, if there is room and no batch has
 * failed in the last few seconds; else -1. Any thread. */
int commit_is_ready(struct commit_queue *queue, struct error *error);
void commit_set_min_free(struct commit_queue *queue, int64_t bytes);

/* Copies the store: see store_backup. Any thread; blocks until the copy is complete. */
int commit_backup(struct commit_queue *queue, const struct store_backup_guard *guard,
                  struct error *error);
const char *commit_backup_name(struct commit_queue *queue);

/* For callers that may block: a function that is called inside the transaction. All pointers are
 * borrowed. */
struct commit_call {
    const char *name; /* for the log */
    size_t bytes;     /* its share of the bound on a batch's bytes */
    /* Called on the committer's thread, possibly more than once. If it returns -1, its changes are
     * undone, and it is refused alone. */
    int (*apply)(void *context, struct store *store, struct error *error);
    /* Called on the committer's thread, before commit_call returns, before the runner gets news of
     * the commit, and before any later batch. error NULL: the call is committed and synced. Must
     * not block. May be NULL. */
    void (*done)(void *context, const struct error *error);
    void *context;
};
/* Submits the call as a COMMIT_REQUEST and waits. Returns 0 when it is committed and synced. */
int commit_call(struct commit_queue *queue, const struct commit_call *call, struct error *error);

struct commit_metrics {
    uint64_t batches, operations, failed_batches;
    int64_t queued; /* requests that are queued now */
    struct store_metrics store;
};
void commit_get_metrics(struct commit_queue *queue, struct commit_metrics *metrics);

#endif
