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
    /* An append exceeded the bound or memory was exhausted. Stays set until buffer_reset or
     * buffer_free; further appends fail and leave the contents unchanged. */
    bool failed;
};

#define BUFFER_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0, 0, false                                                                       \
    }

/* Each returns 0, or sets `failed` and returns -1 if the bound would be exceeded, memory is
 * exhausted or `failed` is already set. */
int buffer_append(struct buffer *buffer, const void *data, size_t bytes);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_append_char(struct buffer *buffer, char c);
int buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns the contents as a NUL-terminated string, borrowed until the next change, or "" if memory
 * is exhausted. */
const char *buffer_text(struct buffer *buffer);

/* Passes the allocation, NUL-terminated, to the caller and empties the buffer. Returns NULL only if
 * memory is exhausted. `failed` is not cleared: check it first. */
char *buffer_take(struct buffer *buffer);

/* Makes room for `bytes` in all. Until there are more, an append moves nothing, so no copy of the
 * contents is left behind in memory. */
int buffer_reserve(struct buffer *buffer, size_t bytes);

void buffer_reset(struct buffer *buffer); /* empties it and keeps the allocation */
void buffer_free(struct buffer *buffer);  /* frees the allocation; the buffer is empty and usable */
void buffer_wipe(struct buffer *buffer);  /* the same, after overwriting the contents */

#endif
