/* The key that seals webhooks' tokens, and the URL that comes out of a sealed one. Any admin worker's thread. */
#ifndef WEBHOOKD_ADMIN_SEAL_H
#define WEBHOOKD_ADMIN_SEAL_H

#include <stdbool.h>

#include "admin/instance.h"

/* Copies the key; secret_wipe it. If it was not there at the start it is looked for again, so that putting it back needs no restart; with
 * may_create a new one is made if no webhook is sealed with the old. ERROR_UNAVAILABLE says what to do. */
int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error);
/* The webhook's URL, which only its own key can show; the caller wipes and frees it (seal_free_url). NULL and ERROR_UNAVAILABLE. */
char *seal_open_url(const struct secret_key *key, const char *public_url,
                    const uint8_t sealed[SECRET_SEALED_BYTES], struct error *error);
void seal_free_url(char *url); /* NULL is fine */

#endif
