/* The API trigger from end to end: overrides, their answers, and where their values must not be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/overrides.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/janitor.h"
#include "support/suite.h"

#define CANARY       "canary-3b58e1-override"
#define SET(members) "{\"vessel_overrides\":[" members "]}"
#define VESSEL(name, members)                                                                      \
    "{\"name\":\"" name "\",\"environment_variable_overrides\":{" members "}}"
#define STATUS(name, word) VESSEL(name, "\"SHIPYARD_OVERRIDE_STATUS\":\"" word "\"")

static const char FLEET[] =
    "name: Steps\n"
    "vessels:\n"
    "  first:\n"
    "    source:\n"
    "      type: CODE\n"
    "      language: BASH\n"
    "      file: { name: a.sh, content: 'printf \"<%s>\" \"$STAGE\" \"$@\"' }\n"
    "      environment: { STAGE: test }\n"
    "      arguments: [ one ]\n"
    "  second: { source: { type: CODE, language: BASH,\n"
    "                      file: { name: b.sh, content: 'echo $LEVEL' } } }\n"
    "connections: { first: { second: SUCCESS } }\n";

struct steps {
    struct daemon daemon;
    char *fleet_id, *project_id, *org_id;
    char *path; /* of the trigger */
};

static void begin(struct steps *steps, const struct daemon_options *options)
{
    *steps = (struct steps){.fleet_id = NULL};
    daemon_begin(&steps->daemon, options);
    free(daemon_fleet(&steps->daemon, FLEET)); /* with a webhook, so that there is a secret.key */
    json_t *data = api_get(&steps->daemon, "/fleets");
    const json_t *fleet = api_find(json_object_get(data, "fleets"), "name", "Steps");
    steps->fleet_id = memory_string(api_text(fleet, "id"));
    steps->project_id = memory_string(api_text(fleet, "project_id"));
    steps->org_id = memory_string(api_text(fleet, "org_id"));
    steps->path = memory_format("/api/v1/fleets/%s/trigger", steps->fleet_id);
    json_decref(data);
}

static void end(struct steps *steps)
{
    free(steps->path);
    free(steps->org_id);
    free(steps->project_id);
    free(steps->fleet_id);
    daemon_finish(&steps->daemon);
}

/* Triggers the fleet over the socket, expects this status, and returns the answer. */
static json_t *call(struct steps *steps, const char *path, const char *json, int status)
{
    struct response response;
    api_call(&steps->daemon, "POST", path, json, strlen(json), &response);
    ck_assert_msg(response.status == status, "%d: %s", response.status, response.body);
    ck_assert_ptr_null(strstr(response.body, CANARY));
    json_t *answer = api_parse(response.body);
    response_free(&response);
    return answer;
}

/* Returns the run's id. */
static char *trigger(struct steps *steps, const char *json)
{
    json_t *answer = call(steps, steps->path, json, 201);
    char *id = memory_string(api_text(json_object_get(answer, "data"), "fleet_run_id"));
    json_decref(answer);
    return id;
}

static json_t *trigger_and_wait(struct steps *steps, const char *json)
{
    char *id = trigger(steps, json);
    json_t *ended = api_await_end(&steps->daemon, id);
    free(id);
    return ended;
}

static void expect_output(struct steps *steps, const json_t *run, const char *vessel,
                          const char *expected)
{
    char *output = api_output(&steps->daemon, run, vessel);
    ck_assert_str_eq(output, expected);
    free(output);
}

static void expect_skipped(struct steps *steps, const json_t *run, const char *name,
                           const char *status, int exit_code)
{
    const json_t *vessel = api_vessel(run, name);
    ck_assert_str_eq(api_text(vessel, "status"), status);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "exit_code")), exit_code);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "attempts")), 0);
    ck_assert_str_eq(api_text(vessel, "reason"), OVERRIDES_SKIPPED_REASON);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "output_bytes")),
                     (int)strlen(OVERRIDES_SKIPPED_OUTPUT));
    expect_output(steps, run, name, OVERRIDES_SKIPPED_OUTPUT);
}

/* ---- the answer ---- */

