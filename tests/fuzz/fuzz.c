/* What fuzz targets share: see fuzz.h. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

_Noreturn void fuzz_fail(const char *property, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    abort();
}

bool fuzz_is_message(const char *text)
{
    if (!text || text[0] == '\0')
        return false;
    while (*text != '\0') {
        uint32_t code_point;
        size_t bytes = utf8_decode(text, &code_point);
        if (bytes == 0 || utf8_is_cc(code_point))
            return false;
        text += bytes;
    }
    return true;
}

char *fuzz_take_line(const uint8_t **data, size_t *bytes, size_t *line_bytes)
{
    const uint8_t *end = *bytes > 0 ? memchr(*data, '\n', *bytes) : NULL;
    *line_bytes = end ? (size_t)(end - *data) : *bytes;
    char *line = memory_string_n(*bytes > 0 ? (const char *)*data : "", *line_bytes);
    size_t taken = *line_bytes + (end ? 1 : 0);
    *data += taken;
    *bytes -= taken;
    return line;
}
