#include "support/daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/http.h"
#include "support/janitor.h"

#define LOG_SHOWN        4000 /* bytes */
#define READY_TIMEOUT_MS 60000
#define MAX_ARGUMENTS    32

char *daemon_program(const char *name)
{
    const char *build = getenv("BUILD");
    char path[PATH_MAX];
    char *relative = memory_format("%s/%s", build ? build : "build", name);
    ck_assert_msg(realpath(relative, path), "%s is not built", relative);
    free(relative);
    return memory_string(path);
}

static char *read_all(int fd, size_t *bytes)
{
    struct buffer buffer = BUFFER_INIT;
    char piece[65536];
    ssize_t count;
    while ((count = read(fd, piece, sizeof(piece))) > 0 || (count < 0 && errno == EINTR))
        if (count > 0)
            buffer_append(&buffer, piece, (size_t)count);
    if (bytes)
        *bytes = buffer.bytes;
    return buffer_take(&buffer);
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- configuration ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Returns the section of packages. Free it. */
static char *packages_section(const struct daemon *daemon, const char *lines)
{
    if (lines && lines[0] == '\0')
        return memory_string("");
    if (lines && strstr(lines, "dir ="))
        return memory_format("packages {\n%s\n}\n", lines);
    return memory_format("packages {\n dir = \"%s/packages\"\n%s\n}\n", daemon->folder,
                         or_empty(lines));
}

void daemon_configure(struct daemon *daemon, const struct daemon_options *options)
{
    daemon->options = *options;
    snprintf(daemon->state_dir, sizeof(daemon->state_dir), "%s%s",
             options->state_dir ? options->state_dir : daemon->folder,
             options->state_dir ? "" : "/state");
    char *packages = packages_section(daemon, options->packages);
    char *text = memory_format("state_dir = \"%s\"\n%s\n"
                               "hooks {\n listen = \"127.0.0.1:0\"\n%s\n}\n"
                               "admin {\n listen = \"127.0.0.1:0\"\n socket = \"%s\"\n%s\n}\n"
                               "runner {\n sandbox = \"%s\"\n%s\n}\n%s",
                               daemon->state_dir, options->top ? options->top : "min_free = \"0\"",
                               or_empty(options->hooks), daemon->socket, or_empty(options->admin),
                               options->sandbox ? options->sandbox : "off",
                               or_empty(options->runner), packages);
    FILE *file = fopen(daemon->config, "w");
    ck_assert_msg(file && fputs(text, file) >= 0 && fclose(file) == 0, "cannot write %s",
                  daemon->config);
    free(packages);
    free(text);
}

/* ---- starting ---- */

static int listen_for_ready(const struct daemon *daemon, char path[108])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, 108, "%s/notify", daemon->folder);
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    ck_assert_msg(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                      chmod(path, 0666) == 0 && /* webhookd may run as another user */
                      setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) == 0,
                  "cannot listen on the notify socket: %s", strerror(errno));
    return fd;
}

