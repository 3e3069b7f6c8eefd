/* From a POST to its vessels and back: what a vessel receives, the order of vessels, how they end,
 * and what they leave. */
#include <dirent.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

static const struct daemon_options plain;

/* ---- helpers ---- */

/* Returns a fleet of two vessels, first and second; `path` is the condition of the path between
 * them. Free it. */
static char *fleet_of_two(const char *name, const char *first, const char *second, const char *path)
{
    return memory_format(
        "name: %s\nvessels:\n"
        "  first:\n    source:\n      type: CODE\n      language: BASH\n      file_to_run: a.sh\n"
        "      file: { name: a.sh, content: '%s' }\n"
        "  second:\n    source:\n      type: CODE\n      language: BASH\n      file_to_run: a.sh\n"
        "      file: { name: a.sh, content: '%s' }\n"
        "connections:\n  first: { second: %s }\n",
        name, first, second, path);
}

/* A daemon and a fleet of one BASH vessel with its webhook. */
struct setting {
    struct daemon daemon;
    char *url;
};

static void begin(struct setting *setting, const char *runner, const char *script)
{
    struct daemon_options options = {.runner = runner};
    daemon_begin(&setting->daemon, &options);
    char *fleet = bash_fleet("Probe", script);
    setting->url = daemon_fleet(&setting->daemon, fleet);
    free(fleet);
}

static void finish(struct setting *setting)
{
    free(setting->url);
    daemon_finish(&setting->daemon);
}

TEST(log_lines_of_a_run_name_it_by_the_same_key)
{
    struct setting setting;
    struct response response;
    begin(&setting, "", "exit 3\n");
    http_post(setting.url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    json_decref(api_await_end(&setting.daemon, response.run_id));
    char *accepted = memory_format(" run=%s\n", response.run_id);
    char *attempt = memory_format("attempt ended run=%s fleet_name=Probe vessel=main attempt=1 "
                                  "status=errored exit=3 duration_ms=",
                                  response.run_id);
    char *end = memory_format("fleet run ended run=%s fleet_name=Probe status=errored duration_ms=",
                              response.run_id);
    daemon_await_log(&setting.daemon, accepted);
    daemon_await_log(&setting.daemon, attempt);
    daemon_await_log(&setting.daemon, end);
    free(end);
    free(attempt);
    free(accepted);
    response_free(&response);
    finish(&setting);
}

/* Applies the fleet file without creating a webhook. */
static void apply(struct daemon *daemon, const char *fleet)
{
    char *path = daemon_write_file(daemon, "again.yaml", fleet, strlen(fleet));
    free(ctl_ok(daemon, "fleet", "apply", path, NULL));
    free(path);
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

static long long vessel_number(const json_t *run, const char *vessel, const char *key)
{
    const json_t *value = json_object_get(api_vessel(run, vessel), key);
    ck_assert_msg(json_is_integer(value), "%s of %s is not a number", key, vessel);
    return json_integer_value(value);
}

static const char *vessel_text(const json_t *run, const char *vessel, const char *key)
{
    return api_text(api_vessel(run, vessel), key);
}

TEST(fleets_list_their_last_runs_if_they_are_asked_for)
{
    struct setting setting;
    begin(&setting, "", "exit 1");
    char *ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = ctl_ok(&setting.daemon, "run", "start", "Probe", NULL);
        json_decref(api_await_end(&setting.daemon, ids[i]));
    }
    json_t *data = api_get(&setting.daemon, "/fleets?last=2");
    const json_t *fleet = json_array_get(json_object_get(data, "fleets"), 0);
    const json_t *last = json_object_get(fleet, "last");
    ck_assert_uint_eq(json_array_size(last), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *run = json_array_get(last, i);
        ck_assert_str_eq(api_text(run, "id"), ids[2 - i]);
        ck_assert_str_eq(api_text(run, "status"), "errored");
    }
    json_decref(data);
    data = api_get(&setting.daemon, "/fleets");
    ck_assert_ptr_null(json_object_get(json_array_get(json_object_get(data, "fleets"), 0), "last"));
    json_decref(data);
    for (int i = 0; i < 3; i++)
        free(ids[i]);
    finish(&setting);
}

/* Waits until the only vessel run of a run is retrying. */
static json_t *await_retrying(struct daemon *daemon, const char *run_id)
{
    for (int64_t until_ms = clock_monotonic_ms() + 60000;;) {
        json_t *run = api_get(daemon, "/fleetruns/%s", run_id);
        const json_t *vessel = json_array_get(json_object_get(run, "vessels"), 0);
        if (vessel && strcmp(api_text(vessel, "status"), "retrying") == 0)
            return run;
        json_decref(run);
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
        usleep(10000);
    }
}

TEST(a_retrying_vessel_says_which_attempt_failed_and_when_the_next_one_is_due)
{
    struct setting setting;
    begin(&setting, "", "exit 1");
    char *once = bash_fleet("Hopeless", "exit 3");
    char *fleet = memory_format("%s    guardrails: { retry_count: 24, retry_wait: 1h }\n", once);
    apply(&setting.daemon, fleet);
    int64_t before_ms = clock_wall_ms(), next_ms = 0;
    char *id = ctl_ok(&setting.daemon, "run", "start", "Hopeless", NULL);
    json_t *run = await_retrying(&setting.daemon, id);
    ck_assert_int_eq(vessel_number(run, "main", "max_attempts"), 25);
    ck_assert_int_eq(clock_parse(vessel_text(run, "main", "next_attempt_at"), &next_ms), 0);
    ck_assert_int_ge(next_ms, before_ms + 3600 * 1000);
    ck_assert_int_le(next_ms, clock_wall_ms() + 3600 * 1000);
    char *shown = ctl_ok(&setting.daemon, "run", "show", id, NULL);
    assert_holds(shown, "Retrying    main: attempt 1 of 25 failed (exit 3), next at 20");
    free(ctl_ok(&setting.daemon, "run", "stop", id, NULL));
    json_t *end = api_await_end(&setting.daemon, id);
    ck_assert(json_is_null(json_object_get(api_vessel(end, "main"), "next_attempt_at")));
    json_decref(end);
    free(shown);
    json_decref(run);
    free(id);
    free(fleet);
    free(once);
    finish(&setting);
}

/* Returns the number of entries in a subfolder of the state folder. */
static int count_entries(const struct daemon *daemon, const char *name)
{
    char *path = memory_format("%s/%s", daemon->state_dir, name);
    DIR *stream = opendir(path);
    ck_assert_ptr_nonnull(stream);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    free(path);
    return count;
}

static void await_empty(const struct daemon *daemon, const char *name)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    while (count_entries(daemon, name) > 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%s did not become empty", name);
        usleep(5000);
    }
}

