/* Senders whose bytes libmicrohttpd alone would answer badly, or not at all: chunk lines that fill
 * a connection's memory, and senders that close their half of the connection before the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/hook.h"
#include "support/suite.h"

#define PATIENCE_MS 20000
#define LONG_BYTES  60000  /* more than the memory of a connection */
#define LARGE_BYTES 300000 /* a body that is spooled in pieces */

/* ---- helpers ---- */

static size_t count_in_log(struct hook *hook, const char *text)
{
    char *log = daemon_log(&hook->daemon);
    size_t count = 0;
    for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
        count++;
    free(log);
    return count;
}

/* Waits until the log has this many lines with the text: a thread of its own writes them. */
static void expect_in_log(struct hook *hook, const char *text, size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (count_in_log(hook, text) < count && clock_monotonic_ms() < until_ms)
        usleep(10000);
    ck_assert_uint_eq(count_in_log(hook, text), count);
}

/* Waits until the public listener has no connection left. */
static void await_no_connection(struct hook *hook)
{
    static const char none[] = "\nwebhookd_http_connections{listener=\"hooks\"} 0\n";
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (bool is_done = false; !is_done; usleep(10000)) {
        struct response response;
        api_call(&hook->daemon, "GET", "/metrics", NULL, 0, &response);
        is_done = strstr(response.body, none);
        response_free(&response);
        ck_assert_msg(clock_monotonic_ms() < until_ms, "a connection is still open");
    }
}

/* Sends as much of the bytes as the server takes. */
static void send_what_fits(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        count -= (size_t)sent;
    }
}

static char *repeat(char byte, size_t count)
{
    char *text = memory_alloc(count + 1);
    memset(text, byte, count);
    return text;
}

static void post_and_expect_201(struct hook *hook)
{
    struct response response;
    http_post(hook->url, NULL, "{}", 2, &response);
    assert_accepted(&response);
    response_free(&response);
}

/* ---- chunk lines that fill a connection's memory ---- */

static const struct {
    const char *header, *beginning;
    char byte; /* of the rest */
} long_lines[] = {
    {"", "", '0'},
    {"", "5;name=", 'x'},
    {"", "5\r\nhello\r\n5;name=", 'x'},
    {"Expect: 100-continue\r\n", "5;name=", 'x'},
};

static int send_long_line(struct hook *hook, size_t i)
{
    int fd = raw_connect(hook->daemon.port);
    char *rest = repeat(long_lines[i].byte, LONG_BYTES);
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\n%sTransfer-Encoding: chunked\r\n\r\n%s%s",
                      hook->path, long_lines[i].header, long_lines[i].beginning, rest);
    send_what_fits(fd, text, strlen(text));
    free(text);
    free(rest);
    return fd;
}

/* Long before the deadline of its body. */
TEST(chunk_line_that_fills_the_memory_ends_the_connection)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"1h\""});
    for (size_t i = 0; i < ARRAY_COUNT(long_lines); i++) {
        int fd = send_long_line(&hook, i);
        raw_await_close(fd);
        close(fd);
        await_no_connection(&hook);
        expect_in_log(&hook, "a chunk-size line is too long", i + 1);
        expect_in_log(&hook, "connection closed", i + 1);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    post_and_expect_201(&hook);
    hook_finish(&hook);
}

/* libmicrohttpd does not look at the socket of such a connection any more, so it does not notice
 * that the reaper has shut it down. */
TEST(connection_of_a_long_chunk_line_does_not_outlive_its_deadline)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"100ms\""});
    for (size_t i = 0; i < ARRAY_COUNT(long_lines); i++)
        close(send_long_line(&hook, i));
    await_no_connection(&hook);
    hook_finish(&hook);
}

/* Many such connections at once cost other senders nothing. */
TEST(good_senders_are_answered_beside_long_chunk_lines)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"1h\""});
    int fds[40];
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        fds[i] = send_long_line(&hook, i % ARRAY_COUNT(long_lines));
        post_and_expect_201(&hook);
    }
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        raw_await_close(fds[i]);
        close(fds[i]);
    }
    await_no_connection(&hook);
    hook_finish(&hook);
}

