/* API keys over TCP, and the audit log of all changes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define NOWHERE "01938f00-0000-7000-8000-000000000000"

static const struct daemon_options plain;

/* A call over TCP with this value of the Authorization header (NULL: no such header). */
static void call_with(const struct daemon *daemon, const char *authorization, const char *method,
                      const char *path, const char *body, struct response *response)
{
    char *url = memory_format("http://127.0.0.1:%u%s", daemon->admin_port, path);
    char *header = memory_format("Authorization: %s", authorization ? authorization : "");
    const char *const headers[] = {authorization ? header : NULL, NULL};
    http_request(method, url, headers, body, body ? strlen(body) : 0, response);
    free(header);
    free(url);
}

static int status_with(const struct daemon *daemon, const char *authorization, const char *method,
                       const char *path)
{
    struct response response;
    call_with(daemon, authorization, method, path, NULL, &response);
    int status = response.status;
    if (status == 401) {
        ck_assert_ptr_nonnull(strstr(response.headers, "WWW-Authenticate: Bearer\r\n"));
        ck_assert_ptr_nonnull(strstr(response.body, "\"data\":null"));
    }
    response_free(&response);
    return status;
}

static char *bearer(const char *key)
{
    return memory_format("Bearer %s", key);
}

TEST(a_key_opens_the_api_over_tcp_until_it_is_revoked)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "deploy", NULL);
    ck_assert_uint_eq(strlen(key), 40);
    ck_assert_int_eq(strncmp(key, "wha_", 4), 0);
    char *good = bearer(key), *lower = memory_format("bearer   %s", key);
    ck_assert_int_eq(status_with(&daemon, good, "GET", "/api/v1/fleets"), 200);
    ck_assert_int_eq(status_with(&daemon, lower, "GET", "/api/v1/fleets"), 200);
    struct response response;
    call_with(&daemon, good, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);

    char *list = ctl_ok(&daemon, "key", "list", NULL);
    ck_assert_ptr_nonnull(strstr(list, "deploy"));
    ck_assert_ptr_null(strstr(list, key)); /* a key is shown only once */
    free(list);
    ck_assert_int_eq(daemon_stop(&daemon), 0); /* the key is durable */
    daemon_restart(&daemon);
    ck_assert_int_eq(status_with(&daemon, good, "GET", "/api/v1/fleets"), 200);
    free(ctl_ok(&daemon, "key", "revoke", "deploy", NULL));
    call_with(&daemon, good, "GET", "/api/v1/fleets", NULL, &response);
    ck_assert_int_eq(response.status, 401);
    ck_assert_ptr_nonnull(strstr(response.body, "this API key was revoked on 20"));
    response_free(&response);
    char *near = memory_string(good); /* a stranger's guess learns nothing */
    near[strlen(near) - 10] = near[strlen(near) - 10] == 'a' ? 'b' : 'a';
    call_with(&daemon, near, "GET", "/api/v1/fleets", NULL, &response);
    ck_assert_ptr_null(strstr(response.body, "was revoked on"));
    response_free(&response);
    free(near);
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "key", "revoke", "deploy", NULL), 1);
    ck_assert_ptr_nonnull(strstr(err, "there is no API key \"deploy\""));
    free(out);
    free(err);
    free(lower);
    free(good);
    free(key);
    daemon_finish(&daemon);
}

TEST(an_invalid_key_is_refused_and_changes_nothing)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    char *cut = memory_format("Bearer %.39s", key), *basic = memory_format("Basic %s", key);
    char *other = memory_format("Bearer %s", key), *longer = memory_format("Bearer %sx", key);
    other[strlen(other) - 10] = other[strlen(other) - 10] == 'a' ? 'b' : 'a';
    const char *const bad[] = {NULL, "",    "Bearer", "Bearer ", key,
                               cut,  basic, other,    longer,    "Bearer whk_0123456789"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct response response;
        ck_assert_int_eq(status_with(&daemon, bad[i], "GET", "/api/v1/fleets"), 401);
        ck_assert_int_eq(status_with(&daemon, bad[i], "GET", "/nothing/here"), 401);
        call_with(&daemon, bad[i], "POST", "/api/v1/orgs", "{\"name\":\"sneaked in\"}", &response);
        ck_assert_int_eq(response.status, 401);
        response_free(&response);
    }
    ck_assert_int_eq(status_with(&daemon, NULL, "GET", "/healthz"), 200);
    char *orgs = ctl_ok(&daemon, "org", "list", NULL);
    ck_assert_ptr_null(strstr(orgs, "sneaked in"));
    daemon_await_log(&daemon, "API request refused");
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, key + 4)); /* neither the key nor a similar one */
    ck_assert_ptr_null(strstr(log, other + 11));
    free(log);
    free(orgs);
    free(longer);
    free(other);
    free(basic);
    free(cut);
    free(key);
    daemon_finish(&daemon);
}

