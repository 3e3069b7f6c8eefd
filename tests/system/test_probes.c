/* Requests that two parsers may interpret differently. A second request follows each of them, as a
 * smuggler would send it. The response is a single refusal, the connection closes, and no run is
 * created. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/hook.h"
#include "support/suite.h"

static const struct daemon_options plain;

/* `text` has %PATH% for the webhook's path and %0% for a NUL byte. */
struct probe {
    const char *what, *text;
    /* The status; 0: closed without a response, or refused by libmicrohttpd before webhookd. */
    size_t refused;
};

static char *replace(const char *text, const char *path, size_t *bytes)
{
    struct buffer out = BUFFER_INIT;
    while (*text) {
        if (strncmp(text, "%PATH%", 6) == 0) {
            buffer_append_text(&out, path);
            text += 6;
        } else if (strncmp(text, "%0%", 3) == 0) {
            buffer_append_char(&out, '\0');
            text += 3;
        } else {
            buffer_append_char(&out, *text++);
        }
    }
    *bytes = out.bytes;
    return buffer_take(&out);
}

/* Returns "HTTP/1.1 400 …" and what follows as a response. */
static struct response parse(const char *answer)
{
    struct response response = {.status = atoi(answer + strlen("HTTP/1.1 "))};
    const char *end = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    response.headers = memory_string_n(answer, (size_t)(end + 4 - answer));
    response.body = memory_string(end + 4);
    response.body_bytes = strlen(response.body);
    return response;
}

/* Sends the probe and a second request on a connection of its own, and checks the response. */
static void send_probe(struct hook *hook, const struct probe *probe)
{
    size_t bytes;
    char *with_second = memory_format("%sPOST %%PATH%% HTTP/1.1\r\nHost: h\r\n"
                                      "Content-Length: 8\r\n\r\nsmuggled",
                                      probe->text);
    char *text = replace(with_second, hook->path, &bytes);
    int fd = raw_connect(hook->daemon.port);
    int closed;
    (void)raw_send(fd, text, bytes);
    char *answer = raw_receive(fd, 10000, &closed);
    close(fd);
    ck_assert_msg(closed, "%s: the connection stays open after: %s", probe->what, answer);
    if (probe->refused == 0) {
        /* libmicrohttpd's own refusals contain their headers twice, so they are not counted. */
        ck_assert_msg(answer[0] == '\0' || strncmp(answer, "HTTP/1.1 4", 10) == 0 ||
                          strncmp(answer, "HTTP/1.1 505 ", 13) == 0,
                      "%s: %s", probe->what, answer);
    } else {
        ck_assert_msg(count_answers(answer) == 1 && strncmp(answer, "HTTP/1.1 4", 10) == 0,
                      "%s: %s", probe->what, answer);
        struct response response = parse(answer);
        assert_refused(&response, (int)probe->refused, true);
        char *connection = response_header(&response, "Connection");
        ck_assert_msg(connection && strcmp(connection, "close") == 0, "%s: Connection: %s",
                      probe->what, connection ? connection : "missing");
        free(connection);
        response_free(&response);
    }
    free(answer);
    free(text);
    free(with_second);
}

/* Sends one probe after the other and checks after each that no run exists, so that the message
 * names the probe. */
static void check_probes(const struct probe *probes, size_t count)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    for (size_t i = 0; i < count; i++) {
        send_probe(&hook, &probes[i]);
        size_t runs = hook_count_runs(&hook);
        ck_assert_msg(runs == 0, "%s: %zu runs", probes[i].what, runs);
    }
    struct response response;
    http_post(hook.url, NULL, "still", 5, &response);
    assert_accepted(&response);
    response_free(&response);
    hook_finish(&hook);
}

#define POST "POST %PATH% HTTP/1.1\r\nHost: h\r\n"

