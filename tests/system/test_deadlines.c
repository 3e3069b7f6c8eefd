/* Slow, idle and hostile clients, and the bounds: such clients cost little, and others are served
 * meanwhile. Deadlines are short here; the tests check that nothing is closed too early; closing
 * late is bounded only by how long a test waits. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "queue/spool.h"
#include "support/aftermath.h"
#include "support/api.h"
#include "support/hook.h"
#include "support/suite.h"

#define MIB         ((size_t)1024 * 1024)
#define PATIENCE_MS 20000

/* ---- helpers ---- */

static void send_text(int fd, const char *text)
{
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
}

static void post_and_expect_201(struct hook *hook)
{
    struct response response;
    http_post(hook->url, NULL, "{}", 2, &response);
    assert_accepted(&response);
    response_free(&response);
}

/* Sends one byte every 50 ms until the server closes the connection; another client is served
 * first. Returns the milliseconds since since_ms, a time before the deadline can have begun. */
static int64_t drip(struct hook *hook, int fd, char byte, int64_t since_ms)
{
    post_and_expect_201(hook);
    while (!raw_is_closed(fd, 50)) {
        ck_assert_int_lt(clock_monotonic_ms() - since_ms, PATIENCE_MS);
        (void)raw_send(fd, &byte, 1);
    }
    return clock_monotonic_ms() - since_ms;
}

static void await_metric(struct hook *hook, const char *name, long long value)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    long long now;
    while ((now = api_metric(&hook->daemon, name)) != value) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%s is %lld, not %lld", name, now, value);
        usleep(10000);
    }
}

/* ---- deadlines ---- */

TEST(headers_that_drip_are_cut_off_at_their_deadline)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "header_timeout = \"600ms\""});
    static const char *const beginnings[] = {"P", "POST /hooks/x HTTP/1.1\r\nHost: h\r\nX-Slow: "};
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        int64_t since_ms = clock_monotonic_ms();
        int fd = raw_connect(hook.daemon.port);
        send_text(fd, beginnings[i]);
        ck_assert_int_ge(drip(&hook, fd, 'O', since_ms), 600); /* not closed earlier */
        close(fd);
    }
    daemon_await_log(&hook.daemon, "phase=headers");
    hook_finish(&hook);
}

TEST(dripping_headers_of_a_second_request_are_cut_off_at_their_deadline)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){
                          .hooks = "header_timeout = \"600ms\"\nidle_timeout = \"1h\""});
    int fd = raw_connect(hook.daemon.port);
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", hook.path);
    send_text(fd, text);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    response_free(&response);
    send_text(fd, "POST / HTTP/1.1\r\nHost: h\r\nX-Slow: ");
    drip(&hook, fd, 'o', clock_monotonic_ms());
    close(fd);
    free(text);
    hook_finish(&hook);
}

TEST(body_that_drips_is_cut_off_at_its_deadline_and_leaves_nothing)
{
    static const char *const framings[] = {"Content-Length: 10000", "Content-Length: 1000000",
                                           "Transfer-Encoding: chunked\r\n\r\n10000"};
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"600ms\""});
    for (size_t i = 0; i < ARRAY_COUNT(framings); i++) {
        int fd = raw_connect(hook.daemon.port);
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\n%s%s\r\n", hook.path,
                                   framings[i], i == 2 ? "" : "\r\n");
        int64_t since_ms = clock_monotonic_ms();
        send_text(fd, text);
        ck_assert_int_ge(drip(&hook, fd, 'b', since_ms), 600);
        close(fd);
        free(text);
    }
    daemon_await_log(&hook.daemon, "phase=body");
    ck_assert_uint_eq(hook_count_runs(&hook),
                      ARRAY_COUNT(framings)); /* the runs of the other client */
    await_metric(&hook, "hooks_in_flight_bytes", 0);
    aftermath_await_empty(hook.daemon.state_dir, "spool");
    hook_finish(&hook);
}

TEST(spooled_body_that_stops_half_way_leaves_no_file)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"1s\""});
    char *half = memory_alloc(MIB);
    memset(half, 'h', MIB);
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                               hook.path, 2 * MIB);
    int waits = raw_connect(hook.daemon.port), goes = raw_connect(hook.daemon.port);
    send_text(waits, text);
    send_text(goes, text);
    (void)raw_send(waits, half, MIB);
    (void)raw_send(goes, half, MIB);
    close(goes); /* a disconnected client must cost the same as one that times out */
    raw_await_close(waits);
    close(waits);
    aftermath_await_empty(hook.daemon.state_dir, "spool");
    await_metric(&hook, "hooks_in_flight_bytes", 0);
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(half);
    free(text);
    hook_finish(&hook);
}

