/* The commit queue on a real store whose disk fails on demand. */
#include "support/suite.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "queue/commit.h"
#include "store/fleets.h"
#include "store/sqlite/connection.h"
#include "store/webhooks.h"
#include "support/faulty_vfs.h"

static char folder[] = "/tmp/webhookd-commit-XXXXXX";
static struct commit_queue *queue;
static _Atomic int failures, commits;
static sem_t failed_once;
static struct id fleet_id, other_id;

/* ---- operations ---- */

struct work {
    struct commit_op op;
    uint8_t hash[SECRET_HASH_BYTES];
    char body[64];
    size_t body_bytes;
    char *large_body;
    struct run_input input;
    struct store_accept accept;
    struct store_check check;
    /* What `done` received. */
    atomic_int done_calls;
    enum error_kind kind;
    sem_t done;
    struct work *older; /* links all operations, for the end of the test */
};

static struct work *newest;

/* The hash of the fleet that accepts; the other fleet has no webhook until a test creates one. */
static const uint8_t accepting_hash[SECRET_HASH_BYTES] = "accepting";

static void describe_accept(struct commit_op *op, struct store_item *item)
{
    struct work *work = CONTAINER_OF(op, struct work, op);
    work->input = (struct run_input){
        .request_id = id_ordered(),
        .remote_addr = "",
        .host = "",
        .query = "",
        .event = "",
        .headers_json = "{}",
        .headers_bytes = 2,
        .body_place = BODY_INLINE,
        .body = work->large_body ? work->large_body : work->body,
        .body_bytes = (int64_t)work->body_bytes,
    };
    work->accept.token_hash = accepting_hash;
    work->accept.input = &work->input;
    item->kind = STORE_ACCEPT;
    item->accept = &work->accept;
}

static int apply_webhook(void *context, struct store *store, struct error *error)
{
    const struct work *work = context;
    struct webhook_token token = {.sealed_bytes = 0};
    memcpy(token.hash, work->hash, sizeof(token.hash));
    return store_create_webhook(store, &other_id, &token, 1, error);
}

static void describe_webhook(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_CALL;
    item->call.apply = apply_webhook;
    item->call.context = CONTAINER_OF(op, struct work, op);
}

static void describe_token(struct commit_op *op, struct store_item *item)
{
    struct work *work = CONTAINER_OF(op, struct work, op);
    work->check.token_hash = work->hash;
    item->kind = STORE_CHECK;
    item->check = &work->check;
}

static int apply_nothing(void *context, struct store *store, struct error *error)
{
    (void)context, (void)store, (void)error;
    return 0;
}

static int apply(struct store *store, const struct id *project_id,
                 const struct definition *definition, struct apply_result *result,
                 struct error *error)
{
    const struct fleet_application application = {
        .project_id = project_id, .definition = definition, .file = "x", .file_bytes = 1};
    return store_apply_fleet(store, &application, 1, result, error);
}

static int apply_fleets(void *context, struct store *store, struct error *error)
{
    (void)context;
    struct id project_id = {{0}};
    struct definition_vessel vessel = {.name = (char[]){"main"},
                                       .file_name = (char[]){"a"},
                                       .file_content = (char[]){""},
                                       .file_to_run = (char[]){"a"},
                                       .guardrails.cutoff_ms = GUARDRAIL_MAX_CUTOFF_MS};
    struct definition definition = {
        .name = (char[]){"Fleet"}, .vessels = &vessel, .vessel_count = 1};
    struct definition other = definition;
    other.name = (char[]){"Other"};
    struct apply_result result, other_result;
    struct id org_id;
    struct webhook_token token = {.sealed_bytes = 0};
    memcpy(token.hash, accepting_hash, sizeof(token.hash));
    if (store_create_org(store, "o", 1, &org_id, error) != 0 ||
        store_create_project(store, &org_id, "p", 1, &project_id, error) != 0 ||
        apply(store, &project_id, &definition, &result, error) != 0 ||
        apply(store, &project_id, &other, &other_result, error) != 0 ||
        store_create_webhook(store, &result.fleet_id, &token, 1, error) != 0)
        return -1;
    fleet_id = result.fleet_id;
    other_id = other_result.fleet_id;
    return 0;
}

static void note_done(struct commit_op *op, const struct error *error)
{
    struct work *work = CONTAINER_OF(op, struct work, op);
    work->kind = error ? error->kind : ERROR_NONE;
    atomic_fetch_add(&work->done_calls, 1);
    sem_post(&work->done);
}