/* Moves the only run into the past, as if it had been scheduled since then: its number contains the
 * time and is the front of its id. */
static void age_scheduled_run(const struct daemon *daemon, int64_t by_ms)
{
    char *path = memory_format("%s/webhookd.db", daemon->state_dir);
    char *sql = memory_format("UPDATE run SET no = no - %lld; UPDATE run_open SET no = no - %lld",
                              (long long)by_ms << 12, (long long)by_ms << 12);
    sqlite3 *db = NULL;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    ck_assert_int_eq(sqlite3_total_changes(db), 2);
    sqlite3_close(db);
    free(sql);
    free(path);
}

/* ---- what a vessel receives ---- */

TEST(body_reaches_the_vessel_byte_for_byte)
{
    enum { BYTES = 3 * 256 };
    static const size_t sizes[] = {1, BYTES, 65536, 65537, 300000};
    struct setting setting;
    begin(&setting, NULL,
          "wc -c < \"$SHIPYARD_WEBHOOK_BODY_FILE\"\n"
          "[ \"$(sha256sum < \"$SHIPYARD_WEBHOOK_BODY_FILE\")\" = \"$WEBHOOKD_BODY_SHA256  -\" ]");
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        char *body = memory_alloc(sizes[i]);
        for (size_t b = 0; b < sizes[i]; b++)
            body[b] = (char)(b * 7 + i);
        char *id = api_post(setting.url, body, sizes[i]);
        json_t *run = api_await_end(&setting.daemon, id);
        ck_assert_str_eq(api_text(run, "status"), "success");
        char *output = api_output(&setting.daemon, run, "main");
        ck_assert_uint_eq(strtoul(output, NULL, 10), sizes[i]);
        size_t stored_bytes;
        char *stored, *err;
        ck_assert_int_eq(
            ctl(&setting.daemon, &stored, &stored_bytes, &err, "run", "body", id, NULL), 0);
        ck_assert_uint_eq(stored_bytes, sizes[i]);
        ck_assert_int_eq(memcmp(stored, body, sizes[i]), 0);
        free(stored);
        free(err);
        free(output);
        json_decref(run);
        free(id);
        free(body);
    }
    finish(&setting);
}

TEST(output_is_byte_for_byte_and_in_order)
{
    struct setting setting;
    begin(&setting, NULL,
          "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\"; for i in 1 2 3; do echo o$i; echo e$i >&2; done");
    unsigned char body[256];
    for (int i = 0; i < 256; i++)
        body[i] = (unsigned char)i;
    char *id = api_post(setting.url, body, sizeof(body));
    json_decref(api_await_end(&setting.daemon, id));
    size_t bytes;
    char *output, *err;
    ck_assert_int_eq(ctl(&setting.daemon, &output, &bytes, &err, "run", "log", id, NULL), 0);
    static const char rest[] = "o1\ne1\no2\ne2\no3\ne3\n";
    ck_assert_uint_eq(bytes, sizeof(body) + strlen(rest));
    ck_assert_int_eq(memcmp(output, body, sizeof(body)), 0);
    ck_assert_str_eq(output + sizeof(body), rest);
    free(err);
    free(output);
    free(id);
    finish(&setting);
}

