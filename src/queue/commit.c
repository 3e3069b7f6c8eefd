/* The committer: one thread, one writing connection, one transaction per batch. webhookd/daemon.c
 * starts and stops it as one of its layers; any thread submits operations. docs/architecture.md
 * lists the numbered invariants. */
#include "queue/commit.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define BATCH_MAX_OPS   1024
#define BATCH_MAX_BYTES (8u << 20)
#define NOT_READY_MS    5000 /* after a failed batch */
#define RETRY_MS        500  /* before the runner's operations of a failed batch are retried */

struct commit_queue {
    struct commit_options options;
    struct store *store; /* used by the committer alone (invariant 3) */
    pthread_t thread;

    pthread_mutex_t lock; /* guards the following, and `state` of every queued operation */
    pthread_cond_t news;
    struct list requests, runner; /* operations; linked by `queued` */
    int64_t requests_queued;
    int64_t runner_retry_at_ms; /* 0 = now */
    bool passed_over;           /* the previous batch had no room for the first request */
    bool stopping;
    struct error last_failure; /* the error of the last failed batch, */
    int64_t failed_ms;         /* and its time; 0 = no batch has failed */

    bool drained; /* the committer has ended; used by the stopping thread alone */
    atomic_bool disk_failed;
    _Atomic uint64_t batches, operations, failed_batches;
};

/* ---- an operation's state ---- */

/*   NEW ─► QUEUED ─► TAKEN ─► (done)
 *    ▲──────┘  ▲───────┘
 *    withdrawn    to be retried
 *
 * `done` may submit the operation again. The lock is held. */
static void op_set_state(struct commit_op *op, enum commit_op_state state)
{
    switch (op->state) {
    case COMMIT_OP_NEW:
    case COMMIT_OP_TAKEN:
        assert(state == COMMIT_OP_QUEUED);
        break;
    case COMMIT_OP_QUEUED:
        assert(state == COMMIT_OP_TAKEN || state == COMMIT_OP_NEW);
        break;
    }
    op->state = state;
}

/* ---- one batch ---- */

struct batch {
    struct list ops;
    size_t count, bytes;
};

/* Moves operations from the list to the batch while there is room; the lock is held. */
static void batch_take(struct commit_queue *queue, struct batch *batch, struct list *from,
                       size_t max_ops)
{
    while (!list_is_empty(from) && batch->count < max_ops) {
        struct commit_op *op = LIST_FIRST(from, struct commit_op, queued);
        if (batch->count > 0 && batch->bytes + op->bytes > BATCH_MAX_BYTES)
            return;
        list_remove(from, &op->queued);
        op_set_state(op, COMMIT_OP_TAKEN);
        if (op->kind->class == COMMIT_REQUEST)
            queue->requests_queued--;
        list_append(&batch->ops, &op->queued);
        batch->count++;
        batch->bytes += op->bytes;
    }
}

static int batch_write(struct commit_queue *queue, struct batch *batch, enum store_outcome *outcome,
                       struct error *error)
{
    struct store_item *items[BATCH_MAX_OPS];
    size_t count = 0;
    LIST_EACH(struct commit_op, op, &batch->ops, queued) {
        op->kind->describe(op, &op->item);
        items[count++] = &op->item;
    }
    return store_write(queue->store, items, count, outcome, error);
}

/* An operation of the runner is refused only if the store's state does not allow it. One that
 * failed for another reason (a shortage, an internal error) is retried. */
static bool is_to_be_retried(const struct commit_op *op)
{
    return op->kind->class == COMMIT_RUNNER &&
           (op->item.error.kind == ERROR_INTERNAL || op->item.error.kind == ERROR_UNAVAILABLE);
}

/* Puts the operations back at the front of the queue, in their order. Returns false if the queue is
 * stopping: then there will be no retry. */
