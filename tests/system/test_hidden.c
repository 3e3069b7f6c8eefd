/* Hidden values from end to end: applied, kept, used by vessels, brought back, and nowhere to be
 * read. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define CANARY        "canary-7f3d91-hidden"
#define CANARY_SHA256 "e0a61f1cd6cdef03223bc7006b6772a898ddc256cb4849c887077f88846dae8c"
#define WORD          "SHIPYARD_HIDDEN"
#define NONE          "there is no stored value to keep: write the real one, or `#{GROUP.ITEM}`"

/* Its vessel prints the variable SALT. %s: the entry of SALT. */
#define FLEET                                                                                      \
    "name: Hide\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n"         \
    "      file: { name: m.sh, content: 'printf %%s \"$SALT\"' }\n      environment:\n"            \
    "        - { name: PLAIN, value: shown }\n        - %s # a comment\n"
#define HIDDEN(value) "{ name: SALT, value: '" value "', hidden: true }"

static char *fleet(const char *entry)
{
    return memory_format(FLEET, entry);
}

/* PUTs a fleet file into the default project. Free the response. */
static void put(struct daemon *daemon, const char *file, const char *query,
                struct response *response)
{
    json_t *orgs = api_get(daemon, "/orgs");
    const json_t *org = json_array_get(json_object_get(orgs, "orgs"), 0);
    json_t *projects = api_get(daemon, "/orgs/%s/projects", api_text(org, "id"));
    const json_t *project = json_array_get(json_object_get(projects, "projects"), 0);
    char *path =
        memory_format("/api/v1/projects/%s/fleets%s", api_text(project, "id"), query ? query : "");
    api_call(daemon, "PUT", path, file, strlen(file), response);
    free(path);
    json_decref(projects);
    json_decref(orgs);
}

/* Applies a file and expects this outcome. Returns the fleet's id. Free it. */
static char *apply(struct daemon *daemon, const char *file, const char *query, const char *outcome)
{
    struct response response;
    put(daemon, file, query, &response);
    ck_assert_msg(response.status == 200, "%d: %s", response.status, response.body);
    json_t *answer = api_parse(response.body);
    const json_t *data = json_object_get(answer, "data");
    ck_assert_str_eq(api_text(data, "outcome"), outcome);
    char *id = memory_string(api_text(json_object_get(data, "fleet"), "id"));
    json_decref(answer);
    response_free(&response);
    return id;
}

static void apply_entry(struct daemon *daemon, const char *entry, const char *outcome)
{
    char *file = fleet(entry);
    free(apply(daemon, file, NULL, outcome));
    free(file);
}

/* Expects that the file is refused with this status and text. */
static void refuse(struct daemon *daemon, const char *file, const char *query, int status,
                   const char *text)
{
    struct response response;
    put(daemon, file, query, &response);
    ck_assert_msg(response.status == status, "%d: %s", response.status, response.body);
    ck_assert_msg(strstr(response.body, text), "%s", response.body);
    ck_assert(!strstr(response.body, CANARY));
    response_free(&response);
}

/* Runs a fleet and returns the run. */
static json_t *run(struct daemon *daemon, const char *fleet_name)
{
    char *id = ctl_ok(daemon, "run", "start", fleet_name, NULL);
    json_t *ended = api_await_end(daemon, id);
    free(id);
    return ended;
}

static void expect_salt(struct daemon *daemon, const char *fleet_name, const char *value)
{
    json_t *ended = run(daemon, fleet_name);
    char *text = api_output(daemon, ended, "main");
    ck_assert_msg(strcmp(text, value) == 0, "\"%s\", not \"%s\"", text, value);
    free(text);
    json_decref(ended);
}

static void expect_refusal(struct daemon *daemon, const char *reason)
{
    json_t *ended = run(daemon, "Hide");
    api_expect_refused(ended, "main", reason);
    json_decref(ended);
}

/* ---- applying ---- */

