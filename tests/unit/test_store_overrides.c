/* The store's overrides of runs: they come and go with their run, and only runs of the API trigger
 * have any. */
#include <string.h>

#include "base/memory.h"
#include "store/credentials.h"
#include "store/sqlite/connection.h"
#include "store/work.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

static const char names[] = "1\0Vfetch\0s\0NSTAGE\0R";
static const uint8_t sealed[SECRET_SEAL_BYTES + 3] = {1, 2, 3};
static const struct run_overrides overrides = {names, sizeof(names), sealed, sizeof(sealed)};

static struct run_input api_input(void)
{
    struct run_input input = store_fixture_input();
    input.trigger = TRIGGER_API;
    input.body_place = BODY_ABSENT;
    input.body_bytes = 0;
    input.overrides = &overrides;
    input.overrides_version = 1;
    return input;
}

/* Accepts a run in a transaction of its own, which is rolled back on an error, as a savepoint would
 * be. */
static struct id accept(const struct id *fleet_id, const struct run_input *input,
                        enum error_kind expected)
{
    struct error error = ERROR_INIT;
    struct run_ids ids = {.run_id = id_random()};
    store_fixture_begin(&fixture);
    store_accept_run(fixture.store, fleet_id, input, &ids, &error);
    ck_assert_int_eq(error.kind, expected);
    if (expected == ERROR_NONE)
        store_fixture_commit(&fixture);
    else
        transaction_rollback(fixture.store);
    return ids.run_id;
}

static int copy(void *context, const struct run_overrides *found)
{
    ck_assert_uint_eq(found->names_bytes, sizeof(names));
    ck_assert_mem_eq(found->names, names, sizeof(names));
    if (found->sealed)
        ck_assert_mem_eq(found->sealed, sealed, sizeof(sealed));
    *(int *)context += found->sealed ? 10 : 1;
    return 0;
}

/* Returns 0 without overrides, 1 with names, 10 with values. */
static int find(const struct id *run_id)
{
    struct error error = ERROR_INIT;
    int found = 0;
    ck_assert_int_eq(store_get_overrides(fixture.store, run_id, copy, &found, &error), 0);
    return found;
}

static int keep_place(void *context, const struct sealed_row *row)
{
    ck_assert_uint_eq(row->sealed_bytes, sizeof(sealed));
    strcat(context, row->place);
    return 0;
}

static void expect_places(const char *expected)
{
    struct error error = ERROR_INIT;
    char places[400] = "";
    ck_assert_int_eq(store_list_sealed(fixture.store, keep_place, places, &error), 0);
    ck_assert_str_eq(places, expected);
}

TEST(overrides_are_stored_with_their_run_and_found_by_it)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    ck_assert_int_eq(find(&run_id), 10);
    const struct run_overrides only_names = {names, sizeof(names), NULL, 0};
    input.request_id = id_ordered();
    input.overrides = &only_names;
    run_id = accept(&fleet_id, &input, ERROR_NONE);
    ck_assert_int_eq(find(&run_id), 1);
    run_id = store_fixture_accept(&fixture, 1).run_id;
    ck_assert_int_eq(find(&run_id), 0);
    store_fixture_close(&fixture);
}

TEST(overrides_that_were_checked_against_another_version_are_stale)
{
    struct error error = ERROR_INIT;
    struct run_counts counts;
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    input.overrides_version = 2;
    accept(&fleet_id, &input, ERROR_STALE);
    ck_assert_int_eq(store_count_open_runs(fixture.store, &counts, &error), 0);
    ck_assert_int_eq(counts.scheduled, 0);
    input.overrides_version = 1;
    accept(&fleet_id, &input, ERROR_NONE);
    store_fixture_close(&fixture);
}