static const struct commit_kind accept_kind = {"accept", COMMIT_REQUEST, describe_accept,
                                               note_done};
static const struct commit_kind runner_kind = {"runner", COMMIT_RUNNER, describe_accept, note_done};
static const struct commit_kind webhook_kind = {"webhook", COMMIT_REQUEST, describe_webhook,
                                                note_done};
static const struct commit_kind token_kind = {"token", COMMIT_REQUEST, describe_token, note_done};

static struct work *work_new(const struct commit_kind *kind)
{
    struct work *work = memory_alloc(sizeof(*work));
    work->op.kind = kind;
    work->body_bytes = (size_t)snprintf(work->body, sizeof(work->body), "hello");
    sem_init(&work->done, 0, 0);
    work->older = newest;
    newest = work;
    return work;
}

static void free_newest(void)
{
    struct work *work = newest;
    newest = work->older;
    sem_destroy(&work->done);
    free(work->large_body);
    free(work);
}

static void submit(struct work *work)
{
    struct error error = ERROR_INIT;
    ck_assert_msg(commit_submit(queue, &work->op, &error) == 0, "%s", error.message);
}

static enum error_kind await(struct work *work)
{
    while (sem_wait(&work->done) != 0)
        ;
    ck_assert_int_eq(work->done_calls, 1);
    return work->kind;
}

static enum error_kind submit_and_await(struct work *work)
{
    submit(work);
    return await(work);
}

/* ---- the queue under test ---- */

static void on_committed(void *context)
{
    (void)context;
    atomic_fetch_add(&commits, 1);
}

static void on_failed(void *context, const struct error *error)
{
    (void)context;
    ck_assert_int_eq(error->kind, ERROR_IO);
    atomic_fetch_add(&failures, 1);
    sem_post(&failed_once);
}

static void start(int64_t max_queued)
{
    struct error error = ERROR_INIT;
    struct commit_options options = {
        .store = {.state_dir = folder, .location = "sqlite:webhookd.db", .mode = STORE_WRITE},
        .max_queued = max_queued,
        .committed = on_committed,
        .failed = on_failed,
    };
    connection_set_vfs(FAULTY_VFS);
    queue = commit_start(&options, &error);
    connection_set_vfs(NULL);
    ck_assert_msg(queue, "%s", error.message);
}

static void begin(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(secret_init(&error), 0);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    sem_init(&failed_once, 0, 0);
    faulty_vfs_register();
    start(1000);
    const struct commit_call call = {.name = "fleets", .apply = apply_fleets};
    ck_assert_msg(commit_call(queue, &call, &error) == 0, "%s", error.message);
    faulty_vfs_reset();
}

static void finish(void)
{
    struct error error = ERROR_INIT;
    commit_stop(queue);
    while (newest)
        free_newest();
    faulty_vfs_reset();
    ck_assert_msg(file_remove_tree(AT_FDCWD, folder, &error) == 0, "%s", error.message);
}

static int count_row(void *context, const struct run_row *row)
{
    (void)row;
    ++*(int *)context;
    return 0;
}

static int stored_runs(void)
{
    struct error error = ERROR_INIT;
    struct store_options options = {
        .state_dir = folder, .location = "sqlite:webhookd.db", .mode = STORE_READ};
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    struct run_filter filter = {.limit = 100000};
    int count = 0;
    ck_assert_int_eq(store_list_runs(store, &filter, count_row, &count, &error), 0);
    store_close(store);
    return count;
}

/* Holds the committer in the sync of its log until the test releases it. */
static sem_t sync_reached, sync_may_go;

static void hold_sync(void *context)
{
    (void)context;
    sem_post(&sync_reached);
    while (sem_wait(&sync_may_go) != 0)
        ;
}

/* Submits an operation whose batch is held in its sync; operations submitted now wait in the
 * queue. */
static struct work *hold_committer(void)
{
    sem_init(&sync_reached, 0, 0);
    sem_init(&sync_may_go, 0, 0);
    faulty_vfs_on_sync(hold_sync, NULL);
    struct work *work = work_new(&accept_kind);
    submit(work);
    while (sem_wait(&sync_reached) != 0)
        ;
    return work;
}

static void let_committer_go(void)
{
    faulty_vfs_on_sync(NULL, NULL);
    sem_post(&sync_may_go);
}