/* ---- senders that close their half of the connection ---- */

/* Sends the text and a body, closes this half, and returns everything that comes back. */
static char *exchange_half_closed(struct hook *hook, const char *head, const char *body)
{
    int fd = raw_connect(hook->daemon.port), closed;
    send_what_fits(fd, head, strlen(head));
    send_what_fits(fd, body, strlen(body));
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    char *answer = raw_receive(fd, PATIENCE_MS, &closed);
    ck_assert_msg(closed, "still open after \"%.200s\" was answered with \"%.60s\"", head, answer);
    close(fd);
    return answer;
}

/* The end often arrives together with the bytes before it (http/reaper.c, remind_of_end). */
TEST(senders_that_leave_in_the_middle_of_a_request_are_noticed_before_its_deadline)
{
    enum { EACH = 300 };
    static const char headers[] = "POST /hooks/";
    struct hook hook;
    hook_begin(&hook,
               &(struct daemon_options){.hooks = "body_timeout = \"1h\"\nheader_timeout = \"1h\""});
    char *body =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf", hook.path);
    for (int i = 0; i < EACH; i++) {
        int fds[] = {raw_connect(hook.daemon.port), raw_connect(hook.daemon.port)};
        ck_assert_int_eq(raw_send(fds[0], headers, strlen(headers)), 0);
        ck_assert_int_eq(raw_send(fds[1], body, strlen(body)), 0);
        close(fds[0]);
        close(fds[1]);
    }
    await_no_connection(&hook);
    expect_in_log(&hook, "the sender closed the connection before its end", EACH);
    free(body);
    hook_finish(&hook);
}

TEST(sender_that_closes_its_half_gets_its_answer)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "idle_timeout = \"1h\""});
    char *unknown = hook_unknown_path(), *large = repeat('b', LARGE_BYTES);
    char *large_chunk = memory_format("%x\r\n%s\r\n0\r\n\r\n", LARGE_BYTES, large);
    char *two_chunks =
        memory_format("%x\r\n%s\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", LARGE_BYTES, large);
    const struct {
        const char *path, *headers, *body, *status;
    } cases[] = {
        {hook.path, "Content-Length: 0", "", "HTTP/1.1 201 "},
        {hook.path, "Content-Length: 2", "{}", "HTTP/1.1 201 "},
        {hook.path, "Connection: close\r\nContent-Length: 2", "{}", "HTTP/1.1 201 "},
        {hook.path, "Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n", "HTTP/1.1 201 "},
        {hook.path, "Content-Length: 300000", large, "HTTP/1.1 201 "},
        {hook.path, "Transfer-Encoding: chunked", large_chunk, "HTTP/1.1 201 "},
        {hook.path, "Transfer-Encoding: chunked", two_chunks, "HTTP/1.1 201 "},
        {hook.path, "Expect: 100-continue\r\nContent-Length: 2", "{}",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 "},
        {hook.path, "Expect: 100-continue\r\nContent-Length: 300000", large,
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 "},
        {unknown, "Content-Length: 2", "{}", "HTTP/1.1 400 "},
        {unknown, "Content-Length: 0", "", "HTTP/1.1 400 "},
        {unknown, "Transfer-Encoding: chunked", "", "HTTP/1.1 400 "},
        {"/elsewhere", "Content-Length: 2", "{}", "HTTP/1.1 404 "},
    };
    size_t runs = 0;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", cases[i].path,
                                   cases[i].headers);
        char *answer = exchange_half_closed(&hook, head, cases[i].body);
        ck_assert_msg(strncmp(answer, cases[i].status, strlen(cases[i].status)) == 0,
                      "case %zu was answered with \"%.60s\"", i, answer);
        runs += strstr(answer, " 201 ") != NULL;
        free(answer);
        free(head);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), runs);
    await_no_connection(&hook);
    free(two_chunks);
    free(large_chunk);
    free(large);
    free(unknown);
    hook_finish(&hook);
}

