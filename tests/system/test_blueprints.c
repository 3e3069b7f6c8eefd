/* Blueprints from end to end: applied, shown, used and deleted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define GREET                                                                                      \
    "name: Greet\nsynopsis: Greets someone.\ninputs:\n"                                            \
    "  WHO: { name: Who, type: ALPHANUMERIC, required: true }\n"                                   \
    "  LOUD: { name: Loud, type: BOOLEAN, default: false }\n"
#define SOURCE                                                                                     \
    "source:\n  type: CODE\n  language: BASH\n"                                                    \
    "  file: { name: a.sh, content: 'printf \"%s|\" \"$WHO\" \"$LOUD\" \"$@\"' }\n"

/* Runs webhookctl with a file that has this text, in the place of "FILE". Returns the exit status;
 * *out is what it printed. */
static int apply(struct daemon *daemon, const char *subject, const char *text, char **out)
{
    char *path = daemon_write_file(daemon, "file.yaml", text, strlen(text));
    int status = ctl(daemon, out, NULL, NULL, subject, "apply", path, NULL);
    unlink(path);
    free(path);
    return status;
}

static void apply_ok(struct daemon *daemon, const char *subject, const char *text,
                     const char *expected)
{
    char *out;
    int status = apply(daemon, subject, text, &out);
    ck_assert_msg(status == 0 && strstr(out, expected), "%d: %s", status, out);
    free(out);
}

static void apply_fails(struct daemon *daemon, const char *subject, const char *text,
                        const char *expected)
{
    char *out;
    int status = apply(daemon, subject, text, &out);
    ck_assert_msg(status == 1 && strstr(out, expected), "%d: %s", status, out);
    free(out);
}

static char *fleet(const char *name, const char *inputs)
{
    return memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n"
                         "      blueprint: Greet\n      inputs: %s\n",
                         name, inputs);
}

static void expect(char *out, const char *text)
{
    ck_assert_msg(strstr(out, text) != NULL, "%s", out);
    free(out);
}

/* Returns what `blueprint list --json` prints. */
static json_t *list(struct daemon *daemon)
{
    char *out = ctl_ok(daemon, "blueprint", "list", "--json", NULL);
    json_t *parsed = api_parse(out);
    free(out);
    return parsed;
}

TEST(a_blueprint_has_versions_and_its_file_is_shown_as_it_was_applied)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", GREET SOURCE, "created default/Greet, version 1");
    apply_ok(&daemon, "blueprint", "# the same\n" GREET SOURCE, "unchanged default/Greet, version");
    apply_ok(&daemon, "blueprint", GREET "description: More\n" SOURCE, "updated default/Greet");
    apply_fails(&daemon, "blueprint", GREET "inptus: {}\n" SOURCE, ":6: inptus: unknown key");
    char *shown = ctl_ok(&daemon, "blueprint", "show", "Greet", "--version", "1", NULL);
    ck_assert_int_eq(strncmp(shown, GREET, strlen(GREET)), 0);
    free(shown);
    expect(ctl_ok(&daemon, "blueprint", "versions", "default/Greet", NULL), "2");
    expect(ctl_ok(&daemon, "blueprint", "list", NULL), "Greets someone.");
    json_t *audit = api_get(&daemon, "/audit?action=blueprint.apply");
    ck_assert_uint_eq(json_array_size(json_object_get(audit, "entries")), 2);
    json_decref(audit);
    json_t *row = list(&daemon);
    const json_t *listed = json_array_get(json_object_get(row, "blueprints"), 0);
    json_t *one = api_get(&daemon, "/blueprints/%s", api_text(listed, "id"));
    ck_assert_str_eq(api_text(one, "description"), "More");
    ck_assert_str_eq(api_text(json_array_get(json_object_get(one, "inputs"), 1), "type"),
                     "BOOLEAN");
    json_decref(one);
    json_decref(row);
    expect(ctl_ok(&daemon, "blueprint", "delete", "Greet", NULL), "blueprint Greet deleted");
    daemon_finish(&daemon);
}

TEST(a_check_changes_nothing)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *path = daemon_write_file(&daemon, "b.yaml", GREET SOURCE, strlen(GREET SOURCE));
    expect(ctl_ok(&daemon, "blueprint", "apply", path, "--check", NULL),
           "would create a new blueprint; nothing was changed");
    json_t *row = list(&daemon);
    ck_assert_uint_eq(json_array_size(json_object_get(row, "blueprints")), 0);
    json_decref(row);
    free(path);
    daemon_finish(&daemon);
}