/* Invariant 1. */
TEST(an_operation_is_done_only_after_the_log_was_synced)
{
    begin();
    struct work *work = hold_committer();
    ck_assert_int_eq(work->done_calls, 0);
    let_committer_go();
    ck_assert_int_eq(await(work), ERROR_NONE);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_LOG), 1);
    ck_assert_int_eq(stored_runs(), 1);
    finish();
}

TEST(operations_that_wait_together_share_one_sync)
{
    begin();
    struct work *first = hold_committer();
    struct work *others[50];
    for (int i = 0; i < 50; i++)
        submit(others[i] = work_new(&accept_kind));
    let_committer_go();
    ck_assert_int_eq(await(first), ERROR_NONE);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(await(others[i]), ERROR_NONE);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_LOG), 2);
    ck_assert_int_eq(stored_runs(), 51);
    finish();
}

/* Operations as the runner submits them: each is followed immediately by the next. */
static atomic_bool chain_ends;

static void chain_done(struct commit_op *op, const struct error *error)
{
    struct error refused = ERROR_INIT;
    if (atomic_load(&chain_ends) || commit_submit(queue, op, &refused) != 0)
        note_done(op, error);
}

static void describe_nothing(struct commit_op *op, struct store_item *item)
{
    (void)op;
    item->kind = STORE_CALL;
    item->call.apply = apply_nothing;
}

static const struct commit_kind chain_kind = {"chain", COMMIT_RUNNER, describe_nothing, chain_done};

TEST(an_operation_heavier_than_a_batch_is_not_passed_over_forever)
{
    begin();
    atomic_store(&chain_ends, false);
    struct work *chain = work_new(&chain_kind), *heavy = work_new(&accept_kind);
    heavy->op.bytes = 64 << 20;
    submit(chain);
    submit(heavy);
    ck_assert_int_eq(await(heavy), ERROR_NONE);
    atomic_store(&chain_ends, true);
    ck_assert_int_eq(await(chain), ERROR_NONE);
    finish();
}

/* Invariant 5. */
TEST(an_operation_that_fails_alone_fails_alone)
{
    begin();
    struct work *first_webhook = work_new(&webhook_kind);
    first_webhook->hash[0] = 1;
    ck_assert_int_eq(submit_and_await(first_webhook), ERROR_NONE);

    struct work *held = hold_committer();
    struct work *before = work_new(&accept_kind), *second_webhook = work_new(&webhook_kind);
    struct work *stranger = work_new(&token_kind), *after = work_new(&accept_kind);
    second_webhook->hash[0] = 2;
    stranger->hash[0] = 3;
    submit(before);
    submit(second_webhook);
    submit(stranger);
    submit(after);
    let_committer_go();
    ck_assert_int_eq(await(held), ERROR_NONE);
    ck_assert_int_eq(await(before), ERROR_NONE);
    ck_assert_int_eq(await(second_webhook), ERROR_CONFLICT);
    ck_assert_int_eq(await(stranger), ERROR_NOT_FOUND);
    ck_assert_int_eq(await(after), ERROR_NONE);
    ck_assert_int_eq(stored_runs(), 3);
    finish();
}

/* Invariants 5 and 6. */
TEST(a_full_disk_fails_the_batch_and_is_survived)
{
    begin();
    faulty_vfs_fail(&(struct faulty_plan){FAULTY_WRITE, FAULTY_LOG, 1, true, SQLITE_FULL, 0});
    struct work *refused = work_new(&accept_kind), *accepted = work_new(&accept_kind);
    ck_assert_int_eq(submit_and_await(refused), ERROR_FULL);
    faulty_vfs_reset();
    ck_assert_int_eq(submit_and_await(accepted), ERROR_NONE);
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(stored_runs(), 1);
    finish();
}

TEST(the_runners_operation_is_retried_until_the_disk_has_room)
{
    begin();
    faulty_vfs_fail(&(struct faulty_plan){FAULTY_WRITE, FAULTY_LOG, 1, true, SQLITE_FULL, 0});
    struct work *runners = work_new(&runner_kind), *request = work_new(&accept_kind);
    submit(runners);
    ck_assert_int_eq(submit_and_await(request), ERROR_FULL);
    ck_assert_int_eq(runners->done_calls, 0);
    faulty_vfs_reset();
    ck_assert_int_eq(await(runners), ERROR_NONE);
    ck_assert_int_eq(stored_runs(), 1);
    finish();
}

