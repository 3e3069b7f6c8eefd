/* Real senders: curl, Python's Requests, Node's fetch, axios, and GitHub's example payloads. Each
 * gets 201, and what is stored is what it sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/secret.h"
#include "support/hook.h"
#include "support/node.h"
#include "support/suite.h"

#define CLIENTS "tests/system/clients"
#define PYTHON  "/usr/bin/python3"

static const struct daemon_options plain;

/* Runs a shell command without proxies and returns its output. Free it. Fails the test unless the
 * command exits with 0. */
static char *output_of(const char *command)
{
    struct buffer out = BUFFER_INIT;
    char piece[4096], *line = memory_format("no_proxy='*' NO_PROXY='*' %s", command);
    fflush(NULL);
    FILE *stream = popen(line, "r");
    ck_assert_ptr_nonnull(stream);
    for (size_t bytes; (bytes = fread(piece, 1, sizeof(piece), stream)) > 0;)
        buffer_append(&out, piece, bytes);
    int status = pclose(stream);
    char *text = buffer_take(&out);
    ck_assert_msg(status == 0, "%s: %d: %s", command, status, text);
    free(line);
    return text;
}

/* Checks that the SHA-256 of the body that webhookctl writes is the one that the client
 * reported. */
static void check_stored(struct hook *hook, const char *name, const char *run, const char *sha256)
{
    char *body, *complaint, text[2 * SECRET_HASH_BYTES + 1];
    uint8_t hash[SECRET_HASH_BYTES];
    size_t bytes;
    int status = ctl(&hook->daemon, &body, &bytes, &complaint, "run", "body", run, NULL);
    ck_assert_msg(status == 0, "%s: %s", name, complaint);
    secret_hash(body, bytes, hash);
    ck_assert_msg(strcmp(secret_hash_format(hash, text), sha256) == 0, "%s: %zu bytes differ", name,
                  bytes);
    free(body);
    free(complaint);
}

/* Checks lines of "name status run sha256": all are 201, all bodies are stored as sent, and there
 * are as many runs as lines. */
static void check_report(struct hook *hook, char *report, size_t at_least)
{
    size_t count = 0;
    char name[128], run[64], sha256[80], *rest = NULL;
    int status;
    for (char *line = strtok_r(report, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int fields = sscanf(line, "%127s %d %63s %79s", name, &status, run, sha256);
        ck_assert_msg(fields == 4, "unexpected line \"%s\"", line);
        ck_assert_msg(status == 201, "%s: %d", name, status);
        check_stored(hook, name, run, sha256);
        count++;
    }
    ck_assert_uint_ge(count, at_least);
    ck_assert_uint_eq(hook_count_runs(hook), count);
}

static void run_client(struct hook *hook, const char *command, size_t at_least)
{
    char *line = memory_format("%s %s", command, hook->url);
    char *report = output_of(line);
    check_report(hook, report, at_least);
    free(report);
    free(line);
}

/* ---- curl ---- */

/* Runs curl with these arguments, expects this status, and returns the run's id. Free it. */
static char *curl(struct hook *hook, const char *arguments, int expected)
{
    char *command = memory_format("curl -sS -w '%%{http_code}' %s %s", arguments, hook->url);
    char *out = output_of(command);
    size_t bytes = strlen(out);
    ck_assert_msg(bytes > 3 && atoi(out + bytes - 3) == expected, "curl %s: %s", arguments, out);
    static const char key[] = "\"fleet_run_id\":\"";
    const char *at = strstr(out, key);
    char *run = at ? memory_string_n(at + sizeof(key) - 1, 36) : NULL;
    free(out);
    free(command);
    return run;
}

static void check_curl(struct hook *hook, const char *arguments, const void *body, size_t bytes)
{
    char *run = curl(hook, arguments, 201);
    ck_assert_ptr_nonnull(run);
    hook_assert_body(hook, run, body, bytes);
    free(run);
}

TEST(curl_posts_in_every_way_it_can)
{
    if (!node_succeeds("curl --version >/dev/null 2>&1")) {
        test_skip("curl is not installed");
        return;
    }
    static const char event[] = "{\"action\": \"opened\", \"number\": 1}";
    struct hook hook;
    hook_begin(&hook, &plain);
    static char large[2 * 1024 * 1024 + 3];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 31 + i / 4096);
    char *small_path = daemon_write_file(&hook.daemon, "event.json", event, strlen(event));
    char *large_path = daemon_write_file(&hook.daemon, "large.bin", large, sizeof(large));
    struct {
        const char *format, *path;
        const void *body;
        size_t bytes;
    } cases[] = {
        {"-X POST%s", "", "", 0},
        {"-d @%s", small_path, event, strlen(event)},
        {"-d ''%s", "", "", 0},
        {"-H 'Content-Type: application/json' --data-binary @%s", small_path, event, strlen(event)},
        {"--http1.0 -d @%s", small_path, event, strlen(event)},
        {"--data-binary @%s", large_path, large, sizeof(large)},
        {"-H 'Transfer-Encoding: chunked' --data-binary @%s", large_path, large, sizeof(large)},
        {"-H 'Expect: 100-continue' --data-binary @%s", small_path, event, strlen(event)},
        {"-X POST -T %s", large_path, large, sizeof(large)},
        {"-X POST -T - <%s", large_path, large, sizeof(large)},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *arguments = memory_alloc(strlen(cases[i].format) + strlen(cases[i].path) + 1);
        const char *at = strstr(cases[i].format, "%s");
        sprintf(arguments, "%.*s%s", (int)(at - cases[i].format), cases[i].format, cases[i].path);
        check_curl(&hook, arguments, cases[i].body, cases[i].bytes);
        free(arguments);
    }
    ck_assert_uint_eq(hook_count_runs(&hook), ARRAY_COUNT(cases));
    free(curl(&hook, "-G", 405));
    free(curl(&hook, "-T /dev/null", 405));
    free(small_path);
    free(large_path);
    hook_finish(&hook);
}

/* ---- Python ---- */

TEST(python_requests_posts_in_every_way_it_can)
{
    if (!node_succeeds(PYTHON " -c 'import requests' 2>/dev/null")) {
        test_skip("Python's module requests is not installed");
        return;
    }
    struct hook hook;
    hook_begin(&hook, &plain);
    run_client(&hook, PYTHON " " CLIENTS "/client.py", 7);
    hook_finish(&hook);
}

/* ---- Node ---- */

TEST(node_fetch_posts_in_every_way_it_can)
{
    if (!node_succeeds(
            "node -e 'process.exit(typeof fetch === \"function\" ? 0 : 1)' 2>/dev/null")) {
        test_skip("a Node with fetch is not installed");
        return;
    }
    struct hook hook;
    hook_begin(&hook, &plain);
    run_client(&hook, "node " CLIENTS "/client.mjs fetch", 26);
    hook_finish(&hook);
}

TEST(axios_posts_in_every_way_it_can)
{
    struct hook hook;
    if (!node_install(CLIENTS "/package.json", "system"))
        return;
    hook_begin(&hook, &plain);
    run_client(&hook, "node " CLIENTS "/client.mjs axios", 5);
    hook_finish(&hook);
}

TEST(every_example_of_a_GitHub_payload_is_stored_as_sent)
{
    struct hook hook;
    if (!node_install(CLIENTS "/package.json", "system"))
        return;
    hook_begin(&hook, &plain);
    run_client(&hook, "node " CLIENTS "/client.mjs examples", 300);
    json_t *run = hook_run(&hook, "latest");
    ck_assert_str_ne(json_string_value(json_object_get(run, "event")), "");
    json_decref(run);
    hook_finish(&hook);
}
