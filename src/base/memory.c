/* Allocations that are small and few compared to what the process needs anyway. If one of them
 * fails, the process cannot do anything useful, and a restart by the service manager is the better
 * answer. Any thread. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *allocation)
{
    if (!allocation) {
        static const char message[] = "out of memory\n";
        ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
        (void)ignored;
        abort();
    }
    return allocation;
}

void *memory_alloc(size_t bytes)
{
    return must(calloc(1, bytes > 0 ? bytes : 1));
}

void *memory_resize(void *old, size_t bytes)
{
    return must(realloc(old, bytes > 0 ? bytes : 1));
}

void *memory_array(void *old, size_t count, size_t size_bytes)
{
    if (count == 0 || size_bytes == 0)
        return memory_resize(old, 1);
    return must(reallocarray(old, count, size_bytes));
}

void *memory_copy(const void *from, size_t bytes)
{
    void *copy = memory_resize(NULL, bytes);
    if (bytes > 0)
        memcpy(copy, from, bytes);
    return copy;
}

char *memory_string(const char *text)
{
    return !text ? NULL : memory_copy(text, strlen(text) + 1);
}

char *memory_string_n(const char *text, size_t bytes)
{
    char *copy = memory_resize(NULL, bytes + 1);
    if (bytes > 0)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *memory_format_v(const char *format, va_list arguments)
{
    char *text = NULL;
    return must(vasprintf(&text, format, arguments) < 0 ? NULL : text);
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_format_v(format, arguments);
    va_end(arguments);
    return text;
}
