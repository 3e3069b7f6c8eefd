/* The store on a failing disk: the error kind of each failure, and the state afterwards. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "store/sqlite/connection.h"
#include "support/faulty_vfs.h"
#include "store/sqlite/checkpointer.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

static void open_faulty(void)
{
    faulty_vfs_register();
    store_fixture_open(&fixture, FAULTY_VFS);
    store_fixture_fleet(&fixture, "greet", 1);
    faulty_vfs_reset();
}

static int64_t scheduled(void)
{
    struct error error = ERROR_INIT;
    struct run_counts counts;
    ck_assert_int_eq(store_count_open_runs(fixture.store, &counts, &error), 0);
    return counts.scheduled;
}

static enum error_kind commit_one(void)
{
    struct error error = ERROR_INIT;
    store_fixture_begin(&fixture);
    store_fixture_accept(&fixture, 1);
    int result = transaction_commit(fixture.store, &error);
    ck_assert_int_eq(result, error.kind == ERROR_NONE ? 0 : -1);
    transaction_rollback(fixture.store);
    return error.kind;
}

/* Invariant 1. */
TEST(one_sync_serves_a_whole_batch)
{
    open_faulty();
    store_fixture_begin(&fixture);
    for (int i = 0; i < 100; i++)
        store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_ANY_FILE), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_LOG), 1);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_ANY_FILE), 1);
    store_fixture_close(&fixture);
}

TEST(relaxed_sync_commits_without_a_sync)
{
    open_faulty();
    fixture.options.relaxed_sync = true;
    store_fixture_reopen(&fixture);
    store_fixture_accept(&fixture, 1); /* writes the log's first frames */
    faulty_vfs_reset();
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(faulty_vfs_count(FAULTY_SYNC, FAULTY_ANY_FILE), 0);
    store_fixture_close(&fixture);
}

/* Invariant 6. */
TEST(failed_sync_is_an_io_error_whatever_its_reason)
{
    static const int reasons[] = {EIO, ENOSPC};
    open_faulty();
    for (int i = 0; i < 2; i++) {
        faulty_vfs_fail(&(struct faulty_plan){.operation = FAULTY_SYNC,
                                              .file = FAULTY_LOG,
                                              .nth = 1,
                                              .code = SQLITE_IOERR_FSYNC,
                                              .errnum = reasons[i]});
        ck_assert_int_eq(commit_one(), ERROR_IO);
        ck_assert_int_eq(faulty_vfs_failures(), i + 1);
    }
    store_fixture_close(&fixture);
}

/* Invariant 6. */
TEST(full_disk_rolls_back_and_commits_succeed_again_when_there_is_room)
{
    static const struct faulty_plan plans[] = {
        {FAULTY_WRITE, FAULTY_LOG, 1, true, SQLITE_FULL, 0},
        {FAULTY_WRITE, FAULTY_LOG, 2, true, SQLITE_FULL, 0},
        {FAULTY_WRITE, FAULTY_LOG, 1, true, SQLITE_IOERR_WRITE, ENOSPC},
        {FAULTY_WRITE, FAULTY_LOG, 3, true, SQLITE_IOERR_WRITE, EDQUOT},
    };
    open_faulty();
    ck_assert_int_eq(commit_one(), ERROR_NONE);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        int64_t before = scheduled();
        faulty_vfs_fail(&plans[i]);
        ck_assert_int_eq(commit_one(), ERROR_FULL);
        ck_assert_int_eq(commit_one(), ERROR_FULL);
        ck_assert_int_eq(scheduled(), before);
        faulty_vfs_reset();
        ck_assert_int_eq(commit_one(), ERROR_NONE);
        ck_assert_int_eq(scheduled(), before + 1);
    }
    store_fixture_reopen(&fixture);
    ck_assert_int_eq(scheduled(), 5);
    store_fixture_close(&fixture);
}

TEST(failed_write_is_an_io_error)
{
    open_faulty();
    faulty_vfs_fail(&(struct faulty_plan){.operation = FAULTY_WRITE,
                                          .file = FAULTY_LOG,
                                          .nth = 1,
                                          .code = SQLITE_IOERR_WRITE,
                                          .errnum = EIO});
    ck_assert_int_eq(commit_one(), ERROR_IO);
    store_fixture_close(&fixture);
}