TEST(a_fleet_must_fit_its_blueprint_and_a_changed_blueprint_says_whom_it_does_not_suit)
{
    struct daemon daemon;
    char *out;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *good = fleet("Site", "{ WHO: you }"), *bad = fleet("Site", "{ WHO: you, LOUD: very }");
    apply_fails(&daemon, "fleet", good, "blueprint \"Greet\" is not available here");
    apply_ok(&daemon, "blueprint", GREET SOURCE, "created");
    apply_fails(&daemon, "fleet", bad, ":7: vessels.main.source.inputs.LOUD: the input LOUD must");
    apply_ok(&daemon, "fleet", good, "created default/default/Site, version 1");
    apply_ok(&daemon, "fleet", good, "unchanged");
    expect(ctl_ok(&daemon, "blueprint", "used", "Greet", NULL), "Site");
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "blueprint", "delete", "Greet", NULL), 1);
    ck_assert_msg(strstr(out, "used by fleet default/Site"), "%s", out);
    free(out);
    apply_ok(&daemon, "blueprint",
             "name: Greet\nsynopsis: s\ninputs: { WHO: { name: Who, type: DATE } }\n" SOURCE,
             "the input WHO must be a day");
    apply_fails(&daemon, "fleet", good, "must be a day");
    expect(ctl_ok(&daemon, "fleet", "delete", "Site", NULL), "deleted");
    expect(ctl_ok(&daemon, "blueprint", "delete", "Greet", NULL), "deleted");
    free(good);
    free(bad);
    daemon_finish(&daemon);
}

/* ---- runs ---- */

/* Prints the variables and the arguments. */
#define SHOW_INPUTS                                                                                \
    "name: Show\nsynopsis: Shows what it gets.\ninputs:\n"                                         \
    "  WHO: { name: Who, type: ALPHANUMERIC, required: true }\n"                                   \
    "  LOUD: { name: Loud, type: BOOLEAN, default: false }\n"                                      \
    "  COUNT: { name: Count, type: INTEGER }\n"                                                    \
    "  SECRET: { name: Secret, type: PASSWORD }\n"                                                 \
    "  LIKE: { name: Like, type: ALPHANUMERIC, default: 'd ${WHO}' }\n"
#define SHOW_SOURCE                                                                                \
    "source:\n  type: CODE\n  language: BASH\n"                                                    \
    "  file: { name: a.sh, content: 'printf \"%s|\" \"$WHO\" \"$LOUD\" \"[$COUNT]\" "              \
    "\"$SECRET\" \"$LIKE\" \"$SET\" \"$SHIPYARD_BLUEPRINT_NAME\" \"$@\"' }\n"                      \
    "  arguments: [ 'x${WHO}y', '${LIKE} $${WHO}' ]\n"                                             \
    "  environment: { SET: '<${LOUD}>' }\n"

#define SHOW_SOURCE_PLAIN                                                                          \
    "source:\n  type: CODE\n  language: BASH\n"                                                    \
    "  file: { name: a.sh, content: 'printf \"%s|\" \"${OLD-unset}\" \"[$NEW]\" \"$KIND\" "        \
    "\"$REFERS\"' }\n"

static char *show_fleet(const char *name, const char *rest)
{
    return memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n"
                         "      blueprint: Show\n%s",
                         name, rest);
}

static void expect_output(struct daemon *daemon, json_t *run, const char *output)
{
    char *text = api_output(daemon, run, "main");
    ck_assert_str_eq(text, output);
    free(text);
    json_decref(run);
}

TEST(inputs_reach_the_code_once_and_are_never_examined_again)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", SHOW_INPUTS SHOW_SOURCE, "created");
    char *file = show_fleet("Site", "      inputs:\n        WHO: 'a ${SECRET} $(x) $${COUNT}'\n"
                                    "        LOUD: TRUE\n        COUNT: 7\n"
                                    "        SECRET: 'p${LOUD}'\n");
    char *url = daemon_fleet(&daemon, file);
    json_t *run = api_post_and_wait(&daemon, url, "{}");
    ck_assert_int_eq(
        (int)json_integer_value(json_object_get(api_vessel(run, "main"), "blueprint_version")), 1);
    expect_output(&daemon, run,
                  "a p${LOUD} $(x) ${COUNT}|TRUE|[7]|p${LOUD}|d ${WHO}|<TRUE>|Show|"
                  "xa p${LOUD} $(x) ${COUNT}y|d ${WHO} ${WHO}|");
    char *shown = ctl_ok(&daemon, "fleet", "show", "Site", NULL);
    ck_assert_ptr_null(strstr(shown, "p${LOUD}"));
    ck_assert_ptr_nonnull(strstr(shown, "SECRET: 'SHIPYARD_HIDDEN'"));
    apply_ok(&daemon, "fleet", shown, "unchanged"); /* the value is kept */
    free(shown);
    free(url);
    free(file);
    daemon_finish(&daemon);
}

