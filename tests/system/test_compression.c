/* Compressed answers of the admin API: which there are, that their bytes are the same, and that
 * none contains a secret. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "admin/routes.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/secret.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/hook.h"
#include "support/http.h"
#include "support/suite.h"

#define MANY       16   /* of each kind, so that each list is long enough to be compressed */
#define SHORT_MOST 1024 /* longer answers are compressed */

/* ---- a webhookd with long answers ---- */

struct setting {
    struct daemon daemon;
    char org[40], project[40], fleet[40], run[40], vessel_run[40], key_id[40], blueprint[40];
    char *url;
};

static const struct daemon_options plain;

static void copy_id(char to[40], const json_t *object, const char *key)
{
    snprintf(to, 40, "%s", api_text(object, key));
    ck_assert_uint_eq(strlen(to), 36);
}

static void send_body(struct daemon *daemon, const char *method, const char *path, const char *body,
                      int status)
{
    struct response response;
    api_call(daemon, method, path, body, strlen(body), &response);
    ck_assert_msg(response.status == status, "%s %s: %d %s", method, path, response.status,
                  response.body);
    response_free(&response);
}

/* Creates organizations, projects, keys, and fleets with one version each. */
static void create_many(struct setting *setting)
{
    struct daemon *daemon = &setting->daemon;
    char *projects = memory_format("/api/v1/orgs/%s/projects", setting->org);
    char *fleets = memory_format("/api/v1/projects/%s/fleets", setting->project);
    for (int i = 0; i < MANY; i++) {
        char *name = memory_format("{\"name\":\"number %d\"}", i), title[20];
        snprintf(title, sizeof(title), "Fleet %d", i);
        char *fleet = bash_fleet(title, "true");
        send_body(daemon, "POST", "/api/v1/orgs", name, 201);
        send_body(daemon, "POST", projects, name, 201);
        send_body(daemon, "POST", "/api/v1/keys", name, 201);
        send_body(daemon, "PUT", fleets, fleet, 200);
        free(fleet);
        free(name);
    }
    free(fleets);
    free(projects);
}

/* Gives a webhook to each fleet that has none. */
static void create_webhooks(struct setting *setting)
{
    for (int i = 0; i < MANY; i++) {
        char title[20];
        snprintf(title, sizeof(title), "Fleet %d", i);
        free(ctl_ok(&setting->daemon, "webhook", "create", title, NULL));
    }
}

/* Gives the first fleet further versions, and runs. */
static void run_many(struct setting *setting, const char *query)
{
    char *target = memory_format("%s%s", setting->url, query);
    char *fleets = memory_format("/api/v1/projects/%s/fleets", setting->project);
    for (int i = 0; i < MANY; i++) {
        char *script = memory_format("echo %d", i), *fleet = bash_fleet("Fleet", script);
        send_body(&setting->daemon, "PUT", fleets, fleet, 200);
        json_decref(api_post_and_wait(&setting->daemon, target, "body"));
        free(fleet);
        free(script);
    }
    free(fleets);
    free(target);
}

/* Its script is as secret as a fleet's. */
static void make_blueprint(struct setting *setting)
{
    static const char text[] = "name: B\nsynopsis: s\nsource: { type: CODE, language: BASH,\n"
                               "  file: { name: a, content: '# script-of-a-fleet' } }\n";
    struct response response;
    char *path = memory_format("/api/v1/orgs/%s/blueprints", setting->org);
    api_call(&setting->daemon, "PUT", path, text, strlen(text), &response);
    ck_assert_int_eq(response.status, 200);
    json_t *answer = api_parse(response.body);
    copy_id(setting->blueprint, json_object_get(json_object_get(answer, "data"), "blueprint"),
            "id");
    json_decref(answer);
    response_free(&response);
    free(path);
}

static void begin(struct setting *setting, const struct daemon_options *options, const char *script)
{
    struct daemon *daemon = &setting->daemon;
    daemon_begin(daemon, options);
    char *fleet = bash_fleet("Fleet", script);
    setting->url = daemon_fleet(daemon, fleet);
    json_t *run = api_post_and_wait(daemon, setting->url, "body");
    copy_id(setting->org, run, "org_id");
    copy_id(setting->project, run, "project_id");
    copy_id(setting->fleet, run, "fleet_id");
    copy_id(setting->run, run, "id");
    copy_id(setting->vessel_run, api_vessel(run, "main"), "id");
    json_decref(run);
    free(fleet);
    create_many(setting);
    json_t *keys = api_get(daemon, "/keys");
    copy_id(setting->key_id, json_array_get(json_object_get(keys, "keys"), 0), "id");
    json_decref(keys);
    make_blueprint(setting);
}