TEST(a_vessel_gets_its_hidden_value_and_the_stored_file_has_the_word)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_entry(&daemon, HIDDEN("$(x) \"##{A.B}"), "created");
    expect_salt(&daemon, "Hide", "$(x) \"#{A.B}");
    char *shown = ctl_ok(&daemon, "fleet", "show", "Hide", NULL);
    char *expected = fleet(HIDDEN(WORD));
    expected[strlen(expected) - 1] = '\0'; /* ctl_ok leaves out the last line end */
    ck_assert_str_eq(shown, expected);
    char *json = ctl_ok(&daemon, "fleet", "show", "Hide", "--json", NULL);
    json_t *version = api_parse(json);
    const json_t *vessels = json_object_get(json_object_get(version, "definition"), "vessels");
    const json_t *environment = json_object_get(json_array_get(vessels, 0), "environment");
    const json_t *salt = json_object_get(environment, "SALT");
    ck_assert_str_eq(api_text(salt, "value"), WORD);
    ck_assert(json_is_true(json_object_get(salt, "hidden")));
    ck_assert_str_eq(api_text(environment, "PLAIN"), "shown");
    json_decref(version);
    free(json);
    free(expected);
    free(shown);
    daemon_finish(&daemon);
}

TEST(only_another_value_makes_a_new_version)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_entry(&daemon, HIDDEN("one"), "created");
    apply_entry(&daemon, HIDDEN("one"), "unchanged");
    apply_entry(&daemon, HIDDEN(WORD), "unchanged");
    apply_entry(&daemon, "{ name: SALT, value: " WORD " }", "unchanged");
    apply_entry(&daemon, HIDDEN("two"), "updated");
    apply_entry(&daemon, HIDDEN("two"), "unchanged");
    expect_salt(&daemon, "Hide", "two");
    apply_entry(&daemon, "{ name: SALT, value: two }", "updated"); /* no longer hidden */
    apply_entry(&daemon, HIDDEN("two"), "updated");
    daemon_finish(&daemon);
}

TEST(a_value_is_kept_when_something_else_changes)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_entry(&daemon, HIDDEN("one"), "created");
    apply_entry(&daemon, HIDDEN(WORD) "\n        - { name: MORE, value: x }", "updated");
    apply_entry(&daemon, "{ name: SALT, value: " WORD " }", "updated");
    expect_salt(&daemon, "Hide", "one");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    expect_salt(&daemon, "Hide", "one");
    daemon_finish(&daemon);
}

TEST(a_value_that_is_not_stored_cannot_be_kept)
{
    struct daemon daemon;
    char *out, *err;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *file = fleet(HIDDEN(WORD));
    char *path = daemon_write_file(&daemon, "hide.yaml", file, strlen(file));
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "apply", path, NULL), 1);
    ck_assert_msg(strstr(err, "hide.yaml:10: vessels.main.source.environment[1].value: " NONE),
                  "%s", err);
    free(out);
    free(err);
    refuse(&daemon, file, NULL, 422, "\"line\":10");
    refuse(&daemon, file, "?check=1", 422, NONE);
    json_t *fleets = api_get(&daemon, "/fleets");
    ck_assert_uint_eq(json_array_size(json_object_get(fleets, "fleets")), 0);
    json_decref(fleets);
    apply_entry(&daemon, "{ name: SALT, value: plain }", "created");
    refuse(&daemon, file, NULL, 422, NONE); /* what is not hidden is not kept */
    apply_entry(&daemon, "{ name: OTHER, value: '" CANARY "', hidden: true }", "updated");
    refuse(&daemon, file, NULL, 422, NONE); /* nor is another variable's */
    free(path);
    free(file);
    daemon_finish(&daemon);
}

/* Its vessel has a name, "_id: …" or nothing, and a value. */
#define NAMED                                                                                      \
    "name: Hide\nvessels:\n  %s:\n    %s\n    source: { type: CODE, language: BASH, file: { "      \
    "name: "                                                                                       \
    "m.sh, content: 'printf %%s \"$SALT\"' }, environment: [ { name: SALT, value: %s, hidden: "    \
    "true } ] }\n"

