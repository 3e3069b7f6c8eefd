/* The rules for names, and the UTF-8 that they and the fleet files are made of. Pure; called from any thread. */
#include "model/name.h"

#include <stdint.h>
#include <string.h>

#include "base/id.h"

size_t name_utf8_char(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    if (bytes == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (bytes < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* What the lead byte alone does not exclude: overlong forms, surrogates, beyond U+10FFFF. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

bool name_is_utf8(const char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        size_t length = name_utf8_char(text + at, bytes - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

bool name_is_control(const char *character, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)character;
    if (bytes == 1)
        return at[0] < 0x20 || at[0] == 0x7f;
    return bytes == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

const char *name_problem(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0)
        return "a name may not be empty";
    if (bytes > NAME_MAX_BYTES)
        return "a name has at most 255 bytes";
    for (size_t at = 0; at < bytes;) {
        size_t length = name_utf8_char(name + at, bytes - at);
        if (length == 0)
            return "a name must be UTF-8";
        if (name_is_control(name + at, length))
            return "a name may not hold control characters";
        if (name[at] == '/')
            return "a name may not hold \"/\", which separates organization, project and fleet";
        at += length;
    }
    if (id_looks_like(name))
        return "a name may not look like an id (a UUID)";
    return NULL;
}
