/* The networks of peers: which addresses count as one sender. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "http/peer.h"
#include "base/memory.h"
#include "support/suite.h"

/* An address with a ":" is IPv6; "" is a unix socket. */
static void network_of(const char *address, struct peer_network *network)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if (address[0] == '\0') {
        peer_network_of((struct sockaddr *)&local, network);
    } else if (strchr(address, ':')) {
        ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
        peer_network_of((struct sockaddr *)&v6, network);
    } else {
        ck_assert_int_eq(inet_pton(AF_INET, address, &v4.sin_addr), 1);
        peer_network_of((struct sockaddr *)&v4, network);
    }
}

TEST(an_ipv4_address_or_a_64_of_ipv6_is_one_network)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } pairs[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::2", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"::1", "192.0.2.1", false},
        {"0.0.0.0", "::", false},
        {"", "", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        struct peer_network one, other;
        network_of(pairs[i].one, &one);
        network_of(pairs[i].other, &other);
        ck_assert_msg(peer_network_is_same(&one, &other) == pairs[i].is_same, "%s and %s",
                      pairs[i].one, pairs[i].other);
    }
}

TEST(the_text_of_a_network_says_what_counts)
{
    static const char *const texts[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct peer_network network;
        char text[HTTP_PEER_BYTES];
        network_of(texts[i][0], &network);
        ck_assert_str_eq(peer_network_text(&network, text), texts[i][1]);
    }
}

TEST(a_peer_without_an_address_has_no_network)
{
    struct peer_network network;
    peer_network_of(NULL, &network);
    ck_assert_int_eq(network.family, AF_UNSPEC);
}
