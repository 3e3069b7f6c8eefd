/* The value of the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). Pure; any
 * thread. */
#ifndef WEBHOOKD_MODEL_IDEMPOTENCY_KEY_H
#define WEBHOOKD_MODEL_IDEMPOTENCY_KEY_H

#include "base/error.h"

#define IDEMPOTENCY_KEY_MAX_CHARS 255

/* Reads a quoted string (RFC 8941 section 3.3.3) or a bare value, of 1 to IDEMPOTENCY_KEY_MAX_CHARS
 * visible ASCII characters. The quotes are not a part of the key: "x" and x are the same one.
 * Returns 0, or -1 with ERROR_INVALID. */
int idempotency_key_read(const char *value, char key[IDEMPOTENCY_KEY_MAX_CHARS + 1],
                         struct error *error);

#endif
