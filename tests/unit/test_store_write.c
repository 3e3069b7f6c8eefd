/* A batch of typed items as one transaction: store_write on a disk that fails on demand. Also what
 * surrounds it: the store's location, its existence, its upkeep and its backup. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/location.h"
#include "support/faulty_vfs.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;
static struct id fleet_id;
static const uint8_t strangers_hash[SECRET_HASH_BYTES] = "nobody's";
static uint8_t hash[SECRET_HASH_BYTES]; /* of the fleet's token */

static void begin(void)
{
    faulty_vfs_register();
    store_fixture_open(&fixture, FAULTY_VFS);
    fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    memset(hash, 1, sizeof(hash));
    faulty_vfs_reset();
}

static void finish(void)
{
    faulty_vfs_reset();
    store_fixture_close(&fixture);
}

/* ---- items ---- */

static struct store_item check_item(struct store_check *check, const uint8_t *token_hash)
{
    check->token_hash = token_hash;
    return (struct store_item){.kind = STORE_CHECK, .check = check};
}

struct accepted {
    struct run_input input;
    struct store_accept accept;
};

static struct store_item accept_item(struct accepted *accepted, const uint8_t *token_hash)
{
    accepted->input = store_fixture_input();
    accepted->accept.token_hash = token_hash;
    accepted->accept.input = &accepted->input;
    return (struct store_item){.kind = STORE_ACCEPT, .accept = &accepted->accept};
}

/* A call that creates an organization, and is then refused if an error kind is given. */
struct call {
    const char *org_name; /* NULL: changes nothing */
    bool accepts_run;     /* also accepts a run of the fleet */
    enum error_kind refusal;
    int applied;
    struct run_ids ids;
};

static int apply_call(void *context, struct store *store, struct error *error)
{
    struct call *call = context;
    struct run_input input = store_fixture_input();
    struct id org_id;
    call->applied++;
    if (call->org_name && store_create_org(store, call->org_name, 1, &org_id, error) != 0)
        return -1;
    if (call->accepts_run && store_accept_run(store, &fleet_id, &input, &call->ids, error) != 0)
        return -1;
    return call->refusal == ERROR_NONE ? 0 : error_set(error, call->refusal, "refused");
}

static struct store_item call_item(struct call *call)
{
    return (struct store_item){.kind = STORE_CALL, .call = {apply_call, call}};
}

/* The start of a run and of its first vessel's attempt. */
struct start {
    struct definition definition;
    struct id vessel_run_ids[2];
    struct store_step step;
};

static struct store_item start_item(struct start *start, const struct id *run_id)
{
    *start = (struct start){.definition = store_fixture_definition("any"),
                            .vessel_run_ids = {id_random(), id_random()}};
    start->step = (struct store_step){.number = id_run_number(run_id),
                                      .now_ms = 4000,
                                      .starts_run = true,
                                      .definition = &start->definition,
                                      .vessel_run_ids = start->vessel_run_ids,
                                      .starts_attempt = true,
                                      .attempt = 1,
                                      .boot_id = id_random()};
    return (struct store_item){.kind = STORE_STEP, .step = &start->step};
}

#define MAX_ITEMS 64

static int write_items(struct store_item *items, size_t count, enum store_outcome *outcome,
                       struct error *error)
{
    struct store_item *pointers[MAX_ITEMS];
    for (size_t i = 0; i < count; i++)
        pointers[i] = &items[i];
    *outcome = STORE_FAILED_DISK;
    return store_write(fixture.store, pointers, count, outcome, error);
}

static void expect_written(struct store_item *items, size_t count, enum store_outcome expected)
{
    struct error error = ERROR_INIT;
    enum store_outcome outcome;
    ck_assert_msg(write_items(items, count, &outcome, &error) == 0, "%s", error.message);
    ck_assert_int_eq(outcome, expected);
    ck_assert(!error_is_set(&error));
}

static void expect_lost(struct store_item *items, size_t count, enum error_kind kind,
                        enum store_outcome expected)
{
    struct error error = ERROR_INIT;
    enum store_outcome outcome;
    ck_assert_int_eq(write_items(items, count, &outcome, &error), -1);
    ck_assert_msg(error.kind == kind, "%s", error.message);
    ck_assert_int_eq(outcome, expected);
}

/* ---- what is stored ---- */

