/* The kernel's clocks, and RFC 3339. Called by every layer, on any thread.
 *
 * This file does its own calendar arithmetic because gmtime(3) and strftime(3) follow the locale
 * and time zone files and take a lock, and there are many log lines and replies. The calendar is
 * the proleptic Gregorian one. The formulas count days in eras of 400 years from 0000-03-01, so
 * that the leap day is the last day of its year. */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

#define MS_PER_S   1000
#define S_PER_DAY  86400
#define MS_PER_DAY ((int64_t)S_PER_DAY * MS_PER_S)

enum { DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400, DAYS_TO_EPOCH = 719468 };

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: the years that have four digits. */
#define OLDEST_MS (-62167219200000)
#define NEWEST_MS 253402300799999

struct civil {
    int year, month, day;
};

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

/* For 0000-01-01 and later days. */
static struct civil civil_from_days(int64_t days_since_epoch)
{
    int64_t shifted = days_since_epoch + DAYS_TO_EPOCH;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int day_of_era = (int)(shifted - era * DAYS_PER_ERA);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;

    struct civil civil = {
        .year = (int)(era * YEARS_PER_ERA) + year_of_era,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
    if (civil.month <= 2)
        civil.year++;
    return civil;
}

static int64_t days_from_civil(struct civil civil)
{
    int year = civil.month <= 2 ? civil.year - 1 : civil.year;
    int era = (year >= 0 ? year : year - (YEARS_PER_ERA - 1)) / YEARS_PER_ERA;
    int year_of_era = year - era * YEARS_PER_ERA;
    int month_from_march = civil.month > 2 ? civil.month - 3 : civil.month + 9;
    int day_of_year = (153 * month_from_march + 2) / 5 + civil.day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

static char *put_day(char *at, int64_t days_since_epoch)
{
    struct civil civil = civil_from_days(days_since_epoch);
    at = put_digits(at, civil.year, 4);
    *at++ = '-';
    at = put_digits(at, civil.month, 2);
    *at++ = '-';
    return put_digits(at, civil.day, 2);
}

static char *format(int64_t wall_ms, bool with_time, bool with_ms, char *text)
{
    if (wall_ms < OLDEST_MS)
        wall_ms = OLDEST_MS;
    if (wall_ms > NEWEST_MS)
        wall_ms = NEWEST_MS;
    int64_t days = wall_ms / MS_PER_DAY - (wall_ms % MS_PER_DAY < 0 ? 1 : 0);
    int ms_of_day = (int)(wall_ms - days * MS_PER_DAY);

    char *at = put_day(text, days);
    if (with_time) {
        int second_of_day = ms_of_day / MS_PER_S;
        *at++ = 'T';
        at = put_digits(at, second_of_day / 3600, 2);
        *at++ = ':';
        at = put_digits(at, second_of_day / 60 % 60, 2);
        *at++ = ':';
        at = put_digits(at, second_of_day % 60, 2);
        if (with_ms) {
            *at++ = '.';
            at = put_digits(at, ms_of_day % MS_PER_S, 3);
        }
        *at++ = 'Z';
    }
    *at = '\0';
    return text;
}

char *clock_format_ms(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
    return format(wall_ms, true, true, text);
}

char *clock_format_s(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
    return format(wall_ms, true, false, text);
}

char *clock_format_day(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
    return format(wall_ms, false, false, text);
}

/* Takes exactly this many digits. */
static bool take_digits(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char upper, char lower)
{
    if (**at != upper && **at != lower)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(const char **at, int64_t *days)
{
    struct civil civil;
    if (!take_digits(at, 4, &civil.year) || !take_char(at, '-', '-') ||
        !take_digits(at, 2, &civil.month) || !take_char(at, '-', '-') ||
        !take_digits(at, 2, &civil.day))
        return false;
    if (civil.month < 1 || civil.month > 12 || civil.day < 1 ||
        civil.day > days_in_month(civil.year, civil.month))
        return false;
    *days = days_from_civil(civil);
    return true;
}

/* A leap second counts as the first second of the next minute. A fraction is truncated to
 * milliseconds. */
static bool take_time(const char **at, int64_t *ms)
{
    int hour, minute, second;
    if (!take_digits(at, 2, &hour) || !take_char(at, ':', ':') || !take_digits(at, 2, &minute) ||
        !take_char(at, ':', ':') || !take_digits(at, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ms = ((hour * 60 + minute) * 60 + second) * (int64_t)MS_PER_S;

    if (**at != '.')
        return true;
    (*at)++;
    if (**at < '0' || **at > '9')
        return false;
    for (int worth = 100; **at >= '0' && **at <= '9'; worth /= 10, (*at)++)
        *ms += (**at - '0') * worth;
    return true;
}

static bool take_offset(const char **at, int64_t *ms)
{
    *ms = 0;
    if (take_char(at, 'Z', 'z'))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hour, minute;
    if (!take_char(at, '+', '-') || !take_digits(at, 2, &hour) || !take_char(at, ':', ':') ||
        !take_digits(at, 2, &minute))
        return false;
    *ms = sign * (hour * 60 + minute) * (int64_t)60 * MS_PER_S;
    return hour <= 23 && minute <= 59;
}

int clock_parse(const char *text, int64_t *wall_ms)
{
    const char *at = text;
    int64_t days, time_ms, offset_ms;
    if (!take_date(&at, &days) || !take_char(&at, 'T', 't') || !take_time(&at, &time_ms) ||
        !take_offset(&at, &offset_ms) || *at != '\0')
        return -1;
    *wall_ms = days * MS_PER_DAY + time_ms - offset_ms;
    return 0;
}
