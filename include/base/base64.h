/* Base 64 of RFC 4648 section 4, with padding, for bytes that travel in text. Pure. */
#ifndef WEBHOOKD_BASE_BASE64_H
#define WEBHOOKD_BASE_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends the text of the bytes. 0, or -1 if the buffer has failed. */
int base64_append(struct buffer *buffer, const void *data, size_t bytes);
/* Decodes into data, which has room for 3 * chars / 4 bytes. The number of bytes, or -1 if it is not base 64. */
long base64_decode(const char *text, size_t chars, void *data);

#endif