TEST(names_of_keys_are_unique_and_checked)
{
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    free(ctl_ok(&daemon, "key", "create", "one", NULL));
    api_call(&daemon, "POST", "/api/v1/keys", "{\"name\":\"one\"}", 14, &response);
    ck_assert_int_eq(response.status, 409);
    ck_assert_ptr_nonnull(strstr(response.body, "there is already an API key \\\"one\\\": choose "
                                                "another name, or revoke that key"));
    response_free(&response);
    api_call(&daemon, "POST", "/api/v1/keys", "{\"name\":\"a/b\"}", 14, &response);
    ck_assert_int_eq(response.status, 400);
    response_free(&response);
    api_call(&daemon, "DELETE", "/api/v1/keys/" NOWHERE, NULL, 0, &response);
    ck_assert_int_eq(response.status, 404);
    response_free(&response);
    free(ctl_ok(&daemon, "key", "revoke", "one", NULL));
    free(ctl_ok(&daemon, "key", "create", "one", NULL)); /* the name is free again */
    daemon_finish(&daemon);
}

static json_t *key_of(struct daemon *daemon, const char *name)
{
    json_t *data = api_get(daemon, "/keys");
    json_t *key = json_incref(api_find(json_object_get(data, "keys"), "name", name));
    json_decref(data);
    return key;
}

TEST(a_key_shows_when_it_was_last_used)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL), *good = bearer(key);
    json_t *before = key_of(&daemon, "one");
    ck_assert(json_is_null(json_object_get(before, "last_used_at")));
    ck_assert_int_eq(status_with(&daemon, good, "GET", "/api/v1/fleets"), 200);
    for (int64_t until_ms = clock_monotonic_ms() + 20000;;) { /* the time of use is stored later */
        json_t *after = key_of(&daemon, "one");
        bool noted = json_is_string(json_object_get(after, "last_used_at"));
        json_decref(after);
        if (noted)
            break;
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
        usleep(5000);
    }
    json_decref(before);
    free(good);
    free(key);
    daemon_finish(&daemon);
}

TEST(revoking_a_key_ends_its_streams_and_no_others)
{
    struct daemon daemon;
    int closed;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Long", "echo begun; exec sleep 1000");
    free(daemon_fleet(&daemon, fleet));
    char *keys[2] = {ctl_ok(&daemon, "key", "create", "one", NULL),
                     ctl_ok(&daemon, "key", "create", "two", NULL)};
    char *id = ctl_ok(&daemon, "run", "start", "Long", NULL);
    api_await_output(&daemon, id, "main", "begun\n");
    json_t *run = api_get(&daemon, "/fleetruns/%s", id);
    int fds[2];
    for (int i = 0; i < 2; i++) {
        char *request = memory_format(
            "GET /api/v1/fleetruns/%s/vessels/%s/log?follow=1 HTTP/1.1\r\nHost: localhost\r\n"
            "Authorization: Bearer %s\r\n\r\n",
            id, api_text(api_vessel(run, "main"), "id"), keys[i]);
        fds[i] = raw_connect(daemon.admin_port);
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        char some[4096] = "";
        size_t got = 0;
        while (!strstr(some, "event: output")) {
            ssize_t count = read(fds[i], some + got, sizeof(some) - 1 - got);
            ck_assert_int_gt(count, 0);
            got += (size_t)count;
        }
        free(request);
    }
    free(ctl_ok(&daemon, "key", "revoke", "one", NULL));
    free(raw_receive(fds[0], 20000, &closed));
    ck_assert_int_eq(closed, 1);
    free(raw_receive(fds[1], 300, &closed));
    ck_assert_int_eq(closed, 0);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        free(keys[i]);
    }
    free(ctl_ok(&daemon, "run", "stop", id, NULL));
    json_decref(run);
    free(id);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- the audit log ---- */

