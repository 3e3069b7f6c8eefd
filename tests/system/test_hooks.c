/* The public listener from outside, as its senders see it: the responses, their form, the order of
 * checks, and what is stored of a request. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/aftermath.h"
#include "support/api.h"
#include "support/hook.h"
#include "support/janitor.h"
#include "support/suite.h"

#define KIB (size_t)1024
#define MIB (1024 * KIB)

static const struct daemon_options plain;

/* ---- helpers ---- */

static char *on_port(const struct hook *hook, const char *path)
{
    return memory_format("http://127.0.0.1:%u%s", hook->daemon.port, path);
}

/* Returns a body with bytes of every value that differs from one kibibyte to the next. */
static char *make_body(size_t bytes)
{
    char *body = memory_alloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++)
        body[i] = (char)(i * 7 + i / 1024);
    return body;
}

static void send_text(int fd, const char *text)
{
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
}

/* Sends the text on a connection of its own and reads one response. */
static void exchange(struct hook *hook, const char *text, struct response *response)
{
    int fd = raw_connect(hook->daemon.port);
    send_text(fd, text);
    raw_read_answer(fd, response);
    close(fd);
}

static void expect_refusal(struct hook *hook, const char *method, const char *path, int status,
                           bool has_message)
{
    struct response response;
    char *url = on_port(hook, path);
    http_request(method, url, NULL, "x", 1, &response);
    assert_refused(&response, status, has_message);
    response_free(&response);
    free(url);
}

/* Returns the response's header lines without those that differ from one request to the next. */
static char *constant_part(const struct response *response)
{
    struct buffer text = BUFFER_INIT;
    for (const char *line = response->headers; *line;) {
        size_t bytes = strcspn(line, "\r\n");
        if (strncasecmp(line, "Date:", 5) != 0 && strncasecmp(line, "X-Request-Id:", 13) != 0) {
            buffer_append(&text, line, bytes);
            buffer_append_char(&text, '\n');
        }
        line += bytes;
        line += strspn(line, "\r\n");
    }
    static const char id_key[] = "{\"request\":{\"id\":\"";
    ck_assert_uint_gt(response->body_bytes, sizeof(id_key) + 36);
    ck_assert_int_eq(strncmp(response->body, id_key, sizeof(id_key) - 1), 0);
    buffer_append_text(&text, response->body + sizeof(id_key) - 1 + 36);
    return buffer_take(&text);
}

static void post_and_expect(struct hook *hook, const char *const *headers, const void *body,
                            size_t bytes, struct response *response)
{
    http_post(hook->url, headers, body, bytes, response);
    assert_accepted(response);
}

/* ---- 201 ---- */

TEST(accepted_request_gets_201_with_the_ids_of_its_run)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    post_and_expect(&hook, NULL, "{}", 2, &response);
    json_t *envelope = api_parse(response.body);
    json_t *data = json_object_get(envelope, "data");
    const char *request_id = api_text(json_object_get(envelope, "request"), "id");
    json_t *run = hook_run(&hook, request_id); /* a run is also found by its request's id */
    ck_assert_str_eq(api_text(run, "id"), api_text(data, "fleet_run_id"));
    ck_assert_str_eq(api_text(run, "request_id"), request_id);
    ck_assert_str_eq(api_text(run, "fleet_id"), api_text(data, "fleet_id"));
    ck_assert_str_eq(api_text(run, "project_id"), api_text(data, "project_id"));
    ck_assert_str_eq(api_text(run, "org_id"), api_text(data, "org_id"));
    ck_assert_str_eq(api_text(run, "trigger"), "webhook");
    daemon_await_log(&hook.daemon, request_id);
    json_decref(run);
    json_decref(envelope);
    response_free(&response);
    hook_finish(&hook);
}

TEST(each_request_has_an_id_of_its_own)
{
    struct hook hook;
    struct response first, second, refused;
    hook_begin(&hook, &plain);
    char *elsewhere = on_port(&hook, "/");
    post_and_expect(&hook, NULL, "1", 1, &first);
    post_and_expect(&hook, NULL, "1", 1, &second);
    http_post(elsewhere, NULL, "1", 1, &refused);
    char *ids[] = {response_header(&first, "X-Request-Id"),
                   response_header(&second, "X-Request-Id"),
                   response_header(&refused, "X-Request-Id")};
    ck_assert_str_ne(ids[0], ids[1]);
    ck_assert_str_ne(ids[1], ids[2]);
    ck_assert_str_ne(first.run_id, second.run_id);
    for (int i = 0; i < 3; i++)
        free(ids[i]);
    response_free(&first);
    response_free(&second);
    response_free(&refused);
    free(elsewhere);
    hook_finish(&hook);
}

/* Invariant 7. */
TEST(log_holds_no_token_and_no_body)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.top = "min_free = \"0\"\nlog_level = \"debug\""});
    const char *token = hook.path + strlen("/hooks/");
    char *unknown = hook_unknown_path();
    char *query = memory_format("%s?key=privatequery", hook.url);
    char *removed = memory_string(hook.url);
    http_post(query, NULL, "privatebody", 11, &response);
    assert_accepted(&response);
    response_free(&response);
    expect_refusal(&hook, "POST", unknown, 400, false);
    expect_refusal(&hook, "GET", hook.path, 405, true);
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", hook.path);
    exchange(&hook, text, &response);
    assert_refused(&response, 400, true);
    response_free(&response);
    free(text);
    text = memory_format("POST %s\r\n\r\n", hook.path);
    free(raw_exchange(hook.daemon.port, text, strlen(text)));
    ck_assert_int_eq(daemon_stop(&hook.daemon), 0);
    char *log = daemon_log(&hook.daemon);
    ck_assert_ptr_nonnull(strstr(log, "status=201"));
    ck_assert_ptr_nonnull(strstr(log, " from=127.0.0.1 bytes=11 duration_us="));
    ck_assert_ptr_nonnull(strstr(log, " run="));
    ck_assert_ptr_null(strstr(log, token));
    ck_assert_ptr_null(strstr(log, unknown + strlen("/hooks/")));
    ck_assert_ptr_null(strstr(log, "privatebody"));
    ck_assert_ptr_null(strstr(log, "privatequery"));
    free(log);
    free(text);
    free(removed);
    free(query);
    free(unknown);
    hook_finish(&hook);
}

