/* What a key may do: its role on every route, what it is bound to, and its expiry. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/routes.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define NOWHERE  "01938f00-0000-7000-8000-000000000000"
#define MAY_ONLY "this key's role is trigger: it may only trigger fleets (POST /api/v1/fleets/"

static const struct daemon_options plain;

/* ---- every route × every role ---- */

/* Who may call over TCP. */
enum callers { OWNERS, TRIGGERS_TOO, EVERYONE };

/* The routes that others than owners may call. A route that is not listed must be for owners only,
 * so a new exception fails this test until it has a line here. */
static const struct {
    const char *method, *pattern;
    enum callers callers;
} exceptions[] = {
    {"POST", "/api/v1/fleets/{fleet_id}/trigger", TRIGGERS_TOO},
    {"POST", "/orgs/{org_id}/projects/{project_id}/fleets/{fleet_id}/fleetruns", TRIGGERS_TOO},
    {"POST", "/api/v1/session", EVERYONE}, /* the key is in its body */
    {"GET", "/healthz", EVERYONE},
    {"GET", "/readyz", EVERYONE},
    {"GET", "/metrics", EVERYONE},
    {"GET", "/", EVERYONE},
    {"GET", "/fleets/{fleet_id}", EVERYONE},
    {"GET", "/fleets/{fleet_id}/{tab}", EVERYONE},
    {"GET", "/credentials", EVERYONE},
    {"GET", "/credentials/{org_id}/{name}", EVERYONE},
    {"GET", "/keys", EVERYONE},
    {"GET", "/keys/{tab}", EVERYONE},
    {"GET", "/runs", EVERYONE},
    {"GET", "/runs/{run_id}", EVERYONE},
    {"GET", "/runs/{run_id}/{tab}", EVERYONE},
    {"GET", "/runs/{run_id}/vessels/{vessel_run_id}", EVERYONE},
    {"GET", "/console/{file}", EVERYONE},
};

static enum callers callers_of(const struct route *route)
{
    for (size_t i = 0; i < ARRAY_COUNT(exceptions); i++)
        if (strcmp(exceptions[i].method, route->method) == 0 &&
            strcmp(exceptions[i].pattern, route->pattern) == 0)
            return exceptions[i].callers;
    return OWNERS;
}

/* Puts an id that names nothing into each part of the pattern. Free it. */
static char *path_of(const char *pattern)
{
    struct buffer path = BUFFER_INIT;
    while (*pattern != '\0') {
        size_t literal = strcspn(pattern, "{");
        buffer_append(&path, pattern, literal);
        pattern += literal;
        if (*pattern == '{') {
            buffer_append_text(&path, strstr(pattern, "{n}") == pattern ? "1" : NOWHERE);
            pattern += strcspn(pattern, "}") + 1;
        }
    }
    char *text = memory_string(buffer_text(&path));
    buffer_free(&path);
    return text;
}

/* Sends a request and returns the status and the beginning of the answer: streams do not end. */
static int ask(const struct daemon *daemon, const char *key, const char *method, const char *path,
               char answer[2048])
{
    char *header = key ? memory_format("Authorization: Bearer %s\r\n", key) : memory_string("");
    char *request = memory_format(
        "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 0\r\n\r\n", method, path, header);
    int fd = raw_connect(daemon->admin_port), status = 0;
    size_t got = 0;
    ck_assert_int_eq(raw_send(fd, request, strlen(request)), 0);
    answer[0] = '\0';
    while (got < 2047 && !strstr(answer, "\r\n\r\n")) {
        ssize_t count = read(fd, answer + got, 2047 - got);
        ck_assert_msg(count > 0, "%s %s: no answer", method, path);
        got += (size_t)count;
        answer[got] = '\0';
    }
    ck_assert_int_eq(sscanf(answer, "HTTP/1.1 %d", &status), 1);
    close(fd);
    free(request);
    free(header);
    return status;
}

