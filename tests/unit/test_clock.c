#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "support/suite.h"

TEST(times_are_written_in_rfc3339)
{
    char text[CLOCK_TEXT_BYTES];
    ck_assert_str_eq(clock_format_ms(0, text), "1970-01-01T00:00:00.000Z");
    ck_assert_str_eq(clock_format_ms(1795431108123, text), "2026-11-23T10:51:48.123Z");
    ck_assert_str_eq(clock_format_s(1795431108999, text), "2026-11-23T10:51:48Z");
    ck_assert_str_eq(clock_format_day(1795431108123, text), "2026-11-23");
    ck_assert_str_eq(clock_format_ms(951782400000, text), "2000-02-29T00:00:00.000Z");
    ck_assert_str_eq(clock_format_ms(-1, text), "1969-12-31T23:59:59.999Z");
    ck_assert_str_eq(clock_format_ms(-86400000, text), "1969-12-31T00:00:00.000Z");
}

TEST(the_years_0_and_9999_are_the_limits)
{
    char text[CLOCK_TEXT_BYTES];
    ck_assert_str_eq(clock_format_ms(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
    ck_assert_str_eq(clock_format_ms(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

TEST(every_day_of_four_centuries_agrees_with_the_c_library)
{
    for (int64_t day = -40000; day < 110000; day++) {
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;
        char expected[CLOCK_TEXT_BYTES], text[CLOCK_TEXT_BYTES];
        ck_assert_ptr_nonnull(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        ck_assert_str_eq(clock_format_s(day * 86400000, text), expected);
        int64_t parsed;
        ck_assert_int_eq(clock_parse(text, &parsed), 0);
        ck_assert_int_eq(parsed, day * 86400000);
    }
}

TEST(a_written_time_is_read_back)
{
    for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86399999 * (int64_t)97 + 7) {
        char text[CLOCK_TEXT_BYTES];
        int64_t parsed = 0;
        ck_assert_int_eq(clock_parse(clock_format_ms(ms, text), &parsed), 0);
        ck_assert_int_eq(parsed, ms);
    }
}

TEST(offsets_and_fractions_are_read)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T01:00:00+01:00", 0},        {"1969-12-31T18:30:00-05:30", 0},
        {"1970-01-01T00:00:00.5Z", 500},         {"1970-01-01T00:00:00.123456789Z", 123},
        {"1970-01-01t00:00:01z", 1000},          {"1970-01-01T00:00:00-00:00", 0},
        {"2016-12-31T23:59:60Z", 1483228800000}, {"1970-01-01T00:00:00.0019999-00:01", 60001},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = -1;
        ck_assert_msg(clock_parse(cases[i].text, &ms) == 0, "%s", cases[i].text);
        ck_assert_msg(ms == cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
    }
}

TEST(invalid_times_are_refused)
{
    static const char *const texts[] = {
        "",
        "1970",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+01:60",
        "1970-01-01T00:00:00Zx",
        "+970-01-01T00:00:00Z",
        "1970-01-01T00:00:0 Z",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t ms = 77;
        ck_assert_msg(clock_parse(texts[i], &ms) == -1, "accepted: %s", texts[i]);
        ck_assert_int_eq(ms, 77);
    }
}

TEST(the_clocks_agree_with_the_kernel)
{
    time_t before = time(NULL);
    int64_t wall_ms = clock_wall_ms();
    time_t after = time(NULL);
    /* time(2) reads a coarser clock, which may lag one tick. */
    ck_assert_int_ge(wall_ms / 1000, before);
    ck_assert_int_le(wall_ms / 1000, after + 1);

    int64_t first_us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    int64_t last_us = clock_monotonic_us();
    ck_assert_int_le(first_us / 1000, ms);
    ck_assert_int_le(ms, last_us / 1000);
}
