/* The operations that a request submits to the commit queue: "is this token good" and "store this
 * run". A request and its operation are two objects, because an operation that is already in a
 * batch goes on when its request no longer waits. Both hold a reference. The one thread that takes
 * the operation's `waiter` resumes the request, so this happens exactly once (invariant 2). */
#ifndef WEBHOOKD_HOOKS_ACCEPTANCE_H
#define WEBHOOKD_HOOKS_ACCEPTANCE_H

#include <stdatomic.h>

#include "hooks/body.h"
#include "hooks/headers.h"
#include "hooks/instance.h"

enum acceptance_outcome {
    ACCEPTANCE_NONE,     /* not known yet */
    ACCEPTANCE_DONE,     /* the token is good; the run is stored and synced */
    ACCEPTANCE_NO_TOKEN, /* no fleet has this token */
    ACCEPTANCE_STALE,    /* the request was judged by data that has changed; nothing is stored */
    /* The request cannot be made durable now. There is no run, unless the disk has failed: then a
     * run may surface after the restart (invariant 6). */
    ACCEPTANCE_UNAVAILABLE,
};

/* Filled in before the request is resumed. */
struct acceptance_result {
    enum acceptance_outcome outcome;
    struct run_ids ids;
};

struct acceptance {
    struct commit_op op;
    _Atomic int references;
    /* The exchange to be resumed, and where its result goes. NULL once a thread has taken it. */
    _Atomic(struct http_exchange *) waiter;
    struct acceptance_result *result;
    struct hooks *hooks;
    uint8_t token_hash[SECRET_HASH_BYTES];
    struct store_check check;
    struct store_accept accept;
    /* For "store this run". All of it is owned; input borrows from it. */
    struct run_input input;
    struct stored_headers headers;
    char remote_addr[HTTP_PEER_BYTES];
    char *query;
    char *withheld_json;    /* NULL: nothing was left out */
    unsigned char *body;    /* BODY_INLINE */
    int64_t reserved_bytes; /* in flight */
    struct spool_body *spooled;
};

struct acceptance *acceptance_new(struct hooks *hooks, const uint8_t token_hash[SECRET_HASH_BYTES]);
/* Drops one reference. NULL is fine. */
void acceptance_release(struct acceptance *acceptance);

/* Takes over what is stored of a request: its body, its headers and its query, without webhookd's
 * own secrets (own_secrets.h). Returns -1 if there is no memory. */
int acceptance_take_run(struct acceptance *acceptance, struct body *body, int64_t arrived_ms,
                        const char *remote_addr);

/* Suspends the exchange until there is a result, at most until deadline_ms. */
void acceptance_check_token(struct acceptance *acceptance, struct http_exchange *exchange,
                            struct acceptance_result *result, int64_t deadline_ms);
void acceptance_store_run(struct acceptance *acceptance, struct http_exchange *exchange,
                          struct acceptance_result *result, int64_t deadline_ms);

/* Called at the deadline, on the reaper's thread with the connection held. Withdraws an operation
 * that is still queued: the request goes on with ACCEPTANCE_UNAVAILABLE, and there is no run. An
 * operation in a batch cannot be withdrawn: "store this run" then closes the connection, "is this
 * token good" goes on with ACCEPTANCE_UNAVAILABLE. Returns false if the result is already on its
 * way. */
bool acceptance_expire(struct acceptance *acceptance, struct http_exchange *exchange);

#endif
