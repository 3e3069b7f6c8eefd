/* API keys, and the console's sessions, which end with their key. Only hashes are kept. Any
 * connection can read; functions that change something are called inside store_write alone
 * (store.h). */
#ifndef WEBHOOKD_STORE_KEYS_H
#define WEBHOOKD_STORE_KEYS_H

#include "base/secret.h"
#include "store/store.h"

struct key_row {
    struct id id;
    const char *name;
    int64_t created_ms, last_used_ms; /* to the minute; 0 = never */
};
int store_list_keys(struct store *store, int (*each)(void *, const struct key_row *), void *context,
                    struct error *error); /* in order of name */
int store_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                   int (*each)(void *, const struct key_row *), void *context,
                   struct error *error); /* calls `each` once, or ERROR_NOT_FOUND */

int store_create_key(struct store *store, const char *name, const uint8_t hash[SECRET_HASH_BYTES],
                     int64_t now_ms, struct id *id,
                     struct error *error); /* ERROR_CONFLICT: the name is taken */
int store_revoke_key(struct store *store, const struct id *id, struct error *error);
int store_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error);

/* Sessions of the console; they end with their key. Found by the hash of their token. */
#define STORE_MAX_SESSIONS 1024 /* beyond them the one that was used longest ago ends */
struct session_row {
    struct id key_id;
    const char *key_name;
    int64_t seen_ms; /* used last, as far as that was noted */
};
/* Now, and for how long one lasts unused. Times further ahead than that, from before the clock
 * stepped back, count as over too. */
struct session_time {
    int64_t now_ms, idle_ms;
};
int store_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct session_time *time,
                       int (*each)(void *, const struct session_row *), void *context,
                       struct error *error); /* calls `each` once, or ERROR_NOT_FOUND */
int store_begin_session(
    struct store *store, const uint8_t hash[SECRET_HASH_BYTES], const struct id *key_id,
    const struct session_time *time,
    struct error *error); /* those that are over go; ERROR_NOT_FOUND: the key was revoked */
int store_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                        struct error *error); /* one that has ended stays so */
int store_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct error *error);

#endif
