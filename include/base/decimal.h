/* Whole decimal numbers in text. Pure; any thread. */
#ifndef WEBHOOKD_BASE_DECIMAL_H
#define WEBHOOKD_BASE_DECIMAL_H

#include <stdint.h>

/* Reads the digits at text: no sign, no white space. Returns the text behind them; NULL, and
 * *number unchanged, if there are none, more than max_digits (0 = any count), or more than 64 bits
 * hold. */
const char *decimal_read(const char *text, int max_digits, int64_t *number);

#endif
