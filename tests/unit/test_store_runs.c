/* The store: accepting runs, reading them, and each step of executing them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

/* ---- Helpers ---- */

struct page {
    int count;
    struct id ids[64];
    enum run_status statuses[64];
};

static int keep_run(void *context, const struct run_row *row)
{
    struct page *page = context;
    ck_assert_int_lt(page->count, 64);
    page->ids[page->count] = row->id;
    page->statuses[page->count++] = row->status;
    return 0;
}

static struct page list(struct run_filter filter)
{
    struct error error = ERROR_INIT;
    struct page page = {0};
    if (filter.limit == 0)
        filter.limit = 64;
    int result = store_list_runs(fixture.store, &filter, keep_run, &page, &error);
    ck_assert_msg(result == 0, "%s", error.message);
    return page;
}

static void expect_one(struct run_filter filter, const struct id *id)
{
    struct page page = list(filter);
    ck_assert_int_eq(page.count, 1);
    ck_assert(id_equal(&page.ids[0], id));
}

static void expect_refused(int result, const struct error *error, enum error_kind kind)
{
    ck_assert_int_eq(result, -1);
    ck_assert_msg(error->kind == kind, "%s", error->message);
}

/* ---- Accepting ---- */

static int check_row(void *context, const struct run_row *row)
{
    const struct run_ids *ids = context;
    struct run_input input = store_fixture_input();
    ck_assert(id_equal(&row->id, &ids->run_id));
    ck_assert(id_equal(&row->fleet_id, &ids->fleet_id));
    ck_assert(id_equal(&row->project_id, &ids->project_id));
    ck_assert(id_equal(&row->org_id, &ids->org_id));
    ck_assert_str_eq(row->fleet_name, "greet");
    ck_assert_str_eq(row->project_name, "default");
    ck_assert_int_eq(row->fleet_version, 1);
    ck_assert_int_eq(row->trigger, TRIGGER_WEBHOOK);
    ck_assert_int_eq(row->status, RUN_SCHEDULED);
    ck_assert_str_eq(row->event, input.event);
    ck_assert_str_eq(row->remote_addr, input.remote_addr);
    ck_assert_str_eq(row->host, input.host);
    ck_assert_str_eq(row->query, input.query);
    ck_assert_int_eq(row->body_bytes, input.body_bytes);
    ck_assert_mem_eq(row->body_sha256, input.body_sha256, SECRET_HASH_BYTES);
    ck_assert_int_gt(row->created_ms, 0);
    ck_assert_int_eq(row->started_ms, 0);
    ck_assert_int_eq(row->ended_ms, 0);
    return 0;
}

static int check_headers(void *context, const char *json, size_t bytes)
{
    struct run_input input = store_fixture_input();
    ck_assert_uint_eq(bytes, input.headers_bytes);
    ck_assert_mem_eq(json, input.headers_json, bytes);
    ++*(int *)context;
    return 0;
}

static int check_body(void *context, enum body_place place, const struct id *request_id,
                      const void *body, int64_t bytes)
{
    struct run_input input = store_fixture_input();
    ck_assert_int_eq(place, BODY_INLINE);
    ck_assert(!id_is_zero(request_id));
    ck_assert_int_eq(bytes, input.body_bytes);
    ck_assert_mem_eq(body, input.body, (size_t)bytes);
    ++*(int *)context;
    return 0;
}

TEST(accepted_run_is_read_back_byte_for_byte_after_reopening)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids ids = store_fixture_accept(&fixture, 1);
    store_fixture_reopen(&fixture);
    int calls = 0;
    ck_assert_int_eq(store_get_run(fixture.store, &ids.run_id, check_row, &ids, &error), 0);
    ck_assert_int_eq(store_get_headers(fixture.store, &ids.run_id, check_headers, &calls, &error),
                     0);
    ck_assert_int_eq(store_get_body(fixture.store, &ids.run_id, check_body, &calls, &error), 0);
    ck_assert_int_eq(calls, 2);
    store_fixture_close(&fixture);
}