TEST(headers_reach_the_vessel_as_received)
{
    static const char *const headers[] = {"x-github-event: push",
                                          "X-Twice: one",
                                          "x-twice: two",
                                          "X-Latin: caf\xe9",
                                          "Content-Type: text/x-any",
                                          NULL};
    struct setting setting;
    struct response response;
    begin(&setting, NULL, "cat \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"");
    http_post(setting.url, headers, "x", 1, &response);
    json_t *run = api_await_end(&setting.daemon, response.run_id);
    char *output = api_output(&setting.daemon, run, "main");
    json_t *seen = api_parse(output);
    json_t *stored = api_get(&setting.daemon, "/fleetruns/%s/headers", response.run_id);
    ck_assert(json_equal(seen, stored));
    const json_t *twice = json_object_get(seen, "X-Twice");
    ck_assert_uint_eq(json_array_size(twice), 2);
    ck_assert_str_eq(json_string_value(json_array_get(twice, 0)), "one");
    ck_assert_str_eq(json_string_value(json_array_get(twice, 1)), "two");
    const json_t *event = json_object_get(seen, "X-Github-Event");
    ck_assert_str_eq(json_string_value(json_array_get(event, 0)), "push");
    const json_t *latin = json_object_get(seen, "X-Latin");
    ck_assert_str_eq(json_string_value(json_array_get(latin, 0)), "café");
    ck_assert_ptr_null(json_object_get(seen, "Host"));
    ck_assert_str_eq(api_text(run, "event"), "push");
    json_decref(stored);
    json_decref(seen);
    free(output);
    json_decref(run);
    response_free(&response);
    finish(&setting);
}

TEST(files_are_absent_if_they_would_be_empty)
{
    struct setting setting;
    begin(&setting, NULL,
          "set -u\n: \"$SHIPYARD_WEBHOOK_BODY_FILE\" \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"\n"
          "[ ! -e \"$SHIPYARD_WEBHOOK_BODY_FILE\" ] && echo no body\n"
          "[ ! -e \"$SHIPYARD_WEBHOOK_HEADERS_FILE\" ] && echo no headers\ntrue");
    char *id = ctl_ok(&setting.daemon, "run", "start", "Probe", NULL);
    json_t *run = api_await_end(&setting.daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "success");
    ck_assert_str_eq(api_text(run, "trigger"), "on_demand");
    char *output = api_output(&setting.daemon, run, "main");
    ck_assert_str_eq(output, "no body\nno headers\n");
    free(output);
    json_decref(run);
    free(id);
    /* With headers, but without a body. */
    id = api_post(setting.url, "", 0);
    run = api_await_end(&setting.daemon, id);
    output = api_output(&setting.daemon, run, "main");
    ck_assert_str_eq(output, "no body\n");
    free(output);
    json_decref(run);
    free(id);
    finish(&setting);
}

/* Returns the value of a variable in the output of `env`, valid until the next call. Fails the test
 * if the variable is missing. */
static const char *variable(const char *environment, const char *name)
{
    static char value[4096];
    char start[128];
    snprintf(start, sizeof(start), "\n%s=", name);
    const char *at = strstr(environment, start);
    ck_assert_msg(at, "no variable %s in: %s", name, environment);
    at += strlen(start);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
    return value;
}

static bool is_known_variable(const char *name)
{
    static const char *const known[] = {"PATH",
                                        "LANG",
                                        "TZ",
                                        "HOME",
                                        "USER",
                                        "LOGNAME",
                                        "PYTHONUNBUFFERED",
                                        "STAGE",
                                        "SHIPYARD_ORG_ID",
                                        "SHIPYARD_ORG_NAME",
                                        "SHIPYARD_PROJECT_ID",
                                        "SHIPYARD_PROJECT_NAME",
                                        "SHIPYARD_FLEET_ID",
                                        "SHIPYARD_FLEET_NAME",
                                        "SHIPYARD_FLEET_LOG_ID",
                                        "SHIPYARD_VESSEL_ID",
                                        "SHIPYARD_VESSEL_NAME",
                                        "SHIPYARD_LOG_ID",
                                        "SHIPYARD_LOG_WORKDIR",
                                        "SHIPYARD_BLUEPRINT_ID",
                                        "SHIPYARD_BLUEPRINT_NAME",
                                        "SHIPYARD_VESSEL_SCHEDULED_TIME",
                                        "SHIPYARD_FLEET_SCHEDULED_TIME",
                                        "SHIPYARD_FLEET_CURRENTSTREAM_INDEX",
                                        "SHIPYARD_WEBHOOK_HEADERS_FILE",
                                        "SHIPYARD_WEBHOOK_BODY_FILE",
                                        "WEBHOOKD_REQUEST_ID",
                                        "WEBHOOKD_REMOTE_ADDR",
                                        "WEBHOOKD_HOST",
                                        "WEBHOOKD_QUERY_STRING",
                                        "WEBHOOKD_BODY_SHA256",
                                        "WEBHOOKD_ATTEMPT"};
    static const char *const times[] = {"",        "_YEAR",   "_MONTH",       "_DAY",  "_HOUR",
                                        "_MINUTE", "_SECOND", "_MILLISECOND", "_EPOCH"};
    static const char *const streams[] = {"COUNT", "LOG_IDS", "VESSEL_IDS"};
    char text[128];
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    for (size_t i = 0; i < 2 * ARRAY_COUNT(times); i++) {
        snprintf(text, sizeof(text), "SHIPYARD_%s_START_TIME%s", i % 2 ? "FLEET" : "VESSEL",
                 times[i / 2]);
        if (strcmp(name, text) == 0)
            return true;
    }
    for (size_t i = 0; i < 3 * ARRAY_COUNT(streams); i++) {
        static const char *const kinds[] = {"UPSTREAM", "CURRENTSTREAM", "DOWNSTREAM"};
        snprintf(text, sizeof(text), "SHIPYARD_FLEET_%s_%s", kinds[i % 3], streams[i / 3]);
        if (strcmp(name, text) == 0)
            return true;
    }
    return false;
}

static void assert_only_known_variables(const char *environment)
{
    char *copy = memory_string(environment + 1), *rest = copy, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        line[strcspn(line, "=")] = '\0';
        ck_assert_msg(is_known_variable(line), "unexpected variable: %s", line);
    }
    free(copy);
}

