/* Small allocations that abort when memory is gone. What a request sizes uses malloc and checks it. */
#ifndef WEBHOOKD_BASE_MEMORY_H
#define WEBHOOKD_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define ARRAY_COUNT(array)                  (sizeof(array) / sizeof((array)[0]))

/* Never return NULL. Free with free(). */
void *memory_alloc(size_t bytes); /* zeroed */
void *memory_resize(void *old, size_t bytes);
void *memory_array(void *old, size_t count,
                   size_t size_bytes); /* overflow-checked resize, not zeroed */
void *memory_copy(const void *from, size_t bytes);
char *memory_string(const char *text);                 /* NULL stays NULL */
char *memory_string_n(const char *text, size_t bytes); /* adds the NUL */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_format_v(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