TEST(the_answer_has_the_five_ids_and_nothing_else)
{
    static const char *const bodies[] = {"", "{}", "{\"vessel_overrides\":[]}",
                                         SET(VESSEL("first", "\"STAGE\":\"prod\""))};
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        json_t *answer = call(&steps, steps.path, bodies[i], 201);
        const json_t *data = json_object_get(answer, "data");
        ck_assert_uint_eq(json_object_size(answer), 2);
        ck_assert_uint_eq(json_object_size(data), 4);
        ck_assert_str_eq(api_text(data, "fleet_id"), steps.fleet_id);
        ck_assert_str_eq(api_text(data, "project_id"), steps.project_id);
        ck_assert_str_eq(api_text(data, "org_id"), steps.org_id);
        json_t *run = api_await_end(&steps.daemon, api_text(data, "fleet_run_id"));
        ck_assert_str_eq(api_text(run, "trigger"), "api");
        ck_assert_str_eq(api_text(run, "request_id"),
                         api_text(json_object_get(answer, "request"), "id"));
        expect_output(&steps, run, "first", i < 3 ? "<test><one>" : "<prod><one>");
        json_decref(run);
        json_decref(answer);
    }
    end(&steps);
}

TEST(wrong_overrides_get_422_with_their_paths_and_start_no_run)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    json_t *answer =
        call(&steps, steps.path,
             SET("{\"name\":\"none\"}," VESSEL("first", "\"LD_PRELOAD\":\"" CANARY "\"")), 422);
    const json_t *errors = json_object_get(json_object_get(answer, "error"), "errors");
    ck_assert_uint_eq(json_array_size(errors), 2);
    ck_assert_str_eq(api_text(json_array_get(errors, 0), "path"), "vessel_overrides[0].name");
    ck_assert_str_eq(api_text(json_array_get(errors, 1), "path"),
                     "vessel_overrides[1].environment_variable_overrides.LD_PRELOAD");
    json_decref(answer);
    json_decref(call(&steps, steps.path, "{\"vessel_overrides\":[\"" CANARY "\"", 422));
    char *large = memory_alloc(OVERRIDES_MAX_BYTES + 2);
    memset(large, ' ', OVERRIDES_MAX_BYTES + 1);
    json_decref(call(&steps, steps.path, large, 413));
    free(large);
    json_decref(
        call(&steps, "/api/v1/fleets/00000000-0000-4000-8000-000000000000/trigger", "{}", 404));
    json_t *runs = api_get(&steps.daemon, "/fleetruns");
    ck_assert_uint_eq(json_array_size(json_object_get(runs, "fleetruns")), 0);
    json_decref(runs);
    end(&steps);
}

/* ---- keys, and the reference's address ---- */

static int post(struct steps *steps, const char *path, const char *header, const char *body)
{
    char *url = memory_format("http://127.0.0.1:%u%s", steps->daemon.admin_port, path);
    const char *const headers[] = {header, NULL};
    struct response response;
    http_request("POST", url, header ? headers : NULL, body, strlen(body), &response);
    int status = response.status;
    json_t *answer = api_parse(response.body);
    ck_assert(json_is_null(json_object_get(answer, "data")) == (status != 201));
    json_decref(answer);
    response_free(&response);
    free(url);
    return status;
}

TEST(the_address_of_the_reference_platform_takes_its_header_and_answers_400)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    char *key = ctl_ok(&steps.daemon, "key", "create", "deploy", NULL);
    char *shipyard = memory_format("X-Shipyard-API-Key: %s", key);
    char *bearer = memory_format("Authorization: Bearer %s", key);
    char *right = memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", steps.org_id,
                                steps.project_id, steps.fleet_id);
    char *wrong[] = {
        memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", steps.project_id,
                      steps.project_id, steps.fleet_id),
        memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", steps.org_id, steps.org_id,
                      steps.fleet_id),
        memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", steps.org_id, steps.project_id,
                      steps.org_id),
        memory_format("/orgs/%s/projects/%s/fleets/x/fleetruns", steps.org_id, steps.project_id),
    };
    ck_assert_int_eq(post(&steps, right, shipyard, "{}"), 201);
    ck_assert_int_eq(post(&steps, right, bearer, ""), 201);
    ck_assert_int_eq(post(&steps, steps.path, bearer, ""), 201);
    ck_assert_int_eq(post(&steps, steps.path, shipyard, ""), 201);
    ck_assert_int_eq(post(&steps, right, NULL, "{}"), 401);
    ck_assert_int_eq(post(&steps, steps.path, NULL, "{}"), 401);
    ck_assert_int_eq(post(&steps, right, "X-Shipyard-API-Key: wrong", "{}"), 401);
    ck_assert_int_eq(post(&steps, right, shipyard, "{\"x\":1}"), 422);
    ck_assert_int_eq(post(&steps, "/api/v1/backup", shipyard, ""), 401);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        ck_assert_int_eq(post(&steps, wrong[i], shipyard, "{}"), 400);
        ck_assert_int_eq(post(&steps, wrong[i], NULL, "{}"), 401);
        free(wrong[i]);
    }
    free(right);
    free(bearer);
    free(shipyard);
    free(key);
    end(&steps);
}

