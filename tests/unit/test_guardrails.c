/* Guardrails in their two forms: in a fleet file, and in the store. */
#include "model/guardrails.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/suite.h"
#include "unit/fleet_cases.h"

/* ---- in a fleet file ---- */

TEST(guardrails_have_defaults)
{
    static const char *const texts[] = {SOURCE, SOURCE "    guardrails: {}\n",
                                        GUARDRAILS "retry_count:\n      runtime_cutoff:\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct outcome outcome = parse_good(texts[i]);
        const struct guardrails *guardrails = &outcome.definition->vessels[0].guardrails;
        ck_assert_int_eq(guardrails->retry_count, 0);
        ck_assert_int_eq(guardrails->retry_wait_ms, 0);
        ck_assert_int_eq(guardrails->cutoff_ms, GUARDRAIL_MAX_CUTOFF_MS);
        ck_assert_uint_eq(guardrails->excluded_count, 0);
        outcome_free(&outcome);
    }
}

TEST(guardrails_are_read)
{
    struct outcome outcome = parse_good(
        GUARDRAILS "retry_count: 24\n      retry_wait: 0h59m60s\n      runtime_cutoff: 1h2m3s\n"
                   "      exclude_exit_code_ranges: [ 2, '3-5', 7-7, '255', 4 ]\n");
    const struct definition_vessel *vessel = &outcome.definition->vessels[0];
    ck_assert_int_eq(vessel->guardrails.retry_count, 24);
    ck_assert_int_eq(vessel->guardrails.retry_wait_ms, 3600 * 1000);
    ck_assert_int_eq(vessel->guardrails.cutoff_ms, 3723 * 1000);
    ck_assert_uint_eq(vessel->guardrails.excluded_count, 3);
    static const struct exit_code_range EXPECTED[] = {{2, 5}, {7, 7}, {255, 255}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(vessel->guardrails.excluded[i].first, EXPECTED[i].first);
        ck_assert_int_eq(vessel->guardrails.excluded[i].last, EXPECTED[i].last);
    }
    ck_assert_uint_eq(outcome.notes.count, 0);
    outcome_free(&outcome);
}

TEST(excluded_exit_codes_may_be_one_or_none)
{
    struct outcome outcome = parse_good(GUARDRAILS "exclude_exit_code_ranges: 1-255\n");
    ck_assert_uint_eq(outcome.definition->vessels[0].guardrails.excluded_count, 1);
    ck_assert_int_eq(outcome.definition->vessels[0].guardrails.excluded[0].last, 255);
    outcome_free(&outcome);
    outcome = parse_good(GUARDRAILS "exclude_exit_code_ranges:\n      retry_wait: 0s\n");
    ck_assert_uint_eq(outcome.definition->vessels[0].guardrails.excluded_count, 0);
    ck_assert_uint_eq(outcome.notes.count, 0);
    outcome_free(&outcome);
}

TEST(guardrails_have_their_bounds)
{
    static const struct {
        const char *key, *value, *message;
    } WRONG[] = {
        {"retry_count", "25", "0 to 24"},          {"retry_count", "-1", "0 to 24"},
        {"retry_count", "2.0", "0 to 24"},         {"retry_count", "many", "0 to 24"},
        {"retry_wait", "1h0m1s", "at most 1h"},    {"retry_wait", "61m", "at most 1h"},
        {"retry_wait", "5", "duration"},           {"retry_wait", "5x", "duration"},
        {"retry_wait", "1m1m", "duration"},        {"retry_wait", "1s1m", "duration"},
        {"retry_wait", "''", "duration"},          {"retry_wait", "-5s", "duration"},
        {"retry_wait", "1.5h", "duration"},        {"retry_wait", "9999999999s", "duration"},
        {"retry_wait", "m", "duration"},           {"runtime_cutoff", "0s", "more than 0s"},
        {"runtime_cutoff", "0h0m0s", "more than"}, {"runtime_cutoff", "4h1s", "at most 4h"},
        {"runtime_cutoff", "999999999h", "4h"}};
    for (size_t i = 0; i < ARRAY_COUNT(WRONG); i++) {
        char *text = memory_format("%s%s: %s\n", GUARDRAILS, WRONG[i].key, WRONG[i].value);
        char *path = memory_format("vessels.a.guardrails.%s", WRONG[i].key);
        refuse(text, 9, path, WRONG[i].message);
        free(text);
        free(path);
    }
    static const char *const CODES[] = {"256", "-1",    "5-3", "1-256", "1-",
                                        "a",   "1-2-3", "1,2", "''",    "{ a: b }"};
    for (size_t i = 0; i < ARRAY_COUNT(CODES); i++) {
        char *text = memory_format("%sexclude_exit_code_ranges: [ %s ]\n", GUARDRAILS,
                                   strcmp(CODES[i], "1,2") == 0 ? "'1,2'" : CODES[i]);
        refuse(text, 9, "vessels.a.guardrails.exclude_exit_code_ranges[0]", "exit code");
        free(text);
    }
}

