/* Opens listening sockets by address, for listeners whose socket systemd has not passed: at the
 * start, on the main thread. Notes when a listener cannot accept. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "http/exchange.h"

#define BACKLOG     4096
#define UNIX_PREFIX "unix:"

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static int parse_port(const char *text, in_port_t *port)
{
    size_t digits = strspn(text, "0123456789");
    long number = strtol(text, NULL, 10);
    if (digits == 0 || digits > 5 || text[digits] != '\0' || number > 65535)
        return -1;
    *port = htons((uint16_t)number);
    return 0;
}

/* Returns the length of the address, or 0 if the text is not an address. */
static socklen_t parse_address(const char *text, union any_address *address)
{
    char host[INET6_ADDRSTRLEN];
    const char *port = strrchr(text, ':');
    if (!port)
        return 0;
    bool bracketed = text[0] == '[';
    const char *from = bracketed ? text + 1 : text;
    const char *end = bracketed ? port - 1 : port;
    if (end < from || (bracketed && *end != ']') || (size_t)(end - from) >= sizeof(host))
        return 0;
    memcpy(host, from, (size_t)(end - from));
    host[end - from] = '\0';
    memset(address, 0, sizeof(*address));
    if (bracketed) {
        address->v6.sin6_family = AF_INET6;
        if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1 ||
            parse_port(port + 1, &address->v6.sin6_port) != 0)
            return 0;
        return sizeof(address->v6);
    }
    address->v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) != 1 ||
        parse_port(port + 1, &address->v4.sin_port) != 0)
        return 0;
    return sizeof(address->v4);
}

static socklen_t parse_unix(const char *path, union any_address *address)
{
    memset(address, 0, sizeof(*address));
    if (path[0] != '/' || strlen(path) >= sizeof(address->un.sun_path))
        return 0;
    address->un.sun_family = AF_UNIX;
    strcpy(address->un.sun_path, path);
    return sizeof(address->un);
}

/* Removes a socket file on which nobody listens any more. Leaves everything else for bind to
 * report. ECONNREFUSED alone does not prove that it is a socket: connecting to a plain file is
 * refused as well. */
static void remove_stale_socket(const union any_address *address, socklen_t bytes)
{
    struct stat status;
    if (lstat(address->un.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, &address->any, bytes) != 0 && errno == ECONNREFUSED)
        unlink(address->un.sun_path);
    close(probe);
}

int http_listen(const char *address_text, struct error *error)
{
    union any_address address;
    bool is_unix = strncmp(address_text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
    socklen_t bytes = is_unix ? parse_unix(address_text + strlen(UNIX_PREFIX), &address)
                              : parse_address(address_text, &address);
    if (bytes == 0)
        return error_set(error, ERROR_INVALID,
                         "invalid address \"%s\": expected ADDRESS:PORT, [IPV6]:PORT or unix:/PATH",
                         address_text);
    if (is_unix)
        remove_stale_socket(&address, bytes);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    if (fd >= 0 && (is_unix || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0) &&
        bind(fd, &address.any, bytes) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error_set_errno(error, errno, "cannot listen on \"%s\"", address_text);
    if (fd >= 0)
        close(fd);
    return -1;
}

void http_socket_file_note(int listen_fd, struct http_socket_file *file)
{
    struct stat status;
    char address[HTTP_ADDRESS_BYTES];
    file->path[0] = '\0';
    http_listen_address(listen_fd, address);
    if (strncmp(address, UNIX_PREFIX "/", sizeof(UNIX_PREFIX)) != 0 ||
        lstat(address + strlen(UNIX_PREFIX), &status) != 0)
        return;
    strcpy(file->path, address + strlen(UNIX_PREFIX));
    file->device = status.st_dev;
    file->inode = status.st_ino;
}

void http_socket_file_remove(const struct http_socket_file *file)
{
    struct stat status;
    if (file->path[0] != '\0' && lstat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
}

char *http_listen_address(int listen_fd, char text[HTTP_ADDRESS_BYTES])
{
    union any_address address;
    socklen_t bytes = sizeof(address);
    char host[INET6_ADDRSTRLEN];
    snprintf(text, HTTP_ADDRESS_BYTES, "?");
    memset(&address, 0, sizeof(address));
    if (getsockname(listen_fd, &address.any, &bytes) != 0)
        return text;
    if (address.any.sa_family == AF_UNIX)
        snprintf(text, HTTP_ADDRESS_BYTES, UNIX_PREFIX "%s", address.un.sun_path);
    else if (address.any.sa_family == AF_INET &&
             inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host)))
        snprintf(text, HTTP_ADDRESS_BYTES, "%s:%u", host, ntohs(address.v4.sin_port));
    else if (address.any.sa_family == AF_INET6 &&
             inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host)))
        snprintf(text, HTTP_ADDRESS_BYTES, "[%s]:%u", host, ntohs(address.v6.sin6_port));
    return text;
}

void listen_note(struct http_server *server, const char *reason)
{
    const struct log_field listener = log_text("listener", server->options.name);
    if (atomic_load_explicit(&server->is_deaf, memory_order_relaxed) == (reason != NULL))
        return;
    atomic_store(&server->is_deaf, reason != NULL);
    if (reason)
        log_warning("connections are not accepted", listener, log_text("reason", reason),
                    log_text("effect", "new connections wait until it is possible again"));
    else
        log_info("connections are accepted again", listener);
}
