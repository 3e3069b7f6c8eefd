/* The console's sessions: signing in with a key, the rights of a cookie, and pages of other
 * sites. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

static const struct daemon_options plain;

struct browser {
    struct daemon daemon;
    char *key, *origin; /* of the console */
    char cookie[100];   /* "Cookie: webhookd_session=…" */
};

/* Sends a request over TCP with these additional headers (NULL: none) and returns the status. */
static int ask(struct browser *browser, const char *method, const char *path, const char *body,
               const char *first, const char *second, struct response *response)
{
    const char *headers[] = {first, first ? second : NULL, NULL};
    char *url = memory_format("http://127.0.0.1:%u%s", browser->daemon.admin_port, path);
    http_request(method, url, headers, body, body ? strlen(body) : 0, response);
    free(url);
    return response->status;
}

static int status_of(struct browser *browser, const char *method, const char *path,
                     const char *first, const char *second)
{
    struct response response;
    int status = ask(browser, method, path, NULL, first, second, &response);
    response_free(&response);
    return status;
}

static int sign_in_with(struct browser *browser, const char *key, const char *header,
                        struct response *response)
{
    char *body = memory_format("{\"key\":\"%s\"}", key);
    int status = ask(browser, "POST", "/api/v1/session", body, header, NULL, response);
    free(body);
    return status;
}

static void keep_cookie(struct browser *browser, const struct response *response)
{
    static const char name[] = "Set-Cookie: ";
    const char *at = strstr(response->headers, name);
    ck_assert_msg(at, "%s", response->headers);
    at += strlen(name);
    snprintf(browser->cookie, sizeof(browser->cookie), "Cookie: %.*s", (int)strcspn(at, ";"), at);
}

static void begin(struct browser *browser)
{
    struct response response;
    daemon_begin(&browser->daemon, &plain);
    browser->key = ctl_ok(&browser->daemon, "key", "create", "ann", NULL);
    browser->origin = memory_format("Origin: http://127.0.0.1:%u", browser->daemon.admin_port);
    ck_assert_int_eq(sign_in_with(browser, browser->key, browser->origin, &response), 201);
    ck_assert_ptr_nonnull(strstr(response.body, "\"key_name\":\"ann\""));
    ck_assert_ptr_null(strstr(response.body, browser->key));
    ck_assert_ptr_nonnull(strstr(response.headers, "; HttpOnly; SameSite=Strict\r\n"));
    keep_cookie(browser, &response);
    response_free(&response);
}

static void finish(struct browser *browser)
{
    free(browser->origin);
    free(browser->key);
    daemon_finish(&browser->daemon);
}

TEST(a_session_opens_what_its_key_opens_until_it_is_signed_out)
{
    struct browser browser;
    struct response response;
    begin(&browser);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", NULL, NULL), 401);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/session", browser.cookie, NULL), 200);
    ck_assert_int_eq(ask(&browser, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", browser.cookie,
                         browser.origin, &response),
                     201);
    response_free(&response);
    json_t *audit = api_get(&browser.daemon, "/audit");
    const json_t *entry = json_array_get(json_object_get(audit, "entries"), 0);
    ck_assert_str_eq(api_text(entry, "who"), "key ann");
    ck_assert_str_eq(api_text(entry, "source"), "127.0.0.1");
    json_decref(audit);

    ck_assert_int_eq(
        status_of(&browser, "DELETE", "/api/v1/session", browser.cookie, browser.origin), 200);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

/* Long-lived responses end with their session, and only with that one. */
TEST(signing_out_ends_the_streams_of_the_session)
{
    struct browser browser;
    struct response response;
    int closed, fds[2];
    char cookies[2][100];
    begin(&browser);
    memcpy(cookies[0], browser.cookie, sizeof(cookies[0]));
    ck_assert_int_eq(sign_in_with(&browser, browser.key, browser.origin, &response), 201);
    keep_cookie(&browser, &response);
    response_free(&response);
    memcpy(cookies[1], browser.cookie, sizeof(cookies[1]));
    for (int i = 0; i < 2; i++) {
        char some[1024],
            *request = memory_format("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n",
                                     cookies[i]);
        fds[i] = raw_connect(browser.daemon.admin_port);
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        ck_assert_int_gt(read(fds[i], some, sizeof(some)), 0);
        free(request);
    }
    ck_assert_int_eq(status_of(&browser, "DELETE", "/api/v1/session", cookies[0], browser.origin),
                     200);
    free(raw_receive(fds[0], 20000, &closed));
    ck_assert_int_eq(closed, 1);
    free(raw_receive(fds[1], 600, &closed));
    ck_assert_int_eq(closed, 0);
    close(fds[0]);
    close(fds[1]);
    finish(&browser);
}

