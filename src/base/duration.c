/* Text ↔ milliseconds. Called by the parsers of the configuration, fleet files and options, and by
 * the code that shows a duration, on the caller's thread. */
#include "base/duration.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/memory.h"

#define S_PER_MINUTE 60
#define S_PER_HOUR   3600
#define S_PER_DAY    86400

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    [DURATION_D] = {"d", S_PER_DAY * 1000},
    [DURATION_H] = {"h", S_PER_HOUR * 1000},
    [DURATION_M] = {"m", S_PER_MINUTE * 1000},
    [DURATION_S] = {"s", 1000},
    [DURATION_MS] = {"ms", 1},
};

/* Returns the unit that the text begins with, or -1. Tries the smallest first, so that "ms" is not
 * read as "m". */
static int find_unit(const char *text)
{
    for (int unit = (int)ARRAY_COUNT(units) - 1; unit >= 0; unit--)
        if (strncmp(text, units[unit].name, strlen(units[unit].name)) == 0)
            return unit;
    return -1;
}

int duration_parse(const char *text, const struct duration_form *form, int64_t *ms)
{
    int64_t sum = 0;
    int lowest = (int)form->largest; /* the largest unit that may still come */
    do {
        int64_t number = 0;
        text = decimal_read(text, form->max_digits, &number);
        int unit = text ? find_unit(text) : -1;
        if (unit < lowest || unit > (int)form->smallest ||
            __builtin_mul_overflow(number, units[unit].ms, &number) ||
            __builtin_add_overflow(sum, number, &sum))
            return -1;
        text += strlen(units[unit].name);
        if (!form->any_order)
            lowest = unit + 1;
    } while (*text != '\0');
    *ms = sum;
    return 0;
}

char *duration_format(int64_t ms, char text[DURATION_TEXT_BYTES])
{
    long long seconds = ms / 1000;
    int at = 0;
    text[0] = '\0';
    if (seconds >= S_PER_HOUR)
        at = snprintf(text, DURATION_TEXT_BYTES, "%lldh", seconds / S_PER_HOUR);
    if (seconds % S_PER_HOUR >= S_PER_MINUTE)
        at += snprintf(text + at, (size_t)(DURATION_TEXT_BYTES - at), "%lldm",
                       seconds % S_PER_HOUR / S_PER_MINUTE);
    if (seconds % S_PER_MINUTE > 0 || seconds == 0)
        (void)snprintf(text + at, (size_t)(DURATION_TEXT_BYTES - at), "%llds",
                       seconds % S_PER_MINUTE);
    return text;
}

char *duration_format_short(int64_t ms, char text[DURATION_TEXT_BYTES])
{
    long long rest = ms > 0 ? ms % 1000 : 0, seconds = ms > 0 ? ms / 1000 : 0;
    if (seconds == 0)
        (void)snprintf(text, DURATION_TEXT_BYTES, "%lldms", rest);
    else if (seconds < S_PER_MINUTE)
        (void)snprintf(text, DURATION_TEXT_BYTES, "%lld.%llds", seconds, rest / 100);
    else if (seconds < S_PER_HOUR)
        (void)snprintf(text, DURATION_TEXT_BYTES, "%lldm%02llds", seconds / S_PER_MINUTE,
                       seconds % S_PER_MINUTE);
    else if (seconds < S_PER_DAY)
        (void)snprintf(text, DURATION_TEXT_BYTES, "%lldh%02lldm%02llds", seconds / S_PER_HOUR,
                       seconds % S_PER_HOUR / S_PER_MINUTE, seconds % S_PER_MINUTE);
    else
        (void)snprintf(text, DURATION_TEXT_BYTES, "%lldd%02lldh", seconds / S_PER_DAY,
                       seconds % S_PER_DAY / S_PER_HOUR);
    return text;
}
