/* Senders for tests that break things under load: keep-alive connections on one thread that POST distinct bodies to one webhook, and a
 * book of what was promised. Bodies can be made again from the book's seed and their number, so that the bytes can be compared. */
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

/* What came of all requests so far; goes from one load to the next. The load's while it runs. */
struct load_book {
    uint64_t seed;
    unsigned large_every; /* each so manyeth body is over 64 KiB; 0 = none */
    uint64_t next_number;
    struct load_promise *promises;
    size_t count, capacity;
    uint64_t refused;    /* 503 */
    uint64_t unanswered; /* sent at least in part, and the connection ended */
    uint64_t strange;    /* any other answer */
};

void load_book_free(struct load_book *book);
/* A body that the book's loads send: the same bytes whenever it is asked. */
void load_body(const struct load_book *book, uint64_t number, struct buffer *into);

/* The stream of numbers that a test's choices come from (splitmix64). */
uint64_t load_random(uint64_t *state);

struct load_options {
    unsigned port;
    const char *url; /* any URL with /hooks/<token> in it */
    int connections;
    unsigned pause_ms; /* each connection waits up to twice this between two requests; 0 = never */
};

struct load;

struct load *load_start(const struct load_options *options, struct load_book *book);
/* Nothing more is sent; returns when every request has its answer or its connection has ended (at most 30 s, then they count as
 * unanswered). The book is the caller's again. */
void load_stop(struct load *load);

/* Waits until this load has got so many 201s and 503s, at most 30 s; fails the test otherwise. Any moment between start and stop. */
void load_await(struct load *load, size_t promises, size_t refusals);
/* How many it has got so far. */
size_t load_promises(const struct load *load);
size_t load_refusals(const struct load *load);

#endif
