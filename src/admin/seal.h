/* The key in secret.key, and webhooks' tokens, sealed with it so that they can be shown again. The
 * file is read for each use, so the key can be removed, replaced and restored while webhookd runs,
 * and nothing is ever sealed with a key that is on no disk. On admin workers' threads, but
 * seal_renew on the main thread. */
#ifndef WEBHOOKD_ADMIN_SEAL_H
#define WEBHOOKD_ADMIN_SEAL_H

#include <stdbool.h>

#include "admin/instance.h"
#include "store/webhooks.h"

/* Copies the key, which the caller wipes with secret_wipe, after it has opened a stored value (if
 * there is any). may_create: creates a new key if the file is missing and nothing sealed is stored.
 * Returns -1 and sets *error; ERROR_UNAVAILABLE says what to do. Logs when the key becomes unusable
 * and when it is usable again. */
int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error);

/* Fills in the hash and the seal of a fleet's token. */
void seal_token(const struct secret_key *key, const struct id *fleet_id,
                const char text[SECRET_TOKEN_CHARS], struct webhook_token *token);
/* Returns the webhook's URL, which the caller wipes and frees with seal_free_url. Returns NULL with
 * ERROR_UNAVAILABLE if the key does not open the token, or the token is not this row's. */
char *seal_open_url(const struct secret_key *key, const char *public_url, const struct id *fleet_id,
                    const struct webhook_token *token, struct error *error);
void seal_free_url(char *url); /* NULL is fine */

/* At the start: tries the key on all stored values, logs an error if it does not open them, and
 * seals those tokens again, in one transaction, whose seal has an earlier format. A missing key is
 * not reported here (webhookd/state.c did). If the store fails, logs a warning; nothing changes. */
void seal_renew(struct admin *admin);

#endif
