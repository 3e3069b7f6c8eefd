/* Senders for tests that break things under load: keep-alive connections on one thread that POST
 * distinct bodies to one webhook, and a book of the promises (201s) received. A body can be
 * generated again from the book's seed and its number, so that the stored bytes can be compared. */
#ifndef WEBHOOKD_TESTS_SUPPORT_LOAD_H
#define WEBHOOKD_TESTS_SUPPORT_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/id.h"

struct load_promise {
    struct id run_id; /* of a 201 */
    uint64_t number;  /* of the body that was sent */
};

/* The outcome of all requests so far; passed on from one load to the next. It belongs to the load
 * while that runs. */
struct load_book {
    uint64_t seed;
    unsigned large_every; /* every n-th body is over 64 KiB; 0 = none */
    uint64_t next_number;
    struct load_promise *promises;
    size_t count, capacity;
    uint64_t refused;    /* 503 */
    uint64_t unanswered; /* sent at least in part before the connection ended */
    uint64_t strange;    /* any other response */
};

void load_book_free(struct load_book *book);
/* Appends the body with this number: the same bytes on every call. */
void load_body(const struct load_book *book, uint64_t number, struct buffer *into);

/* The random numbers behind a test's choices (splitmix64). */
uint64_t load_random(uint64_t *state);

struct load_options {
    unsigned port;
    const char *url; /* any URL with /hooks/<token> in it */
    int connections;
    unsigned pause_ms; /* each connection waits up to twice this between two requests; 0 = never */
};

struct load;

struct load *load_start(const struct load_options *options, struct load_book *book);
/* Stops sending and returns when every request has its response or its connection has ended (after
 * at most 30 s; requests still open count as unanswered). The book belongs to the caller again. */
void load_stop(struct load *load);

/* Waits until this load has received this many 201s and 503s, at most 30 s; fails the test
 * otherwise. May be called any time between start and stop. */
void load_await(struct load *load, size_t promises, size_t refusals);
/* The numbers received so far. */
size_t load_promises(const struct load *load);
size_t load_refusals(const struct load *load);

#endif