/* A sender chooses the query, the headers and the body. */
TEST(nothing_of_a_request_reaches_an_input)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", SHOW_INPUTS SHOW_SOURCE, "created");
    char *file = show_fleet("Site", "      inputs: { WHO: me }\n");
    char *url = daemon_fleet(&daemon, file);
    const char *const headers[] = {"X-Who: ${WHO}#{DB.PASSWORD}", "WHO: ${SECRET}",
                                   "X-GitHub-Event: ${COUNT}", NULL};
    static const char body[] = "{\"WHO\":\"${COUNT}\",\"inputs\":{\"WHO\":\"#{DB.PASSWORD}\"}}";
    char *with_query = memory_format("%s?WHO=${LOUD}&COUNT=9", url);
    struct response response;
    http_post(with_query, headers, body, strlen(body), &response);
    ck_assert_int_eq(response.status, 201);
    expect_output(&daemon, api_await_end(&daemon, response.run_id),
                  "me|FALSE|[]||d ${WHO}|<FALSE>|Show|xmey|d ${WHO} ${WHO}|");
    response_free(&response);
    free(with_query);
    free(url);
    free(file);
    daemon_finish(&daemon);
}

/* Starts a run through the API trigger. Returns the exit status. */
static int trigger(struct daemon *daemon, const char *overrides, char **out)
{
    char *path = daemon_write_file(daemon, "overrides", overrides, strlen(overrides));
    int status = ctl(daemon, out, NULL, NULL, "run", "trigger", "Site", "--overrides", path, NULL);
    free(path);
    return status;
}

