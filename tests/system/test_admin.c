/* The admin API as docs/openapi.yaml describes it: every route over the socket with its errors, the
 * responses over TCP, and the absence of all routes from the public listener. */
#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/id.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define NOWHERE "00000000-0000-7000-8000-000000000000"

static const struct daemon_options plain;

/* ---- helpers ---- */

/* Calls the API, checks everything that all responses have in common, and returns the envelope. */
static json_t *call(struct daemon *daemon, const char *method, const char *path, const char *body,
                    int status)
{
    struct response response;
    struct id id;
    api_call(daemon, method, path, body, body ? strlen(body) : 0, &response);
    ck_assert_msg(response.status == status, "%s %s: %d %s", method, path, response.status,
                  response.body);
    json_t *envelope = api_parse(response.body);
    const char *request = api_text(json_object_get(envelope, "request"), "id");
    ck_assert_int_eq(id_parse(request, &id), 0);
    char *header = memory_format("X-Request-Id: %s\r\n", request);
    ck_assert_ptr_nonnull(strstr(response.headers, header));
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(json_object_get(envelope, "data"));
    if (status >= 400) {
        ck_assert(json_is_null(json_object_get(envelope, "data")));
        ck_assert_str_ne(api_text(json_object_get(envelope, "error"), "message"), "");
    } else {
        ck_assert_ptr_null(json_object_get(envelope, "error"));
    }
    free(header);
    response_free(&response);
    return envelope;
}

/* Makes a call that must succeed and returns its data. */
static json_t *call_data(struct daemon *daemon, const char *method, const char *path,
                         const char *body, int status)
{
    json_t *envelope = call(daemon, method, path, body, status);
    json_t *data = json_incref(json_object_get(envelope, "data"));
    json_decref(envelope);
    return data;
}

/* Makes a call that must fail with this field in its error (NULL: none). */
static void call_fails(struct daemon *daemon, const char *method, const char *path,
                       const char *body, int status, const char *field)
{
    json_t *envelope = call(daemon, method, path, body, status);
    const json_t *error = json_object_get(envelope, "error");
    ck_assert_msg(strcmp(api_text(error, "field"), field ? field : "") == 0, "%s %s: field %s",
                  method, path, api_text(error, "field"));
    json_decref(envelope);
}

static void assert_keys(const json_t *object, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(json_object_get(object, keys[i]), "no member %s", keys[i]);
    ck_assert_uint_eq(json_object_size(object), count);
}
#define assert_object(object, ...)                                                                 \
    do {                                                                                           \
        static const char *const keys_[] = {__VA_ARGS__};                                          \
        assert_keys(object, keys_, ARRAY_COUNT(keys_));                                            \
    } while (0)

/* A daemon with the ids of its default project, of a fleet, and of an ended run of that fleet. */
struct setting {
    struct daemon daemon;
    char org[40], project[40], fleet[40], run[40], vessel_run[40];
    char *url;
};

static char *path_of(const char *format, const char *id)
{
    struct buffer path = BUFFER_INIT;
    const char *mark = strchr(format, '%');
    buffer_append_text(&path, "/api/v1");
    buffer_append(&path, format, mark ? (size_t)(mark - format) : strlen(format));
    if (mark)
        buffer_append_format(&path, "%s%s", id, mark + 2);
    return buffer_take(&path);
}

static void copy_id(char to[40], const json_t *object, const char *key)
{
    snprintf(to, 40, "%s", api_text(object, key));
    ck_assert_uint_eq(strlen(to), 36);
}

static void begin(struct setting *setting)
{
    struct daemon *daemon = &setting->daemon;
    daemon_begin(daemon, &plain);
    char *fleet = bash_fleet("Fleet", "echo out; exit 5");
    setting->url = daemon_fleet(daemon, fleet);
    json_t *run = api_post_and_wait(daemon, setting->url, "body");
    copy_id(setting->org, run, "org_id");
    copy_id(setting->project, run, "project_id");
    copy_id(setting->fleet, run, "fleet_id");
    copy_id(setting->run, run, "id");
    copy_id(setting->vessel_run, api_vessel(run, "main"), "id");
    json_decref(run);
    free(fleet);
}

static void finish(struct setting *setting)
{
    free(setting->url);
    daemon_finish(&setting->daemon);
}

/* ---- organizations and projects ---- */

TEST(orgs_are_listed_created_and_deleted)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    json_t *org = call_data(daemon, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", 201);
    assert_object(org, "id", "name", "created_at");
    json_t *list = call_data(daemon, "GET", "/api/v1/orgs", NULL, 200);
    ck_assert(json_equal(api_find(json_object_get(list, "orgs"), "name", "acme"), org));
    call_fails(daemon, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", 409, NULL);
    char *path = path_of("/orgs/%s", api_text(org, "id"));
    json_decref(call(daemon, "DELETE", path, NULL, 200));
    call_fails(daemon, "DELETE", path, NULL, 404, NULL);
    free(path);
    path = path_of("/orgs/%s", setting.org); /* contains a project */
    call_fails(daemon, "DELETE", path, NULL, 409, NULL);
    free(path);
    call_fails(daemon, "DELETE", "/api/v1/orgs/" NOWHERE, NULL, 404, NULL);
    call_fails(daemon, "DELETE", "/api/v1/orgs/default", NULL, 404, NULL);
    json_decref(list);
    json_decref(org);
    finish(&setting);
}

TEST(projects_are_listed_created_and_deleted)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/orgs/%s/projects", setting.org);
    json_t *project = call_data(daemon, "POST", path, "{\"name\":\"web\"}", 201);
    assert_object(project, "id", "name", "org_id", "org_name", "created_at");
    json_t *list = call_data(daemon, "GET", path, NULL, 200);
    ck_assert(json_equal(api_find(json_object_get(list, "projects"), "name", "web"), project));
    call_fails(daemon, "POST", path, "{\"name\":\"web\"}", 409, NULL);
    call_fails(daemon, "POST", path, "{\"name\":\"a/b\"}", 400, "name");
    call_fails(daemon, "GET", "/api/v1/orgs/" NOWHERE "/projects", NULL, 404, NULL);
    call_fails(daemon, "POST", "/api/v1/orgs/" NOWHERE "/projects", "{\"name\":\"x\"}", 404, NULL);
    char *one = memory_format("%s/%s", path, api_text(project, "id"));
    char *other_org =
        memory_format("/api/v1/orgs/" NOWHERE "/projects/%s", api_text(project, "id"));
    char *full = memory_format("%s/%s", path, setting.project);
    call_fails(daemon, "DELETE", other_org, NULL, 404, NULL);
    json_decref(call(daemon, "DELETE", one, NULL, 200));
    call_fails(daemon, "DELETE", one, NULL, 404, NULL);
    call_fails(daemon, "DELETE", full, NULL, 409, NULL);
    free(full);
    free(other_org);
    free(one);
    json_decref(list);
    json_decref(project);
    free(path);
    finish(&setting);
}