/* ---- 400: tokens ---- */

TEST(every_invalid_token_gets_the_same_answer)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    char *replaced = memory_string(hook.path);
    free(ctl_ok(&hook.daemon, "webhook", "replace", "Greet", NULL));
    char *other = bash_fleet("Other", "exit 0");
    char *removed_url = daemon_fleet(&hook.daemon, other);
    free(ctl_ok(&hook.daemon, "webhook", "remove", "Other", NULL));
    char *unknown = hook_unknown_path();
    char *mistyped = memory_string(unknown);
    char *last = &mistyped[strlen(mistyped) - 1];
    *last = *last == 'a' ? 'b' : 'a';
    char *longer = memory_format("%s0", unknown);
    char *deeper = memory_format("%s/x", replaced);
    char *shorter = memory_string(unknown);
    shorter[strlen(shorter) - 1] = '\0';
    const char *const paths[] = {
        unknown,   replaced,   url_path(removed_url), mistyped, longer, deeper, shorter,
        "/hooks/", "/hooks/x", "/hooks/whk_"};
    static const char *const bodies[] = {"", "{\"a\":1}"};
    char *expected = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(paths) * ARRAY_COUNT(bodies); i++) {
        struct response response;
        const char *body = bodies[i % 2];
        char *url = on_port(&hook, paths[i / 2]);
        http_post(url, NULL, body, strlen(body), &response);
        assert_refused(&response, 400, false);
        char *constant = constant_part(&response);
        if (expected)
            ck_assert_msg(strcmp(constant, expected) == 0, "case %zu: %s, not %s", i / 2, constant,
                          expected);
        else
            expected = memory_string(constant);
        free(constant);
        free(url);
        response_free(&response);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    char *all[] = {replaced, other,  removed_url, unknown, mistyped,
                   longer,   deeper, shorter,     expected};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        free(all[i]);
    hook_finish(&hook);
}

TEST(replaced_token_gets_400_immediately_and_the_new_one_201)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    int fd = raw_connect(hook.daemon.port); /* also on a connection that is already open */
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", hook.path);
    send_text(fd, text);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    char *run_id = memory_string(response.run_id);
    response_free(&response);

    char *fresh = ctl_ok(&hook.daemon, "webhook", "replace", "Greet", NULL);
    send_text(fd, text);
    raw_read_answer(fd, &response);
    assert_refused(&response, 400, false);
    response_free(&response);

    char *fresh_url = on_port(&hook, url_path(fresh));
    http_post(fresh_url, NULL, "y", 1, &response);
    assert_accepted(&response);
    response_free(&response);

    free(ctl_ok(&hook.daemon, "webhook", "remove", "Greet", NULL));
    http_post(fresh_url, NULL, "y", 1, &response);
    assert_refused(&response, 400, false);
    response_free(&response);

    ck_assert_uint_eq(hook_count_runs(&hook), 2);
    hook_assert_body(&hook, run_id, "x", 1); /* the accepted run remains */
    close(fd);
    free(run_id);
    free(text);
    free(fresh);
    free(fresh_url);
    hook_finish(&hook);
}

/* ---- 404, 405 ---- */

TEST(path_outside_hooks_gets_404)
{
    static const char *const paths[] = {"/",         "/hooks",       "/hook/x",  "/Hooks/x",
                                        "//hooks/x", "/api/v1/orgs", "/metrics", "/readyz"};
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        expect_refusal(&hook, "POST", paths[i], 404, true);
        expect_refusal(&hook, "GET", paths[i], 404, true);
    }
    hook_finish(&hook);
}

TEST(method_other_than_POST_gets_405_with_Allow_POST)
{
    static const char *const methods[] = {"GET",     "PUT",   "DELETE", "PATCH",
                                          "OPTIONS", "TRACE", "post"};
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        char *text = memory_format("%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                                   methods[i], hook.path);
        exchange(&hook, text, &response);
        assert_refused(&response, 405, true);
        char *allow = response_header(&response, "Allow");
        ck_assert_msg(allow && strcmp(allow, "POST") == 0, "%s: Allow: %s", methods[i], allow);
        free(allow);
        response_free(&response);
        free(text);
    }
    char *head =
        memory_format("HEAD %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", hook.path);
    char *answer = raw_exchange(hook.daemon.port, head, strlen(head));
    ck_assert_int_eq(strncmp(answer, "HTTP/1.1 405 ", 13), 0);
    ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n"); /* and no body */
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(answer);
    free(head);
    hook_finish(&hook);
}

/* ---- 413, 431 ---- */

