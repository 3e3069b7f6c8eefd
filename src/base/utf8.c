/* UTF-8 in text of unknown origin: whether it is valid, what it contains, where it can be cut.
 * Called by the code that reads files and requests, and by the code that writes messages and log
 * lines, on any thread. */
#include "base/utf8.h"

#include <string.h>

#include "base/memory.h"

#define MAX_BYTES 4 /* of one character */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_decode_n(const char *text, size_t bytes, uint32_t *code_point)
{
    /* The range of the second byte excludes the forms that are not allowed. */
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, bytes;
    } shapes[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const uint8_t *at = (const uint8_t *)text;
    if (bytes == 0)
        return 0;
    *code_point = at[0];
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
        if (at[0] < shapes[i].first_low || at[0] > shapes[i].first_high)
            continue;
        if (bytes < shapes[i].bytes || at[1] < shapes[i].second_low ||
            at[1] > shapes[i].second_high)
            return 0;
        uint32_t value = at[0] & (0xffu >> (shapes[i].bytes + 1));
        for (size_t k = 1; k < shapes[i].bytes; k++) {
            if (!is_continuation(text[k]))
                return 0;
            value = value << 6 | (at[k] & 0x3f);
        }
        *code_point = value;
        return shapes[i].bytes;
    }
    return 0;
}

size_t utf8_decode(const char *text, uint32_t *code_point)
{
    return utf8_decode_n(text, MAX_BYTES, code_point); /* a NUL never continues a character */
}

bool utf8_is_valid(const char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        uint32_t code_point;
        size_t step = utf8_decode_n(text + at, bytes - at, &code_point);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

bool utf8_is_cc(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

bool utf8_is_control(uint32_t code_point)
{
    return utf8_is_cc(code_point) || code_point == 0x2028 || code_point == 0x2029;
}

void utf8_make_printable(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        uint32_t code_point;
        size_t bytes = utf8_decode(at, &code_point);
        if (bytes > 0 && utf8_is_control(code_point)) {
            *to++ = '?';
        } else {
            memmove(to, at, bytes);
            to += bytes;
        }
        at += bytes > 0 ? bytes : 1;
    }
    *to = '\0';
}

size_t utf8_cut(const char *text, size_t max_bytes)
{
    size_t bytes = strnlen(text, max_bytes + 1);
    if (bytes <= max_bytes)
        return bytes;
    bytes = max_bytes;
    while (bytes > 0 && is_continuation(text[bytes]))
        bytes--;
    return bytes;
}

char *utf8_from_latin1(const char *text)
{
    char *utf8 = memory_alloc(2 * strlen(text) + 1);
    char *to = utf8;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x80) {
            *to++ = (char)*c;
        } else {
            *to++ = (char)(0xc0 | *c >> 6);
            *to++ = (char)(0x80 | (*c & 0x3f));
        }
    }
    return utf8;
}

char *utf8_from_any(const char *text)
{
    size_t bytes = strlen(text);
    return utf8_is_valid(text, bytes) ? memory_string_n(text, bytes) : utf8_from_latin1(text);
}
