/* Small allocations that abort the process when memory is exhausted. Code that holds the body of a
 * request uses a buffer or malloc and checks the result; smaller parts of a request (a header, a
 * name, a fleet file) may use these. Any thread. */
#ifndef WEBHOOKD_BASE_MEMORY_H
#define WEBHOOKD_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define ARRAY_COUNT(array)                  (sizeof(array) / sizeof((array)[0]))

/* These never return NULL, except memory_string for NULL. Free with free(). */
void *memory_alloc(size_t bytes); /* zeroed */
void *memory_resize(void *old, size_t bytes);
/* Like memory_resize, with an overflow check; not zeroed. */
void *memory_array(void *old, size_t count, size_t size_bytes);
void *memory_copy(const void *from, size_t bytes);
char *memory_string(const char *text);                 /* NULL stays NULL */
char *memory_string_n(const char *text, size_t bytes); /* adds the NUL */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_format_v(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