static void expect_roles(const struct daemon *daemon, const struct route *route,
                         const char *const keys[3])
{
    static const enum callers least[3] = {EVERYONE, TRIGGERS_TOO, OWNERS};
    static const int refused[3] = {401, 403, 403};
    char answer[2048], *path = path_of(route->pattern);
    enum callers callers = callers_of(route);
    for (int i = 0; i < 3; i++) { /* without a key, with a trigger key, with an owner's */
        int status = ask(daemon, keys[i], route->method, path, answer);
        bool is_refused = callers < least[i];
        bool is_sign_in = strcmp(route->pattern, "/api/v1/session") == 0 && callers == EVERYONE;
        if (is_refused)
            ck_assert_msg(status == refused[i], "caller %d, %s %s: %d", i, route->method,
                          route->pattern, status);
        else
            ck_assert_msg((status != 401 || is_sign_in) && status != 403, "caller %d, %s %s: %d", i,
                          route->method, route->pattern, status);
    }
    free(path);
}

/* Lists every route with each kind of caller. */
TEST(every_route_refuses_each_role_that_it_does_not_name)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *owner = ctl_ok(&daemon, "key", "create", "ann", NULL);
    char *trigger = ctl_ok(&daemon, "key", "create", "ci", "--role", "trigger", NULL);
    const char *const keys[3] = {NULL, trigger, owner};
    size_t owners_only = 0;
    for (size_t i = 0; i < admin_route_count; i++) {
        expect_roles(&daemon, &admin_routes[i], keys);
        owners_only += callers_of(&admin_routes[i]) == OWNERS;
    }
    ck_assert_uint_eq(owners_only + ARRAY_COUNT(exceptions), admin_route_count);
    free(trigger);
    free(owner);
    daemon_finish(&daemon);
}

/* ---- trigger keys ---- */

static void call_with(const struct daemon *daemon, const char *key, const char *method,
                      const char *path, const char *body, struct response *response)
{
    char *url = memory_format("http://127.0.0.1:%u%s", daemon->admin_port, path);
    char *header = memory_format("Authorization: Bearer %s", key);
    const char *const headers[] = {key ? header : NULL, NULL};
    http_request(method, url, headers, body, body ? strlen(body) : 0, response);
    free(header);
    free(url);
}

static void expect(const struct daemon *daemon, const char *key, const char *method,
                   const char *path, const char *body, int status, const char *text)
{
    struct response response;
    call_with(daemon, key, method, path, body, &response);
    ck_assert_msg(response.status == status && strstr(response.body, text), "%s %s: %d %s", method,
                  path, response.status, response.body);
    response_free(&response);
}

/* Returns the only fleet's id. Free it. */
static char *only_fleet(struct daemon *daemon)
{
    json_t *data = api_get(daemon, "/fleets");
    char *id = memory_string(api_text(json_array_get(json_object_get(data, "fleets"), 0), "id"));
    json_decref(data);
    return id;
}

/* Returns how many entries of the audit log have this action, and the newest one. */
static size_t count_entries(struct daemon *daemon, const char *action, json_t **newest)
{
    json_t *data = api_get(daemon, "/audit?action=%s", action);
    const json_t *entries = json_object_get(data, "entries");
    size_t count = json_array_size(entries);
    if (newest)
        *newest = json_incref(json_array_get(entries, 0));
    json_decref(data);
    return count;
}

