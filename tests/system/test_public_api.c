/* The API trigger on the public listener (hooks.api): what it serves, to whom, and at what cost. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/secret.h"
#include "model/overrides.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/janitor.h"
#include "support/suite.h"

#define PROD                                                                                       \
    "{\"vessel_overrides\":[{\"name\":\"main\",\"environment_variable_overrides\":"                \
    "{\"STAGE\":\"prod\"}}]}"

static const char FLEET[] = "name: One\nvessels: { main: { source: { type: CODE, language: BASH, "
                            "file: { name: x, content: 'echo \"<$STAGE>\"' }, "
                            "environment: { STAGE: test } } } }\n";

struct house {
    struct daemon daemon;
    char *hook;      /* URL */
    char *path;      /* of the trigger */
    char *reference; /* of the same, at the address of the reference platform */
    char *key;       /* its role is trigger */
    char *owner;
};

static void begin(struct house *house, const char *hooks, const char *runner)
{
    const struct daemon_options options = {.hooks = hooks, .runner = runner};
    daemon_begin(&house->daemon, &options);
    house->hook = daemon_fleet(&house->daemon, FLEET);
    json_t *data = api_get(&house->daemon, "/fleets");
    const json_t *fleet = json_array_get(json_object_get(data, "fleets"), 0);
    house->path = memory_format("/api/v1/fleets/%s/trigger", api_text(fleet, "id"));
    house->reference =
        memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", api_text(fleet, "org_id"),
                      api_text(fleet, "project_id"), api_text(fleet, "id"));
    json_decref(data);
    house->key = ctl_ok(&house->daemon, "key", "create", "ci", "--role", "trigger", NULL);
    house->owner = ctl_ok(&house->daemon, "key", "create", "deploy", NULL);
}

static void end(struct house *house)
{
    free(house->hook);
    free(house->path);
    free(house->reference);
    free(house->key);
    free(house->owner);
    daemon_finish(&house->daemon);
}

/* Calls the public listener with this header (NULL: none). */
static void call(struct house *house, const char *method, const char *path, const char *header,
                 const char *body, struct response *response)
{
    char *url = memory_format("http://127.0.0.1:%u%s", house->daemon.port, path);
    const char *const headers[] = {header, NULL};
    http_request(method, url, header ? headers : NULL, body, body ? strlen(body) : 0, response);
    free(url);
}

static int status_of(struct house *house, const char *method, const char *path, const char *header,
                     const char *body)
{
    struct response response;
    call(house, method, path, header, body, &response);
    int status = response.status;
    response_free(&response);
    return status;
}

static char *bearer(const char *key)
{
    return memory_format("Authorization: Bearer %s", key);
}

TEST(the_public_listener_serves_the_trigger_at_both_addresses)
{
    struct house house;
    struct response response;
    begin(&house, "api = true", NULL);
    char *header = bearer(house.key);
    char *shipyard = memory_format("X-Shipyard-API-Key: %s", house.key);
    call(&house, "POST", house.path, header, PROD, &response);
    ck_assert_msg(response.status == 201, "%d: %s", response.status, response.body);
    json_t *answer = api_parse(response.body), *data = json_object_get(answer, "data");
    ck_assert(json_object_size(answer) == 2 && json_object_size(data) == 4);
    ck_assert_ptr_nonnull(strstr(response.headers, "X-Request-Id: "));
    json_t *run = api_await_end(&house.daemon, response.run_id);
    char *output = api_output(&house.daemon, run, "main");
    ck_assert_str_eq(output, "<prod>\n");
    ck_assert_str_eq(api_text(run, "trigger"), "api");
    ck_assert_str_eq(api_text(run, "remote_addr"), "127.0.0.1");
    ck_assert_int_eq(status_of(&house, "POST", house.reference, shipyard, ""), 201);
    ck_assert_int_eq(status_of(&house, "POST", house.reference, header, "{}"), 201);
    ck_assert_int_eq(status_of(&house, "POST", house.path, header, "{\"x\":1}"), 422);
    ck_assert_int_eq(status_of(&house, "POST", url_path(house.hook), NULL, "x"), 201);
    free(output);
    json_decref(run);
    json_decref(answer);
    response_free(&response);
    free(shipyard);
    free(header);
    end(&house);
}

TEST(the_public_listener_serves_nothing_else_of_the_admin_API)
{
    struct house house;
    begin(&house, "api = true", NULL);
    char *header = bearer(house.owner);
    char *twin = memory_format("%s/", house.path);
    char *runs =
        memory_format("%.*s/fleetruns", (int)(strlen(house.path) - strlen("/trigger")), house.path);
    static const char *const gets[] = {
        "/api/v1/fleets", "/api/v1/status", "/metrics", "/readyz", "/", "/runs", "/console/app.js"};
    for (size_t i = 0; i < ARRAY_COUNT(gets); i++)
        ck_assert_msg(status_of(&house, "GET", gets[i], header, NULL) == 404, "%s", gets[i]);
    const char *const posts[] = {"/api/v1/orgs",   "/api/v1/keys", "/api/v1/session",
                                 "/api/v1/backup", twin,           runs};
    for (size_t i = 0; i < ARRAY_COUNT(posts); i++)
        ck_assert_msg(status_of(&house, "POST", posts[i], header, "{}") == 404, "%s", posts[i]);
    ck_assert_int_eq(status_of(&house, "GET", house.path, header, NULL), 404);
    ck_assert_int_eq(status_of(&house, "PUT", house.path, header, "{}"), 404);
    ck_assert_int_eq(status_of(&house, "GET", "/healthz", NULL, NULL), 200);
    free(runs);
    free(twin);
    free(header);
    end(&house);
}

