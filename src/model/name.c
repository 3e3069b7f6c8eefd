/* Checks names. Called by the readers of fleet files and of API requests; pure, any thread. */
#include "model/name.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/id.h"
#include "base/utf8.h"

const char *name_problem(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0)
        return "a name must not be empty";
    if (bytes > NAME_MAX_BYTES)
        return "a name must be at most 255 bytes long";
    for (const char *at = name; *at != '\0';) {
        uint32_t code_point;
        size_t length = utf8_decode(at, &code_point);
        if (length == 0)
            return "a name must be UTF-8";
        if (utf8_is_cc(code_point))
            return "a name must not contain control characters";
        if (code_point == '/')
            return "a name must not contain \"/\", which separates organization, project and fleet";
        at += length;
    }
    if (id_looks_like(name))
        return "a name must not look like an id (a UUID)";
    return NULL;
}
