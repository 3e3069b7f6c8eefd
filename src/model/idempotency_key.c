/* See idempotency_key.h. Called by admin/idempotency.c. */
#include "model/idempotency_key.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

static int malformed(struct error *error)
{
    return error_set(error, ERROR_INVALID,
                     "the Idempotency-Key is malformed: use 1 to %d visible ASCII characters, bare "
                     "or as a quoted string",
                     IDEMPOTENCY_KEY_MAX_CHARS);
}

/* Returns where the key ends in the value, or NULL if it is malformed. In quotes, a backslash
 * stands before a quote and before another backslash. */
static const char *copy(const char *at, bool is_quoted, char *key)
{
    size_t chars = 0;
    while (is_visible(*at) && !(is_quoted && *at == '"')) {
        if (is_quoted && *at == '\\' && *++at != '"' && *at != '\\')
            return NULL;
        if (chars == IDEMPOTENCY_KEY_MAX_CHARS)
            return NULL;
        key[chars++] = *at++;
    }
    key[chars] = '\0';
    return chars > 0 ? at : NULL;
}

int idempotency_key_read(const char *value, char key[IDEMPOTENCY_KEY_MAX_CHARS + 1],
                         struct error *error)
{
    bool is_quoted = *value == '"';
    const char *end = copy(is_quoted ? value + 1 : value, is_quoted, key);
    if (end && is_quoted)
        end = *end == '"' ? end + 1 : NULL;
    return end && *end == '\0' ? 0 : malformed(error);
}