/* ---- The origin of a run ---- */

struct origin {
    char *withheld_json;
    struct id again_of;
};

static int keep_origin(void *context, const struct run_origin *row)
{
    struct origin *origin = context;
    origin->withheld_json = row->withheld_json ? memory_string(row->withheld_json) : NULL;
    origin->again_of = row->again_of ? *row->again_of : (struct id){{0}};
    return 0;
}

static struct origin origin_of(const struct id *run_id)
{
    struct error error = ERROR_INIT;
    struct origin origin = {NULL, {{0}}};
    int result = store_get_origin(fixture.store, run_id, keep_origin, &origin, &error);
    ck_assert_msg(result == 0, "%s", error.message);
    return origin;
}

static struct id accept_input(const struct id *fleet, const struct run_input *input)
{
    struct error error = ERROR_INIT;
    struct run_ids ids;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_accept_run(fixture.store, fleet, input, &ids, &error), 0);
    store_fixture_commit(&fixture);
    return ids.run_id;
}

TEST(withheld_names_are_stored_and_unknown_ones_stay_unknown)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = store_fixture_input();
    struct id unknown = accept_input(&fleet, &input);
    input = store_fixture_input();
    input.withheld_json = "[\"Cookie\"]";
    struct id known = accept_input(&fleet, &input);
    store_fixture_reopen(&fixture);
    ck_assert_ptr_null(origin_of(&unknown).withheld_json);
    struct origin origin = origin_of(&known);
    ck_assert_str_eq(origin.withheld_json, "[\"Cookie\"]");
    free(origin.withheld_json);
    store_fixture_close(&fixture);
}

static int keep_id(void *context, const struct id *id)
{
    struct page *page = context;
    page->ids[page->count++] = *id;
    return 0;
}

TEST(repeats_of_a_run_are_found_newest_first_and_outlive_it)
{
    struct error error = ERROR_INIT;
    struct page page = {0};
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = store_fixture_input();
    struct id first = accept_input(&fleet, &input), repeats[3];
    input.again_of = &first;
    for (int i = 0; i < 3; i++) {
        input.request_id = id_ordered();
        repeats[i] = accept_input(&fleet, &input);
    }
    struct origin without = origin_of(&first);
    ck_assert(id_is_zero(&without.again_of));
    store_fixture_finish(&fixture, &first, RUN_SUCCESS);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_run(fixture.store, id_run_number(&first), &error), 0);
    store_fixture_commit(&fixture);
    struct id again_of = origin_of(&repeats[0]).again_of;
    ck_assert(id_equal(&again_of, &first));
    ck_assert_int_eq(store_list_again(fixture.store, &first, 2, keep_id, &page, &error), 0);
    ck_assert_int_eq(page.count, 2);
    ck_assert(id_equal(&page.ids[0], &repeats[2]));
    ck_assert(id_equal(&page.ids[1], &repeats[1]));
    store_fixture_close(&fixture);
}

static int check_spooled(void *context, enum body_place place, const struct id *request_id,
                         const void *body, int64_t bytes)
{
    ck_assert(id_equal(request_id, context));
    ck_assert_int_eq(place, BODY_SPOOLED);
    ck_assert_ptr_null(body);
    ck_assert_int_eq(bytes, 1 << 20);
    return 0;
}

TEST(spooled_body_is_found_by_its_request)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct run_input input = store_fixture_input();
    struct run_ids ids;
    input.body_place = BODY_SPOOLED;
    input.body = NULL;
    input.body_bytes = 1 << 20;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_accept_run(fixture.store, &fleet, &input, &ids, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(
        store_get_body(fixture.store, &ids.run_id, check_spooled, &input.request_id, &error), 0);
    store_fixture_close(&fixture);
}

