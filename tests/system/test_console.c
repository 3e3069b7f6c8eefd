/* The console: how its files are served, and how it works in Chromium (tests/console/check.mjs). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/node.h"
#include "support/suite.h"

#define FOLDER "tests/console"

static const struct daemon_options plain;

static void fetch(const struct daemon *daemon, const char *path, const char *header,
                  struct response *response)
{
    const char *const headers[] = {header, NULL};
    char *url = memory_format("http://127.0.0.1:%u%s", daemon->admin_port, path);
    http_request("GET", url, headers, NULL, 0, response);
    free(url);
}

static char *tag_of(const struct response *response)
{
    static const char name[] = "ETag: ";
    const char *at = strstr(response->headers, name);
    ck_assert_msg(at, "%s", response->headers);
    at += strlen(name);
    return memory_string_n(at, strcspn(at, "\r"));
}

TEST(pages_and_files_are_served_with_strong_tags_and_a_strict_policy)
{
    static const char *const pages[] = {"/",
                                        "/runs",
                                        "/fleets/x",
                                        "/fleets/x/triggers",
                                        "/keys",
                                        "/keys/audit",
                                        "/credentials",
                                        "/credentials/x/DB.PASSWORD",
                                        "/runs/x",
                                        "/runs/x/parameters",
                                        "/runs/x/vessels/y"};
    static const char *const policy[] = {"default-src 'none'", "script-src 'self'",
                                         "connect-src 'self' http://localhost:8080;",
                                         "frame-ancestors 'none'", "require-trusted-types-for"};
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        fetch(&daemon, pages[i], NULL, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_ptr_nonnull(
            strstr(response.headers, "Content-Type: text/html; charset=utf-8\r\n"));
        ck_assert_ptr_nonnull(
            strstr(response.body, "<script type=\"module\" src=\"/console/app.js\">"));
        for (size_t j = 0; j < ARRAY_COUNT(policy); j++)
            ck_assert_ptr_nonnull(strstr(response.headers, policy[j]));
        response_free(&response);
    }
    fetch(&daemon, "/console/app.js", NULL, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Type: text/javascript; charset=utf-8"));
    ck_assert_ptr_nonnull(strstr(response.headers, "Cache-Control: no-cache\r\n"));
    ck_assert_ptr_null(strstr(response.headers, "no-store"));
    ck_assert_ptr_null(strstr(response.headers, "Content-Encoding"));
    size_t plain_bytes = response.body_bytes;
    char *tag = tag_of(&response);
    response_free(&response);

    char *known = memory_format("If-None-Match: %s", tag);
    fetch(&daemon, "/console/app.js", known, &response);
    ck_assert_int_eq(response.status, 304);
    ck_assert_uint_eq(response.body_bytes, 0);
    response_free(&response);
    fetch(&daemon, "/console/app.js", "If-None-Match: \"other\"", &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);

    fetch(&daemon, "/console/app.js", "Accept-Encoding: br, gzip", &response);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Encoding: gzip\r\n"));
    ck_assert_uint_lt(response.body_bytes, plain_bytes);
    char *packed_tag = tag_of(&response);
    ck_assert_str_ne(packed_tag, tag); /* a strong tag depends on the bytes */
    response_free(&response);
    fetch(&daemon, "/console/app.js", "Accept-Encoding: gzip;q=0", &response);
    ck_assert_ptr_null(strstr(response.headers, "Content-Encoding"));
    response_free(&response);
    fetch(&daemon, "/console/nothing.js", NULL, &response);
    ck_assert_int_eq(response.status, 404);
    response_free(&response);
    free(packed_tag);
    free(known);
    free(tag);
    daemon_finish(&daemon);
}

