/* webhookctl's options and operands. The program's own folder is not in the library, so the test
 * includes the source file. */
#include "webhookctl/options.c"

#include <stdio.h>

#include "support/suite.h"

#define MAX_WORDS 16

/* Parses "webhookctl" and these words, which are separated by spaces. */
static int parse(const char *words, struct options *options, struct error *error)
{
    static char line[512];
    char *argv[MAX_WORDS + 1] = {NULL};
    int argc = 0;
    snprintf(line, sizeof(line), "webhookctl %s", words);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(argc, MAX_WORDS);
        argv[argc++] = word;
    }
    error_clear(error);
    return options_parse(argc, argv, options, error);
}

static void assert_refused(const char *words, const char *message)
{
    struct options options;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(parse(words, &options, &error), -1);
    ck_assert_str_eq(error.message, message);
    options_free(&options);
}

TEST(options_may_precede_and_follow_operands)
{
    static const char *const lines[] = {"--json -s /x fleet show --version 3 Greet",
                                        "fleet --version=3 show Greet -s/x --json",
                                        "fleet show Greet --socket=/x --version 3 --json"};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct options options;
        struct error error = ERROR_INIT;
        ck_assert_int_eq(parse(lines[i], &options, &error), 0);
        ck_assert_uint_eq(options.operand_count, 3);
        ck_assert_str_eq(options.operands[0], "fleet");
        ck_assert_str_eq(options.operands[1], "show");
        ck_assert_str_eq(options.operands[2], "Greet");
        ck_assert_str_eq(options.values[OPTION_SOCKET], "/x");
        ck_assert_str_eq(options.values[OPTION_VERSION], "3");
        ck_assert_ptr_nonnull(options.values[OPTION_JSON]);
        ck_assert_ptr_null(options.values[OPTION_CHECK]);
        options_free(&options);
    }
}

TEST(two_dashes_end_the_options)
{
    struct options options;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(parse("fleet show -- --json --", &options, &error), 0);
    ck_assert_ptr_null(options.values[OPTION_JSON]);
    ck_assert_uint_eq(options.operand_count, 4);
    ck_assert_str_eq(options.operands[2], "--json");
    ck_assert_str_eq(options.operands[3], "--");
    options_free(&options);
}

TEST(dash_alone_is_an_operand_or_a_value)
{
    struct options options;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(parse("run start - --body -", &options, &error), 0);
    ck_assert_uint_eq(options.operand_count, 3);
    ck_assert_str_eq(options.operands[2], "-");
    ck_assert_str_eq(options.values[OPTION_BODY], "-");
    options_free(&options);
}

TEST(the_last_occurrence_of_an_option_wins)
{
    struct options options;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(parse("--limit 1 --limit=2", &options, &error), 0);
    ck_assert_str_eq(options.values[OPTION_LIMIT], "2");
    options_free(&options);
}

TEST(every_header_is_kept_in_order)
{
    struct options options;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(parse("--header a:1 run start --header=b:2 --header a:3", &options, &error),
                     0);
    ck_assert_uint_eq(options.header_count, 3);
    ck_assert_str_eq(options.headers[0], "a:1");
    ck_assert_str_eq(options.headers[1], "b:2");
    ck_assert_str_eq(options.headers[2], "a:3");
    options_free(&options);
}

TEST(unknown_options_are_refused_by_name)
{
    assert_refused("fleet list --bogus", "unknown option \"--bogus\"");
    assert_refused("fleet list --bogus=1", "unknown option \"--bogus\"");
    assert_refused("fleet list --jso", "unknown option \"--jso\"");
    assert_refused("fleet list -x", "unknown option \"-x\"");
    assert_refused("fleet list -hx", "unknown option \"-hx\"");
    assert_refused("fleet list --json=1", "--json does not take a value");
    assert_refused("fleet list --project", "--project requires a value");
    assert_refused("fleet list -s", "--socket requires a value");
}

TEST(numbers_are_whole_and_within_their_bounds)
{
    static const char *const wrong[] = {
        "0", "11", "-1", "+1", "1x", "x", "0x1", "1.0", "99999999999999999999"};
    struct options options = {.values = {NULL}};
    struct error error = ERROR_INIT;
    int64_t number = 5;
    ck_assert_int_eq(options_number(&options, OPTION_LIMIT, 1, 10, &number, &error), 0);
    ck_assert_int_eq(number, 5);
    options.values[OPTION_LIMIT] = "10";
    ck_assert_int_eq(options_number(&options, OPTION_LIMIT, 1, 10, &number, &error), 0);
    ck_assert_int_eq(number, 10);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        options.values[OPTION_LIMIT] = wrong[i];
        error_clear(&error);
        ck_assert_int_eq(options_number(&options, OPTION_LIMIT, 1, 10, &number, &error), -1);
        ck_assert_str_eq(error.message, "--limit must be a whole number from 1 to 10");
    }
    options.values[OPTION_LIMIT] = "";
    error_clear(&error);
    ck_assert_int_eq(options_number(&options, OPTION_LIMIT, 1, 10, &number, &error), -1);
    ck_assert_int_eq(number, 10);
}

TEST(durations_take_all_units_in_any_order)
{
    static const char *const wrong[] = {"", "5", "5x", "-5s"};
    struct options options = {.values = {NULL}};
    struct error error = ERROR_INIT;
    int64_t ms = 17;
    ck_assert_int_eq(options_duration(&options, OPTION_TIMEOUT, &ms, &error), 0);
    ck_assert_int_eq(ms, 17);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        options.values[OPTION_TIMEOUT] = wrong[i];
        error_clear(&error);
        ck_assert_int_eq(options_duration(&options, OPTION_TIMEOUT, &ms, &error), -1);
        ck_assert_str_eq(error.message,
                         "--timeout must be a duration such as 500ms, 30s, 5m or 1h30m");
        ck_assert_int_eq(ms, 17);
    }
    error_clear(&error);
    options.values[OPTION_TIMEOUT] = "1s2d1m1ms1h1s";
    ck_assert_int_eq(options_duration(&options, OPTION_TIMEOUT, &ms, &error), 0);
    ck_assert_int_eq(ms, 176462001);
}

TEST(time_is_given_by_its_date_or_by_how_long_ago_it_was)
{
    static const int64_t now_ms = INT64_C(1795000000000);
    static const struct {
        const char *words;
        int64_t wall_ms;
    } cases[] = {
        {"audit", 7},
        {"audit --since 24h", now_ms - INT64_C(86400000)},
        {"audit --since 1d12h", now_ms - INT64_C(129600000)},
        {"audit --since 1970-01-01T00:00:01Z", 1000},
        {"audit --since 1970-01-01T01:00:01+01:00", 1000},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct options options;
        struct error error = ERROR_INIT;
        int64_t wall_ms = 7;
        ck_assert_int_eq(parse(cases[i].words, &options, &error), 0);
        ck_assert_int_eq(options_since(&options, OPTION_SINCE, now_ms, &wall_ms, &error), 0);
        ck_assert_int_eq(wall_ms, cases[i].wall_ms);
        options_free(&options);
    }
    struct options options;
    struct error error = ERROR_INIT;
    int64_t wall_ms = 7;
    ck_assert_int_eq(parse("audit --since yesterday", &options, &error), 0);
    ck_assert_int_eq(options_since(&options, OPTION_SINCE, now_ms, &wall_ms, &error), -1);
    ck_assert_str_eq(error.message,
                     "--since must be a duration such as 24h or 7d, or an RFC 3339 time such as "
                     "2026-11-23T10:51:48Z");
    ck_assert_int_eq(wall_ms, 7);
    options_free(&options);
}