TEST(a_renamed_vessel_keeps_its_values_by_its_id)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *first = memory_format(NAMED, "old", "", "one");
    char *fleet_id = apply(&daemon, first, NULL, "created");
    json_t *version = api_get(&daemon, "/fleets/%s/versions/1", fleet_id);
    const json_t *vessel =
        json_array_get(json_object_get(json_object_get(version, "definition"), "vessels"), 0);
    char *id = memory_format("_id: %s", api_text(vessel, "_id"));
    char *renamed = memory_format(NAMED, "main", id, WORD);
    char *without = memory_format(NAMED, "main", "", WORD);
    refuse(&daemon, without, NULL, 422, NONE);
    free(apply(&daemon, renamed, NULL, "updated"));
    expect_salt(&daemon, "Hide", "one");
    /* A new vessel that took the name does not get the value of the one that had it. */
    char *taken = memory_format("%s%sconnections: { main: { old: SUCCESS } }\n", renamed,
                                strstr(first, "  old:"));
    char *place = strstr(taken, "value: one");
    char *both = memory_format("%.*svalue: " WORD "%s", (int)(place - taken), taken,
                               place + strlen("value: one"));
    refuse(&daemon, both, NULL, 422, NONE);
    /* An id that the fleet does not know: then the name decides. */
    char *other = memory_format(NAMED, "main", "_id: 6f0c1a2b-0000-4000-8000-0123456789ab", WORD);
    free(apply(&daemon, other, NULL, "updated"));
    expect_salt(&daemon, "Hide", "one");
    char *freed[] = {other, both, taken, without, renamed, id, fleet_id, first};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    json_decref(version);
    daemon_finish(&daemon);
}

/* ---- going back ---- */

TEST(an_older_version_comes_back_with_its_values)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *kept = fleet(HIDDEN(WORD));
    apply_entry(&daemon, HIDDEN("one"), "created");
    apply_entry(&daemon, HIDDEN("two"), "updated");
    json_t *list = api_get(&daemon, "/fleets");
    const json_t *row = json_array_get(json_object_get(list, "fleets"), 0);
    char *from_1 = memory_format("?from_fleet=%s&from_version=1", api_text(row, "id"));
    char *from_9 = memory_format("?from_fleet=%s&from_version=9", api_text(row, "id"));
    free(apply(&daemon, kept, from_1, "updated"));
    expect_salt(&daemon, "Hide", "one");
    free(apply(&daemon, kept, from_1, "unchanged"));
    refuse(&daemon, kept, from_9, 404, "no version 9");
    refuse(&daemon, kept, "?from_version=1", 400, "only accepted together");
    refuse(&daemon, kept, "?from_fleet=x&from_version=1", 400, "not the id of a fleet");
    /* One fleet's values are never given to another. */
    char *thief = memory_format("name: Thief%s", strchr(kept, '\n'));
    refuse(&daemon, thief, from_1, 422, NONE);
    free(ctl_ok(&daemon, "fleet", "back", "Hide", "2", NULL));
    expect_salt(&daemon, "Hide", "two");
    char *freed[] = {thief, from_9, from_1, kept};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    json_decref(list);
    daemon_finish(&daemon);
}

TEST(a_deleted_fleet_takes_its_values_with_it)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *file = fleet(HIDDEN("one"));
    char *id = apply(&daemon, file, NULL, "created");
    char *again = memory_format("_id: %s\n" FLEET, id, HIDDEN(WORD));
    free(ctl_ok(&daemon, "fleet", "delete", "Hide", NULL));
    refuse(&daemon, again, NULL, 422, NONE);
    free(again);
    free(id);
    free(file);
    daemon_finish(&daemon);
}

/* ---- the key ---- */

static void write_key(const char *path, const char text[33])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, text, 32), 32);
    close(fd);
}

