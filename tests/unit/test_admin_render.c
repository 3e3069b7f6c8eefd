/* The JSON objects of the admin API. */
#include "admin/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

#define AN_ID      "0192aabb-ccdd-7eef-8012-3456789abcde"
#define ANOTHER_ID "11111111-2222-4333-8444-555555555555"
#define A_TIME     INT64_C(1795431108123) /* 2026-11-23T10:51:48.123Z */
#define A_TIME_RFC "2026-11-23T10:51:48.123Z"

static struct id parsed(const char *text)
{
    struct id id;
    ck_assert_int_eq(id_parse(text, &id), 0);
    return id;
}

static void assert_text(const json_t *object, const char *key, const char *wanted)
{
    const char *found = json_string_value(json_object_get(object, key));
    ck_assert_msg(found && strcmp(found, wanted) == 0, "%s is %s", key, found ? found : "no text");
}

static void assert_integer(const json_t *object, const char *key, json_int_t wanted)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(json_is_integer(value), "%s is not an integer", key);
    ck_assert_int_eq(json_integer_value(value), wanted);
}

static void assert_null(const json_t *object, const char *key)
{
    ck_assert_msg(json_is_null(json_object_get(object, key)), "%s is not null", key);
}

/* Checks that the object has exactly these keys, in this order. */
static void assert_keys(json_t *object, const char *const *keys, size_t count)
{
    size_t at = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        ck_assert_uint_lt(at, count);
        ck_assert_str_eq(key, keys[at++]);
    }
    ck_assert_uint_eq(at, count);
}

static const uint8_t a_hash[SECRET_HASH_BYTES] = {0xab, 0x01, [31] = 0xff};

static struct run_row scheduled_run(void)
{
    return (struct run_row){
        .id = parsed(AN_ID),
        .fleet_id = parsed(ANOTHER_ID),
        .fleet_name = "Greet",
        .project_name = "default",
        .org_name = "default",
        .fleet_version = 3,
        .trigger = TRIGGER_ON_DEMAND,
        .status = RUN_SCHEDULED,
        .request_id = parsed(ANOTHER_ID),
        .event = "",
        .remote_addr = "",
        .host = "",
        .query = "",
        .body_bytes = INT64_C(5000000000),
        .body_sha256 = a_hash,
        .created_ms = A_TIME,
    };
}

TEST(fleet_run_has_exactly_its_keys)
{
    static const char *const keys[] = {"id",           "fleet_id",   "fleet_name",  "fleet_version",
                                       "project_id",   "org_id",     "trigger",     "event",
                                       "status",       "request_id", "remote_addr", "host",
                                       "query_string", "body_bytes", "body_sha256", "created_at",
                                       "started_at",   "ended_at",   "vessels"};
    struct run_row row = scheduled_run();
    json_t *run = render_run(&row, json_array());
    assert_keys(run, keys, ARRAY_COUNT(keys));
    json_decref(run);
}

TEST(properties_without_a_value_are_null)
{
    struct run_row row = scheduled_run();
    json_t *run = render_run(&row, json_array());
    assert_text(run, "created_at", A_TIME_RFC);
    assert_null(run, "started_at");
    assert_null(run, "ended_at");
    assert_null(run, "event");
    assert_null(run, "remote_addr");
    assert_null(run, "host");
    assert_null(run, "query_string");
    ck_assert_uint_eq(json_array_size(json_object_get(run, "vessels")), 0);
    ck_assert(json_is_array(json_object_get(run, "vessels")));
    json_decref(run);
}

TEST(fleet_run_shows_its_input)
{
    struct run_row row = scheduled_run();
    row.event = "push";
    row.remote_addr = "192.0.2.7";
    row.host = "hooks.example";
    row.query = "a=1&b=%20";
    row.status = RUN_ERRORED;
    row.started_ms = A_TIME + 1;
    row.ended_ms = A_TIME + 2;
    json_t *run = render_run(&row, json_array());
    assert_text(run, "id", AN_ID);
    assert_text(run, "fleet_id", ANOTHER_ID);
    assert_text(run, "fleet_name", "Greet");
    assert_integer(run, "fleet_version", 3);
    assert_text(run, "trigger", "on_demand");
    assert_text(run, "status", "errored");
    assert_text(run, "event", "push");
    assert_text(run, "remote_addr", "192.0.2.7");
    assert_text(run, "query_string", "a=1&b=%20");
    assert_integer(run, "body_bytes", 5000000000);
    assert_text(run, "body_sha256",
                "ab010000000000000000000000000000000000000000000000000000000000ff");
    assert_text(run, "started_at", "2026-11-23T10:51:48.124Z");
    assert_text(run, "ended_at", "2026-11-23T10:51:48.125Z");
    json_decref(run);
}

TEST(vessel_run_has_exactly_its_keys_and_an_exit_code_only_if_one_exists)
{
    static const char *const keys[] = {
        "id",     "vessel_id",  "name",     "status",       "attempts",         "exit_code",
        "reason", "started_at", "ended_at", "output_bytes", "blueprint_version"};
    struct vessel_row row = {.id = parsed(AN_ID),
                             .vessel_id = parsed(ANOTHER_ID),
                             .name = "fetch",
                             .status = VESSEL_RUNNING,
                             .attempts = 1,
                             .reason = "",
                             .started_ms = A_TIME,
                             .output_bytes = 17};
    json_t *vessel = render_vessel(&row);
    assert_keys(vessel, keys, ARRAY_COUNT(keys));
    assert_null(vessel, "exit_code");
    assert_null(vessel, "reason");
    assert_null(vessel, "ended_at");
    assert_text(vessel, "status", "running");
    assert_integer(vessel, "output_bytes", 17);
    json_decref(vessel);

    row.has_exit_code = true;
    row.reason = "cut off after 10m";
    vessel = render_vessel(&row);
    assert_integer(vessel, "exit_code", 0);
    assert_text(vessel, "reason", "cut off after 10m");
    json_decref(vessel);
}

