/* Every key of webhookd.conf with the behaviour that it changes, or with its message at start. Each
 * test names its keys, and the last test fails if a key has no test. */
#include <arpa/inet.h>
#include <assert.h>
#include <grp.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <signal.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/keys.h"
#include "support/aftermath.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define UNKNOWN_TOKEN "/hooks/whk_000000000000000000000000000000000000"

/* ---- the keys that have a test ---- */

#define MOST_TESTED 150

static const char *tested[MOST_TESTED]; /* written before main, only read afterwards */
static size_t tested_count;

static void add_tested(const char *const *keys)
{
    for (; *keys; keys++) {
        assert(tested_count < MOST_TESTED);
        tested[tested_count++] = *keys;
    }
}

/* Defines a test of the named keys. */
#define KEY_TEST(name, ...)                                                                        \
    __attribute__((constructor)) static void name##_adds_its_keys(void)                            \
    {                                                                                              \
        static const char *const keys[] = {__VA_ARGS__, NULL};                                     \
        add_tested(keys);                                                                          \
    }                                                                                              \
    TEST(name)

/* ---- helpers ---- */

static void begin_with(struct daemon *daemon, const char *section, const char *line)
{
    struct daemon_options options = {0};
    if (strcmp(section, "") == 0)
        options.top = line;
    else if (strcmp(section, "hooks") == 0)
        options.hooks = line;
    else
        options.runner = line;
    daemon_begin(daemon, &options);
}

static int post_status(const char *url, size_t bytes)
{
    struct response response;
    char *body = memory_alloc(bytes + 1);
    http_post(url, NULL, body, bytes, &response);
    int status = response.status;
    response_free(&response);
    free(body);
    return status;
}

/* Creates a fleet with this name and script, and a webhook, and returns the URL. Free it. */
static char *make_fleet(struct daemon *daemon, const char *name, const char *script)
{
    char *fleet = bash_fleet(name, script);
    char *url = daemon_fleet(daemon, fleet);
    free(fleet);
    return url;
}

/* Runs a fleet with this name and script and returns its vessel's output. Free it. */
static char *output_of_fleet(struct daemon *daemon, const char *name, const char *script)
{
    char *url = make_fleet(daemon, name, script);
    json_t *run = api_post_and_wait(daemon, url, "x");
    char *output = api_output(daemon, run, "main");
    json_decref(run);
    free(url);
    return output;
}

static char *output_of(struct daemon *daemon, const char *script)
{
    return output_of_fleet(daemon, "Probe", script);
}