static void exec_daemon(struct daemon *daemon, const char *notify_path)
{
    char *argv[MAX_ARGUMENTS];
    int argc = 0;
    for (int i = 0; daemon->options.wrapper && daemon->options.wrapper[i]; i++)
        argv[argc++] = memory_string(daemon->options.wrapper[i]);
    argv[argc++] = daemon_program("webhookd");
    argv[argc++] = memory_string("-c");
    argv[argc++] = daemon->config;
    argv[argc] = NULL;
    for (int i = 0; daemon->options.env && daemon->options.env[i]; i++)
        putenv(memory_string(daemon->options.env[i]));
    setenv("NOTIFY_SOCKET", notify_path, 1);
    unsetenv("WATCHDOG_USEC");
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    dup2(log, STDOUT_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

/* Returns the pid that sent READY=1. Returns 0 if the child ended first (its status is then in
 * *status) or on timeout. */
static pid_t await_ready(struct daemon *daemon, int fd, int *status)
{
    int64_t until_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
    while (clock_monotonic_ms() < until_ms) {
        struct pollfd watch = {fd, POLLIN, 0};
        if (poll(&watch, 1, 20) == 1) {
            char text[256];
            union {
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
                struct cmsghdr header;
            } control;
            struct iovec piece = {text, sizeof(text) - 1};
            struct msghdr message = {.msg_iov = &piece,
                                     .msg_iovlen = 1,
                                     .msg_control = &control,
                                     .msg_controllen = sizeof(control)};
            ssize_t bytes = recvmsg(fd, &message, 0);
            text[bytes > 0 ? bytes : 0] = '\0';
            if (strstr(text, "READY=1")) {
                struct ucred who;
                memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(who));
                return who.pid;
            }
        } else if (waitpid(daemon->child, status, WNOHANG) == daemon->child) {
            daemon->child = 0;
            return 0;
        }
    }
    return 0;
}

static unsigned find_port(const char *status, const char *name)
{
    const char *found = strstr(status, name);
    return found ? (unsigned)strtoul(found + strlen(name), NULL, 10) : 0;
}

/* Asks the admin API instead of reading the log: the log comes later, in other formats, or not at
 * all. */
static void find_ports(struct daemon *daemon)
{
    struct response response;
    http_request_over(daemon->socket, "GET", "http://localhost/api/v1/status", NULL, NULL, 0,
                      &response);
    daemon->port = find_port(response.body, "\"hooks\":\"127.0.0.1:");
    daemon->admin_port = find_port(response.body, "\"admin\":\"127.0.0.1:");
    response_free(&response);
}

static void spawn(struct daemon *daemon, const char *notify_path)
{
    fflush(NULL);
    daemon->child = fork();
    if (daemon->child == 0)
        exec_daemon(daemon, notify_path);
}

static bool start(struct daemon *daemon, int *status)
{
    char notify_path[108];
    int fd = listen_for_ready(daemon, notify_path);
    spawn(daemon, notify_path);
    daemon->pid = await_ready(daemon, fd, status);
    close(fd);
    if (daemon->pid == 0)
        return false;
    find_ports(daemon);
    return true;
}

static void show_log(struct daemon *daemon)
{
    char *log = daemon_log(daemon);
    size_t bytes = strlen(log); /* Check passes on a bounded amount */
    fprintf(stderr, "%s", bytes > LOG_SHOWN ? log + bytes - LOG_SHOWN : log);
    free(log);
}

static void start_or_fail(struct daemon *daemon)
{
    int status = 0;
    if (start(daemon, &status))
        return;
    show_log(daemon);
    ck_abort_msg("webhookd did not become ready (%s %d)",
                 daemon->child ? "still running" : "exit status", exit_status(status));
}

void daemon_prepare(struct daemon *daemon, const struct daemon_options *options)
{
    memset(daemon, 0, sizeof(*daemon));
    signal(SIGPIPE, SIG_IGN);
    strcpy(daemon->folder, "/tmp/webhookd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(daemon->folder));
    janitor_watch(daemon->folder);
    chmod(daemon->folder, 0755);
    snprintf(daemon->config, sizeof(daemon->config), "%s/webhookd.conf", daemon->folder);
    snprintf(daemon->socket, sizeof(daemon->socket), "%s/admin.sock", daemon->folder);
    snprintf(daemon->log, sizeof(daemon->log), "%s/log", daemon->folder);
    daemon_configure(daemon, options);
}

void daemon_begin(struct daemon *daemon, const struct daemon_options *options)
{
    daemon_prepare(daemon, options);
    start_or_fail(daemon);
}

void daemon_restart(struct daemon *daemon)
{
    start_or_fail(daemon);
}

int daemon_start_fails(struct daemon *daemon)
{
    int status = 0;
    ck_assert_msg(!start(daemon, &status), "webhookd started, but should have failed to");
    ck_assert_int_eq(daemon->child, 0);
    return exit_status(status);
}

void daemon_start_and_kill(struct daemon *daemon, unsigned after_us)
{
    char notify_path[108];
    int fd = listen_for_ready(daemon, notify_path);
    spawn(daemon, notify_path);
    usleep(after_us);
    daemon->pid = daemon->child;
    daemon_kill(daemon);
    close(fd);
}

/* ---- stopping ---- */

int daemon_wait(struct daemon *daemon)
{
    int status = 0;
    int64_t until_ms = clock_monotonic_ms() + 30000;
    while (waitpid(daemon->child, &status, WNOHANG) != daemon->child) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "webhookd did not end within 30 s");
        usleep(2000);
    }
    daemon->child = 0;
    return exit_status(status);
}

int daemon_stop(struct daemon *daemon)
{
    kill(daemon->pid, SIGTERM);
    return daemon_wait(daemon);
}

void daemon_kill(struct daemon *daemon)
{
    kill(daemon->pid, SIGKILL);
    if (daemon->child != daemon->pid)
        kill(daemon->child, SIGKILL);
    daemon_wait(daemon);
}

/* Sends SIGTERM, so that the supervisors also end what their vessels have started; SIGKILL if that
 * takes longer than any grace period. */
static void end_supervisors(struct daemon *daemon)
{
    int tries = 0;
    while (janitor_signal_supervisors(daemon->state_dir, tries < 600 ? SIGTERM : SIGKILL) > 0 &&
           tries++ < 620)
        usleep(20000);
}

/* Fails the test, whatever it tested, if webhookd has crashed, cannot stop, or has a sanitizer's
 * report in its log. */
static void end_soundly(struct daemon *daemon)
{
    static const char *const complaints[] = {"Sanitizer", "runtime error:", "Assertion `"};
    if (daemon->child) {
        siginfo_t ended = {.si_pid = 0};
        waitid(P_PID, (id_t)daemon->child, &ended, WEXITED | WNOHANG | WNOWAIT);
        bool lives = ended.si_pid == 0;
        int status = lives ? daemon_stop(daemon) : daemon_wait(daemon);
        if (!lives || status != 0)
            show_log(daemon);
        ck_assert_msg(lives, "webhookd had ended by itself with status %d", status);
        ck_assert_msg(status == 0, "webhookd ended with status %d when stopped", status);
    }
    char *log = daemon_log(daemon);
    for (size_t i = 0; i < ARRAY_COUNT(complaints); i++) {
        const char *complaint = strstr(log, complaints[i]);
        ck_assert_msg(!complaint, "%.2000s", complaint);
    }
    free(log);
}