static bool retry_later(struct commit_queue *queue, struct list *later)
{
    pthread_mutex_lock(&queue->lock);
    bool goes_on = !queue->stopping;
    struct commit_op *op;
    while (goes_on && (op = LIST_LAST(later, struct commit_op, queued))) {
        list_remove(later, &op->queued);
        op_set_state(op, COMMIT_OP_QUEUED);
        list_prepend(&queue->runner, &op->queued);
        queue->runner_retry_at_ms = clock_monotonic_ms() + RETRY_MS;
    }
    pthread_mutex_unlock(&queue->lock);
    return goes_on;
}

/* Every operation of the batch is committed and synced, or was refused alone. Only now may `done`
 * be called (invariant 1). */
static void batch_succeeded(struct commit_queue *queue, struct batch *batch)
{
    struct list later = {NULL, NULL};
    struct commit_op *op;
    while ((op = LIST_TAKE_FIRST(&batch->ops, struct commit_op, queued))) {
        if (is_to_be_retried(op)) {
            log_warning("operation not stored, will retry", log_text("operation", op->kind->name),
                        log_why(&op->item.error));
            list_append(&later, &op->queued);
        } else {
            op->kind->done(op, error_is_set(&op->item.error) ? &op->item.error : NULL);
        }
    }
    if (list_is_empty(&later) || retry_later(queue, &later))
        return;
    while ((op = LIST_TAKE_FIRST(&later, struct commit_op, queued)))
        op->kind->done(op, &op->item.error);
}

/* Nothing in the batch is committed (or, after an I/O error, this is unknown). Requests fail; the
 * runner's operations are queued again, to be retried. */