static void write_program(struct daemon *daemon, const char *name, const char *text)
{
    char *path = daemon_write_file(daemon, name, text, strlen(text));
    ck_assert_int_eq(chmod(path, 0755), 0);
    free(path);
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

static bool exists(const struct daemon *daemon, const char *name)
{
    char *path = memory_format("%s/%s", daemon->state_dir, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

/* Waits until the server closes the connection; fails if that takes as long as the default timeout
 * would. */
static void assert_closed_within(int fd, int timeout_ms)
{
    int closed = 0;
    free(raw_receive(fd, timeout_ms, &closed));
    ck_assert_msg(closed, "still open after %d ms", timeout_ms);
    close(fd);
}

/* ---- the top level ---- */

KEY_TEST(state_dir_holds_everything_durable, "state_dir")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *elsewhere = memory_format("%s/else/where", daemon.folder);
    char *parent = memory_format("%s/else", daemon.folder);
    ck_assert_int_eq(mkdir(parent, 0755), 0);
    struct daemon_options options = {.state_dir = elsewhere};
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    ck_assert(exists(&daemon, "webhookd.db") && exists(&daemon, "secret.key"));
    assert_holds(daemon.state_dir, "/else/where");
    daemon_finish(&daemon);
    free(parent);
    free(elsewhere);
}

KEY_TEST(store_is_the_name_of_the_database, "store")
{
    struct daemon daemon;
    begin_with(&daemon, "", "min_free = \"0\"\nstore = \"sqlite:other.db\"");
    ck_assert(exists(&daemon, "other.db"));
    ck_assert(!exists(&daemon, "webhookd.db"));
    daemon_finish(&daemon);
}

KEY_TEST(log_level_decides_which_lines_are_logged, "log_level")
{
    struct daemon daemon;
    begin_with(&daemon, "", "min_free = \"0\"\nlog_level = \"warning\"");
    char *url = make_fleet(&daemon, "Quiet", "true");
    ck_assert_int_eq(post_status(url, 1), 201);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *log = daemon_log(&daemon);
    ck_assert_msg(!strstr(log, "info:"), "%s", log);
    free(log);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(log_format_json_writes_lines_of_json, "log_format")
{
    struct daemon daemon;
    begin_with(&daemon, "", "min_free = \"0\"\nlog_format = \"json\"");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *log = daemon_log(&daemon);
    log[strcspn(log, "\n")] = '\0';
    json_t *line = api_parse(log);
    ck_assert_str_ne(api_text(line, "event"), "");
    json_decref(line);
    free(log);
    daemon_finish(&daemon);
}

KEY_TEST(min_free_refuses_requests_when_the_disk_has_less, "min_free")
{
    struct daemon daemon;
    struct response response;
    begin_with(&daemon, "", "min_free = \"1024GiB\"");
    char *url = make_fleet(&daemon, "Full", "true");
    http_post(url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 503);
    assert_holds(response.headers, "Retry-After:");
    response_free(&response);
    api_call(&daemon, "GET", "/readyz", NULL, 0, &response);
    ck_assert_int_eq(response.status, 503);
    assert_holds(response.body, "min_free");
    daemon_await_log(&daemon, "less than the 1048576 MiB that min_free reserves: free some space");
    response_free(&response);
    api_call(&daemon, "GET", "/healthz", NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    free(url);
    daemon_finish(&daemon);
}

/* There is enough free space when the body begins, but no longer while it arrives. */
KEY_TEST(min_free_refuses_a_body_that_is_still_arriving, "min_free")
{
    struct daemon daemon;
    begin_with(&daemon, "", "min_free = \"0\"");
    char *url = make_fleet(&daemon, "Filling", "true"), piece[100000];
    memset(piece, 'b', sizeof(piece));
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                               "Content-Length: %zu\r\n\r\n",
                               url_path(url), 3 * sizeof(piece));
    int fd = raw_connect(daemon.port), closed;
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    ck_assert_int_eq(raw_send(fd, piece, sizeof(piece)), 0);
    struct daemon_options options = {.top = "min_free = \"1024GiB\""};
    daemon_configure(&daemon, &options);
    kill(daemon.pid, SIGHUP);
    daemon_await_log(&daemon, "configuration reloaded");
    raw_send(fd, piece, sizeof(piece));
    raw_send(fd, piece, sizeof(piece));
    char *answer = raw_receive(fd, 10000, &closed);
    ck_assert_int_eq(closed, 1);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 503 ", 13) == 0 && count_answers(answer) == 1, "%s",
                  answer);
    close(fd);
    free(answer);
    ck_assert_int_eq(aftermath_open_runs(daemon.state_dir), 0);
    ck_assert_int_eq(aftermath_files(daemon.state_dir, "spool"), 0);
    free(head);
    free(url);
    daemon_finish(&daemon);
}

/* ---- hooks ---- */

KEY_TEST(hooks_listen_may_be_a_unix_socket, "hooks.listen")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *before = memory_format("state_dir = \"%s\"", daemon.state_dir);
    char *hooks = memory_format("listen = \"unix:%s/hooks.sock\"", daemon.folder);
    char *admin = memory_format("listen = \"\" socket = \"%s\"", daemon.socket);
    char *text = memory_format("min_free = \"0\"\n%s\nhooks { %s }\nadmin { %s }\n"
                               "runner { sandbox = \"off\" }\n",
                               before, hooks, admin);
    free(daemon_write_file(&daemon, "webhookd.conf", text, strlen(text)));
    daemon_restart(&daemon);
    char *url = make_fleet(&daemon, "Local", "true");
    char *path = memory_format("http://localhost%s", url_path(url));
    char *socket = memory_format("%s/hooks.sock", daemon.folder);
    struct response response;
    http_request_over(socket, "POST", path, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    json_t *run = api_get(&daemon, "/fleetruns/%s", response.run_id);
    ck_assert(json_is_null(json_object_get(run, "remote_addr")));
    json_decref(run);
    response_free(&response);
    char *freed[] = {socket, path, url, text, admin, hooks, before};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

KEY_TEST(hooks_listen_never_replaces_a_file, "hooks.listen")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *precious = daemon_write_file(&daemon, "precious", "mine", 4);
    char *text = memory_format("min_free = \"0\"\nstate_dir = \"%s\"\n"
                               "hooks { listen = \"unix:%s\" }\n"
                               "admin { listen = \"\" socket = \"%s\" }\n"
                               "runner { sandbox = \"off\" }\n",
                               daemon.state_dir, precious, daemon.socket);
    free(daemon_write_file(&daemon, "webhookd.conf", text, strlen(text)));
    ck_assert_int_ne(daemon_start_fails(&daemon), 0);
    struct stat status;
    ck_assert_int_eq(stat(precious, &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_int_eq(status.st_size, 4);
    free(text);
    free(precious);
    daemon_finish(&daemon);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

KEY_TEST(hooks_listen_may_be_an_ipv6_address, "hooks.listen")
{
    if (!has_ipv6()) {
        test_skip("IPv6 is not available here");
        return;
    }
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *text =
        memory_format("min_free = \"0\"\nstate_dir = \"%s\"\nhooks { listen = \"[::1]:0\" }\n"
                      "admin { listen = \"\" socket = \"%s\" }\nrunner { sandbox = \"off\" }\n",
                      daemon.state_dir, daemon.socket);
    free(daemon_write_file(&daemon, "webhookd.conf", text, strlen(text)));
    daemon_restart(&daemon);
    char *url = make_fleet(&daemon, "Six", "true");
    json_t *status = api_get(&daemon, "/status");
    const char *hooks =
        json_string_value(json_object_get(json_object_get(status, "listeners"), "hooks"));
    ck_assert_msg(hooks && strncmp(hooks, "[::1]:", 6) == 0, "%s", hooks ? hooks : "none");
    char *here = memory_format("http://%s%s", hooks, url_path(url));
    struct response response;
    http_post(here, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    json_t *run = api_get(&daemon, "/fleetruns/%s", response.run_id);
    ck_assert_str_eq(api_text(run, "remote_addr"), "::1");
    json_decref(run);
    json_decref(status);
    response_free(&response);
    free(here);
    free(url);
    free(text);
    daemon_finish(&daemon);
}

KEY_TEST(public_url_is_the_start_of_webhook_urls, "hooks.public_url")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "public_url = \"https://hooks.example/in/\"");
    free(make_fleet(&daemon, "Public", "true"));
    char *url = ctl_ok(&daemon, "webhook", "show", "Public", NULL);
    ck_assert_int_eq(strncmp(url, "https://hooks.example/in/hooks/whk_", 35), 0);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(max_body_is_the_largest_accepted_body, "hooks.max_body")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "max_body = \"2KiB\"");
    char *url = make_fleet(&daemon, "Size", "true");
    ck_assert_int_eq(post_status(url, 2048), 201);
    ck_assert_int_eq(post_status(url, 2049), 413);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(max_connections_closes_the_longest_idle_one, "hooks.max_connections")
{
    struct daemon daemon;
    static const char request[] = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    begin_with(&daemon, "hooks", "max_connections = 2");
    int fds[3];
    for (int i = 0; i < 3; i++) {
        char answer[4096];
        fds[i] = raw_connect(daemon.port);
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        ck_assert_int_gt(recv(fds[i], answer, sizeof(answer), 0), 0);
    }
    assert_closed_within(fds[0], 30000);
    for (int i = 1; i < 3; i++) { /* the other connections still work */
        char answer[4096];
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        ck_assert_int_gt(recv(fds[i], answer, sizeof(answer), 0), 0);
        close(fds[i]);
    }
    daemon_finish(&daemon);
}

KEY_TEST(max_in_flight_refuses_bodies_beyond_it, "hooks.max_in_flight")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "max_in_flight = \"1KiB\"");
    char *url = make_fleet(&daemon, "Flight", "true");
    ck_assert_int_eq(post_status(url, 1024), 201);
    ck_assert_int_eq(post_status(url, 1025), 503);
    ck_assert_int_eq(post_status(url, 1024), 201);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(header_timeout_closes_a_connection_whose_headers_do_not_end, "hooks.header_timeout")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "header_timeout = \"200ms\"");
    int fd = raw_connect(daemon.port);
    ck_assert_int_eq(raw_send(fd, "POST / HTTP/1.1\r\nHos", 20), 0);
    assert_closed_within(fd, 8000);
    daemon_finish(&daemon);
}

KEY_TEST(body_timeout_closes_a_connection_whose_body_does_not_end, "hooks.body_timeout")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "body_timeout = \"200ms\"");
    char *url = make_fleet(&daemon, "Slow", "true");
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
                               url_path(url));
    int fd = raw_connect(daemon.port);
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    assert_closed_within(fd, 30000);
    free(head);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(idle_timeout_closes_a_silent_connection, "hooks.idle_timeout")
{
    struct daemon daemon;
    static const char request[] = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    begin_with(&daemon, "hooks", "idle_timeout = \"200ms\"");
    int fd = raw_connect(daemon.port);
    ck_assert_int_eq(raw_send(fd, request, strlen(request)), 0);
    assert_closed_within(fd, 30000);
    daemon_finish(&daemon);
}

