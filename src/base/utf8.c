/* UTF-8 without overlong forms, surrogates or anything beyond U+10FFFF. Called by error and log,
 * on any thread. */
#include "base/utf8.h"

size_t utf8_decode(const char *text, uint32_t *code_point)
{
    /* The range of the second byte is what rules out the forms that are not allowed. */
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, bytes;
    } shapes[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const uint8_t *bytes = (const uint8_t *)text;
    *code_point = bytes[0];
    if (bytes[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (bytes[0] < shapes[i].first_low || bytes[0] > shapes[i].first_high)
            continue;
        if (bytes[1] < shapes[i].second_low || bytes[1] > shapes[i].second_high)
            return 0;
        uint32_t value = bytes[0] & (0xffu >> (shapes[i].bytes + 1));
        for (size_t k = 1; k < shapes[i].bytes; k++) {
            if ((bytes[k] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (bytes[k] & 0x3f);
        }
        *code_point = value;
        return shapes[i].bytes;
    }
    return 0;
}

bool utf8_is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f) ||
           code_point == 0x2028 || code_point == 0x2029;
}