static struct run_counts open_runs(void)
{
    struct error error = ERROR_INIT;
    struct run_counts counts;
    ck_assert_int_eq(store_count_open_runs(fixture.store, &counts, &error), 0);
    return counts;
}

static void expect_open(int64_t scheduled, int64_t running)
{
    ck_assert_int_eq(open_runs().scheduled, scheduled);
    ck_assert_int_eq(open_runs().running, running);
}

static int keep_status(void *context, const struct run_row *row)
{
    *(enum run_status *)context = row->status;
    return 0;
}

/* Whether this run exists and is scheduled. */
static bool is_scheduled(const struct id *run_id)
{
    struct error error = ERROR_INIT;
    enum run_status status = RUN_ERRORED;
    if (store_get_run(fixture.store, run_id, keep_status, &status, &error) == 0)
        return status == RUN_SCHEDULED;
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    return false;
}

struct search {
    const char *name;
    bool found;
};

static int find_org(void *context, const struct org_row *row)
{
    struct search *search = context;
    search->found |= strcmp(row->name, search->name) == 0;
    return 0;
}

static bool org_is_there(const char *name)
{
    struct error error = ERROR_INIT;
    struct search search = {.name = name};
    ck_assert_int_eq(store_list_orgs(fixture.store, find_org, &search, &error), 0);
    return search.found;
}

static int count_vessel(void *context, const struct vessel_row *row)
{
    (void)row;
    ++*(int *)context;
    return 0;
}

static int vessels_of(const struct id *run_id)
{
    struct error error = ERROR_INIT;
    int count = 0;
    ck_assert_int_eq(store_list_vessels(fixture.store, run_id, count_vessel, &count, &error), 0);
    return count;
}

/* ---- one batch ---- */

/* Invariants 1 and 4. */
TEST(items_of_each_kind_are_written_in_order_with_one_sync)
{
    begin();
    struct id scheduled = store_fixture_accept(&fixture, 1).run_id;
    struct store_check check = {0};
    struct accepted accepted = {0};
    struct call call = {.org_name = "built"};
    struct start start;
    struct store_item items[] = {check_item(&check, hash), accept_item(&accepted, hash),
                                 start_item(&start, &scheduled), call_item(&call)};
    faulty_vfs_reset();
    expect_written(items, ARRAY_COUNT(items), STORE_DONE);
    for (size_t i = 0; i < ARRAY_COUNT(items); i++)
        ck_assert_msg(!error_is_set(&items[i].error), "%zu: %s", i, items[i].error.message);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_ANY_FILE), 1);
    ck_assert_int_eq(call.applied, 1);
    ck_assert(id_equal(&check.fleet_id, &fleet_id));
    ck_assert(id_equal(&accepted.accept.ids.fleet_id, &fleet_id));
    store_fixture_reopen(&fixture);
    expect_open(1, 1);
    ck_assert(is_scheduled(&accepted.accept.ids.run_id));
    ck_assert_int_eq(vessels_of(&scheduled), 2);
    ck_assert(org_is_there("built"));
    finish();
}

/* Invariant 5. */
TEST(item_refused_half_way_leaves_nothing_and_the_others_are_written)
{
    begin();
    struct id scheduled = store_fixture_accept(&fixture, 1).run_id;
    struct accepted before = {0}, strangers = {0}, after = {0};
    struct store_check unknown = {0};
    struct call refused = {.org_name = "refused", .accepts_run = true, .refusal = ERROR_CONFLICT};
    struct call applied = {.org_name = "applied"};
    struct start half;
    struct store_item items[] = {accept_item(&before, hash),
                                 call_item(&refused),
                                 start_item(&half, &scheduled),
                                 check_item(&unknown, strangers_hash),
                                 accept_item(&strangers, strangers_hash),
                                 call_item(&applied),
                                 accept_item(&after, hash)};
    static const enum error_kind kinds[] = {ERROR_NONE,      ERROR_CONFLICT,  ERROR_CONFLICT,
                                            ERROR_NOT_FOUND, ERROR_NOT_FOUND, ERROR_NONE,
                                            ERROR_NONE};
    half.step.attempt = 2; /* the run could be started, but not this attempt */
    expect_written(items, ARRAY_COUNT(items), STORE_DONE);
    for (size_t i = 0; i < ARRAY_COUNT(items); i++)
        ck_assert_msg(items[i].error.kind == kinds[i], "%zu: %s", i, items[i].error.message);
    store_fixture_reopen(&fixture);
    expect_open(3, 0);
    ck_assert(is_scheduled(&scheduled));
    ck_assert(is_scheduled(&before.accept.ids.run_id));
    ck_assert(is_scheduled(&after.accept.ids.run_id));
    ck_assert(!is_scheduled(&refused.ids.run_id));
    ck_assert_int_eq(vessels_of(&scheduled), 0);
    ck_assert(!org_is_there("refused"));
    ck_assert(org_is_there("applied"));
    finish();
}