/* Another writer holds the store, so nothing can be committed: POSTs wait until answer_timeout. */
KEY_TEST(answer_timeout_bounds_how_long_a_request_waits_for_the_disk, "hooks.answer_timeout")
{
    struct daemon daemon;
    begin_with(&daemon, "hooks", "answer_timeout = \"300ms\"");
    char *url = make_fleet(&daemon, "Waits", "true");
    char *path = memory_format("%s/webhookd.db", daemon.state_dir);
    char *request =
        memory_format("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", url_path(url));
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 20000);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    /* The first run is in the batch that hangs, so its request gets no response; the second is
     * withdrawn. */
    int first = raw_connect(daemon.port), second, closed = 0;
    ck_assert_int_eq(raw_send(first, request, strlen(request)), 0);
    char *answer = raw_receive(first, 5000, &closed);
    ck_assert_msg(closed && answer[0] == '\0', "%s", answer);
    free(answer);
    second = raw_connect(daemon.port);
    char answer_bytes[1024] = "";
    ck_assert_int_eq(raw_send(second, request, strlen(request)), 0);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(second, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ck_assert_int_gt(recv(second, answer_bytes, sizeof(answer_bytes) - 1, 0), 0);
    ck_assert_msg(strncmp(answer_bytes, "HTTP/1.1 503 ", 13) == 0, "%s", answer_bytes);
    ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    close(first);
    close(second);
    free(request);
    free(path);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(trusted_proxies_may_name_their_clients, "hooks.trusted_proxies")
{
    static const char *const headers[] = {"X-Forwarded-For: 192.0.2.7", NULL};
    struct daemon daemon;
    struct response response;
    begin_with(&daemon, "hooks", "trusted_proxies = { \"127.0.0.0/8\" }");
    char *url = make_fleet(&daemon, "Behind", "true");
    http_post(url, headers, "x", 1, &response);
    json_t *run = api_get(&daemon, "/fleetruns/%s", response.run_id);
    ck_assert_str_eq(api_text(run, "remote_addr"), "192.0.2.7");
    json_decref(run);
    response_free(&response);
    free(url);
    daemon_finish(&daemon);
}

/* tests/system/test_public_api.c has the rest. */
KEY_TEST(api_opens_the_API_trigger_to_callers_of_the_public_listener, "hooks.api")
{
    static const char path[] = "/api/v1/fleets/01938f00-0000-7000-8000-000000000000/trigger";
    static const char *const lines[] = {"api = true", "api = false"};
    for (size_t i = 0; i < 2; i++) {
        struct daemon daemon;
        begin_with(&daemon, "hooks", lines[i]);
        char *url = memory_format("http://127.0.0.1:%u%s", daemon.port, path);
        ck_assert_int_eq(post_status(url, 1), i == 0 ? 401 : 404);
        free(url);
        daemon_finish(&daemon);
    }
}

KEY_TEST(tls_keys_are_refused_at_start, "hooks.tls_certificate", "hooks.tls_key")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    struct daemon_options options = {
        .hooks = "tls_certificate = \"/etc/ssl/a.pem\"\ntls_key = \"/etc/ssl/a.key\""};
    daemon_prepare(&daemon, &plain);
    daemon_configure(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), CONFIG_EXIT_STATUS);
    char *log = daemon_log(&daemon);
    assert_holds(log, "hooks.tls_certificate, hooks.tls_key:");
    free(log);
    daemon_finish(&daemon);
}

