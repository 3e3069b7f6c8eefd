/* The address of the client if there are proxies in between: X-Forwarded-For, or if there is none,
 * Forwarded (RFC 7239), trusted as far as trusted proxies wrote it. */
#ifndef WEBHOOKD_HTTP_PROXIES_H
#define WEBHOOKD_HTTP_PROXIES_H

#include <stddef.h>

#include "http/server.h"

struct proxies;

/* `trusted` are `count` addresses and CIDR ranges that config has checked. */
struct proxies *proxies_new(char *const *trusted, size_t count);
void proxies_free(struct proxies *proxies);

/* Writes the nearest address that is not a trusted proxy: the peer itself, unless it is trusted
 * (the peer of a unix socket is, if there are any trusted proxies); then the rightmost entry of
 * the header that is not. An entry may have a port; an IPv4 address that is mapped to IPv6 counts
 * as IPv4. Returns text. */
char *proxies_client(const struct proxies *proxies, struct http_exchange *exchange,
                     char text[HTTP_PEER_BYTES]);

#endif
