/* Who calls the admin API: on the admin socket the user of the process at its other end, over TCP the owner of an API key, which comes along or
 * has begun a session. */
#ifndef WEBHOOKD_ADMIN_CALLER_H
#define WEBHOOKD_ADMIN_CALLER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "http/server.h"
#include "model/name.h"

struct admin;
struct admin_request;

/* What a stream that goes on for long needs to see whether its caller is still let in. */
struct caller_ticket {
    bool has_key;
    struct id key_id;
    bool has_session; /* a person at the console */
    uint8_t session[SECRET_HASH_BYTES];
    unsigned seen; /* of the revocations and sign-outs there have been */
};

struct caller {
    char who[NAME_MAX_BYTES + 8]; /* "key deploy", "user root" */
    char source[HTTP_PEER_BYTES]; /* an address; "" = the admin socket */
    struct caller_ticket ticket;
    int64_t seen_ms; /* when its session was used last, as far as that was noted */
};

/* On the socket: whoever could open it is let in. */
void caller_of_socket(const struct http_exchange *exchange, struct caller *caller);
/* Over TCP: by Authorization: Bearer KEY, or by the cookie of a session. -1: ERROR_INVALID (neither, or one that is not good), or the store
 * cannot be asked. */
int caller_of_tcp(struct admin_request *request, struct caller *caller, struct error *error);
/* The owner of a key that came in a body. -1 likewise. */
int caller_by_key(struct admin_request *request, const char *key, struct caller *caller,
                  struct error *error);
/* The request says that it comes from a page of another site's, or does not say where a change that relies on a cookie comes from. */
bool caller_is_foreign(const struct http_exchange *exchange, bool has_session);

/* The cookie of a session: 256 random bits, of which the store has the hash. HttpOnly and SameSite=Strict: no script and no other site has it;
 * Secure where the browser came by TLS, which a proxy before us says. token "": away with it. */
#define CALLER_TOKEN_CHARS 43
#define CALLER_IDLE_MS                                                                             \
    (12 * INT64_C(3600000)) /* a session that is not used for so long has ended */
void caller_set_cookie(struct http_exchange *exchange, const char *token);
/* A session that was used again, by a request that is not refused, lasts for another CALLER_IDLE_MS, and so does its cookie. */
void caller_prolong(struct admin_request *request);

/* False once its key was revoked, or its session has ended. Any thread. */
bool caller_is_let_in(struct admin *admin, struct caller_ticket *ticket);

#endif
