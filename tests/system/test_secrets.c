/* Invariant 7 from outside: whatever happens, no token, key or body appears in the log, the
 * metrics, an error, or the arguments or environment of a process; and the store contains no token
 * in the clear. */
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
#include "support/janitor.h"
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

/* Adds the bytes themselves, in hexadecimal digits of both cases, and in base64 (without the last
 * bytes, whose encoding depends on what follows them). */
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

/* Adds the token, and its middle without the first and last characters. */
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
        ck_assert_msg(!memmem(bytes, count, needle->bytes, needle->count), "%s is in %s",
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

/* Checks the arguments and environments of webhookd and its supervisors. Returns the number of
 * processes checked. */
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

/* ---- everything that involves secrets ---- */

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

/* Sends requests that are refused for different reasons, each with a valid token in the path. */
static void provoke(const struct daemon *daemon, const char *path)
{
    static const char *const formats[] = {
        "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST %s/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST %s%%20 HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
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
    char *head =
        memory_format("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" MARK, path);
    int fd = raw_connect(daemon->port);
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    close(fd);
    free(head);
}

static char *here(const struct daemon *daemon, const char *url)
{
    return memory_format("http://127.0.0.1:%u%s", daemon->port, url_path(url));
}

/* Creates a fleet whose vessel keeps running, so that the test can inspect its supervisor. */
static char *make_fleet(struct daemon *daemon)
{
    char *fleet =
        bash_fleet("Secret", "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\" > copy; exec sleep 1000");
    char *path = daemon_write_file(daemon, "fleet.yaml", fleet, strlen(fleet));
    free(ctl_ok(daemon, "fleet", "apply", path, NULL));
    free(fleet);
    free(path);
    return ctl_ok(daemon, "webhook", "create", "Secret", NULL);
}

static void assert_ctl_error_clean(struct daemon *daemon, const struct needles *needles,
                                   const char *verb)
{
    char *out;
    ck_assert_int_eq(ctl(daemon, &out, NULL, NULL, "webhook", verb, "Secret", NULL), 1);
    assert_clean(needles, "webhookctl's error", out, strlen(out));
    free(out);
}

/* Invariant 7. */
TEST(token_key_and_body_appear_in_no_log_metric_error_or_process)
{
    static const char *const headers[] = {"X-Signature: " MARK, NULL};
    static const char *const calls[] = {"/metrics", "/readyz", "/api/v1/status",
                                        "/api/v1/fleetruns", "/api/v1/fleets"};
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    add_key(&needles, &daemon);
    add(&needles, "a body", MARK, strlen(MARK));
    char *first = make_fleet(&daemon), *old_url = here(&daemon, first);
    add_token(&needles, first);
    post(old_url, headers, 100, 201);
    post(old_url, headers, 200000, 201);
    provoke(&daemon, url_path(old_url));
    char *second = ctl_ok(&daemon, "webhook", "replace", "Secret", NULL);
    char *new_url = here(&daemon, second);
    add_token(&needles, second);
    post(old_url, headers, 100, 400);
    /* Such a request is refused before its body: without Expect the sender may see no response. */
    static const char *const expecting[] = {"X-Signature: " MARK, "Expect: 100-continue", NULL};
    post(old_url, expecting, 200000, 400);
    char *mistyped = memory_string(new_url);
    mistyped[strlen(mistyped) - 1] ^= 1;
    post(mistyped, headers, 100, 400);
    post(new_url, headers, 100, 201);
    free(ctl_ok(&daemon, "run", "again", "latest", NULL));
    assert_ctl_error_clean(&daemon, &needles, "create");
    json_t *runs = api_get(&daemon, "/fleetruns?limit=1000");
    const json_t *run = json_array_get(json_object_get(runs, "fleetruns"), 0);
    json_decref(api_await_status(&daemon, api_text(run, "id"), "running"));
    json_decref(runs);
    while (api_metric(&daemon, "vessels_running") < 2)
        usleep(5000);

    for (size_t i = 0; i < ARRAY_COUNT(calls); i++)
        assert_answer_clean(&daemon, &needles, calls[i]);
    ck_assert_int_ge(janitor_signal_supervisors(daemon.folder, 0), 2);
    ck_assert_int_ge(assert_processes_clean(&needles), 3);
    free(ctl_ok(&daemon, "webhook", "remove", "Secret", NULL));
    post(new_url, headers, 100, 400);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    assert_file_clean(&needles, daemon.log);
    char *log = daemon_log(&daemon);
    ck_assert_ptr_nonnull(strstr(log, "status=201")); /* the log covers all of this */
    ck_assert_ptr_nonnull(strstr(log, "webhook replaced"));
    free(log);
    char *freed[] = {mistyped, new_url, second, old_url, first};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    needles_free(&needles);
    daemon_finish(&daemon);
}

/* Invariant 7. */
TEST(wrong_and_missing_keys_are_reported_without_key_or_token)
{
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    add_key(&needles, &daemon);
    char *url = make_fleet(&daemon);
    add_token(&needles, url);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *key = memory_format("%s/secret.key", daemon.state_dir);
    uint8_t wrong[SECRET_KEY_BYTES];
    randombytes_buf(wrong, sizeof(wrong));
    add_forms(&needles, "the wrong key", wrong, sizeof(wrong));
    ck_assert_int_eq(unlink(key), 0);
    daemon_restart(&daemon);
    assert_ctl_error_clean(&daemon, &needles, "show");
    int fd = open(key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, wrong, sizeof(wrong)), (ssize_t)sizeof(wrong));
    close(fd);
    assert_ctl_error_clean(&daemon, &needles, "show");
    assert_ctl_error_clean(&daemon, &needles, "replace");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    assert_file_clean(&needles, daemon.log);
    free(key);
    free(url);
    needles_free(&needles);
    daemon_finish(&daemon);
}

static void assert_withheld(struct daemon *daemon, const char *run_id, const char *expected)
{
    json_t *run = api_get(daemon, "/fleetruns/%s", run_id);
    char *names = json_dumps(json_object_get(run, "withheld"), JSON_COMPACT);
    ck_assert_pstr_eq(names, expected);
    free(names);
    json_decref(run);
}

/* A browser or a client sends its session or its key to the public listener by mistake. */
TEST(sessions_and_keys_that_are_sent_to_a_webhook_are_not_stored)
{
    static const char *const files[] = {"webhookd.db", "webhookd.db-wal"};
    static const char all_names[] =
        "[\"Authorization\",\"Cookie\",\"?k\",\"?wha_…\",\"?wha_….wha_…\"]";
    static const char session[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    char *key = ctl_ok(&daemon, "key", "create", "mistake", NULL);
    char *shown = make_fleet(&daemon), *url = here(&daemon, shown);
    char *with_key = memory_format("%s?a=1&k=%s&b=2&c=wha_short&%s.%s=%s", url, key, key, key, key);
    char *bearer = memory_format("Authorization: Bearer %s", key);
    char *cookie = memory_format("Cookie: one=1; webhookd_session=%s;two=2", session);
    char *alone = memory_format("Cookie: webhookd_session=%s", session);
    const char *const both[] = {bearer, cookie, "X-Plain: stays", NULL};
    const char *const only[] = {alone, "Authorization: Basic b3RoZXI6b25l", NULL};
    add(&needles, "an API key", key, SECRET_TOKEN_CHARS);
    add(&needles, "a session", session, strlen(session));
    post(with_key, both, 100, 201);
    post(url, only, 100, 201);

    json_t *runs = api_get(&daemon, "/fleetruns");
    const json_t *list = json_object_get(runs, "fleetruns");
    const char *first_id = api_text(json_array_get(list, 3), "id"); /* post() sends twice */
    json_t *run = api_get(&daemon, "/fleetruns/%s", first_id);
    json_t *first = api_get(&daemon, "/fleetruns/%s/headers", first_id);
    json_t *last =
        api_get(&daemon, "/fleetruns/%s/headers", api_text(json_array_get(list, 1), "id"));
    char *query = json_dumps(run, JSON_COMPACT);
    assert_withheld(&daemon, first_id, all_names);
    char *text = json_dumps(first, JSON_COMPACT), *other = json_dumps(last, JSON_COMPACT);
    ck_assert_ptr_nonnull(strstr(text, "\"Cookie\":[\"one=1; two=2\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"X-Plain\":[\"stays\"]"));
    ck_assert_ptr_nonnull(strstr(query, "a=1&k=wha_…&b=2&c=wha_short&wha_….wha_…=wha_…"));
    ck_assert_ptr_null(strstr(text, "Authorization"));
    ck_assert_ptr_null(strstr(other, "Cookie"));
    ck_assert_ptr_nonnull(strstr(other, "Basic b3RoZXI6b25l"));
    assert_withheld(&daemon, api_text(json_array_get(list, 1), "id"), "[\"Cookie\"]");
    char *shown_run = ctl_ok(&daemon, "run", "show", first_id, NULL);
    ck_assert_ptr_nonnull(strstr(shown_run, "Withheld    Authorization, Cookie, ?k, ?wha_…, "));
    free(shown_run);
    char *again = ctl_ok(&daemon, "run", "again", first_id, NULL); /* the input is the same */
    assert_withheld(&daemon, again, all_names);
    char *fresh = ctl_ok(&daemon, "run", "start", "Secret", NULL);
    assert_withheld(&daemon, fresh, "[]");
    free(fresh);
    free(again);
    daemon_await_log(&daemon, "warning: an API key or a session was sent to a webhook");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    assert_file_clean(&needles, daemon.log);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        char *path = memory_format("%s/%s", daemon.state_dir, files[i]);
        if (access(path, F_OK) == 0)
            assert_file_clean(&needles, path);
        free(path);
    }
    free(other);
    free(text);
    free(query);
    json_decref(run);
    json_decref(first);
    json_decref(last);
    json_decref(runs);
    free(alone);
    free(cookie);
    free(bearer);
    free(with_key);
    free(url);
    free(shown);
    free(key);
    needles_free(&needles);
    daemon_finish(&daemon);
}

/* Invariant 7. */
TEST(store_holds_no_token_in_the_clear)
{
    static const char *const files[] = {"webhookd.db", "webhookd.db-wal", "webhookd.db-shm"};
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    add_key(&needles, &daemon);
    char *first = make_fleet(&daemon);
    add_token(&needles, first);
    char *url = here(&daemon, first);
    post(url, NULL, 100, 201);
    char *second = ctl_ok(&daemon, "webhook", "replace", "Secret", NULL);
    add_token(&needles, second);
    for (int stopped = 0; stopped < 2; stopped++) {
        size_t seen = 0;
        for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
            char *path = memory_format("%s/%s", daemon.state_dir, files[i]);
            struct buffer bytes = BUFFER_INIT;
            read_into(path, &bytes);
            assert_clean(&needles, path, buffer_text(&bytes), bytes.bytes);
            seen += memmem(buffer_text(&bytes), bytes.bytes, MARK, strlen(MARK)) ? 1 : 0;
            buffer_free(&bytes);
            free(path);
        }
        ck_assert_uint_gt(seen, 0); /* the body is found, so this is the right place to search */
        if (!stopped)
            ck_assert_int_eq(daemon_stop(&daemon), 0);
    }
    free(second);
    free(url);
    free(first);
    needles_free(&needles);
    daemon_finish(&daemon);
}

/* Invariant 7. */
TEST(working_folder_of_a_vessel_holds_no_token)
{
    struct daemon daemon;
    struct needles needles = {.count = 0};
    daemon_begin(&daemon, &debugging);
    add_key(&needles, &daemon);
    char *fleet = bash_fleet("Seen", "tr '\\0' '\\n' < /proc/$$/environ; cat $HOME/*.webhook_* $0");
    char *url = daemon_fleet(&daemon, fleet);
    add_token(&needles, url);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    char *output = api_output(&daemon, run, "main");
    ck_assert_ptr_nonnull(strstr(output, "SHIPYARD_FLEET_ID="));
    assert_clean(&needles, "what a vessel sees", output, strlen(output));
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    needles_free(&needles);
    daemon_finish(&daemon);
}
