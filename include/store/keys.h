/* API keys, and the console's sessions, which end with their key. Only hashes of keys and session
 * tokens are stored. Any connection can read. Functions that change something may only be called
 * inside store_write (store.h). */
#ifndef WEBHOOKD_STORE_KEYS_H
#define WEBHOOKD_STORE_KEYS_H

#include "base/secret.h"
#include "model/api_key.h"
#include "store/store.h"

/* A key is bound to an organization, to a fleet, or to nothing, but never to both. */
struct key_binding {
    bool has_org, has_fleet;
    struct id org_id, fleet_id;
};
struct key_row {
    struct id id;
    const char *name;
    enum api_key_role role;
    struct api_key_life life;
    int64_t last_used_ms; /* to the minute; 0 = never */
    struct key_binding binding;
    /* Only in lists. Of the organization that it is bound to, or of the fleet; otherwise "". */
    const char *org_name, *project_name, *fleet_name;
    bool is_orphan; /* what it is bound to has been deleted */
};
/* Lists the keys sorted by name. */
int store_list_keys(struct store *store, int (*each)(void *, const struct key_row *), void *context,
                    struct error *error);
/* Calls `each` once, or returns -1 with ERROR_NOT_FOUND. */
int store_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                   int (*each)(void *, const struct key_row *), void *context, struct error *error);

/* Finds when a key was revoked. ERROR_NOT_FOUND: it is not known, or has been forgotten. */
int store_find_revoked_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                           int64_t *revoked_ms, struct error *error);

/* Borrowed for the call. */
struct new_key {
    const char *name;
    uint8_t hash[SECRET_HASH_BYTES];
    enum api_key_role role;
    struct api_key_life life;
    struct key_binding binding;
};
/* ERROR_CONFLICT: the name is already in use. ERROR_NOT_FOUND: there is no such organization or
 * fleet. */
int store_create_key(struct store *store, const struct new_key *key, struct id *id,
                     struct error *error);
/* The newest revoked keys stay known, so that the holder of one can be told. */
#define STORE_MAX_REVOKED_KEYS 1000
int store_revoke_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error);
int store_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error);

/* Sessions of the console. They are found by the hash of their token. */
#define STORE_MAX_SESSIONS 1024 /* a new one beyond this bound ends the least recently used */
struct session_row {
    struct id key_id;
    const char *key_name;
    struct api_key_life key_life;
    int64_t seen_ms; /* the last use that was recorded */
};
/* The current time, and how long an unused session lasts. A session whose last use is more than
 * idle_ms in the future, because the clock has stepped back since, has also expired. */
struct session_time {
    int64_t now_ms, idle_ms;
};
/* Calls `each` once, or returns -1 with ERROR_NOT_FOUND. The key's role is owner, but the key may
 * have expired. */
int store_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct session_time *time,
                       int (*each)(void *, const struct session_row *), void *context,
                       struct error *error);
/* Begins a session, and deletes expired ones. ERROR_NOT_FOUND: the key was revoked, or its role is
 * not owner. */
int store_begin_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct id *key_id, const struct session_time *time,
                        struct error *error);
/* Records the use of a session. Does nothing if the session has ended. */
int store_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                        struct error *error);
int store_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct error *error);

#endif