TEST(invalid_bodies_are_refused_with_their_field)
{
    static const struct {
        const char *body, *field;
    } cases[] = {
        {"", NULL},
        {"{", NULL},
        {"[]", NULL},
        {"{}", "name"},
        {"{\"name\":5}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":\"a\\nb\"}", "name"},
        {"{\"name\":\"a/b\"}", "name"},
        {"{\"name\":\"" NOWHERE "\"}", "name"},
        {"{\"name\":\"a\",\"name\":\"b\"}", NULL},
        {"{\"name\":\"a\",\"colour\":1}", "colour"},
        {"{\"name\":\"\xff\"}", NULL},
        {"{\"name\":\"a\\u0000b\"}", NULL},
    };
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        call_fails(&daemon, "POST", "/api/v1/orgs", cases[i].body, 400, cases[i].field);
    char *name = memory_alloc(300);
    memset(name, 'n', 256);
    char *body = memory_format("{\"name\":\"%s\"}", name);
    call_fails(&daemon, "POST", "/api/v1/orgs", body, 400, "name");
    free(body);
    free(name);
    json_t *list = call_data(&daemon, "GET", "/api/v1/orgs", NULL, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "orgs")), 1);
    json_decref(list);
    daemon_finish(&daemon);
}

/* ---- fleets ---- */

TEST(fleet_files_are_applied_checked_and_refused)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/projects/%s/fleets", setting.project);
    char *check = memory_format("%s?check=1", path), *stub = memory_format("%s?stub=1", path);
    char *file = bash_fleet("New", "true"), *changed = bash_fleet("New", "false");
    json_t *data = call_data(daemon, "PUT", check, file, 200);
    ck_assert_str_eq(api_text(data, "outcome"), "checked");
    ck_assert(json_is_null(json_object_get(data, "fleet")));
    ck_assert(json_is_null(json_object_get(data, "version")));
    ck_assert_str_eq(api_text(json_object_get(data, "would"), "outcome"), "created");
    json_decref(data);
    data = call_data(daemon, "PUT", path, file, 200);
    assert_object(data, "outcome", "fleet", "version", "would", "notes");
    ck_assert(json_is_null(json_object_get(data, "would")));
    assert_object(json_object_get(data, "fleet"), "id", "name", "project_id", "project_name",
                  "org_id", "org_name", "version", "created_at", "updated_at", "has_webhook",
                  "waiting", "running");
    ck_assert_str_eq(api_text(data, "outcome"), "created");
    char *identified = memory_format("_id: %s\nname: Fleet\nvessels: {}\n",
                                     api_text(json_object_get(data, "fleet"), "id"));
    json_decref(data);
    data = call_data(daemon, "PUT", path, file, 200);
    ck_assert_str_eq(api_text(data, "outcome"), "unchanged");
    json_decref(data);
    data = call_data(daemon, "PUT", check, changed, 200);
    assert_object(json_object_get(data, "would"), "outcome", "fleet_id", "version");
    ck_assert_str_eq(api_text(json_object_get(data, "would"), "outcome"), "updated");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(data, "would"), "version")),
                     2);
    json_decref(data);
    data = call_data(daemon, "PUT", path, changed, 200);
    ck_assert_str_eq(api_text(data, "outcome"), "updated");
    ck_assert_int_eq(json_integer_value(json_object_get(data, "version")), 2);
    json_decref(data);

    json_t *refused = call(daemon, "PUT", path, "name: X\nvessels: {}\nmore: 1\n", 422);
    const json_t *errors = json_object_get(json_object_get(refused, "error"), "errors");
    ck_assert_uint_ge(json_array_size(errors), 2);
    assert_object(json_array_get(errors, 0), "message", "path", "line");
    ck_assert_ptr_nonnull(api_find(errors, "path", "more"));
    ck_assert_int_eq(json_integer_value(json_object_get(api_find(errors, "path", "more"), "line")),
                     3);
    json_decref(refused);
    refused = call(daemon, "PUT", path, "{\"name\":", 422);
    json_decref(refused);
    static const char blueprint[] =
        "name: B\nvessels:\n  v:\n    source: { type: BLUEPRINT, blueprint: x }\n";
    call_fails(daemon, "PUT", path, blueprint, 422, NULL);
    json_decref(call(daemon, "PUT", stub, blueprint, 200));
    char *twice = memory_format("%s?check=2", path);
    call_fails(daemon, "PUT", twice, file, 400, "check");
    call_fails(daemon, "PUT", "/api/v1/projects/" NOWHERE "/fleets", file, 404, NULL);
    call_fails(daemon, "GET", "/api/v1/projects/" NOWHERE "/fleets", NULL, 404, NULL);
    json_t *list = call_data(daemon, "GET", path, NULL, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "fleets")), 3);
    json_decref(list);
    list = call_data(daemon, "GET", "/api/v1/fleets", NULL, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "fleets")), 3);
    json_decref(list);
    char *freed[] = {twice, identified, changed, file, stub, check, path};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    finish(&setting);
}

TEST(id_of_one_fleet_with_the_name_of_another_is_409)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/projects/%s/fleets", setting.project);
    char *file = bash_fleet("Other", "true");
    json_decref(call(daemon, "PUT", path, file, 200));
    char *both = memory_format("_id: %s\n%s", setting.fleet, file);
    call_fails(daemon, "PUT", path, both, 409, NULL);
    free(both);
    free(file);
    free(path);
    finish(&setting);
}

TEST(fleet_and_its_versions_are_read_and_deleted)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/fleets/%s", setting.fleet);
    char *versions = memory_format("%s/versions", path), *one = memory_format("%s/1", versions);
    json_t *fleet = call_data(daemon, "GET", path, NULL, 200);
    ck_assert_str_eq(api_text(fleet, "name"), "Fleet");
    ck_assert(json_is_true(json_object_get(fleet, "has_webhook")));
    json_t *list = call_data(daemon, "GET", versions, NULL, 200);
    const json_t *first = json_array_get(json_object_get(list, "versions"), 0);
    assert_object(first, "fleet_id", "version", "created_at");
    json_t *version = call_data(daemon, "GET", one, NULL, 200);
    assert_object(version, "fleet_id", "version", "created_at", "file", "definition");
    char *file = bash_fleet("Fleet", "echo out; exit 5");
    ck_assert_str_eq(api_text(version, "file"), file);
    static const char *const missing[] = {"/2", "/0", "/x", "/1.5", "/-1", "/99999999999999999999"};
    for (size_t i = 0; i < ARRAY_COUNT(missing); i++) {
        char *wrong = memory_format("%s%s", versions, missing[i]);
        call_fails(daemon, "GET", wrong, NULL, 404, NULL);
        free(wrong);
    }
    json_decref(call(daemon, "DELETE", path, NULL, 200));
    static const char *const gone[] = {"", "/versions", "/webhook", "/fleetruns"};
    for (size_t i = 0; i < ARRAY_COUNT(gone); i++) {
        char *wrong = memory_format("%s%s", path, gone[i]);
        call_fails(daemon, "GET", wrong, NULL, 404, NULL);
        free(wrong);
    }
    call_fails(daemon, "DELETE", path, NULL, 404, NULL);
    char *run = path_of("/fleetruns/%s", setting.run);
    /* Ended runs remain, and so does the version that they name. */
    json_decref(call(daemon, "GET", run, NULL, 200));
    json_decref(call(daemon, "GET", one, NULL, 200));
    char *again = memory_format("%s/again", run);
    call_fails(daemon, "POST", again, NULL, 404, NULL);
    free(again);
    free(run);
    free(file);
    json_decref(version);
    json_decref(list);
    json_decref(fleet);
    free(one);
    free(versions);
    free(path);
    finish(&setting);
}