TEST(id_with_another_random_part_finds_no_run)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct id id = store_fixture_accept(&fixture, 1).run_id;
    id.bytes[15] ^= 1;
    struct page page = {0};
    expect_refused(store_get_run(fixture.store, &id, keep_run, &page, &error), &error,
                   ERROR_NOT_FOUND);
    int calls = 0;
    error_clear(&error);
    expect_refused(store_get_body(fixture.store, &id, check_body, &calls, &error), &error,
                   ERROR_NOT_FOUND);
    ck_assert_int_eq(calls + page.count, 0);
    store_fixture_close(&fixture);
}

/* Invariant 9. */
TEST(run_numbers_grow_across_rollback_restart_and_a_clock_that_is_behind)
{
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    int64_t last = 0;
    ck_assert_int_eq(store_clock_floor_ms(fixture.store), 0);
    /* Two hours ahead, in one transaction; afterwards the clock is behind. */
    id_clock_floor(clock_wall_ms() + 2 * 3600 * 1000);
    for (int i = 0; i < 100; i++) {
        if (i == 10)
            store_fixture_reopen(&fixture);
        if (i == 20) {
            store_fixture_begin(&fixture);
            store_fixture_accept(&fixture, 1);
            transaction_rollback(fixture.store);
        }
        struct id id = store_fixture_accept(&fixture, 1).run_id;
        ck_assert_int_gt(id_run_number(&id), last);
        last = id_run_number(&id);
        ck_assert_int_eq(store_clock_floor_ms(fixture.store), last >> 12);
    }
    ck_assert_int_eq(list((struct run_filter){.limit = 64}).count, 64);
    store_fixture_close(&fixture);
}

/* A run is found by its request in a range of time that begins with the request. */
TEST(run_whose_request_began_before_the_clock_was_set_forward_is_refused)
{
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "a", 1);
    struct run_input input = store_fixture_input();
    uint8_t hash[SECRET_HASH_BYTES];
    struct run_ids ids;
    memset(hash, 1, sizeof(hash));
    static const struct {
        int64_t before_ms;
        int result;
    } cases[] = {{28 * 3600 * 1000, -1}, {26 * 3600 * 1000, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = ERROR_INIT;
        input.request_id =
            id_from_run_number((id_clock_ms() - cases[i].before_ms) << 12, id_random_bits());
        store_fixture_begin(&fixture);
        ck_assert_int_eq(sqlite_accept_hook(fixture.store, hash, &input, &ids, &error),
                         cases[i].result);
        ck_assert_int_eq(error.kind, cases[i].result == 0 ? ERROR_NONE : ERROR_CONFLICT);
        store_fixture_commit(&fixture);
    }
    expect_one((struct run_filter){.request_id = &input.request_id}, &ids.run_id);
    store_fixture_close(&fixture);
}

TEST(scheduled_run_keeps_the_version_it_was_accepted_with)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct id first = store_fixture_accept(&fixture, 1).run_id;
    struct definition definition = store_fixture_definition("greet");
    definition.max_concurrent_runs = 7;
    ck_assert_int_eq(store_fixture_apply(&fixture, &definition).version, 2);
    struct id second = store_fixture_accept(&fixture, 1).run_id;
    struct run_work *work = store_load_work(fixture.store, id_run_number(&first), &error);
    ck_assert_ptr_nonnull(work);
    ck_assert_int_eq(work->version, 1);
    struct definition *first_version =
        definition_json_read(work->definition_json, strlen(work->definition_json), &error);
    ck_assert_int_eq(first_version->max_concurrent_runs, 0);
    definition_free(first_version);
    struct run_input input = store_fixture_input();
    ck_assert_mem_eq(work->body, input.body, (size_t)input.body_bytes);
    ck_assert_str_eq(work->headers_json, input.headers_json);
    ck_assert_mem_eq(work->body_sha256, input.body_sha256, SECRET_HASH_BYTES);
    store_free_work(work);
    work = store_load_work(fixture.store, id_run_number(&second), &error);
    ck_assert_int_eq(work->version, 2);
    store_free_work(work);
    ck_assert_ptr_null(store_load_work(fixture.store, 1, &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    store_fixture_close(&fixture);
}

TEST(new_run_of_a_deleted_fleet_is_refused_and_its_ended_runs_remain)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids ids = store_fixture_accept(&fixture, 1);
    store_fixture_finish(&fixture, &ids.run_id, RUN_SUCCESS);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_fleet(fixture.store, &fleet, 1, &error), 0);
    struct run_input input = store_fixture_input();
    struct run_ids refused;
    expect_refused(store_accept_run(fixture.store, &fleet, &input, &refused, &error), &error,
                   ERROR_NOT_FOUND);
    store_fixture_commit(&fixture);
    struct page page = {0};
    error_clear(&error);
    ck_assert_int_eq(store_get_run(fixture.store, &ids.run_id, keep_run, &page, &error), 0);
    ck_assert_int_eq(list((struct run_filter){0}).count, 1);
    store_fixture_close(&fixture);
}

