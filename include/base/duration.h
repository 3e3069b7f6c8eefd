/* Durations as text, such as "1h30m": whole numbers, each with a unit. Pure; any thread. */
#ifndef WEBHOOKD_BASE_DURATION_H
#define WEBHOOKD_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum duration_unit { DURATION_D, DURATION_H, DURATION_M, DURATION_S, DURATION_MS };

/* The form that a caller accepts. */
struct duration_form {
    enum duration_unit largest, smallest; /* the units that may be used */
    int max_digits;                       /* of each number; 0 = any number of digits */
    bool any_order; /* "30m1h", "1s1s"; otherwise each unit at most once, from large to small */
};

/* Returns 0, or -1 and leaves *ms unchanged if the text does not have this form or the value does
 * not fit in an int64_t. */
int duration_parse(const char *text, const struct duration_form *form, int64_t *ms);

#define DURATION_TEXT_BYTES 32

/* Hours, minutes and whole seconds, as in a fleet file: "10m", "1h30m", "45s". Returns text. */
char *duration_format(int64_t ms, char text[DURATION_TEXT_BYTES]);
/* The largest units only, for a table: "870ms", "12.3s", "3m04s", "1h02m03s", "2d03h". A negative
 * duration counts as 0. Returns text. */
char *duration_format_short(int64_t ms, char text[DURATION_TEXT_BYTES]);

#endif