TEST(without_hooks_api_the_public_listener_knows_no_trigger)
{
    struct house house;
    begin(&house, NULL, NULL);
    char *header = bearer(house.key);
    ck_assert_int_eq(status_of(&house, "POST", house.path, header, "{}"), 404);
    ck_assert_int_eq(status_of(&house, "POST", house.reference, header, "{}"), 404);
    free(header);
    end(&house);
}

/* ---- who may call ---- */

/* Returns the token of a session that this key begins on the admin listener. */
static char *sign_in(struct house *house)
{
    char *url = memory_format("http://127.0.0.1:%u/api/v1/session", house->daemon.admin_port);
    char *body = memory_format("{\"key\":\"%s\"}", house->owner);
    struct response response;
    http_request("POST", url, NULL, body, strlen(body), &response);
    ck_assert_int_eq(response.status, 201);
    const char *cookie = strstr(response.headers, SECRET_SESSION_COOKIE "=");
    ck_assert_ptr_nonnull(cookie);
    char *token = memory_string_n(cookie, strcspn(cookie, ";"));
    response_free(&response);
    free(body);
    free(url);
    return token;
}

TEST(only_a_good_key_opens_the_trigger_and_no_session_does)
{
    struct house house;
    struct response response;
    begin(&house, "api = true", NULL);
    char *token = sign_in(&house), *cookie = memory_format("Cookie: %s", token);
    char *good = bearer(house.key), *revoked = bearer(house.owner);
    free(ctl_ok(&house.daemon, "key", "revoke", "deploy", NULL));
    char *hook = memory_format("Authorization: Bearer %s", strstr(house.hook, "whk_"));
    const char *const bad[] = {
        NULL, "Authorization: Bearer wha_x", "Authorization: Basic eDp5", hook, cookie, revoked};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        call(&house, "POST", i % 2 ? house.path : house.reference, bad[i], "{}", &response);
        ck_assert_msg(response.status == 401, "%zu: %d %s", i, response.status, response.body);
        ck_assert_ptr_nonnull(strstr(response.headers, "WWW-Authenticate: Bearer\r\n"));
        response_free(&response);
    }
    ck_assert_int_eq(status_of(&house, "POST", house.path, good, "{}"), 201);
    free(hook);
    free(revoked);
    free(good);
    free(cookie);
    free(token);
    end(&house);
}

TEST(after_many_invalid_keys_further_ones_get_429_and_good_ones_201)
{
    struct house house;
    begin(&house, "api = true", NULL);
    char *good = bearer(house.key), *revoked = bearer(house.owner);
    free(ctl_ok(&house.daemon, "key", "revoke", "deploy", NULL));
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(status_of(&house, "POST", house.path, i % 2 ? revoked : NULL, "{}"), 401);
    ck_assert_int_eq(status_of(&house, "POST", house.path, revoked, "{}"), 429);
    ck_assert_int_eq(status_of(&house, "POST", house.path, NULL, "{}"), 429);
    ck_assert_int_eq(status_of(&house, "POST", house.path, good, "{}"), 201);
    free(revoked);
    free(good);
    end(&house);
}

/* Sends the head of a request and no body, and returns what comes back first. */
static char *answer_to_head(struct house *house, const char *header, const char *lengths)
{
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n%s\r\n\r\n", house->path,
                               header, lengths);
    int closed, fd = raw_connect(house->daemon.port);
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    char *answer = raw_receive(fd, 10000, &closed);
    ck_assert_int_eq(closed, 1);
    close(fd);
    free(head);
    return answer;
}

TEST(the_key_and_the_length_are_checked_before_the_body_is_read)
{
    static const struct {
        bool is_good;
        const char *lengths, *status;
    } cases[] = {
        {false, "Content-Length: 1000000", "HTTP/1.1 401 "},
        {false, "Content-Length: 1000000\r\nExpect: 100-continue", "HTTP/1.1 401 "},
        {false, "Transfer-Encoding: chunked", "HTTP/1.1 401 "},
        {true, "Content-Length: 1048577", "HTTP/1.1 413 "},
        {true, "Content-Length: 1048577\r\nExpect: 100-continue", "HTTP/1.1 413 "},
    };
    struct house house;
    begin(&house, "api = true", NULL);
    char *good = bearer(house.key), *revoked = bearer(house.owner);
    free(ctl_ok(&house.daemon, "key", "revoke", "deploy", NULL));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *answer = answer_to_head(&house, cases[i].is_good ? good : revoked, cases[i].lengths);
        ck_assert_msg(strncmp(answer, cases[i].status, strlen(cases[i].status)) == 0, "%zu: %s", i,
                      answer);
        free(answer);
    }
    free(revoked);
    free(good);
    end(&house);
}