/* ---- admin ---- */

/* One start for all admin keys: no TCP listener, and a socket elsewhere that belongs to a group. */
KEY_TEST(admin_keys_decide_how_administrators_connect, "admin.listen", "admin.socket",
         "admin.socket_group")
{
    struct daemon daemon;
    struct stat status;
    static const struct daemon_options plain;
    struct group *group = getgrnam("daemon");
    bool has_group = geteuid() == 0 && group;
    daemon_prepare(&daemon, &plain);
    snprintf(daemon.socket, sizeof(daemon.socket), "%s/made/by.sock", daemon.folder);
    char *text = memory_format("state_dir = \"%s\"\nmin_free = \"0\"\n"
                               "hooks { listen = \"127.0.0.1:0\" }\n"
                               "admin { listen = \"\" socket = \"%s\" socket_group = \"%s\" }\n"
                               "runner { sandbox = \"off\" }\n",
                               daemon.state_dir, daemon.socket, has_group ? "daemon" : "");
    free(daemon_write_file(&daemon, "webhookd.conf", text, strlen(text)));
    daemon_restart(&daemon);
    ck_assert_int_eq(lstat(daemon.socket, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0660);
    if (has_group)
        ck_assert_uint_eq(status.st_gid, group->gr_gid);
    json_t *answer = api_get(&daemon, "/status");
    const json_t *listeners = json_object_get(answer, "listeners");
    ck_assert(json_is_null(json_object_get(listeners, "admin")));
    ck_assert_str_eq(api_text(listeners, "socket"), daemon.socket);
    json_decref(answer);
    free(text);
    daemon_finish(&daemon);
    if (!has_group)
        test_skip("socket_group: only root can give a socket to the group daemon");
}

KEY_TEST(admin_listen_answers_over_tcp, "admin.listen")
{
    struct daemon daemon;
    struct response response;
    begin_with(&daemon, "runner", "");
    ck_assert_uint_ne(daemon.admin_port, 0);
    char *url = memory_format("http://127.0.0.1:%u/healthz", daemon.admin_port);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    free(url);
    daemon_finish(&daemon);
}

/* Sends a request for /healthz to the admin listener, as raw text after its path, and returns the
 * answer. Free it. */
static char *ask_admin(struct daemon *daemon, const char *rest)
{
    char *text = memory_format("GET /healthz %s\r\nConnection: close\r\n\r\n", rest);
    char *answer = raw_exchange(daemon->admin_port, text, strlen(text));
    free(text);
    return answer;
}

static int admin_status(struct daemon *daemon, const char *rest)
{
    char *answer = ask_admin(daemon, rest);
    int status = atoi(answer + strcspn(answer, " "));
    free(answer);
    return status;
}

KEY_TEST(admin_host_that_nobody_expects_gets_421, "admin.public_url", "admin.hosts")
{
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    static const char *const expected[] = {
        "HTTP/1.1\r\nHost: 127.0.0.1:8081",
        "HTTP/1.1\r\nHost: [::1]:8081",
        "HTTP/1.1\r\nHost: LOCALHOST.:1",
        "HTTP/1.1\r\nHost:",
        "HTTP/1.0",
    };
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        ck_assert_int_eq(admin_status(&daemon, expected[i]), 200);
    char *answer = ask_admin(&daemon, "HTTP/1.1\r\nHost: rebound.example:8081");
    ck_assert_msg(strncmp(answer, "HTTP/1.1 421 ", 13) == 0, "%s", answer);
    ck_assert_ptr_nonnull(strstr(answer, "\"data\":null"));
    ck_assert_ptr_nonnull(strstr(answer, "the host \\\"rebound.example:8081\\\" was not expected"));
    ck_assert_ptr_nonnull(strstr(answer, "admin.hosts"));
    free(answer);
    daemon_await_log(&daemon, "rebound.example");
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.0\r\nHost: rebound.example"), 421);
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.1\r\nHost: console.example"), 421);
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.1\r\nHost: other.example"), 421);
    http_request_over(daemon.socket, "GET", "http://rebound.example/healthz", NULL, NULL, 0,
                      &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    daemon_configure(&daemon,
                     &(struct daemon_options){.admin = "public_url = \"https://console.example/\"\n"
                                                       "hosts = { \"other.example\" }"});
    ck_assert_int_eq(kill(daemon.pid, SIGHUP), 0);
    daemon_await_log(&daemon, "configuration reloaded");
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.1\r\nHost: console.example"), 200);
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.1\r\nHost: Other.Example.:443"), 200);
    ck_assert_int_eq(admin_status(&daemon, "HTTP/1.1\r\nHost: rebound.example"), 421);
    daemon_finish(&daemon);
}

/* ---- runner ---- */

KEY_TEST(enabled_false_accepts_runs_and_leaves_them_scheduled, "runner.enabled")
{
    struct daemon daemon;
    begin_with(&daemon, "runner", "enabled = false");
    char *url = make_fleet(&daemon, "Waits", "true");
    char *id = api_post(url, "x", 1);
    json_t *status = api_get(&daemon, "/status");
    ck_assert(json_is_false(json_object_get(json_object_get(status, "runner"), "enabled")));
    json_decref(status);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    json_t *run = api_get(&daemon, "/fleetruns/%s", id);
    ck_assert_str_eq(api_text(run, "status"), "scheduled");
    json_decref(run);
    free(id);
    free(url);
    daemon_finish(&daemon);
}

/* Each vessel fails if another one runs at the same time. */
KEY_TEST(max_vessels_bounds_how_many_run_concurrently, "runner.max_vessels")
{
    enum { RUNS = 6 };
    struct daemon daemon;
    begin_with(&daemon, "runner", "max_vessels = 1");
    char *shared = memory_format("%s/shared", daemon.folder);
    ck_assert_int_eq(mkdir(shared, 0755), 0);
    ck_assert_int_eq(chmod(shared, 0777), 0);
    char *script =
        memory_format("mkdir %s/busy || exit 9\nsleep 0.05\nrmdir %s/busy", shared, shared);
    char *url = make_fleet(&daemon, "Alone", script), *ids[RUNS];
    for (int i = 0; i < RUNS; i++)
        ids[i] = api_post(url, "x", 1);
    for (int i = 0; i < RUNS; i++) {
        json_t *run = api_await_end(&daemon, ids[i]);
        ck_assert_str_eq(api_text(run, "status"), "success");
        json_decref(run);
        free(ids[i]);
    }
    free(url);
    free(script);
    free(shared);
    daemon_finish(&daemon);
}

KEY_TEST(nice_is_the_vessels_priority, "runner.nice")
{
    struct daemon daemon;
    begin_with(&daemon, "runner", "nice = 11");
    char *output = output_of(&daemon, "nice");
    int expected = getpriority(PRIO_PROCESS, 0) + 11; /* the tests may run at a lower priority */
    ck_assert_int_eq(atoi(output), expected < 19 ? expected : 19);
    free(output);
    daemon_finish(&daemon);
}

/* Invariant 8. */
KEY_TEST(max_output_cuts_off_output_with_a_notice, "runner.max_output")
{
    struct daemon daemon;
    begin_with(&daemon, "runner", "max_output = \"1KiB\"");
    char *output = output_of(&daemon, "yes | head -c 5000");
    ck_assert_int_eq(strncmp(output + 1020, "y\ny\n", 4), 0);
    ck_assert_str_eq(output + 1024, "[webhookd: output cut at 1024 bytes]\n");
    free(output);
    daemon_finish(&daemon);
}

KEY_TEST(stop_grace_is_the_time_between_sigterm_and_sigkill, "runner.stop_grace")
{
    struct daemon daemon;
    begin_with(&daemon, "runner", "stop_grace = \"100ms\"");
    char *fleet = bash_fleet("Stubborn", "trap '' TERM\nwhile :; do sleep 0.05; done");
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, fleet);
    buffer_append_text(&text, "    guardrails:\n      runtime_cutoff: 1s\n");
    char *url = daemon_fleet(&daemon, buffer_text(&text));
    int64_t before_ms = clock_monotonic_ms();
    json_t *run = api_post_and_wait(&daemon, url, "x");
    ck_assert_int_lt(clock_monotonic_ms() - before_ms,
                     10000); /* the default grace period alone takes this long */
    ck_assert_int_eq(json_integer_value(json_object_get(api_vessel(run, "main"), "exit_code")),
                     128 + 9);
    json_decref(run);
    free(url);
    buffer_free(&text);
    free(fleet);
    daemon_finish(&daemon);
}

KEY_TEST(interpreters_are_those_of_the_configuration, "runner.bash", "runner.python", "runner.node")
{
    static const char *const languages[] = {"BASH", "PYTHON", "NODE"};
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *runner = memory_format("bash = \"%s/my-bash\"\npython = \"%s/my-python\"\n"
                                 "node = \"%s/my-node\"",
                                 daemon.folder, daemon.folder, daemon.folder);
    write_program(&daemon, "my-bash", "#!/bin/sh\necho my BASH $2\n");
    write_program(&daemon, "my-python", "#!/bin/sh\necho my PYTHON $2\n");
    write_program(&daemon, "my-node", "#!/bin/sh\necho my NODE $2\n");
    struct daemon_options options = {.runner = runner};
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    for (size_t i = 0; i < ARRAY_COUNT(languages); i++) {
        char *fleet = memory_format(
            "name: %s\nvessels:\n  main:\n    source:\n      type: CODE\n      language: %s\n"
            "      file: { name: a, content: x }\n      file_to_run: a\n      arguments: [ b ]\n",
            languages[i], languages[i]);
        char *url = daemon_fleet(&daemon, fleet);
        json_t *run = api_post_and_wait(&daemon, url, "x");
        char *output = api_output(&daemon, run, "main");
        char *expected = memory_format("my %s b\n", languages[i]);
        ck_assert_str_eq(output, expected);
        free(expected);
        free(output);
        json_decref(run);
        free(url);
        free(fleet);
    }
    free(runner);
    daemon_finish(&daemon);
}

KEY_TEST(path_is_set_for_vessels_and_used_to_find_interpreters, "runner.path")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *runner = memory_format("path = \"%s:/usr/bin:/bin\"\nbash = \"own-bash\"", daemon.folder);
    write_program(&daemon, "own-bash", "#!/bin/sh\necho \"own $PATH\"\n");
    struct daemon_options options = {.runner = runner};
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    char *output = output_of(&daemon, "true");
    char *expected = memory_format("own %s:/usr/bin:/bin\n", daemon.folder);
    ck_assert_str_eq(output, expected);
    free(expected);
    free(output);
    free(runner);
    daemon_finish(&daemon);
}

