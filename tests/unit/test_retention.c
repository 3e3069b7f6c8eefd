/* Deleting old runs, and giving their space back to the file system. */
#include "retention/retention.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/sqlite/checkpointer.h"
#include "support/store_fixture.h"
#include "support/suite.h"

#define DAY_MS INT64_C(86400000)

static struct store_fixture fixture;

static int count_run(void *context, const struct run_row *row)
{
    (void)row;
    ++*(int *)context;
    return 0;
}

static int count_runs(void)
{
    struct error error = ERROR_INIT;
    struct run_filter filter = {.limit = 10000};
    int count = 0;
    ck_assert_int_eq(store_list_runs(fixture.store, &filter, count_run, &count, &error), 0);
    return count;
}

static int find(int64_t before_ms, struct expired_run *runs, int limit)
{
    struct error error = ERROR_INIT;
    int count = store_find_expired(fixture.store, before_ms, limit, runs, &error);
    ck_assert_msg(count >= 0, "%s", error.message);
    return count;
}

TEST(only_ended_runs_that_are_old_enough_are_found_and_never_the_newest)
{
    struct expired_run runs[8];
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids first = store_fixture_accept(&fixture, 1),
                   waits = store_fixture_accept(&fixture, 1),
                   second = store_fixture_accept(&fixture, 1);
    store_fixture_finish(&fixture, &first.run_id, RUN_SUCCESS);
    store_fixture_finish(&fixture, &second.run_id, RUN_ERRORED);
    int64_t now_ms = clock_wall_ms();
    ck_assert_int_eq(find(now_ms - DAY_MS, runs, 8), 0);
    /* The other ended run is the newest. */
    ck_assert_int_eq(find(now_ms + DAY_MS, runs, 8), 1);
    ck_assert(id_equal(&runs[0].id, &first.run_id));
    struct run_ids newest = store_fixture_accept(&fixture, 1);
    store_fixture_finish(&fixture, &newest.run_id, RUN_SUCCESS);
    ck_assert_int_eq(find(now_ms + DAY_MS, runs, 8), 2);
    ck_assert_int_eq(find(now_ms + DAY_MS, runs, 1), 1);
    (void)waits;
    store_fixture_close(&fixture);
}

TEST(a_deleted_run_leaves_no_row_and_an_open_one_is_not_deleted)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids old = store_fixture_accept(&fixture, 1),
                   open = store_fixture_accept(&fixture, 1);
    store_fixture_finish(&fixture, &old.run_id, RUN_SUCCESS);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_run(fixture.store, id_run_number(&old.run_id), &error), 0);
    ck_assert_int_eq(store_delete_run(fixture.store, id_run_number(&open.run_id), &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(count_runs(), 1);
    store_fixture_close(&fixture);
}

static int64_t file_bytes(void)
{
    struct stat status;
    char *path = memory_format("%s/webhookd.db", fixture.folder);
    ck_assert_int_eq(stat(path, &status), 0);
    free(path);
    return status.st_size;
}

static void checkpoint(void)
{
    struct error error = ERROR_INIT;
    int frames, done;
    struct store *checkpointer = connection_open_checkpointer(&fixture.options, &error);
    ck_assert_ptr_nonnull(checkpointer);
    ck_assert_msg(checkpointer_copy(checkpointer, true, &frames, &done, &error) == 0, "%s",
                  error.message);
    store_close(checkpointer);
}

/* Runs of 60 kB each, more than the space that is kept for later runs. */
TEST(space_is_given_back_in_steps)
{
    enum { RUNS = 2500, BODY = 60000 };
    struct error error = ERROR_INIT;
    uint8_t hash[SECRET_HASH_BYTES];
    struct run_ids ids;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = store_fixture_input();
    char *body = memory_alloc(BODY);
    memset(body, 'b', BODY);
    memset(hash, 1, sizeof(hash));
    input.body = body;
    input.body_bytes = BODY;
    for (int i = 0; i < RUNS; i++) {
        if (i % 100 == 0)
            store_fixture_begin(&fixture);
        ck_assert_int_eq(sqlite_accept_hook(fixture.store, hash, &input, &ids, &error), 0);
        if (i % 100 == 99)
            store_fixture_commit(&fixture);
    }
    checkpoint();
    int64_t full = file_bytes();
    ck_assert_int_gt(full, (int64_t)RUNS * BODY);

    /* The runs must have ended: ends them as quickly as possible. */
    struct expired_run runs[100];
    struct scheduled_run scheduled[100];
    struct definition definition = store_fixture_definition("greet");
    for (int count; (count = store_find_scheduled(fixture.store, 0, 100, scheduled, &error)) > 0;) {
        store_fixture_begin(&fixture);
        for (int i = 0; i < count; i++) {
            struct id vessels[2] = {id_random(), id_random()};
            int64_t number = scheduled[i].number;
            ck_assert_int_eq(
                sqlite_start_run(fixture.store, number, &definition, vessels, 1, &error), 0);
            ck_assert_int_eq(sqlite_end_run(fixture.store, number, RUN_TERMINATED, 2, &error), 0);
        }
        store_fixture_commit(&fixture);
    }
    for (int count; (count = find(clock_wall_ms() + DAY_MS, runs, 100)) > 0;) {
        store_fixture_begin(&fixture);
        for (int i = 0; i < count; i++)
            ck_assert_int_eq(store_delete_run(fixture.store, runs[i].number, &error), 0);
        store_fixture_commit(&fixture);
    }
    ck_assert_int_eq(count_runs(), 1);
    bool is_more = true;
    int steps = 0;
    while (is_more) {
        store_fixture_begin(&fixture);
        ck_assert_msg(store_give_back(fixture.store, &is_more, &error) == 0, "%s", error.message);
        store_fixture_commit(&fixture);
        ck_assert_int_lt(steps++, 800);
    }
    ck_assert_int_gt(steps, 2);
    checkpoint();
    ck_assert_int_lt(file_bytes(), full * 2 / 3); /* 64 MiB are kept for later runs */
    free(body);
    store_fixture_close(&fixture);
}

static int stop_at_none(void *context, const struct run_row *row)
{
    (void)context, (void)row;
    return 0;
}

/* A search that takes too long and would keep the log from starting over. */
TEST(a_read_that_searches_for_too_long_is_aborted)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    for (int i = 0; i < 3000; i++)
        store_fixture_accept(&fixture, 1);
    store_fixture_commit(&fixture);
    struct store_options options = fixture.options;
    options.mode = STORE_READ;
    struct store *reader = store_open(&options, &error);
    ck_assert_ptr_nonnull(reader);
    struct run_filter filter = {.limit = 10000};
    store_set_deadline(reader, 1);
    ck_assert_int_eq(store_list_runs(reader, &filter, stop_at_none, NULL, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    ck_assert_msg(strstr(error.message, "narrow the query"), "%s", error.message);
    error_clear(&error);
    store_set_deadline(reader, 0);
    ck_assert_int_eq(store_list_runs(reader, &filter, stop_at_none, NULL, &error), 0);
    store_close(reader);
    store_fixture_close(&fixture);
}