TEST(fleet_with_a_scheduled_run_is_409)
{
    struct daemon daemon;
    struct daemon_options options = {.runner = "enabled = false"};
    daemon_begin(&daemon, &options);
    char *file = bash_fleet("Busy", "true"), *url = daemon_fleet(&daemon, file);
    char *id = api_post(url, "x", 1);
    json_t *run = api_get(&daemon, "/fleetruns/%s", id);
    char *path = path_of("/fleets/%s", api_text(run, "fleet_id"));
    call_fails(&daemon, "DELETE", path, NULL, 409, NULL);
    json_t *fleet = call_data(&daemon, "GET", path, NULL, 200);
    ck_assert_int_eq(json_integer_value(json_object_get(fleet, "waiting")), 1);
    ck_assert(json_is_null(json_object_get(run, "started_at")));
    ck_assert_uint_eq(json_array_size(json_object_get(run, "vessels")), 0);
    json_decref(fleet);
    free(path);
    json_decref(run);
    free(id);
    free(url);
    free(file);
    daemon_finish(&daemon);
}

/* ---- webhooks ---- */

TEST(webhook_is_read_created_replaced_and_removed)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/fleets/%s/webhook", setting.fleet);
    json_t *webhook = call_data(daemon, "GET", path, NULL, 200);
    assert_object(webhook, "url", "fleet_id", "fleet_name", "project_id", "project_name", "org_id",
                  "org_name", "created_at", "last_request", "requests");
    assert_object(json_object_get(webhook, "requests"), "since", "accepted", "refused");
    char *query = memory_format("%s?since=yesterday", path);
    call_fails(daemon, "PUT", query, NULL, 400, "since");
    free(query);
    call_fails(daemon, "POST", path, NULL, 409, NULL);
    json_t *list = call_data(daemon, "GET", "/api/v1/webhooks", NULL, 200);
    const json_t *listed = json_array_get(json_object_get(list, "webhooks"), 0);
    ck_assert_str_eq(api_text(listed, "url"), api_text(webhook, "url"));
    ck_assert_uint_eq(json_object_size(listed), json_object_size(webhook));
    json_t *replaced = call_data(daemon, "PUT", path, NULL, 200);
    ck_assert_str_ne(api_text(replaced, "url"), api_text(webhook, "url"));
    json_decref(call(daemon, "DELETE", path, NULL, 200));
    call_fails(daemon, "GET", path, NULL, 404, NULL);
    call_fails(daemon, "PUT", path, NULL, 404, NULL);
    call_fails(daemon, "DELETE", path, NULL, 404, NULL);
    json_decref(call(daemon, "POST", path, NULL, 201));
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
        call_fails(daemon, methods[i], "/api/v1/fleets/" NOWHERE "/webhook", NULL, 404, NULL);
    json_decref(replaced);
    json_decref(list);
    json_decref(webhook);
    free(path);
    finish(&setting);
}

/* ---- runs ---- */

TEST(run_has_every_property_and_its_vessels)
{
    struct setting setting;
    begin(&setting);
    char *path = path_of("/fleetruns/%s", setting.run);
    json_t *run = call_data(&setting.daemon, "GET", path, NULL, 200);
    assert_object(run, "id", "fleet_id", "fleet_name", "fleet_version", "project_id", "org_id",
                  "trigger", "event", "status", "request_id", "remote_addr", "host", "query_string",
                  "body_bytes", "body_sha256", "created_at", "started_at", "ended_at", "vessels",
                  "withheld", "again_of", "again_as", "overrides");
    const json_t *vessel = api_vessel(run, "main");
    assert_object(vessel, "id", "vessel_id", "name", "status", "attempts", "max_attempts",
                  "next_attempt_at", "exit_code", "reason", "started_at", "ended_at",
                  "output_bytes", "blueprint_version");
    ck_assert_str_eq(api_text(run, "body_sha256"),
                     "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5");
    ck_assert(json_is_null(json_object_get(run, "event")));
    ck_assert_uint_eq(strlen(api_text(run, "created_at")), strlen("2026-11-23T10:51:48.123Z"));
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "exit_code")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "output_bytes")), 4);
    json_decref(run);
    free(path);
    call_fails(&setting.daemon, "GET", "/api/v1/fleetruns/" NOWHERE, NULL, 404, NULL);
    call_fails(&setting.daemon, "GET", "/api/v1/fleetruns/latest", NULL, 404, NULL);
    finish(&setting);
}

/* Expects a GET to return exactly these bytes with this content type. */
static void assert_bytes(struct daemon *daemon, const char *path, const char *type,
                         const char *expected)
{
    struct response response;
    api_call(daemon, "GET", path, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.body, expected);
    ck_assert_ptr_nonnull(strstr(response.headers, type));
    ck_assert_ptr_nonnull(strstr(response.headers, "X-Content-Type-Options: nosniff\r\n"));
    ck_assert_ptr_nonnull(strstr(response.headers, "Cache-Control: no-store\r\n"));
    response_free(&response);
}

