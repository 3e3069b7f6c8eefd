/* Invariant 7 from outside: whatever is done, neither a token nor the key nor a body appears in the log, the metrics, an error, a
 * process's arguments or environment; and the store holds no token in the clear. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/secret.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define MARK "recognisable-body-4711"

static const struct daemon_options debugging = {.top = "min_free = \"0\"\nlog_level = \"debug\""};

/* ---- what must not appear ---- */

struct needle {
    const char *what;
    char *bytes;
    size_t count;
};

struct needles {
    struct needle items[64];
    size_t count;
};

static void add(struct needles *needles, const char *what, const void *bytes, size_t count)
{
    ck_assert_uint_lt(needles->count, ARRAY_COUNT(needles->items));
    needles->items[needles->count++] = (struct needle){what, memory_copy(bytes, count), count};
}

/* As it is, in both kinds of hexadecimal digits, and in base64 (without what depends on its neighbours: the padding). */
static void add_forms(struct needles *needles, const char *what, const void *bytes, size_t count)
{
    char hex[256], base64[256];
    add(needles, what, bytes, count);
    sodium_bin2hex(hex, sizeof(hex), bytes, count);
    add(needles, what, hex, strlen(hex));
    for (char *c = hex; *c; c++)
        *c = (char)(*c >= 'a' ? *c - 32 : *c);
    add(needles, what, hex, strlen(hex));
    sodium_bin2base64(base64, sizeof(base64), bytes, count - count % 3,
                      sodium_base64_VARIANT_ORIGINAL);
    add(needles, what, base64, strlen(base64));
}

/* A token is its 36 characters behind whk_; also without its first and its last few. */
static void add_token(struct needles *needles, const char *url)
{
    const char *token = url_path(url) + strlen("/hooks/");
    ck_assert_uint_eq(strlen(token), SECRET_TOKEN_CHARS);
    add_forms(needles, "a token", token, SECRET_TOKEN_CHARS);
    add(needles, "a token's middle", token + 8, 24);
}

static void add_key(struct needles *needles, const struct daemon *daemon)
{
    uint8_t key[SECRET_KEY_BYTES];
    char *path = memory_format("%s/secret.key", daemon->state_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(fd, key, sizeof(key)), (ssize_t)sizeof(key));
    close(fd);
    free(path);
    add_forms(needles, "the key", key, sizeof(key));
}

static void assert_clean(const struct needles *needles, const char *where, const void *bytes,
                         size_t count)
{
    for (size_t i = 0; i < needles->count; i++) {
        const struct needle *needle = &needles->items[i];
        ck_assert_msg(memmem(bytes, count, needle->bytes, needle->count) == NULL, "%s is in %s",
                      needle->what, where);
    }
}

static void needles_free(struct needles *needles)
{
    for (size_t i = 0; i < needles->count; i++)
        free(needles->items[i].bytes);
    needles->count = 0;
}

/* ---- where it must not appear ---- */

static void read_into(const char *path, struct buffer *into)
{
    char piece[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (ssize_t bytes; (bytes = read(fd, piece, sizeof(piece))) > 0;)
        buffer_append(into, piece, (size_t)bytes);
    close(fd);
}

static void assert_file_clean(const struct needles *needles, const char *path)
{
    struct buffer text = BUFFER_INIT;
    read_into(path, &text);
    assert_clean(needles, path, buffer_text(&text), text.bytes);
    buffer_free(&text);
}

static bool is_ours(const char *pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
    FILE *file = fopen(path, "re");
    bool ours = file && fgets(name, sizeof(name), file) && strncmp(name, "webhookd", 8) == 0;
    if (file)
        fclose(file);
    return ours;
}

/* Arguments and environments of webhookd and of its supervisors. Returns how many were looked at. */
static int assert_processes_clean(const struct needles *needles)
{
    int count = 0;
    DIR *stream = opendir("/proc");
    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || !is_ours(entry->d_name))
            continue;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%.16s/cmdline", entry->d_name);
        assert_file_clean(needles, path);
        snprintf(path, sizeof(path), "/proc/%.16s/environ", entry->d_name);
        assert_file_clean(needles, path);
        count++;
    }
    closedir(stream);
    return count;
}

static void assert_answer_clean(struct daemon *daemon, const struct needles *needles,
                                const char *path)
{
    struct response response;
    api_call(daemon, "GET", path, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    assert_clean(needles, path, response.headers, strlen(response.headers));
    assert_clean(needles, path, response.body, response.body_bytes);
    response_free(&response);
}

/* ---- doing everything that has to do with them ---- */

static void post(const char *url, const char *const *headers, size_t bytes, int expected)
{
    struct response response;
    char *body = memory_alloc(bytes + sizeof(MARK));
    for (size_t at = 0; at < bytes; at += sizeof(MARK) - 1)
        memcpy(body + at, MARK, at + sizeof(MARK) - 1 > bytes ? bytes - at : sizeof(MARK) - 1);
    http_post(url, headers, body, bytes, &response);
    ck_assert_int_eq(response.status, expected);
    response_free(&response);
    http_post_chunked(url, body, bytes, &response);
    response_free(&response);
    free(body);
}

/* Requests that are refused, each for another reason, with a good token in the path. */
static void provoke(const struct daemon *daemon, const char *path)
{
    static const char *const formats[] = {
        "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST %s/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST %s%%20 HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" MARK,
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\nX Y: " MARK "\r\n\r\n" MARK,
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "POST /other%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST //%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST %s HTTP/9.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "nonsense %s\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        struct buffer text = BUFFER_INIT;
        const char *mark = strstr(formats[i], "%s");
        buffer_append(&text, formats[i], (size_t)(mark - formats[i]));
        buffer_append_text(&text, path);
        buffer_append_text(&text, mark + 2);
        free(raw_exchange(daemon->port, buffer_text(&text), text.bytes));
        buffer_free(&text);
    }
    /* A body that never ends. */
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" MARK, path);
    int fd = raw_connect(daemon->port);
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    close(fd);
    free(head);
}

static char *here(const struct daemon *daemon, const char *url)
{
    return memory_format("http://127.0.0.1:%u%s", daemon->port, url_path(url));
}

START_TEST(token_key_and_body_appear_nowhere)
{
    static const char *const headers[] = {"X-Signature: " MARK, NULL};
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    add_key(&needles, &daemon);
    add(&needles, "a body", MARK, strlen(MARK));
    char *fleet = bash_fleet("Secret", "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\" > copy; exec sleep 1000");
    char *path = daemon_write_file(&daemon, "fleet.yaml", fleet, strlen(fleet));
    free(ctl_ok(&daemon, "fleet", "apply", path, NULL));
    char *first = ctl_ok(&daemon, "webhook", "create", "Secret", NULL), *url = here(&daemon, first);
    add_token(&needles, first);
    post(url, headers, 100, 201);
    post(url, headers, 200000, 201);
    provoke(&daemon, url_path(url));
    char *second = ctl_ok(&daemon, "webhook", "replace", "Secret", NULL);
    add_token(&needles, second);
    post(url, headers, 100, 400); /* the old one */
    post(url, headers, 200000, 400);
    free(url);
    url = here(&daemon, second);
    char *mistyped = memory_string(url);
    mistyped[strlen(mistyped) - 1] ^= 1;
    post(mistyped, headers, 100, 400);
    post(url, headers, 100, 201);
    char *out;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "webhook", "create", "Secret", NULL), 1);
    assert_clean(&needles, "webhookctl's error", out, strlen(out));
    free(out);
    api_await_status(&daemon, "", "");
}
END_TEST
