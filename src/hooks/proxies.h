/* Who the client is when proxies stand in between: X-Forwarded-For, believed as far as trusted proxies wrote it. */
#ifndef WEBHOOKD_HOOKS_PROXIES_H
#define WEBHOOKD_HOOKS_PROXIES_H

#include "config/config.h"
#include "http/server.h"

struct proxies;

struct proxies *proxies_new(
    const struct config_list *trusted); /* addresses and CIDR ranges that config has checked */
void proxies_free(struct proxies *proxies);

/* The nearest address that is no trusted proxy: the peer itself, unless it is trusted (a unix socket's peer is, if there are
 * trusted proxies at all); then the rightmost entry of X-Forwarded-For that is not. Returns text. */
char *proxies_client(const struct proxies *proxies, const struct http_exchange *exchange,
                     char text[HTTP_PEER_BYTES]);

#endif
