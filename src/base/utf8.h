/* UTF-8 (RFC 3629), for what writes text of unknown origin into messages and log lines. */
#ifndef WEBHOOKD_BASE_UTF8_H
#define WEBHOOKD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at text (NUL-terminated, not at its end). Its length in bytes, or 0 if there
 * is no valid one. */
size_t utf8_decode(const char *text, uint32_t *code_point);

/* Would a terminal or a reader of lines act on it instead of showing it: C0, DEL, C1, the two
 * Unicode line ends. */
bool utf8_is_control(uint32_t code_point);

#endif
