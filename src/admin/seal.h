/* The key that seals webhooks' tokens, and the URL of a sealed token. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_SEAL_H
#define WEBHOOKD_ADMIN_SEAL_H

#include <stdbool.h>

#include "admin/instance.h"

/* Copies the key; secret_wipe it. A key that was missing at the start is looked for again, so
 * putting it back needs no restart. may_create: creates a new one if no webhook is sealed with the
 * old. -1: ERROR_UNAVAILABLE says what to do. */
int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error);
/* The webhook's URL, which only the key that sealed it can show; seal_free_url wipes and frees it.
 * NULL and ERROR_UNAVAILABLE. */
char *seal_open_url(const struct secret_key *key, const char *public_url,
                    const uint8_t sealed[SECRET_SEALED_BYTES], struct error *error);
void seal_free_url(char *url); /* NULL is fine */

#endif
