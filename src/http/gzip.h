/* Compresses the body of an answer. For reply.c. */
#ifndef WEBHOOKD_HTTP_GZIP_H
#define WEBHOOKD_HTTP_GZIP_H

#include <stddef.h>

/* Bodies that are packed at the same time, by all listeners together. Each takes 70 KiB and at most
 * as much as the body itself. */
#define GZIP_MOST_AT_ONCE 4
/* Larger bodies are not packed: this many keep a processor busy for about an eighth of a second. */
#define GZIP_MOST_BYTES (16u << 20)

/* Returns the bytes in gzip's format (RFC 1952), to be freed with free, and sets *packed_bytes.
 * Returns NULL if that is not shorter, if a bound above is exceeded, or if there is not enough
 * memory: the body then goes out as it is. Any thread. */
void *gzip_pack(const void *bytes, size_t count, size_t *packed_bytes);

#endif