/* ---- Lists ---- */

TEST(pages_are_newest_first_without_gaps_or_duplicates)
{
    static const enum run_status ends[] = {RUN_SUCCESS, RUN_ERRORED, RUN_TERMINATED};
    store_fixture_open(&fixture, NULL);
    struct id fleets[2] = {store_fixture_fleet(&fixture, "greet", 1),
                           store_fixture_fleet(&fixture, "other", 2)};
    struct id ids[40];
    for (int i = 0; i < 40; i++)
        ids[i] = store_fixture_accept(&fixture, (uint8_t)(1 + i % 2)).run_id;
    for (int i = 0; i < 40; i++) {
        if (i % 5 != 0)
            store_fixture_finish(&fixture, &ids[i], ends[i % 3]);
    }
    for (int fleet = -1; fleet < 2; fleet++) {
        struct run_filter filter = {.limit = 7, .fleet_id = fleet < 0 ? NULL : &fleets[fleet]};
        struct id before;
        int step = fleet < 0 ? 1 : 2, next = fleet == 0 ? 38 : 39;
        for (;;) {
            struct page page = list(filter);
            for (int i = 0; i < page.count; i++, next -= step)
                ck_assert(id_equal(&page.ids[i], &ids[next]));
            if (page.count < 7)
                break;
            before = page.ids[6];
            filter.before = &before;
        }
        ck_assert_int_lt(next, 0);
    }
    store_fixture_close(&fixture);
}

/* The same runs, from the oldest on. */
TEST(runs_after_another_one_are_those_nearest_to_it)
{
    static const enum run_status ends[] = {RUN_SUCCESS, RUN_ERRORED, RUN_TERMINATED};
    store_fixture_open(&fixture, NULL);
    struct id fleets[2] = {store_fixture_fleet(&fixture, "greet", 1),
                           store_fixture_fleet(&fixture, "other", 2)};
    struct id ids[40];
    for (int i = 0; i < 40; i++)
        ids[i] = store_fixture_accept(&fixture, (uint8_t)(1 + i % 2)).run_id;
    for (int i = 0; i < 40; i++) {
        if (i % 5 != 0)
            store_fixture_finish(&fixture, &ids[i], ends[i % 3]);
    }
    for (int fleet = -1; fleet < 2; fleet++) {
        struct id after = ids[0];
        struct run_filter filter = {
            .limit = 7, .fleet_id = fleet < 0 ? NULL : &fleets[fleet], .after = &after};
        int step = fleet < 0 ? 1 : 2, next = fleet == 0 ? 2 : 1;
        struct page page;
        do {
            page = list(filter);
            for (int i = 0; i < page.count; i++, next += step)
                ck_assert(id_equal(&page.ids[i], &ids[next]));
            if (page.count > 0)
                after = page.ids[page.count - 1];
        } while (page.count > 0);
        ck_assert_int_ge(next, 40);
    }
    /* With each other filter: the first matching run after the first one. */
    for (int status = RUN_SCHEDULED; status <= RUN_TERMINATED; status++) {
        struct run_filter filter = {.limit = 1,
                                    .fleet_id = &fleets[0],
                                    .after = &ids[0],
                                    .has_status = true,
                                    .status = (enum run_status)status};
        static const int wanted[] = {
            [RUN_SCHEDULED] = 10, [RUN_SUCCESS] = 6, [RUN_ERRORED] = 4, [RUN_TERMINATED] = 2};
        if (status != RUN_RUNNING)
            expect_one(filter, &ids[wanted[status]]);
        else
            ck_assert_int_eq(list(filter).count, 0);
    }
    ck_assert_int_eq(list((struct run_filter){.after = &ids[39]}).count, 0);
    store_fixture_close(&fixture);
}