static void finish(struct setting *setting)
{
    free(setting->url);
    daemon_finish(&setting->daemon);
}

/* ---- answers ---- */

static void ask(struct setting *setting, const char *method, const char *path, const char *body,
                const char *header, struct response *response)
{
    const char *const headers[] = {header, NULL};
    char *url = memory_format("http://localhost%s", path);
    http_request_over(setting->daemon.socket, method, url, headers, body, body ? strlen(body) : 0,
                      response);
    free(url);
}

static bool has_header(const struct response *response, const char *name, const char *value)
{
    char *found = response_header(response, name);
    bool is_there = found && strcmp(found, value) == 0;
    free(found);
    return is_there;
}

static bool is_packed(const struct response *response)
{
    char *coding = response_header(response, "Content-Encoding");
    ck_assert_msg(!coding || strcmp(coding, "gzip") == 0, "%s", coding);
    bool there = coding != NULL;
    free(coding);
    return there;
}

/* Replaces the body by what it contains. */
static void unpack(struct response *response)
{
    struct buffer text = BUFFER_INIT;
    char piece[4096];
    z_stream stream = {.next_in = (Bytef *)response->body, .avail_in = (uInt)response->body_bytes};
    ck_assert_int_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    for (int result = Z_OK; result != Z_STREAM_END;) {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof(piece);
        result = inflate(&stream, Z_NO_FLUSH);
        ck_assert_msg(result == Z_OK || result == Z_STREAM_END, "not gzip: %d", result);
        buffer_append(&text, piece, sizeof(piece) - stream.avail_out);
    }
    ck_assert_uint_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    free(response->body);
    response->body_bytes = text.bytes;
    response->body = buffer_take(&text);
}

/* Overwrites the request's id, which is in each envelope and in no two alike. */
static void hide_request_id(struct response *response)
{
    char *id = response_header(response, "X-Request-Id");
    ck_assert_ptr_nonnull(id);
    char *at = strstr(response->body, id);
    ck_assert_msg(at, "no %s in %.100s", id, response->body);
    memset(at, 'x', strlen(id));
    free(id);
}

static void assert_length(const struct response *response)
{
    char *length = response_header(response, "Content-Length");
    ck_assert_ptr_nonnull(length);
    ck_assert_uint_eq(strtoul(length, NULL, 10), response->body_bytes);
    free(length);
}

/* Asks for the path with and without compression and expects the same answer. */
static void check_same_bytes(struct setting *setting, const char *path)
{
    struct response packed, whole;
    ask(setting, "GET", path, NULL, "Accept-Encoding: br, gzip;q=0.9", &packed);
    ask(setting, "GET", path, NULL, NULL, &whole);
    ck_assert_msg(packed.status == 200 && whole.status == 200, "%s: %d", path, packed.status);
    ck_assert_msg(is_packed(&packed) && !is_packed(&whole), "%s (%zu bytes): %s", path,
                  whole.body_bytes, packed.headers);
    ck_assert_uint_lt(packed.body_bytes, whole.body_bytes);
    assert_length(&packed);
    assert_length(&whole);
    ck_assert(has_header(&packed, "Vary", "Accept-Encoding"));
    ck_assert(has_header(&whole, "Vary", "Accept-Encoding"));
    ck_assert(has_header(&packed, "Content-Type", "application/json"));
    unpack(&packed);
    hide_request_id(&packed);
    hide_request_id(&whole);
    ck_assert_msg(packed.body_bytes == whole.body_bytes &&
                      memcmp(packed.body, whole.body, whole.body_bytes) == 0,
                  "%s: %s\n%s", path, packed.body, whole.body);
    response_free(&packed);
    response_free(&whole);
}