TEST(idle_connection_is_closed_at_its_deadline)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){
                          .hooks = "header_timeout = \"1h\"\nidle_timeout = \"600ms\""});
    int fd = raw_connect(hook.daemon.port);
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", hook.path);
    int64_t since_ms = clock_monotonic_ms();
    send_text(fd, text);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    raw_await_close(fd);
    ck_assert_int_ge(clock_monotonic_ms() - since_ms, 600);
    close(fd);
    free(text);
    response_free(&response);
    hook_finish(&hook);
}

static bool log_holds(struct hook *hook, const char *text)
{
    char *log = daemon_log(&hook->daemon);
    bool found = strstr(log, text);
    free(log);
    return found;
}

/* The client sends requests as long as it can and reads nothing until the server has given up on
 * it. */
TEST(client_that_never_reads_its_answers_is_closed)
{
    struct hook hook;
    hook_begin(&hook,
               &(struct daemon_options){.hooks = "idle_timeout = \"1s\"\nheader_timeout = \"1s\""});
    static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    int fd = raw_connect(hook.daemon.port);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (size_t sent = 0;;) {
        size_t at = sent % (sizeof(request) - 1);
        ssize_t bytes = send(fd, request + at, sizeof(request) - 1 - at, MSG_NOSIGNAL);
        if (bytes > 0) {
            sent += (size_t)bytes;
            continue;
        }
        if (errno != EAGAIN)
            break;
        struct pollfd watch = {fd, POLLOUT, 0};
        if (poll(&watch, 1, 100) == 0 && log_holds(&hook, "reason=deadline"))
            break; /* the end of the stream is behind data that this client has not read */
        ck_assert_msg(clock_monotonic_ms() < until_ms, "still open after %zu bytes", sent);
    }
    post_and_expect_201(&hook);
    raw_await_close(fd);
    close(fd);
    hook_finish(&hook);
}

/* ---- many connections ---- */

/* Invariant 8. */
TEST(longest_idle_connection_is_closed_for_a_new_one)
{
    struct hook hook;
    struct response response;
    int fds[4];
    hook_begin(&hook,
               &(struct daemon_options){
                   .hooks = "max_connections = 4\nidle_timeout = \"1h\"\nheader_timeout = \"1h\""});
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", hook.path);
    for (int i = 0; i < 4; i++)
        fds[i] = raw_connect(hook.daemon.port);
    static const int order[] = {
        2, 0, 1, 3}; /* order of the last requests: connection 2 is idle the longest */
    for (int i = 0; i < 4; i++) {
        send_text(fds[order[i]], text);
        raw_read_answer(fds[order[i]], &response);
        assert_accepted(&response);
        response_free(&response);
        usleep(20000); /* the clock for this order counts milliseconds */
    }
    send_text(fds[0], "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf "); /* busy */
    post_and_expect_201(&hook);
    raw_await_close(fds[2]);
    static const int others[] = {1, 3};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        send_text(fds[others[i]], text);
        raw_read_answer(fds[others[i]], &response);
        assert_accepted(&response);
        response_free(&response);
    }
    send_text(fds[0], "whole");
    raw_read_answer(fds[0], &response);
    assert_refused(&response, 404, true);
    response_free(&response);
    daemon_await_log(&hook.daemon, "no such path");
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    free(text);
    hook_finish(&hook);
}

TEST(busy_connections_are_never_closed_for_a_new_one)
{
    struct hook hook;
    struct response response;
    int fds[3];
    hook_begin(&hook, &(struct daemon_options){.hooks = "max_connections = 3"});
    char *head =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nx", hook.path);
    for (int i = 0; i < 3; i++) {
        fds[i] = raw_connect(hook.daemon.port);
        send_text(fds[i], head);
    }
    /* All three are in the middle of a large body, whose token was found to be good. */
    await_metric(&hook, "hooks_in_flight_bytes", 3 * SPOOL_PIECE_BYTES);
    int newcomer = raw_connect(hook.daemon.port);
    raw_await_close(newcomer);
    close(newcomer);
    char *rest = memory_alloc(100000);
    memset(rest, 'x', 99999);
    for (int i = 0; i < 3; i++) {
        send_text(fds[i], rest);
        raw_read_answer(fds[i], &response);
        assert_accepted(&response);
        response_free(&response);
        close(fds[i]);
    }
    free(rest);
    free(head);
    hook_finish(&hook);
}

/* Sends the text on every connection of which the server has closed none yet, opens the others
 * anew, and sends them `head`: what an attacker does who wants to hold all connections. */
static void hold_connections(struct hook *hook, int *fds, size_t count, const char *head,
                             const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0 && raw_send(fds[i], text, strlen(text)) == 0)
            continue;
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = raw_connect(hook->daemon.port);
        (void)raw_send(fds[i], head, strlen(head));
    }
}