TEST(without_the_key_nothing_is_applied_or_started)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *key = memory_format("%s/secret.key", daemon.state_dir);
    char *away = memory_format("%s/secret.key.away", daemon.state_dir);
    char *file = fleet(HIDDEN(CANARY) "\n    guardrails: { retry_count: 3, retry_wait: 0s }");
    char *kept = fleet(HIDDEN(WORD));
    char *open_file = fleet("{ name: SALT, value: x }");
    free(apply(&daemon, file, NULL, "created"));
    ck_assert_int_eq(rename(key, away), 0);
    refuse(&daemon, file, NULL, 503, "secret.key is missing");
    refuse(&daemon, kept, "?check=1", 503, "secret.key is missing");
    expect_refusal(&daemon, "secret.key is missing from the state folder");
    write_key(key, "another key of thirty-two bytes!");
    refuse(&daemon, file, NULL, 503, "is not the key");
    expect_refusal(&daemon, "the hidden value of SALT cannot be opened");
    free(apply(&daemon, open_file, NULL, "updated")); /* it needs no key */
    ck_assert_int_eq(rename(away, key), 0);
    free(apply(&daemon, file, NULL, "updated"));
    expect_salt(&daemon, "Hide", CANARY);
    char *freed[] = {open_file, kept, file, away, key};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

TEST(a_key_is_created_only_to_seal_the_first_value)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *key = memory_format("%s/secret.key", daemon.state_dir);
    char *file = fleet(HIDDEN("one")), *kept = fleet(HIDDEN(WORD));
    (void)unlink(key);
    refuse(&daemon, kept, NULL, 422, NONE);
    struct response response;
    put(&daemon, file, "?check=1", &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    ck_assert(!exists(key));
    free(apply(&daemon, file, NULL, "created"));
    ck_assert(exists(key));
    expect_salt(&daemon, "Hide", "one");
    free(kept);
    free(file);
    free(key);
    daemon_finish(&daemon);
}

static void execute(const struct daemon *daemon, const char *sql, int changes)
{
    char *path = memory_format("%s/webhookd.db", daemon->state_dir);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(db), changes);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    free(path);
}

/* Somebody who can write to the store, but does not have the key, moves a value to where it would
 * be printed. */
TEST(a_value_that_was_moved_to_another_variable_is_not_used)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_entry(&daemon,
                HIDDEN("one") "\n        - { name: OTHER, value: '" CANARY "', hidden: true }",
                "created");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    execute(&daemon,
            "UPDATE hidden_value SET sealed = (SELECT sealed FROM hidden_value WHERE name = "
            "'OTHER') WHERE name = 'SALT'",
            1);
    daemon_restart(&daemon);
    daemon_await_log(&daemon, "a sealed value is damaged or was moved from another place");
    expect_refusal(&daemon, "the hidden value of SALT cannot be opened");
    char *kept = fleet(HIDDEN(WORD));
    refuse(&daemon, kept, NULL, 422, NONE);
    apply_entry(&daemon, HIDDEN("new"), "updated");
    expect_salt(&daemon, "Hide", "new");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    execute(&daemon, "DELETE FROM hidden_value WHERE version = 2", 1);
    daemon_restart(&daemon);
    expect_refusal(&daemon, "the hidden value of SALT is not stored: apply the fleet file with the "
                            "real value");
    free(kept);
    daemon_finish(&daemon);
}

/* ---- where a value must not be ---- */

/* Searches a file, or all files of a folder. */
static bool has(const char *path, const char *text)
{
    char *command = memory_format("grep -raqF -- '%s' '%s'", text, path);
    int status = system(command);
    free(command);
    return status == 0;
}