/* Invariant 5: a step or a call also fails alone if something is short for a while. */
TEST(call_that_fails_for_a_reason_of_its_own_fails_alone)
{
    static const enum error_kind kinds[] = {ERROR_INTERNAL, ERROR_INVALID,     ERROR_NOT_FOUND,
                                            ERROR_CONFLICT, ERROR_UNAVAILABLE, ERROR_STALE};
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct accepted accepted = {0};
        struct call refused = {.org_name = "refused", .refusal = kinds[i]};
        struct store_item items[] = {call_item(&refused), accept_item(&accepted, hash)};
        expect_written(items, ARRAY_COUNT(items), STORE_DONE);
        ck_assert_int_eq(items[0].error.kind, kinds[i]);
        ck_assert(!error_is_set(&items[1].error));
        ck_assert(!org_is_there("refused"));
        expect_open((int64_t)i + 1, 0);
    }
    finish();
}

/* Invariants 5 and 6. */
TEST(call_that_reports_a_disk_error_loses_the_whole_batch)
{
    static const struct {
        enum error_kind kind;
        enum store_outcome outcome;
    } rows[] = {{ERROR_FULL, STORE_NOTHING}, {ERROR_IO, STORE_FAILED_DISK}};
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct accepted accepted = {0};
        struct call applied = {.org_name = "applied"}, last = {.refusal = rows[i].kind};
        struct store_item items[] = {accept_item(&accepted, hash), call_item(&applied),
                                     call_item(&last)};
        expect_lost(items, ARRAY_COUNT(items), rows[i].kind, rows[i].outcome);
        ck_assert(!org_is_there("applied"));
        expect_open(0, 0);
    }
    struct accepted next = {0};
    struct store_item item = accept_item(&next, hash);
    expect_written(&item, 1, STORE_DONE);
    expect_open(1, 0);
    finish();
}

TEST(batch_that_changes_nothing_costs_no_sync)
{
    begin();
    struct store_check known = {0}, unknown = {0};
    struct accepted strangers = {0};
    struct call idle = {0}, refused = {.refusal = ERROR_INVALID};
    struct store_item checks[] = {check_item(&known, hash), check_item(&unknown, strangers_hash)};
    struct store_item refusals[] = {call_item(&refused), accept_item(&strangers, strangers_hash)};
    struct store_item call = call_item(&idle);
    expect_written(checks, ARRAY_COUNT(checks), STORE_NOTHING);
    ck_assert(!error_is_set(&checks[0].error));
    ck_assert_int_eq(checks[1].error.kind, ERROR_NOT_FOUND);
    ck_assert(id_equal(&known.fleet_id, &fleet_id));
    expect_written(refusals, ARRAY_COUNT(refusals), STORE_NOTHING);
    expect_written(&call, 1, STORE_NOTHING);
    expect_written(NULL, 0, STORE_NOTHING);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_ANY_FILE), 0);
    finish();
}

TEST(batch_whose_items_were_all_undone_commits_nothing)
{
    begin();
    struct id scheduled = store_fixture_accept(&fixture, 1).run_id;
    struct call refused = {.org_name = "refused", .accepts_run = true, .refusal = ERROR_INVALID};
    struct start half;
    struct store_item items[] = {call_item(&refused), start_item(&half, &scheduled)};
    half.step.attempt = 2;
    expect_written(items, ARRAY_COUNT(items), STORE_NOTHING);
    ck_assert_int_eq(items[0].error.kind, ERROR_INVALID);
    ck_assert_int_eq(items[1].error.kind, ERROR_CONFLICT);
    expect_open(1, 0);
    ck_assert(!org_is_there("refused"));
    finish();
}

TEST(item_that_is_written_again_drops_its_earlier_error)
{
    begin();
    struct call call = {.org_name = "again", .refusal = ERROR_UNAVAILABLE};
    struct store_item item = call_item(&call);
    expect_written(&item, 1, STORE_NOTHING);
    ck_assert_int_eq(item.error.kind, ERROR_UNAVAILABLE);
    call.refusal = ERROR_NONE;
    expect_written(&item, 1, STORE_DONE);
    ck_assert(!error_is_set(&item.error));
    ck_assert_int_eq(call.applied, 2);
    ck_assert(org_is_there("again"));
    finish();
}