/* A trigger key is not a shell: it sets what the fleet file names, in its own fleet. */
TEST(a_trigger_key_sets_only_named_variables_of_its_own_fleet)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    free(daemon_fleet(&steps.daemon, "name: Other\nvessels: { x: { source: { type: CODE, language: "
                                     "BASH, file: { name: x, content: 'true' } } } }\n"));
    char *key =
        ctl_ok(&steps.daemon, "key", "create", "ci", "--role", "trigger", "--fleet", "Steps", NULL);
    char *header = memory_format("X-Shipyard-API-Key: %s", key);
    json_t *data = api_get(&steps.daemon, "/fleets");
    const json_t *fleet = api_find(json_object_get(data, "fleets"), "name", "Other");
    char *other = memory_format("/api/v1/fleets/%s/trigger", api_text(fleet, "id"));
    char *elsewhere = memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", steps.org_id,
                                    steps.project_id, api_text(fleet, "id"));
    ck_assert_int_eq(
        post(&steps, steps.path, header,
             SET(VESSEL("first", "\"STAGE\":\"prod\"") "," STATUS("second", "SUCCESS"))),
        201);
    ck_assert_int_eq(post(&steps, steps.path, header, SET(VESSEL("first", "\"NEW\":\"x\""))), 422);
    ck_assert_int_eq(post(&steps, other, header, ""), 404);
    ck_assert_int_eq(post(&steps, elsewhere, header, ""), 400);
    free(elsewhere);
    free(other);
    json_decref(data);
    free(header);
    free(key);
    end(&steps);
}

/* ---- what becomes of overrides ---- */

TEST(details_show_what_was_overridden_and_no_value)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    json_t *run =
        trigger_and_wait(&steps, SET("{\"name\":\"first\",\"argument_overrides\":[\"" CANARY "\"],"
                                     "\"environment_variable_overrides\":{\"STAGE\":\"" CANARY
                                     "\"}}," STATUS("second", "ERROR")));
    expect_output(&steps, run, "first", "<" CANARY "><" CANARY ">");
    expect_skipped(&steps, run, "second", "errored", 1);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    char *text = json_dumps(json_object_get(run, "overrides"), JSON_COMPACT);
    ck_assert_str_eq(text, "[{\"vessel\":\"first\",\"variables\":[\"STAGE\"],\"arguments\":true,"
                           "\"status\":null},{\"vessel\":\"second\",\"variables\":[],"
                           "\"arguments\":false,\"status\":\"errored\"}]");
    free(text);
    json_decref(run);
    end(&steps);
}

TEST(the_output_of_a_skipped_vessel_can_be_followed_to_its_end)
{
    struct steps steps;
    struct response response;
    begin(&steps, &(struct daemon_options){.top = NULL});
    json_t *run = trigger_and_wait(&steps, SET(STATUS("first", "SUCCESS")));
    expect_skipped(&steps, run, "first", "success", 0);
    expect_output(&steps, run, "second", "\n");
    char *path = memory_format("/api/v1/fleetruns/%s/vessels/%s/log?follow=1", api_text(run, "id"),
                               api_text(api_vessel(run, "first"), "id"));
    api_call(&steps.daemon, "GET", path, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.body, "event: output\n"));
    ck_assert_ptr_nonnull(strstr(response.body, "data: {\"attempt\":0,\"exit_code\":0,"
                                                "\"reason\":\"skipped by override\"}"));
    response_free(&response);
    free(path);
    json_decref(run);
    end(&steps);
}