TEST(body_headers_and_log_of_a_run_are_read)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *run = path_of("/fleetruns/%s", setting.run);
    char *body = memory_format("%s/body", run), *headers = memory_format("%s/headers", run);
    char *log = memory_format("%s/vessels/%s/log", run, setting.vessel_run);
    assert_bytes(daemon, body, "Content-Type: application/octet-stream\r\n", "body");
    assert_bytes(daemon, log, "Content-Type: text/plain; charset=utf-8\r\n", "out\n");
    json_t *object = call_data(daemon, "GET", headers, NULL, 200);
    ck_assert_ptr_nonnull(json_object_get(object, "Content-Length"));
    json_decref(object);
    static const struct {
        const char *query;
        int status;
        const char *field;
    } cases[] = {
        {"?attempt=2", 404, NULL},      {"?attempt=0", 400, "attempt"},
        {"?attempt=x", 400, "attempt"}, {"?attempt=99999999999999", 400, "attempt"},
        {"?follow=2", 400, "follow"},   {"?follow=yesyesyes", 400, "follow"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *path = memory_format("%s%s", log, cases[i].query);
        call_fails(daemon, "GET", path, NULL, cases[i].status, cases[i].field);
        free(path);
    }
    char *first = memory_format("%s?attempt=1&follow=0", log);
    assert_bytes(daemon, first, "text/plain", "out\n");
    char *wrong = memory_format("%s/vessels/" NOWHERE "/log", run);
    call_fails(daemon, "GET", wrong, NULL, 404, NULL);
    call_fails(daemon, "GET", "/api/v1/fleetruns/" NOWHERE "/body", NULL, 404, NULL);
    call_fails(daemon, "GET", "/api/v1/fleetruns/" NOWHERE "/headers", NULL, 404, NULL);
    call_fails(daemon, "POST", "/api/v1/fleetruns/" NOWHERE "/again", NULL, 404, NULL);
    char *freed[] = {wrong, first, log, headers, body, run};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    finish(&setting);
}

TEST(runs_are_started_with_any_bytes_and_again)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    char *path = path_of("/fleets/%s/fleetruns", setting.fleet);
    json_t *run = call_data(daemon, "POST", path, "any bytes", 201);
    ck_assert_str_eq(api_text(run, "trigger"), "on_demand");
    ck_assert_int_eq(json_integer_value(json_object_get(run, "body_bytes")), 9);
    json_decref(run);
    run = call_data(daemon, "POST", path, NULL, 201);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "body_bytes")), 0);
    json_decref(run);
    char *again = path_of("/fleetruns/%s/again", setting.run);
    run = call_data(daemon, "POST", again, NULL, 201);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "body_bytes")), 4);
    json_decref(run);
    call_fails(daemon, "POST", "/api/v1/fleets/" NOWHERE "/fleetruns", "x", 404, NULL);
    free(again);
    free(path);
    finish(&setting);
}

/* Starts a run over the socket with these request headers. */
static void start_with(struct setting *setting, const char *const *headers,
                       struct response *response)
{
    char *url = memory_format("http://localhost/api/v1/fleets/%s/fleetruns", setting->fleet);
    http_request_over(setting->daemon.socket, "POST", url, headers, "{}", 2, response);
    free(url);
}

TEST(runs_are_started_with_headers)
{
    struct setting setting;
    struct response response;
    begin(&setting);
    const char *const headers[] = {"Content-Type: application/json",
                                   "X-Webhookd-Headers: {\"x-gitlab-event\":\"Push Hook\","
                                   "\"cookie\":\"webhookd_session=x\",\"X-A\":[\"1\",\"2\"]}",
                                   NULL};
    start_with(&setting, headers, &response);
    ck_assert_int_eq(response.status, 201);
    json_t *envelope = api_parse(response.body);
    const json_t *run = json_object_get(envelope, "data");
    ck_assert_str_eq(api_text(run, "event"), "Push Hook");
    json_t *stored = api_get(&setting.daemon, "/fleetruns/%s/headers", api_text(run, "id"));
    char *text = json_dumps(stored, JSON_COMPACT);
    ck_assert_str_eq(text, "{\"X-Gitlab-Event\":[\"Push Hook\"],\"X-A\":[\"1\",\"2\"],"
                           "\"Content-Type\":[\"application/json\"]}");
    json_t *whole = api_get(&setting.daemon, "/fleetruns/%s", api_text(run, "id"));
    const json_t *withheld = json_object_get(whole, "withheld");
    ck_assert_uint_eq(json_array_size(withheld), 1);
    ck_assert_str_eq(json_string_value(json_array_get(withheld, 0)), "Cookie");
    json_decref(whole);
    free(text);
    json_decref(stored);
    json_decref(envelope);
    response_free(&response);
    finish(&setting);
}

TEST(invalid_headers_start_no_run)
{
    char large[16 * 1024];
    int begun = snprintf(large, sizeof(large), "X-Webhookd-Headers: {\"X-A\":\"");
    memset(large + begun, 'a', sizeof(large) - (size_t)begun);
    strcpy(large + sizeof(large) - sizeof("\"}"), "\"}");
    const struct {
        const char *headers[3];
        int status;
        const char *field;
    } cases[] = {
        {{"X-Webhookd-Headers: {\"Host\":\"h\"}"}, 400, "X-Webhookd-Headers"},
        {{"X-Webhookd-Headers: {\"X-A\":1}"}, 400, "X-Webhookd-Headers"},
        {{"X-Webhookd-Headers: {}", "x-webhookd-headers: {}"}, 400, "X-Webhookd-Headers"},
        {{large}, 431, ""},
    };
    struct setting setting;
    begin(&setting);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        start_with(&setting, cases[i].headers, &response);
        ck_assert_msg(response.status == cases[i].status, "%zu: %d", i, response.status);
        json_t *envelope = api_parse(response.body);
        ck_assert_str_eq(api_text(json_object_get(envelope, "error"), "field"), cases[i].field);
        json_decref(envelope);
        response_free(&response);
    }
    json_t *page = api_get(&setting.daemon, "/fleetruns");
    ck_assert_uint_eq(json_array_size(json_object_get(page, "fleetruns")), 1);
    json_decref(page);
    finish(&setting);
}

/* Two per page, from the oldest run on: each page is newest first, too. */
static void expect_pages_after(struct daemon *daemon, const json_t *runs)
{
    size_t left = json_array_size(runs) - 1;
    char after[40];
    snprintf(after, sizeof(after), "%s", api_text(json_array_get(runs, left), "id"));
    while (after[0]) {
        json_t *page = api_get(daemon, "/fleetruns?limit=2&after=%s", after);
        const json_t *some = json_object_get(page, "fleetruns");
        size_t count = json_array_size(some);
        ck_assert(json_is_null(json_object_get(page, "next_before")));
        for (size_t i = 0; i < count; i++)
            ck_assert_str_eq(api_text(json_array_get(some, i), "id"),
                             api_text(json_array_get(runs, left - count + i), "id"));
        left -= count;
        snprintf(after, sizeof(after), "%s", api_text(page, "next_after"));
        ck_assert(after[0] == '\0' || strcmp(after, api_text(json_array_get(some, 0), "id")) == 0);
        json_decref(page);
    }
    ck_assert_uint_eq(left, 0);
}