/* Invariant 9: this includes the numbers of a lost batch. */
TEST(run_numbers_grow_across_lost_batches_and_refused_calls)
{
    begin();
    struct call refused = {.accepts_run = true, .refusal = ERROR_CONFLICT};
    struct call lost = {.accepts_run = true};
    struct call full = {.refusal = ERROR_FULL}, stored = {.accepts_run = true};
    struct store_item first = call_item(&refused), last = call_item(&stored);
    struct store_item batch[] = {call_item(&lost), call_item(&full)};
    expect_written(&first, 1, STORE_NOTHING);
    expect_lost(batch, ARRAY_COUNT(batch), ERROR_FULL, STORE_NOTHING);
    expect_written(&last, 1, STORE_DONE);
    int64_t numbers[] = {id_run_number(&refused.ids.run_id), id_run_number(&lost.ids.run_id),
                         id_run_number(&stored.ids.run_id)};
    ck_assert_int_lt(numbers[0], numbers[1]);
    ck_assert_int_lt(numbers[1], numbers[2]);
    expect_open(1, 0);
    finish();
}

/* ---- a disk that fails ---- */

/* Invariant 6. */
TEST(batch_whose_sync_fails_reports_that_the_disk_failed)
{
    begin();
    struct accepted accepted = {0};
    struct store_item item = accept_item(&accepted, hash);
    faulty_vfs_fail(&(struct faulty_plan){.operation = FAULTY_SYNC,
                                          .file = FAULTY_LOG,
                                          .nth = 1,
                                          .code = SQLITE_IOERR_FSYNC,
                                          .errnum = ENOSPC});
    expect_lost(&item, 1, ERROR_IO, STORE_FAILED_DISK);
    ck_assert_int_eq(faulty_vfs_failures(), 1);
    finish();
}

/* Creates items with bodies so large that pages are written long before the commit. */
static size_t large_items(struct accepted *accepted, struct store_item *items)
{
    static const char body[60000];
    for (size_t i = 0; i < MAX_ITEMS; i++) {
        items[i] = accept_item(&accepted[i], hash);
        accepted[i].input.body = body;
        accepted[i].input.body_bytes = sizeof(body);
    }
    return MAX_ITEMS;
}

/* Invariants 5 and 6. */
TEST(disk_that_fills_up_during_a_batch_loses_it_and_later_batches_succeed)
{
    static const struct faulty_plan plans[] = {
        {FAULTY_WRITE, FAULTY_LOG, 20, true, SQLITE_FULL, 0},
        {FAULTY_WRITE, FAULTY_LOG, 20, true, SQLITE_IOERR_WRITE, ENOSPC},
    };
    static struct accepted accepted[MAX_ITEMS];
    static struct store_item items[MAX_ITEMS];
    begin();
    struct id scheduled = store_fixture_accept(&fixture, 1).run_id;
    for (size_t i = 0; i < ARRAY_COUNT(plans); i++) {
        struct start start;
        size_t count = large_items(accepted, items);
        items[0] = start_item(&start, &scheduled);
        faulty_vfs_fail(&plans[i]);
        expect_lost(items, count, ERROR_FULL, STORE_NOTHING);
        faulty_vfs_reset();
        expect_open(1, 0);
        ck_assert_int_eq(vessels_of(&scheduled), 0);
    }
    struct start start;
    size_t count = large_items(accepted, items);
    items[0] = start_item(&start, &scheduled);
    expect_written(items, count, STORE_DONE);
    store_fixture_reopen(&fixture);
    expect_open((int64_t)count - 1, 1);
    finish();
}

/* ---- upkeep ---- */

static struct {
    atomic_int calls;
    sem_t called;
} told;

static void disk_failed(void *context, const struct error *error)
{
    ck_assert_ptr_eq(context, &told);
    ck_assert_int_eq(error->kind, ERROR_IO);
    atomic_fetch_add(&told.calls, 1);
    sem_post(&told.called);
}

static void start_upkeep(int64_t min_free_bytes)
{
    struct error error = ERROR_INIT;
    const struct store_upkeep upkeep = {min_free_bytes, disk_failed, &told};
    sem_init(&told.called, 0, 0);
    ck_assert_msg(store_start_upkeep(fixture.store, &upkeep, &error) == 0, "%s", error.message);
}