TEST(a_list_has_the_same_bytes_after_it_is_decompressed)
{
    struct setting setting;
    begin(&setting, &plain, "true");
    run_many(&setting, "");
    char *const paths[] = {
        memory_string("/api/v1/orgs"),
        memory_format("/api/v1/orgs/%s/projects", setting.org),
        memory_format("/api/v1/projects/%s/fleets", setting.project),
        memory_string("/api/v1/fleets"),
        memory_string("/api/v1/fleets?last=8"),
        memory_format("/api/v1/fleets/%s/versions", setting.fleet),
        memory_string("/api/v1/fleetruns"),
        memory_format("/api/v1/fleets/%s/fleetruns", setting.fleet),
        memory_string("/api/v1/keys"),
        memory_string("/api/v1/audit"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        check_same_bytes(&setting, paths[i]);
        free(paths[i]);
    }
    finish(&setting);
}

/* The status changes all the time, so here the two are not the same. */
TEST(the_status_is_compressed)
{
    struct setting setting;
    struct response response;
    daemon_begin(&setting.daemon, &plain);
    ask(&setting, "GET", "/api/v1/status", NULL, "Accept-Encoding: gzip", &response);
    ck_assert(is_packed(&response));
    unpack(&response);
    json_t *status = api_parse(response.body);
    ck_assert_str_eq(api_text(json_object_get(status, "data"), "version"), WEBHOOKD_VERSION);
    json_decref(status);
    response_free(&response);
    daemon_finish(&setting.daemon);
}

/* ---- clients ---- */

/* Over TCP, with a key and these headers. */
static void ask_raw(struct setting *setting, const char *request_line, const char *headers,
                    const char *key, struct response *response)
{
    char *text = memory_format("%s\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n",
                               request_line, key, headers);
    int fd = raw_connect(setting->daemon.admin_port);
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
    if (strncmp(text, "HEAD ", 5) == 0) {
        int closed;
        shutdown(fd, SHUT_WR);
        memset(response, 0, sizeof(*response));
        response->headers = raw_receive(fd, 20000, &closed);
        ck_assert_int_eq(closed, 1);
    } else {
        raw_read_answer(fd, response);
    }
    close(fd);
    free(text);
}

TEST(a_client_gets_the_form_that_it_accepts)
{
    static const struct {
        const char *line, *headers;
        bool is_packed;
    } cases[] = {
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: gzip\r\n", true},
        {"GET /api/v1/fleets HTTP/1.1", "accept-encoding:  GZIP ;q=0.5\t\r\n", true},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: *\r\n", true},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: identity;q=0, gzip\r\n", true},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
        {"GET /api/v1/fleets HTTP/1.1", "", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding:\r\n", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: gzip;q=0\r\n", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: gzip;q=0, *\r\n", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: deflate, br, zstd\r\n", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: identity, gzip;q=0.5\r\n", false},
        {"GET /api/v1/fleets HTTP/1.1", "Accept-Encoding: gzip\r\nAccept-Encoding: gzip;q=0\r\n",
         false},
        {"GET /api/v1/fleets HTTP/1.0", "Accept-Encoding: gzip\r\n", false},
    };
    struct setting setting;
    begin(&setting, &plain, "true");
    char *key = ctl_ok(&setting.daemon, "key", "create", "reader", NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        ask_raw(&setting, cases[i].line, cases[i].headers, key, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_msg(is_packed(&response) == cases[i].is_packed, "%s %s", cases[i].line,
                      cases[i].headers);
        ck_assert(has_header(&response, "Vary", "Accept-Encoding"));
        if (cases[i].is_packed)
            unpack(&response);
        json_decref(api_parse(response.body));
        response_free(&response);
    }
    free(key);
    finish(&setting);
}

/* A HEAD has the headers of the GET, and nothing behind them. */
TEST(head_tells_the_compressed_length)
{
    struct setting setting;
    struct response head, get;
    begin(&setting, &plain, "true");
    char *key = ctl_ok(&setting.daemon, "key", "create", "reader", NULL);
    ask_raw(&setting, "HEAD /api/v1/orgs HTTP/1.1", "Accept-Encoding: gzip\r\n", key, &head);
    ask_raw(&setting, "GET /api/v1/orgs HTTP/1.1", "Accept-Encoding: gzip\r\n", key, &get);
    ck_assert(is_packed(&head) && is_packed(&get));
    ck_assert_str_eq(strstr(head.headers, "\r\n\r\n"), "\r\n\r\n");
    char *length = response_header(&head, "Content-Length");
    unsigned long bytes = strtoul(length, NULL, 10);
    unpack(&get);
    /* Only their request ids differ, so the lengths differ by a few bytes at most. */
    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_lt(bytes, get.body_bytes);
    free(length);
    response_free(&head);
    response_free(&get);
    free(key);
    finish(&setting);
}

TEST(a_short_answer_stays_as_it_is)
{
    struct setting setting;
    struct response response;
    daemon_begin(&setting.daemon, &plain);
    ask(&setting, "GET", "/api/v1/orgs", NULL, "Accept-Encoding: gzip", &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_uint_le(response.body_bytes, SHORT_MOST);
    ck_assert(!is_packed(&response));
    char *vary = response_header(&response, "Vary");
    ck_assert_ptr_null(vary); /* it is the same for all clients */
    response_free(&response);
    daemon_finish(&setting.daemon);
}

/* Also on a connection whose last answer was compressed. */
TEST(each_answer_of_a_connection_has_its_own_form)
{
    static const struct {
        const char *path, *coding;
        bool is_packed;
    } requests[] = {
        {"/api/v1/fleets", "gzip", true},
        {"/api/v1/webhooks", "gzip", false},
        {"/api/v1/fleets", "br", false},
        {"/api/v1/fleets", "gzip", true},
    };
    struct setting setting;
    begin(&setting, &plain, "true");
    char *key = ctl_ok(&setting.daemon, "key", "create", "reader", NULL);
    create_webhooks(&setting);
    int fd = raw_connect(setting.daemon.admin_port);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct response response;
        char *text = memory_format("GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                   "%s\r\nAccept-Encoding: %s\r\n\r\n",
                                   requests[i].path, key, requests[i].coding);
        ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
        raw_read_answer(fd, &response);
        ck_assert_msg(is_packed(&response) == requests[i].is_packed, "%zu: %s: %s", i,
                      requests[i].path, response.headers);
        response_free(&response);
        free(text);
    }
    close(fd);
    free(key);
    finish(&setting);
}

/* ---- secrets ---- */

/* The secrets that the walk must not find in a compressed answer, and must find in some answer. */
static struct {
    const char *what, *text;
    int found;
} secrets[] = {
    {"the URL of a webhook", "/hooks/whk_", 0},
    {"an API key", "\"key\":\"wha_", 0},
    {"a session", SECRET_SESSION_COOKIE "=", 0},
    {"a sender's query", "query-of-a-sender", 0},
    {"a sender's header", "header-of-a-sender", 0},
    {"a sender's body", "body-of-a-sender", 0},
    {"the output of a vessel", "output-of-a-vessel", 0},
    {"a fleet file", "script-of-a-fleet", 0},
};

/* Fills in the values of a route's pattern. */
static char *concrete(const struct setting *setting, const char *pattern)
{
    const struct {
        const char *name, *value;
    } values[] = {
        {"{org_id}", setting->org},
        {"{project_id}", setting->project},
        {"{fleet_id}", setting->fleet},
        {"{run_id}", setting->run},
        {"{vessel_run_id}", setting->vessel_run},
        {"{key_id}", setting->key_id},
        {"{blueprint_id}", setting->blueprint},
        {"{group}", "DB"},
        {"{key}", "0"},
        {"{item}", "PASSWORD"},
        {"{name}", "DB.PASSWORD"},
        {"{n}", "1"},
        {"{tab}", "x"},
        {"{file}", "app.js"},
    };
    struct buffer path = BUFFER_INIT;
    while (*pattern != '\0') {
        size_t i = 0;
        while (i < ARRAY_COUNT(values) &&
               strncmp(pattern, values[i].name, strlen(values[i].name)) != 0)
            i++;
        if (i < ARRAY_COUNT(values)) {
            buffer_append_text(&path, values[i].value);
            pattern += strlen(values[i].name);
        } else {
            ck_assert_msg(*pattern != '{', "a value for %s is missing here", pattern);
            buffer_append_char(&path, *pattern++);
        }
    }
    return buffer_take(&path);
}

static void look_for_secrets(const struct route *route, struct response *response)
{
    bool packed = is_packed(response);
    if (packed)
        unpack(response);
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        if (!memmem(response->body, response->body_bytes, secrets[i].text,
                    strlen(secrets[i].text)) &&
            !strstr(response->headers, secrets[i].text))
            continue;
        secrets[i].found++;
        ck_assert_msg(!packed, "%s %s: %s is compressed", route->method, route->pattern,
                      secrets[i].what);
    }
}

/* Over TCP: only there are sessions. */
static void call_route(const struct setting *setting, const char *key, const struct route *route)
{
    const struct admin_call *target = route->target;
    struct response response;
    char *bearer = memory_format("Authorization: Bearer %s", key);
    const char *const headers[] = {bearer, "Accept-Encoding: gzip", NULL};
    char *path = concrete(setting, route->pattern), *body = NULL;
    char *url = memory_format("http://127.0.0.1:%u%s", setting->daemon.admin_port, path);
    if (target->access == ADMIN_ACCESS_SIGN_IN)
        body = memory_format("{\"key\":\"%s\"}", key);
    else if (target->body == ADMIN_BODY_JSON)
        body = memory_string("{\"name\":\"new\"}");
    http_request(route->method, url, headers, body, body ? strlen(body) : 0, &response);
    ck_assert_msg(response.status != 0 && response.status < 500, "%s %s: %d %s", route->method,
                  path, response.status, response.body);
    look_for_secrets(route, &response);
    response_free(&response);
    free(body);
    free(url);
    free(path);
    free(bearer);
}

/* Calls every route; those that delete come last. */
static void walk(const struct setting *setting, const char *key)
{
    for (int deletes = 0; deletes < 2; deletes++) {
        for (size_t i = 0; i < admin_route_count; i++) {
            const struct route *route = &admin_routes[i];
            bool never_ends = strcmp(route->pattern, "/api/v1/events") == 0;
            if (!never_ends && (strcmp(route->method, "DELETE") == 0) == deletes)
                call_route(setting, key, route);
        }
    }
}

/* Makes every secret that the API can show, in answers that are long enough. */
static void make_secrets(struct setting *setting)
{
    char line[SHORT_MOST + 100];
    memset(line, '-', sizeof(line));
    snprintf(line, sizeof(line), "X-Secret: header-of-a-sender");
    line[strlen(line)] = '-';
    line[sizeof(line) - 1] = '\0';
    const char *const headers[] = {line, NULL};
    struct response response;
    char *target = memory_format("%s?password=query-of-a-sender", setting->url);
    for (int i = 0; i < MANY; i++) {
        http_post(target, headers, "body-of-a-sender", strlen("body-of-a-sender"), &response);
        ck_assert_int_eq(response.status, 201);
        json_decref(api_await_end(&setting->daemon, response.run_id));
        snprintf(setting->run, sizeof(setting->run), "%s", response.run_id);
        response_free(&response);
    }
    json_t *run = api_await_end(&setting->daemon, setting->run);
    copy_id(setting->vessel_run, api_vessel(run, "main"), "id");
    json_decref(run);
    create_webhooks(setting);
    free(target);
}

TEST(no_answer_that_shows_a_secret_is_compressed)
{
    struct setting setting;
    char comment[SHORT_MOST];
    memset(comment, '-', sizeof(comment));
    comment[sizeof(comment) - 1] = '\0';
    char *script = memory_format("# script-of-a-fleet %s\n"
                                 "for i in {1..200}; do echo output-of-a-vessel; done",
                                 comment);
    begin(&setting, &plain, script);
    free(script);
    make_secrets(&setting);
    char *key = ctl_ok(&setting.daemon, "key", "create", "reader", NULL);
    walk(&setting, key);
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++)
        ck_assert_msg(secrets[i].found > 0, "no route has shown %s", secrets[i].what);
    free(key);
    finish(&setting);
}