TEST(runs_are_listed_with_every_filter_and_page_by_page)
{
    struct setting setting;
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    for (int i = 0; i < 4; i++)
        free(ctl_ok(daemon, "run", "start", "Fleet", NULL));
    json_t *all = api_get(daemon, "/fleetruns");
    const json_t *runs = json_object_get(all, "fleetruns");
    ck_assert_uint_eq(json_array_size(runs), 5);
    ck_assert(json_is_null(json_object_get(all, "next_before")));
    for (size_t i = 0; i < 5; i++)
        json_decref(api_await_end(daemon, api_text(json_array_get(runs, i), "id")));

    /* Two per page, newest first, each run exactly once. */
    char before[40] = "";
    size_t seen = 0;
    do {
        json_t *page =
            api_get(daemon, "/fleetruns?limit=2%s%s", before[0] ? "&before=" : "", before);
        const json_t *some = json_object_get(page, "fleetruns");
        for (size_t i = 0; i < json_array_size(some); i++)
            ck_assert_str_eq(api_text(json_array_get(some, i), "id"),
                             api_text(json_array_get(runs, seen++), "id"));
        snprintf(before, sizeof(before), "%s", api_text(page, "next_before"));
        json_decref(page);
    } while (before[0]);
    ck_assert_uint_eq(seen, 5);
    expect_pages_after(daemon, runs);

    const json_t *last = json_array_get(runs, 4);
    const struct {
        const char *filter, *value;
        size_t count;
    } cases[] = {
        {"status", "errored", 5},
        {"status", "success", 0},
        {"trigger", "webhook", 1},
        {"trigger", "on_demand", 4},
        {"trigger", "schedule", 0},
        {"since", "2020-01-01T00:00:00Z", 5},
        {"since", "2120-01-01T00:00:00Z", 0},
        {"id", setting.run, 1},
        {"request_id", api_text(last, "request_id"), 1},
        {"request_id", NOWHERE, 0},
        {"limit", "1", 1},
        {"before", setting.run, 0},
        {"after", setting.run, 4},
        {"id", "ffff", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *page = api_get(daemon, "/fleetruns?%s=%s", cases[i].filter, cases[i].value);
        json_t *of_fleet = api_get(daemon, "/fleets/%s/fleetruns?%s=%s", setting.fleet,
                                   cases[i].filter, cases[i].value);
        ck_assert_msg(json_array_size(json_object_get(page, "fleetruns")) == cases[i].count,
                      "%s=%s", cases[i].filter, cases[i].value);
        ck_assert(json_equal(page, of_fleet));
        json_decref(of_fleet);
        json_decref(page);
    }
    static const char *const wrong[][2] = {
        {"limit", "0"},           {"limit", "1001"}, {"limit", "x"},         {"status", "good"},
        {"status", "incomplete"}, {"trigger", "me"}, {"since", "yesterday"}, {"before", "x"},
        {"request_id", "12"},     {"id", "xyz"},     {"id", "0-0"},          {"after", "x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        char *path = memory_format("/api/v1/fleetruns?%s=%s", wrong[i][0], wrong[i][1]);
        call_fails(daemon, "GET", path, NULL, 400, wrong[i][0]);
        free(path);
    }
    call_fails(daemon, "GET", "/api/v1/fleetruns?before=" NOWHERE "&after=" NOWHERE, NULL, 400,
               "after");
    json_t *refused = call(daemon, "GET", "/api/v1/fleetruns?id=zz!", NULL, 400);
    ck_assert_str_eq(api_text(json_object_get(refused, "error"), "message"),
                     "\"zz!\" is neither the beginning of a run ID nor a request ID");
    json_decref(refused);
    json_decref(all);
    finish(&setting);
}

/* ---- administration ---- */

TEST(status_has_every_property)
{
    struct setting setting;
    begin(&setting);
    json_t *status = call_data(&setting.daemon, "GET", "/api/v1/status", NULL, 200);
    assert_object(status, "version", "pid", "started_at", "uptime_seconds", "ready",
                  "not_ready_because", "key_usable", "key_problem", "store_caveat",
                  "schema_version", "listeners", "runner", "counts", "queue", "disk", "bounds",
                  "log_lost_lines");
    assert_object(json_object_get(status, "listeners"), "hooks", "admin", "socket");
    assert_object(json_object_get(status, "runner"), "enabled", "sandbox", "max_vessels",
                  "running_vessels", "active_runs");
    assert_object(json_object_get(status, "counts"), "orgs", "projects", "fleets", "webhooks",
                  "runs_scheduled", "runs_running");
    assert_object(json_object_get(status, "queue"), "queued", "operations", "batches",
                  "failed_batches");
    assert_object(json_object_get(status, "disk"), "free_bytes", "min_free_bytes", "free_inodes",
                  "min_free_inodes");
    const json_t *counts = json_object_get(status, "counts");
    ck_assert_int_eq(json_integer_value(json_object_get(counts, "fleets")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(counts, "webhooks")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(status, "pid")), setting.daemon.pid);
    json_decref(status);
    finish(&setting);
}

TEST(unknown_query_parameters_are_refused)
{
    static const struct {
        const char *path, *field;
    } cases[] = {
        {"/api/v1/fleetruns?limt=2", "limt"},
        {"/api/v1/fleetruns?limit=2&request=x", "request"},
        {"/api/v1/fleetruns?limit=2&before&limit=3", "limit"},
        {"/api/v1/fleetruns?&=&limit=2", ""},
        {"/api/v1/fleetruns?limit%20=2", "limit%20"},
        {"/api/v1/orgs?limit=2", "limit"},
        {"/api/v1/status?x", "x"},
    };
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        call_fails(&daemon, "GET", cases[i].path, NULL, 400, cases[i].field);
    /* A name that is not UTF-8 cannot be quoted; the error says so nevertheless. */
    json_t *answer = call(&daemon, "GET", "/api/v1/fleetruns?limit\xf8=2", NULL, 400);
    ck_assert_str_eq(api_text(json_object_get(answer, "error"), "message"),
                     "this API call takes no query parameter \"limit?\"");
    json_decref(answer);
    json_decref(
        call(&daemon, "GET", "/api/v1/fleetruns?&limit=2&&since=2026-01-01T00:00:00Z", NULL, 200));
    json_decref(call(&daemon, "GET", "/healthz?cache=buster", NULL,
                     200)); /* monitoring tools may add parameters */
    daemon_finish(&daemon);
}

TEST(probes_answer_and_readyz_gives_the_reason_if_not_ready)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    json_t *alive = call_data(&daemon, "GET", "/healthz", NULL, 200);
    ck_assert_str_eq(api_text(alive, "status"), "alive");
    json_t *ready = call_data(&daemon, "GET", "/readyz", NULL, 200);
    ck_assert_str_eq(api_text(ready, "status"), "ready");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    struct daemon_options options = {.top = "min_free = \"1024GiB\""};
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    json_t *refused = call(&daemon, "GET", "/readyz", NULL, 503);
    json_decref(refused);
    json_decref(call(&daemon, "GET", "/healthz", NULL, 200));
    json_decref(ready);
    json_decref(alive);
    daemon_finish(&daemon);
}

/* Checks one line of the text format: "name{label="value",…} number". Returns NULL, or what is
 * invalid. *name_chars receives the length of the name. */
static const char *sample_problem(const char *line, size_t *name_chars)
{
    const char *at = line;
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':')
        at++;
    *name_chars = (size_t)(at - line);
    if (*name_chars == 0 || isdigit((unsigned char)*line))
        return "no name";
    if (*at == '{') {
        const char *end = strchr(at, '}');
        if (!end || end[-1] != '"' || !strstr(at, "=\""))
            return "no labels";
        at = end + 1;
    }
    char *end;
    if (*at != ' ' || at[1] == ' ')
        return "no space before the value";
    double value = strtod(at + 1, &end);
    return *end != '\0' || end == at + 1 || isnan(value) ? "no value" : NULL;
}

