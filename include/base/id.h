/* Ids are UUIDs (RFC 9562): 16 bytes in memory, 36 lower-case characters as text.
 *
 * Time-ordered ids (version 7) come from one clock for the whole process. It never steps back, and
 * at start webhookd raises it to the last run's time (id_clock_floor). The time in a request's id
 * and the time in its run's id are therefore always comparable. */
#ifndef WEBHOOKD_BASE_ID_H
#define WEBHOOKD_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_TEXT_BYTES 37 /* with the NUL */

struct id {
    uint8_t bytes[16];
};

struct id id_random(void);  /* version 4 */
struct id id_ordered(void); /* version 7: id_clock_ms() and 74 random bits */

/* The process's id clock: milliseconds since the epoch. Never returns less than before or less than
 * the floor. Any thread. */
int64_t id_clock_ms(void);
void id_clock_floor(int64_t wall_ms);

/* A run's id and its number are two forms of the same 60 bits: number = milliseconds << 12 |
 * counter. The id holds the milliseconds in its first 48 bits, the counter in the 12 bits after the
 * version, and 62 bits of `random` after the variant. */
struct id id_from_run_number(int64_t number, uint64_t random);
int64_t id_run_number(const struct id *id);
uint64_t id_run_random(const struct id *id); /* the 62 bits */
int64_t id_time_ms(const struct id *id);     /* of a version 7 id: its first 48 bits */
uint64_t id_random_bits(void);               /* 62 random bits, for id_from_run_number */

char *id_format(const struct id *id, char text[ID_TEXT_BYTES]); /* returns text */
/* Parses the canonical 36 characters, in upper or lower case, and nothing else. Returns 0 or -1. */
int id_parse(const char *text, struct id *id);
bool id_looks_like(const char *text); /* whether it has the shape of a UUID */
bool id_is_prefix(const char *text);  /* whether an id can begin like this; "" counts */
bool id_equal(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);

#endif
