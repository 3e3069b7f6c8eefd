/* Sessions of the console: who signed in with an API key, remembered by a cookie. In memory: a restart of webhookd signs everybody out. Any thread. */
#ifndef WEBHOOKD_ADMIN_SESSION_H
#define WEBHOOKD_ADMIN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/name.h"

struct sessions;

#define SESSION_TOKEN_CHARS 43 /* 256 random bits */
#define SESSION_IDLE_MS     (12 * INT64_C(3600000))

struct session_owner {
    uint64_t session; /* its number, from 1; set by these functions */
    struct id key_id;
    char key_name[NAME_MAX_BYTES + 1];
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions); /* NULL is fine */

/* Begins one and leaves its token. If there are too many, the one that was used longest ago ends. */
void sessions_begin(struct sessions *sessions, struct session_owner *owner, int64_t now_ms,
                    char token[SESSION_TOKEN_CHARS + 1]);
/* Whose it is; false if there is none (any more). Keeps it for another SESSION_IDLE_MS. */
bool sessions_find(struct sessions *sessions, const char *token, int64_t now_ms,
                   struct session_owner *owner);
bool sessions_is_open(struct sessions *sessions, uint64_t session, int64_t now_ms);
void sessions_end(struct sessions *sessions, const char *token);
void sessions_end_of_key(struct sessions *sessions, const struct id *key_id);

/* Failed attempts to sign in, by address: false once there were SESSION_FAILURES in the last minute. */
#define SESSION_FAILURES 10
bool sessions_may_try(struct sessions *sessions, const char *address, int64_t now_ms);
void sessions_failed(struct sessions *sessions, const char *address, int64_t now_ms);

#endif
