/* Durations as text: what each form accepts, and the two ways of writing one. */
#include "base/duration.h"

#include <stddef.h>

#include "base/memory.h"
#include "support/suite.h"

static const struct duration_form ordered = {.largest = DURATION_D, .smallest = DURATION_MS};
static const struct duration_form unordered = {
    .largest = DURATION_D, .smallest = DURATION_MS, .any_order = true};
static const struct duration_form short_form = {
    .largest = DURATION_H, .smallest = DURATION_S, .max_digits = 9};

static void assert_parses(const char *text, const struct duration_form *form, int64_t expected_ms)
{
    int64_t ms = -1;
    ck_assert_msg(duration_parse(text, form, &ms) == 0, "%s", text);
    ck_assert_int_eq(ms, expected_ms);
}

static void assert_refused(const char *text, const struct duration_form *form)
{
    int64_t ms = 17;
    ck_assert_msg(duration_parse(text, form, &ms) == -1, "%s", text);
    ck_assert_int_eq(ms, 17);
}

TEST(durations_add_up)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},
                {"250ms", 250},
                {"90s", 90000},
                {"5m", 300000},
                {"1h", 3600000},
                {"2d", 172800000},
                {"1h30m", 5400000},
                {"1m1ms", 60001},
                {"007s", 7000},
                {"1h0m5s7ms", 3605007},
                {"1d12h", 129600000},
                {"1d2h3m4s5ms", 93784005},
                {"9223372036854775807ms", INT64_MAX}};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_parses(good[i].text, &ordered, good[i].ms);
        assert_parses(good[i].text, &unordered, good[i].ms);
    }
}

TEST(invalid_durations_are_refused)
{
    static const char *const wrong[] = {"",
                                        "5",
                                        "0",
                                        "s",
                                        "5x",
                                        "1w",
                                        "1S",
                                        "1sec",
                                        "5 s",
                                        " 5s",
                                        "5s ",
                                        "-5s",
                                        "+5s",
                                        "1.5s",
                                        "5s6",
                                        "99999999999999999999s",
                                        "9223372036854775807d",
                                        "9223372036854775807ms1ms"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_refused(wrong[i], &ordered);
        assert_refused(wrong[i], &unordered);
        assert_refused(wrong[i], &short_form);
    }
}

TEST(the_form_decides_about_order_and_repetition)
{
    assert_parses("1s1m", &unordered, 61000);
    assert_parses("1s1s", &unordered, 2000);
    assert_parses("1ms1d", &unordered, 86400001);
    static const char *const wrong[] = {"1s1m", "1s1s", "1h1h", "1m1s1m"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_refused(wrong[i], &ordered);
        assert_refused(wrong[i], &short_form);
    }
    assert_refused("1ms1s", &ordered);
    assert_refused("1h1d", &ordered);
}

TEST(the_form_decides_about_units_and_digits)
{
    assert_parses("1h2m3s", &short_form, 3723000);
    assert_parses("999999999h", &short_form, INT64_C(3599999996400000));
    assert_refused("1d", &short_form);
    assert_refused("1d1h", &short_form);
    assert_refused("250ms", &short_form);
    assert_refused("1s250ms", &short_form);
    assert_refused("9999999999s", &short_form);
    assert_refused("0000000001s", &short_form);
}

TEST(a_formatted_duration_is_read_back)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "0s"},          {45000, "45s"},     {600000, "10m"},     {3600000, "1h"},
                {5400000, "1h30m"}, {3605000, "1h5s"},  {3723000, "1h2m3s"}, {90000, "1m30s"},
                {14400000, "4h"},   {360000000, "100h"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[DURATION_TEXT_BYTES];
        ck_assert_str_eq(duration_format(rows[i].ms, text), rows[i].text);
        assert_parses(text, &short_form, rows[i].ms);
    }
    char text[DURATION_TEXT_BYTES];
    ck_assert_str_eq(duration_format(1999, text), "1s");
    ck_assert_str_eq(duration_format(999, text), "0s");
    ck_assert_str_eq(duration_format(INT64_MAX, text), "2562047788015h12m55s");
}

TEST(short_form_shows_the_largest_parts)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{-5, "0ms"},
                {0, "0ms"},
                {870, "870ms"},
                {1000, "1.0s"},
                {12399, "12.3s"},
                {59999, "59.9s"},
                {60000, "1m00s"},
                {184000, "3m04s"},
                {3599999, "59m59s"},
                {3723000, "1h02m03s"},
                {86399999, "23h59m59s"},
                {86400000, "1d00h"},
                {183600000, "2d03h"},
                {INT64_MAX, "106751991167d07h"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[DURATION_TEXT_BYTES];
        ck_assert_str_eq(duration_format_short(rows[i].ms, text), rows[i].text);
    }
}