TEST(a_trigger_key_is_told_what_it_may_do_and_a_refused_change_is_audited)
{
    struct daemon daemon;
    json_t *entry;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Site", "true");
    free(daemon_fleet(&daemon, fleet));
    char *id = only_fleet(&daemon), *path = memory_format("/api/v1/fleets/%s", id);
    char *key = ctl_ok(&daemon, "key", "create", "ci", "--role", "trigger", NULL);
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 403, MAY_ONLY);
    expect(&daemon, key, "GET", path, NULL, 403, MAY_ONLY);
    expect(&daemon, key, "GET", "/nothing/here", NULL, 403, MAY_ONLY);
    expect(&daemon, key, "PATCH", "/api/v1/orgs", NULL, 403, MAY_ONLY);
    ck_assert_uint_eq(count_entries(&daemon, "access.refuse", NULL), 0); /* no change was refused */
    for (int i = 0; i < 3; i++) /* a program repeats itself: one entry is enough */
        expect(&daemon, key, "DELETE", path, NULL, 403, MAY_ONLY);
    for (int i = 0; i < 3; i++) { /* ids that name nothing share one entry */
        char *guess = memory_format("/api/v1/fleets/01938f00-0000-7000-8000-00000000000%d", i);
        expect(&daemon, key, "DELETE", guess, NULL, 403, MAY_ONLY);
        free(guess);
    }
    expect(&daemon, key, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", 403, MAY_ONLY);
    ck_assert_uint_eq(count_entries(&daemon, "access.refuse", &entry), 3);
    ck_assert_str_eq(api_text(entry, "who"), "key ci");
    ck_assert_str_eq(api_text(entry, "source"), "127.0.0.1");
    ck_assert_str_eq(api_text(entry, "subject"), "POST /api/v1/orgs");
    ck_assert_str_eq(api_text(entry, "detail"), "role trigger");
    json_t *of_fleet = api_get(&daemon, "/audit?action=access.refuse&fleet=%s", id);
    const json_t *entries = json_object_get(of_fleet, "entries");
    ck_assert_uint_eq(json_array_size(entries), 1);
    ck_assert_str_eq(api_text(json_array_get(entries, 0), "subject"),
                     "DELETE /api/v1/fleets/{fleet_id}");
    char *orgs = ctl_ok(&daemon, "org", "list", NULL);
    ck_assert_ptr_null(strstr(orgs, "acme"));
    free(only_fleet(&daemon)); /* it still exists */
    json_decref(of_fleet);
    json_decref(entry);
    char *freed[] = {orgs, key, path, id, fleet};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

static void apply_in(struct daemon *daemon, const char *name, const char *project)
{
    char *fleet = bash_fleet(name, "true");
    char *file = daemon_write_file(daemon, name, fleet, strlen(fleet));
    free(ctl_ok(daemon, "fleet", "apply", file, "--project", project, NULL));
    free(file);
    free(fleet);
}

/* Returns the id of a fleet. Free it. */
static char *fleet_id(struct daemon *daemon, const char *name)
{
    json_t *data = api_get(daemon, "/fleets");
    const json_t *fleet = api_find(json_object_get(data, "fleets"), "name", name);
    char *id = memory_string(api_text(fleet, "id"));
    json_decref(data);
    return id;
}

static void expect_trigger(const struct daemon *daemon, const char *key, const char *fleet,
                           int status)
{
    char *path = memory_format("/api/v1/fleets/%s/trigger", fleet);
    expect(daemon, key, "POST", path, "{}", status,
           status == 404 ? "there is no fleet" : "fleet_run_id");
    free(path);
}

TEST(a_bound_trigger_key_starts_runs_of_its_fleets_and_of_no_other)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    free(ctl_ok(&daemon, "org", "create", "acme", NULL));
    free(ctl_ok(&daemon, "project", "create", "acme/web", NULL));
    apply_in(&daemon, "Foreign", "acme/web");
    apply_in(&daemon, "Own", "default/default");
    apply_in(&daemon, "Other", "default/default");
    char *own = fleet_id(&daemon, "Own"), *other = fleet_id(&daemon, "Other");
    char *foreign = fleet_id(&daemon, "Foreign");
    char *all = ctl_ok(&daemon, "key", "create", "all", "--role", "trigger", NULL);
    char *one =
        ctl_ok(&daemon, "key", "create", "one", "--role", "trigger", "--fleet", "Own", NULL);
    char *org =
        ctl_ok(&daemon, "key", "create", "org", "--role", "trigger", "--org", "default", NULL);
    expect_trigger(&daemon, all, own, 201);
    expect_trigger(&daemon, all, foreign, 201);
    expect_trigger(&daemon, all, NOWHERE, 404);
    expect_trigger(&daemon, one, own, 201);
    expect_trigger(&daemon, one, other, 404);
    expect_trigger(&daemon, one, foreign, 404);
    expect_trigger(&daemon, org, own, 201);
    expect_trigger(&daemon, org, other, 201);
    expect_trigger(&daemon, org, foreign, 404);
    char *runs = NULL;
    do { /* a fleet with open runs cannot be deleted */
        free(runs);
        runs = ctl_ok(&daemon, "run", "list", "--fleet", "Own", NULL);
    } while (strstr(runs, "scheduled") || strstr(runs, "running"));
    free(ctl_ok(&daemon, "fleet", "delete", "Own", NULL));
    expect_trigger(&daemon, one, own, 404);
    char *freed[] = {runs, org, one, all, foreign, other, own};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

TEST(a_trigger_key_cannot_sign_in)
{
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "ci", "--role", "trigger", NULL);
    char *body = memory_format("{\"key\":\"%s\"}", key);
    for (int i = 0; i < 12;
         i++) { /* the key is valid, so this is no guessing that is slowed down */
        call_with(&daemon, NULL, "POST", "/api/v1/session", body, &response);
        ck_assert_int_eq(response.status, 403);
        ck_assert_ptr_nonnull(strstr(response.body, "sign in with a key whose role is owner"));
        ck_assert_ptr_nonnull(strstr(response.body, "\"field\":\"key\""));
        ck_assert_ptr_null(strstr(response.headers, "Set-Cookie"));
        response_free(&response);
    }
    free(body);
    free(key);
    daemon_finish(&daemon);
}

