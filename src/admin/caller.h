/* Who calls the admin API: on the admin socket the user of the process at its other end, over TCP the owner of an API key. */
#ifndef WEBHOOKD_ADMIN_CALLER_H
#define WEBHOOKD_ADMIN_CALLER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"
#include "http/server.h"
#include "model/name.h"

struct admin;
struct admin_request;

/* What a stream that goes on for long needs to see whether its caller is still let in. */
struct caller_ticket {
    bool has_key;
    struct id key_id;
    unsigned seen; /* of the revocations there have been */
};

struct caller {
    char who[NAME_MAX_BYTES + 8]; /* "key deploy", "user root" */
    char source[HTTP_PEER_BYTES]; /* an address; "" = the admin socket */
    struct caller_ticket ticket;
};

/* On the socket: whoever could open it is let in. */
void caller_of_socket(const struct http_exchange *exchange, struct caller *caller);
/* Over TCP: by Authorization: Bearer KEY. -1: ERROR_INVALID (no key, or one that is not good), or the store cannot be asked. */
int caller_of_key(struct admin_request *request, struct caller *caller, struct error *error);
/* False once its key was revoked. Any thread. */
bool caller_is_let_in(struct admin *admin, struct caller_ticket *ticket);

#endif
