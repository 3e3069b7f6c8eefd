/* Identifies the other end of a connection. Any thread. */
#include "http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "http/exchange.h"

#define NETWORK_BYTES 8 /* of an IPv6 address: /64, which one sender usually has to itself */

/* Returns the part of a socket's address that is an in_addr or, if *is_v6, an in6_addr. NULL: there
 * is none. */
static const void *ip_of(const struct sockaddr *address, bool *is_v6)
{
    *is_v6 = false;
    if (address && address->sa_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (!address || address->sa_family != AF_INET6)
        return NULL;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6))
        return &v6->s6_addr[12];
    *is_v6 = true;
    return v6;
}

const struct sockaddr *peer_address(const struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

char *http_peer(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES])
{
    bool is_v6;
    const void *ip = ip_of(peer_address(exchange), &is_v6);
    text[0] = '\0';
    if (ip)
        inet_ntop(is_v6 ? AF_INET6 : AF_INET, ip, text, HTTP_PEER_BYTES);
    return text;
}

int http_peer_user(const struct http_exchange *exchange, uid_t *uid)
{
    struct ucred peer;
    socklen_t bytes = sizeof(peer);
    if (getsockopt(exchange->connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0 ||
        bytes != sizeof(peer))
        return -1;
    *uid = peer.uid;
    return 0;
}

/* ---- networks ---- */

void peer_network_of(const struct sockaddr *address, struct peer_network *network)
{
    bool is_v6;
    const void *ip = ip_of(address, &is_v6);
    *network = (struct peer_network){.family = AF_UNSPEC};
    if (!ip)
        return;
    network->family = is_v6 ? AF_INET6 : AF_INET;
    memcpy(network->bytes, ip, is_v6 ? NETWORK_BYTES : sizeof(struct in_addr));
}

bool peer_network_is_same(const struct peer_network *a, const struct peer_network *b)
{
    return a->family != AF_UNSPEC && a->family == b->family &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

char *peer_network_text(const struct peer_network *network, char text[HTTP_PEER_BYTES])
{
    text[0] = '\0';
    if (network->family == AF_UNSPEC)
        return text;
    inet_ntop(network->family, network->bytes, text, HTTP_PEER_BYTES);
    if (network->family == AF_INET6)
        snprintf(text + strlen(text), HTTP_PEER_BYTES - strlen(text), "/%d", NETWORK_BYTES * 8);
    return text;
}

char *http_peer_network(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES])
{
    struct peer_network network;
    peer_network_of(peer_address(exchange), &network);
    return peer_network_text(&network, text);
}
