/* The only code that reads the kernel's clocks, and times as RFC 3339 text. Any thread. */
#ifndef WEBHOOKD_BASE_CLOCK_H
#define WEBHOOKD_BASE_CLOCK_H

#include <stdint.h>
#include <stddef.h>

#define CLOCK_TEXT_BYTES 32

int64_t clock_wall_ms(void);      /* milliseconds since the epoch, UTC; can step */
int64_t clock_monotonic_ms(void); /* milliseconds since some point; never steps back */
int64_t clock_monotonic_us(void); /* the same in microseconds */

/* RFC 3339 in UTC: "2026-11-23T10:51:48.123Z" and "2026-11-23T10:51:48Z". Times outside the years 0
 * to 9999 become the nearest one inside. Returns text. */
char *clock_format_ms(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);
char *clock_format_s(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);

/* "2026-11-23" in UTC, for the same years. Returns text. */
char *clock_format_day(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);

/* Parses RFC 3339 with "Z" or an offset, with or without a fraction. Returns 0 or -1. */
int clock_parse(const char *text, int64_t *wall_ms);

#endif