/* Invariant 8. */
TEST(headers_of_16_KiB_are_accepted_and_larger_ones_get_431)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    static const struct {
        size_t bytes;
        int status;
    } cases[] = {{15 * KIB, 201}, {16 * KIB, 431}, {20 * KIB, 431}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *value = memory_alloc(cases[i].bytes + 1);
        memset(value, 'v', cases[i].bytes);
        value[cases[i].bytes] = '\0';
        char *header = memory_format("X-Large: %s", value);
        http_post(hook.url, (const char *const[]){header, NULL}, "x", 1, &response);
        if (cases[i].status == 201) {
            assert_accepted(&response);
            json_t *headers = hook_headers(&hook, response.run_id);
            const json_t *list = json_object_get(headers, "X-Large");
            ck_assert_str_eq(json_string_value(json_array_get(list, 0)), value);
            json_decref(headers);
        } else {
            assert_refused(&response, cases[i].status, true);
        }
        response_free(&response);
        free(value);
        free(header);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 1);
    hook_finish(&hook);
}

TEST(headers_or_a_target_over_every_bound_are_refused_and_the_connection_closes)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    static const size_t bytes = 200 * KIB;
    char *value = memory_alloc(bytes + 1);
    memset(value, 'v', bytes);
    value[bytes] = '\0';
    char *texts[] = {
        memory_format("POST %s HTTP/1.1\r\nHost: h\r\nX-Large: %s\r\n\r\n", hook.path, value),
        memory_format("POST %s?%s HTTP/1.1\r\nHost: h\r\n\r\n", hook.path, value)};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        char *answer = raw_exchange(hook.daemon.port, texts[i], strlen(texts[i]));
        ck_assert_msg(answer[0] == '\0' || strncmp(answer, "HTTP/1.1 4", 10) == 0, "%s", answer);
        free(answer);
        free(texts[i]);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(value);
    hook_finish(&hook);
}

static void check_max_body(const char *setting, size_t max_body)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.hooks = setting});
    char *body = make_body(max_body + 1);

    post_and_expect(&hook, NULL, body, max_body, &response);
    hook_assert_body(&hook, response.run_id, body, max_body);
    response_free(&response);
    http_post_chunked(hook.url, body, max_body, &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, body, max_body);
    response_free(&response);

    /* This client waits for 100 Continue: the response to a large body that is already being sent
     * may be lost with its connection. */
    static const char *const waits[] = {"Expect: 100-continue", NULL};
    http_post(hook.url, waits, body, max_body + 1, &response);
    assert_refused(&response, 413, true);
    response_free(&response);
    http_post_chunked(hook.url, body, max_body + 1, &response);
    ck_assert_msg(response.status == 0, "%d: %s", response.status, response.body);
    response_free(&response);
    daemon_await_log(&hook.daemon, "the chunked body is larger than ");

    ck_assert_uint_eq(hook_count_runs(&hook), 2);
    int whole = max_body > 64 * KIB ? 2 : 0;
    ck_assert_int_eq(aftermath_files(hook.daemon.state_dir, "spool"), whole);
    free(body);
    hook_finish(&hook);
}

/* Invariant 8. */
TEST(body_of_max_body_is_accepted_and_one_more_byte_refused)
{
    check_max_body("max_body = \"200KiB\"", 200 * KIB);
    check_max_body("max_body = \"1KiB\"", KIB);
}

/* ---- the order of checks ---- */

TEST(token_is_checked_before_the_size_of_a_small_body_too)
{
    struct hook hook;
    struct response response;
    char body[2 * KIB];
    memset(body, 'b', sizeof(body));
    hook_begin(&hook, &(struct daemon_options){.hooks = "max_body = \"1KiB\""});
    char *unknown = hook_unknown_path();
    char *url = memory_format("http://127.0.0.1:%d%s", hook.daemon.port, unknown);
    http_post(url, NULL, body, sizeof(body), &response);
    ck_assert_int_eq(response.status, 400);
    response_free(&response);
    http_post(hook.url, NULL, body, sizeof(body), &response);
    ck_assert_int_eq(response.status, 413);
    ck_assert_ptr_nonnull(
        strstr(response.body, "\"the body is larger than 1 KiB (hooks.max_body)\""));
    response_free(&response);
    free(url);
    free(unknown);
    hook_finish(&hook);
}