TEST(guardrails_of_other_shapes_are_refused)
{
    refuse(SOURCE "    guardrails: [ a ]\n", 8, "vessels.a.guardrails", "mapping");
    refuse(GUARDRAILS "retry_wait: [ 5s ]\n", 9, "vessels.a.guardrails.retry_wait", "list");
    refuse(GUARDRAILS "exclude_exit_code_ranges: { a: b }\n", 9,
           "vessels.a.guardrails.exclude_exit_code_ranges", "N or N-M");
}

/* ---- in the store ---- */

static const char STORED[] = "{\"cutoff_ms\":600000,\"excluded\":[[2,5],[9,9]],"
                             "\"retry_count\":2,\"retry_wait_ms\":5000}";

TEST(stored_form_is_read_back_unchanged)
{
    struct guardrails guardrails = {0};
    json_t *json = json_loads(STORED, 0, NULL);
    ck_assert_ptr_null(guardrails_from_json(json, &guardrails));
    json_decref(json);
    ck_assert_int_eq(guardrails.retry_count, 2);
    ck_assert_int_eq(guardrails.retry_wait_ms, 5000);
    ck_assert_int_eq(guardrails.cutoff_ms, 600000);
    ck_assert_uint_eq(guardrails.excluded_count, 2);
    ck_assert_uint_eq(guardrails.excluded[1].first, 9);
    json = guardrails_to_json(&guardrails);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(text, STORED);
    free(text);
    json_decref(json);
    guardrails_free(&guardrails);
    ck_assert_ptr_null(guardrails.excluded);
}

TEST(damage_is_reported_with_its_key)
{
    static const struct {
        const char *from, *to, *key;
    } cases[] = {{"\"retry_count\":2", "\"retry_count\":-1", "retry_count"},
                 {"\"retry_count\":2", "\"retry_count\":\"2\"", "retry_count"},
                 {"\"retry_count\":2", "\"retry_count\":2147483648", "retry_count"},
                 {"retry_wait_ms", "retry_wait", "retry_wait_ms"},
                 {"5000", "-5", "retry_wait_ms"},
                 {"600000", "0", "cutoff_ms"},
                 {"600000", "1.5", "cutoff_ms"},
                 {"excluded", "exclude", "excluded"},
                 {"[[2,5],[9,9]]", "{}", "excluded"},
                 {"[2,5]", "[6,5]", "excluded"},
                 {"[2,5]", "[-1,5]", "excluded"},
                 {"[9,9]", "[9,256]", "excluded"},
                 {"[9,9]", "[9,\"\"]", "excluded"},
                 {"[9,9]", "[9]", "excluded"},
                 {"[9,9]", "9", "excluded"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *at = strstr(STORED, cases[i].from);
        char *text = memory_format("%.*s%s%s", (int)(at - STORED), STORED, cases[i].to,
                                   at + strlen(cases[i].from));
        json_t *json = json_loads(text, 0, NULL);
        struct guardrails guardrails = {0};
        ck_assert_ptr_nonnull(json);
        const char *key = guardrails_from_json(json, &guardrails);
        ck_assert_msg(key && strcmp(key, cases[i].key) == 0, "%s: %s", text,
                      key ? key : "no damage found");
        guardrails_free(&guardrails);
        json_decref(json);
        free(text);
    }
    struct guardrails guardrails = {0};
    ck_assert_ptr_nonnull(guardrails_from_json(NULL, &guardrails));
    guardrails_free(&guardrails);
}

TEST(stored_form_may_be_beyond_the_bounds_of_a_fleet_file)
{
    struct guardrails guardrails = {0};
    json_t *json = json_loads("{\"cutoff_ms\":2147483647,\"excluded\":[],"
                              "\"retry_count\":1000,\"retry_wait_ms\":2147483647}",
                              0, NULL);
    ck_assert_ptr_null(guardrails_from_json(json, &guardrails));
    ck_assert_int_eq(guardrails.retry_count, 1000);
    ck_assert_int_eq(guardrails.cutoff_ms, INT32_MAX);
    json_decref(json);
    guardrails_free(&guardrails);
}
