/* UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF). Pure; any thread. */
#ifndef WEBHOOKD_BASE_UTF8_H
#define WEBHOOKD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at text, which is NUL-terminated and not empty. Returns its length in bytes,
 * or 0 if it is not valid. */
size_t utf8_decode(const char *text, uint32_t *code_point);
/* The same within `bytes` bytes. There may be none, and they may contain a NUL. */
size_t utf8_decode_n(const char *text, size_t bytes, uint32_t *code_point);

bool utf8_is_valid(const char *text, size_t bytes);

/* Whether it is a control character (Unicode category Cc): C0, DEL, C1. */
bool utf8_is_cc(uint32_t code_point);
/* Whether a terminal or a program that reads lines would act on the character instead of showing
 * it: category Cc and the two Unicode line separators. */
bool utf8_is_control(uint32_t code_point);

/* Makes the text safe to show, in place: replaces each such character by "?" and removes bytes that
 * are not UTF-8, which cutting a text may leave at its end. */
void utf8_make_printable(char *text);

/* Returns the length of the longest prefix of the text that has at most max_bytes bytes and does
 * not split a character. */
size_t utf8_cut(const char *text, size_t max_bytes);

/* Returns ISO-8859-1 as UTF-8: each byte becomes the character of that number. The caller frees the
 * result. */
char *utf8_from_latin1(const char *text);
/* Returns a copy of UTF-8, and anything else as if it were ISO-8859-1. The caller frees it. */
char *utf8_from_any(const char *text);

#endif