TEST(checks_run_in_their_fixed_order)
{
    struct hook hook;
    hook_begin(&hook, &(struct daemon_options){.top = "min_free = \"1023GiB\"",
                                               .hooks = "max_body = \"100KiB\""});
    char *unknown = hook_unknown_path();
    struct {
        const char *what, *method, *path, *headers;
        int status;
    } cases[] = {
        {"well-formed HTTP before the path", "POST", "/elsewhere", "Host: again\r\n", 400},
        {"well-formed HTTP before the method", "GET", hook.path, "Host: again\r\n", 400},
        {"the path before the method", "GET", "/elsewhere", "", 404},
        {"the path before the size", "POST", "/elsewhere", "Content-Length: 9999999\r\n", 404},
        {"the method before the token", "GET", "/hooks/x", "", 405},
        {"the method before the size", "PUT", hook.path, "Content-Length: 9999999\r\n", 405},
        {"the token before the size", "POST", unknown, "Content-Length: 9999999\r\n", 400},
        {"the token's form before the size", "POST", "/hooks/x", "Content-Length: 9999999\r\n",
         400},
        {"the token before the room", "POST", unknown, "Content-Length: 0\r\n", 400},
        {"the token before the room", "POST", unknown, "Content-Length: 70000\r\n", 400},
        {"the size before the room", "POST", hook.path, "Content-Length: 9999999\r\n", 413},
        {"the room", "POST", hook.path, "Content-Length: 0\r\n", 503},
        {"the room for a large body", "POST", hook.path, "Content-Length: 70000\r\n", 503},
        {"the room for a chunked body", "POST", hook.path, "Transfer-Encoding: chunked\r\n", 503},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *text = memory_format("%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", cases[i].method,
                                   cases[i].path, cases[i].headers);
        exchange(&hook, text, &response);
        ck_assert_msg(response.status == cases[i].status, "%s: status %d, not %d", cases[i].what,
                      response.status, cases[i].status);
        response_free(&response);
        free(text);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(unknown);
    hook_finish(&hook);
}

/* Sends only the headers: a response means that webhookd did not wait for the body. */
TEST(large_or_chunked_body_is_refused_before_it_is_read)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    char *unknown = hook_unknown_path();
    struct {
        const char *path, *framing;
        int status;
        bool has_message;
    } cases[] = {
        {unknown, "Content-Length: 31457280", 400, false},
        {unknown, "Content-Length: 65537", 400, false},
        {unknown, "Transfer-Encoding: chunked", 400, false},
        {"/hooks/x", "Content-Length: 31457280", 400, false},
        {"/hooks/x", "Transfer-Encoding: chunked", 400, false},
        {"/elsewhere", "Content-Length: 31457280", 404, true},
        {"/elsewhere", "Transfer-Encoding: chunked", 404, true},
        {unknown, "Content-Length: 31457280\r\nExpect: 100-continue", 400, false},
        {unknown, "Transfer-Encoding: chunked\r\nExpect: 100-continue", 400, false},
        {hook.path, "Content-Length: 33554433", 413, true},
        {hook.path, "Content-Length: 33554433\r\nExpect: 100-continue", 413, true},
        {hook.path, "Content-Length: 999999999999999999", 413, true},
        {hook.path, "Content-Length: 9999999999999999999", 400, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        int fd = raw_connect(hook.daemon.port);
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", cases[i].path,
                                   cases[i].framing);
        send_text(fd, text);
        raw_read_answer(fd, &response);
        assert_refused(&response, cases[i].status, cases[i].has_message);
        raw_await_close(fd);
        close(fd);
        response_free(&response);
        free(text);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(unknown);
    hook_finish(&hook);
}

/* This sender writes until it no longer can, and only then reads the response. */
TEST(sender_of_a_large_body_to_an_unknown_token_gets_the_answer)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    char *unknown = hook_unknown_path();
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                               unknown, 8 * MIB);
    char *body = make_body(8 * MIB);
    int fd = raw_connect(hook.daemon.port);
    send_text(fd, head);
    (void)raw_send(fd, body, 8 * MIB);
    raw_read_answer(fd, &response);
    assert_refused(&response, 400, false);
    response_free(&response);
    close(fd);
    free(body);
    free(head);
    free(unknown);
    hook_finish(&hook);
}

TEST(sender_that_expects_100_continue_gets_it_and_then_201)
{
    static const size_t sizes[] = {5, 100 * KIB};
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct response response;
        char *body = make_body(sizes[i]);
        int fd = raw_connect(hook.daemon.port);
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                                   "Content-Length: %zu\r\n\r\n",
                                   hook.path, sizes[i]);
        send_text(fd, text);
        raw_read_answer(fd, &response);
        ck_assert_int_eq(response.status, 100);
        response_free(&response);
        ck_assert_int_eq(raw_send(fd, body, sizes[i]), 0);
        raw_read_answer(fd, &response);
        assert_accepted(&response);
        hook_assert_body(&hook, response.run_id, body, sizes[i]);
        response_free(&response);
        close(fd);
        free(text);
        free(body);
    }
    hook_finish(&hook);
}

/* ---- bodies ---- */

TEST(body_of_any_size_is_stored_byte_for_byte)
{
    static const size_t sizes[] = {
        0, 1, 256, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 256 * KIB, 256 * KIB + 1, 3 * MIB + 17};
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        char *body = make_body(sizes[i]);
        post_and_expect(&hook, NULL, body, sizes[i], &response);
        hook_assert_body(&hook, response.run_id, body, sizes[i]);
        response_free(&response);
        http_post_chunked(hook.url, body, sizes[i], &response);
        assert_accepted(&response);
        hook_assert_body(&hook, response.run_id, body, sizes[i]);
        response_free(&response);
        free(body);
    }
    hook_finish(&hook);
}

TEST(body_that_arrives_in_pieces_is_stored_whole)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    static const char chunks[] = "1;name=value\r\na\r\n"
                                 "0003\r\nb\0c\r\n"
                                 "A\r\n0123456789\r\n"
                                 "3\r\n\0\r\n\r\n"
                                 "0\r\nX-Trailer: t\r\n\r\n";
    int fd = raw_connect(hook.daemon.port);
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                               hook.path);
    send_text(fd, text);
    for (size_t i = 0; i < sizeof(chunks) - 1; i++)
        ck_assert_int_eq(raw_send(fd, chunks + i, 1), 0);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, "ab\0c0123456789\0\r\n", 17);
    response_free(&response);
    close(fd);
    free(text);
    hook_finish(&hook);
}

TEST(compressed_body_stays_compressed)
{
    static const char gzip[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3"
        "\x02\x00\x00\x00";
    static const char *const headers[] = {"Content-Encoding: gzip",
                                          "Content-Type: application/json", NULL};
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    post_and_expect(&hook, headers, gzip, sizeof(gzip) - 1, &response);
    hook_assert_body(&hook, response.run_id, gzip, sizeof(gzip) - 1);
    json_t *stored = hook_headers(&hook, response.run_id);
    json_t *encoding = json_object_get(stored, "Content-Encoding");
    ck_assert_str_eq(json_string_value(json_array_get(encoding, 0)), "gzip");
    json_decref(stored);
    response_free(&response);
    hook_finish(&hook);
}

TEST(post_with_neither_length_nor_chunks_has_no_body_and_its_connection_closes)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    int fd = raw_connect(hook.daemon.port);
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\n\r\n", hook.path);
    send_text(fd, text);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, "", 0);
    char *connection = response_header(&response, "Connection");
    ck_assert_msg(connection && strcasecmp(connection, "close") == 0, "Connection: %s", connection);
    raw_await_close(fd);
    close(fd);
    free(connection);
    free(text);
    response_free(&response);
    hook_finish(&hook);
}