static json_t *run_again(struct steps *steps, const json_t *run, int status)
{
    char *path = memory_format("/api/v1/fleetruns/%s/again", api_text(run, "id"));
    json_t *answer = call(steps, path, "", status);
    free(path);
    return answer;
}

TEST(run_again_uses_the_overrides_again)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    json_t *run = trigger_and_wait(
        &steps, SET(VESSEL("first", "\"STAGE\":\"" CANARY "\"") "," STATUS("second", "SUCCESS")));
    json_t *answer = run_again(&steps, run, 201);
    json_t *again = api_await_end(&steps.daemon, api_text(json_object_get(answer, "data"), "id"));
    expect_output(&steps, again, "first", "<" CANARY "><one>");
    expect_skipped(&steps, again, "second", "success", 0);
    json_decref(answer);
    /* The fleet changes so that they do not fit any more. */
    static const char smaller[] =
        "name: Steps\nvessels: { second: { source: { type: CODE, language: "
        "BASH, file: { name: x, content: 'true' } } } }\n";
    char *file = daemon_write_file(&steps.daemon, "smaller.yaml", smaller, strlen(smaller));
    free(ctl_ok(&steps.daemon, "fleet", "apply", file, NULL));
    answer = run_again(&steps, run, 409);
    ck_assert_ptr_nonnull(
        strstr(api_text(json_object_get(answer, "error"), "message"), "no vessel \"first\""));
    json_decref(answer);
    free(file);
    json_decref(again);
    json_decref(run);
    end(&steps);
}

static void remove_key(struct steps *steps)
{
    char *path = memory_format("%s/secret.key", steps->daemon.state_dir);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
}

TEST(without_the_key_values_get_503_and_everything_else_works)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = NULL});
    json_t *run = trigger_and_wait(&steps, SET(VESSEL("first", "\"STAGE\":\"" CANARY "\"")));
    remove_key(&steps);
    json_decref(call(&steps, steps.path, SET(VESSEL("first", "\"STAGE\":\"" CANARY "\"")), 503));
    json_decref(run_again(&steps, run, 503));
    json_decref(run);
    run = trigger_and_wait(&steps, "{}");
    expect_output(&steps, run, "first", "<test><one>");
    json_decref(run);
    run = trigger_and_wait(&steps, SET(STATUS("first", "SUCCESS")));
    expect_skipped(&steps, run, "first", "success", 0);
    json_decref(run);
    end(&steps);
}

TEST(webhookctl_triggers_with_a_file_and_shows_what_was_overridden)
{
    static const char json[] =
        SET(VESSEL("first", "\"STAGE\":\"" CANARY "\"") "," STATUS("second", "SUCCESS"));
    struct steps steps;
    char *out, *err;
    begin(&steps, &(struct daemon_options){.top = NULL});
    char *file = daemon_write_file(&steps.daemon, "overrides", json, strlen(json));
    char *id = ctl_ok(&steps.daemon, "run", "trigger", "Steps", "--overrides", file, NULL);
    id[strcspn(id, "\n")] = '\0';
    json_t *run = api_await_end(&steps.daemon, id);
    expect_output(&steps, run, "first", "<" CANARY "><one>");
    char *shown = ctl_ok(&steps.daemon, "run", "show", id, NULL);
    ck_assert_ptr_nonnull(strstr(shown, "first: STAGE\n"));
    ck_assert_ptr_nonnull(strstr(shown, "second: skipped (success)\n"));
    ck_assert_ptr_null(strstr(shown, CANARY));
    char *log = ctl_ok(&steps.daemon, "run", "log", id, "second", NULL);
    ck_assert_str_eq(log, "Vessel has been skipped due to override.");
    free(log);
    static const char both[] = "==> first <==\n<" CANARY "><one>\n\n==> second <==\n"
                               "Vessel has been skipped due to override.";
    log = ctl_ok(&steps.daemon, "run", "log", id, NULL);
    ck_assert_str_eq(log, both);
    free(log);
    log = ctl_ok(&steps.daemon, "run", "log", id, "--follow", NULL);
    ck_assert_str_eq(log, both);
    free(log);
    free(ctl_ok(&steps.daemon, "run", "trigger", "Steps", NULL));
    char *bad = daemon_write_file(&steps.daemon, "bad", "{\"x\":1}", 7);
    ck_assert_int_eq(
        ctl(&steps.daemon, &out, NULL, &err, "run", "trigger", "Steps", "--overrides", bad, NULL),
        1);
    ck_assert_msg(strstr(err, "x: unknown key; expected vessel_overrides"), "%s", err);
    free(out);
    free(err);
    free(bad);
    free(shown);
    json_decref(run);
    free(id);
    free(file);
    end(&steps);
}