TEST(pipelined_requests_before_a_closed_half_are_all_answered)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.top = NULL});
    char *one =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", hook.path);
    char *three = memory_format("%s%s%s", one, one, one);
    char *answer = exchange_half_closed(&hook, three, "");
    ck_assert_int_eq(count_answers(answer), 3);
    ck_assert_uint_eq(hook_count_runs(&hook), 3);
    free(answer);
    free(three);
    free(one);
    hook_finish(&hook);
}

/* In each phase. The connection ends at its deadline at the latest. */
TEST(request_that_ends_too_early_is_no_run)
{
    static const char *const beginnings[] = {
        "PO",
        "POST %s HTTP/1.1\r\n",
        "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n",
        "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345",
        "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n12345",
        "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5",
        "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n123",
        "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n",
    };
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){
                          .hooks = "body_timeout = \"300ms\"\nheader_timeout = \"300ms\""});
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        char *mark = strstr(beginnings[i], "%s");
        char *head = mark ? memory_format("%.*s%s%s", (int)(mark - beginnings[i]), beginnings[i],
                                          hook.path, mark + 2)
                          : memory_string(beginnings[i]);
        char *answer = exchange_half_closed(&hook, head, "");
        ck_assert_str_eq(answer, "");
        free(answer);
        free(head);
    }
    await_no_connection(&hook);
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    hook_finish(&hook);
}

/* ---- senders that do not speak HTTP/1.x ---- */

#define NO_LINE "no valid HTTP/1.x request line"

static const struct {
    const char *bytes;
    size_t count;
    const char *hooks, *admin; /* what the log says of it, by listener */
} foreign[] = {
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "a TLS hello", NO_LINE},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, "the preface of HTTP/2", NO_LINE},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n", 37, "a PROXY protocol line", NO_LINE},
    {"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16, "a PROXY protocol header", NO_LINE},
    {"SSH-2.0-OpenSSH_9.2\r\n", 21, "the greeting of an SSH client", NO_LINE},
    {"\xff\xfe\x01\n", 4, "binary data", NO_LINE},
    {"hello\r\n", 7, NO_LINE, NO_LINE},
    {"POST /x HTTP/2.0\r\nHost: h\r\n\r\n", 29, NO_LINE, NO_LINE},
    {"POST /x\r\nHost: h\r\n\r\n", 20, NO_LINE, NO_LINE},
    {"half a line", 11, NO_LINE, NO_LINE},
};

static void assert_one_line(struct hook *hook, const char *listener, const char *text, size_t lines)
{
    char *start = memory_format("connection closed listener=%s from=127.0.0.1 ", listener);
    daemon_await_log(&hook->daemon, text);
    expect_in_log(hook, start, lines);
    free(start);
}

TEST(bytes_that_are_no_HTTP_leave_one_line_with_the_address)
{
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        struct hook hook;
        hook_begin(&hook, &(struct daemon_options){.hooks = "header_timeout = \"500ms\""});
        int fd = raw_connect(hook.daemon.port);
        send_what_fits(fd, foreign[i].bytes, foreign[i].count);
        free(raw_receive(fd, PATIENCE_MS, &(int){0}));
        close(fd);
        await_no_connection(&hook);
        assert_one_line(&hook, "hooks", foreign[i].hooks, 1);
        hook_finish(&hook);
    }
}

TEST(bytes_that_are_no_HTTP_on_the_admin_listener_leave_a_line_each)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.top = NULL});
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        int fd = raw_connect(hook.daemon.admin_port);
        send_what_fits(fd, foreign[i].bytes, foreign[i].count);
        ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
        raw_await_close(fd);
        close(fd);
        assert_one_line(&hook, "admin", foreign[i].admin, i + 1);
    }
    hook_finish(&hook);
}

/* The bytes arrive once the request is answered: bytes that arrive together with it pass for a part
 * of it. An empty line that follows a body is no news. */