TEST(http_1_0_is_supported)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    static const char *const ends[] = {"Content-Length: 2\r\n\r\nhi",
                                       "Host: h\r\nContent-Length: 2\r\n\r\nhi"};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        struct response response;
        int fd = raw_connect(hook.daemon.port);
        char *text = memory_format("POST %s HTTP/1.0\r\n%s", hook.path, ends[i]);
        send_text(fd, text);
        raw_read_answer(fd, &response);
        assert_accepted(&response);
        hook_assert_body(&hook, response.run_id, "hi", 2);
        raw_await_close(fd);
        close(fd);
        free(text);
        response_free(&response);
    }
    hook_finish(&hook);
}

/* RFC 9112 section 3.2.2. */
TEST(target_in_absolute_form_names_the_host)
{
    static const struct {
        const char *start, *host, *query;
    } cases[] = {{"http://hooks.example:81", "hooks.example:81", "a=1"},
                 {"HTTPS://Hooks.example", "Hooks.example", "a=http://x/"},
                 {"http://[2001:db8::1]:8080", "[2001:db8::1]:8080", ""}};
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *text =
            memory_format("POST %s%s%s%s HTTP/1.1\r\nHost: other\r\n"
                          "Content-Length: 2\r\n\r\nhi",
                          cases[i].start, hook.path, cases[i].query[0] ? "?" : "", cases[i].query);
        exchange(&hook, text, &response);
        assert_accepted(&response);
        json_t *run = hook_run(&hook, response.run_id);
        ck_assert_str_eq(api_text(run, "host"), cases[i].host);
        ck_assert_str_eq(api_text(run, "query_string"), cases[i].query);
        json_decref(run);
        response_free(&response);
        free(text);
    }
    hook_finish(&hook);
}

/* RFC 9110 section 5.5. */
TEST(blanks_around_a_header_s_value_are_not_part_of_it)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    struct response response;
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: \t hooks.example \r\n"
                               "Expect: 100-continue \t\r\nX-GitHub-Event:push  \r\n"
                               "X-Inside: \t a  b\t \r\nX-Blank:  \t\r\nX-Empty:\r\n"
                               "Content-Length: 2\r\n\r\nhi",
                               hook.path);
    exchange(&hook, text, &response);
    assert_accepted(&response);
    json_t *run = hook_run(&hook, response.run_id);
    ck_assert_str_eq(api_text(run, "host"), "hooks.example");
    ck_assert_str_eq(api_text(run, "event"), "push");
    json_t *headers = hook_headers(&hook, response.run_id);
    json_t *expected = api_parse("{\"Expect\":[\"100-continue\"],\"X-Github-Event\":[\"push\"],"
                                 "\"X-Inside\":[\"a  b\"],\"X-Blank\":[\"\"],\"X-Empty\":[\"\"],"
                                 "\"Content-Length\":[\"2\"]}");
    ck_assert(json_equal(headers, expected));
    json_decref(expected);
    json_decref(headers);
    json_decref(run);
    response_free(&response);
    free(text);
    hook_finish(&hook);
}

TEST(empty_expectation_counts_for_nothing)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    struct response response;
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nExpect:\r\n"
                               "Content-Length: 2\r\n\r\nhi",
                               hook.path);
    exchange(&hook, text, &response);
    assert_accepted(&response);
    response_free(&response);
    free(text);
    hook_finish(&hook);
}

/* For load balancers, which can ask for nothing else. */
TEST(health_is_one_word_on_the_public_listener_too)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    char *url = memory_format("http://127.0.0.1:%u/healthz?from=haproxy", hook.daemon.port);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.body, "ok\n");
    response_free(&response);
    http_request("HEAD", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_uint_eq(response.body_bytes, 0);
    response_free(&response);
    http_post(url, NULL, "x", 1, &response);
    assert_refused(&response, 404, true);
    response_free(&response);
    char *log = daemon_log(&hook.daemon);
    ck_assert_ptr_null(strstr(log, "health check")); /* several a second would fill the log */
    free(log);
    free(url);
    hook_finish(&hook);

    hook_begin(&hook, &(struct daemon_options){.top = "min_free = \"1023GiB\""});
    url = memory_format("http://127.0.0.1:%u/healthz", hook.daemon.port);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 503);
    ck_assert_str_eq(response.body, "unavailable\n");
    response_free(&response);
    free(url);
    hook_finish(&hook);
}