TEST(variables_are_the_platforms_and_no_others)
{
    static const char *const headers[] = {"X-Path: /evil", "BASH_ENV: /evil", NULL};
    struct daemon daemon;
    struct response response;
    static const char *const env[] = {"SECRET_OF_THE_DAEMON=1", "TZ=Europe/Berlin", NULL};
    struct daemon_options options = {.env = env};
    daemon_begin(&daemon, &options);
    char *fleet =
        fleet_of_two("Variables", "true", "echo; tr \"\\0\" \"\\n\" < /proc/$$/environ", "SUCCESS");
    char *whole = memory_format("%s", fleet);
    char *url = daemon_fleet(&daemon, whole);
    char *asked = memory_format("%s?a=b%%20c&PATH=/evil", url);
    http_post(asked, headers, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    json_t *run = api_await_end(&daemon, response.run_id);
    ck_assert_str_eq(api_text(run, "status"), "success");
    char *seen = api_output(&daemon, run, "second");
    assert_only_known_variables(seen);

    const struct {
        const char *name, *value;
    } expected[] = {
        {"SHIPYARD_ORG_ID", api_text(run, "org_id")},
        {"SHIPYARD_ORG_NAME", "default"},
        {"SHIPYARD_PROJECT_ID", api_text(run, "project_id")},
        {"SHIPYARD_PROJECT_NAME", "default"},
        {"SHIPYARD_FLEET_ID", api_text(run, "fleet_id")},
        {"SHIPYARD_FLEET_NAME", "Variables"},
        {"SHIPYARD_FLEET_LOG_ID", api_text(run, "id")},
        {"SHIPYARD_VESSEL_ID", vessel_text(run, "second", "vessel_id")},
        {"SHIPYARD_VESSEL_NAME", "second"},
        {"SHIPYARD_LOG_ID", vessel_text(run, "second", "id")},
        {"SHIPYARD_BLUEPRINT_ID", "BASH"},
        {"SHIPYARD_BLUEPRINT_NAME", "BASH"},
        {"SHIPYARD_FLEET_UPSTREAM_COUNT", "1"},
        {"SHIPYARD_FLEET_UPSTREAM_LOG_IDS", vessel_text(run, "first", "id")},
        {"SHIPYARD_FLEET_UPSTREAM_VESSEL_IDS", vessel_text(run, "first", "vessel_id")},
        {"SHIPYARD_FLEET_DOWNSTREAM_COUNT", "0"},
        {"SHIPYARD_FLEET_DOWNSTREAM_LOG_IDS", ""},
        {"SHIPYARD_FLEET_CURRENTSTREAM_COUNT", "1"},
        {"SHIPYARD_FLEET_CURRENTSTREAM_INDEX", "0"},
        {"WEBHOOKD_REQUEST_ID", api_text(run, "request_id")},
        {"WEBHOOKD_REMOTE_ADDR", "127.0.0.1"},
        {"WEBHOOKD_HOST", api_text(run, "host")},
        {"WEBHOOKD_QUERY_STRING", "a=b%20c&PATH=/evil"},
        {"WEBHOOKD_BODY_SHA256", api_text(run, "body_sha256")},
        {"WEBHOOKD_ATTEMPT", "1"},
        {"PATH", "/usr/local/bin:/usr/bin:/bin"},
        {"TZ", "Europe/Berlin"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        ck_assert_msg(strcmp(variable(seen, expected[i].name), expected[i].value) == 0,
                      "%s is %s, not %s", expected[i].name, variable(seen, expected[i].name),
                      expected[i].value);
    char *workdir = memory_string(variable(seen, "SHIPYARD_LOG_WORKDIR"));
    ck_assert_str_eq(variable(seen, "HOME"), workdir);
    char *file = memory_format("%s/%s.webhook_body", workdir, vessel_text(run, "second", "id"));
    ck_assert_str_eq(variable(seen, "SHIPYARD_WEBHOOK_BODY_FILE"), file);
    /* The vessel's start in whole seconds; the run shows it with milliseconds. */
    ck_assert_int_eq(strncmp(variable(seen, "SHIPYARD_VESSEL_START_TIME"),
                             vessel_text(run, "second", "started_at"), 19),
                     0);
    ck_assert_int_eq(strlen(variable(seen, "SHIPYARD_VESSEL_START_TIME_MONTH")), 2);
    free(file);
    free(workdir);
    free(seen);
    json_decref(run);
    response_free(&response);
    free(asked);
    free(url);
    free(whole);
    free(fleet);
    daemon_finish(&daemon);
}

/* An interpreter that keeps its output in memory would lose it here. */
TEST(output_of_a_python_vessel_that_is_stopped_is_kept_and_in_order)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    static const char fleet[] = "name: Talks\n"
                                "vessels:\n"
                                "  talk:\n"
                                "    source:\n"
                                "      type: CODE\n"
                                "      language: PYTHON\n"
                                "      file:\n"
                                "        name: talk.py\n"
                                "        content: |\n"
                                "          import subprocess, sys, time\n"
                                "          print('one')\n"
                                "          subprocess.run(['echo', 'two'])\n"
                                "          print('three', file=sys.stderr)\n"
                                "          print('four')\n"
                                "          time.sleep(600)\n";
    char *url = daemon_fleet(&daemon, fleet), *id = api_post(url, NULL, 0);
    api_await_output(&daemon, id, "talk", "one\ntwo\nthree\nfour\n");
    free(ctl_ok(&daemon, "run", "stop", id, NULL));
    json_t *run = api_await_end(&daemon, id);
    char *output = api_output(&daemon, run, "talk");
    ck_assert_str_eq(output, "one\ntwo\nthree\nfour\n");
    free(output);
    json_decref(run);
    free(id);
    free(url);
    daemon_finish(&daemon);
}

TEST(arguments_and_environment_arrive_unsplit_and_unexpanded)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    static const char fleet[] =
        "name: Arguments\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n"
        "      file_to_run: a.sh\n"
        "      file: { name: a.sh, content: 'printf \"[%s]\" \"$@\" \"$STAGE\" \"$0\"' }\n"
        "      arguments: [ { key: --lines, value: 007 }, 'a b $HOME *', { --flag: '' }, all ]\n"
        "      environment: [ { name: STAGE, value: 'te st$(id)' } ]\n";
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    char *output = api_output(&daemon, run, "main");
    static const char start[] = "[--lines][007][a b $HOME *][--flag][][all][te st$(id)][/";
    ck_assert_msg(strncmp(output, start, strlen(start)) == 0, "%s", output);
    assert_holds(output, ".files/a.sh]"); /* run by its absolute path */
    free(output);
    json_decref(run);
    free(url);
    daemon_finish(&daemon);
}

static void run_language(const char *language, const char *content)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = memory_format("name: Language\nvessels:\n  main:\n    source:\n      type: CODE\n"
                                "      language: %s\n      file_to_run: code\n"
                                "      file: { name: code, content: '%s' }\n"
                                "      arguments: [ one ]\n",
                                language, content);
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "the body");
    char *output = api_output(&daemon, run, "main");
    ck_assert_msg(strcmp(api_text(run, "status"), "success") == 0, "%s", output);
    ck_assert_str_eq(output, "one the body\n");
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

static bool has_program(const char *name)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        char *path = memory_format("%s/%s", folders[i], name);
        bool found = access(path, X_OK) == 0;
        free(path);
        if (found)
            return true;
    }
    return false;
}

TEST(bash_vessel_runs)
{
    run_language("BASH", "echo \"$1 $(cat \"$SHIPYARD_WEBHOOK_BODY_FILE\")\"");
}

TEST(python_vessel_runs)
{
    if (has_program("python3"))
        run_language("PYTHON", "import os, sys; print(sys.argv[1], "
                               "open(os.environ[\"SHIPYARD_WEBHOOK_BODY_FILE\"]).read())");
    else
        test_skip("python3 is not installed");
}

TEST(node_vessel_runs)
{
    if (has_program("node"))
        run_language("NODE", "console.log(process.argv[2], require(\"fs\").readFileSync("
                             "process.env.SHIPYARD_WEBHOOK_BODY_FILE, \"utf8\"))");
    else
        test_skip("node is not installed");
}