TEST(lists_can_be_filtered_by_status_and_trigger)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct id other = store_fixture_fleet(&fixture, "other", 2);
    struct id scheduled = store_fixture_accept(&fixture, 1).run_id;
    struct id ended = store_fixture_accept(&fixture, 1).run_id;
    store_fixture_finish(&fixture, &ended, RUN_ERRORED);
    struct run_input input = store_fixture_input();
    struct run_ids started;
    input.trigger = TRIGGER_API;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_accept_run(fixture.store, &fleet, &input, &started, &error), 0);
    struct definition definition = store_fixture_definition("greet");
    struct id vessels[2] = {id_random(), id_random()};
    ck_assert_int_eq(sqlite_start_run(fixture.store, id_run_number(&started.run_id), &definition,
                                      vessels, 1, &error),
                     0);
    store_fixture_commit(&fixture);
    for (int i = 0; i < 2; i++) {
        const struct id *in = i == 0 ? NULL : &fleet;
        struct run_filter filter = {.fleet_id = in, .has_status = true, .status = RUN_SCHEDULED};
        expect_one(filter, &scheduled);
        filter.status = RUN_RUNNING;
        expect_one(filter, &started.run_id);
        filter.status = RUN_ERRORED;
        expect_one(filter, &ended);
        filter.status = RUN_SUCCESS;
        ck_assert_int_eq(list(filter).count, 0);
        expect_one((struct run_filter){.fleet_id = in, .has_trigger = true, .trigger = TRIGGER_API},
                   &started.run_id);
        ck_assert_int_eq(list((struct run_filter){
                                  .fleet_id = in, .has_trigger = true, .trigger = TRIGGER_WEBHOOK})
                             .count,
                         2);
    }
    ck_assert_int_eq(list((struct run_filter){.fleet_id = &other}).count, 0);
    store_fixture_close(&fixture);
}

TEST(run_is_found_by_each_prefix_of_its_id_and_by_no_other)
{
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    struct id ids[20];
    for (int i = 0; i < 20; i++)
        ids[i] = store_fixture_accept(&fixture, 1).run_id;
    store_fixture_commit(&fixture);
    char text[ID_TEXT_BYTES], prefix[ID_TEXT_BYTES];
    id_format(&ids[7], text);
    for (size_t length = 0; length < ID_TEXT_BYTES; length++) {
        memcpy(prefix, text, length);
        prefix[length] = '\0';
        struct page page = list((struct run_filter){.id_prefix = prefix});
        bool found = false;
        for (int i = 0; i < page.count; i++)
            found |= id_equal(&page.ids[i], &ids[7]);
        ck_assert_msg(found, "%s", prefix);
    }
    expect_one((struct run_filter){.id_prefix = text}, &ids[7]);
    static const char *const wrong[] = {"zz", "0-", "------------", "00000000-0000-4", "ffffffff"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_eq(list((struct run_filter){.id_prefix = wrong[i]}).count, 0);
    prefix[35] = prefix[35] == '0' ? '1' : '0';
    ck_assert_int_eq(list((struct run_filter){.id_prefix = prefix}).count, 0);
    char too_long[ID_TEXT_BYTES + 1];
    snprintf(too_long, sizeof(too_long), "%s0", text);
    ck_assert_int_eq(list((struct run_filter){.id_prefix = too_long}).count, 0);
    store_fixture_close(&fixture);
}

TEST(run_is_found_by_its_request_and_by_its_time)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_accept(&fixture, 1);
    struct run_input input = store_fixture_input();
    /* A large body that took five minutes. */
    id_clock_floor(id_time_ms(&input.request_id) + 5 * 60 * 1000);
    input.arrived_ms = clock_wall_ms() + 1000000;
    struct run_ids ids;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_accept_run(fixture.store, &fleet, &input, &ids, &error), 0);
    store_fixture_commit(&fixture);
    store_fixture_accept(&fixture, 1);
    expect_one((struct run_filter){.request_id = &input.request_id}, &ids.run_id);
    struct id unknown = id_ordered();
    ck_assert_int_eq(list((struct run_filter){.request_id = &unknown}).count, 0);
    ck_assert_int_eq(list((struct run_filter){.since_ms = INT64_MAX}).count, 0);
    ck_assert_int_eq(list((struct run_filter){.since_ms = 1}).count, 3);
    ck_assert_int_eq(list((struct run_filter){.since_ms = input.arrived_ms + 1}).count, 0);
    store_fixture_close(&fixture);
}