/* Why a sender's requests are refused is in the log, never in the answer. */
TEST(log_says_what_is_nearly_right_about_a_URL)
{
    static const struct {
        const char *format, *reason; /* the format gets the path of the webhook */
    } cases[] = {
        {"%s/", "a slash follows the token"},
        {"%sx", "the token is too long"},
        {"%s.", "the token contains a character that no token has"},
        {"/%s", "the path begins with more than one slash"},
        {"/prefix%s", "the path contains a token, but does not begin with /hooks/"},
        {"/hooks/%.0s", "the token is missing"},
        {"/hooks%.0s", "the path ends before the token"},
        {"%.30s", "the token is cut off"},
        {"/hooks/wha_%.0s", "an API key is in the place of the token"},
    };
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        char *path = memory_format(cases[i].format, hook.path);
#pragma GCC diagnostic pop
        char *url = memory_format("http://127.0.0.1:%u%s", hook.daemon.port, path);
        http_post(url, NULL, "x", 1, &response);
        ck_assert_int_ge(response.status, 400);
        ck_assert_ptr_null(strstr(response.body, cases[i].reason));
        daemon_await_log(&hook.daemon, cases[i].reason);
        response_free(&response);
        free(url);
        free(path);
    }
    char *unknown = hook_unknown_path(),
         *url = memory_format("http://127.0.0.1:%u%s", hook.daemon.port, unknown);
    struct response response;
    http_post(url, NULL, "x", 1, &response);
    daemon_await_log(&hook.daemon, "the token belongs to no webhook");
    response_free(&response);
    free(url);
    free(unknown);
    hook_finish(&hook);
}

/* ---- the other stored properties ---- */

TEST(query_string_is_stored_raw)
{
    static const struct {
        const char *sent, *stored;
    } cases[] = {{"", ""},
                 {"?", ""},
                 {"?a=1&b=%20+%00&c", "a=1&b=%20+%00&c"},
                 {"?a?b/../%2F#", "a?b/../%2F#"},
                 {"?u=\xc3\xa9", "u=\xc3\xa9"},
                 {"?l=\xe9", "l=\xc3\xa9"}};
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *text = memory_format("POST %s%s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                                   hook.path, cases[i].sent);
        exchange(&hook, text, &response);
        assert_accepted(&response);
        json_t *run = hook_run(&hook, response.run_id);
        ck_assert_str_eq(api_text(run, "query_string"), cases[i].stored);
        json_decref(run);
        response_free(&response);
        free(text);
    }
    hook_finish(&hook);
}

TEST(headers_are_stored_in_canonical_form_with_their_values_in_order)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    char *text = memory_format("POST %s HTTP/1.1\r\n"
                               "hOST: hooks.example:8443\r\n"
                               "x-many: first\r\n"
                               "X-Other: \"quoted\\\" \t tab\r\n"
                               "X-MANY: second\r\n"
                               "x-empty:\r\n"
                               "x-latin: caf\xe9 \xff\r\n"
                               "x-utf8: caf\xc3\xa9\r\n"
                               "X-many:third\r\n"
                               "x_under.score!2: kept\r\n"
                               "content-length: 2\r\n\r\n{}",
                               hook.path);
    exchange(&hook, text, &response);
    assert_accepted(&response);
    json_t *headers = hook_headers(&hook, response.run_id);
    json_t *expected = json_pack("{s:[sss], s:[s], s:[s], s:[s], s:[s], s:[s], s:[s]}", "X-Many",
                                 "first", "second", "third", "X-Other", "\"quoted\\\" \t tab",
                                 "X-Empty", "", "X-Latin", "caf\xc3\xa9 \xc3\xbf", "X-Utf8",
                                 "caf\xc3\xa9", "X_under.score!2", "kept", "Content-Length", "2");
    char *got = json_dumps(headers, JSON_SORT_KEYS);
    char *want = json_dumps(expected, JSON_SORT_KEYS);
    ck_assert_str_eq(got, want);
    json_t *run = hook_run(&hook, response.run_id);
    ck_assert_str_eq(api_text(run, "host"), "hooks.example:8443");
    ck_assert_str_eq(api_text(run, "remote_addr"), "127.0.0.1");
    json_decref(run);
    free(got);
    free(want);
    json_decref(headers);
    json_decref(expected);
    response_free(&response);
    free(text);
    hook_finish(&hook);
}

TEST(event_is_the_value_of_the_first_of_four_headers)
{
    static const struct {
        const char *headers[4];
        const char *event;
    } cases[] = {
        {{"x-github-event: push", "Ce-Type: ce", "X-Gitlab-Event: gl"}, "push"},
        {{"Ce-Type: ce", "X-Event-Key: repo:push", "X-Gitlab-Event: Push Hook"}, "Push Hook"},
        {{"Ce-Type: com.example.made", "X-Event-Key: repo:push"}, "repo:push"},
        {{"ce-type: com.example.made", "X-Event: no"}, "com.example.made"},
        {{"X-Event: no"}, ""},
    };
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        post_and_expect(&hook, cases[i].headers, "{}", 2, &response);
        json_t *run = hook_run(&hook, response.run_id);
        ck_assert_str_eq(api_text(run, "event"), cases[i].event);
        json_decref(run);
        response_free(&response);
    }
    hook_finish(&hook);
}

static void check_address(struct hook *hook, const char *const *forwarded, const char *expected)
{
    struct response response;
    post_and_expect(hook, forwarded, "{}", 2, &response);
    json_t *run = hook_run(hook, response.run_id);
    ck_assert_str_eq(api_text(run, "remote_addr"), expected);
    json_decref(run);
    response_free(&response);
}