/* ---- the graph ---- */

TEST(vessels_on_a_success_path_share_the_working_folder_and_run_in_order)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet =
        fleet_of_two("Two", "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\" > payload; pwd",
                     "cat payload; cat \"$SHIPYARD_WEBHOOK_BODY_FILE\"; echo; pwd", "SUCCESS");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "shared");
    ck_assert_str_eq(api_text(run, "status"), "success");
    char *first = api_output(&daemon, run, "first"), *second = api_output(&daemon, run, "second");
    char *expected = memory_format("sharedshared\n%s", first);
    ck_assert_str_eq(second, expected);
    ck_assert_str_le(vessel_text(run, "first", "ended_at"),
                     vessel_text(run, "second", "started_at"));
    free(expected);
    free(first);
    free(second);
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(vessel_after_an_errored_one_is_incomplete)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = fleet_of_two("Errs", "exit 4", "echo never", "SUCCESS");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    ck_assert_str_eq(api_text(run, "status"), "errored");
    ck_assert_str_eq(vessel_text(run, "first", "status"), "errored");
    ck_assert_str_eq(vessel_text(run, "second", "status"), "incomplete");
    ck_assert_int_eq(vessel_number(run, "second", "attempts"), 0);
    ck_assert(json_is_null(json_object_get(api_vessel(run, "second"), "exit_code")));
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* Ten vessels with branches, joins, a retry and an error path:
 *
 *     start ─► build ─► test ─┬─► pack ─► ship        test fails: pack and ship are incomplete
 *        │                    └─(ERRORED)─► rescue ─► report
 *        └─► docs ─(COMPLETED)─► site (docs fails twice, then succeeds)
 *     start, site ─► last */
TEST(ten_vessels_with_branches_joins_and_an_error_path_end_as_their_paths_say)
{
    static const struct {
        const char *name, *script, *status;
        int attempts, exit_code;
    } vessels[] = {
        {"start", "echo from start > shared", "success", 1, 0},
        {"build", "cat shared", "success", 1, 0},
        {"test", "exit 4", "errored", 1, 4},
        {"pack", "echo never", "incomplete", 0, -1},
        {"ship", "echo never", "incomplete", 0, -1},
        {"rescue", "cat shared", "success", 1, 0},
        {"report", "echo done", "success", 1, 0},
        {"docs", "test $WEBHOOKD_ATTEMPT = 3", "success", 3, 0},
        {"site", "echo built", "success", 1, 0},
        {"last", "cat shared", "success", 1, 0},
    };
    struct daemon daemon;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: Ten\nvessels:\n");
    for (size_t i = 0; i < ARRAY_COUNT(vessels); i++)
        buffer_append_format(
            &text,
            "  %s:\n    source: { type: CODE, language: BASH, file_to_run: a,\n"
            "              file: { name: a, content: '%s' } }\n"
            "    guardrails: { retry_count: 2, exclude_exit_code_ranges: [ 4 ] }\n",
            vessels[i].name, vessels[i].script);
    buffer_append_text(&text, "connections:\n"
                              "  start: { build: SUCCESS, docs: SUCCESS, last: SUCCESS }\n"
                              "  build: { test: SUCCESS }\n"
                              "  test: { pack: SUCCESS, rescue: ERRORED }\n"
                              "  pack: { ship: COMPLETED }\n"
                              "  rescue: { report: SUCCESS }\n"
                              "  docs: { site: COMPLETED }\n"
                              "  site: { last: SUCCESS }\n");
    daemon_begin(&daemon, &plain);
    char *url = daemon_fleet(&daemon, buffer_text(&text));
    json_t *run = api_post_and_wait(&daemon, url, "x");
    ck_assert_str_eq(api_text(run, "status"), "errored");
    for (size_t i = 0; i < ARRAY_COUNT(vessels); i++) {
        const char *name = vessels[i].name;
        ck_assert_msg(strcmp(vessel_text(run, name, "status"), vessels[i].status) == 0, "%s is %s",
                      name, vessel_text(run, name, "status"));
        ck_assert_int_eq(vessel_number(run, name, "attempts"), vessels[i].attempts);
        if (vessels[i].exit_code >= 0)
            ck_assert_int_eq(vessel_number(run, name, "exit_code"), vessels[i].exit_code);
    }
    char *output = api_output(&daemon, run, "last");
    ck_assert_str_eq(output, "from start\n");
    free(output);
    json_decref(run);
    free(url);
    buffer_free(&text);
    daemon_finish(&daemon);
}

TEST(stub_vessel_ends_errored_with_its_reason)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    static const char fleet[] =
        "name: Stub\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n"
        "      blueprint: any\n";
    char *path = daemon_write_file(&daemon, "stub.yaml", fleet, strlen(fleet)), *out;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "fleet", "apply", path, NULL), 1);
    free(out);
    free(ctl_ok(&daemon, "fleet", "apply", "--stub", path, NULL));
    char *id = ctl_ok(&daemon, "run", "start", "Stub", NULL);
    json_t *run = api_await_end(&daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    ck_assert_str_eq(vessel_text(run, "main", "status"), "errored");
    ck_assert_str_eq(vessel_text(run, "main", "reason"), "not available here");
    json_decref(run);
    free(id);
    free(path);
    daemon_finish(&daemon);
}

/* ---- ends ---- */

TEST(exit_codes_are_recorded)
{
    static const struct {
        const char *script;
        int code;
        const char *status;
    } cases[] = {
        {"exit 0", 0, "success"},
        {"exit 1", 1, "errored"},
        {"exit 42", 42, "errored"},
        {"exit 255", 255, "errored"},
        {"kill -KILL $$", 137, "errored"},
        {"kill -SEGV $$", 139, "errored"},
        {"no-such-program-here", 127, "errored"},
    };
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *fleet = bash_fleet("Ends", cases[i].script);
        apply(&daemon, fleet);
        char *id = ctl_ok(&daemon, "run", "start", "Ends", NULL);
        json_t *run = api_await_end(&daemon, id);
        ck_assert_str_eq(api_text(run, "status"), cases[i].status);
        ck_assert_int_eq(vessel_number(run, "main", "exit_code"), cases[i].code);
        json_decref(run);
        free(id);
        free(fleet);
    }
    daemon_finish(&daemon);
}

