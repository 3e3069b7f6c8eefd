/* The request guard: refuses what libmicrohttpd 0.9.75 lets through and should not (two lengths, folded or malformed framing headers, …),
 * because whatever two parsers read differently becomes a second request out of a body. It sees what a handler can see; the rest is named in
 * README.md under "Limits". */
#ifndef WEBHOOKD_HTTP_GUARD_H
#define WEBHOOKD_HTTP_GUARD_H

#include "http/exchange.h"

#define GUARD_MAX_HEADER_BYTES 16384

struct guard_refusal {
    unsigned status; /* 0 = the request is clean */
    const char *message;
};

/* Looks at the raw target, the version and all headers (RFC 9110 section 5, RFC 9112 sections 3, 5 and 6). Sets content_length and chunked of
 * the exchange. */
struct guard_refusal guard_check(struct http_exchange *exchange);

#endif
