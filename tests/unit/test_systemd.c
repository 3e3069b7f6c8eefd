#include "base/systemd.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"

static struct error error = ERROR_INIT;

/* Returns the socket of a service manager that listens at this name; '@' stands for the NUL of the
 * abstract namespace. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void assert_received(int fd, const char *expected)
{
    char text[200];
    ssize_t bytes = recv(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    ck_assert_str_eq(text, expected);
}

TEST(a_state_reaches_a_socket_with_a_path)
{
    char path[64] = "/tmp/test_notify.XXXXXX", name[80];
    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(name, sizeof(name), "%s/notify", path);
    int fd = listen_at(name);
    ck_assert_int_eq(systemd_notify("READY=1", &error), 0);
    ck_assert_int_eq(systemd_notify("RELOADING=1\nMONOTONIC_USEC=5", &error), 0);
    assert_received(fd, "READY=1");
    assert_received(fd, "RELOADING=1\nMONOTONIC_USEC=5");
    close(fd);
    unlink(name);
    ck_assert_int_eq(systemd_notify("READY=1", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, name));
    rmdir(path);
}

TEST(a_state_reaches_an_abstract_socket)
{
    char name[80];
    snprintf(name, sizeof(name), "@test_notify.%d", (int)getpid());
    int fd = listen_at(name);
    ck_assert_int_eq(systemd_notify("STOPPING=1", &error), 0);
    assert_received(fd, "STOPPING=1");
    close(fd);
}

TEST(without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    ck_assert_int_eq(systemd_notify("READY=1", &error), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    ck_assert_int_eq(systemd_notify("READY=1", &error), 0);
    ck_assert(!error_is_set(&error));
}

TEST(a_name_that_is_not_a_socket_is_refused)
{
    char name[200];
    memset(name, 'x', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    ck_assert_int_eq(systemd_notify("READY=1", &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    error_clear(&error);
    setenv("NOTIFY_SOCKET", "relative", 1);
    ck_assert_int_eq(systemd_notify("READY=1", &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
}

TEST(the_watchdog_is_notified_twice_per_interval_if_it_is_ours)
{
    char pid[32];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    ck_assert_int_eq(systemd_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    ck_assert_int_eq(systemd_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", pid, 1);
    ck_assert_int_eq(systemd_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    ck_assert_int_eq(systemd_watchdog_ms(), 0);
    setenv("WATCHDOG_PID", pid, 1);
    static const char *const wrong[] = {"", "0", "-5", "3s", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("WATCHDOG_USEC", wrong[i], 1);
        ck_assert_int_eq(systemd_watchdog_ms(), 0);
    }
    setenv("WATCHDOG_USEC", "1", 1);
    ck_assert_int_eq(systemd_watchdog_ms(), 1);
}

static void set_listen(int pid, const char *count)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", "a:b", 1);
}

/* Descriptors 3 and 4 belong to Check, so each case runs in a child that puts sockets there. Its
 * exit status is the number of inherited sockets, plus 10 for each of the two that became
 * non-blocking and close-on-exec. */
static int inherit(const char *count, int pid_offset)
{
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 3; fd <= 4; fd++)
            if (dup2(socket(AF_INET, SOCK_STREAM, 0), fd) != fd || fcntl(fd, F_SETFD, 0) != 0)
                _exit(99);
        close(5);
        set_listen(getpid() + pid_offset, count);
        int answer = systemd_inherited_sockets();
        for (int fd = 3; fd <= 4; fd++)
            if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)
                answer += 10;
        if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES") ||
            systemd_inherited_sockets() != 0)
            _exit(98);
        _exit(answer);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(inherited_sockets_become_nonblocking_and_close_on_exec)
{
    ck_assert_int_eq(inherit("2", 0), 22);
    ck_assert_int_eq(inherit("1", 0), 11);
}

TEST(sockets_for_another_process_are_ignored)
{
    ck_assert_int_eq(inherit("2", 1), 0);
}

TEST(an_invalid_count_gives_no_sockets)
{
    static const char *const wrong[] = {"", "0", "-1", "x", "1x", "99999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_eq(inherit(wrong[i], 0), 0);
}