TEST(interpreter_that_cannot_be_executed_is_127_with_the_reason)
{
    static const char *const interpreters[] = {"/nonexistent/bash", "no-such-bash", "/etc/passwd"};
    for (size_t i = 0; i < ARRAY_COUNT(interpreters); i++) {
        struct setting setting;
        char *runner = memory_format("bash = \"%s\"", interpreters[i]);
        begin(&setting, runner, "true");
        json_t *run = api_post_and_wait(&setting.daemon, setting.url, "x");
        ck_assert_str_eq(api_text(run, "status"), "errored");
        ck_assert_int_eq(vessel_number(run, "main", "exit_code"), 127);
        assert_holds(vessel_text(run, "main", "reason"), interpreters[i]);
        json_decref(run);
        free(runner);
        finish(&setting);
    }
}

TEST(cutoff_ends_the_whole_tree_and_is_recorded)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet =
        bash_fleet("Cutoff", "sleep 1000 &\necho $!\nsetsid sleep 1000 &\necho $!\nsleep 1000");
    char *whole = memory_format("%s    guardrails:\n      runtime_cutoff: 3s\n", fleet);
    char *url = daemon_fleet(&daemon, whole);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    ck_assert_str_eq(api_text(run, "status"), "errored");
    ck_assert_str_eq(vessel_text(run, "main", "reason"), "cut off after 3s");
    char *output = api_output(&daemon, run, "main"), *rest = output, *line;
    int pids = 0;
    while ((line = strsep(&rest, "\n")) && *line) {
        char *path = memory_format("/proc/%s/exe", line), target[64];
        ck_assert_msg(readlink(path, target, sizeof(target)) < 0, "%s is still alive", line);
        free(path);
        pids++;
    }
    ck_assert_int_eq(pids, 2);
    free(output);
    json_decref(run);
    free(url);
    free(whole);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(output_over_its_bound_is_cut_off_once_and_disturbs_nothing)
{
    struct setting setting;
    begin(&setting, "max_output = \"1KiB\"",
          "head -c 1000 /dev/zero | tr '\\0' a\nhead -c 1000 /dev/zero | tr '\\0' b\necho more\n"
          "exit 6");
    json_t *run = api_post_and_wait(&setting.daemon, setting.url, "x");
    ck_assert_int_eq(vessel_number(run, "main", "exit_code"), 6);
    ck_assert_int_eq(vessel_number(run, "main", "output_bytes"), 1024);
    char *output = api_output(&setting.daemon, run, "main");
    ck_assert_str_eq(output + 1020, "bbbb\n[webhookd: output cut at 1024 bytes]\n");
    free(output);
    json_decref(run);
    finish(&setting);
}

TEST(working_folder_attempt_and_trash_are_removed_after_a_run)
{
    struct setting setting;
    begin(&setting, NULL, "mkdir -p a/b; echo x > a/b/c; ln -s /etc a/link; chmod 000 a; pwd");
    json_t *run = api_post_and_wait(&setting.daemon, setting.url, "x");
    ck_assert_str_eq(api_text(run, "status"), "success");
    char *output = api_output(&setting.daemon, run, "main");
    char *expected = memory_format("%s/runs/%s\n", setting.daemon.state_dir, api_text(run, "id"));
    ck_assert_str_eq(output, expected);
    static const char *const names[] = {"runs", "attempts", "trash"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        await_empty(&setting.daemon, names[i]);
    ck_assert_int_eq(access("/etc/passwd", F_OK), 0);
    free(expected);
    free(output);
    json_decref(run);
    finish(&setting);
}

TEST(daemon_started_by_root_runs_vessels_as_nobody_without_access_to_its_state)
{
    if (geteuid() != 0 || !getpwnam("nobody")) {
        test_skip("only root can run vessels as nobody");
        return;
    }
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *script =
        memory_format("id -un\nid -Gn\n"
                      "cat %s/secret.key && echo key\ncat %s/webhookd.db && echo store\n"
                      "ls %s/spool %s/logs && echo folders\ncat %s && echo socket-folder\n"
                      "echo opened anew >/dev/stderr\n"
                      "ls %s/runs\ngrep -h CapEff /proc/self/status",
                      daemon.state_dir, daemon.state_dir, daemon.state_dir, daemon.state_dir,
                      daemon.socket, daemon.state_dir);
    char *fleet = bash_fleet("Nobody", script);
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    char *output = api_output(&daemon, run, "main");
    ck_assert_msg(strncmp(output, "nobody\n", 7) == 0, "%s", output);
    static const char *const seen[] = {"\nkey\n", "\nstore\n", "\nfolders\n", "\nsocket-folder\n"};
    for (size_t i = 0; i < ARRAY_COUNT(seen); i++)
        ck_assert_msg(!strstr(output, seen[i]), "%s", output);
    assert_holds(output, "CapEff:\t0000000000000000\n");
    assert_holds(output, "\nopened anew\n");
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    free(script);
    daemon_finish(&daemon);
}

/* ---- scheduled runs, versions, run again ---- */

TEST(runs_stay_scheduled_while_the_runner_is_disabled_and_run_after_a_restart)
{
    enum { RUNS = 5 };
    struct setting setting;
    begin(&setting, "enabled = false", "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\"");
    char *ids[RUNS];
    for (int i = 0; i < RUNS; i++) {
        char body[24];
        snprintf(body, sizeof(body), "body %d", i);
        ids[i] = api_post(setting.url, body, strlen(body));
    }
    ck_assert_int_eq(daemon_stop(&setting.daemon), 0);
    ck_assert_int_eq(count_entries(&setting.daemon, "runs"), 0);
    daemon_configure(&setting.daemon, &plain);
    daemon_restart(&setting.daemon);
    for (int i = 0; i < RUNS; i++) {
        char body[24];
        snprintf(body, sizeof(body), "body %d", i);
        json_t *run = api_await_end(&setting.daemon, ids[i]);
        char *output = api_output(&setting.daemon, run, "main");
        ck_assert_str_eq(output, body);
        free(output);
        json_decref(run);
        free(ids[i]);
    }
    finish(&setting);
}

TEST(scheduled_run_keeps_the_version_it_was_accepted_with)
{
    struct setting setting;
    begin(&setting, "enabled = false", "echo one");
    char *old = api_post(setting.url, "x", 1);
    char *fleet = bash_fleet("Probe", "echo two");
    apply(&setting.daemon, fleet);
    char *new = api_post(setting.url, "x", 1);
    ck_assert_int_eq(daemon_stop(&setting.daemon), 0);
    daemon_configure(&setting.daemon, &plain);
    daemon_restart(&setting.daemon);
    const struct {
        const char *id, *output;
        int version;
    } expected[] = {{old, "one\n", 1}, {new, "two\n", 2}};
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        json_t *run = api_await_end(&setting.daemon, expected[i].id);
        char *output = api_output(&setting.daemon, run, "main");
        ck_assert_str_eq(output, expected[i].output);
        ck_assert_int_eq(json_integer_value(json_object_get(run, "fleet_version")),
                         expected[i].version);
        free(output);
        json_decref(run);
    }
    free(new);
    free(fleet);
    free(old);
    finish(&setting);
}

