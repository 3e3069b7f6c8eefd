/* The caller of the admin API. On the admin socket it is the user of the process at its other end;
 * over TCP it is the owner of an API key, which comes with the request or has begun a session. */
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

/* With this a stream that goes on for long checks whether its caller is still let in. */
struct caller_ticket {
    bool has_key;
    struct id key_id;
    bool has_session; /* a person at the console */
    uint8_t session[SECRET_HASH_BYTES];
    unsigned seen; /* admin->revocations when that was last checked */
};

struct caller {
    char who[NAME_MAX_BYTES + 8]; /* "key deploy", "user root" */
    char source[HTTP_PEER_BYTES]; /* an address; "" = the admin socket */
    struct caller_ticket ticket;
    int64_t seen_ms; /* the last use of its session that was noted */
};

/* On the socket: anyone who can open it is let in. */
void caller_of_socket(const struct http_exchange *exchange, struct caller *caller);
/* Over TCP: by "Authorization: Bearer KEY", or by the cookie of a session. -1: ERROR_INVALID
 * (neither, or an invalid one), or the store cannot be asked. */
int caller_of_tcp(struct admin_request *request, struct caller *caller, struct error *error);
/* The owner of a key that came in a body; likewise. */
int caller_by_key(struct admin_request *request, const char *key, struct caller *caller,
                  struct error *error);
/* True if the request comes from another site's page. Also if it may change something, relies on a
 * cookie, and does not say where it comes from. */
bool caller_is_foreign(const struct http_exchange *exchange, bool has_session);

/* A session ends when it was not used for so long. */
#define CALLER_IDLE_MS (12 * INT64_C(3600000))
/* The cookie of a session: 256 random bits, of which the store has the hash. HttpOnly and
 * SameSite=Strict: no script and no other site has it. Secure if a proxy says that the browser uses
 * TLS. token "": removes the cookie. */
#define CALLER_TOKEN_CHARS 43
void caller_set_cookie(struct http_exchange *exchange, const char *token);
/* By a request that is not refused: its session and the cookie last for another CALLER_IDLE_MS. */
void caller_prolong(struct admin_request *request);

/* False after its key was revoked or its session has ended. Any thread. */
bool caller_is_let_in(struct admin *admin, struct caller_ticket *ticket);

#endif
