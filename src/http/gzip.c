/* Compresses the body of an answer with zlib, in one piece. Called by reply.c on the handler's
 * thread. */
#include "http/gzip.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ZLIB_CONST /* zlib does not change its input, and then says so */
#include <zlib.h>

/* The fastest level: level 6 takes twice the time and saves another 10 to 17 percent. A window of
 * 8 KiB holds the objects of a list before the current one, and a larger one saves nothing. zlib
 * then needs 70 KiB; with its own defaults it would be 262. */
#define LEVEL        1
#define WINDOW_BITS  (13 + 16) /* 16: in the format of gzip */
#define MEMORY_LEVEL 6

static atomic_int running;

/* Returns the number of bytes written to `packed`, or 0 if `most` are not enough or memory is
 * exhausted. */
static size_t deflate_all(const void *bytes, size_t count, void *packed, size_t most)
{
    z_stream stream = {
        .next_in = bytes, .avail_in = (uInt)count, .next_out = packed, .avail_out = (uInt)most};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return 0;
    size_t written = deflate(&stream, Z_FINISH) == Z_STREAM_END ? stream.total_out : 0;
    deflateEnd(&stream);
    return written;
}

/* Gives back what was not needed. */
static void *shrink(void *packed, size_t bytes)
{
    void *smaller = realloc(packed, bytes);
    return smaller ? smaller : packed;
}

static void *pack(const void *bytes, size_t count, size_t *packed_bytes)
{
    size_t most = count - 1;
    void *packed = malloc(most);
    if (!packed)
        return NULL;
    *packed_bytes = deflate_all(bytes, count, packed, most);
    if (*packed_bytes > 0)
        return shrink(packed, *packed_bytes);
    free(packed);
    return NULL;
}

void *gzip_pack(const void *bytes, size_t count, size_t *packed_bytes)
{
    if (count < 2 || count > GZIP_MOST_BYTES)
        return NULL;
    void *packed = NULL;
    if (atomic_fetch_add(&running, 1) < GZIP_MOST_AT_ONCE)
        packed = pack(bytes, count, packed_bytes);
    atomic_fetch_sub(&running, 1);
    return packed;
}