TEST(revoking_the_key_ends_its_sessions)
{
    struct browser browser;
    begin(&browser);
    free(ctl_ok(&browser.daemon, "key", "revoke", "ann", NULL));
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

static void restart(struct browser *browser)
{
    ck_assert_int_eq(daemon_stop(&browser->daemon), 0);
    daemon_restart(&browser->daemon);
}

TEST(a_restart_signs_nobody_out)
{
    struct browser browser;
    begin(&browser);
    daemon_kill(&browser.daemon); /* the session is durable before its cookie is sent */
    daemon_restart(&browser.daemon);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    finish(&browser);
}

TEST(a_restart_brings_no_session_back)
{
    struct browser browser;
    struct response response;
    char signed_out[100];
    begin(&browser);
    memcpy(signed_out, browser.cookie, sizeof(signed_out));
    ck_assert_int_eq(status_of(&browser, "DELETE", "/api/v1/session", signed_out, browser.origin),
                     200);
    ck_assert_int_eq(sign_in_with(&browser, browser.key, browser.origin, &response), 201);
    keep_cookie(&browser, &response);
    response_free(&response);
    free(ctl_ok(&browser.daemon, "key", "revoke", "ann", NULL));
    restart(&browser);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", signed_out, NULL), 401);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

/* Moves all sessions this many minutes into the past while webhookd is stopped. */
static void let_pass(struct browser *browser, int minutes)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(daemon_stop(&browser->daemon), 0);
    char *path = memory_format("%s/webhookd.db", browser->daemon.state_dir);
    char *sql = memory_format("UPDATE session SET seen_ms = seen_ms - %d * 60000", minutes);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    daemon_restart(&browser->daemon);
    free(sql);
    free(path);
}

TEST(a_session_that_is_used_continues_and_an_idle_one_ends)
{
    struct browser browser;
    struct response response;
    begin(&browser);
    ck_assert_int_eq(ask(&browser, "GET", "/api/v1/fleets", NULL, browser.cookie, NULL, &response),
                     200);
    ck_assert_ptr_null(
        strstr(response.headers, "Set-Cookie")); /* the session was used a moment ago */
    response_free(&response);
    for (int i = 0; i < 2; i++) {
        let_pass(&browser, 11 * 60);
        ck_assert_int_eq(
            ask(&browser, "GET", "/api/v1/fleets", NULL, browser.cookie, NULL, &response), 200);
        char *again = memory_format("Set-%s; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict\r\n",
                                    browser.cookie);
        ck_assert_msg(strstr(response.headers, again), "%s", response.headers);
        free(again);
        response_free(&response);
    }
    let_pass(&browser, 12 * 60);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

TEST(a_refused_request_does_not_prolong_a_session)
{
    struct browser browser;
    struct response response;
    begin(&browser);
    let_pass(&browser, 60);
    ck_assert_int_eq(ask(&browser, "GET", "/api/v1/fleets", NULL, browser.cookie,
                         "Sec-Fetch-Site: same-site", &response),
                     403);
    ck_assert_ptr_null(strstr(response.headers, "Set-Cookie"));
    response_free(&response);
    let_pass(&browser, 11 * 60);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

TEST(a_session_from_a_clock_that_was_ahead_still_ends)
{
    struct browser browser;
    begin(&browser);
    let_pass(&browser, -60);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    let_pass(&browser, 12 * 60); /* counted from its last use, not from its start */
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    let_pass(&browser, -365 * 24 * 60);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 401);
    finish(&browser);
}

TEST(a_backup_brings_no_session_back)
{
    struct browser browser;
    sqlite3 *db = NULL;
    sqlite3_stmt *count = NULL;
    begin(&browser);
    char *file = memory_format("%s/backup.tar", browser.daemon.folder);
    char *copy = memory_format("%s/webhookd.db", browser.daemon.folder);
    char *unpack = memory_format("tar -C %s -xf %s webhookd.db && ! ls %s | grep -q backup.tmp",
                                 browser.daemon.folder, file, browser.daemon.state_dir);
    free(ctl_ok(&browser.daemon, "backup", file, NULL));
    ck_assert_int_eq(system(unpack), 0);
    ck_assert_int_eq(sqlite3_open(copy, &db), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(db, "SELECT count(*), (SELECT count(*) FROM api_key) FROM session", -1,
                           &count, NULL),
        SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(count), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_int(count, 0), 0);
    ck_assert_int_eq(sqlite3_column_int(count, 1), 1);
    sqlite3_finalize(count);
    sqlite3_close(db);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    free(unpack);
    free(copy);
    free(file);
    finish(&browser);
}

/* In the worst case a page of another site can make a browser send any request with its cookies,
 * but the request then shows its origin. */
TEST(a_request_from_another_site_is_refused_and_changes_nothing)
{
    static const char *const foreign[] = {
        "Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1:1",
        "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"};
    struct browser browser;
    struct response response;
    begin(&browser);
    char *bearer = memory_format("Authorization: Bearer %s", browser.key);
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        const char *const callers[] = {browser.cookie, bearer};
        for (size_t j = 0; j < ARRAY_COUNT(callers); j++) {
            ck_assert_int_eq(ask(&browser, "POST", "/api/v1/orgs", "{\"name\":\"evil\"}",
                                 callers[j], foreign[i], &response),
                             403);
            response_free(&response);
            ck_assert_int_eq(
                status_of(&browser, "DELETE", "/api/v1/session", callers[j], foreign[i]), 403);
        }
        ck_assert_int_eq(sign_in_with(&browser, browser.key, foreign[i], &response), 403);
        ck_assert_ptr_null(strstr(response.headers, "Set-Cookie"));
        response_free(&response);
    }
    /* A change that relies on the cookie alone and does not state its origin. */
    ck_assert_int_eq(ask(&browser, "POST", "/api/v1/orgs", "{\"name\":\"evil\"}", browser.cookie,
                         NULL, &response),
                     403);
    response_free(&response);
    ck_assert_int_eq(ask(&browser, "POST", "/api/v1/orgs", "{\"name\":\"good\"}", browser.cookie,
                         "Sec-Fetch-Site: same-origin", &response),
                     201);
    response_free(&response);
    char *orgs = ctl_ok(&browser.daemon, "org", "list", NULL);
    ck_assert_ptr_null(strstr(orgs, "evil"));
    ck_assert_ptr_nonnull(strstr(orgs, "good"));
    free(orgs);
    free(bearer);
    finish(&browser);
}

TEST(wrong_keys_are_slowed_down)
{
    static const char wrong[] = "wha_000000000000000000000000000000000000";
    struct browser browser;
    struct response response;
    begin(&browser);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(sign_in_with(&browser, wrong, browser.origin, &response), 401);
        ck_assert_ptr_nonnull(strstr(response.body, "\"field\":\"key\""));
        ck_assert_ptr_null(strstr(response.headers, "Set-Cookie"));
        response_free(&response);
    }
    ck_assert_int_eq(sign_in_with(&browser, wrong, browser.origin, &response), 429);
    ck_assert_ptr_nonnull(strstr(response.headers, "Retry-After: 60\r\n"));
    response_free(&response);
    ck_assert_int_eq(sign_in_with(&browser, browser.key, browser.origin, &response), 201);
    response_free(&response); /* attempts without a key do not lock out the owner of a key */
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    char *log = daemon_log(&browser.daemon);
    ck_assert_ptr_null(strstr(log, wrong));
    ck_assert_ptr_null(strstr(log, strchr(browser.cookie, '=') + 1));
    free(log);
    finish(&browser);
}

