/* See field.h. Called by guard.c for every request, on the handler's thread, and by admin/. */
#include "http/field.h"

bool http_is_token(const char *text, size_t bytes)
{
    static const bool allowed[256] = {
        ['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
        ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
        ['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
        ['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    };
    if (bytes == 0)
        return false;
    for (size_t i = 0; i < bytes; i++)
        if (!allowed[(unsigned char)text[i]])
            return false;
    return true;
}

bool http_has_control_bytes(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}