/* Invariant 6. */
TEST(a_failed_sync_fails_every_operation_and_stops_the_queue_for_good)
{
    begin();
    faulty_vfs_fail(
        &(struct faulty_plan){FAULTY_SYNC, FAULTY_LOG, 1, false, SQLITE_IOERR_FSYNC, 5});
    struct work *request = work_new(&accept_kind), *runners = work_new(&runner_kind),
                *later = work_new(&accept_kind);
    ck_assert_int_eq(submit_and_await(request), ERROR_IO);
    while (sem_wait(&failed_once) != 0)
        ;
    ck_assert_int_eq(failures, 1);
    ck_assert_int_eq(submit_and_await(later), ERROR_IO);
    ck_assert_int_eq(submit_and_await(runners), ERROR_IO);
    ck_assert_int_eq(failures, 1);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(commit_has_room(queue, 0, &error), -1);
    finish();
}

/* Invariant 2. */
TEST(a_queued_operation_can_be_withdrawn_and_one_in_a_batch_cannot)
{
    begin();
    struct work *in_batch = hold_committer();
    struct work *queued = work_new(&accept_kind), *behind = work_new(&accept_kind);
    submit(queued);
    submit(behind);
    ck_assert(commit_withdraw(queue, &queued->op));
    ck_assert(!commit_withdraw(queue, &queued->op));
    ck_assert(!commit_withdraw(queue, &in_batch->op));
    let_committer_go();
    ck_assert_int_eq(await(in_batch), ERROR_NONE);
    ck_assert_int_eq(await(behind), ERROR_NONE);
    ck_assert_int_eq(queued->done_calls, 0);
    ck_assert_int_eq(stored_runs(), 2);
    finish();
}