/* Starts a daemon in this sandbox mode with these lines in its runner section. */
static void begin_in(struct daemon *daemon, const char *sandbox, const char *runner)
{
    struct daemon_options options = {.sandbox = sandbox, .runner = runner};
    daemon_begin(daemon, &options);
}

KEY_TEST(sandbox_decides_whether_vessels_are_isolated, "runner.sandbox")
{
    static const struct {
        const char *sandbox, *output;
    } cases[] = {{"strict", "isolated, as shipyard\n"}, {"off", "not isolated\n"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct daemon daemon;
        begin_in(&daemon, cases[i].sandbox, "");
        json_t *status = api_get(&daemon, "/status");
        ck_assert_str_eq(api_text(json_object_get(status, "runner"), "sandbox"), cases[i].sandbox);
        json_decref(status);
        char *output =
            output_of(&daemon, "[ \"$SHIPYARD_LOG_WORKDIR\" = /home/shipyard ] && "
                               "echo \"isolated, as $USER\" || { id -un | grep -qx \"$USER\" && "
                               "[ \"$LOGNAME\" = \"$USER\" ] && echo not isolated; }");
        ck_assert_str_eq(output, cases[i].output);
        free(output);
        daemon_finish(&daemon);
    }
}

KEY_TEST(a_fleet_may_have_another_sandbox, "runner.sandbox")
{
    struct daemon daemon;
    begin_in(&daemon, "strict", "}\nfleet \"default/default/Probe\" {\nsandbox = \"off\"");
    char *output = output_of(&daemon, "pwd | grep -c /state/runs/\n");
    ck_assert_str_eq(output, "1\n");
    free(output);
    daemon_finish(&daemon);
}

KEY_TEST(readable_and_writable_add_to_what_vessels_see, "runner.readable", "runner.writable")
{
    char place[] = "/tmp/webhookd-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(place));
    char *written = memory_format("%s/written", place), *read = memory_format("%s/read", place);
    ck_assert_int_eq(
        mkdir(written, 0777) | mkdir(read, 0755) | chmod(place, 0755) | chmod(written, 0777), 0);
    char *runner = memory_format("readable = { \"%s\" }\nwritable = { \"%s\" }\n", read, written);
    char *script =
        memory_format("ls %s; for at in read written; do mkdir %s/$at/new 2>/dev/null && "
                      "echo $at; done",
                      place, place);
    struct daemon daemon;
    begin_in(&daemon, "strict", runner);
    char *output = output_of(&daemon, script);
    ck_assert_str_eq(output, "read\nwritten\nwritten\n");
    daemon_finish(&daemon);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, place, &error), 0);
    char *freed[] = {output, script, runner, written, read};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
}

