/* A growing sequence of bytes. Called wherever something is built in pieces (bodies, replies,
 * records), on the thread that owns the buffer. The contents may come from a request, so exceeding
 * the bound or running out of memory is reported and does not abort the process. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY_BYTES = 64 };

static int fail(struct buffer *buffer)
{
    buffer->failed = true;
    return -1;
}

/* Makes room for `more` bytes and a NUL after them, which does not count towards the limit. */
static int reserve(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 4 - buffer->bytes)
        return -1;
    size_t needed = buffer->bytes + more + 1;
    if (needed <= buffer->capacity)
        return 0;

    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY_BYTES;
    while (capacity < needed)
        capacity *= 2;
    if (buffer->limit > 0 && capacity > buffer->limit + 1 && needed <= buffer->limit + 1)
        capacity = buffer->limit + 1;
    char *data = realloc(buffer->data, capacity);
    if (!data)
        return -1;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

/* After a failed append all later ones fail too: a buffer never has a gap in the middle. */
static bool fits(const struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    return buffer->limit == 0 ||
           (buffer->bytes <= buffer->limit && more <= buffer->limit - buffer->bytes);
}

int buffer_append(struct buffer *buffer, const void *data, size_t bytes)
{
    if (!fits(buffer, bytes))
        return fail(buffer);
    if (bytes == 0)
        return 0;
    if (reserve(buffer, bytes) != 0)
        return fail(buffer);
    memcpy(buffer->data + buffer->bytes, data, bytes);
    buffer->bytes += bytes;
    return 0;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

int buffer_append_char(struct buffer *buffer, char c)
{
    return buffer_append(buffer, &c, 1);
}

int buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int bytes = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);

    int result = -1;
    if (bytes >= 0 && fits(buffer, (size_t)bytes) && reserve(buffer, (size_t)bytes) == 0) {
        (void)vsnprintf(buffer->data + buffer->bytes, (size_t)bytes + 1, format, again);
        buffer->bytes += (size_t)bytes;
        result = 0;
    }
    va_end(again);
    return result == 0 ? 0 : fail(buffer);
}

const char *buffer_text(struct buffer *buffer)
{
    if (reserve(buffer, 0) != 0)
        return "";
    buffer->data[buffer->bytes] = '\0';
    return buffer->data;
}

char *buffer_take(struct buffer *buffer)
{
    if (reserve(buffer, 0) != 0)
        return NULL;
    char *data = buffer->data;
    data[buffer->bytes] = '\0';
    buffer->data = NULL;
    buffer->bytes = 0;
    buffer->capacity = 0;
    return data;
}

int buffer_reserve(struct buffer *buffer, size_t bytes)
{
    size_t more = bytes > buffer->bytes ? bytes - buffer->bytes : 0;
    return fits(buffer, more) && reserve(buffer, more) == 0 ? 0 : fail(buffer);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->bytes = 0;
    buffer->failed = false;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->bytes = 0;
    buffer->capacity = 0;
    buffer->failed = false;
}

void buffer_wipe(struct buffer *buffer)
{
    if (buffer->data)
        explicit_bzero(buffer->data, buffer->capacity);
    buffer_free(buffer);
}
