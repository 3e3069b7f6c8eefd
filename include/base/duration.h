/* Durations as text, such as "1h30m": whole numbers, each with a unit. Pure; any thread. */
#ifndef WEBHOOKD_BASE_DURATION_H
#define WEBHOOKD_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum duration_unit { DURATION_D, DURATION_H, DURATION_M, DURATION_S, DURATION_MS };

/* The form that a reader accepts. */
struct duration_form {
    enum duration_unit largest, smallest; /* the units that may be used */
    int max_digits;                       /* of each number; 0 = any count */
    bool any_order; /* "30m1h", "1s1s"; otherwise each unit at most once, from large to small */
};

/* 0, or -1 and *ms unchanged if the text does not have the form or 64 bits do not hold it. */
int duration_parse(const char *text, const struct duration_form *form, int64_t *ms);

#define DURATION_TEXT_BYTES 32

/* "10m", "1h30m", "45s": hours, minutes and whole seconds, as in a fleet file. Returns text. */
char *duration_format(int64_t ms, char text[DURATION_TEXT_BYTES]);
/* Its largest parts, for a table: "870ms", "12.3s", "3m04s", "1h02m03s", "2d03h". A negative one
 * counts as 0. Returns text. */
char *duration_format_short(int64_t ms, char text[DURATION_TEXT_BYTES]);

#endif
