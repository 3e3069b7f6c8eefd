/* Base64 by libsodium: see base64.h. Called for output that travels as server-sent events, by
 * admin/follow.c and webhookctl, on the caller's thread. */
#include "base/base64.h"

#include <sodium.h>
#include <stdlib.h>

int base64_append(struct buffer *buffer, const void *data, size_t bytes)
{
    size_t room = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    if (!text)
        return -1;
    sodium_bin2base64(text, room, data, bytes, sodium_base64_VARIANT_ORIGINAL);
    int result = buffer_append_text(buffer, text);
    free(text);
    return result;
}

long base64_decode(const char *text, size_t chars, void *data)
{
    size_t bytes = 0;
    if (sodium_base642bin(data, 3 * chars / 4, text, chars, NULL, &bytes, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return -1;
    return (long)bytes;
}