KEY_TEST(network_false_leaves_only_a_loopback_device, "runner.network")
{
    struct daemon daemon;
    begin_in(&daemon, "strict", "network = false");
    char *output = output_of(&daemon, "tail -n +3 /proc/net/dev | cut -d: -f1 | xargs");
    ck_assert_str_eq(output, "lo\n");
    free(output);
    daemon_finish(&daemon);
}

KEY_TEST(max_disk_bounds_the_working_folder_and_a_reload_changes_it, "runner.max_disk")
{
    struct daemon daemon;
    begin_in(&daemon, "strict", "max_disk = 64MiB");
    char *url =
        make_fleet(&daemon, "Big", "head -c 3M /dev/urandom > big; sync; echo written; sleep 1000");
    char *id = api_post(url, "x", 1);
    api_await_output(&daemon, id, "main", "written");
    struct daemon_options fresh = {.sandbox = "strict", .runner = "max_disk = 1MiB"};
    daemon_configure(&daemon, &fresh);
    kill(daemon.pid, SIGHUP);
    json_t *run = api_await_end(&daemon, id);
    const json_t *vessel = api_vessel(run, "main");
    ck_assert_str_eq(api_text(vessel, "status"), "errored");
    ck_assert_str_eq(api_text(vessel, "reason"),
                     "killed: its working folder exceeded runner.max_disk (1MiB)");
    daemon_await_log(&daemon, "vessels killed for their use of the disk");
    ck_assert_int_eq(api_metric(&daemon, "attempts_over_disk_total"), 1);
    json_decref(run);
    free(id);
    free(url);
    daemon_finish(&daemon);
}