#define FORWARDED(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(forwarded_address_is_used_only_from_trusted_proxies)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7"), "127.0.0.1");
    hook_finish(&hook);

    hook_begin(
        &hook,
        &(struct daemon_options){
            .hooks = "trusted_proxies = {\"127.0.0.0/8\", \"10.0.0.0/8\", \"2001:db8::1\"}"});
    check_address(&hook, NULL, "127.0.0.1");
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7"), "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.1.2.3"),
                  "192.0.2.7");
    check_address(&hook,
                  FORWARDED("X-Forwarded-For: 198.51.100.1,192.0.2.7", "X-Forwarded-For: 10.1.2.3"),
                  "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: 2001:db8::2, 2001:db8::1"), "2001:db8::2");
    check_address(&hook, FORWARDED("X-Forwarded-For: 10.9.9.9, 10.1.2.3"), "10.9.9.9");
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7, nonsense, 10.1.2.3"), "10.1.2.3");
    check_address(&hook, FORWARDED("X-Forwarded-For: nonsense"), "127.0.0.1");

    check_address(&hook, FORWARDED("X-Forwarded-For: 203.0.113.9:51234"), "203.0.113.9");
    check_address(&hook, FORWARDED("X-Forwarded-For: [2001:db8::7]:443"), "2001:db8::7");
    check_address(&hook, FORWARDED("X-Forwarded-For: [2001:DB8::7]"), "2001:db8::7");
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7, "), "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: , 192.0.2.7,,10.1.2.3 ,"), "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7, ::ffff:10.1.2.3"), "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: ::ffff:192.0.2.7"), "192.0.2.7");
    check_address(&hook, FORWARDED("X-Forwarded-For: 192.0.2.7:port"), "127.0.0.1");
    check_address(&hook, FORWARDED("X-Forwarded-For: [192.0.2.7]"), "127.0.0.1");
    check_address(&hook, FORWARDED("X-Forwarded-For: [2001:db8::7"), "127.0.0.1");
    check_address(&hook, FORWARDED("X-Forwarded-For: unknown"), "127.0.0.1");

    /* RFC 7239. */
    check_address(&hook, FORWARDED("Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43"),
                  "192.0.2.60");
    check_address(&hook, FORWARDED("Forwarded: proto=http;For=\"[2001:db8:cafe::17]:4711\""),
                  "2001:db8:cafe::17");
    check_address(&hook, FORWARDED("Forwarded: for=192.0.2.43, for=10.1.2.3"), "192.0.2.43");
    check_address(&hook, FORWARDED("Forwarded: for=192.0.2.43", "Forwarded: for=10.1.2.3"),
                  "192.0.2.43");
    check_address(&hook, FORWARDED("Forwarded: host=\"a,for=192.0.2.1;b\"; for=\"192.0.2.2:80\","),
                  "192.0.2.2");
    check_address(&hook, FORWARDED("Forwarded: for=unknown, for=10.1.2.3"), "10.1.2.3");
    check_address(&hook, FORWARDED("Forwarded: for=_hidden"), "127.0.0.1");
    check_address(&hook, FORWARDED("Forwarded: proto=https"), "127.0.0.1");
    check_address(&hook, FORWARDED("Forwarded: for=\"192.0.2.9"), "127.0.0.1");
    /* The sender's open quote reaches over what the proxy has added. */
    check_address(&hook, FORWARDED("Forwarded: for=198.51.100.4;proto=\", for=192.0.2.7"),
                  "127.0.0.1");
    check_address(&hook, FORWARDED("Forwarded: for=198.51.100.4;by=\"a\\\", for=192.0.2.7"),
                  "127.0.0.1");
    check_address(&hook, FORWARDED("Forwarded: for=198.51.100.4;by=\"", "Forwarded: for=192.0.2.7"),
                  "192.0.2.7");
    check_address(&hook, FORWARDED("Forwarded: for=192.0.2.60", "X-Forwarded-For: 192.0.2.7"),
                  "192.0.2.7");

    const char *many[102]; /* the sender's own lines precede the proxies' */
    for (size_t i = 0; i < ARRAY_COUNT(many); i++)
        many[i] = "X-Forwarded-For: 198.51.100.1";
    many[ARRAY_COUNT(many) - 2] = "X-Forwarded-For: 192.0.2.7";
    many[ARRAY_COUNT(many) - 1] = NULL;
    check_address(&hook, many, "192.0.2.7");
    hook_finish(&hook);
}

/* ---- connections ---- */

TEST(connection_is_kept_open_for_the_next_request)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &plain);
    char *unknown = hook_unknown_path();
    char *large = make_body(100 * KIB);
    struct {
        const char *path, *body;
        size_t bytes;
        int status;
    } cases[] = {{hook.path, "one", 3, 201},
                 {unknown, "wrong", 5, 400},
                 {hook.path, "", 0, 201},
                 {"/", "elsewhere", 9, 404},
                 {hook.path, large, 100 * KIB, 201},
                 {hook.path, "last", 4, 201}};
    int fd = raw_connect(hook.daemon.port);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                                   cases[i].path, cases[i].bytes);
        send_text(fd, text);
        ck_assert_int_eq(raw_send(fd, cases[i].body, cases[i].bytes), 0);
        raw_read_answer(fd, &response);
        ck_assert_int_eq(response.status, cases[i].status);
        if (response.status == 201)
            hook_assert_body(&hook, response.run_id, cases[i].body, cases[i].bytes);
        response_free(&response);
        free(text);
    }
    close(fd);
    free(large);
    free(unknown);
    hook_finish(&hook);
}

