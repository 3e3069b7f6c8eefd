/* Whole decimal numbers in text. Pure; any thread. */
#ifndef WEBHOOKD_BASE_DECIMAL_H
#define WEBHOOKD_BASE_DECIMAL_H

#include <stdint.h>

/* Reads the digits at text; accepts neither a sign nor white space. Returns a pointer to the first
 * character after them. Returns NULL and leaves *number unchanged if there are no digits, more than
 * max_digits (0 = any number of them), or if the value does not fit in an int64_t. */
const char *decimal_read(const char *text, int max_digits, int64_t *number);

#endif