static void assert_again_is_equal(struct daemon *daemon, const json_t *run, const json_t *again)
{
    static const char *const same[] = {"event",       "host",       "query_string", "body_bytes",
                                       "body_sha256", "fleet_name", "fleet_id"};
    for (size_t i = 0; i < ARRAY_COUNT(same); i++)
        ck_assert_msg(json_equal(json_object_get(run, same[i]), json_object_get(again, same[i])),
                      "%s differs", same[i]);
    ck_assert_str_ne(api_text(run, "id"), api_text(again, "id"));
    ck_assert_str_ne(api_text(run, "request_id"), api_text(again, "request_id"));
    ck_assert_str_eq(api_text(again, "trigger"), "on_demand");
    ck_assert(json_is_null(json_object_get(run, "again_of")));
    ck_assert_str_eq(api_text(again, "again_of"), api_text(run, "id"));
    json_t *origin = api_get(daemon, "/fleetruns/%s", api_text(run, "id"));
    const json_t *repeats = json_object_get(origin, "again_as");
    ck_assert_uint_eq(json_array_size(repeats), 1);
    ck_assert_str_eq(json_string_value(json_array_get(repeats, 0)), api_text(again, "id"));
    json_decref(origin);
    json_t *headers = api_get(daemon, "/fleetruns/%s/headers", api_text(run, "id"));
    json_t *copy = api_get(daemon, "/fleetruns/%s/headers", api_text(again, "id"));
    ck_assert(json_equal(headers, copy));
    json_decref(headers);
    json_decref(copy);
}

TEST(again_runs_the_current_version_with_the_same_headers_and_bytes)
{
    static const size_t sizes[] = {0, 10, 200000}; /* none, in the store, in a file of its own */
    static const char *const headers[] = {"X-Event-Key: repo:push", "X-Other: 1", NULL};
    struct setting setting;
    begin(&setting, NULL, "echo one");
    char *asked = memory_format("%s?q=1", setting.url);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        char *body = memory_alloc(sizes[i] + 1);
        memset(body, 'b', sizes[i]);
        struct response response;
        http_post(asked, headers, body, sizes[i], &response);
        json_t *run = api_await_end(&setting.daemon, response.run_id);
        char *script = memory_format("echo now; wc -c < \"$SHIPYARD_WEBHOOK_BODY_FILE\" || echo 0;"
                                     " : version %zu",
                                     i);
        char *fleet = bash_fleet("Probe", script);
        apply(&setting.daemon, fleet);
        char *id = ctl_ok(&setting.daemon, "run", "again", response.run_id, NULL);
        json_t *again = api_await_end(&setting.daemon, id);
        assert_again_is_equal(&setting.daemon, run, again);
        ck_assert_int_eq(json_integer_value(json_object_get(again, "fleet_version")), (int)i + 2);
        char *output = api_output(&setting.daemon, again, "main");
        ck_assert_int_eq(strncmp(output, "now\n", 4), 0);
        if (sizes[i] > 0)
            ck_assert_uint_eq(strtoul(output + 4, NULL, 10), sizes[i]);
        free(output);
        json_decref(again);
        free(id);
        free(fleet);
        free(script);
        json_decref(run);
        response_free(&response);
        free(body);
    }
    free(asked);
    finish(&setting);
}

/* ---- concurrent runs ---- */

TEST(as_many_vessels_as_allowed_run_concurrently_and_no_more)
{
    enum { RUNS = 6, AT_ONCE = 3 };
    struct daemon daemon;
    struct daemon_options options = {.runner = "max_vessels = 3"};
    daemon_begin(&daemon, &options);
    char *shared = memory_format("%s/shared", daemon.folder);
    ck_assert_int_eq(mkdir(shared, 0755), 0);
    ck_assert_int_eq(chmod(shared, 0777), 0);
    char *script =
        memory_format("touch %s/$SHIPYARD_LOG_ID\n[ $(ls %s | grep -c -) -le 3 ] || exit 9\n"
                      "until [ -e %s/go ]; do sleep 0.02; done\nrm %s/$SHIPYARD_LOG_ID",
                      shared, shared, daemon.folder, shared);
    char *fleet = bash_fleet("Beside", script);
    char *url = daemon_fleet(&daemon, fleet), *ids[RUNS];
    for (int i = 0; i < RUNS; i++)
        ids[i] = api_post(url, "x", 1);
    int64_t until_ms = clock_monotonic_ms() + 30000;
    while (api_metric(&daemon, "vessels_running") < AT_ONCE) {
        ck_assert(clock_monotonic_ms() < until_ms);
        usleep(5000);
    }
    json_t *status = api_get(&daemon, "/status");
    const json_t *counts = json_object_get(status, "counts");
    ck_assert_int_eq(json_integer_value(json_object_get(counts, "runs_running")), AT_ONCE);
    ck_assert_int_eq(json_integer_value(json_object_get(counts, "runs_scheduled")), RUNS - AT_ONCE);
    json_decref(status);
    free(daemon_write_file(&daemon, "go", "", 0));
    for (int i = 0; i < RUNS; i++) {
        json_t *run = api_await_end(&daemon, ids[i]);
        ck_assert_str_eq(api_text(run, "status"), "success");
        json_decref(run);
        free(ids[i]);
    }
    free(url);
    free(fleet);
    free(script);
    free(shared);
    daemon_finish(&daemon);
}

