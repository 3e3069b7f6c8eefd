/* UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF). Pure; any thread. */
#ifndef WEBHOOKD_BASE_UTF8_H
#define WEBHOOKD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at text (NUL-terminated, not at its end). Its length in bytes, or 0 if there
 * is no valid one. */
size_t utf8_decode(const char *text, uint32_t *code_point);
/* The same within `bytes` bytes, which may be none and may hold a NUL. */
size_t utf8_decode_n(const char *text, size_t bytes, uint32_t *code_point);

bool utf8_is_valid(const char *text, size_t bytes);

/* A control character (Unicode category Cc): C0, DEL, C1. */
bool utf8_is_cc(uint32_t code_point);
/* Would a terminal or a reader of lines act on it instead of showing it: category Cc, the two
 * Unicode line ends. */
bool utf8_is_control(uint32_t code_point);

/* The length of the UTF-8 text after a cut to at most max_bytes, between two characters. */
size_t utf8_cut(const char *text, size_t max_bytes);

/* ISO-8859-1 as UTF-8: each byte is the character of that number. Free it. */
char *utf8_from_latin1(const char *text);

#endif
