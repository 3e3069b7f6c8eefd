/* Base64 (RFC 4648, section 4) with padding, for bytes that travel as text. Pure; any thread. */
#ifndef WEBHOOKD_BASE_BASE64_H
#define WEBHOOKD_BASE_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends the bytes as Base64. Returns 0, or -1 if the buffer is full or memory is exhausted. */
int base64_append(struct buffer *buffer, const void *data, size_t bytes);
/* Decodes into data, which has room for 3 * chars / 4 bytes. Returns the number of bytes, or -1 if
 * the text is not Base64. */
long base64_decode(const char *text, size_t chars, void *data);

#endif