TEST(the_api_trigger_sets_inputs_of_their_types_only)
{
    struct daemon daemon;
    char *out;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", SHOW_INPUTS SHOW_SOURCE, "created");
    char *file = show_fleet("Site", "      inputs: { WHO: me, LIKE: '${WHO}!' }\n");
    apply_ok(&daemon, "fleet", file, "created");
    static const struct {
        const char *values, *problem;
    } bad[] = {
        {"\"COUNT\":\"x\"",
         "environment_variable_overrides.COUNT: the input COUNT must be a whole"},
        {"\"LOUD\":\"yes\"", "must be true or false"},
        {"\"WHO\":\"\"", "is required"},
        {"\"PATH\":\"/\"", "decides which code is run"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *overrides = memory_format("{\"vessel_overrides\":[{\"name\":\"main\","
                                        "\"environment_variable_overrides\":{%s}}]}",
                                        bad[i].values);
        ck_assert_int_eq(trigger(&daemon, overrides, &out), 1);
        ck_assert_msg(strstr(out, bad[i].problem) != NULL, "%s", out);
        free(out);
        free(overrides);
    }
    ck_assert_int_eq(trigger(&daemon,
                             "{\"vessel_overrides\":[{\"name\":\"main\","
                             "\"environment_variable_overrides\":{\"WHO\":\"you ${COUNT} #{A.B}\","
                             "\"COUNT\":\"12\",\"LOUD\":\"true\",\"SET\":\"${WHO}\"}}]}",
                             &out),
                     0);
    out[strcspn(out, "\n")] = '\0';
    expect_output(&daemon, api_await_end(&daemon, out),
                  "you ${COUNT} #{A.B}|TRUE|[12]||you ${COUNT} #{A.B}!|${WHO}|Show|"
                  "xyou ${COUNT} #{A.B}y|you ${COUNT} #{A.B}! ${WHO}|");
    free(out);
    free(file);
    daemon_finish(&daemon);
}

/* The first vessel waits until the test has written to its pipe. */
#define VERSION(text)                                                                              \
    "name: Show\nsynopsis: s\nguardrails: { retry_count: 1 }\n"                                    \
    "inputs: { FIFO: { name: F, type: ALPHANUMERIC } }\n"                                          \
    "source:\n  type: CODE\n  language: BASH\n"                                                    \
    "  file: { name: a.sh, content: 'echo " text "; [ -z \"$FIFO\" ] || read x < \"$FIFO\"' }\n"

TEST(a_run_keeps_the_version_that_was_current_when_it_started_also_over_a_crash)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *fifo = memory_format("%s/fifo", daemon.folder);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    ck_assert_int_eq(chmod(fifo, 0666), 0);
    ck_assert_int_eq(chmod(daemon.folder, 0711), 0);
    apply_ok(&daemon, "blueprint", VERSION("first"), "created");
    char *file = memory_format(
        "name: Site\nvessels:\n"
        "  waits: { source: { type: BLUEPRINT, blueprint: Show, inputs: { FIFO: '%s' } } }\n"
        "  follows: { source: { type: BLUEPRINT, blueprint: Show } }\n"
        "  pinned: { source: { type: BLUEPRINT, blueprint: Show, blueprint_version: 1 } }\n"
        "connections: { waits: { follows: SUCCESS, pinned: SUCCESS } }\n",
        fifo);
    char *url = daemon_fleet(&daemon, file);
    char *id = api_post(url, "", 0);
    api_await_output(&daemon, id, "waits", "first");
    apply_ok(&daemon, "blueprint", VERSION("second"), "updated");
    daemon_kill(&daemon);
    daemon_restart(&daemon);
    int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq((int)write(fd, "\n", 1), 1);
    close(fd);
    json_t *run = api_await_end(&daemon, id);
    char *text = api_output(&daemon, run, "follows");
    ck_assert_str_eq(text, "first\n");
    const json_t *vessel = api_vessel(run, "follows");
    ck_assert_int_eq((int)json_integer_value(json_object_get(vessel, "blueprint_version")), 1);
    ck_assert_int_eq((int)json_integer_value(json_object_get(vessel, "max_attempts")), 2);
    json_decref(run);
    free(text);
    char *started = ctl_ok(&daemon, "run", "start", "Site", NULL);
    fd = open(fifo, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq((int)write(fd, "\n", 1), 1);
    close(fd);
    run = api_await_end(&daemon, started);
    text = api_output(&daemon, run, "follows");
    ck_assert_str_eq(text, "second\n");
    free(text);
    text = api_output(&daemon, run, "pinned");
    ck_assert_str_eq(text, "first\n");
    free(text);
    json_decref(run);
    free(started);
    free(id);
    free(url);
    free(file);
    free(fifo);
    daemon_finish(&daemon);
}

TEST(a_changed_blueprint_does_not_break_its_vessels)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint",
             "name: Show\nsynopsis: s\ninputs:\n"
             "  OLD: { name: Old, type: ALPHANUMERIC }\n"
             "  KIND: { name: Kind, type: SELECT, default: a,\n"
             "          options: [ { name: a, value: a }, { name: b, value: b } ] }\n"
             "  REFERS: { name: Refers, type: ALPHANUMERIC }\n" SHOW_SOURCE_PLAIN,
             "created");
    char *file = show_fleet("Site", "      inputs: { OLD: old, KIND: b, REFERS: 'r ${OLD}' }\n"
                                    "    guardrails: { retry_count: 0 }\n");
    char *url = daemon_fleet(&daemon, file);
    apply_ok(&daemon, "blueprint",
             "name: Show\nsynopsis: s\ninputs:\n"
             "  NEW: { name: New, type: ALPHANUMERIC, required: true }\n"
             "  KIND: { name: Kind, type: SELECT, default: a,\n"
             "          options: [ { name: a, value: a } ] }\n"
             "  REFERS: { name: Refers, type: ALPHANUMERIC }\n" SHOW_SOURCE_PLAIN,
             "need a correction");
    expect_output(&daemon, api_post_and_wait(&daemon, url, "{}"), "unset|[]|b|r |");
    apply_fails(&daemon, "fleet", file, "the input NEW is required");
    free(url);
    free(file);
    daemon_finish(&daemon);
}