/* Each sends a byte now and then, so that no deadline ends it for a long time. Nobody is known
 * before the token has been looked up. */
TEST(strangers_that_hold_all_connections_shut_nobody_out)
{
    enum { HELD = 20, GOOD = 16 };
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "max_connections = 20"});
    char *unknown = hook_unknown_path();
    const char *const paths[] = {unknown, "/robots", "/hooks/x", hook.path};
    for (size_t p = 0; p < ARRAY_COUNT(paths); p++) {
        int fds[HELD];
        char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nx",
                                   paths[p]);
        memset(fds, -1, sizeof(fds));
        for (int i = 0; i < GOOD; i++) {
            hold_connections(&hook, fds, HELD, head, "x");
            post_and_expect_201(&hook);
        }
        for (int i = 0; i < HELD; i++)
            close(fds[i]);
        free(head);
    }
    free(unknown);
    hook_finish(&hook);
}

TEST(body_of_a_refused_request_has_five_seconds)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"1h\""});
    int64_t begin_ms = clock_monotonic_ms();
    int fd = raw_connect(hook.daemon.port);
    send_text(fd, "POST /robots HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nx");
    raw_await_close(fd);
    ck_assert_int_ge(clock_monotonic_ms() - begin_ms, 5000);
    close(fd);
    hook_finish(&hook);
}

/* 10,000 connections if this process may have that many descriptors, otherwise as many as it may
 * have, but at least 2,000. */
TEST(thousands_of_idle_connections_close_at_their_deadline_while_a_POST_is_served)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2200) {
        test_skip("at least 2,200 descriptors are needed (ulimit -n)");
        return;
    }
    size_t count = limit.rlim_cur >= 10400 ? 10000 : 2000;
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){
                          .hooks = "max_connections = 10050\nheader_timeout = \"5s\""});
    int *fds = memory_array(NULL, count, sizeof(*fds));
    for (size_t i = 0; i < count; i++)
        fds[i] = raw_connect(hook.daemon.port);
    post_and_expect_201(&hook);
    for (size_t i = 0; i < count; i++) {
        struct pollfd watch = {fds[i], POLLIN, 0};
        char byte;
        ck_assert_msg(poll(&watch, 1, 2 * PATIENCE_MS) == 1, "connection %zu stays open", i);
        ck_assert_int_le(recv(fds[i], &byte, 1, 0), 0);
        close(fds[i]);
        if (i == count / 2)
            post_and_expect_201(&hook);
    }
    post_and_expect_201(&hook);
    free(fds);
    hook_finish(&hook);
}

/* ---- bytes in flight ---- */

/* Invariant 8. */
TEST(max_in_flight_refuses_until_there_is_room_again)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.hooks = "max_in_flight = \"1KiB\""});
    char body[1024];
    memset(body, 'b', sizeof(body));
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                               hook.path, sizeof(body));
    int fd = raw_connect(hook.daemon.port);
    send_text(fd, head);
    ck_assert_int_eq(raw_send(fd, body, sizeof(body) - 1), 0);
    await_metric(&hook, "hooks_in_flight_bytes", sizeof(body) - 1);

    http_post(hook.url, NULL, "xy", 2, &response);
    assert_refused(&response, 503, true);
    char *retry = response_header(&response, "Retry-After");
    ck_assert_ptr_nonnull(retry);
    free(retry);
    response_free(&response);
    http_post_chunked(hook.url, "x", 1, &response);
    assert_refused(&response, 503, true);
    response_free(&response);
    http_post(hook.url, NULL, "", 0, &response); /* a request without a body needs no room */
    assert_accepted(&response);
    response_free(&response);

    ck_assert_int_eq(raw_send(fd, body, 1), 0);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, body, sizeof(body));
    response_free(&response);
    await_metric(&hook, "hooks_in_flight_bytes", 0);
    http_post(hook.url, NULL, body, sizeof(body), &response);
    assert_accepted(&response);
    response_free(&response);
    ck_assert_uint_eq(hook_count_runs(&hook), 3);
    close(fd);
    free(head);
    hook_finish(&hook);
}

/* ---- answer_timeout ---- */

/* Returns the daemon's thread with this name. */
static pid_t find_thread(const struct hook *hook, const char *name)
{
    char path[64], comm[32];
    pid_t found = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)hook->daemon.pid);
    DIR *tasks = opendir(path);
    struct dirent *entry;
    while (tasks && !found && (entry = readdir(tasks))) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)hook->daemon.pid,
                 entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fgets(comm, sizeof(comm), file)) {
            comm[strcspn(comm, "\n")] = '\0';
            if (strcmp(comm, name) == 0)
                found = (pid_t)atoi(entry->d_name);
        }
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return found;
}

