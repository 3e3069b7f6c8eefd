/* Bounds and the resources behind them: webhookd promises no more than there is, and says so; and
 * callers that may come in are answered when strangers hold everything else. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/hook.h"
#include "support/suite.h"

/* ---- open files ---- */

static const char *const few_files[] = {"prlimit", "--nofile=1024:1024", NULL};

/* With the bound as configured, the silent connections would have taken the last descriptor: later
 * senders would have waited in the backlog until the silent ones had reached their deadline. */
TEST(silent_connections_beyond_the_hard_limit_on_open_files_shut_nobody_out)
{
    enum { SILENT = 1100, GOOD = 20 };
    struct hook hook;
    int fds[SILENT];
    hook_begin(&hook,
               &(struct daemon_options){.hooks = "header_timeout = \"1h\"", .wrapper = few_files});
    for (int i = 0; i < SILENT; i++)
        fds[i] = raw_connect(hook.daemon.port);
    for (int i = 0; i < GOOD; i++) {
        struct response response;
        http_post(hook.url, NULL, "{}", 2, &response);
        assert_accepted(&response);
        response_free(&response);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), GOOD);
    for (int i = 0; i < SILENT; i++)
        close(fds[i]);
    hook_finish(&hook);
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "no \"%s\" in: %s", part, text);
}

/* Runs webhookd --check-config with the daemon's configuration and limits. */
static char *check_config(struct daemon *daemon)
{
    char *program = daemon_program("webhookd"), text[4096];
    char *command = memory_format("prlimit --nofile=1024:1024 %s -c %s --check-config", program,
                                  daemon->config);
    FILE *pipe = popen(command, "re");
    size_t bytes = fread(text, 1, sizeof(text) - 1, pipe);
    text[bytes] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    free(command);
    free(program);
    return memory_string(text);
}

TEST(a_lowered_bound_is_in_the_log_the_status_and_the_check)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.wrapper = few_files});
    daemon_await_log(&daemon, "bound lowered to what there is bound=hooks.max_connections "
                              "configured=10000 effective=");
    daemon_await_log(&daemon, "reason=\"the hard limit on open files is 1024\" advice=\"raise "
                              "LimitNOFILE= in the unit");
    json_t *status = api_get(&daemon, "/status");
    const json_t *bound =
        api_find(json_object_get(status, "bounds"), "name", "hooks.max_connections");
    long long effective = json_integer_value(json_object_get(bound, "effective"));
    ck_assert_int_eq(json_integer_value(json_object_get(bound, "configured")), 10000);
    ck_assert(effective >= 16 && effective < 1024);
    ck_assert_str_eq(api_text(bound, "reason"), "the hard limit on open files is 1024");
    assert_holds(api_text(bound, "advice"), "LimitNOFILE=");
    char *shown = ctl_ok(&daemon, "status", NULL), *checked = check_config(&daemon);
    char *words = memory_format("hooks.max_connections is %lld instead of 10000: the hard limit on "
                                "open files is 1024; raise LimitNOFILE=",
                                effective);
    assert_holds(shown, words);
    free(words);
    words = memory_format("hooks.max_connections is lowered from 10000 to %lld: the hard limit on "
                          "open files is 1024; raise LimitNOFILE=",
                          effective);
    assert_holds(checked, words);
    assert_holds(checked, ": ok");
    free(words);
    free(checked);
    free(shown);
    json_decref(status);
    daemon_finish(&daemon);
}

/* Followers and pages may be many; the rest of the connections is for other requests. */
TEST(streams_take_half_of_the_admin_connections_there_are)
{
    enum { MOST = 128 };
    struct daemon daemon;
    int fds[MOST];
    daemon_begin(&daemon, &(struct daemon_options){.wrapper = few_files});
    char *key = ctl_ok(&daemon, "key", "create", "good", NULL);
    char *request = memory_format("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
                                  "Authorization: Bearer %s\r\n\r\n",
                                  key);
    json_t *status = api_get(&daemon, "/status");
    const json_t *bound = api_find(json_object_get(status, "bounds"), "name", "admin.connections");
    int64_t connections = json_integer_value(json_object_get(bound, "effective"));
    ck_assert(connections > 1 && connections < MOST);
    for (int64_t i = 0; i <= connections / 2; i++) {
        char answer[13] = "";
        fds[i] = raw_connect(daemon.admin_port);
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        ck_assert_int_eq(recv(fds[i], answer, sizeof(answer) - 1, MSG_WAITALL), 12);
        ck_assert_str_eq(answer, i < connections / 2 ? "HTTP/1.1 200" : "HTTP/1.1 503");
    }
    free(ctl_ok(&daemon, "status", NULL));
    for (int64_t i = 0; i <= connections / 2; i++)
        close(fds[i]);
    json_decref(status);
    free(request);
    free(key);
    daemon_finish(&daemon);
}