TEST(a_trigger_key_may_set_the_inputs_and_nothing_else)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", SHOW_INPUTS SHOW_SOURCE, "created");
    char *file = show_fleet("Site", "      inputs: { WHO: me }\n");
    apply_ok(&daemon, "fleet", file, "created");
    char *key = ctl_ok(&daemon, "key", "create", "ci", "--role", "trigger", NULL);
    json_t *fleets = api_get(&daemon, "/fleets");
    const char *id = api_text(json_array_get(json_object_get(fleets, "fleets"), 0), "id");
    char *url =
        memory_format("http://127.0.0.1:%u/api/v1/fleets/%s/trigger", daemon.admin_port, id);
    char *header = memory_format("Authorization: Bearer %s", key);
    const char *const headers[] = {header, "Content-Type: application/json", NULL};
    static const struct {
        const char *name;
        int status;
    } cases[] = {{"COUNT", 201}, {"SET", 201}, {"OTHER", 422}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *body = memory_format("{\"vessel_overrides\":[{\"name\":\"main\","
                                   "\"environment_variable_overrides\":{\"%s\":\"1\"}}]}",
                                   cases[i].name);
        http_post(url, headers, body, strlen(body), &response);
        ck_assert_msg(response.status == cases[i].status, "%d: %s", response.status, response.body);
        if (response.status == 201)
            json_decref(api_await_end(&daemon, response.run_id));
        response_free(&response);
        free(body);
    }
    free(header);
    free(url);
    json_decref(fleets);
    free(key);
    free(file);
    daemon_finish(&daemon);
}

TEST(a_credential_is_used_by_blueprints_too)
{
    struct daemon daemon;
    char *out;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    static const char blueprint[] =
        "name: Show\nsynopsis: s\ninputs: { A: { name: A, type: PASSWORD, default: '#{DB.ONE}' } "
        "}\n"
        "source: { type: CODE, language: BASH, arguments: [ '#{DB.TWO}-${A}' ],\n"
        "  file: { name: a, content: 'printf \"%s|\" \"$A\" \"$@\"' } }\n";
    apply_fails(&daemon, "blueprint", blueprint, "credential DB.ONE does not exist");
    char *value = daemon_write_file(&daemon, "value", "${A}#{DB.TWO}", 13);
    free(ctl_ok(&daemon, "credential", "set", "DB.ONE", "--file", value, NULL));
    free(ctl_ok(&daemon, "credential", "set", "DB.TWO", "--file", value, NULL));
    apply_ok(&daemon, "blueprint", blueprint, "created");
    char *file = show_fleet("Site", "");
    char *url = daemon_fleet(&daemon, file);
    expect_output(&daemon, api_post_and_wait(&daemon, url, "{}"),
                  "${A}#{DB.TWO}|${A}#{DB.TWO}-${A}#{DB.TWO}|");
    expect(ctl_ok(&daemon, "credential", "used", "DB.ONE", NULL), "Show");
    expect(ctl_ok(&daemon, "credential", "used", "DB.TWO", NULL), "Show");
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "credential", "remove", "DB.ONE", NULL), 1);
    expect(out, "is used by blueprint \"Show\"");
    free(ctl_ok(&daemon, "credential", "remove", "DB.TWO", "--force", NULL));
    json_t *run = api_post_and_wait(&daemon, url, "{}");
    api_expect_refused(run, "main", "credential DB.TWO does not exist");
    json_decref(run);
    free(url);
    free(file);
    free(value);
    daemon_finish(&daemon);
}

/* Each input is twice the one before: a value that grows without bound is refused, quickly. */
TEST(inputs_that_refer_to_each_other_do_not_grow_without_bound)
{
    struct daemon daemon;
    struct buffer blueprint = BUFFER_INIT, inputs = BUFFER_INIT;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    buffer_append_text(&blueprint, "name: Show\nsynopsis: s\ninputs:\n");
    buffer_append_text(&inputs, "      inputs:\n        I0: aaaaaaaaaaaaaaaa\n");
    for (int i = 0; i < 100; i++)
        buffer_append_format(&blueprint, "  I%d: { name: i, type: ALPHANUMERIC }\n", i);
    for (int i = 1; i < 100; i++)
        buffer_append_format(&inputs, "        I%d: '${I%d}${I%d}'\n", i, i - 1, i - 1);
    buffer_append_text(&blueprint, "source: { type: CODE, language: BASH,\n"
                                   "  file: { name: a, content: 'true' } }\n");
    apply_ok(&daemon, "blueprint", buffer_text(&blueprint), "created");
    char *file = show_fleet("Site", buffer_text(&inputs));
    char *url = daemon_fleet(&daemon, file);
    json_t *run = api_post_and_wait(&daemon, url, "{}");
    api_expect_refused(run, "main", "longer than");
    json_decref(run);
    free(url);
    free(file);
    buffer_free(&blueprint);
    buffer_free(&inputs);
    daemon_finish(&daemon);
}