/* A route that is added here has been examined: its answers contain no secret, also none that a
 * sender, a script or a fleet file may contain. */
TEST(only_routes_without_secrets_may_be_compressed)
{
    static const char *const expected[] = {
        "/api/v1/orgs",
        "/api/v1/orgs/{org_id}/projects",
        "/api/v1/orgs/{org_id}/credentials",
        "/api/v1/orgs/{org_id}/credentials/{group}/{item}/used",
        "/api/v1/orgs/{org_id}/blueprints",
        "/api/v1/blueprints/{blueprint_id}/versions",
        "/api/v1/blueprints/{blueprint_id}/used",
        "/api/v1/projects/{project_id}/fleets",
        "/api/v1/fleets",
        "/api/v1/fleets/{fleet_id}/versions",
        "/api/v1/fleets/{fleet_id}/fleetruns", /* unless a run has a query */
        "/api/v1/fleetruns",
        "/api/v1/fleetruns/{run_id}",
        "/api/v1/keys",
        "/api/v1/audit",
        "/api/v1/status",
    };
    size_t count = 0;
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_call *call = admin_routes[i].target;
        if (!call->may_be_packed)
            continue;
        ck_assert_str_eq(admin_routes[i].method, "GET");
        ck_assert_msg(count < ARRAY_COUNT(expected) &&
                          strcmp(admin_routes[i].pattern, expected[count]) == 0,
                      "GET %s", admin_routes[i].pattern);
        count++;
    }
    ck_assert_uint_eq(count, ARRAY_COUNT(expected));
}