TEST(retries_say_how_many_there_may_be_and_when_the_next_one_is_due)
{
    const struct guardrails guardrails = {.retry_count = 24, .retry_wait_ms = 1000};
    struct vessel_row row = {.attempts = 4, .interruptions = 2, .failed_ms = A_TIME};
    json_t *vessel = json_object();
    render_retries(vessel, &row, &guardrails);
    assert_integer(vessel, "max_attempts", 27);
    assert_text(vessel, "next_attempt_at", "2026-11-23T10:51:49.123Z");
    row.failed_ms = 0;
    render_retries(vessel, &row, &guardrails);
    assert_null(vessel, "next_attempt_at");
    json_decref(vessel);
}

TEST(bytes_that_are_not_utf8_are_read_as_latin1)
{
    json_t *text = render_text("caf\xe9 \xff");
    ck_assert_str_eq(json_string_value(text), "caf\u00e9 \u00ff");
    json_decref(text);
    text = render_text("caf\u00e9 \u2603");
    ck_assert_str_eq(json_string_value(text), "caf\u00e9 \u2603");
    json_decref(text);
}

TEST(fleet_counts_its_open_runs)
{
    static const char *const keys[] = {"id",         "name",        "project_id", "project_name",
                                       "org_id",     "org_name",    "version",    "created_at",
                                       "updated_at", "has_webhook", "waiting",    "running"};
    struct fleet_row row = {.name = "Greet",
                            .project_name = "default",
                            .org_name = "default",
                            .version = 2,
                            .created_ms = A_TIME,
                            .updated_ms = A_TIME + 1,
                            .has_webhook = true,
                            .scheduled_runs = 1000000,
                            .running_runs = 4};
    json_t *fleet = render_fleet(&row);
    assert_keys(fleet, keys, ARRAY_COUNT(keys));
    ck_assert(json_is_true(json_object_get(fleet, "has_webhook")));
    assert_integer(fleet, "waiting", 1000000);
    assert_integer(fleet, "running", 4);
    assert_text(fleet, "updated_at", "2026-11-23T10:51:48.124Z");
    json_decref(fleet);
}

TEST(version_has_its_file_and_definition_only_if_they_were_read)
{
    struct version_row row = {.version = 7, .created_ms = A_TIME};
    json_t *version = render_version(&row);
    ck_assert_ptr_null(json_object_get(version, "file"));
    ck_assert_ptr_null(json_object_get(version, "definition"));
    json_decref(version);

    row.file = "name: Greet\nrest";
    row.file_bytes = strlen("name: Greet\n");
    row.definition_json = "{\"name\":\"Greet\"}";
    version = render_version(&row);
    assert_integer(version, "version", 7);
    assert_text(version, "file", "name: Greet\n");
    assert_text(json_object_get(version, "definition"), "name", "Greet");
    json_decref(version);
}

TEST(webhook_without_its_url_has_null)
{
    struct webhook_row row = {.fleet_id = parsed(AN_ID),
                              .fleet_name = "Greet",
                              .project_name = "p",
                              .org_name = "o",
                              .created_ms = A_TIME};
    json_t *webhook = render_webhook(&row, NULL);
    assert_null(webhook, "url");
    json_decref(webhook);
    webhook = render_webhook(&row, "http://localhost:8080/hooks/x");
    assert_text(webhook, "url", "http://localhost:8080/hooks/x");
    assert_text(webhook, "fleet_id", AN_ID);
    assert_text(webhook, "created_at", A_TIME_RFC);
    assert_null(webhook, "last_request");
    json_decref(webhook);
}

TEST(last_call_without_an_answer_has_null)
{
    struct webhook_row row = {.fleet_name = "Greet",
                              .project_name = "p",
                              .org_name = "o",
                              .was_called = true,
                              .last_call = {.at_ms = A_TIME, .status = 201, .answer_us = 1234},
                              .counted_from_ms = A_TIME,
                              .accepted = 212,
                              .refused = 3};
    json_t *webhook = render_webhook(&row, NULL);
    json_t *last = json_object_get(webhook, "last_request");
    assert_text(last, "at", A_TIME_RFC);
    assert_integer(last, "status", 201);
    assert_integer(last, "answer_us", 1234);
    assert_null(last, "remote_addr");
    json_t *requests = json_object_get(webhook, "requests");
    assert_text(requests, "since", A_TIME_RFC);
    assert_integer(requests, "accepted", 212);
    assert_integer(requests, "refused", 3);
    json_decref(webhook);
    row.last_call.status = 0;
    webhook = render_webhook(&row, NULL);
    last = json_object_get(webhook, "last_request");
    assert_null(last, "status");
    assert_null(last, "answer_us");
    json_decref(webhook);
}

TEST(problem_without_a_line_has_null)
{
    struct fleet_problem items[] = {
        {.message = memory_string("is missing"), .path = memory_string("name"), .line = 0},
        {.message = memory_string("is no number"), .path = memory_string("vessels.a"), .line = 12}};
    struct fleet_problems problems = {items, ARRAY_COUNT(items)};
    json_t *list = render_problems(&problems);
    ck_assert_uint_eq(json_array_size(list), 2);
    assert_text(json_array_get(list, 0), "message", "is missing");
    assert_null(json_array_get(list, 0), "line");
    assert_text(json_array_get(list, 1), "path", "vessels.a");
    assert_integer(json_array_get(list, 1), "line", 12);
    json_decref(list);
    for (size_t i = 0; i < ARRAY_COUNT(items); i++) {
        free(items[i].message);
        free(items[i].path);
    }
}