static const json_t *entry_of(const json_t *entries, const char *action)
{
    const json_t *entry = api_find(entries, "action", action);
    ck_assert_msg(entry, "no entry %s", action);
    return entry;
}

/* Expects so many entries of the audit log. */
static void __attribute__((format(printf, 3, 4)))
expect_filtered(struct daemon *daemon, size_t count, const char *format, ...)
{
    char filter[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(filter, sizeof(filter), format, arguments);
    va_end(arguments);
    json_t *data = api_get(daemon, "/audit?%s", filter);
    size_t found = json_array_size(json_object_get(data, "entries"));
    ck_assert_msg(found == count, "%s: %zu entries, expected %zu", filter, found, count);
    json_decref(data);
}

TEST(every_change_is_in_the_audit_log)
{
    static const char *const actions[] = {
        "key.create",  "org.create",     "org.delete",      "project.create", "project.delete",
        "fleet.apply", "webhook.create", "webhook.replace", "webhook.remove", "run.start",
        "run.stop",    "fleet.delete",   "backup",          "key.revoke"};
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "deploy", NULL), *good = bearer(key);
    call_with(&daemon, good, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);
    free(ctl_ok(&daemon, "org", "delete", "acme", NULL));
    free(ctl_ok(&daemon, "project", "create", "web", NULL));
    free(ctl_ok(&daemon, "project", "delete", "web", NULL));
    char *fleet = bash_fleet("Site", "exec sleep 1000");
    free(daemon_fleet(&daemon, fleet));
    char *file = daemon_write_file(&daemon, "again.yaml", fleet, strlen(fleet));
    free(ctl_ok(&daemon, "fleet", "apply", file, NULL)); /* unchanged, so not a change */
    free(ctl_ok(&daemon, "fleet", "apply", file, "--check", NULL));
    free(ctl_ok(&daemon, "webhook", "replace", "Site", NULL));
    free(ctl_ok(&daemon, "webhook", "remove", "Site", NULL));
    char *id = ctl_ok(&daemon, "run", "start", "Site", NULL);
    free(ctl_ok(&daemon, "run", "stop", id, NULL));
    json_decref(api_await_end(&daemon, id));
    free(ctl_ok(&daemon, "fleet", "delete", "Site", NULL));
    char *out;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "backup", "-", NULL), 0);
    free(out);
    free(ctl_ok(&daemon, "key", "revoke", "deploy", NULL));

    json_t *data = api_get(&daemon, "/audit?limit=500");
    const json_t *entries = json_object_get(data, "entries");
    ck_assert_uint_eq(json_array_size(entries), ARRAY_COUNT(actions));
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
        ck_assert_str_eq(api_text(entry_of(entries, actions[i]), "action"), actions[i]);
        expect_filtered(&daemon, 1, "action=%s", actions[i]);
    }
    const json_t *by_key = entry_of(entries, "org.create");
    ck_assert_str_eq(api_text(by_key, "who"), "key deploy");
    ck_assert_str_eq(api_text(by_key, "source"), "127.0.0.1");
    ck_assert_str_eq(api_text(by_key, "subject"), "acme");
    const json_t *by_user = entry_of(entries, "org.delete");
    ck_assert_int_eq(strncmp(api_text(by_user, "who"), "user ", 5), 0);
    ck_assert(json_is_null(json_object_get(by_user, "source")));
    ck_assert_str_eq(api_text(by_user, "subject"), "acme");
    ck_assert_str_eq(api_text(by_user, "subject_id"), api_text(by_key, "subject_id"));
    const json_t *applied = entry_of(entries, "fleet.apply");
    ck_assert_str_eq(api_text(applied, "detail"), "version 1");
    ck_assert_int_eq(json_integer_value(json_object_get(applied, "version")), 1);
    ck_assert_str_eq(api_text(applied, "fleet_id"), api_text(applied, "subject_id"));
    ck_assert(json_is_null(json_object_get(by_key, "version")));
    ck_assert(json_is_null(json_object_get(by_key, "fleet_id")));
    /* The change of the fleet, the three of its webhook, the two of its run, and its end. */
    expect_filtered(&daemon, 7, "fleet=%s", api_text(applied, "fleet_id"));
    ck_assert_str_eq(api_text(entry_of(entries, "webhook.replace"), "subject"), "Site");
    ck_assert_str_eq(api_text(entry_of(entries, "run.start"), "subject_id"), id);
    ck_assert_str_eq(api_text(json_array_get(entries, 0), "action"), "key.revoke");
    char *dump = json_dumps(data, 0);
    ck_assert_ptr_null(strstr(dump, "whk_"));
    ck_assert_ptr_null(strstr(dump, "wha_"));
    free(dump);
    char *table = ctl_ok(&daemon, "audit", "--limit", "3", NULL);
    ck_assert_ptr_nonnull(strstr(table, "key.revoke"));
    ck_assert_ptr_null(strstr(table, "org.create"));
    free(table);
    json_decref(data);
    free(id);
    free(file);
    free(fleet);
    free(good);
    free(key);
    daemon_finish(&daemon);
}