/* ---- streams, and other clients and listeners ---- */

TEST(streams_are_not_compressed)
{
    struct setting setting;
    begin(&setting, &plain, "for i in {1..200}; do echo some output; done");
    char *key = ctl_ok(&setting.daemon, "key", "create", "reader", NULL);
    char *const lines[] = {
        memory_string("GET /api/v1/events HTTP/1.1"),
        memory_format("GET /api/v1/fleetruns/%s/vessels/%s/log?follow=1 HTTP/1.1", setting.run,
                      setting.vessel_run),
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct response response;
        ask_raw(&setting, lines[i], "Accept-Encoding: gzip\r\n", key, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert(has_header(&response, "Content-Type", "text/event-stream"));
        ck_assert(!is_packed(&response));
        response_free(&response);
        free(lines[i]);
    }
    free(key);
    finish(&setting);
}

TEST(the_public_listener_compresses_nothing)
{
    static const char *const headers[] = {"Accept-Encoding: gzip", NULL};
    struct setting setting;
    begin(&setting, &plain, "true");
    char *const urls[] = {
        memory_string(setting.url),
        memory_format("http://127.0.0.1:%u/healthz", setting.daemon.port),
        memory_format("http://127.0.0.1:%u/nothing", setting.daemon.port),
    };
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        struct response response;
        http_request(i == 0 ? "POST" : "GET", urls[i], headers, i == 0 ? "x" : NULL, i == 0,
                     &response);
        ck_assert_int_ne(response.status, 0);
        char *vary = response_header(&response, "Vary");
        ck_assert(!is_packed(&response) && !vary);
        response_free(&response);
        free(urls[i]);
    }
    finish(&setting);
}

