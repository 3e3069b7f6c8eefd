/* Authenticates the caller of the admin API. On the admin socket it is the user of the connected
 * process; over TCP it is the owner of an API key, which comes with the request or has begun a
 * session. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_CALLER_H
#define WEBHOOKD_ADMIN_CALLER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "http/server.h"
#include "model/api_key.h"
#include "model/name.h"
#include "store/keys.h"

struct admin;
struct admin_request;

/* Lets a long-running stream check whether its caller still has access. */
struct caller_ticket {
    bool has_key;
    struct id key_id;
    bool has_session; /* a person is signed in to the console */
    uint8_t session[SECRET_HASH_BYTES];
    unsigned seen; /* admin->revocations at the last check */
    /* When the key expires, by the wall clock and by the one that never steps; 0 = never. */
    int64_t expires_ms, expires_monotonic_ms;
};

struct caller {
    char who[NAME_MAX_BYTES + 8]; /* "key deploy", "user root" */
    char source[HTTP_PEER_BYTES]; /* an address; "" = the admin socket */
    enum api_key_role role;       /* ROLE_NONE until the caller is authenticated */
    struct key_binding binding;
    struct caller_ticket ticket;
    int64_t seen_ms; /* the last stored use of its session, wall clock */
};

/* Identifies the caller on the socket. Everyone who can open the socket is an owner. */
void caller_of_socket(const struct http_exchange *exchange, struct caller *caller);
/* Authenticates a caller over TCP by "Authorization: Bearer KEY" or, but not on the public
 * listener, by the cookie of a session.
 * Returns -1 and sets *error: ERROR_INVALID if there is neither or it is invalid; any other kind if
 * the store cannot be read. */
int caller_of_tcp(struct admin_request *request, struct caller *caller, struct error *error);
/* Returns 0 if a well-formed API key comes with the request; otherwise -1 with ERROR_INVALID. Does
 * not read the store or wait. */
int caller_check_form(struct admin_request *request, struct error *error);
/* Does the same as caller_of_tcp with a key from a request's body. */
int caller_by_key(struct admin_request *request, const char *key, struct caller *caller,
                  struct error *error);
/* Returns true if the request comes from another site's page, or if it may change something, relies
 * on a cookie, and does not say where it comes from. */
bool caller_is_foreign(struct http_exchange *exchange, bool has_session);

/* A session ends when it has not been used for this long. */
#define CALLER_IDLE_MS (12 * INT64_C(3600000))
/* The cookie of a session: 258 random bits in 43 characters, of which the store has the hash.
 * HttpOnly and SameSite=Strict keep it from scripts and from other sites. It is Secure if a proxy
 * reports that the browser uses TLS. An empty token removes the cookie. */
#define CALLER_TOKEN_CHARS 43
void caller_set_cookie(struct http_exchange *exchange, const char *token);
/* Extends the session and the cookie of an accepted request by another CALLER_IDLE_MS. Does nothing
 * without a session, or if its use was stored less than five minutes ago. */
void caller_prolong(struct admin_request *request);

/* Returns false if the key has expired, also if the clock has stepped back since. Looks into the
 * store only after some key was revoked or somebody signed out; then also returns false if this key
 * was revoked, if this session has ended, or if the store cannot be read. A session that ends
 * because nobody uses it is not noticed. Any thread. */
bool caller_is_let_in(struct admin *admin, struct caller_ticket *ticket);

#endif