TEST(a_file_that_an_input_names_must_be_in_the_working_folder)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint",
             "name: Show\nsynopsis: s\ninputs: { FILE: { name: F, type: ALPHANUMERIC } }\n"
             "source: { type: CODE, language: BASH, file_to_run: '${FILE}.sh',\n"
             "  file: { name: a.sh, content: 'echo run' } }\n",
             "created");
    static const char *const names[][2] = {{"a", "run\n"}, {"../a", NULL}, {"/tmp/a", NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *inputs = memory_format("      inputs: { FILE: '%s' }\n", names[i][0]);
        char *file = show_fleet("Site", inputs);
        apply_ok(&daemon, "fleet", file, "Site, version");
        char *id = ctl_ok(&daemon, "run", "start", "Site", NULL);
        json_t *run = api_await_end(&daemon, id);
        if (names[i][1]) {
            expect_output(&daemon, run, names[i][1]);
        } else {
            api_expect_refused(run, "main", "the blueprint's file_to_run: a file name must");
            json_decref(run);
        }
        free(id);
        free(file);
        free(inputs);
    }
    daemon_finish(&daemon);
}

#define NEEDS(packages)                                                                            \
    "name: Show\nsynopsis: s\nsource: { type: CODE, language: BASH" packages ",\n"                 \
    "  file: { name: a, content: 'echo run' } }\n"

TEST(the_packages_are_those_of_the_version_that_is_executed)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", NEEDS(", system_packages: [ { name: no-such-package } ]"),
             "created");
    char *file = show_fleet("Site", "");
    char *url = daemon_fleet(&daemon, file);
    json_t *run = api_post_and_wait(&daemon, url, "{}");
    ck_assert_str_eq(api_text(api_vessel(run, "main"), "status"), "errored");
    ck_assert_ptr_nonnull(strstr(api_text(api_vessel(run, "main"), "reason"), "no-such-package"));
    json_decref(run);
    apply_ok(&daemon, "blueprint", NEEDS(""), "updated");
    expect_output(&daemon, api_post_and_wait(&daemon, url, "{}"), "run\n");
    apply_ok(&daemon, "blueprint", NEEDS(", system_packages: [ { name: dpkg } ]"), "updated");
    expect_output(&daemon, api_post_and_wait(&daemon, url, "{}"), "run\n");
    free(url);
    free(file);
    daemon_finish(&daemon);
}

/* ---- files of the documentation, and of the reference platform ---- */

TEST(examples_of_blueprints_work)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    expect(ctl_ok(&daemon, "blueprint", "apply", "docs/examples/blueprints/say.yaml", NULL),
           "created default/Chat - Say, version 1");
    expect(ctl_ok(&daemon, "fleet", "apply", "docs/examples/blueprints/deploy.yaml",
                  "docs/examples/blueprints/remind.yaml", NULL),
           "created default/default/Remind, version 1");
    static const char *const fleets[][3] = {
        {"Remind", "remind", "ops: Backups of ops are due\n"},
        {"Deploy and tell", "tell", "general: The site is deployed\n"}};
    for (size_t i = 0; i < ARRAY_COUNT(fleets); i++) {
        char *id = ctl_ok(&daemon, "run", "start", fleets[i][0], NULL);
        json_t *run = api_await_end(&daemon, id);
        char *text = api_output(&daemon, run, fleets[i][1]);
        ck_assert_str_eq(text, fleets[i][2]);
        free(text);
        json_decref(run);
        free(id);
    }
    daemon_finish(&daemon);
}

/* A fleet file as the reference platform writes them: two vessels with blueprints, and keys that
 * have no effect yet. */