/* ---- Executing ---- */

static int keep_vessel(void *context, const struct vessel_row *row)
{
    struct vessel_row *rows = context;
    ck_assert_str_eq(row->name, row->index == 0 ? "fetch" : "report");
    rows[row->index] = *row;
    return 0;
}

static int keep_attempt(void *context, const struct attempt_row *row)
{
    struct attempt_row *rows = context;
    rows[row->attempt - 1] = *row;
    if (row->attempt == 1)
        ck_assert_str_eq(row->result.reason, "cutoff");
    return 0;
}

TEST(interrupted_attempts_are_counted_and_not_waited_for)
{
    struct error error = ERROR_INIT;
    struct vessel_row vessels[2];
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids ids = store_fixture_accept(&fixture, 1);
    int64_t number = id_run_number(&ids.run_id);
    struct definition definition = store_fixture_definition("greet");
    struct id vessel_runs[2] = {id_random(), id_random()}, boot = id_random();
    const struct attempt_result interrupted = {.reason = "interrupted", .ended_ms = 20};
    store_fixture_begin(&fixture);
    ck_assert_int_eq(sqlite_start_run(fixture.store, number, &definition, vessel_runs, 10, &error),
                     0);
    ck_assert_int_eq(sqlite_start_attempt(fixture.store, number, 0, 1, &boot, 10, &error), 0);
    ck_assert_int_eq(sqlite_end_attempt(fixture.store, number, 0, 1, &interrupted, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(store_list_vessels(fixture.store, &ids.run_id, keep_vessel, vessels, &error),
                     0);
    ck_assert_int_eq(vessels[0].failed_ms, 0);
    ck_assert_int_eq(vessels[0].interruptions, 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(sqlite_start_attempt(fixture.store, number, 0, 2, &boot, 30, &error), 0);
    ck_assert_int_eq(sqlite_end_attempt(fixture.store, number, 0, 2, &interrupted, &error), 0);
    ck_assert_int_eq(sqlite_end_vessel(fixture.store, number, 0, VESSEL_ERRORED, "", 40, &error),
                     0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(store_list_vessels(fixture.store, &ids.run_id, keep_vessel, vessels, &error),
                     0);
    ck_assert_int_eq(vessels[0].interruptions, 1); /* nothing followed the second one */
    store_fixture_close(&fixture);
}

TEST(run_proceeds_through_its_attempts_to_its_end)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids ids = store_fixture_accept(&fixture, 1);
    int64_t number = id_run_number(&ids.run_id), numbers[4];
    struct scheduled_run scheduled[4];
    struct definition definition = store_fixture_definition("greet");
    struct id vessel_runs[2] = {id_random(), id_random()}, boot = id_random();
    ck_assert_int_eq(store_find_scheduled(fixture.store, 0, 4, scheduled, &error), 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(sqlite_start_run(fixture.store, number, &definition, vessel_runs, 10, &error),
                     0);
    ck_assert_int_eq(sqlite_start_attempt(fixture.store, number, 0, 1, &boot, 10, &error), 0);
    struct attempt_result end = {.has_exit_code = true,
                                 .exit_code = 143,
                                 .reason = "cutoff",
                                 .started_ms = 12,
                                 .ended_ms = 20,
                                 .output_bytes = 5,
                                 .output_cut = true};
    ck_assert_int_eq(sqlite_end_attempt(fixture.store, number, 0, 1, &end, &error), 0);
    store_fixture_commit(&fixture);
    struct vessel_row vessels[2];
    ck_assert_int_eq(store_list_vessels(fixture.store, &ids.run_id, keep_vessel, vessels, &error),
                     0);
    ck_assert_int_eq(vessels[0].status, VESSEL_RETRYING);
    ck_assert_int_eq(vessels[0].exit_code, 143);
    ck_assert_int_eq(vessels[0].failed_ms, 20);
    ck_assert_int_eq(vessels[0].interruptions, 0);
    ck_assert_int_eq(vessels[1].status, VESSEL_SCHEDULED);
    ck_assert(!vessels[1].has_exit_code);
    ck_assert_int_eq(store_find_scheduled(fixture.store, 0, 4, scheduled, &error), 0);
    ck_assert_int_eq(store_find_running(fixture.store, 0, 4, numbers, &error), 1);
    ck_assert_int_eq(numbers[0], number);
    ck_assert_int_eq(store_find_running(fixture.store, number, 4, numbers, &error), 0);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(sqlite_start_attempt(fixture.store, number, 0, 2, &boot, 30, &error), 0);
    end = (struct attempt_result){.has_exit_code = true, .reason = "", .ended_ms = 40};
    ck_assert_int_eq(sqlite_end_attempt(fixture.store, number, 0, 2, &end, &error), 0);
    ck_assert_int_eq(sqlite_end_vessel(fixture.store, number, 0, VESSEL_SUCCESS, "", 40, &error),
                     0);
    ck_assert_int_eq(
        sqlite_end_vessel(fixture.store, number, 1, VESSEL_INCOMPLETE, "path", 40, &error), 0);
    ck_assert_int_eq(sqlite_end_run(fixture.store, number, RUN_SUCCESS, 41, &error), 0);
    store_fixture_commit(&fixture);
    struct attempt_row attempts[2];
    ck_assert_int_eq(
        store_list_attempts(fixture.store, &ids.run_id, keep_attempt, attempts, &error), 0);
    ck_assert(attempts[0].result.output_cut && attempts[0].has_ended);
    ck_assert_int_eq(attempts[0].result.started_ms, 12);
    ck_assert_int_eq(attempts[1].result.started_ms, 30);
    ck_assert(id_equal(&attempts[1].boot_id, &boot));
    ck_assert(id_equal(&attempts[1].vessel_run_id, &vessel_runs[0]));
    ck_assert_int_eq(store_list_vessels(fixture.store, &ids.run_id, keep_vessel, vessels, &error),
                     0);
    ck_assert_int_eq(vessels[0].attempts, 2);
    ck_assert_int_eq(vessels[0].failed_ms, 0);
    ck_assert_int_eq(vessels[0].started_ms, 10);
    ck_assert_int_eq(vessels[0].ended_ms, 40);
    ck_assert_int_eq(vessels[1].status, VESSEL_INCOMPLETE);
    struct page page = {0};
    ck_assert_int_eq(store_get_run(fixture.store, &ids.run_id, keep_run, &page, &error), 0);
    ck_assert_int_eq(page.statuses[0], RUN_SUCCESS);
    store_fixture_close(&fixture);
}

TEST(steps_that_the_state_forbids_are_conflicts)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    struct id id = store_fixture_accept(&fixture, 1).run_id, boot = id_random();
    int64_t number = id_run_number(&id);
    struct definition definition = store_fixture_definition("greet");
    struct id runs[2] = {id_random(), id_random()};
    struct attempt_result end = {.reason = ""};
    struct store *store = fixture.store;
    store_fixture_begin(&fixture);
    expect_refused(sqlite_start_attempt(store, number, 0, 1, &boot, 1, &error), &error,
                   ERROR_CONFLICT);
    ck_assert_int_eq(sqlite_start_run(store, number, &definition, runs, 1, &error), 0);
    error_clear(&error);
    expect_refused(sqlite_start_run(store, number, &definition, runs, 1, &error), &error,
                   ERROR_CONFLICT);
    error_clear(&error);
    expect_refused(sqlite_end_attempt(store, number, 0, 1, &end, &error), &error, ERROR_CONFLICT);
    error_clear(&error);
    ck_assert_int_eq(sqlite_start_attempt(store, number, 0, 1, &boot, 1, &error), 0);
    expect_refused(sqlite_start_attempt(store, number, 0, 1, &boot, 1, &error), &error,
                   ERROR_CONFLICT);
    ck_assert_int_eq(sqlite_end_attempt(store, number, 0, 1, &end, &error), 0);
    error_clear(&error);
    expect_refused(sqlite_end_attempt(store, number, 0, 1, &end, &error), &error, ERROR_CONFLICT);
    ck_assert_int_eq(sqlite_end_vessel(store, number, 0, VESSEL_ERRORED, "r", 1, &error), 0);
    error_clear(&error);
    expect_refused(sqlite_end_vessel(store, number, 0, VESSEL_SUCCESS, "", 1, &error), &error,
                   ERROR_CONFLICT);
    ck_assert_int_eq(sqlite_end_run(store, number, RUN_TERMINATED, 1, &error), 0);
    error_clear(&error);
    expect_refused(sqlite_end_run(store, number, RUN_SUCCESS, 1, &error), &error, ERROR_CONFLICT);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(scheduled_runs_are_found_in_order_and_running_ones_are_skipped)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "greet", 1);
    int64_t accepted[5], numbers[5];
    struct scheduled_run found[5];
    struct definition definition = store_fixture_definition("greet");
    struct id runs[2] = {id_random(), id_random()};
    store_fixture_begin(&fixture);
    for (int i = 0; i < 5; i++) {
        struct id id = store_fixture_accept(&fixture, 1).run_id;
        accepted[i] = id_run_number(&id);
    }
    ck_assert_int_eq(sqlite_start_run(fixture.store, accepted[1], &definition, runs, 1, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(store_find_scheduled(fixture.store, 0, 2, found, &error), 2);
    ck_assert_int_eq(found[0].number, accepted[0]);
    ck_assert_int_eq(found[1].number, accepted[2]);
    int64_t fleet_no = found[0].fleet_no;
    ck_assert_int_eq(store_find_scheduled(fixture.store, found[1].number, 5, found, &error), 2);
    ck_assert_int_eq(found[0].number, accepted[3]);
    /* The first of them is already running. */
    ck_assert_int_eq(store_find_scheduled_of(fixture.store, fleet_no, accepted[1], accepted[3], 5,
                                             numbers, &error),
                     2);
    ck_assert_int_eq(numbers[0], accepted[2]);
    ck_assert_int_eq(numbers[1], accepted[3]);
    ck_assert_int_eq(
        store_find_scheduled_of(fixture.store, fleet_no + 1, 0, accepted[4], 5, numbers, &error),
        0);
    struct run_counts counts;
    ck_assert_int_eq(store_count_open_runs(fixture.store, &counts, &error), 0);
    ck_assert_int_eq(counts.scheduled, 4);
    ck_assert_int_eq(counts.running, 1);
    store_fixture_close(&fixture);
}