static size_t count_entries(struct daemon *daemon, const char *action, const char *who)
{
    size_t count = 0, i;
    const json_t *entry;
    json_t *data = api_get(daemon, "/audit?limit=500");
    json_array_foreach(json_object_get(data, "entries"), i, entry) count +=
        strcmp(api_text(entry, "action"), action) == 0 &&
        strncmp(api_text(entry, "who"), who, strlen(who)) == 0;
    json_decref(data);
    return count;
}

TEST(the_audit_log_says_who_was_shown_the_url_of_a_webhook)
{
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "viewer", NULL), *viewer = bearer(key);
    free(ctl_ok(&daemon, "webhook", "list", NULL)); /* shows nothing */
    ck_assert_uint_eq(count_entries(&daemon, "webhook.list", ""), 0);
    char *fleet = bash_fleet("Site", "true"), *other = bash_fleet("Other", "true");
    free(daemon_fleet(&daemon, fleet));
    free(daemon_fleet(&daemon, other));
    size_t own = count_entries(&daemon, "webhook.show", "");
    for (int i = 0; i < 3; i++) { /* a page asks again and again: one entry is enough */
        free(ctl_ok(&daemon, "webhook", "show", "Site", NULL));
        free(ctl_ok(&daemon, "webhook", "list", NULL));
        call_with(&daemon, viewer, "GET", "/api/v1/webhooks", NULL, &response);
        ck_assert_int_eq(response.status, 200);
        response_free(&response);
    }
    free(ctl_ok(&daemon, "webhook", "show", "Other", NULL));
    ck_assert_uint_eq(count_entries(&daemon, "webhook.show", "user ") - own, 2);
    ck_assert_uint_eq(count_entries(&daemon, "webhook.list", "user "), 1);
    ck_assert_uint_eq(count_entries(&daemon, "webhook.list", "key viewer"), 1);
    json_t *data = api_get(&daemon, "/audit");
    const json_t *shown = entry_of(json_object_get(data, "entries"), "webhook.show");
    ck_assert_str_eq(api_text(shown, "subject"), "Other");
    json_decref(data);
    free(other);
    free(fleet);
    free(viewer);
    free(key);
    daemon_finish(&daemon);
}

TEST(a_change_that_fails_is_not_in_the_audit_log)
{
    struct daemon daemon;
    char *out;
    daemon_begin(&daemon, &plain);
    free(ctl_ok(&daemon, "org", "create", "one", NULL));
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "org", "create", "one", NULL), 1);
    free(out);
    json_t *data = api_get(&daemon, "/audit");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "entries")), 1);
    json_decref(data);
    daemon_finish(&daemon);
}