TEST(the_runner_learns_the_names_and_statuses_of_a_run_of_the_api_trigger_only)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    struct run_work *work = store_load_work(fixture.store, id_run_number(&run_id), &error);
    ck_assert_ptr_nonnull(work);
    const struct vessel_override *fetch = overrides_find(&work->overrides, "fetch");
    ck_assert(fetch && fetch->status == OVERRIDE_SUCCESS && fetch->has_arguments);
    ck_assert_ptr_null(overrides_variable(fetch, "STAGE")->value);
    ck_assert(!work->overrides_are_damaged);
    store_free_work(work);
    /* A row that belongs to a run with a body is never looked for. */
    run_id = store_fixture_accept(&fixture, 1).run_id;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(overrides_store(fixture.store, &run_id, &overrides, &error), 0);
    store_fixture_commit(&fixture);
    work = store_load_work(fixture.store, id_run_number(&run_id), &error);
    ck_assert(overrides_are_empty(&work->overrides));
    store_free_work(work);
    store_fixture_close(&fixture);
}

TEST(damaged_names_are_reported_and_do_not_hide_the_run)
{
    struct error error = ERROR_INIT;
    const struct run_overrides damaged = {"2", 2, sealed, sizeof(sealed)};
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    input.overrides = &damaged;
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    struct run_work *work = store_load_work(fixture.store, id_run_number(&run_id), &error);
    ck_assert_ptr_nonnull(work);
    ck_assert(work->overrides_are_damaged);
    store_free_work(work);
    store_fixture_close(&fixture);
}

TEST(the_seals_of_open_runs_prove_a_key_and_those_of_ended_runs_do_not_hold_it)
{
    char place[STORE_OVERRIDES_PLACE_BYTES];
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    expect_places(store_overrides_place(&input.request_id, place));
    store_fixture_finish(&fixture, &run_id, RUN_SUCCESS);
    expect_places("");
    ck_assert_int_eq(find(&run_id), 10); /* for "run again" */
    store_fixture_close(&fixture);
}

static int64_t count_rows(void)
{
    static struct statement count = {.sql = "SELECT count(*) FROM run_override"};
    struct error error = ERROR_INIT;
    int64_t rows = -1;
    sqlite3_stmt *s = statement_begin(fixture.store, &count, &error);
    ck_assert_int_gt(statement_find(fixture.store, s, "count", &rows, &error), 0);
    return rows;
}

TEST(overrides_are_deleted_with_their_run)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    store_fixture_finish(&fixture, &run_id, RUN_SUCCESS);
    ck_assert_int_eq(count_rows(), 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_run(fixture.store, id_run_number(&run_id), &error), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(count_rows(), 0);
    store_fixture_close(&fixture);
}

static int keep_vessel(void *context, const struct vessel_row *row)
{
    struct vessel_row *kept = context;
    kept[row->index] = *row;
    ck_assert_str_eq(row->reason, row->index == 0 ? OVERRIDES_SKIPPED_REASON : "");
    return 0;
}

TEST(a_skipped_vessel_run_has_an_exit_code_and_output_and_no_attempt)
{
    struct error error = ERROR_INIT;
    struct vessel_row rows[2];
    struct definition definition = store_fixture_definition("greet");
    struct id vessel_ids[2] = {id_random(), id_random()};
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = api_input();
    struct id run_id = accept(&fleet_id, &input, ERROR_NONE);
    const struct store_vessel_end end = {.vessel = 0,
                                         .status = VESSEL_ERRORED,
                                         .reason = OVERRIDES_SKIPPED_REASON,
                                         .is_skipped = true,
                                         .exit_code = 1,
                                         .output_bytes = 41};
    struct store_step step = {.number = id_run_number(&run_id),
                              .now_ms = 5,
                              .starts_run = true,
                              .definition = &definition,
                              .vessel_run_ids = vessel_ids,
                              .vessel_ends = &end,
                              .vessel_end_count = 1};
    store_fixture_begin(&fixture);
    ck_assert_int_eq(sqlite_step(fixture.store, &step, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(store_list_vessels(fixture.store, &run_id, keep_vessel, rows, &error), 0);
    ck_assert(rows[0].has_exit_code && rows[0].exit_code == 1 && rows[0].attempts == 0);
    ck_assert_int_eq(rows[0].output_bytes, 41);
    ck_assert_int_eq(rows[0].status, VESSEL_ERRORED);
    ck_assert(!rows[1].has_exit_code);
    store_fixture_close(&fixture);
}