TEST(files_are_compressed_for_clients_that_accept_it)
{
    static const struct {
        const char *header;
        bool is_packed;
    } cases[] = {
        {"Accept-Encoding: br, GZIP", true},
        {"Accept-Encoding: *", true},
        {"Accept-Encoding: gzip ; q=0", false},
        {"Accept-Encoding: gzip;q=0.0", false},
        {"Accept-Encoding: identity, gzip;q=0.2", false},
    };
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        fetch(&daemon, "/console/app.js", cases[i].header, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_ptr_nonnull(strstr(response.headers, "Vary: Accept-Encoding\r\n"));
        ck_assert_msg(!strstr(response.headers, "Content-Encoding: gzip") != cases[i].is_packed,
                      "%s", cases[i].header);
        response_free(&response);
    }
    daemon_finish(&daemon);
}

TEST(unknown_address_gets_a_page_and_a_program_gets_JSON)
{
    static const char person[] = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    fetch(&daemon, "/flets/x", person, &response);
    ck_assert_int_eq(response.status, 404);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Security-Policy: "));
    ck_assert_ptr_nonnull(
        strstr(response.body, "<script type=\"module\" src=\"/console/app.js\">"));
    ck_assert_ptr_null(strstr(response.headers, "ETag: "));
    ck_assert_ptr_nonnull(strstr(response.headers, "Cache-Control: no-store\r\n"));
    response_free(&response);
    fetch(&daemon, "/flets/x", "Accept: */*", &response);
    ck_assert_int_eq(response.status,
                     401); /* does not reveal to a client without a key which paths exist */
    response_free(&response);
    fetch(&daemon, "/api/v1/flets", person, &response);
    ck_assert_int_eq(response.status, 401);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Type: application/json\r\n"));
    response_free(&response);
    daemon_finish(&daemon);
}

static void apply(struct daemon *daemon, const char *name, const char *script)
{
    char *once = bash_fleet(name, script);
    char *fleet = memory_format("%s    guardrails: { retry_count: %d, retry_wait: 1s }\n", once,
                                strcmp(name, "Tries") == 0);
    char *file = daemon_write_file(daemon, "fleet.yaml", fleet, strlen(fleet));
    free(ctl_ok(daemon, "fleet", "apply", file, NULL));
    free(file);
    free(fleet);
    free(once);
}

SLOW_TEST(the_console_works_in_a_browser, 900)
{
    struct daemon daemon;
    const char *chromium = getenv("CHROMIUM");
    if (access(chromium ? chromium : "/usr/bin/chromium", X_OK) != 0) {
        test_skip("Chromium is not installed");
        return;
    }
    if (!node_install(FOLDER "/package.json", "console"))
        return;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Site",
          "echo '<script>alert(1)</script>'; printf '\\033[32mgreen\\033[0m\\n'; "
          "printf '\\033[1;38;5;196;48;2;0;0;120mpalette\\033[0;7m turned\\033[0m\\n'; sleep 0.3");
    apply(&daemon, "Many", "yes | head -c 1400000; echo last");
    apply(&daemon, "Odd",
          "echo one; head -c 40015 /dev/zero | tr '\\0' x; printf 'end\\n'; "
          "printf '\\033[32mred\\rgreen\\033(B\\033[m\\033[>4;1m.\\n'; printf 'cut \\342\\202'");
    apply(&daemon, "Tries",
          "test \"$WEBHOOKD_ATTEMPT\" = 1 && { echo first; sleep 1; exit 1; }; "
          "for i in 1 2 3; do echo \"second $i\"; sleep 0.2; done");
    apply(&daemon, "Long", "printf '\\033[31m'; exec seq -f 'line %.0f.' 1 30000");
    apply(&daemon, "Slow", "echo begun; printf '10%%\\r20%%'; exec sleep 1000");
    apply(&daemon, "<img src=x onerror=alert(1)>", "true");
    char *key = ctl_ok(&daemon, "key", "create", "ann", NULL);
    const char *build = getenv("BUILD");
    char *command = memory_format("node " FOLDER "/check.mjs http://127.0.0.1:%u %s %s/screenshots "
                                  "http://127.0.0.1:%u",
                                  daemon.admin_port, key, build ? build : "build", daemon.port);
    ck_assert_msg(node_succeeds(command), "check.mjs failed; its message is above");
    free(command);
    free(key);
    daemon_finish(&daemon);
}