/* ---- creating and listing ---- */

static json_t *key_of(struct daemon *daemon, const char *name)
{
    json_t *data = api_get(daemon, "/keys");
    json_t *key = json_incref(api_find(json_object_get(data, "keys"), "name", name));
    ck_assert_ptr_nonnull(key);
    json_decref(data);
    return key;
}

static void expect_member(struct daemon *daemon, const char *name, const char *member,
                          const char *text)
{
    json_t *key = key_of(daemon, name);
    const char *value = json_string_value(json_object_get(key, member));
    if (text)
        ck_assert_msg(value && strcmp(value, text) == 0, "%s of %s: %s", member, name, value);
    else
        ck_assert(json_is_null(json_object_get(key, member)));
    json_decref(key);
}

TEST(a_key_is_listed_with_its_role_what_it_is_bound_to_and_its_state)
{
    struct daemon daemon;
    json_t *entry;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Site", "true");
    free(daemon_fleet(&daemon, fleet));
    char *id = only_fleet(&daemon);
    free(ctl_ok(&daemon, "org", "create", "acme", NULL));
    free(ctl_ok(&daemon, "key", "create", "ann", NULL));
    free(ctl_ok(&daemon, "key", "create", "ci", "--role", "trigger", "--fleet", "Site", "--expires",
                "90d", NULL));
    ck_assert_uint_eq(count_entries(&daemon, "key.create", &entry), 2);
    ck_assert_str_eq(api_text(entry, "fleet_id"), id);
    ck_assert_int_eq(strncmp(api_text(entry, "detail"), "role trigger, only fleet Site, until 20",
                             strlen("role trigger, only fleet Site, until 20")),
                     0);
    json_decref(entry);
    free(ctl_ok(&daemon, "key", "create", "bot", "--role", "trigger", "--org", "acme", NULL));
    count_entries(&daemon, "key.create", &entry);
    ck_assert_str_eq(api_text(entry, "detail"), "role trigger, only organization acme");
    json_decref(entry);

    expect_member(&daemon, "ann", "role", "owner");
    expect_member(&daemon, "ann", "state", "active");
    expect_member(&daemon, "ann", "fleet_id", NULL);
    expect_member(&daemon, "ann", "org_name", NULL);
    expect_member(&daemon, "ann", "expires_at", NULL);
    expect_member(&daemon, "ci", "role", "trigger");
    expect_member(&daemon, "ci", "fleet_id", id);
    expect_member(&daemon, "ci", "fleet_name", "Site");
    expect_member(&daemon, "ci", "org_id", NULL);
    expect_member(&daemon, "bot", "org_name", "acme");
    expect_member(&daemon, "bot", "fleet_id", NULL);
    char *list = ctl_ok(&daemon, "key", "list", NULL);
    ck_assert_ptr_nonnull(strstr(list, "fleet default/default/Site  20"));
    ck_assert_ptr_nonnull(strstr(list, "org acme"));
    free(list);
    json_t *ci = key_of(&daemon, "ci");
    int64_t created_ms = 0, expires_ms = 0;
    ck_assert_int_eq(clock_parse(api_text(ci, "created_at"), &created_ms), 0);
    ck_assert_int_eq(clock_parse(api_text(ci, "expires_at"), &expires_ms), 0);
    ck_assert_int_eq(expires_ms - created_ms, 90 * INT64_C(86400000));
    json_decref(ci);

    free(ctl_ok(&daemon, "fleet", "delete", "Site", NULL));
    free(ctl_ok(&daemon, "org", "delete", "acme", NULL));
    expect_member(&daemon, "ci", "state", "fleet_deleted");
    expect_member(&daemon, "bot", "state", "org_deleted");
    list = ctl_ok(&daemon, "key", "list", NULL);
    ck_assert_ptr_nonnull(strstr(list, "fleet default/default/Site (deleted)"));
    ck_assert_ptr_nonnull(strstr(list, "org acme (deleted)"));
    free(list);
    free(id);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(a_key_with_a_wrong_role_binding_or_expiry_is_not_created)
{
    static const struct {
        const char *body, *field, *message;
        int status;
    } bad[] = {
        {"{\"name\":\"a\",\"role\":\"viewer\"}", "role", "role must be owner or trigger", 400},
        {"{\"name\":\"a\",\"role\":1}", "role", "role must be a string", 400},
        {"{\"role\":\"trigger\"}", "name", "name is missing", 400},
        {"{\"name\":\"a\",\"fleet_id\":\"" NOWHERE "\"}", "fleet_id",
         "a key with the role owner cannot be bound to a fleet: give it the role trigger", 400},
        {"{\"name\":\"a\",\"role\":\"owner\",\"org_id\":\"" NOWHERE "\"}", "org_id",
         "cannot be bound to an organization", 400},
        {"{\"name\":\"a\",\"role\":\"trigger\",\"org_id\":\"" NOWHERE "\",\"fleet_id\":\"" NOWHERE
         "\"}",
         "fleet_id", "not to both", 400},
        {"{\"name\":\"a\",\"role\":\"trigger\",\"fleet_id\":\"Site\"}", "fleet_id",
         "fleet_id must be an id", 400},
        {"{\"name\":\"a\",\"role\":\"trigger\",\"fleet_id\":\"" NOWHERE "\"}", "fleet_id",
         "there is no fleet " NOWHERE, 404},
        {"{\"name\":\"a\",\"role\":\"trigger\",\"org_id\":\"" NOWHERE "\"}", "org_id",
         "there is no organization " NOWHERE, 404},
        {"{\"name\":\"a\",\"expires_in_s\":0}", "expires_in_s", "from 1 to 315360000", 400},
        {"{\"name\":\"a\",\"expires_in_s\":315360001}", "expires_in_s", "from 1 to 315360000", 400},
        {"{\"name\":\"a\",\"expires_in_s\":1.5}", "expires_in_s", "a whole number", 400},
        {"{\"name\":\"a\",\"expires_in_s\":null}", "expires_in_s", "a whole number", 400},
        {"{\"name\":\"a\",\"expires\":\"90d\"}", "expires", "unknown key", 400},
    };
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        api_call(&daemon, "POST", "/api/v1/keys", bad[i].body, strlen(bad[i].body), &response);
        ck_assert_msg(response.status == bad[i].status, "%s: %s", bad[i].body, response.body);
        json_t *answer = api_parse(response.body);
        const json_t *error = json_object_get(answer, "error");
        ck_assert_str_eq(api_text(error, "field"), bad[i].field);
        ck_assert_msg(strstr(api_text(error, "message"), bad[i].message), "%s", response.body);
        json_decref(answer);
        response_free(&response);
    }
    json_t *keys = api_get(&daemon, "/keys");
    ck_assert_uint_eq(json_array_size(json_object_get(keys, "keys")), 0);
    json_decref(keys);
    daemon_finish(&daemon);
}