void daemon_finish(struct daemon *daemon)
{
    end_soundly(daemon);
    end_supervisors(daemon);
    struct error error = ERROR_INIT;
    for (int tries = 0; tries < 50; tries++) { /* a dying vessel may still write */
        error_clear(&error);
        if (file_remove_tree(AT_FDCWD, daemon->folder, &error) == 0)
            return;
        usleep(20000);
    }
    fprintf(stderr, "cannot remove %s: %s\n", daemon->folder, error.message);
}

/* ---- webhookctl ---- */

static int run_ctl(struct daemon *daemon, char **out, size_t *out_bytes, char **err, va_list list)
{
    char *argv[MAX_ARGUMENTS] = {daemon_program("webhookctl"), memory_string("-s"), daemon->socket};
    int argc = 3;
    for (char *argument; argc < MAX_ARGUMENTS - 1 && (argument = va_arg(list, char *));)
        argv[argc++] = argument;
    char err_path[128];
    snprintf(err_path, sizeof(err_path), "%s/ctl-error-%d", daemon->folder, (int)getpid());
    int err_fd = open(err_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int pipes[2];
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(err ? err_fd : pipes[1], STDERR_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    close(pipes[1]);
    *out = read_all(pipes[0], out_bytes);
    close(pipes[0]);
    if (err) {
        lseek(err_fd, 0, SEEK_SET);
        *err = read_all(err_fd, NULL);
    }
    close(err_fd);
    unlink(err_path);
    int status;
    waitpid(pid, &status, 0);
    free(argv[0]);
    free(argv[1]);
    return exit_status(status);
}

int ctl(struct daemon *daemon, char **out, size_t *out_bytes, char **err, ...)
{
    va_list list;
    va_start(list, err);
    int status = run_ctl(daemon, out, out_bytes, err, list);
    va_end(list);
    return status;
}

char *ctl_ok(struct daemon *daemon, ...)
{
    char *out, *err;
    va_list list;
    va_start(list, daemon);
    int status = run_ctl(daemon, &out, NULL, &err, list);
    va_end(list);
    ck_assert_msg(status == 0, "webhookctl ended with status %d: %s%s", status, out, err);
    free(err);
    size_t bytes = strlen(out);
    if (bytes > 0 && out[bytes - 1] == '\n')
        out[bytes - 1] = '\0';
    return out;
}

/* ---- fleets and files ---- */

char *daemon_write_file(struct daemon *daemon, const char *name, const void *text, size_t bytes)
{
    char *path = memory_format("%s/%s", daemon->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_msg(fd >= 0 && file_write_all(fd, text, bytes) == 0, "cannot write %s", path);
    close(fd);
    return path;
}

static char *fleet_name(const char *fleet_file)
{
    const char *at = strstr(fleet_file, "name: ");
    ck_assert_ptr_nonnull(at);
    at += strlen("name: ");
    return memory_string_n(at, strcspn(at, "\n"));
}

char *daemon_fleet(struct daemon *daemon, const char *fleet_file)
{
    char *path = daemon_write_file(daemon, "fleet.yaml", fleet_file, strlen(fleet_file));
    char *name = fleet_name(fleet_file);
    free(ctl_ok(daemon, "fleet", "apply", path, NULL));
    char *url = ctl_ok(daemon, "webhook", "create", name, NULL);
    char *here = memory_format("http://127.0.0.1:%u%s", daemon->port, url_path(url));
    free(url);
    free(name);
    free(path);
    return here;
}

const char *url_path(const char *url)
{
    const char *path = strstr(url, "/hooks/");
    ck_assert_msg(path, "not the URL of a webhook: %s", url);
    return path;
}

char *bash_fleet(const char *name, const char *script)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_format(
        &text,
        "name: %s\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n"
        "      file_to_run: main.sh\n      file:\n        name: main.sh\n        content: |\n",
        name);
    for (const char *line = script; *line;) {
        size_t bytes = strcspn(line, "\n");
        buffer_append_text(&text, "          ");
        buffer_append(&text, line, bytes);
        buffer_append_char(&text, '\n');
        line += bytes + (line[bytes] == '\n');
    }
    return buffer_take(&text);
}

char *daemon_log(struct daemon *daemon)
{
    int fd = open(daemon->log, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return memory_string("");
    char *text = read_all(fd, NULL);
    close(fd);
    return text;
}

void daemon_await_log(struct daemon *daemon, const char *text)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (;;) {
        char *log = daemon_log(daemon);
        bool found = strstr(log, text);
        if (!found && clock_monotonic_ms() >= until_ms)
            ck_abort_msg("the log does not contain \"%s\":\n%s", text, log);
        free(log);
        if (found)
            return;
        usleep(5000);
    }
}
