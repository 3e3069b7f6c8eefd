#include "support/api.h"

#include <check.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define PATIENCE_MS 60000
#define LOOK_US     10000

/* ---- calls ---- */

void api_call(struct daemon *daemon, const char *method, const char *path, const void *body,
              size_t bytes, struct response *response)
{
    char *url = memory_format("http://localhost%s", path);
    http_request_over(daemon->socket, method, url, NULL, body, bytes, response);
    free(url);
}

json_t *api_parse(const char *text)
{
    json_error_t why;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    ck_assert_msg(value, "invalid JSON (%s): %s", why.text, text);
    return value;
}

static json_t *get(struct daemon *daemon, const char *path)
{
    struct response response;
    api_call(daemon, "GET", path, NULL, 0, &response);
    ck_assert_msg(response.status == 200, "GET %s: %d %s", path, response.status, response.body);
    json_t *envelope = api_parse(response.body);
    json_t *data = json_incref(json_object_get(envelope, "data"));
    ck_assert_msg(data, "GET %s: no data in %s", path, response.body);
    json_decref(envelope);
    response_free(&response);
    return data;
}

json_t *api_get(struct daemon *daemon, const char *format, ...)
{
    char path[512] = "/api/v1";
    va_list list;
    va_start(list, format);
    vsnprintf(path + strlen(path), sizeof(path) - strlen(path), format, list);
    va_end(list);
    return get(daemon, path);
}

/* ---- the contents of a response ---- */

const char *api_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

json_t *api_find(const json_t *list, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(api_text(json_array_get(list, i), key), text) == 0)
            return json_array_get(list, i);
    return NULL;
}

long long api_metric(struct daemon *daemon, const char *name)
{
    struct response response;
    api_call(daemon, "GET", "/metrics", NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    char *line = memory_format("\nwebhookd_%s ", name);
    const char *at = strstr(response.body, line);
    ck_assert_msg(at, "no metric %s", name);
    long long value = strtoll(at + strlen(line), NULL, 10);
    free(line);
    response_free(&response);
    return value;
}

json_t *api_vessel(const json_t *run, const char *name)
{
    json_t *vessel = api_find(json_object_get(run, "vessels"), "name", name);
    ck_assert_msg(vessel, "the run has no vessel %s", name);
    return vessel;
}

/* ---- waiting ---- */

static bool has_ended(const char *status)
{
    return strcmp(status, "scheduled") != 0 && strcmp(status, "running") != 0;
}

/* If `status` is NULL, waits for any end. */
static json_t *await(struct daemon *daemon, const char *run_id, const char *status)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        json_t *run = api_get(daemon, "/fleetruns/%s", run_id);
        const char *now = api_text(run, "status");
        if (status ? strcmp(now, status) == 0 : has_ended(now))
            return run;
        if (clock_monotonic_ms() > until_ms) {
            char *log = daemon_log(daemon);
            ck_abort_msg("run %s is still %s:\n%s", run_id, now, log);
        }
        json_decref(run);
        usleep(LOOK_US);
    }
}

json_t *api_await_status(struct daemon *daemon, const char *run_id, const char *status)
{
    return await(daemon, run_id, status);
}

json_t *api_await_end(struct daemon *daemon, const char *run_id)
{
    return await(daemon, run_id, NULL);
}

void api_expect_refused(const json_t *run, const char *name, const char *reason)
{
    const json_t *vessel = api_vessel(run, name);
    ck_assert_str_eq(api_text(vessel, "status"), "errored");
    ck_assert_msg(strstr(api_text(vessel, "reason"), reason), "%s", api_text(vessel, "reason"));
    ck_assert(json_is_null(json_object_get(vessel, "exit_code")));
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "attempts")), 1);
}

char *api_output(struct daemon *daemon, const json_t *run, const char *vessel)
{
    struct response response;
    char *path = memory_format("/api/v1/fleetruns/%s/vessels/%s/log", api_text(run, "id"),
                               api_text(api_vessel(run, vessel), "id"));
    api_call(daemon, "GET", path, NULL, 0, &response);
    free(path);
    char *text = memory_string(response.status == 200 ? response.body : "");
    response_free(&response);
    return text;
}

void api_await_output(struct daemon *daemon, const char *run_id, const char *vessel,
                      const char *text)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        json_t *run = api_get(daemon, "/fleetruns/%s", run_id);
        char *output = json_array_size(json_object_get(run, "vessels")) > 0
                           ? api_output(daemon, run, vessel)
                           : memory_string("");
        bool found = strstr(output, text);
        if (!found && clock_monotonic_ms() > until_ms)
            ck_abort_msg("the output of vessel %s of run %s (%s) lacks \"%s\": %s", vessel, run_id,
                         api_text(run, "status"), text, output);
        free(output);
        json_decref(run);
        if (found)
            return;
        usleep(LOOK_US);
    }
}

/* ---- runs ---- */

char *api_post(const char *url, const void *body, size_t bytes)
{
    struct response response;
    http_post(url, NULL, body, bytes, &response);
    ck_assert_msg(response.status == 201, "POST: %d %s", response.status, response.body);
    char *id = memory_string(response.run_id);
    response_free(&response);
    return id;
}

json_t *api_post_and_wait(struct daemon *daemon, const char *url, const char *body)
{
    char *id = api_post(url, body, strlen(body));
    json_t *run = api_await_end(daemon, id);
    free(id);
    return run;
}