static void expect_mistake(struct daemon *daemon, int status, const char *message,
                           const char *const options[4])
{
    char *out, *err;
    int result = ctl(daemon, &out, NULL, &err, "key", "create", "a", options[0], options[1],
                     options[2], options[3], NULL);
    ck_assert_msg(result == status && strstr(err, message), "%d: %s", result, err);
    free(out);
    free(err);
}

TEST(key_create_says_what_is_wrong_with_its_options)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    expect_mistake(&daemon, 2, "--fleet and --org exclude each other",
                   (const char *[4]){"--fleet", "a", "--org", "b"});
    expect_mistake(&daemon, 2, "--expires must be a duration",
                   (const char *[4]){"--expires", "soon", NULL, NULL});
    expect_mistake(&daemon, 2, "--expires must be from 1s to 3650d",
                   (const char *[4]){"--expires", "3651d", NULL, NULL});
    expect_mistake(&daemon, 2, "--expires must be from 1s to 3650d",
                   (const char *[4]){"--expires", "0s", NULL, NULL});
    expect_mistake(&daemon, 2, "in whole seconds",
                   (const char *[4]){"--expires", "1500ms", NULL, NULL});
    expect_mistake(&daemon, 1, "role must be owner or trigger",
                   (const char *[4]){"--role", "viewer", NULL, NULL});
    expect_mistake(&daemon, 1, "there is no fleet \"Nope\"",
                   (const char *[4]){"--role", "trigger", "--fleet", "Nope"});
    expect_mistake(&daemon, 1, "there is no organization \"nope\"",
                   (const char *[4]){"--role", "trigger", "--org", "nope"});
    expect_mistake(&daemon, 1, "cannot be bound to an organization: give it the role trigger",
                   (const char *[4]){"--org", "default", NULL, NULL});
    free(ctl_ok(&daemon, "key", "create", "longest", "--expires", "3650d", NULL));
    daemon_finish(&daemon);
}

