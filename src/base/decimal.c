/* Digits → a number. Called by the parsers of the configuration, fleet files, options and
 * durations, on the caller's thread. */
#include "base/decimal.h"

#include <stddef.h>

const char *decimal_read(const char *text, int max_digits, int64_t *number)
{
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (max_digits > 0 && at - text >= max_digits)
            return NULL;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return NULL;
    }
    if (at == text)
        return NULL;
    *number = value;
    return at;
}