TEST(large_bodies_are_read_to_their_bound)
{
    struct house house;
    begin(&house, "api = true", NULL);
    char *good = bearer(house.key);
    char *body = memory_alloc(OVERRIDES_MAX_BYTES + 2);
    memset(body, ' ', OVERRIDES_MAX_BYTES + 1);
    memcpy(body, "{}", 2);
    ck_assert_int_eq(status_of(&house, "POST", house.path, good, body), 413);
    body[OVERRIDES_MAX_BYTES] = '\0';
    ck_assert_int_eq(status_of(&house, "POST", house.path, good, body), 201);
    free(body);
    free(good);
    end(&house);
}

TEST(a_trusted_proxy_names_the_caller_in_the_run_and_in_the_audit_log)
{
    struct house house;
    struct response response;
    begin(&house, "api = true\ntrusted_proxies = { \"127.0.0.0/8\" }", "enabled = false");
    char *url = memory_format("http://127.0.0.1:%u%s", house.daemon.port, house.path);
    char *good = bearer(house.key);
    const char *const headers[] = {good, "X-Forwarded-For: 192.0.2.7", NULL};
    http_request("POST", url, headers, "{}", 2, &response);
    ck_assert_int_eq(response.status, 201);
    json_t *run = api_get(&house.daemon, "/fleetruns/%s", response.run_id);
    ck_assert_str_eq(api_text(run, "remote_addr"), "192.0.2.7");
    json_t *audit = api_get(&house.daemon, "/audit?action=run.start");
    const json_t *entry = json_array_get(json_object_get(audit, "entries"), 0);
    ck_assert_str_eq(api_text(entry, "who"), "key ci");
    ck_assert_str_eq(api_text(entry, "source"), "192.0.2.7");
    json_decref(audit);
    json_decref(run);
    response_free(&response);
    free(good);
    free(url);
    end(&house);
}

/* ---- many at a time, and a disk that hangs ---- */

struct crowd {
    struct house *house;
    const char *good;
    int copies;
    atomic_int next, created, closed, unavailable, other;
};

static void *send_calls(void *argument)
{
    struct crowd *crowd = argument;
    struct house *house = crowd->house;
    for (int i; (i = atomic_fetch_add(&crowd->next, 1)) < crowd->copies;) {
        char *url = memory_format("http://127.0.0.1:%u%s", house->daemon.port, house->path);
        char *key = memory_format("Idempotency-Key: k%d", i / 2);
        const char *const headers[] = {crowd->good, key, NULL};
        struct response response;
        http_request("POST", url, headers, PROD, strlen(PROD), &response);
        atomic_fetch_add(response.status == 201   ? &crowd->created
                         : response.status == 0   ? &crowd->closed
                         : response.status == 503 ? &crowd->unavailable
                                                  : &crowd->other,
                         1);
        response_free(&response);
        free(key);
        free(url);
    }
    return NULL;
}

static void send_all(struct crowd *crowd, int threads)
{
    pthread_t ids[64];
    for (int i = 0; i < threads; i++)
        ck_assert_int_eq(pthread_create(&ids[i], NULL, send_calls, crowd), 0);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

static long long count_waiting(struct house *house)
{
    json_t *data = api_get(&house->daemon, "/fleets");
    const json_t *fleet = json_array_get(json_object_get(data, "fleets"), 0);
    long long waiting = json_integer_value(json_object_get(fleet, "waiting"));
    json_decref(data);
    return waiting;
}

TEST(many_callers_at_a_time_are_answered)
{
    struct house house;
    begin(&house, "api = true", "enabled = false");
    char *good = bearer(house.key);
    struct crowd crowd = {.house = &house, .good = good, .copies = 400};
    send_all(&crowd, 64);
    ck_assert_int_eq(crowd.created, 400);
    ck_assert_int_eq(count_waiting(&house), 200);
    free(good);
    end(&house);
}

/* Another writer holds the store, so nothing is committed. Calls that a thread has begun are closed
 * at answer_timeout, because their runs may exist; the others get 503. */
TEST(no_call_waits_longer_than_answer_timeout_for_the_disk)
{
    struct house house;
    sqlite3 *db;
    begin(&house, "api = true\nanswer_timeout = \"300ms\"", "enabled = false");
    char *good = bearer(house.key);
    char *path = memory_format("%s/webhookd.db", house.daemon.state_dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 20000);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct crowd crowd = {.house = &house, .good = good, .copies = 16};
    send_all(&crowd, 16);
    ck_assert_int_eq(crowd.created + crowd.other, 0);
    ck_assert_int_eq(crowd.closed + crowd.unavailable, 16);
    ck_assert_int_gt(crowd.unavailable, 0);
    ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct crowd after = {.house = &house, .good = good, .copies = 16};
    send_all(&after, 16);
    ck_assert_int_eq(after.created, 16);
    ck_assert_int_eq(count_waiting(&house), 8);
    free(path);
    free(good);
    end(&house);
}