/* ---- expiry ---- */

/* Executes SQL in the database while webhookd is stopped. */
static void change_store(struct daemon *daemon, const char *sql)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(daemon_stop(daemon), 0);
    char *path = memory_format("%s/webhookd.db", daemon->state_dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    daemon_restart(daemon);
    free(path);
}

static char *sign_in(const struct daemon *daemon, const char *key)
{
    struct response response;
    char *body = memory_format("{\"key\":\"%s\"}", key);
    call_with(daemon, NULL, "POST", "/api/v1/session", body, &response);
    ck_assert_int_eq(response.status, 201);
    const char *at = strstr(response.headers, "webhookd_session=");
    ck_assert_ptr_nonnull(at);
    char *cookie = memory_format("Cookie: %.*s", (int)strcspn(at, ";"), at);
    response_free(&response);
    free(body);
    return cookie;
}

static int status_with_cookie(const struct daemon *daemon, const char *cookie, const char *text)
{
    struct response response;
    const char *const headers[] = {cookie, NULL};
    char *url = memory_format("http://127.0.0.1:%u/api/v1/fleets", daemon->admin_port);
    http_request("GET", url, headers, NULL, 0, &response);
    int status = response.status;
    ck_assert_msg(strstr(response.body, text), "%s", response.body);
    response_free(&response);
    free(url);
    return status;
}

TEST(an_expired_key_is_told_when_it_expired_and_its_sessions_have_ended)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "ann", "--expires", "90d", NULL);
    char *other = ctl_ok(&daemon, "key", "create", "bob", NULL);
    char *cookie = sign_in(&daemon, key), *others = sign_in(&daemon, other);
    char *body = memory_format("{\"key\":\"%s\"}", key);
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 200, "fleets");
    ck_assert_int_eq(status_with_cookie(&daemon, cookie, "fleets"), 200);
    /* As if it had been created on 2023-11-14 and expired ten seconds later. */
    change_store(&daemon, "UPDATE api_key SET created_ms = 1700000000000, expires_ms = "
                          "1700000010000 WHERE name = 'ann'");
    static const char expired[] = "this API key expired at 2023-11-14T22:13:30Z";
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 401, expired);
    expect(&daemon, key, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", 401, expired);
    expect(&daemon, NULL, "POST", "/api/v1/session", body, 401, expired);
    ck_assert_int_eq(status_with_cookie(&daemon, cookie, expired), 401);
    ck_assert_int_eq(status_with_cookie(&daemon, others, "fleets"), 200);
    expect(&daemon, other, "GET", "/api/v1/fleets", NULL, 200, "fleets");
    expect_member(&daemon, "ann", "state", "expired");
    char *list = ctl_ok(&daemon, "key", "list", NULL);
    ck_assert_ptr_nonnull(strstr(list, " (expired)"));
    char *freed[] = {list, body, others, cookie, other, key};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

TEST(a_key_that_expires_is_refused_while_the_clock_is_far_before_its_creation)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "ann", "--expires", "90d", NULL);
    char *cookie = sign_in(&daemon, key);
    change_store(&daemon, "UPDATE api_key SET created_ms = created_ms + 86400000, "
                          "expires_ms = expires_ms + 86400000"); /* a small correction is fine */
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 200, "fleets");
    change_store(&daemon, "UPDATE api_key SET created_ms = created_ms + 86400000, "
                          "expires_ms = expires_ms + 86400000");
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 401, "set the clock");
    ck_assert_int_eq(status_with_cookie(&daemon, cookie, "set the clock"), 401);
    expect_member(&daemon, "ann", "state", "uncertain");
    change_store(&daemon, "UPDATE api_key SET expires_ms = 0");
    expect(&daemon, key, "GET", "/api/v1/fleets", NULL, 200, "fleets");
    free(cookie);
    free(key);
    daemon_finish(&daemon);
}