static void batch_failed(struct commit_queue *queue, struct batch *batch, bool disk_failed,
                         const struct error *error)
{
    struct list requests = {NULL, NULL};
    pthread_mutex_lock(&queue->lock);
    bool final = queue->stopping || disk_failed;
    queue->last_failure = *error;
    queue->failed_ms = clock_monotonic_ms();
    struct commit_op *op;
    while ((op = LIST_LAST(&batch->ops, struct commit_op, queued))) {
        list_remove(&batch->ops, &op->queued);
        if (op->kind->class == COMMIT_RUNNER && !final) {
            op_set_state(op, COMMIT_OP_QUEUED);
            list_prepend(&queue->runner, &op->queued);
            queue->runner_retry_at_ms = clock_monotonic_ms() + RETRY_MS;
        } else {
            list_prepend(&requests, &op->queued);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    while ((op = LIST_TAKE_FIRST(&requests, struct commit_op, queued)))
        op->kind->done(op, error);
}

static void queue_fail(struct commit_queue *queue, const struct error *error)
{
    if (atomic_exchange(&queue->disk_failed, true))
        return;
    if (queue->options.failed)
        queue->options.failed(queue->options.context, error);
}

static void batch_run(struct commit_queue *queue, struct batch *batch)
{
    struct error error = ERROR_INIT;
    enum store_outcome outcome;
    size_t count = batch->count;
    atomic_fetch_add(&queue->batches, 1);
    if (batch_write(queue, batch, &outcome, &error) == 0) {
        atomic_fetch_add(&queue->operations, count);
        batch_succeeded(queue, batch);
        if (outcome == STORE_DONE && queue->options.committed)
            queue->options.committed(queue->options.context);
        return;
    }
    bool disk_failed = outcome == STORE_FAILED_DISK;
    atomic_fetch_add(&queue->failed_batches, 1);
    log_error("batch not committed", log_why(&error), log_int("operations", (int64_t)count));
    batch_failed(queue, batch, disk_failed, &error);
    if (disk_failed)
        queue_fail(queue, &error);
}

/* ---- the thread ---- */

static bool runner_is_due(const struct commit_queue *queue)
{
    return !list_is_empty(&queue->runner) &&
           (queue->stopping || queue->runner_retry_at_ms <= clock_monotonic_ms());
}

/* Waits until there is something to do. Returns false if the queue is stopping and nothing is left.
 * The lock is held. */
static bool wait_for_work(struct commit_queue *queue)
{
    while (list_is_empty(&queue->requests) && !runner_is_due(queue)) {
        if (queue->stopping && list_is_empty(&queue->runner))
            return false;
        if (!list_is_empty(&queue->runner))
            thread_condition_wait_until(&queue->news, &queue->lock, queue->runner_retry_at_ms);
        else
            pthread_cond_wait(&queue->news, &queue->lock);
    }
    return true;
}

/* Takes the runner's operations first: they are few, and vessels wait for them. They get at most
 * half of a batch, so that requests make progress too. A request for which there was no room behind
 * them (an operation may be larger than a whole batch) goes first in the next batch. The lock is
 * held. */
static void fill_batch(struct commit_queue *queue, struct batch *batch)
{
    if (queue->passed_over)
        batch_take(queue, batch, &queue->requests, 1);
    if (runner_is_due(queue))
        batch_take(queue, batch, &queue->runner, BATCH_MAX_OPS / 2);
    size_t before = batch->count;
    batch_take(queue, batch, &queue->requests, BATCH_MAX_OPS);
    queue->passed_over =
        batch->count == before && !list_is_empty(&queue->requests) && !queue->passed_over;
}

static void *committer_main(void *argument)
{
    struct commit_queue *queue = argument;
    pthread_mutex_lock(&queue->lock);
    while (wait_for_work(queue)) {
        struct batch batch = {{NULL, NULL}, 0, 0};
        fill_batch(queue, &batch);
        pthread_mutex_unlock(&queue->lock);

        if (atomic_load(&queue->disk_failed)) {
            struct error error = ERROR_INIT;
            error_set(&error, ERROR_IO, "the disk failed; webhookd is stopping");
            batch_failed(queue, &batch, true, &error);
        } else {
            batch_run(queue, &batch);
        }
        pthread_mutex_lock(&queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* ---- what producers call ---- */

int commit_submit(struct commit_queue *queue, struct commit_op *op, struct error *error)
{
    int result = 0;
    pthread_mutex_lock(&queue->lock);
    if (queue->stopping) {
        result = error_set(error, ERROR_UNAVAILABLE, "webhookd is shutting down");
    } else if (op->kind->class == COMMIT_REQUEST &&
               queue->requests_queued >= queue->options.max_queued) {
        result = error_set(error, ERROR_UNAVAILABLE, "too many requests are waiting to be stored");
    } else {
        bool idle = list_is_empty(&queue->requests) && list_is_empty(&queue->runner);
        op_set_state(op, COMMIT_OP_QUEUED);
        if (op->kind->class == COMMIT_REQUEST) {
            queue->requests_queued++;
            list_append(&queue->requests, &op->queued);
        } else {
            list_append(&queue->runner, &op->queued);
        }
        if (idle || op->kind->class == COMMIT_RUNNER || queue->runner_retry_at_ms != 0)
            pthread_cond_signal(&queue->news);
    }
    pthread_mutex_unlock(&queue->lock);
    return result;
}

bool commit_withdraw(struct commit_queue *queue, struct commit_op *op)
{
    pthread_mutex_lock(&queue->lock);
    bool queued = op->state == COMMIT_OP_QUEUED;
    if (queued) {
        if (op->kind->class == COMMIT_REQUEST) {
            list_remove(&queue->requests, &op->queued);
            queue->requests_queued--;
        } else {
            list_remove(&queue->runner, &op->queued);
        }
        op_set_state(op, COMMIT_OP_NEW);
    }
    pthread_mutex_unlock(&queue->lock);
    return queued;
}

int commit_has_room(struct commit_queue *queue, int64_t body_bytes, struct error *error)
{
    if (atomic_load(&queue->disk_failed))
        return error_set(error, ERROR_UNAVAILABLE, "the disk failed; webhookd is stopping");
    return store_has_room(queue->store, body_bytes, error);
}

int commit_backup(struct commit_queue *queue, const struct store_backup_guard *guard,
                  struct error *error)
{
    return store_backup(queue->store, guard, error);
}

const char *commit_backup_name(struct commit_queue *queue)
{
    return store_backup_name(queue->store);
}

int commit_is_ready(struct commit_queue *queue, struct error *error)
{
    if (commit_has_room(queue, 0, error) != 0)
        return -1;
    pthread_mutex_lock(&queue->lock);
    int result = 0;
    if (queue->failed_ms != 0 && clock_monotonic_ms() < queue->failed_ms + NOT_READY_MS)
        result = error_set(error, ERROR_UNAVAILABLE, "a batch failed a moment ago: %s",
                           queue->last_failure.message);
    pthread_mutex_unlock(&queue->lock);
    return result;
}

void commit_set_min_free(struct commit_queue *queue, int64_t bytes)
{
    store_set_min_free(queue->store, bytes);
}

/* ---- for callers that wait ---- */

struct waiting_call {
    struct commit_op op;
    const struct commit_call *call;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t ended;
    bool is_done;
    struct error error;
};

static void describe_call(struct commit_op *op, struct store_item *item)
{
    const struct commit_call *call = CONTAINER_OF(op, struct waiting_call, op)->call;
    item->kind = STORE_CALL;
    item->call.apply = call->apply;
    item->call.context = call->context;
}

static void call_done(struct commit_op *op, const struct error *error)
{
    struct waiting_call *waiting = CONTAINER_OF(op, struct waiting_call, op);
    const struct commit_call *call = waiting->call;
    if (call->done)
        call->done(call->context, error);
    pthread_mutex_lock(&waiting->lock);
    waiting->is_done = true;
    if (error)
        waiting->error = *error;
    pthread_cond_signal(&waiting->ended);
    pthread_mutex_unlock(&waiting->lock);
}

int commit_call(struct commit_queue *queue, const struct commit_call *call, struct error *error)
{
    const struct commit_kind kind = {call->name, COMMIT_REQUEST, describe_call, call_done};
    struct waiting_call waiting = {.op = {.kind = &kind, .bytes = call->bytes},
                                   .call = call,
                                   .lock = PTHREAD_MUTEX_INITIALIZER,
                                   .ended = PTHREAD_COND_INITIALIZER};
    if (commit_submit(queue, &waiting.op, error) != 0)
        return -1;
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.is_done)
        pthread_cond_wait(&waiting.ended, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.ended);
    pthread_mutex_destroy(&waiting.lock);
    if (!error_is_set(&waiting.error))
        return 0;
    if (!error_is_set(error))
        *error = waiting.error;
    return -1;
}

void commit_get_metrics(struct commit_queue *queue, struct commit_metrics *metrics)
{
    pthread_mutex_lock(&queue->lock);
    metrics->queued = queue->requests_queued;
    pthread_mutex_unlock(&queue->lock);
    metrics->batches = atomic_load(&queue->batches);
    metrics->operations = atomic_load(&queue->operations);
    metrics->failed_batches = atomic_load(&queue->failed_batches);
    store_get_metrics(queue->store, &metrics->store);
}

/* ---- start and stop ---- */

static void upkeep_failed(void *context, const struct error *error)
{
    queue_fail(context, error);
}

static void queue_free(struct commit_queue *queue)
{
    store_close(queue->store);
    pthread_cond_destroy(&queue->news);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

struct commit_queue *commit_start(const struct commit_options *options, struct error *error)
{
    struct commit_queue *queue = memory_alloc(sizeof(*queue));
    queue->options = *options;
    pthread_mutex_init(&queue->lock, NULL);
    thread_condition_init(&queue->news);

    const struct store_upkeep upkeep = {options->min_free_bytes, upkeep_failed, queue};
    queue->store = store_open(&options->store, error);
    if (queue->store && store_start_upkeep(queue->store, &upkeep, error) == 0 &&
        thread_start(&queue->thread, "committer", committer_main, queue, error) == 0)
        return queue;
    queue_free(queue);
    return NULL;
}

void commit_drain(struct commit_queue *queue)
{
    if (!queue || queue->drained)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->news);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    queue->drained = true;
}

void commit_stop(struct commit_queue *queue)
{
    if (!queue)
        return;
    commit_drain(queue);
    queue_free(queue);
}