TEST(bytes_that_are_no_HTTP_after_a_request_leave_one_line)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "idle_timeout = \"500ms\""});
    for (size_t i = 0; i <= ARRAY_COUNT(foreign); i++) {
        int fd = raw_connect(hook.daemon.port), answers = 0, closed = 0;
        send_what_fits(fd, request, strlen(request));
        while (answers == 0) {
            char *answer = raw_receive(fd, 100, &closed);
            answers += count_answers(answer);
            free(answer);
        }
        ck_assert_int_eq(closed, 0);
        if (i < ARRAY_COUNT(foreign))
            send_what_fits(fd, foreign[i].bytes, foreign[i].count);
        else
            send_what_fits(fd, "\r\n", 2);
        free(raw_receive(fd, PATIENCE_MS, &closed));
        ck_assert_int_eq(closed, 1);
        close(fd);
        await_no_connection(&hook);
    }
    assert_one_line(&hook, "hooks", NO_LINE, ARRAY_COUNT(foreign));
    hook_finish(&hook);
}

/* Load balancers and scanners connect without sending anything. */
TEST(connection_without_a_byte_leaves_no_line)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.top = NULL});
    for (int i = 0; i < 5; i++)
        close(raw_connect(hook.daemon.port));
    post_and_expect_201(&hook);
    await_no_connection(&hook);
    ck_assert_uint_eq(count_in_log(&hook, "connection closed"), 0);
    hook_finish(&hook);
}

/* What libmicrohttpd answers by itself reaches no service. */
TEST(requests_that_libmicrohttpd_refuses_leave_one_line_each)
{
    static const struct {
        const char *rest; /* of a POST to the webhook; %s is LONG_BYTES long */
        const char *line;
    } cases[] = {
        {"X-Long: %s\r\n\r\n", "status=431 from=127.0.0.1"},
        {"no colon\r\n\r\n", "status=400 from=127.0.0.1"},
        {"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "status=400 from=127.0.0.1"},
        {"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "status=413 from=127.0.0.1"},
        {"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: %s\r\n\r\n",
         "status=431 from=127.0.0.1"},
        {"Content-Length: 5\r\n\r\nab", "before its end"}, /* the sender leaves */
    };
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "body_timeout = \"1h\""});
    char *filler = repeat('x', LONG_BYTES);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t before = count_in_log(&hook, cases[i].line);
        const char *mark = strstr(cases[i].rest, "%s");
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\n%.*s%s%s", hook.path,
                                   mark ? (int)(mark - cases[i].rest) : (int)strlen(cases[i].rest),
                                   cases[i].rest, mark ? filler : "", mark ? mark + 2 : "");
        int fd = raw_connect(hook.daemon.port);
        send_what_fits(fd, text, strlen(text));
        if (i == ARRAY_COUNT(cases) - 1)
            ck_assert_int_eq(usleep(100000), 0); /* so that the end arrives by itself */
        else
            raw_await_close(fd);
        close(fd);
        await_no_connection(&hook);
        expect_in_log(&hook, cases[i].line, before + 1);
        free(text);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(filler);
    hook_finish(&hook);
}

TEST(malformed_requests_to_the_admin_API_leave_a_line)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n";
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.top = NULL});
    char *answer = raw_exchange(hook.daemon.admin_port, request, strlen(request));
    ck_assert_int_eq(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    daemon_await_log(&hook.daemon, "status=400 from=127.0.0.1 reason=\"the Host header");
    free(answer);
    hook_finish(&hook);
}

/* A line says who held a connection that webhookd itself closes. */
TEST(connection_closed_at_its_deadline_leaves_the_address)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.hooks = "header_timeout = \"100ms\""});
    int fd = raw_connect(hook.daemon.port);
    send_what_fits(fd, "POST / HTTP/1.1\r\nHost:", 22);
    raw_await_close(fd);
    close(fd);
    daemon_await_log(&hook.daemon, "listener=hooks from=127.0.0.1 reason=deadline phase=headers");
    hook_finish(&hook);
}