KEY_TEST(bounds_apply_to_vessels_and_a_reload_changes_them, "runner.max_memory",
         "runner.max_processes", "runner.max_open_files")
{
    struct daemon daemon;
    static const char script[] = "ulimit -n; ulimit -u; ulimit -d";
    begin_in(&daemon, "strict", "max_memory = 64MiB\nmax_processes = 50\nmax_open_files = 99");
    char *output = output_of(&daemon, script);
    ck_assert_str_eq(output, "99\n51\n65536\n"); /* the sandbox itself uses one more process */
    free(output);
    struct daemon_options fresh = {
        .sandbox = "strict",
        .runner = "max_memory = 128MiB\nmax_processes = 60\nmax_open_files = 88"};
    daemon_configure(&daemon, &fresh);
    kill(daemon.pid, SIGHUP);
    daemon_await_log(&daemon, "configuration reloaded");
    output = output_of_fleet(&daemon, "Again", script);
    ck_assert_str_eq(output, "88\n61\n131072\n");
    free(output);
    daemon_finish(&daemon);
}

KEY_TEST(user_is_the_user_of_vessels_under_root, "runner.user")
{
    if (geteuid() != 0 || !getpwnam("daemon")) {
        test_skip("runner.user: only root can run vessels as the user daemon");
        return;
    }
    struct daemon daemon;
    begin_with(&daemon, "runner", "user = \"daemon\"");
    char *output = output_of(&daemon, "id -un");
    ck_assert_str_eq(output, "daemon\n");
    free(output);
    daemon_finish(&daemon);
}

KEY_TEST(user_that_does_not_exist_is_refused_at_start, "runner.user")
{
    if (geteuid() != 0) {
        test_skip("runner.user has an effect for root only");
        return;
    }
    struct daemon daemon;
    static const struct daemon_options plain;
    struct daemon_options options = {.runner = "user = \"nobody-of-this-name\""};
    daemon_prepare(&daemon, &plain);
    daemon_configure(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    char *log = daemon_log(&daemon);
    assert_holds(log, "nobody-of-this-name");
    free(log);
    daemon_finish(&daemon);
}

KEY_TEST(fleet_section_has_its_own_user_and_only_there_root_is_allowed, "runner.user")
{
    if (geteuid() != 0 || !getpwnam("daemon")) {
        test_skip("fleet sections: only root can run vessels as another user");
        return;
    }
    static const char *const users[] = {"daemon", "root"};
    struct daemon daemon;
    for (size_t i = 0; i < ARRAY_COUNT(users); i++) {
        char *top = memory_format(
            "min_free = \"0\"\nfleet \"default/default/Own\" { user = \"%s\" }", users[i]);
        begin_with(&daemon, "", top);
        char *script = bash_fleet("Own", "id -un"), *other = bash_fleet("Other", "id -un");
        char *url = daemon_fleet(&daemon, script), *other_url = daemon_fleet(&daemon, other);
        const char *const urls[] = {url, other_url};
        for (size_t k = 0; k < ARRAY_COUNT(urls); k++) {
            json_t *run = api_post_and_wait(&daemon, urls[k], "x");
            char *output = api_output(&daemon, run, "main");
            output[strcspn(output, "\n")] = '\0';
            ck_assert_str_eq(output, k == 0 ? users[i] : "nobody");
            free(output);
            json_decref(run);
        }
        free(other_url);
        free(url);
        free(other);
        free(script);
        free(top);
        daemon_finish(&daemon);
    }
}

/* ---- retention ---- */

static bool is_gone(struct daemon *daemon, const char *run_id)
{
    struct response response;
    char *path = memory_format("/api/v1/fleetruns/%s", run_id);
    api_call(daemon, "GET", path, NULL, 0, &response);
    int status = response.status;
    ck_assert_msg(status == 200 || status == 404, "%d", status);
    response_free(&response);
    free(path);
    return status == 404;
}

KEY_TEST(retention_deletes_ended_runs_with_their_bodies_and_logs, "retention.runs")
{
    enum { LARGE = 100000 };
    struct daemon daemon;
    begin_with(&daemon, "", "min_free = \"0\"\nretention { runs = \"0\" }");
    char *url = make_fleet(&daemon, "Old", "echo said"), *body = memory_alloc(LARGE);
    memset(body, 'b', LARGE);
    char *old = api_post(url, body, LARGE), *newest;
    json_decref(api_await_end(&daemon, old));
    newest = api_post(url, "x", 1);
    json_decref(api_await_end(&daemon, newest));
    ck_assert_int_eq(aftermath_files(daemon.state_dir, "spool"), 1);

    struct daemon_options options = {.top = "min_free = \"0\"\nretention { runs = \"1s\" }"};
    daemon_configure(&daemon, &options);
    kill(daemon.pid, SIGHUP);
    daemon_await_log(&daemon, "old fleet runs deleted runs=1");
    ck_assert(is_gone(&daemon, old));
    ck_assert(!is_gone(&daemon, newest)); /* the newest run is kept at any age */
    ck_assert_int_eq(aftermath_files(daemon.state_dir, "spool"), 0);
    char *logs = memory_format("find %s/logs -type f | wc -l | grep -qx 1", daemon.state_dir);
    ck_assert_int_eq(system(logs), 0);
    free(logs);
    free(old);
    free(newest);
    free(body);
    free(url);
    daemon_finish(&daemon);
}

/* ---- is every key tested? ---- */

static bool has_test(const char *path)
{
    for (size_t i = 0; i < tested_count; i++)
        if (strcmp(tested[i], path) == 0)
            return true;
    return false;
}

/* ---- packages ---- */

static void refuse_packages(const char *packages, const char *words)
{
    struct daemon daemon;
    struct daemon_options options = {.packages = packages};
    daemon_prepare(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), CONFIG_EXIT_STATUS);
    char *log = daemon_log(&daemon);
    assert_holds(log, words);
    free(log);
    daemon_finish(&daemon);
}