TEST(request_whose_length_is_ambiguous_is_refused)
{
    static const struct probe probes[] = {
        {"a length and chunks",
         POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"chunks and a length",
         POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {"a length of 0 and chunks",
         POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"two lengths", POST "Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello", 400},
        {"two lengths, the larger one first",
         POST "Content-Length: 50\r\nContent-Length: 5\r\n\r\nhello", 400},
        {"two equal lengths", POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 400},
        {"two encodings",
         POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"no length in HTTP/1.0", "POST %PATH% HTTP/1.0\r\nHost: h\r\n\r\nhello", 400},
        {"an encoding in HTTP/1.0",
         "POST %PATH% HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"a length with a space before the colon", POST "Content-Length : 5\r\n\r\nhello", 400},
        {"a length with a tab before the colon", POST "Content-Length\t: 5\r\n\r\nhello", 400},
        {"an encoding with a space before the colon",
         POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
        {"a header that begins with Content-Length", POST "Content-Length5: 5\r\n\r\nhello", 400},
        {"a header that begins with Transfer-Encoding",
         POST "Transfer-Encodings: chunked\r\n\r\n0\r\n\r\n", 400},
        {"a folded length", POST "Content-Length:\r\n 5\r\n\r\nhello", 400},
        {"a folded encoding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
        {"an encoding folded with a tab", POST "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n",
         400},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

TEST(length_that_is_not_a_number_is_refused)
{
    static const struct probe probes[] = {
        {"a sign", POST "Content-Length: +5\r\n\r\nhello", 0},
        {"a negative number", POST "Content-Length: -5\r\n\r\nhello", 0},
        {"hexadecimal", POST "Content-Length: 0x5\r\n\r\nhello", 0},
        {"a list", POST "Content-Length: 5, 5\r\n\r\nhello", 0},
        {"a space inside", POST "Content-Length: 5 5\r\n\r\nhello", 0},
        {"a fraction", POST "Content-Length: 5.0\r\n\r\nhello", 0},
        {"an empty value", POST "Content-Length:\r\n\r\nhello", 0},
        {"a word", POST "Content-Length: five\r\n\r\nhello", 0},
        {"more than 64 bits", POST "Content-Length: 18446744073709551621\r\n\r\nhello", 0},
        {"far more than 64 bits", POST "Content-Length: 99999999999999999999999999\r\n\r\nhello",
         0},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

TEST(encoding_other_than_chunked_is_refused_immediately)
{
    static const struct probe probes[] = {
        {"gzip", POST "Transfer-Encoding: gzip\r\n\r\n", 400},
        {"identity", POST "Transfer-Encoding: identity\r\n\r\n", 400},
        {"gzip, then chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
        {"chunked, then identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
         400},
        {"chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
        {"a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400},
        {"a longer word", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
        {"quoted", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
        {"a vertical tab before it", POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
        {"an empty value", POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400},
        {"a blank behind it", POST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n", 400},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

TEST(request_without_exactly_one_host_is_refused)
{
    static const struct probe probes[] = {
        {"no host", "POST %PATH% HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
        {"two hosts", POST "Host: other\r\nContent-Length: 0\r\n\r\n", 400},
        {"two equal hosts", POST "host: h\r\nContent-Length: 0\r\n\r\n", 400},
        {"a space in the host", "POST %PATH% HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
         400},
        {"markup", "POST %PATH% HTTP/1.1\r\nHost: <script>\r\nContent-Length: 0\r\n\r\n", 400},
        {"a path", "POST %PATH% HTTP/1.1\r\nHost: h/x\r\nContent-Length: 0\r\n\r\n", 400},
        {"a user", "POST %PATH% HTTP/1.1\r\nHost: u@h\r\nContent-Length: 0\r\n\r\n", 400},
        {"a port that is not a number",
         "POST %PATH% HTTP/1.1\r\nHost: h:80x\r\nContent-Length: 0\r\n\r\n", 400},
        {"an IPv6 address without brackets",
         "POST %PATH% HTTP/1.1\r\nHost: 2001:db8::1\r\nContent-Length: 0\r\n\r\n", 400},
        {"brackets without an address",
         "POST %PATH% HTTP/1.1\r\nHost: [h]\r\nContent-Length: 0\r\n\r\n", 400},
        {"a bracket that is never closed",
         "POST %PATH% HTTP/1.1\r\nHost: [::1\r\nContent-Length: 0\r\n\r\n", 400},
        {"two hosts in HTTP/1.0", "POST %PATH% HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", 400},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

TEST(malformed_header_is_refused)
{
    static const struct probe probes[] = {
        {"a space in a name", POST "Bad Name: x\r\nContent-Length: 0\r\n\r\n", 400},
        {"a space before the colon", POST "X-Name : x\r\nContent-Length: 0\r\n\r\n", 400},
        {"a parenthesis in a name", POST "X(Name): x\r\nContent-Length: 0\r\n\r\n", 400},
        {"a byte over 127 in a name", POST "X-N\xc3\xa4me: x\r\nContent-Length: 0\r\n\r\n", 400},
        {"a control byte in a name", POST "X-\001Name: x\r\nContent-Length: 0\r\n\r\n", 400},
        {"no colon", POST "X-Name x\r\nContent-Length: 0\r\n\r\n", 0},
        {"a bare CR in a value", POST "X-Name: a\rContent-Length: 5\r\nContent-Length: 0\r\n\r\n",
         400},
        {"a control byte in a value", POST "X-Name: a\001b\r\nContent-Length: 0\r\n\r\n", 400},
        {"DEL in a value", POST "X-Name: a\177b\r\nContent-Length: 0\r\n\r\n", 400},
        {"an unknown expectation", POST "Expect: bogus\r\nContent-Length: 0\r\n\r\n", 400},
        {"an expectation and more", POST "Expect: 100-continue, x\r\nContent-Length: 0\r\n\r\n",
         400},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

#define REST " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"

TEST(malformed_request_line_is_refused)
{
    static const struct probe probes[] = {
        {"a percent in the path", "POST %PATH%%41" REST, 400},
        {"an escaped slash", "POST /hooks%2Fwhk_" REST, 400},
        {"an escaped path outside of /hooks", "POST /%2e%2e/hooks/x" REST, 400},
        {"an escaped NUL", "POST %PATH%%00" REST, 400},
        {"a NUL in the path", "POST %PATH%%0%x" REST, 400},
        {"a NUL in the query", "POST %PATH%?a%0%b" REST, 400},
        {"a control byte in the path", "POST %PATH%\001" REST, 400},
        {"a tab in the path", "POST %PATH%\tx" REST, 400},
        {"a control byte in the query", "POST %PATH%?a\001b" REST, 400},
        {"a bare CR in the query", "POST %PATH%?a\rb" REST, 400},
        {"a space in the query", "POST %PATH%?a b" REST, 400},
        {"a space in the path", "POST %PATH% x" REST, 400},
        {"no slash before the path", "POST hooks/x" REST, 400},
        {"the authority form", "CONNECT h:80" REST, 400},
        {"the asterisk form", "OPTIONS *" REST, 400},
        {"the absolute form without a host", "POST http://%PATH%" REST, 400},
        {"the absolute form with a user", "POST http://u@h%PATH%" REST, 400},
        {"the absolute form of another scheme", "POST ftp://h%PATH%" REST, 400},
        {"HTTP/1.2", "POST %PATH% HTTP/1.2\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 400},
        {"HTTP/2.0", "POST %PATH% HTTP/2.0\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0},
        {"HTTP/0.9", "POST %PATH% HTTP/0.9\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0},
        {"HTTP/1.10", "POST %PATH% HTTP/1.10\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0},
        {"lower case", "POST %PATH% http/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0},
        {"no version", "POST %PATH%\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 0},
        {"a method that is not a token", "PO(ST %PATH%" REST, 400},
        {"a line of control bytes", "\001\002\003\r\n\r\n", 0},
        {"TLS", "\x16\x03\x01\x02\x01\x01\x01\r\n\r\n", 0},
        {"another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

TEST(malformed_chunks_create_no_run)
{
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    static const struct probe probes[] = {
        {"a size that is not a number", CHUNKED "xyz\r\nhello\r\n0\r\n\r\n", 0},
        {"a negative size", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", 0},
        {"a size with 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 0},
        {"a size over 64 bits", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 0},
        {"a chunk longer than its size", CHUNKED "3\r\nhello\r\n0\r\n\r\n", 0},
        {"no size", CHUNKED "\r\nhello\r\n0\r\n\r\n", 0},
    };
    check_probes(probes, ARRAY_COUNT(probes));
}

/* A well-formed request first, then a probe on the same connection: one 201, one refusal, one
 * run. */
TEST(probe_after_a_well_formed_request_is_refused_too)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
                               "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                               "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                               hook.path, hook.path, hook.path);
    int fd = raw_connect(hook.daemon.port);
    struct response response;
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
    raw_read_answer(fd, &response);
    assert_accepted(&response);
    response_free(&response);
    raw_read_answer(fd, &response);
    assert_refused(&response, 400, true);
    response_free(&response);
    raw_await_close(fd);
    close(fd);
    ck_assert_uint_eq(hook_count_runs(&hook), 1);
    free(text);
    hook_finish(&hook);
}

/* The rest of an unread body that libmicrohttpd leaves is not parsed as a request. */
TEST(body_of_a_refused_request_is_never_a_request)
{
    static const char *const paths[] = {"/elsewhere", "/hooks/x", NULL};
    struct hook hook;
    hook_begin(&hook, &plain);
    char *unknown = hook_unknown_path();
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        for (int large = 0; large < 2; large++) {
            char *smuggled = memory_format(
                "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", hook.path);
            struct buffer body = BUFFER_INIT;
            while (body.bytes < (large ? 200000 : 1))
                buffer_append_text(&body, smuggled);
            char *head = memory_format("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
                                       paths[i] ? paths[i] : unknown, body.bytes);
            /* On a connection that stays open, this request is answered too, and ends it. */
            buffer_append_text(&body, "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            int closed, fd = raw_connect(hook.daemon.port);
            (void)raw_send(fd, head, strlen(head));
            (void)raw_send(fd, body.data, body.bytes);
            char *answer = raw_receive(fd, 10000, &closed);
            ck_assert_msg(closed && count_answers(answer) <= 2, "%s", answer);
            ck_assert_ptr_null(strstr(answer, "HTTP/1.1 201"));
            close(fd);
            free(answer);
            free(head);
            buffer_free(&body);
            free(smuggled);
        }
    }
    ck_assert_uint_eq(hook_count_runs(&hook), 0);
    free(unknown);
    hook_finish(&hook);
}
