/* The key that seals webhooks' tokens, and the URL of a sealed token. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_SEAL_H
#define WEBHOOKD_ADMIN_SEAL_H

#include <stdbool.h>

#include "admin/instance.h"

/* Copies the key, which the caller wipes with secret_wipe. If the key was missing at the start, its
 * file is read again, so restoring it needs no restart. may_create: creates a new key if none
 * exists and no webhook is sealed with the old one. Returns -1 and sets *error; ERROR_UNAVAILABLE
 * says what to do. */
int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error);
/* Returns the webhook's URL, which the caller wipes and frees with seal_free_url. Returns NULL with
 * ERROR_UNAVAILABLE if another key sealed the token. */
char *seal_open_url(const struct secret_key *key, const char *public_url,
                    const uint8_t sealed[SECRET_SEALED_BYTES], struct error *error);
void seal_free_url(char *url); /* NULL is fine */

#endif