KEY_TEST(invalid_values_of_packages_are_refused_at_start, "packages.enabled", "packages.network",
         "packages.build", "packages.system", "packages.pip_index", "packages.pip_find_links",
         "packages.npm", "packages.npm_registry", "packages.ca_file", "packages.proxy",
         "packages.max_installs", "packages.timeout", "packages.max_memory", "packages.max_size",
         "packages.keep")
{
    refuse_packages("enabled = maybe", "packages.enabled:");
    refuse_packages("network = maybe", "packages.network:");
    refuse_packages("build = true", "packages.build: building packages is not available yet");
    refuse_packages("system = \"layer\"", "packages.system: \"layer\" is not available yet");
    refuse_packages("pip_index = \"https://u:p@h/\"", "credentials belong in the file of");
    refuse_packages("pip_find_links = { \"wheels\" }", "packages.pip_find_links:");
    refuse_packages("npm = \"bin/npm\"", "packages.npm:");
    refuse_packages("npm_registry = \"registry\"", "packages.npm_registry:");
    refuse_packages("ca_file = \"ca.pem\"", "packages.ca_file:");
    refuse_packages("proxy = \"proxy:3128\"", "packages.proxy:");
    refuse_packages("max_installs = 0", "packages.max_installs:");
    refuse_packages("timeout = \"0\"", "packages.timeout:");
    refuse_packages("max_memory = \"1MiB\"", "packages.max_memory:");
    refuse_packages("max_size = \"0\"", "packages.max_size:");
    refuse_packages("keep = \"0\"", "packages.keep:");
}

KEY_TEST(packages_are_not_installed_in_the_state_folder, "packages.dir")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    ck_assert_int_eq(mkdir(daemon.state_dir, 0700), 0);
    char *link = memory_format("%s/link", daemon.folder);
    ck_assert_int_eq(symlink(daemon.state_dir, link), 0);
    char *packages = memory_format("dir = \"%s/cache\"", link);
    struct daemon_options options = {.packages = packages};
    daemon_configure(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), CONFIG_EXIT_STATUS);
    char *log = daemon_log(&daemon);
    assert_holds(log, "must not be in state_dir");
    free(log);
    free(packages);
    free(link);
    daemon_finish(&daemon);
}

KEY_TEST(credentials_for_packages_are_for_their_owner_alone, "packages.netrc")
{
    struct daemon daemon;
    static const struct daemon_options plain;
    daemon_prepare(&daemon, &plain);
    char *folder = memory_format("%s/kept", daemon.folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    char *netrc = daemon_write_file(&daemon, "kept/netrc", "machine h", 9);
    char *packages = memory_format("netrc = \"%s\"", netrc);
    char *runner = memory_format("readable = { \"%s\" }", folder);
    struct daemon_options options = {.packages = packages};
    ck_assert_int_eq(chmod(netrc, 0640), 0);
    daemon_configure(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), CONFIG_EXIT_STATUS);
    ck_assert_int_eq(chmod(netrc, 0600), 0);
    options.runner = runner;
    options.sandbox = "strict";
    daemon_configure(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), CONFIG_EXIT_STATUS);
    options.runner = NULL;
    options.sandbox = NULL;
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    char *log = daemon_log(&daemon);
    assert_holds(log, "change its mode to 0600");
    assert_holds(log, "(packages.netrc), which is for webhookd alone");
    free(log);
    free(runner);
    free(packages);
    free(netrc);
    free(folder);
    daemon_finish(&daemon);
}

TEST(every_key_has_a_test_and_every_test_a_key)
{
    struct buffer all = BUFFER_INIT;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        char *path = config_key_path(info->section, info->name);
        ck_assert_msg(has_test(path), "the key %s has no test", path);
        buffer_append_format(&all, "[%s]", path);
        free(path);
    }
    ck_assert_uint_gt(config_key_count, 30);
    for (size_t i = 0; i < tested_count; i++) {
        char *path = memory_format("[%s]", tested[i]);
        ck_assert_msg(strstr(buffer_text(&all), path), "a test names the unknown key %s",
                      tested[i]);
        free(path);
    }
    buffer_free(&all);
}
