/* The commit queue: the one writer. Producers on any thread hand over operations; the committer's
 * thread takes all that waits (bounded in count and bytes), hands it to the store as one batch, and
 * then calls each one back. One fsync serves the whole batch.
 *
 * The invariants of docs/architecture.md that live here: 1 (no answer before COMMIT returned), 3
 * (one writer), 5 (an operation that fails alone fails alone), 6 (a disk that failed stops the
 * process), 8 (bounds), 9 (run numbers grow). */
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
    COMMIT_REQUEST, /* someone waits for an answer: refused at the bound, failed when the batch fails */
    COMMIT_RUNNER, /* has reserved room, and is retried until it is committed (or the process ends) */
};

/* What an operation does; one constant for each kind of operation. */
struct commit_kind {
    const char *name; /* for the log */
    enum commit_class class;
    /* Says what is to be written. On the committer's thread, once for each try. */
    void (*describe)(struct commit_op *op, struct store_item *item);
    /* On the committer's thread, no lock held, exactly once for each submitted operation that
     * was not withdrawn: error NULL = it is committed and synced. Must not block. The operation
     * may be freed here. */
    void (*done)(struct commit_op *op, const struct error *error);
};

/* Embed it in the operation's own struct. The submitter owns the memory until commit_submit
 * returned 0; then `done` has it. */
struct commit_op {
    const struct commit_kind *kind;
    size_t bytes; /* what it weighs against the bound on bytes in one batch */
    /* the queue's: */
    struct list_node queued;
    enum commit_op_state { COMMIT_OP_NEW, COMMIT_OP_QUEUED, COMMIT_OP_TAKEN } state;
    struct store_item item;
};

struct commit_options {
    struct store_options store;
    int64_t max_queued; /* requests waiting; beyond it commit_submit refuses: ERROR_UNAVAILABLE */
    int64_t min_free_bytes;
    /* After each commit that changed something, on the committer's thread: news for the runner (a
     * flag, invariant 9). May be NULL. */
    void (*committed)(void *context);
    /* The disk failed (invariant 6): the process must stop immediately with status 1. On the
     * committer's thread after a batch, when everyone waiting has been told; or on a thread of the
     * store's, when the next batch is still to be told. Once. */
    void (*failed)(void *context, const struct error *error);
    void *context;
};

/* Opens (creates, migrates) the store, starts its upkeep and the committer's thread. */
struct commit_queue *commit_start(const struct commit_options *options, struct error *error);
/* Commits what waits and refuses what comes; afterwards no `done` is called any more, and what the operations stand on may be freed. */
void commit_drain(struct commit_queue *queue);
/* The same, if it has not been done; then ends the threads, closes the store and frees the queue. NULL is fine, for both. */
void commit_stop(struct commit_queue *queue);

/* 0: `done` will be called. -1: refused, `done` will not be called, and *error says why. Any thread. */
int commit_submit(struct commit_queue *queue, struct commit_op *op, struct error *error);
/* True if the operation was still queued and is now the caller's again (`done` will not be called). Any thread. */
bool commit_withdraw(struct commit_queue *queue, struct commit_op *op);

/* 0 if there is room for a run with a body of this size; -1 and why: little space, a failed disk. Whoever accepts runs asks before it
 * submits one, and before it writes a piece of a large body. Any thread, cheap. */
int commit_has_room(struct commit_queue *queue, int64_t body_bytes, struct error *error);
/* 0 if the next run would probably be stored: there is room, and no batch has failed in the last seconds. -1 and why. Any thread. */
int commit_is_ready(struct commit_queue *queue, struct error *error);
void commit_set_min_free(struct commit_queue *queue, int64_t bytes);

/* A copy of the store: see store_backup. Any thread; takes as long as copying takes. */
int commit_backup(struct commit_queue *queue, const struct store_backup_guard *guard,
                  struct error *error);
const char *commit_backup_name(struct commit_queue *queue);

/* For callers that may block: a function that is called inside the transaction. All borrowed. */
struct commit_call {
    const char *name; /* for the log */
    size_t bytes;     /* what it weighs against the bound on bytes in one batch */
    /* On the committer's thread, perhaps more than once. -1 undoes what it did, and refuses it
     * alone. */
    int (*apply)(void *context, struct store *store, struct error *error);
    /* On the committer's thread, before commit_call returns and before the runner can know of it:
     * error NULL = it is committed and synced. Must not block. May be NULL. */
    void (*done)(void *context, const struct error *error);
    void *context;
};
/* Submits it and waits: 0 once it is committed and synced. A COMMIT_REQUEST. */
int commit_call(struct commit_queue *queue, const struct commit_call *call, struct error *error);

struct commit_metrics {
    uint64_t batches, operations, failed_batches;
    int64_t queued; /* now */
    struct store_metrics store;
};
void commit_get_metrics(struct commit_queue *queue, struct commit_metrics *metrics);

#endif