TEST(with_enough_of_everything_no_bound_is_lowered)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.hooks = "max_connections = 100\n"
                                                            "max_in_flight = \"1MiB\""});
    json_t *status = api_get(&daemon, "/status");
    size_t i;
    json_t *bound;
    ck_assert_uint_eq(json_array_size(json_object_get(status, "bounds")), 4);
    json_array_foreach(json_object_get(status, "bounds"), i, bound)
    {
        ck_assert(json_is_null(json_object_get(bound, "reason")));
        ck_assert(
            json_equal(json_object_get(bound, "configured"), json_object_get(bound, "effective")));
    }
    json_decref(status);
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, "bound lowered"));
    free(log);
    daemon_finish(&daemon);
}

TEST(too_few_open_files_prevent_a_start_and_the_message_says_what_to_do)
{
    static const char *const wrapper[] = {"prlimit", "--nofile=300:300", NULL};
    struct daemon daemon;
    daemon_prepare(&daemon, &(struct daemon_options){.wrapper = wrapper});
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    daemon_await_log(&daemon, "the hard limit on open files is 300, but webhookd needs 512: raise "
                              "LimitNOFILE= in the unit");
    daemon_finish(&daemon);
}

/* ---- callers that never read ---- */

/* Opens a connection and sends requests for a page whose answers are larger than all buffers. */
static int ask_and_never_read(const struct daemon *daemon)
{
    static const char request[] = "GET /console/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char many[400 * (sizeof(request) - 1)];
    for (size_t at = 0; at < sizeof(many); at += sizeof(request) - 1)
        memcpy(many + at, request, sizeof(request) - 1);
    int fd = raw_connect(daemon->admin_port);
    (void)raw_send(fd, many, sizeof(many));
    return fd;
}

static bool is_closed(int fd)
{
    char byte;
    ssize_t bytes = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    struct pollfd watch = {fd, POLLRDHUP, 0};
    return bytes == 0 || poll(&watch, 1, 0) == 1;
}

/* Strangers hold more connections than there may be, each with answers that it does not read.
 * Whoever has a key gets in: an unknown caller's answer makes room (http/reaper.c), and a quarter
 * of the connections is not for unknown callers at all. */
TEST(strangers_that_never_read_shut_out_no_caller_with_a_key)
{
    enum { STRANGERS = 200, CALLS = 10 };
    struct daemon daemon;
    int fds[STRANGERS];
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *key = ctl_ok(&daemon, "key", "create", "good", NULL);
    char *header = memory_format("Authorization: Bearer %s", key);
    char *url = memory_format("http://127.0.0.1:%u/api/v1/status", daemon.admin_port);
    const char *const headers[] = {header, NULL};
    for (int call = 0; call < CALLS; call++) {
        struct response response;
        for (int i = 0; i < STRANGERS; i++) {
            if (call > 0 && !is_closed(fds[i]))
                continue;
            if (call > 0)
                close(fds[i]); /* closed by webhookd: the stranger comes back */
            fds[i] = ask_and_never_read(&daemon);
        }
        http_request("GET", url, headers, NULL, 0, &response);
        ck_assert_int_eq(response.status, 200);
        response_free(&response);
        free(ctl_ok(&daemon, "status", NULL));
    }
    for (int i = 0; i < STRANGERS; i++)
        close(fds[i]);
    free(url);
    free(header);
    free(key);
    daemon_finish(&daemon);
}

/* The others' connections are older, so without a bound for each address they would be closed
 * first. */
TEST(one_address_cannot_use_up_the_admin_connections_of_all_strangers)
{
    enum { GREEDY = 100, MOST = 64, OTHERS = 20 };
    struct daemon daemon;
    int greedy[GREEDY], others[OTHERS];
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    for (int i = 0; i < OTHERS; i++)
        others[i] = raw_connect_from("127.0.0.3", daemon.admin_port);
    for (int i = 0; i < GREEDY; i++)
        greedy[i] = raw_connect_from("127.0.0.2", daemon.admin_port);
    for (int closed = 0; closed < GREEDY - MOST; usleep(1000)) {
        closed = 0;
        for (int i = 0; i < GREEDY; i++)
            closed += is_closed(greedy[i]);
        for (int i = 0; i < OTHERS; i++)
            ck_assert_msg(!is_closed(others[i]), "%d of another address was closed", i);
    }
    daemon_await_log(&daemon, "from=127.0.0.2 reason=\"too many connections from this address\"");
    for (int i = 0; i < GREEDY; i++)
        close(greedy[i]);
    for (int i = 0; i < OTHERS; i++)
        close(others[i]);
    daemon_finish(&daemon);
}

/* ---- a body that goes nowhere ---- */

/* libmicrohttpd would ask for ever to be run again (tests/system/test_senders.c). Anybody may
 * try to sign in. */
TEST(a_chunk_line_that_fills_the_memory_ends_an_admin_connection)
{
    static const char head[] = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n5;";
    struct daemon daemon;
    char extension[60000];
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    memset(extension, 'e', sizeof(extension));
    int fd = raw_connect(daemon.admin_port);
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    (void)raw_send(fd, extension, sizeof(extension));
    raw_await_close(fd);
    daemon_await_log(&daemon, "connection closed listener=admin from=127.0.0.1 reason=\"a "
                              "chunk-size line is too long\"");
    close(fd);
    daemon_finish(&daemon);
}
