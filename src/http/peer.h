/* The network of a peer, by which a listener can bound what one sender takes. Any thread. */
#ifndef WEBHOOKD_HTTP_PEER_H
#define WEBHOOKD_HTTP_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/server.h"

/* An IPv4 address, or the first 64 bits of an IPv6 address. AF_UNSPEC: none, as on a unix
 * socket. */
struct peer_network {
    sa_family_t family;
    uint8_t bytes[16];
};

/* address may be NULL. */
void peer_network_of(const struct sockaddr *address, struct peer_network *network);
/* False if either of them is none. */
bool peer_network_is_same(const struct peer_network *a, const struct peer_network *b);
/* Writes "192.0.2.1", "2001:db8:1:2::/64", or "" for none. Returns text. */
char *peer_network_text(const struct peer_network *network, char text[HTTP_PEER_BYTES]);

/* Returns the address of the peer's socket, libmicrohttpd's, for the connection's life; or NULL. */
const struct sockaddr *peer_address(const struct http_exchange *exchange);

#endif