static void assert_in_no_answer(struct daemon *daemon, const char *fleet_id, const char *run_id)
{
    char *paths[] = {
        memory_string("/api/v1/fleets"),
        memory_format("/api/v1/fleets/%s", fleet_id),
        memory_format("/api/v1/fleets/%s/versions", fleet_id),
        memory_format("/api/v1/fleets/%s/versions/1", fleet_id),
        memory_format("/api/v1/fleets/%s/versions/2", fleet_id),
        memory_string("/api/v1/audit"),
        memory_string("/api/v1/status"),
        memory_string("/api/v1/fleetruns"),
        memory_format("/api/v1/fleetruns/%s", run_id),
        memory_string("/metrics"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct response response;
        api_call(daemon, "GET", paths[i], NULL, 0, &response);
        ck_assert_msg(response.status == 200, "%s: %d", paths[i], response.status);
        ck_assert_msg(!memmem(response.body, response.body_bytes, CANARY, strlen(CANARY)), "%s",
                      paths[i]);
        response_free(&response);
        free(paths[i]);
    }
}

/* Applies a file that is refused for each reason with the value in it. */
static void provoke(struct daemon *daemon)
{
    static const char *const entries[] = {
        "{ name: SALT, value: '" CANARY "', hidden: perhaps }",
        "{ name: SHIPYARD_SALT, value: '" CANARY "', hidden: true }",
        "{ name: SALT, value: '" CANARY "#{', hidden: true }",
        "{ name: SALT, value: '#{A.B}', hidden: true }",
        "{ name: SALT, value: &a '" CANARY "', hidden: true }",
        "{ name: SALT, value: !!binary '" CANARY "', hidden: true }",
        "{ name: SALT, value: [ '" CANARY "' ], hidden: true }",
        "{ name: SALT, value: '" CANARY "', hidden: true, value: x }",
        "{ name: SALT, value: \"" CANARY "\\q\", hidden: true }",
    };
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++) {
        char *file = fleet(entries[i]);
        refuse(daemon, file, NULL, 422, "error");
        free(file);
    }
}

/* Invariant 7. The file is YAML, then JSON; the vessel proves by a hash that it got the value. */
TEST(a_hidden_value_is_nowhere_to_be_read)
{
    static const char json[] =
        "{\"name\":\"Hide\",\"vessels\":{\"main\":{\"source\":{\"type\":\"CODE\",\"language\":"
        "\"BASH\",\"file\":{\"name\":\"m.sh\",\"content\":\"printf %s $SALT | sha256sum\"},"
        "\"environment\":[{\"hidden\":true,\"value\":\"" CANARY "\",\"name\":\"SALT\"}]}}}}";
    struct daemon daemon;
    daemon_begin(&daemon,
                 &(struct daemon_options){.top = "min_free = \"0\"\nlog_level = \"debug\""});
    char *yaml = fleet(HIDDEN(CANARY));
    char *fleet_id = apply(&daemon, yaml, NULL, "created");
    free(apply(&daemon, json, NULL, "updated"));
    provoke(&daemon);
    json_t *ended = run(&daemon, "Hide");
    char *output = api_output(&daemon, ended, "main");
    ck_assert_msg(strstr(output, CANARY_SHA256), "%s", output);
    assert_in_no_answer(&daemon, fleet_id, api_text(ended, "id"));
    char *backup = memory_format("%s/backup.tar", daemon.folder);
    char *environment = memory_format("/proc/%d/environ", (int)daemon.pid);
    char *arguments = memory_format("/proc/%d/cmdline", (int)daemon.pid);
    free(ctl_ok(&daemon, "backup", backup, NULL));
    ck_assert(!has(environment, CANARY) && !has(arguments, CANARY));
    ck_assert(!has(daemon.state_dir, CANARY)); /* the store with its write-ahead log */
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    ck_assert(has(daemon.log, "fleet applied"));
    ck_assert(has(backup, WORD));
    ck_assert(!has(daemon.folder, CANARY)); /* the log, the store, the backup */
    char *freed[] = {arguments, environment, backup, output, fleet_id, yaml};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    json_decref(ended);
    daemon_restart(&daemon);
    daemon_finish(&daemon);
}
