/* See distance.h. Called by admin/fleet_sections.c. */
#include "base/distance.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment. Row i holds the distances from the first i bytes of a to the first 0,
 * 1, … bytes of b; only the last three rows are kept. No row's minimum is below that of the row
 * before, so a row beyond the limit ends the search. */
unsigned distance_between(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][DISTANCE_TEXT_BYTES];
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    size_t difference = a_bytes > b_bytes ? a_bytes - b_bytes : b_bytes - a_bytes;
    if (difference > limit || b_bytes >= DISTANCE_TEXT_BYTES)
        return limit + 1;
    for (size_t j = 0; j <= b_bytes; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        unsigned minimum = row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            row[j] = above[j - 1] + (is_same(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], higher[j - 2] + 1);
            minimum = least(minimum, row[j]);
        }
        if (minimum > limit + 1) /* a swap may still take one off */
            return limit + 1;
    }
    return least(rows[a_bytes % 3][b_bytes], limit + 1);
}
