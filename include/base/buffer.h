/* A byte buffer that grows up to a bound. Owned and used by one thread at a time. */
#ifndef WEBHOOKD_BASE_BUFFER_H
#define WEBHOOKD_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* not NUL-terminated unless buffer_text() was called; NULL while empty */
    size_t bytes;
    size_t capacity;
    size_t limit; /* appending beyond it fails; 0 = no bound */
    bool
        failed; /* an append did not fit or memory was gone; it stays set, the contents stay as they were */
};

#define BUFFER_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0, 0, false                                                                       \
    }

/* All return 0, or -1 when the bound is passed or memory is gone (and set `failed`). */
int buffer_append(struct buffer *buffer, const void *data, size_t bytes);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_append_char(struct buffer *buffer, char c);
int buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The contents as a NUL-terminated string, borrowed until the next change; "" if that failed. */
const char *buffer_text(struct buffer *buffer);

/* Passes the allocation (NUL-terminated, never NULL unless memory is gone) to the caller and empties the buffer. */
char *buffer_take(struct buffer *buffer);

void buffer_reset(struct buffer *buffer); /* empties it, keeps the allocation */
void buffer_free(struct buffer *buffer);  /* frees the allocation, leaves it empty and usable */

#endif