/* Invariant 6. */
TEST(no_batch_is_written_once_a_checkpoint_has_failed)
{
    static struct accepted accepted[MAX_ITEMS];
    static struct store_item items[MAX_ITEMS], *pointers[MAX_ITEMS];
    begin();
    start_upkeep(0);
    faulty_vfs_fail(
        &(struct faulty_plan){FAULTY_SYNC, FAULTY_DATABASE, 1, true, SQLITE_IOERR_FSYNC, EIO});
    struct error error = ERROR_INIT;
    enum store_outcome outcome = STORE_DONE;
    int64_t stored = 0;
    for (int i = 0; i < 1000 && !error_is_set(&error); i++) {
        size_t count = large_items(accepted, items);
        for (size_t k = 0; k < count; k++)
            pointers[k] = &items[k];
        if (store_write(fixture.store, pointers, count, &outcome, &error) == 0)
            stored += (int64_t)count;
    }
    ck_assert_int_eq(error.kind, ERROR_IO);
    ck_assert_int_eq(outcome, STORE_FAILED_DISK);
    while (sem_wait(&told.called) != 0)
        ;
    struct call call = {.org_name = "later"};
    struct store_item item = call_item(&call);
    expect_lost(&item, 1, ERROR_IO, STORE_FAILED_DISK);
    ck_assert_int_eq(call.applied, 0);
    faulty_vfs_reset(); /* the failure persists until the process ends */
    expect_lost(&item, 1, ERROR_IO, STORE_FAILED_DISK);
    ck_assert_int_eq(told.calls, 1);
    expect_open(stored, 0);
    finish();
}