/* The daemon dies after it has answered and before anything starts. */
TEST(accepted_overrides_survive_sigkill)
{
    static const struct daemon_options off = {.runner = "enabled = false"}, on = {.runner = NULL};
    struct steps steps;
    begin(&steps, &off);
    char *id = trigger(
        &steps, SET(VESSEL("second", "\"LEVEL\":\"" CANARY "\"") "," STATUS("first", "SUCCESS")));
    daemon_kill(&steps.daemon);
    daemon_configure(&steps.daemon, &on);
    daemon_restart(&steps.daemon);
    json_t *run = api_await_end(&steps.daemon, id);
    expect_skipped(&steps, run, "first", "success", 0);
    expect_output(&steps, run, "second", CANARY "\n");
    json_decref(run);
    free(id);
    end(&steps);
}

/* ---- where a value must not be ---- */

static bool folder_has(const char *folder, const char *text)
{
    char *command = memory_format("grep -rqF -- '%s' '%s'", text, folder);
    int status = system(command);
    free(command);
    return status == 0;
}

static void assert_in_no_answer(struct steps *steps, const char *run_id)
{
    char *paths[] = {
        memory_string("/api/v1/fleets"),
        memory_string("/api/v1/fleetruns"),
        memory_string("/api/v1/audit"),
        memory_string("/api/v1/status"),
        memory_string("/metrics"),
        memory_format("/api/v1/fleets/%s", steps->fleet_id),
        memory_format("/api/v1/fleetruns/%s", run_id),
        memory_format("/api/v1/fleetruns/%s/body", run_id),
        memory_format("/api/v1/fleetruns/%s/headers", run_id),
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct response response;
        api_call(&steps->daemon, "GET", paths[i], NULL, 0, &response);
        ck_assert_msg(response.status == 200, "%s", paths[i]);
        ck_assert_msg(!strstr(response.body, CANARY), "%s", paths[i]);
        response_free(&response);
        free(paths[i]);
    }
}

TEST(a_value_is_nowhere_to_be_read)
{
    struct steps steps;
    begin(&steps, &(struct daemon_options){.top = "min_free = \"0\"\nlog_level = \"debug\""});
    json_t *run =
        trigger_and_wait(&steps, SET(VESSEL("second", "\"LEVEL\":\" >/dev/null " CANARY
                                                      "\"") "," STATUS("first", "SUCCESS")));
    json_decref(call(&steps, steps.path, SET(VESSEL("first", "\"STAGE\":[\"" CANARY "\"]")), 422));
    const struct daemon *daemon = &steps.daemon;
    char *output = api_output(&steps.daemon, run, "second");
    ck_assert_ptr_nonnull(strstr(output, CANARY)); /* so it was used: and is in this file */
    char *remove = memory_format("rm -r '%s/logs'", daemon->state_dir);
    ck_assert_int_eq(system(remove), 0);
    assert_in_no_answer(&steps, api_text(run, "id"));
    char *backup = memory_format("%s/backup.tar", daemon->folder);
    free(ctl_ok(&steps.daemon, "backup", backup, NULL));
    char *environment = memory_format("/proc/%d/environ", (int)daemon->pid);
    char *arguments = memory_format("/proc/%d/cmdline", (int)daemon->pid);
    ck_assert(!folder_has(environment, CANARY) && !folder_has(arguments, CANARY));
    ck_assert_int_eq(daemon_stop(&steps.daemon), 0);
    ck_assert(!folder_has(daemon->folder, CANARY)); /* the log, the store, the backup */
    free(arguments);
    free(environment);
    free(backup);
    free(remove);
    free(output);
    json_decref(run);
    daemon_restart(&steps.daemon);
    end(&steps);
}