TEST(many_runs_all_end_each_with_its_own_body)
{
    enum { RUNS = 200 };
    struct setting setting;
    begin(&setting, NULL, "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\"");
    char *ids[RUNS];
    for (int i = 0; i < RUNS; i++) {
        char body[24];
        snprintf(body, sizeof(body), "number %d", i);
        ids[i] = api_post(setting.url, body, strlen(body));
    }
    for (int i = 0; i < RUNS; i++) {
        char body[24];
        snprintf(body, sizeof(body), "number %d", i);
        json_t *run = api_await_end(&setting.daemon, ids[i]);
        char *output = api_output(&setting.daemon, run, "main");
        ck_assert_str_eq(output, body);
        free(output);
        json_decref(run);
        free(ids[i]);
    }
    ck_assert_int_eq(api_metric(&setting.daemon, "attempts_started_total"), RUNS);
    ck_assert_int_eq(api_metric(&setting.daemon, "attempts_ended_total"), RUNS);
    await_empty(&setting.daemon, "runs");
    await_empty(&setting.daemon, "attempts");
    finish(&setting);
}

/* Invariant 9. */
TEST(restart_among_many_runs_executes_each_exactly_once)
{
    enum { RUNS = 40 };
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *shared = memory_format("%s/shared", daemon.folder);
    ck_assert_int_eq(mkdir(shared, 0755), 0);
    ck_assert_int_eq(chmod(shared, 0777), 0);
    char *script = memory_format("mkdir %s/$SHIPYARD_FLEET_LOG_ID || exit 9\nsleep 0.1", shared);
    char *fleet = bash_fleet("Once", script);
    char *url = daemon_fleet(&daemon, fleet), *ids[RUNS];
    for (int i = 0; i < RUNS; i++)
        ids[i] = api_post(url, "x", 1);
    for (int restarts = 0; restarts < 3; restarts++) {
        if (restarts == 1)
            daemon_kill(&daemon);
        else
            ck_assert_int_eq(daemon_stop(&daemon), 0);
        daemon_restart(&daemon);
    }
    for (int i = 0; i < RUNS; i++) {
        json_t *run = api_await_end(&daemon, ids[i]);
        ck_assert_msg(strcmp(api_text(run, "status"), "success") == 0, "%s: %s", ids[i],
                      vessel_text(run, "main", "reason"));
        ck_assert_int_eq(vessel_number(run, "main", "attempts"), 1);
        json_decref(run);
        char *path = memory_format("%s/%s", shared, ids[i]);
        ck_assert_int_eq(access(path, F_OK), 0);
        free(path);
        free(ids[i]);
    }
    free(url);
    free(fleet);
    free(script);
    free(shared);
    daemon_finish(&daemon);
}

/* ---- interruption ---- */

/* Kills the supervisor and the vessel of the only running attempt. */
static void kill_attempt(const struct daemon *daemon)
{
    char *command = memory_format(
        "p=$(sed -n '1s/^pid //p' %s/attempts/*) && c=$(cat /proc/$p/task/$p/children) "
        "&& kill -KILL $p $c",
        daemon->state_dir);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

TEST(attempt_whose_supervisor_was_killed_is_interrupted)
{
    struct setting setting;
    begin(&setting, NULL, "echo begun; exec sleep 1000");
    char *id = api_post(setting.url, "x", 1);
    api_await_output(&setting.daemon, id, "main", "begun\n");
    kill_attempt(&setting.daemon);
    json_t *run = api_await_end(&setting.daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    assert_holds(vessel_text(run, "main", "reason"), "interrupted: ");
    ck_assert_int_eq(vessel_number(run, "main", "attempts"), 1);
    json_decref(run);
    free(id);
    finish(&setting);
}

TEST(interrupted_attempt_runs_again_if_the_fleet_says_so)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *base = bash_fleet("Reruns", "echo attempt $WEBHOOKD_ATTEMPT\n"
                                      "[ $WEBHOOKD_ATTEMPT = 1 ] && exec sleep 1000\ntrue");
    char *fleet = memory_format("%son_interrupt: RERUN\n", base);
    char *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    api_await_output(&daemon, id, "main", "attempt 1\n");
    kill_attempt(&daemon);
    json_t *run = api_await_end(&daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "success");
    ck_assert_int_eq(vessel_number(run, "main", "attempts"), 2);
    char *output = api_output(&daemon, run, "main");
    ck_assert_str_eq(output, "attempt 2\n");
    free(output);
    output = ctl_ok(&daemon, "run", "log", id, "--attempt", "1", NULL);
    ck_assert_str_eq(output, "attempt 1");
    free(output);
    json_decref(run);
    free(id);
    free(url);
    free(fleet);
    free(base);
    daemon_finish(&daemon);
}

TEST(output_of_a_run_that_was_scheduled_for_days_is_found)
{
    struct setting setting;
    begin(&setting, "enabled = false", "echo at last\n");
    free(api_post(setting.url, "x", 1));
    ck_assert_int_eq(daemon_stop(&setting.daemon), 0);
    age_scheduled_run(&setting.daemon, 2 * 86400 * 1000LL);

    struct daemon_options options = {.runner = ""};
    daemon_configure(&setting.daemon, &options);
    daemon_restart(&setting.daemon);
    char *state = ctl_ok(&setting.daemon, "run", "wait", "latest", NULL);
    char *output = ctl_ok(&setting.daemon, "run", "log", "latest", "main", NULL);
    ck_assert_str_eq(state, "success");
    ck_assert_str_eq(output, "at last");
    free(output);
    free(state);
    finish(&setting);
}