TEST(upkeep_reports_the_free_space_and_counts)
{
    begin();
    struct error error = ERROR_INIT;
    start_upkeep(1);
    ck_assert_int_eq(store_has_room(fixture.store, 1, &error), 0);
    ck_assert_int_eq(store_has_room(fixture.store, INT64_MAX, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    error_clear(&error);
    store_set_min_free(fixture.store, INT64_MAX);
    ck_assert_int_eq(store_has_room(fixture.store, 0, &error), -1);
    struct accepted accepted = {0};
    struct store_item item = accept_item(&accepted, hash);
    expect_written(&item, 1, STORE_DONE); /* the caller must check the free space */
    struct store_metrics metrics;
    store_get_metrics(fixture.store, &metrics);
    ck_assert_int_gt(metrics.space.free_bytes, 0);
    ck_assert_int_gt(metrics.log_frames, 0);
    ck_assert_int_ge(metrics.commit_us_sum, 0);
    finish();
}

TEST(upkeep_that_cannot_read_the_folder_fails_and_the_store_can_be_closed)
{
    begin();
    struct error error = ERROR_INIT;
    struct store_options options = fixture.options;
    char *path = memory_format("%s/webhookd.db", fixture.folder);
    char *missing = memory_format("%s/missing", fixture.folder);
    char *location = memory_format("sqlite:%s", path);
    store_close(fixture.store);
    options.state_dir = missing;
    options.location = location;
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    const struct store_upkeep upkeep = {0, disk_failed, &told};
    ck_assert_int_eq(store_start_upkeep(store, &upkeep, &error), -1);
    ck_assert(error_is_set(&error));
    store_close(store);
    fixture.store = NULL;
    free(location);
    free(missing);
    free(path);
    finish();
}

/* The checkpointer finds no database; the thread that watches the free space has already
 * started. */
TEST(upkeep_that_fails_half_way_ends_with_its_store)
{
    begin();
    struct error error = ERROR_INIT;
    const struct store_upkeep upkeep = {0, disk_failed, &told};
    char *path = memory_format("%s/webhookd.db", fixture.folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(store_start_upkeep(fixture.store, &upkeep, &error), -1);
    ck_assert(error_is_set(&error));
    free(path);
    finish();
}

/* ---- backup ---- */

static int64_t guarded_bytes;
static int guard_calls;

static int count_guard(void *context, int64_t bytes_left, struct error *error)
{
    (void)error;
    ck_assert_ptr_null(context);
    if (guard_calls++ == 0)
        guarded_bytes = bytes_left;
    return 0;
}

static int break_off(void *context, int64_t bytes_left, struct error *error)
{
    (void)context, (void)bytes_left;
    return error_set(error, ERROR_UNAVAILABLE, "broken off");
}

static bool is_there(const char *name)
{
    char *path = memory_format("%s/%s", fixture.folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static void leave_file(const char *name)
{
    char *path = memory_format("%s/%s", fixture.folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, "left over", 9), 9);
    close(fd);
    free(path);
}

static void expect_no_copy(void)
{
    ck_assert(!is_there("backup.tmp"));
    ck_assert(!is_there("backup.tmp-wal"));
    ck_assert(!is_there("backup.tmp-shm"));
}

static int64_t query(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void begin_session(void)
{
    struct error error = ERROR_INIT;
    struct id key_id;
    const struct session_time time = {clock_wall_ms(), 60000};
    const struct new_key key = {.name = "deploy", .role = ROLE_OWNER, .life = {1, 0}};
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_key(fixture.store, &key, &key_id, &error), 0);
    ck_assert_int_eq(store_begin_session(fixture.store, hash, &key_id, &time, &error), 0);
    store_fixture_commit(&fixture);
}

/* Copies the content of the descriptor to a file beside the store and returns its path. Free it. */
static char *keep_copy(int fd, const char *name)
{
    static char bytes[1 << 16];
    char *path = memory_format("%s/%s", fixture.folder, name);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(to, 0);
    ssize_t count;
    for (off_t at = 0; (count = pread(fd, bytes, sizeof(bytes), at)) > 0; at += count)
        ck_assert_int_eq(write(to, bytes, (size_t)count), count);
    ck_assert_int_eq(count, 0);
    close(to);
    return path;
}

TEST(backup_is_an_unnamed_file_with_everything_but_the_sessions)
{
    begin();
    struct error error = ERROR_INIT;
    const struct store_backup_guard guard = {.may_go_on = count_guard};
    start_upkeep(0);
    begin_session();
    store_fixture_accept(&fixture, 1);
    leave_file("backup.tmp");
    leave_file("backup.tmp-wal");
    int fd = store_backup(fixture.store, &guard, &error);
    ck_assert_msg(fd >= 0, "%s", error.message);
    expect_no_copy();
    struct stat status;
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(status.st_nlink, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_gt(guard_calls, 0);
    ck_assert_int_eq(guarded_bytes, status.st_size);
    char *path = keep_copy(fd, "webhookd.db-copy");
    ck_assert_int_eq(query(path, "SELECT count(*) FROM run"), 1);
    ck_assert_int_eq(query(path, "SELECT count(*) FROM api_key"), 1);
    ck_assert_int_eq(query(path, "SELECT count(*) FROM session"), 0);
    ck_assert_int_eq(query(path, "SELECT count(*) FROM pragma_integrity_check "
                                 "WHERE integrity_check <> 'ok'"),
                     0);
    ck_assert_str_eq(store_backup_name(fixture.store), "webhookd.db");
    store_fixture_accept(&fixture, 1); /* the store still works */
    expect_open(2, 0);
    free(path);
    close(fd);
    finish();
}

TEST(aborted_backup_reports_the_reason_and_leaves_no_file)
{
    begin();
    struct error error = ERROR_INIT;
    const struct store_backup_guard guard = {.may_go_on = break_off}, willing = {count_guard, NULL};
    start_upkeep(0);
    ck_assert_int_eq(store_backup(fixture.store, &guard, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    ck_assert_str_eq(error.message, "broken off");
    expect_no_copy();
    error_clear(&error);
    int fd = store_backup(fixture.store, &willing, &error);
    ck_assert_msg(fd >= 0, "%s", error.message);
    close(fd);
    finish();
}

/* If a failed backup left a reader, no checkpoint could let the log start over. */
SLOW_TEST(log_starts_over_after_backups_that_failed, 300)
{
    static struct accepted accepted[MAX_ITEMS];
    static struct store_item items[MAX_ITEMS];
    begin();
    const struct store_backup_guard guard = {.may_go_on = break_off};
    start_upkeep(0);
    for (int i = 0; i < 3; i++) {
        struct error error = ERROR_INIT;
        ck_assert_int_eq(store_backup(fixture.store, &guard, &error), -1);
    }
    int64_t longest = 0;
    for (int i = 0; i < 40; i++) { /* about 150 MiB of log */
        struct store_metrics metrics;
        size_t count = large_items(accepted, items);
        expect_written(items, count, STORE_DONE);
        store_get_metrics(fixture.store, &metrics);
        longest = metrics.log_frames > longest ? metrics.log_frames : longest;
    }
    ck_assert_int_gt(longest, 8000);
    ck_assert_int_lt(longest, 20000); /* it starts over at 64 MiB, 16,384 frames */
    finish();
}

/* ---- the store's location and existence ---- */

TEST(location_is_a_file_in_the_state_folder_that_is_not_one_of_webhookds)
{
    static const char *const good[] = {"sqlite:webhookd.db", "sqlite:db/webhookd.db", "sqlite:...",
                                       "sqlite:.hidden",     "sqlite:spool2",         "sqlite:a:b",
                                       "sqlite:db/spool"};
    static const char *const bad[] = {"",
                                      "sqlite",
                                      ":",
                                      ":x",
                                      "sqlite:",
                                      "SQLite:webhookd.db",
                                      "sqlite3:webhookd.db",
                                      "sqlit:webhookd.db",
                                      "postgres:webhookd.db",
                                      "webhookd.db",
                                      "sqlite:/webhookd.db",
                                      "sqlite:db/",
                                      "sqlite:db//x",
                                      "sqlite:.",
                                      "sqlite:..",
                                      "sqlite:./x",
                                      "sqlite:db/./x",
                                      "sqlite:../x",
                                      "sqlite:db/..",
                                      "sqlite:x?mode=ro",
                                      "sqlite:x%41",
                                      "sqlite:spool",
                                      "sqlite:runs/x",
                                      "sqlite:lock",
                                      "sqlite:secret.key",
                                      "sqlite:backup.tmp"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        ck_assert_msg(!store_location_problem(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        const char *problem = store_location_problem(bad[i]);
        ck_assert_msg(problem && strstr(problem, "is not \"sqlite:NAME\""), "%s", bad[i]);
    }
    char longest[300] = "sqlite:";
    memset(longest + 7, 'x', 254);
    ck_assert_ptr_null(store_location_problem(longest));
    longest[7 + 254] = 'x';
    ck_assert_ptr_nonnull(store_location_problem(longest));
}

TEST(store_owns_its_file_and_log_or_the_folder_that_contains_it)
{
    static const struct {
        const char *location, *name;
        bool owns;
    } rows[] = {
        {"sqlite:webhookd.db", "webhookd.db", true},
        {"sqlite:webhookd.db", "webhookd.db-wal", true},
        {"sqlite:webhookd.db", "webhookd.db-shm", true},
        {"sqlite:webhookd.db", "webhookd.d", false},
        {"sqlite:webhookd.db", "other.db", false},
        {"sqlite:db/webhookd.db", "db", true},
        {"sqlite:db/webhookd.db", "db2", false},
        {"sqlite:db/webhookd.db", "d", false},
        {"sqlite:db/webhookd.db", "webhookd.db", false},
        {"postgres:webhookd.db", "webhookd.db", false},
        {"webhookd.db", "webhookd.db", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        ck_assert_msg(store_location_owns(rows[i].location, rows[i].name) == rows[i].owns, "%s: %s",
                      rows[i].location, rows[i].name);
}

static int exists(const char *location, struct error *error)
{
    struct store_options options = fixture.options;
    options.location = location;
    error_clear(error);
    return store_exists(&options, error);
}

TEST(store_that_cannot_be_checked_is_neither_present_nor_missing)
{
    begin();
    struct error error = ERROR_INIT;
    ck_assert_int_eq(exists("sqlite:webhookd.db", &error), 1);
    ck_assert_int_eq(exists("sqlite:other.db", &error), 0);
    ck_assert_int_eq(exists("sqlite:missing/other.db", &error), 0);
    ck_assert(!error_is_set(&error));
    ck_assert_int_eq(exists("sqlite:webhookd.db/x", &error), -1); /* a path below a file */
    ck_assert(error_is_set(&error));
    ck_assert(!is_there("other.db"));
    finish();
}

TEST(store_with_an_unknown_scheme_is_refused_by_name)
{
    begin();
    struct error error = ERROR_INIT;
    struct store_options options = fixture.options;
    options.location = "postgres:webhookd";
    ck_assert_int_eq(exists(options.location, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    error_clear(&error);
    ck_assert_int_eq(store_prepare(&options, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    error_clear(&error);
    ck_assert_ptr_null(store_open(&options, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "postgres:webhookd"));
    store_close(NULL);
    finish();
}