/* Invariant 2. */
TEST(pipelined_requests_are_answered_in_order)
{
    struct hook hook;
    struct response response;
    struct buffer text = BUFFER_INIT;
    hook_begin(&hook, &plain);
    static const int statuses[] = {201, 404, 201, 405, 400, 201, 201};
    char *unknown = hook_unknown_path();
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        const char *path = statuses[i] == 404 ? "/" : statuses[i] == 400 ? unknown : hook.path;
        const char *method = statuses[i] == 405 ? "PUT" : "POST";
        if (i % 2 == 0)
            buffer_append_format(&text,
                                 "%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nbody %zu",
                                 method, path, i);
        else
            buffer_append_format(&text, "%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                                 method, path);
    }
    int fd = raw_connect(hook.daemon.port);
    ck_assert_int_eq(raw_send(fd, text.data, text.bytes), 0);
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        raw_read_answer(fd, &response);
        ck_assert_int_eq(response.status, statuses[i]);
        if (response.status == 201) {
            char body[16];
            snprintf(body, sizeof(body), "body %zu", i);
            hook_assert_body(&hook, response.run_id, body, i % 2 == 0 ? 6 : 0);
        }
        response_free(&response);
    }
    close(fd);
    ck_assert_uint_eq(hook_count_runs(&hook), 4);
    free(unknown);
    buffer_free(&text);
    hook_finish(&hook);
}

/* A sender or a proxy would meet a socket on which no process listens. */
TEST(files_of_unix_sockets_are_removed_at_a_stop_unless_they_are_another_s)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    char *hooks = memory_format("%s/hooks.sock", daemon.folder);
    char *admin = memory_format("%s/admin-tcp.sock", daemon.folder);
    char *text = memory_format("state_dir = \"%s\"\nmin_free = \"0\"\n"
                               "hooks { listen = \"unix:%s\" }\n"
                               "admin { listen = \"unix:%s\" socket = \"%s\" }\n"
                               "runner { enabled = false sandbox = \"off\" }\n",
                               daemon.state_dir, hooks, admin, daemon.socket);
    for (int replaced = 0; replaced < 2; replaced++) {
        free(daemon_write_file(&daemon, "webhookd.conf", text, strlen(text)));
        daemon_restart(&daemon);
        ck_assert_int_eq(access(hooks, F_OK), 0);
        ck_assert_int_eq(access(admin, F_OK), 0);
        if (replaced) {
            ck_assert_int_eq(unlink(hooks), 0);
            free(daemon_write_file(&daemon, "hooks.sock", "another's", 9));
        }
        ck_assert_int_eq(daemon_stop(&daemon), 0);
        ck_assert_int_eq(access(hooks, F_OK), replaced ? 0 : -1);
        ck_assert_int_eq(access(admin, F_OK), -1);
        ck_assert_int_eq(access(daemon.socket, F_OK), -1);
    }
    free(text);
    free(admin);
    free(hooks);
    daemon_finish(&daemon);
}

TEST(listener_can_be_a_unix_socket)
{
    struct hook hook;
    struct response response;
    struct daemon *daemon = &hook.daemon;
    daemon_prepare(daemon, &plain);
    janitor_watch(daemon->folder);
    char *config = memory_format("state_dir = \"%s\"\nmin_free = \"0\"\n"
                                 "hooks {\n listen = \"unix:%s/hooks.sock\"\n}\n"
                                 "admin {\n listen = \"\"\n socket = \"%s\"\n}\n"
                                 "runner {\n sandbox = \"off\"\n enabled = false\n}\n",
                                 daemon->state_dir, daemon->folder, daemon->socket);
    free(daemon_write_file(daemon, "webhookd.conf", config, strlen(config)));
    char *socket_path = memory_format("%s/hooks.sock", daemon->folder);
    daemon_restart(daemon);
    hook_take(&hook);
    char *large = make_body(100 * KIB);
    char *url = memory_format("http://hooks.example%s", hook.path);
    http_request_over(socket_path, "POST", url, FORWARDED("X-Forwarded-For: 192.0.2.7"), "small", 5,
                      &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, "small", 5);
    json_t *run = hook_run(&hook, response.run_id);
    ck_assert_str_eq(api_text(run, "host"), "hooks.example");
    ck_assert_str_eq(api_text(run, "remote_addr"), "");
    json_decref(run);
    response_free(&response);
    http_request_over(socket_path, "POST", url, NULL, large, 100 * KIB, &response);
    assert_accepted(&response);
    hook_assert_body(&hook, response.run_id, large, 100 * KIB);
    response_free(&response);
    daemon_await_log(daemon, "status=201 from=unix bytes=102400 ");
    daemon_kill(daemon);
    daemon_restart(daemon); /* replaces the socket file that the killed daemon left */
    http_request_over(socket_path, "POST", url, NULL, "again", 5, &response);
    assert_accepted(&response);
    response_free(&response);
    free(large);
    free(url);
    free(socket_path);
    free(config);
    hook_finish(&hook);
}

/* ---- 503 ---- */

TEST(full_disk_gets_503_with_Retry_After_and_readyz_gives_the_reason)
{
    struct hook hook;
    struct response response;
    hook_begin(&hook, &(struct daemon_options){.top = "min_free = \"1023GiB\""});
    http_post(hook.url, NULL, "x", 1, &response);
    assert_refused(&response, 503, true);
    char *retry = response_header(&response, "Retry-After");
    ck_assert_msg(retry && atoi(retry) > 0, "Retry-After: %s", retry ? retry : "missing");
    free(retry);
    response_free(&response);

    char *ready = memory_format("http://127.0.0.1:%u/readyz", hook.daemon.admin_port);
    char *alive = memory_format("http://127.0.0.1:%u/healthz", hook.daemon.admin_port);
    http_request("GET", ready, NULL, NULL, 0, &response);
    assert_refused(&response, 503, true);
    ck_assert_ptr_nonnull(strstr(response.body, "min_free"));
    response_free(&response);
    http_request("GET", alive, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    hook_finish(&hook);

    hook_begin(&hook, &plain);
    free(ready);
    ready = memory_format("http://127.0.0.1:%u/readyz", hook.daemon.admin_port);
    http_request("GET", ready, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    free(ready);
    free(alive);
    hook_finish(&hook);
}
