/* The service manager's interfaces: sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3),
 * without libsystemd. Called on the main thread: by webhookd/main.c, while no other thread reads
 * the environment yet, and by webhookd/signals.c. */
#include "base/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_INHERITED_FD = 3 };

/* Sets the socket's address and returns its length, or 0 if the name is neither a path nor
 * abstract, or is too long. */
static socklen_t notify_address(const char *name, struct sockaddr_un *address)
{
    size_t chars = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || chars >= sizeof(address->sun_path))
        return 0;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, chars);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + chars);
}

int systemd_notify(const char *state, struct error *error)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || name[0] == '\0')
        return 0;
    struct sockaddr_un address;
    socklen_t address_bytes = notify_address(name, &address);
    if (address_bytes == 0)
        return error_set(
            error, ERROR_INVALID,
            "NOTIFY_SOCKET=\"%s\" must be an absolute path or an @NAME, of at most 107 bytes",
            name);

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create a socket for the service manager");
    ssize_t sent;
    do
        sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                      address_bytes);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        error_set_errno(error, errno, "cannot notify the service manager at \"%s\"", name);
    close(fd);
    return sent < 0 ? -1 : 0;
}

/* Returns true if the variable is a decimal number and nothing else. */
static bool read_number(const char *variable, long long *number)
{
    const char *text = getenv(variable);
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

int64_t systemd_watchdog_ms(void)
{
    long long interval_us, pid;
    if (!read_number("WATCHDOG_USEC", &interval_us) || interval_us == 0)
        return 0;
    if (getenv("WATCHDOG_PID") && (!read_number("WATCHDOG_PID", &pid) || pid != getpid()))
        return 0;
    int64_t half_ms = interval_us / 2000;
    return half_ms > 0 ? half_ms : 1;
}

static bool prepare_socket(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

int systemd_inherited_sockets(void)
{
    long long pid, sockets;
    int count = 0;
    if (read_number("LISTEN_PID", &pid) && pid == getpid() && read_number("LISTEN_FDS", &sockets) &&
        sockets <= INT_MAX - FIRST_INHERITED_FD)
        while (count < sockets && prepare_socket(FIRST_INHERITED_FD + count))
            count++;
    /* They are meant for this process: its children must not act on them. */
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return count;
}