TEST(metrics_are_prometheus_text)
{
    struct setting setting;
    struct response response;
    begin(&setting);
    api_call(&setting.daemon, "GET", "/metrics", NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Type: text/plain; version=0.0.4"));
    ck_assert_int_eq(response.body[response.body_bytes - 1], '\n');
    /* Each family has HELP, TYPE and then its samples, all with the same name; no family appears
     * twice. */
    char family[128] = "", *rest = response.body, *line;
    struct buffer families = BUFFER_INIT;
    int samples = 0;
    while ((line = strsep(&rest, "\n")) && *line) {
        char name[128], type[32];
        size_t chars;
        if (sscanf(line, "# HELP %127s", name) == 1) {
            char *marked = memory_format("[%s]", name);
            ck_assert_msg(!families.data || !strstr(buffer_text(&families), marked),
                          "%s appears twice", name);
            buffer_append_text(&families, marked);
            free(marked);
            strcpy(family, name);
        } else if (sscanf(line, "# TYPE %127s %31s", name, type) == 2) {
            ck_assert_str_eq(name, family);
            ck_assert(strcmp(type, "gauge") == 0 || strcmp(type, "counter") == 0);
            size_t length = strlen(name);
            bool is_total = length > 6 && strcmp(name + length - 6, "_total") == 0;
            ck_assert_msg(is_total == (strcmp(type, "counter") == 0), "%s is a %s", name, type);
        } else {
            const char *problem = sample_problem(line, &chars);
            ck_assert_msg(!problem, "%s: %s", problem, line);
            ck_assert_msg(strncmp(line, family, chars) == 0 && family[chars] == '\0',
                          "not a sample of %s: %s", family, line);
            ck_assert_int_eq(strncmp(line, "webhookd_", 9), 0);
            samples++;
        }
    }
    ck_assert_int_gt(samples, 25);
    buffer_free(&families);
    response_free(&response);
    finish(&setting);
}

TEST(metrics_count_what_happens)
{
    struct setting setting;
    struct response response;
    begin(&setting);
    char *wrong = memory_format("http://127.0.0.1:%u/hooks/x", setting.daemon.port);
    http_post(wrong, NULL, "x", 1, &response);
    response_free(&response);
    free(wrong);
    ck_assert_int_eq(api_metric(&setting.daemon, "attempts_started_total"), 1);
    ck_assert_int_eq(api_metric(&setting.daemon, "attempts_ended_total"), 1);
    ck_assert_int_eq(api_metric(&setting.daemon, "vessels_running"), 0);
    ck_assert_int_eq(api_metric(&setting.daemon, "ready"), 1);
    api_call(&setting.daemon, "GET", "/metrics", NULL, 0, &response);
    ck_assert_ptr_nonnull(
        strstr(response.body, "\nwebhookd_hooks_answers_total{status=\"201\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(response.body, "\nwebhookd_hooks_answers_total{status=\"400\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(response.body, "\nwebhookd_build_info{version=\"" WEBHOOKD_VERSION "\"} 1\n"));
    response_free(&response);
    finish(&setting);
}

/* ---- every route ---- */

/* The routes that docs/openapi.yaml lists; "ID" stands for an id. */
static const struct {
    const char *path, *methods;
    bool is_open; /* needs no key */
} routes[] = {
    {"/api/v1/orgs", "GET POST", false},
    {"/api/v1/orgs/ID", "DELETE", false},
    {"/api/v1/orgs/ID/projects", "GET POST", false},
    {"/api/v1/orgs/ID/projects/ID", "DELETE", false},
    {"/api/v1/orgs/ID/credentials", "GET", false},
    {"/api/v1/orgs/ID/credentials/ID/ID", "PUT DELETE", false},
    {"/api/v1/orgs/ID/credentials/ID/ID/used", "GET", false},
    {"/api/v1/orgs/ID/blueprints", "GET PUT", false},
    {"/api/v1/blueprints/ID", "GET DELETE", false},
    {"/api/v1/blueprints/ID/versions", "GET", false},
    {"/api/v1/blueprints/ID/versions/ID", "GET", false},
    {"/api/v1/blueprints/ID/used", "GET", false},
    {"/api/v1/projects/ID/fleets", "GET PUT", false},
    {"/api/v1/fleets", "GET", false},
    {"/api/v1/fleets/ID", "GET DELETE", false},
    {"/api/v1/fleets/ID/versions", "GET", false},
    {"/api/v1/fleets/ID/versions/ID", "GET", false},
    {"/api/v1/fleets/ID/webhook", "GET POST PUT DELETE", false},
    {"/api/v1/webhooks", "GET", false},
    {"/api/v1/fleets/ID/packages", "GET", false},
    {"/api/v1/fleets/ID/packages/refresh", "POST", false},
    {"/api/v1/packages", "GET DELETE", false},
    {"/api/v1/packages/ID", "DELETE", false},
    {"/api/v1/packages/ID/log", "GET", false},
    {"/api/v1/fleets/ID/fleetruns", "GET POST", false},
    {"/api/v1/fleets/ID/trigger", "POST", false},
    {"/orgs/ID/projects/ID/fleets/ID/fleetruns", "POST", false},
    {"/api/v1/fleetruns", "GET", false},
    {"/api/v1/fleetruns/ID", "GET", false},
    {"/api/v1/fleetruns/ID/body", "GET", false},
    {"/api/v1/fleetruns/ID/headers", "GET", false},
    {"/api/v1/fleetruns/ID/stop", "POST", false},
    {"/api/v1/fleetruns/ID/again", "POST", false},
    {"/api/v1/fleetruns/ID/vessels/ID/log", "GET", false},
    {"/api/v1/events", "GET", false},
    {"/api/v1/session", "GET POST DELETE", false},
    {"/api/v1/keys", "GET POST", false},
    {"/api/v1/keys/ID", "DELETE", false},
    {"/api/v1/audit", "GET", false},
    {"/api/v1/status", "GET", false},
    {"/api/v1/backup", "POST", false},
    {"/healthz", "GET", true},
    {"/readyz", "GET", true},
    {"/metrics", "GET", true},
};
static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};

static bool never_ends(const char *path, const char *method)
{
    return strcmp(method, "GET") == 0 && strcmp(path, "/api/v1/events") == 0;
}

static char *concrete(const char *path)
{
    struct buffer text = BUFFER_INIT;
    for (const char *at = path; *at; at++) {
        if (strncmp(at, "/ID", 3) == 0) {
            buffer_append_text(&text, "/" NOWHERE);
            at += 2;
        } else {
            buffer_append_char(&text, *at);
        }
    }
    return buffer_take(&text);
}

static bool takes(size_t route, const char *method)
{
    const char *at = strstr(routes[route].methods, method);
    return at && (at == routes[route].methods || at[-1] == ' ');
}

/* The message names the same methods as the header: "GET, HEAD" is "GET or HEAD". */
static void assert_method_message(const char *method, const char *allow, const char *body)
{
    json_t *envelope = api_parse(body);
    const char *message = api_text(json_object_get(envelope, "error"), "message");
    char *start = memory_format("%s is not allowed here: use ", method);
    ck_assert_int_eq(strncmp(message, start, strlen(start)), 0);
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        char *line = memory_string_n(allow, strcspn(allow, "\r"));
        const char *named = strstr(message + strlen(start), methods[i]);
        ck_assert_msg(!named == !strstr(line, methods[i]), "%s: %s", line, message);
        free(line);
    }
    free(start);
    json_decref(envelope);
}

TEST(other_methods_get_405_and_the_allowed_methods)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        char *path = concrete(routes[i].path);
        for (size_t m = 0; m < ARRAY_COUNT(methods); m++) {
            struct response response;
            if (never_ends(routes[i].path, methods[m]))
                continue;
            api_call(&daemon, methods[m], path, NULL, 0, &response);
            ck_assert_msg((response.status == 405) == !takes(i, methods[m]), "%s %s: %d",
                          methods[m], path, response.status);
            const char *allow = strstr(response.headers, "Allow: ");
            ck_assert_msg(!allow == (response.status != 405), "%s %s", methods[m], path);
            if (allow && strcmp(methods[m], "HEAD") != 0)
                assert_method_message(methods[m], allow, response.body);
            for (size_t a = 0; allow && a < ARRAY_COUNT(methods); a++) {
                char *line = memory_string_n(allow, strcspn(allow, "\r"));
                ck_assert_msg(!strstr(line, methods[a]) != takes(i, methods[a]), "%s: %s", path,
                              line);
                free(line);
            }
            response_free(&response);
        }
        free(path);
    }
    daemon_finish(&daemon);
}

