/* When the checkpointer copies the log. SQLite's checkpoint is replaced by one that reports what
 * the test says and returns when the test lets it; the test reports the commits. */
#include "store/sqlite/checkpointer.h"

#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "support/store_fixture.h"
#include "support/suite.h"

#define COPY_EVERY 1024 /* frames, as in checkpointer.c */

static struct store_fixture fixture;
static struct checkpointer *checkpointer;
static sem_t begun, may_return;
static atomic_int seen_frames, code, reported, reported_at_begin;

int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log_frames,
                                     int *done_frames);

int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log_frames,
                                     int *done_frames)
{
    (void)db;
    (void)name;
    (void)mode;
    atomic_store(&reported_at_begin, atomic_load(&reported));
    sem_post(&begun);
    while (sem_wait(&may_return) != 0)
        ;
    *log_frames = *done_frames = atomic_load(&seen_frames);
    return atomic_load(&code);
}

static void await_begun(void)
{
    while (sem_wait(&begun) != 0)
        ;
}

static void commit(int log_frames)
{
    atomic_store(&reported, log_frames);
    checkpointer_committed(checkpointer, log_frames);
}

static void ignore_failure(void *context, const struct error *error)
{
    (void)context;
    (void)error;
}

static void begin(void)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    sem_init(&begun, 0, 0);
    sem_init(&may_return, 0, 0);
    checkpointer = checkpointer_start(&fixture.options, ignore_failure, NULL, &error);
    ck_assert_msg(checkpointer, "%s", error.message);
}

static void finish(void)
{
    for (int i = 0; i < 3; i++)
        sem_post(&may_return);
    checkpointer_stop(checkpointer);
    store_fixture_close(&fixture);
}

/* Lets the copy that has begun return with this result, and waits until it is over. */
static void let_return(int frames, int result)
{
    uint64_t before, after;
    int64_t log_frames;
    checkpointer_get_metrics(checkpointer, &before, &log_frames);
    atomic_store(&seen_frames, frames);
    atomic_store(&code, result);
    sem_post(&may_return);
    do
        checkpointer_get_metrics(checkpointer, &after, &log_frames);
    while (result == SQLITE_OK && after == before);
}

/* Copies are due every COPY_EVERY frames. Each copy sees the double, so only every other commit is
 * followed by a copy: the log stays below the length from which it must start over. */
static void expect_one_copy_for_two_commits(bool during)
{
    begin();
    for (int frames = 0; frames < 14 * COPY_EVERY; frames += 2 * COPY_EVERY) {
        commit(frames + COPY_EVERY);
        await_begun();
        ck_assert_int_eq(atomic_load(&reported_at_begin), frames + COPY_EVERY);
        if (during)
            commit(frames + 2 * COPY_EVERY);
        let_return(frames + 2 * COPY_EVERY, SQLITE_OK);
        if (!during)
            commit(frames + 2 * COPY_EVERY);
    }
    finish();
}

TEST(commits_that_are_reported_during_the_copy_that_saw_them_cause_no_second_one)
{
    expect_one_copy_for_two_commits(true);
}

TEST(commits_that_are_reported_after_the_copy_that_saw_them_cause_no_second_one)
{
    expect_one_copy_for_two_commits(false);
}

/* Otherwise the copy of the new log would come 4 MiB too late. */
TEST(a_log_that_starts_over_during_a_copy_is_copied_after_its_first_4_mib)
{
    begin();
    commit(2 * COPY_EVERY);
    await_begun();
    commit(1);
    let_return(2 * COPY_EVERY, SQLITE_OK);
    commit(COPY_EVERY);
    await_begun();
    finish();
}

TEST(a_failed_copy_is_tried_again_after_the_next_4_mib_whatever_it_reported)
{
    begin();
    commit(COPY_EVERY);
    await_begun();
    let_return(9 * COPY_EVERY, SQLITE_BUSY);
    commit(2 * COPY_EVERY);
    await_begun();
    finish();
}