TEST(a_fleet_file_of_the_reference_platform_runs_with_blueprints_of_its_names)
{
    struct daemon daemon;
    static const char file[] = "name: Download and mail\n"
                               "_id: 3f1c1b5e-6d0a-4c59-9a55-0d6f3f2f9a01\n"
                               "vessels:\n"
                               "  Download File:\n"
                               "    _id: 7f8a1f53-84c4-4c4f-9a5e-1f2f3a4b5c6d\n"
                               "    source:\n"
                               "      blueprint: HTTP - Download File from URL\n"
                               "      inputs:\n"
                               "        HTTP_FILE_URL: https://example.org/report.csv\n"
                               "        HTTP_DESTINATION_FILE_NAME: report.csv\n"
                               "        HTTP_DESTINATION_FOLDER_NAME: ''\n"
                               "      type: BLUEPRINT\n"
                               "    guardrails:\n"
                               "      retry_count: 1\n"
                               "      retry_wait: 0h0m0s\n"
                               "      runtime_cutoff: 4h0m0s\n"
                               "    notifications:\n"
                               "      emails: [ you@example.org ]\n"
                               "      after_error: true\n"
                               "      after_on_demand: false\n"
                               "  Mail File:\n"
                               "    source:\n"
                               "      blueprint: Email - Send Message with File\n"
                               "      inputs:\n"
                               "        EMAIL_SEND_METHOD: tls\n"
                               "        EMAIL_SMTP_PORT: 587\n"
                               "        EMAIL_TO: you@example.org\n"
                               "        EMAIL_SUBJECT: ${EMAIL_SOURCE_FILE_NAME} for ${EMAIL_TO}\n"
                               "        EMAIL_INCLUDE_FOOTER: true\n"
                               "        EMAIL_PASSWORD: geheim\n"
                               "        EMAIL_SOURCE_FILE_NAME: report.csv\n"
                               "      type: BLUEPRINT\n"
                               "connections:\n"
                               "  Download File:\n"
                               "    Mail File: SUCCESS\n"
                               "notifications:\n"
                               "  emails: [ you@example.org ]\n"
                               "triggers:\n"
                               "  schedules:\n"
                               "    - how_often: DAILY\n"
                               "      at: ':00'\n";
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_fails(&daemon, "fleet", file, "is not available here (with --stub");
    apply_ok(&daemon, "blueprint",
             "name: HTTP - Download File from URL\nsynopsis: Downloads one file.\ninputs:\n"
             "  HTTP_FILE_URL: { name: URL, type: ALPHANUMERIC, required: true }\n"
             "  HTTP_DESTINATION_FILE_NAME: { name: File, type: ALPHANUMERIC }\n"
             "  HTTP_DESTINATION_FOLDER_NAME: { name: Folder, type: ALPHANUMERIC }\n"
             "source:\n  type: CODE\n  language: BASH\n"
             "  arguments:\n    - --source-url: ${HTTP_FILE_URL}\n"
             "    - --destination-file-name: ${HTTP_DESTINATION_FILE_NAME}\n"
             "  file: { name: get.sh, content: 'echo \"$2\" >\"$4\"' }\n",
             "created");
    apply_ok(&daemon, "blueprint",
             "name: Email - Send Message with File\nsynopsis: Sends one message.\ninputs:\n"
             "  EMAIL_SEND_METHOD: { name: Method, type: SELECT, default: tls,\n"
             "    options: [ { name: TLS, value: tls }, { name: SSL, value: ssl } ] }\n"
             "  EMAIL_SMTP_PORT: { name: Port, type: INTEGER, default: 587 }\n"
             "  EMAIL_TO: { name: To, type: ALPHANUMERIC, required: true }\n"
             "  EMAIL_SUBJECT: { name: Subject, type: ALPHANUMERIC }\n"
             "  EMAIL_INCLUDE_FOOTER: { name: Footer, type: BOOLEAN, default: true }\n"
             "  EMAIL_PASSWORD: { name: Password, type: PASSWORD, required: true }\n"
             "  EMAIL_SOURCE_FILE_NAME: { name: File, type: ALPHANUMERIC, required: true }\n"
             "source:\n  type: CODE\n  language: BASH\n"
             "  file: { name: mail.sh, content: 'echo \"$EMAIL_SUBJECT: $(<\"$1\") "
             "$EMAIL_INCLUDE_FOOTER ${#EMAIL_PASSWORD}\"' }\n"
             "  arguments: [ '${EMAIL_SOURCE_FILE_NAME}' ]\n",
             "created");
    apply_ok(&daemon, "fleet", file, "created default/default/Download and mail, version 1");
    char *id = ctl_ok(&daemon, "run", "start", "Download and mail", NULL);
    json_t *run = api_await_end(&daemon, id);
    char *text = api_output(&daemon, run, "Mail File");
    ck_assert_str_eq(text, "report.csv for you@example.org: https://example.org/report.csv "
                           "TRUE 6\n");
    free(text);
    json_decref(run);
    free(id);
    daemon_finish(&daemon);
}