/* Opens a stream with this header and waits for its first bytes. Returns -1 if it was refused,
 * because the key has expired already. */
static int open_stream(const struct daemon *daemon, const char *path, const char *header)
{
    char some[4096] = "",
         *request = memory_format("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", path, header);
    size_t got = 0;
    int fd = raw_connect(daemon->admin_port);
    ck_assert_int_eq(raw_send(fd, request, strlen(request)), 0);
    free(request);
    while (!strstr(some, "\r\n\r\n")) {
        ssize_t count = read(fd, some + got, sizeof(some) - 1 - got);
        ck_assert_int_gt(count, 0);
        got += (size_t)count;
    }
    if (strncmp(some, "HTTP/1.1 200", 12) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Tries to open three streams before their key expires: events with the key and with its session,
 * and followed output. */
static bool open_streams(struct daemon *daemon, const char *log, int seconds, int fds[3])
{
    char *name = memory_format("key %d", seconds), *expires = memory_format("%ds", seconds);
    char *key = ctl_ok(daemon, "key", "create", name, "--expires", expires, NULL);
    char *bearer = memory_format("Authorization: Bearer %s", key);
    struct response response;
    char *body = memory_format("{\"key\":\"%s\"}", key);
    call_with(daemon, NULL, "POST", "/api/v1/session", body, &response);
    const char *at = strstr(response.headers, "webhookd_session=");
    char *cookie = memory_format("Cookie: %.*s", at ? (int)strcspn(at, ";") : 0, at ? at : "");
    const char *const headers[3] = {bearer, cookie, bearer};
    const char *const paths[3] = {"/api/v1/events", "/api/v1/events", log};
    bool are_open = true;
    for (int i = 0; i < 3; i++) {
        fds[i] = open_stream(daemon, paths[i], headers[i]);
        are_open &= fds[i] >= 0;
    }
    for (int i = 0; i < 3 && !are_open; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    response_free(&response);
    char *freed[] = {body, cookie, bearer, key, expires, name};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    return are_open;
}

TEST(streams_end_when_their_key_expires_and_no_others_do)
{
    struct daemon daemon;
    int fds[3], closed, seconds = 2;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Long", "echo begun; exec sleep 1000");
    free(daemon_fleet(&daemon, fleet));
    char *id = ctl_ok(&daemon, "run", "start", "Long", NULL);
    api_await_output(&daemon, id, "main", "begun\n");
    json_t *run = api_get(&daemon, "/fleetruns/%s", id);
    char *log = memory_format("/api/v1/fleetruns/%s/vessels/%s/log?follow=1", id,
                              api_text(api_vessel(run, "main"), "id"));
    char *immortal = ctl_ok(&daemon, "key", "create", "immortal", NULL);
    char *bearer = memory_format("Authorization: Bearer %s", immortal);
    int other = open_stream(&daemon, "/api/v1/events", bearer);
    ck_assert_int_ge(other, 0);
    while (!open_streams(&daemon, log, seconds, fds)) /* on a slow machine, a longer life */
        seconds *= 2;
    for (int i = 0; i < 3; i++) {
        free(raw_receive(fds[i], 120000, &closed));
        ck_assert_int_eq(closed, 1);
        close(fds[i]);
    }
    free(raw_receive(other, 600, &closed));
    ck_assert_int_eq(closed, 0);
    close(other);
    free(ctl_ok(&daemon, "run", "stop", id, NULL));
    char *freed[] = {bearer, immortal, log, id, fleet};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    json_decref(run);
    daemon_finish(&daemon);
}