/* Over the socket, compressing takes longer than sending the whole answer. */
TEST(webhookctl_does_not_ask_for_compression)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{\"data\":{\"orgs\":[]}}\n";
    struct daemon daemon;
    struct error error = ERROR_INIT;
    daemon_prepare(&daemon, &plain);
    char *address = memory_format("unix:%s/other.sock", daemon.folder);
    char *program = daemon_program("webhookctl");
    char *command = memory_format("%s -s %s/other.sock org list", program, daemon.folder);
    int listener = http_listen(address, &error);
    ck_assert_msg(listener >= 0, "%s", error.message);
    FILE *output = popen(command, "re");
    struct pollfd watch = {.fd = listener, .events = POLLIN};
    ck_assert_int_eq(poll(&watch, 1, 20000), 1);
    int fd = accept(listener, NULL, NULL);
    struct response request;
    raw_read_answer(fd, &request);
    ck_assert_ptr_nonnull(strstr(request.headers, "GET /api/v1/orgs HTTP/1.1\r\n"));
    char *accept = response_header(&request, "Accept-Encoding");
    ck_assert_ptr_null(accept);
    ck_assert_int_eq(raw_send(fd, answer, sizeof(answer) - 1), 0);
    char line[100];
    while (fgets(line, sizeof(line), output))
        continue;
    ck_assert_int_eq(pclose(output), 0);
    close(fd);
    close(listener);
    response_free(&request);
    free(command);
    free(program);
    free(address);
    daemon_finish(&daemon);
}
