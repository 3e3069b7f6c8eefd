/* The request guard: refuses what libmicrohttpd 0.9.75 should refuse but accepts (two lengths,
 * folded or malformed framing headers, …). Any difference between two parsers can turn a body into
 * a second request. The guard sees what a handler can see; docs/guarantees.md names the rest
 * ("Ambiguous requests are refused", _Not promised_). */
#ifndef WEBHOOKD_HTTP_GUARD_H
#define WEBHOOKD_HTTP_GUARD_H

#include "http/exchange.h"

#define GUARD_MAX_HEADER_BYTES 16384

struct guard_refusal {
    unsigned status; /* 0 = the request is accepted */
    const char *message;
};

/* Checks the raw target, the version and all headers (RFC 9110 section 5, RFC 9112 sections 3, 5
 * and 6). Sets content_length and chunked of the exchange, and splits a target in absolute form. */
struct guard_refusal guard_check(struct http_exchange *exchange);

#endif