/* Invariant 5. */
TEST(disk_that_fills_up_inside_a_batch_leaves_nothing_of_it)
{
    struct error error = ERROR_INIT;
    open_faulty();
    /* A body so large that pages are written before the commit. */
    static char body[60000];
    struct run_input input = store_fixture_input();
    input.body = body;
    input.body_bytes = sizeof(body);
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, 1, sizeof(hash));
    faulty_vfs_fail(&(struct faulty_plan){
        .operation = FAULTY_WRITE, .nth = 20, .forever = true, .code = SQLITE_FULL});
    store_fixture_begin(&fixture);
    int accepted = 0;
    struct run_ids ids;
    while (accepted < 1000 && sqlite_accept_hook(fixture.store, hash, &input, &ids, &error) == 0)
        accepted++;
    ck_assert_int_lt(accepted, 1000);
    ck_assert_int_eq(error.kind, ERROR_FULL);
    ck_assert(!transaction_is_open(fixture.store));
    error_clear(&error);
    ck_assert_int_eq(transaction_commit(fixture.store, &error), -1);
    faulty_vfs_reset();
    ck_assert_int_eq(scheduled(), 0);
    ck_assert_int_eq(commit_one(), ERROR_NONE);
    store_fixture_close(&fixture);
}

/* Invariant 6. */
TEST(checkpoint_copies_the_log_and_reports_a_failed_sync)
{
    struct error error = ERROR_INIT;
    open_faulty();
    struct store *checkpointer = connection_open_checkpointer(&fixture.options, &error);
    ck_assert_ptr_nonnull(checkpointer);
    int log_frames = 0, done_frames = 0;
    store_fixture_accept(&fixture, 1);
    faulty_vfs_fail(&(struct faulty_plan){.operation = FAULTY_SYNC,
                                          .file = FAULTY_DATABASE,
                                          .nth = 1,
                                          .code = SQLITE_IOERR_FSYNC,
                                          .errnum = EIO});
    ck_assert_int_eq(checkpointer_copy(checkpointer, false, &log_frames, &done_frames, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_IO);
    error_clear(&error);
    ck_assert_int_eq(checkpointer_copy(checkpointer, true, &log_frames, &done_frames, &error), 0);
    ck_assert_int_gt(log_frames, 0);
    ck_assert_int_eq(log_frames, done_frames);
    /* The log starts over. */
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(checkpointer_copy(checkpointer, false, &log_frames, &done_frames, &error), 0);
    ck_assert_int_le(log_frames, 8);
    store_close(checkpointer);
    store_fixture_close(&fixture);
}

static int checkpoint_inside(void *context, const struct org_row *row)
{
    struct error error = ERROR_INIT;
    (void)row;
    int log_frames, done_frames;
    ck_assert_int_eq(checkpointer_copy(context, false, &log_frames, &done_frames, &error), 0);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(checkpointer_copy(context, false, &log_frames, &done_frames, &error), 0);
    ck_assert_int_lt(done_frames, log_frames);
    ck_assert_int_eq(checkpointer_copy(context, true, &log_frames, &done_frames, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    return 0;
}

TEST(checkpoint_that_a_reader_blocks_reports_it)
{
    struct error error = ERROR_INIT;
    open_faulty();
    struct store_options options = fixture.options;
    options.mode = STORE_READ;
    struct store *reader = store_open(&options, &error);
    struct store *checkpointer = connection_open_checkpointer(&fixture.options, &error);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(store_list_orgs(reader, checkpoint_inside, checkpointer, &error), 0);
    store_close(checkpointer);
    store_close(reader);
    store_fixture_close(&fixture);
}

/* Invariant 3. */
TEST(second_writer_gets_busy)
{
    struct error error = ERROR_INIT;
    open_faulty();
    struct store *other = connection_open_checkpointer(&fixture.options, &error);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(transaction_begin(other, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    transaction_rollback(fixture.store);
    store_close(other);
    store_fixture_close(&fixture);
}

TEST(codes_of_sqlite_map_to_error_kinds)
{
    static const struct {
        int code, errnum;
        enum error_kind kind;
    } rows[] = {
        {SQLITE_FULL, 0, ERROR_FULL},
        {SQLITE_IOERR_WRITE, ENOSPC, ERROR_FULL},
        {SQLITE_IOERR_SHMSIZE, ENOSPC, ERROR_FULL},
        {SQLITE_IOERR_WRITE, EFBIG, ERROR_FULL},
        {SQLITE_CANTOPEN, ENOSPC, ERROR_FULL},
        {SQLITE_IOERR_WRITE, EIO, ERROR_IO},
        {SQLITE_IOERR_READ, EIO, ERROR_IO},
        {SQLITE_IOERR_FSYNC, ENOSPC, ERROR_IO},
        {SQLITE_IOERR_DIR_FSYNC, EIO, ERROR_IO},
        {SQLITE_IOERR_NOMEM, 0, ERROR_INTERNAL},
        {SQLITE_CANTOPEN, EACCES, ERROR_INTERNAL},
        {SQLITE_BUSY_SNAPSHOT, 0, ERROR_UNAVAILABLE},
        {SQLITE_CORRUPT, 0, ERROR_INTERNAL},
        {SQLITE_NOTADB, 0, ERROR_INTERNAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_int_eq(statement_error_kind(rows[i].code, rows[i].errnum), rows[i].kind);
}
