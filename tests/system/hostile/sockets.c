/* Attempts on sockets and on the network. */
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hostile/hostile.h"

static long open_netlink(int protocol)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

static long open_uevents(void)
{
    return open_netlink(NETLINK_KOBJECT_UEVENT);
}

static long open_generic_netlink(void)
{
    return open_netlink(NETLINK_GENERIC);
}

static long open_socket_list(void)
{
    return open_netlink(NETLINK_SOCK_DIAG);
}

static long open_packet_filter(void)
{
    return open_netlink(NETLINK_NETFILTER);
}

static long open_audit(void)
{
    return open_netlink(NETLINK_AUDIT);
}

static long open_xfrm(void)
{
    return open_netlink(NETLINK_XFRM);
}

static long open_host_of_machine(void)
{
    return socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long open_crypto(void)
{
    return socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static long open_packets(void)
{
    return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long open_raw_ip(void)
{
    return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

static long listen_at_port_80(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

static long mark_packets(void)
{
    int mark = 1;
    return setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static long raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request);
}

static long connect_unix(const char *name, bool is_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t at = is_abstract ? 1 : 0;
    strncpy(address.sun_path + at, name, sizeof(address.sun_path) - at - 1);
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + strlen(name)));
}

static long connect_to_path(void)
{
    return connect_unix(given("SOCKET"), false);
}

static long connect_to_abstract(void)
{
    return connect_unix(given("ABSTRACT"), true);
}

static long connect_to_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(given("PORT"), NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

const struct attempt attempts_on_sockets[] = {
    ATTEMPT("sockets", open_uevents),
    ATTEMPT("sockets", open_generic_netlink),
    ATTEMPT("sockets", open_socket_list),
    ATTEMPT("sockets", open_packet_filter),
    ATTEMPT("sockets", open_audit),
    ATTEMPT("sockets", open_xfrm),
    ATTEMPT("sockets", open_host_of_machine),
    ATTEMPT("sockets", open_crypto),
    ATTEMPT("sockets", open_packets),
    ATTEMPT("sockets", open_raw_ip),
    ATTEMPT("sockets", listen_at_port_80),
    ATTEMPT("sockets", mark_packets),
    ATTEMPT("sockets", raise_loopback),
    ATTEMPT("sockets", connect_to_path),
    ATTEMPT("network", connect_to_abstract),
    ATTEMPT("network", connect_to_port),
    {0},
};