TEST(every_described_path_is_one_of_these_routes)
{
    FILE *file = fopen("docs/openapi.yaml", "re");
    if (!file) {
        test_skip("cannot find docs/openapi.yaml; run the test in the project's folder");
        return;
    }
    char line[512];
    size_t described = 0;
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "  /", 3) != 0)
            continue;
        struct buffer path = BUFFER_INIT;
        for (const char *at = line + 2; *at && *at != ':'; at++) {
            if (*at == '{') {
                buffer_append_text(&path, "ID");
                at = strchr(at, '}');
            } else {
                buffer_append_char(&path, *at);
            }
        }
        bool known = false;
        for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
            known = known || strcmp(routes[i].path, buffer_text(&path)) == 0;
        ck_assert_msg(known, "%s is missing in this test's routes", buffer_text(&path));
        buffer_free(&path);
        described++;
    }
    fclose(file);
    ck_assert_uint_eq(described, ARRAY_COUNT(routes));
}

TEST(without_a_key_everything_but_the_probes_is_401_over_tcp)
{
    static const char *const headers[] = {"Authorization: Bearer whatever", NULL};
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    ck_assert_uint_ne(daemon.admin_port, 0);
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        char *path = concrete(routes[i].path);
        char *url = memory_format("http://127.0.0.1:%u%s", daemon.admin_port, path);
        for (size_t m = 0; m < ARRAY_COUNT(methods); m++) {
            struct response response;
            http_request(methods[m], url, m % 2 ? headers : NULL, NULL, 0, &response);
            bool is_open = routes[i].is_open && takes(i, methods[m]);
            bool is_sign_in = strcmp(methods[m], "POST") == 0 && strstr(path, "/session");
            int wanted = is_open      ? 200
                         : is_sign_in ? 400
                                      : 401; /* 400 because the body is missing */
            ck_assert_msg(response.status == wanted, "%s %s: %d", methods[m], path,
                          response.status);
            if (wanted == 401)
                ck_assert_ptr_nonnull(strstr(response.headers, "WWW-Authenticate: Bearer\r\n"));
            response_free(&response);
        }
        free(url);
        free(path);
    }
    struct response response;
    char *url = memory_format("http://127.0.0.1:%u/nothing/here", daemon.admin_port);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 401); /* does not reveal which paths exist */
    response_free(&response);
    free(url);
    daemon_finish(&daemon);
}

/* Expects every route to return this status for a request with these two headers, and to change
 * nothing. */
static void all_routes_give(const struct daemon *daemon, const char *first, const char *second,
                            int status)
{
    const char *const headers[] = {first, second, NULL};
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        char *path = concrete(routes[i].path);
        char *url = memory_format("http://127.0.0.1:%u%s", daemon->admin_port, path);
        for (size_t m = 0; m < ARRAY_COUNT(methods); m++) {
            struct response response;
            bool is_sign_in = strcmp(methods[m], "POST") == 0 && strstr(path, "/session");
            if ((routes[i].is_open && takes(i, methods[m])) || (is_sign_in && status == 401))
                continue;
            http_request(methods[m], url, headers, NULL, 0, &response);
            ck_assert_msg(response.status == status, "%s %s: %d", methods[m], path,
                          response.status);
            response_free(&response);
        }
        free(url);
        free(path);
    }
}

TEST(a_revoked_key_and_another_site_are_refused_everywhere)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *revoked = ctl_ok(&daemon, "key", "create", "old", NULL);
    free(ctl_ok(&daemon, "key", "revoke", "old", NULL));
    char *good = ctl_ok(&daemon, "key", "create", "new", NULL);
    char *before = ctl_ok(&daemon, "audit", "--json", NULL);
    char *with_revoked = memory_format("Authorization: Bearer %s", revoked);
    char *with_good = memory_format("Authorization: Bearer %s", good);
    all_routes_give(&daemon, with_revoked, NULL, 401);
    all_routes_give(&daemon, with_good, "Origin: https://evil.example", 403);
    char *after = ctl_ok(&daemon, "audit", "--json", NULL);
    ck_assert_str_eq(after, before);
    free(after);
    free(with_good);
    free(with_revoked);
    free(before);
    free(good);
    free(revoked);
    daemon_finish(&daemon);
}

