/* The body of one request as it arrives. A small body stays in memory. A large or chunked one is
 * collected in pieces, and the spooler writes each piece while the request is suspended. What is in
 * memory counts as in flight (invariant 8).
 *
 * The request owns the body and calls these functions on its worker, one at a time. */
#ifndef WEBHOOKD_HOOKS_BODY_H
#define WEBHOOKD_HOOKS_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hooks/instance.h"
#include "queue/spool.h"

struct body {
    struct hooks *hooks;
    struct http_exchange *exchange;
    bool comes_in_pieces; /* it is large or chunked */
    unsigned char *bytes; /* the small body, or the next piece */
    size_t capacity, count;
    int64_t reserved_bytes; /* in flight */
    int64_t total_bytes;    /* received so far */
    struct spool_body *spooled;
    struct error error; /* the spooler's; to be read after it has resumed the request */
};

/* Initializes the body of an exchange whose headers have arrived. */
void body_init(struct body *body, struct hooks *hooks, struct http_exchange *exchange);
/* Allocates memory for the pieces of a body whose token is known to be good. Returns -1 if
 * max_in_flight is reached or there is no memory. */
int body_reserve_piece(struct body *body, const struct hooks_settings *settings);
/* Copies as many of the bytes as there is room for and says how many. Returns -1 like
 * body_reserve_piece: then it has taken none. */
int body_add(struct body *body, const struct hooks_settings *settings, const void *bytes,
             size_t count, size_t *taken);

/* Whether the spooler must write the piece before there is room for more. */
bool body_is_piece_full(const struct body *body);
/* Suspends the request until the spooler has written the piece, or until deadline_ms. */
void body_write_piece(struct body *body, int64_t deadline_ms);
/* Makes room for the next piece, once the spooler has resumed the request. Returns -1 if it could
 * not write the piece: body->error says why, and the body is lost. */
int body_next_piece(struct body *body);
/* Suspends the request until the spooled body is durable, or until deadline_ms. */
void body_sync(struct body *body, int64_t deadline_ms);

/* Returns the whole body, if it is small and not empty; otherwise NULL. */
const void *body_in_memory(const struct body *body);
/* Drops everything but total_bytes. No operation of the spooler may be under way. */
void body_discard(struct body *body);

#endif
