/* The address of the client if there are proxies in between: X-Forwarded-For, or if there is none,
 * Forwarded (RFC 7239), trusted as far as trusted proxies wrote it. */
#ifndef WEBHOOKD_HOOKS_PROXIES_H
#define WEBHOOKD_HOOKS_PROXIES_H

#include "config/config.h"
#include "http/server.h"

struct proxies;

/* `trusted` are addresses and CIDR ranges that config has checked. */
struct proxies *proxies_new(const struct config_list *trusted);
void proxies_free(struct proxies *proxies);

/* Writes the nearest address that is not a trusted proxy: the peer itself, unless it is trusted
 * (the peer of a unix socket is, if there are any trusted proxies); then the rightmost entry of
 * the header that is not. An entry may have a port; an IPv4 address that is mapped to IPv6 counts
 * as IPv4. Returns text. */
char *proxies_client(const struct proxies *proxies, struct http_exchange *exchange,
                     char text[HTTP_PEER_BYTES]);

#endif