TEST(no_admin_route_is_on_the_public_listener)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        if (strcmp(routes[i].path, "/healthz") == 0) /* the public listener has its own */
            continue;
        char *path = concrete(routes[i].path);
        char *url = memory_format("http://127.0.0.1:%u%s", daemon.port, path);
        for (size_t m = 0; m < ARRAY_COUNT(methods); m++) {
            struct response response;
            http_request(methods[m], url, NULL, NULL, 0, &response);
            ck_assert_msg(response.status == 404, "%s %s: %d", methods[m], path, response.status);
            response_free(&response);
        }
        free(url);
        free(path);
    }
    daemon_finish(&daemon);
}

TEST(no_webhook_is_on_the_admin_listeners)
{
    struct setting setting;
    struct response response;
    begin(&setting);
    api_call(&setting.daemon, "POST", url_path(setting.url), "x", 1, &response);
    ck_assert_int_eq(response.status, 404);
    response_free(&response);
    char *url =
        memory_format("http://127.0.0.1:%u%s", setting.daemon.admin_port, url_path(setting.url));
    http_post(url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 401);
    response_free(&response);
    const char *const foreign[] = {"Origin: http://evil.example", NULL};
    http_post(url, foreign, "x", 1, &response);
    ck_assert_int_eq(response.status, 403);
    response_free(&response);
    daemon_await_log(&setting.daemon, "API request refused");
    daemon_await_log(&setting.daemon, "another site's page refused");
    char *log = daemon_log(
        &setting.daemon); /* a call to the wrong port does not put the token into the log */
    ck_assert_ptr_null(strstr(log, url_path(setting.url) + strlen("/hooks/")));
    free(log);
    free(url);
    finish(&setting);
}

TEST(unknown_paths_are_404)
{
    static const char *const paths[] = {"/x",
                                        "/api",
                                        "/api/v1",
                                        "/api/v1/",
                                        "/api/v2/orgs",
                                        "/api/v1/orgs/",
                                        "/api/v1/keys/",
                                        "/api/v1/audits",
                                        "/api/v1//orgs",
                                        "/API/v1/orgs",
                                        "/metrics/",
                                        "/hooks/"};
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        call_fails(&daemon, "GET", paths[i], NULL, 404, NULL);
    daemon_finish(&daemon);
}

TEST(head_is_served_wherever_get_is)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *command = memory_format("curl -sS -I --max-time 20 --unix-socket %s "
                                  "http://localhost/api/v1/orgs | grep -q '^HTTP/1.1 200'",
                                  daemon.socket);
    if (system("curl --version >/dev/null 2>&1") != 0)
        test_skip("curl is not installed");
    else
        ck_assert_int_eq(system(command), 0);
    free(command);
    daemon_finish(&daemon);
}

/* Otherwise a client that is still sending takes the reset for the answer. */
TEST(the_sender_of_a_refused_body_is_not_reset)
{
    static const char head[] = "POST /api/v1/orgs HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Length: 100000\r\n\r\n";
    char piece[1000];
    int closed;
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    int fd = raw_connect(daemon.admin_port);
    memset(piece, 'b', sizeof(piece));
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    struct pollfd ended = {fd, POLLRDHUP, 0};
    ck_assert_int_eq(poll(&ended, 1, -1), 1);
    usleep(100000); /* the server has sent its end, and closes the socket if it does not wait */
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(raw_send(fd, piece, sizeof(piece)), 0);
    char *answer = raw_receive(fd, 10000, &closed);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 401 ", 13) == 0, "%s", answer);
    free(answer);
    close(fd);
    daemon_finish(&daemon);
}

/* Invariant 8. */
TEST(bodies_over_the_bound_of_a_call_are_refused)
{
    struct setting setting;
    struct daemon_options options = {.hooks = "max_body = \"64KiB\""};
    begin(&setting);
    struct daemon *daemon = &setting.daemon;
    ck_assert_int_eq(daemon_stop(daemon), 0);
    daemon_configure(daemon, &options);
    daemon_restart(daemon);
    const struct {
        const char *method, *format, *id;
        size_t bytes;
        int status;
    } cases[] = {
        {"POST", "/orgs", "", 65537, 413},
        {"PUT", "/projects/%s/fleets", setting.project, (8 << 20) + 1, 413},
        {"POST", "/fleets/%s/fleetruns", setting.fleet, 65537, 413},
        {"POST", "/fleets/%s/fleetruns", setting.fleet, 65536, 201},
        {"PUT", "/fleets/%s/webhook", setting.fleet, 1, 400},
        {"POST", "/fleetruns/%s/again", setting.run, 1, 400},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *path = path_of(cases[i].format, cases[i].id), *body = memory_alloc(cases[i].bytes);
        memset(body, ' ', cases[i].bytes);
        api_call(daemon, cases[i].method, path, body, cases[i].bytes, &response);
        ck_assert_msg(response.status == cases[i].status, "%s %s: %d %s", cases[i].method, path,
                      response.status, response.body);
        response_free(&response);
        free(body);
        free(path);
    }
    finish(&setting);
}

TEST(socket_is_open_to_its_owner_and_group_only)
{
    struct daemon daemon;
    struct stat status;
    daemon_begin(&daemon, &plain);
    ck_assert_int_eq(lstat(daemon.socket, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 07777, 0660);
    /* A start replaces a socket left by a killed daemon. */
    daemon_kill(&daemon);
    ck_assert_int_eq(lstat(daemon.socket, &status), 0);
    daemon_restart(&daemon);
    json_decref(api_get(&daemon, "/status"));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    /* A start does not replace a file that is not a socket. */
    free(daemon_write_file(&daemon, "admin.sock", "precious", 8));
    ck_assert_int_eq(daemon_start_fails(&daemon), 1);
    ck_assert_int_eq(lstat(daemon.socket, &status), 0);
    ck_assert_int_eq(status.st_size, 8);
    daemon_finish(&daemon);
}

/* webhookd's umask must not keep the socket's group out of the folder. */
TEST(folder_of_the_socket_is_open_to_the_group_if_webhookd_creates_it)
{
    struct daemon daemon;
    struct stat status;
    daemon_prepare(&daemon, &plain);
    char *folder = memory_format("%s/run", daemon.folder);
    snprintf(daemon.socket, sizeof(daemon.socket), "%s/s", folder);
    daemon_configure(&daemon, &plain);
    daemon_restart(&daemon);
    ck_assert_int_eq(stat(folder, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0755);
    daemon_finish(&daemon);
    free(folder);
}