/* A tracer that makes each fdatasync of the committer hang; its log shows when one has begun. */
struct hang {
    pid_t tracer;
    char path[128];
};

static bool log_of_tracer_holds(const struct hang *hang, const char *text)
{
    char line[512];
    bool found = false;
    FILE *file = fopen(hang->path, "re");
    while (file && !found && fgets(line, sizeof(line), file))
        found = strstr(line, text);
    if (file)
        fclose(file);
    return found;
}

/* Returns false if nothing can be traced here. */
static bool hang_begin(struct hang *hang, const struct hook *hook)
{
    char tid[16];
    snprintf(tid, sizeof(tid), "%d", (int)find_thread(hook, "committer"));
    snprintf(hang->path, sizeof(hang->path), "%s/tracer", hook->daemon.folder);
    ck_assert_str_ne(tid, "0");
    fflush(NULL);
    hang->tracer = fork();
    if (hang->tracer == 0) {
        int log = open(hang->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(log, STDERR_FILENO);
        execlp("strace", "strace", "-p", tid, "-e", "trace=fdatasync", "-e",
               "inject=fdatasync:delay_enter=15s", (char *)NULL);
        _exit(127);
    }
    while (!log_of_tracer_holds(hang, "attached")) {
        int status;
        if (waitpid(hang->tracer, &status, WNOHANG) == hang->tracer)
            return false;
        usleep(5000);
    }
    return true;
}

/* Lets the disk go on. */
static void hang_end(struct hang *hang)
{
    kill(hang->tracer, SIGTERM);
    waitpid(hang->tracer, NULL, 0);
}

/* A request waits in the kernel while webhookd cannot accept or read it, and its sender gives up.
 * Here webhookd is stopped meanwhile. */
TEST(request_that_waited_too_long_before_it_was_read_is_not_run_late)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.hooks = "answer_timeout = \"2s\""});
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", hook.path);
    ck_assert_int_eq(kill(hook.daemon.pid, SIGSTOP), 0);
    int fd = raw_connect(hook.daemon.port);
    send_text(fd, text);
    for (int64_t until_ms = clock_monotonic_ms() + 2100; clock_monotonic_ms() < until_ms;)
        usleep(10000);
    ck_assert_int_eq(kill(hook.daemon.pid, SIGCONT), 0);
    raw_read_answer(fd, &response);
    assert_refused(&response, 503, true);
    ck_assert_ptr_nonnull(strstr(response.body, "hooks.answer_timeout"));
    response_free(&response);
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    post_and_expect_201(&hook);
    close(fd);
    free(text);
    hook_finish(&hook);
}

/* Invariant 2. */
TEST(run_that_is_still_queued_at_answer_timeout_gets_503_and_leaves_nothing)
{
    struct hook hook;
    struct hang hang;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.hooks = "answer_timeout = \"500ms\""});
    post_and_expect_201(&hook);
    if (!hang_begin(&hang, &hook)) {
        test_skip("strace cannot attach to a process here");
        hook_finish(&hook);
        return;
    }
    char *large = memory_alloc(MIB);
    memset(large, 'l', MIB);
    char *small =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst", hook.path);
    int first = raw_connect(hook.daemon.port);
    send_text(first, small); /* this run is in the batch that hangs */
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!log_of_tracer_holds(&hang, "fdatasync(")) {
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
        usleep(5000);
    }

    http_post(hook.url, NULL, "second", 6, &response); /* queued after the first */
    assert_refused(&response, 503, true);
    char *retry = response_header(&response, "Retry-After");
    ck_assert_ptr_nonnull(retry);
    free(retry);
    response_free(&response);
    /* Its token cannot be looked up, so it is refused before its body, which Expect holds back. */
    static const char *const expecting[] = {"Expect: 100-continue", NULL};
    http_post(hook.url, expecting, large, MIB, &response);
    assert_refused(&response, 503, true);
    response_free(&response);

    raw_read_answer(first, &response);
    ck_assert_int_eq(response.status, 0); /* closed without a response: the run may exist */
    ck_assert_str_eq(response.headers, "");
    response_free(&response);
    close(first);
    daemon_await_log(&hook.daemon, "left without an answer");

    hang_end(&hang);
    int64_t patience_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (hook_count_runs(&hook) < 2 && clock_monotonic_ms() < patience_ms)
        usleep(10000);
    post_and_expect_201(&hook);
    /* Three runs: one before, one in the batch, one after; the queued ones were withdrawn. */
    ck_assert_uint_eq(hook_count_runs(&hook), 3);
    aftermath_await_empty(hook.daemon.state_dir, "spool");
    await_metric(&hook, "hooks_in_flight_bytes", 0);
    ck_assert_int_eq(daemon_stop(&hook.daemon), 0);
    free(small);
    free(large);
    hook_finish(&hook);
}