/* Signing in is the only call whose body is read from an unknown client: when there are too many
 * connections, these are closed first. */
TEST(unknown_clients_cannot_keep_the_others_out)
{
    enum { CONNECTIONS = 128 }; /* the listener's maximum */
    static const char part[] =
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    struct browser browser;
    struct response response;
    int fds[CONNECTIONS];
    begin(&browser);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = raw_connect(browser.daemon.admin_port);
        ck_assert_int_eq(raw_send(fds[i], part, strlen(part)), 0);
    }
    int status = 0;
    for (int tries = 0; status != 200 && tries < 200;
         tries++) { /* until webhookd has read all of them */
        status = ask(&browser, "GET", "/healthz", NULL, NULL, NULL, &response);
        response_free(&response);
        usleep(10000);
    }
    ck_assert_int_eq(status, 200);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", browser.cookie, NULL), 200);
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
    finish(&browser);
}

TEST(an_invalid_cookie_opens_nothing)
{
    struct browser browser;
    begin(&browser);
    char *cut = memory_string(browser.cookie), *other = memory_string(browser.cookie);
    cut[strlen(cut) - 1] = '\0';
    other[strlen(other) - 5] = other[strlen(other) - 5] == 'a' ? 'b' : 'a';
    char *among = memory_format("Cookie: a=b; %s; c=d", browser.cookie + strlen("Cookie: "));
    const char *const bad[] = {cut, other, "Cookie: webhookd_session=", "Cookie: webhookd_session",
                               "Cookie: ;;;"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", bad[i], NULL), 401);
    ck_assert_int_eq(status_of(&browser, "GET", "/api/v1/fleets", among, NULL), 200);
    free(among);
    free(other);
    free(cut);
    finish(&browser);
}

TEST(a_run_started_in_a_session_is_on_demand_and_one_started_by_key_is_api)
{
    struct browser browser;
    struct response response;
    begin(&browser);
    char *fleet = bash_fleet("Site", "true");
    free(daemon_fleet(&browser.daemon, fleet));
    json_t *fleets = api_get(&browser.daemon, "/fleets");
    char *path =
        memory_format("/api/v1/fleets/%s/fleetruns",
                      api_text(json_array_get(json_object_get(fleets, "fleets"), 0), "id"));
    ck_assert_int_eq(ask(&browser, "POST", path, NULL, browser.cookie, browser.origin, &response),
                     201);
    ck_assert_ptr_nonnull(strstr(response.body, "\"trigger\":\"on_demand\""));
    response_free(&response);
    char *bearer = memory_format("Authorization: Bearer %s", browser.key);
    ck_assert_int_eq(ask(&browser, "POST", path, NULL, bearer, NULL, &response), 201);
    ck_assert_ptr_nonnull(strstr(response.body, "\"trigger\":\"api\""));
    response_free(&response);
    free(bearer);
    free(path);
    json_decref(fleets);
    free(fleet);
    finish(&browser);
}