/* Invariant 8. */
TEST(requests_are_bounded_and_the_runner_has_extra_room)
{
    begin();
    commit_stop(queue);
    start(2);
    struct work *held = hold_committer();
    struct work *one = work_new(&accept_kind), *two = work_new(&accept_kind),
                *three = work_new(&accept_kind);
    struct work *runners = work_new(&runner_kind);
    struct error error = ERROR_INIT;
    submit(one);
    submit(two);
    ck_assert_int_eq(commit_submit(queue, &three->op, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    submit(runners);
    let_committer_go();
    ck_assert_int_eq(await(held), ERROR_NONE);
    ck_assert_int_eq(await(one), ERROR_NONE);
    ck_assert_int_eq(await(two), ERROR_NONE);
    ck_assert_int_eq(await(runners), ERROR_NONE);
    ck_assert_int_eq(three->done_calls, 0);
    finish();
}

TEST(stopping_commits_queued_operations_and_refuses_new_ones)
{
    begin();
    struct work *held = hold_committer();
    struct work *waiting = work_new(&accept_kind);
    submit(waiting);
    let_committer_go();
    commit_stop(queue);
    ck_assert_int_eq(held->kind, ERROR_NONE);
    ck_assert_int_eq(waiting->done_calls, 1);
    ck_assert_int_eq(waiting->kind, ERROR_NONE);
    ck_assert_int_eq(stored_runs(), 2);
    start(10);
    finish();
}

TEST(little_free_space_is_refused_with_the_reason)
{
    begin();
    struct error error = ERROR_INIT;
    ck_assert_int_eq(commit_has_room(queue, 100, &error), 0);
    commit_set_min_free(queue, INT64_MAX / 2);
    ck_assert_int_eq(commit_has_room(queue, 0, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(error.message, "min_free"));
    finish();
}

static struct work *large_work(void)
{
    struct work *work = work_new(&accept_kind);
    work->body_bytes = 60000;
    work->large_body = memory_alloc(work->body_bytes);
    return work;
}

/* ---- operations that are retried ---- */

#define RETRIED 3

static char applied[4 * RETRIED];
static atomic_int applied_count;
static sem_t is_held, may_go_on;

struct retried {
    struct commit_op op;
    char name;
    int tries;
};

static int fail_once(void *context, struct store *store, struct error *error)
{
    struct retried *retried = context;
    (void)store;
    applied[atomic_fetch_add(&applied_count, 1)] = retried->name;
    return retried->tries++ == 0 ? error_set(error, ERROR_UNAVAILABLE, "no memory") : 0;
}

static void describe_retried(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_CALL;
    item->call.apply = fail_once;
    item->call.context = CONTAINER_OF(op, struct retried, op);
}

static void retried_done(struct commit_op *op, const struct error *error)
{
    (void)op;
    ck_assert(!error);
    sem_post(&failed_once);
}

static int hold_batch(void *context, struct store *store, struct error *error)
{
    (void)context, (void)store, (void)error;
    sem_post(&is_held);
    while (sem_wait(&may_go_on) != 0)
        ;
    return 0;
}

static void describe_hold(struct commit_op *op, struct store_item *item)
{
    (void)op;
    item->kind = STORE_CALL;
    item->call.apply = hold_batch;
}

/* A step of a run may depend on the previous one. */
TEST(operations_that_are_retried_keep_their_order)
{
    static const struct commit_kind retried_kind = {"retried", COMMIT_RUNNER, describe_retried,
                                                    retried_done};
    static const struct commit_kind hold_kind = {"hold", COMMIT_REQUEST, describe_hold, note_done};
    struct retried retried[RETRIED] = {{.name = 'A'}, {.name = 'B'}, {.name = 'C'}};
    begin();
    sem_init(&is_held, 0, 0);
    sem_init(&may_go_on, 0, 0);
    struct work *held = work_new(&hold_kind);
    submit(held);
    while (sem_wait(&is_held) != 0)
        ;
    for (int i = 0; i < RETRIED; i++) {
        struct error error = ERROR_INIT;
        retried[i].op.kind = &retried_kind;
        ck_assert_int_eq(commit_submit(queue, &retried[i].op, &error), 0);
    }
    sem_post(&may_go_on);
    for (int i = 0; i < RETRIED; i++)
        while (sem_wait(&failed_once) != 0)
            ;
    ck_assert_str_eq(applied, "ABCABC");
    finish();
}

static int write_and_refuse(void *context, struct store *store, struct error *error)
{
    const struct work *work = context;
    struct run_ids ids;
    struct run_input input = {.request_id = id_ordered(),
                              .remote_addr = "",
                              .host = "",
                              .query = "",
                              .event = "",
                              .headers_json = "{}",
                              .headers_bytes = 2,
                              .body_place = BODY_INLINE,
                              .body = work->large_body,
                              .body_bytes = (int64_t)work->body_bytes};
    if (store_accept_run(store, &fleet_id, &input, &ids, error) != 0)
        return -1;
    return error_set(error, ERROR_CONFLICT, "undone");
}

/* Invariant 8: frames that were written and then rolled back are in the log as well. */
TEST(the_log_is_checkpointed_even_if_every_write_was_rolled_back)
{
    begin();
    struct work *work = large_work();
    const struct commit_call call = {.name = "undone", .apply = write_and_refuse, .context = work};
    struct commit_metrics metrics = {0};
    /* Hundreds of times the writes for which a checkpoint is due; the checkpointer works in
     * parallel with the batches. */
    for (int i = 0; i < 20000 && metrics.store.checkpoints == 0; i++) {
        struct error error = ERROR_INIT;
        ck_assert_int_eq(commit_call(queue, &call, &error), -1);
        ck_assert_int_eq(error.kind, ERROR_CONFLICT);
        commit_get_metrics(queue, &metrics);
    }
    ck_assert_uint_gt(metrics.store.checkpoints, 0);
    ck_assert_int_eq(stored_runs(), 0);
    finish();
}

/* Invariant 8. */
SLOW_TEST(the_log_is_checkpointed_and_starts_over_before_it_grows_without_bound, 300)
{
    begin();
    int64_t longest_log = 0;
    struct commit_metrics metrics = {0};
    for (int i = 0; i < 2400; i++) { /* about 140 MiB of log */
        struct work *work = large_work();
        ck_assert_int_eq(submit_and_await(work), ERROR_NONE);
        free_newest();
        commit_get_metrics(queue, &metrics);
        if (metrics.store.log_frames > longest_log)
            longest_log = metrics.store.log_frames;
    }
    ck_assert_int_gt((int)metrics.store.checkpoints, 2);
    ck_assert_int_lt((int)longest_log, 20000); /* 64 MiB are 16,384 frames */
    ck_assert_int_eq(stored_runs(), 2400);
    finish();
}

/* Invariant 6. */
SLOW_TEST(a_checkpoint_that_the_disk_fails_stops_the_queue, 300)
{
    begin();
    faulty_vfs_fail(
        &(struct faulty_plan){FAULTY_SYNC, FAULTY_DATABASE, 1, true, SQLITE_IOERR_FSYNC, 5});
    for (int i = 0; i < 2000 && failures == 0; i++) {
        struct work *work = large_work();
        submit_and_await(work);
        free_newest();
    }
    ck_assert_int_eq(failures, 1);
    finish();
}