TEST(the_audit_log_is_read_page_by_page)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof(name), "org-%d", i);
        free(ctl_ok(&daemon, "org", "create", name, NULL));
    }
    long long before = 0;
    int seen = 0;
    do {
        json_t *page = before ? api_get(&daemon, "/audit?limit=2&before=%lld", before)
                              : api_get(&daemon, "/audit?limit=2");
        const json_t *entries = json_object_get(page, "entries");
        for (size_t i = 0; i < json_array_size(entries); i++) {
            char name[16];
            snprintf(name, sizeof(name), "org-%d", 4 - seen++);
            ck_assert_str_eq(api_text(json_array_get(entries, i), "subject"), name);
        }
        before = json_integer_value(json_object_get(page, "next_before"));
        json_decref(page);
    } while (before);
    ck_assert_int_eq(seen, 5);
    char *all = ctl_ok(&daemon, "audit", "--limit", "1000", "--json", NULL);
    json_t *list = api_parse(all);
    ck_assert_uint_eq(json_array_size(json_object_get(list, "entries")), 5);
    ck_assert(json_is_null(json_object_get(list, "next_before")));
    json_decref(list);
    free(all);
    daemon_finish(&daemon);
}

static void expect_refused(struct daemon *daemon, const char *query, const char *field)
{
    struct response response;
    char *path = memory_format("/api/v1/audit?%s", query);
    api_call(daemon, "GET", path, NULL, 0, &response);
    ck_assert_int_eq(response.status, 400);
    json_t *answer = api_parse(response.body);
    ck_assert_str_eq(api_text(json_object_get(answer, "error"), "field"), field);
    json_decref(answer);
    response_free(&response);
    free(path);
}

TEST(the_audit_log_is_filtered_by_who_action_time_and_fleet)
{
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "ann & co", NULL), *good = bearer(key);
    call_with(&daemon, good, "POST", "/api/v1/orgs", "{\"name\":\"acme\"}", &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);
    char *fleet = bash_fleet("Site", "true"), *url = daemon_fleet(&daemon, fleet);
    expect_filtered(&daemon, 1, "who=key%%20ann%%20%%26%%20co");
    expect_filtered(&daemon, 1, "who=ann+%%26+co&action=org.create&since=2020-01-01T00:00:00Z");
    expect_filtered(&daemon, 0, "who=ann");
    expect_filtered(&daemon, 0, "who=ann%%20%%26%%20co&action=fleet.apply");
    expect_filtered(&daemon, 0, "since=2120-01-01T00:00:00Z");
    expect_filtered(&daemon, 0, "fleet=00000000-0000-4000-8000-000000000000");
    expect_refused(&daemon, "action=fleet.aply", "action");
    expect_refused(&daemon, "since=yesterday", "since");
    expect_refused(&daemon, "fleet=Site", "fleet");

    char *by_ann = ctl_ok(&daemon, "audit", "--who", "ann & co", NULL);
    ck_assert_ptr_nonnull(strstr(by_ann, "org.create"));
    ck_assert_ptr_null(strstr(by_ann, "key.create"));
    char *applied = ctl_ok(&daemon, "audit", "--action", "fleet.apply", "--fleet", "Site",
                           "--since", "1h", "--json", NULL);
    json_t *list = api_parse(applied);
    const json_t *entries = json_object_get(list, "entries");
    ck_assert_uint_eq(json_array_size(entries), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(entries, 0), "version")), 1);
    char *site = memory_string(api_text(json_array_get(entries, 0), "fleet_id"));
    free(ctl_ok(&daemon, "fleet", "delete", "Site", NULL));
    char *deleted = ctl_ok(&daemon, "audit", "--fleet", site, NULL);
    ck_assert_ptr_nonnull(strstr(deleted, "fleet.delete"));
    ck_assert_ptr_null(strstr(deleted, "org.create"));
    char *none = ctl_ok(&daemon, "audit", "--since", "2120-01-01T00:00:00Z", NULL), *out, *err;
    ck_assert_ptr_null(strstr(none, "org.create"));
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "audit", "--since", "yesterday", NULL), 2);
    ck_assert_ptr_nonnull(strstr(err, "--since must be a duration such as 24h or 7d"));
    char *freed[] = {err, out, none, deleted, site, applied, by_ann, url, fleet, good, key};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    json_decref(list);
    daemon_finish(&daemon);
}
