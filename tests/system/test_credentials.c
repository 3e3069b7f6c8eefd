/* Credentials from end to end: set, listed, used by vessels, removed; and nowhere to be read. */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/janitor.h"
#include "support/suite.h"

#define CANARY "canary-7f3d91-credential"

/* Prints what it was given. */
#define SHOW "printf '<%s>' \"$SECRET\" \"$@\""
#define VALUES                                                                                     \
    "      environment: [ { name: SECRET, value: '#{DB.PASSWORD}' } ]\n"                           \
    "      arguments: [ 'a#{DB.PASSWORD}b##{DB.PASSWORD}', '$WEBHOOKD_QUERY_STRING' ]\n"

static char *fleet_file(const char *name, const char *script, const char *values)
{
    return memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: CODE\n"
                         "      language: BASH\n      file: { name: m.sh, content: %s }\n%s",
                         name, script, values);
}

/* Quotes a script for YAML. */
static char *quoted(const char *script)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_char(&text, '\'');
    for (; *script; script++)
        buffer_append_format(&text, "%s%c", *script == '\'' ? "'" : "", *script);
    buffer_append_char(&text, '\'');
    return buffer_take(&text);
}

/* Applies a fleet whose only vessel has this script and these values, and returns its webhook's
 * URL. */
static char *make_fleet(struct daemon *daemon, const char *name, const char *script,
                        const char *values)
{
    char *content = quoted(script), *file = fleet_file(name, content, values);
    char *url = daemon_fleet(daemon, file);
    free(file);
    free(content);
    return url;
}

/* Sets a credential with webhookctl. */
static void set(struct daemon *daemon, const char *name, const char *value)
{
    char *path = daemon_write_file(daemon, "value", value, strlen(value));
    free(ctl_ok(daemon, "credential", "set", name, "--file", path, NULL));
    unlink(path);
    free(path);
}

static json_t *run(struct daemon *daemon, const char *url)
{
    return api_post_and_wait(daemon, url, "{}");
}

static void expect_output(struct daemon *daemon, const char *url, const char *output)
{
    json_t *ended = run(daemon, url);
    char *text = api_output(daemon, ended, "main");
    ck_assert_str_eq(text, output);
    free(text);
    json_decref(ended);
}

static void expect_refusal(struct daemon *daemon, const char *url, const char *reason)
{
    json_t *ended = run(daemon, url);
    api_expect_refused(ended, "main", reason);
    json_decref(ended);
}

TEST(a_vessel_gets_the_value_and_a_new_one_with_its_next_run)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", "first");
    char *url = make_fleet(&daemon, "Show", SHOW, VALUES);
    expect_output(&daemon, url, "<first><afirstb#{DB.PASSWORD}><$WEBHOOKD_QUERY_STRING>");
    set(&daemon, "DB.PASSWORD", "second $(x) \"'\n#{DB.PASSWORD}\n");
    expect_output(&daemon, url,
                  "<second $(x) \"'\n#{DB.PASSWORD}><asecond $(x) \"'\n#{DB.PASSWORD}b#{DB."
                  "PASSWORD}><$WEBHOOKD_QUERY_STRING>");
    json_t *list = api_get(&daemon, "/orgs");
    const json_t *org = api_find(json_object_get(list, "orgs"), "name", "default");
    json_t *data = api_get(&daemon, "/orgs/%s/credentials", api_text(org, "id"));
    const json_t *row = json_array_get(json_object_get(data, "credentials"), 0);
    ck_assert_str_eq(api_text(row, "name"), "DB.PASSWORD");
    ck_assert_str_eq(api_text(row, "changed_by"), "user root");
    ck_assert_str_ne(api_text(row, "last_used_at"), "");
    json_decref(data);
    json_decref(list);
    free(url);
    daemon_finish(&daemon);
}

/* A sender chooses the query, the headers and the body. */
TEST(nothing_in_a_request_is_taken_for_a_reference)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", CANARY);
    char *url =
        make_fleet(&daemon, "Show",
                   "printf '%s|' \"$WEBHOOKD_QUERY_STRING\"; cat \"$SHIPYARD_WEBHOOK_BODY_FILE\" "
                   "\"$SHIPYARD_WEBHOOK_HEADERS_FILE\"",
                   VALUES);
    char *request = memory_format("POST %s?#{DB.PASSWORD} HTTP/1.1\r\nHost: h\r\nX-Name: "
                                  "#{DB.PASSWORD}\r\nConnection: close\r\n"
                                  "Content-Length: 14\r\n\r\n#{DB.PASSWORD}",
                                  url_path(url));
    char *answer = raw_exchange(daemon.port, request, strlen(request));
    ck_assert_msg(strncmp(answer, "HTTP/1.1 201 ", 13) == 0, "%s", answer);
    json_t *list = api_get(&daemon, "/fleetruns");
    const json_t *newest = json_array_get(json_object_get(list, "fleetruns"), 0);
    json_t *ended = api_await_end(&daemon, api_text(newest, "id"));
    json_decref(list);
    free(answer);
    free(request);
    char *text = api_output(&daemon, ended, "main");
    ck_assert_ptr_null(strstr(text, CANARY));
    ck_assert_msg(strstr(text, "#{DB.PASSWORD}|#{DB.PASSWORD}{"), "%s", text);
    free(text);
    json_decref(ended);
    free(url);
    daemon_finish(&daemon);
}

TEST(a_vessel_whose_credential_is_gone_is_not_started)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", "x");
    char *url = make_fleet(&daemon, "Show", "touch /tmp/must-not-run",
                           VALUES "    guardrails: { retry_count: 3, retry_wait: 0s }\n");
    free(ctl_ok(&daemon, "credential", "remove", "DB.PASSWORD", "--force", NULL));
    expect_refusal(&daemon, url, "credential DB.PASSWORD does not exist");
    set(&daemon, "DB.PASSWORD", "x");
    char *key = memory_format("%s/secret.key", daemon.state_dir);
    char *away = memory_format("%s/secret.key.away", daemon.state_dir);
    ck_assert_int_eq(rename(key, away), 0);
    expect_refusal(&daemon, url, "secret.key is missing from the state folder");
    int fd = open(key, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_eq(write(fd, "another key of thirty-two bytes!", 32), 32);
    close(fd);
    expect_refusal(&daemon, url, "is not the key that sealed it");
    ck_assert_int_eq(rename(away, key), 0);
    json_t *ended = run(&daemon, url);
    ck_assert_str_eq(api_text(ended, "status"), "success");
    json_decref(ended);
    free(away);
    free(key);
    free(url);
    daemon_finish(&daemon);
}

TEST(a_fleet_that_names_a_missing_credential_is_refused_or_noted)
{
    struct daemon daemon;
    char *out, *err;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *file = fleet_file("Show", "'true'", VALUES);
    char *path = daemon_write_file(&daemon, "show.yaml", file, strlen(file));
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "apply", path, NULL), 1);
    ck_assert_msg(strstr(err, ":8: vessels.main.source.environment[0]: credential DB.PASSWORD does "
                              "not exist: store it with \"webhookctl credential set DB.PASSWORD\""),
                  "%s", err);
    free(out);
    free(err);
    ck_assert_int_eq(
        ctl(&daemon, &out, NULL, &err, "fleet", "apply", "--missing-credentials", path, NULL), 0);
    ck_assert_msg(strstr(err, "note: vessels.main.source.environment[0]: credential DB.PASSWORD"),
                  "%s", err);
    free(out);
    free(err);
    set(&daemon, "DB.PASSWORD", "x");
    char *applied = ctl_ok(&daemon, "fleet", "apply", path, NULL);
    ck_assert_msg(strstr(applied, "unchanged"), "%s", applied);
    free(applied);
    free(path);
    free(file);
    daemon_finish(&daemon);
}

/* Expects this exit status and a part of the message. */
static void expect_failure(struct daemon *daemon, int status, const char *message,
                           const char *const *words)
{
    char *out, *err;
    ck_assert_int_eq(
        ctl(daemon, &out, NULL, &err, "credential", words[0], words[1], words[2], words[3], NULL),
        status);
    ck_assert_msg(strstr(err, message), "%s", err);
    free(out);
    free(err);
}

TEST(a_credential_in_use_is_removed_by_force_only)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", "x");
    set(&daemon, "DB.USER", "x");
    free(make_fleet(&daemon, "Show", "# '#{DB.USER}' in a script is text", VALUES));
    char *used = ctl_ok(&daemon, "credential", "used", "DB.PASSWORD", "--json", NULL);
    json_t *data = api_parse(used);
    const json_t *fleets = json_object_get(data, "fleets");
    ck_assert_uint_eq(json_array_size(fleets), 1);
    ck_assert_str_eq(api_text(json_array_get(fleets, 0), "name"), "Show");
    const json_t *vessels = json_object_get(json_array_get(fleets, 0), "vessels");
    ck_assert_str_eq(json_string_value(json_array_get(vessels, 0)), "main");
    json_decref(data);
    free(used);
    expect_failure(&daemon, 1, "credential DB.PASSWORD is used by fleet \"default/Show\"",
                   (const char *const[4]){"remove", "DB.PASSWORD", NULL});
    free(ctl_ok(&daemon, "credential", "remove", "default/DB.USER", NULL));
    free(ctl_ok(&daemon, "credential", "remove", "DB.PASSWORD", "--force", NULL));
    expect_failure(&daemon, 1, "credential DB.PASSWORD does not exist",
                   (const char *const[4]){"remove", "DB.PASSWORD", NULL});
    expect_failure(&daemon, 1, "credential DB.PASSWORD does not exist",
                   (const char *const[4]){"used", "DB.PASSWORD", NULL});
    daemon_finish(&daemon);
}

TEST(bad_names_and_values_are_refused)
{
    static const char *const names[] = {"DB",     "DB.",  ".X",          "db.x",
                                        "DB.X.Y", "1B.X", "no/such/DB.X"};
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    static char huge[64 * 1024 + 3];
    memset(huge, 'x', sizeof(huge));
    const struct {
        const void *bytes;
        size_t count;
        const char *message;
    } values[] = {
        {"", 0, "the value is empty"},
        {"\n", 1, "the value is empty"},
        {"a\0b", 3, "without NUL"},
        {"\xff", 1, "UTF-8"},
        {huge, 64 * 1024 + 1, "at most 64 KiB"},
        {huge, sizeof(huge), "at most 64 KiB"},
    };
    char *good = daemon_write_file(&daemon, "good", "x", 1);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        expect_failure(&daemon, 1, "", (const char *const[4]){"set", names[i], "--file", good});
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        char *path = daemon_write_file(&daemon, "bad", values[i].bytes, values[i].count);
        expect_failure(&daemon, 1, values[i].message,
                       (const char *const[4]){"set", "DB.X", "--file", path});
        free(path);
    }
    expect_failure(&daemon, 2, "never from an argument",
                   (const char *const[4]){"set", "DB.X", "hunter2", NULL});
    char *list = ctl_ok(&daemon, "credential", "list", "--json", NULL);
    json_t *data = api_parse(list);
    ck_assert_uint_eq(json_array_size(json_object_get(data, "credentials")), 0);
    json_decref(data);
    free(list);
    free(good);
    daemon_finish(&daemon);
}

TEST(a_refusal_names_the_part_of_the_request_that_it_is_about)
{
    const struct {
        const char *name, *value, *field;
    } cases[] = {
        {"db/PASSWORD", "x", "group"},  {"DB/pass", "x", "item"},         {"DB/1", "x", "item"},
        {"DB/PASSWORD", "\n", "value"}, {"DB/PASSWORD", "\xff", "value"},
    };
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    json_t *list = api_get(&daemon, "/orgs");
    const json_t *org = api_find(json_object_get(list, "orgs"), "name", "default");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct response response;
        char *path =
            memory_format("/api/v1/orgs/%s/credentials/%s", api_text(org, "id"), cases[i].name);
        api_call(&daemon, "PUT", path, cases[i].value, strlen(cases[i].value), &response);
        ck_assert_int_eq(response.status, 400);
        json_t *answer = json_loads(response.body, 0, NULL);
        ck_assert_str_eq(api_text(json_object_get(answer, "error"), "field"), cases[i].field);
        json_decref(answer);
        response_free(&response);
        free(path);
    }
    json_decref(list);
    daemon_finish(&daemon);
}

/* Waits for the text, and for the terminal to show what is typed, or not. */
static void await_terminal(int terminal, const char *text, bool shows)
{
    char said[400] = "";
    struct termios mode;
    size_t bytes = 0;
    while (!strstr(said, text)) {
        ssize_t count = read(terminal, said + bytes, sizeof(said) - 1 - bytes);
        ck_assert_msg(count > 0, "\"%s\"", said);
        bytes += (size_t)count;
        said[bytes] = '\0';
        ck_assert_msg(!strstr(said, CANARY), "%s", said);
    }
    do
        ck_assert_int_eq(tcgetattr(terminal, &mode), 0);
    while (((mode.c_lflag & ECHO) != 0) != shows && usleep(1000) == 0);
}

TEST(a_prompt_shows_nothing_and_puts_the_terminal_back_in_order)
{
    static const char *const typed[] = {CANARY "\n", "\003"}; /* a value; Ctrl-C */
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *program = daemon_program("webhookctl");
    for (size_t i = 0; i < ARRAY_COUNT(typed); i++) {
        int terminal, status;
        pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            execl(program, "webhookctl", "-s", daemon.socket, "credential", "set", "DB.PASSWORD",
                  (char *)NULL);
            _exit(99);
        }
        await_terminal(terminal, "Value of DB.PASSWORD", false);
        ck_assert_int_eq(write(terminal, typed[i], strlen(typed[i])), (ssize_t)strlen(typed[i]));
        await_terminal(terminal, "\n", true);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(i == 0 ? status == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
        close(terminal);
    }
    char *url = make_fleet(&daemon, "Show", SHOW, VALUES);
    expect_output(&daemon, url, "<" CANARY "><a" CANARY "b#{DB.PASSWORD}><$WEBHOOKD_QUERY_STRING>");
    free(url);
    free(program);
    daemon_finish(&daemon);
}

/* Without a bound, a short file could make webhookd hold gigabytes. */
TEST(values_with_credentials_are_bounded_together)
{
    enum { EACH = 60 * 1024, MANY = 18 };
    struct daemon daemon;
    struct buffer values = BUFFER_INIT;
    char *value = memory_alloc(EACH + 1);
    memset(value, 'x', EACH);
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", value);
    buffer_append_text(&values, "      environment:\n");
    for (int i = 0; i < MANY; i++)
        buffer_append_format(&values, "        V%d: '#{DB.PASSWORD}'\n", i);
    char *url = make_fleet(&daemon, "Show", "true", buffer_text(&values));
    expect_refusal(&daemon, url, "longer than 1 MiB together");
    free(url);
    url = make_fleet(&daemon, "Long", "true",
                     "      environment: { V: '#{DB.PASSWORD}#{DB.PASSWORD}#{DB.PASSWORD}' }\n");
    expect_refusal(&daemon, url, "longer than 128 KiB");
    free(url);
    free(value);
    buffer_free(&values);
    daemon_finish(&daemon);
}

/* ---- where a value must not be ---- */

static bool file_has(const char *path, const char *text)
{
    char *command = memory_format("grep -qF -- '%s' '%s'", text, path);
    int status = system(command);
    free(command);
    return status == 0;
}

/* Searches all files of a folder. */
static bool folder_has(const char *folder, const char *text)
{
    char *command = memory_format("grep -rqF -- '%s' '%s'", text, folder);
    int status = system(command);
    free(command);
    return status == 0;
}

static void assert_in_no_answer(struct daemon *daemon, const char *org_id, const char *run_id)
{
    char *paths[] = {
        memory_string("/api/v1/fleets"),
        memory_string("/api/v1/audit"),
        memory_string("/api/v1/status"),
        memory_string("/metrics"),
        memory_format("/api/v1/orgs/%s/credentials", org_id),
        memory_format("/api/v1/orgs/%s/credentials/DB/PASSWORD/used", org_id),
        memory_format("/api/v1/fleetruns/%s", run_id),
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct response response;
        api_call(daemon, "GET", paths[i], NULL, 0, &response);
        ck_assert_int_eq(response.status, 200);
        ck_assert_msg(!strstr(response.body, CANARY), "%s", paths[i]);
        response_free(&response);
        free(paths[i]);
    }
}

TEST(a_value_is_nowhere_to_be_read)
{
    struct daemon daemon;
    daemon_begin(&daemon,
                 &(struct daemon_options){.top = "min_free = \"0\"\nlog_level = \"debug\""});
    set(&daemon, "DB.PASSWORD", CANARY);
    char *url = make_fleet(&daemon, "Show", "printf %s \"$SECRET\" | sha256sum",
                           "      environment: [ { name: SECRET, value: '#{DB.PASSWORD}' } ]\n");
    json_t *ended = run(&daemon, url);
    char *output = api_output(&daemon, ended, "main");
    ck_assert_msg(strlen(output) > 64, "%s", output);
    free(output);
    json_t *list = api_get(&daemon, "/orgs");
    const json_t *org = api_find(json_object_get(list, "orgs"), "name", "default");
    assert_in_no_answer(&daemon, api_text(org, "id"), api_text(ended, "id"));
    char *backup = memory_format("%s/backup.tar", daemon.folder);
    free(ctl_ok(&daemon, "backup", backup, NULL));
    char *environment = memory_format("/proc/%d/environ", (int)daemon.pid);
    char *arguments = memory_format("/proc/%d/cmdline", (int)daemon.pid);
    ck_assert(!file_has(environment, CANARY) && !file_has(arguments, CANARY));
    ck_assert(!folder_has(daemon.state_dir, CANARY));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    ck_assert(!folder_has(daemon.folder, CANARY)); /* the log, the store, the backup */
    free(arguments);
    free(environment);
    free(backup);
    json_decref(list);
    json_decref(ended);
    free(url);
    daemon_restart(&daemon);
    daemon_finish(&daemon);
}

static void swap_seals(struct daemon *daemon)
{
    static const char sql[] = "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE "
                              "item = 'OTHER') WHERE item = 'PASSWORD'";
    char *path = memory_format("%s/webhookd.db", daemon->state_dir);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(db), 1);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    free(path);
}

/* Somebody who can write to the store, but does not have the key, can give a row the sealed value
 * of another. */
TEST(a_value_that_was_moved_to_another_place_is_not_used)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    set(&daemon, "DB.PASSWORD", "one");
    set(&daemon, "DB.OTHER", "two");
    char *url = make_fleet(&daemon, "Show", SHOW, VALUES);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    swap_seals(&daemon);
    daemon_restart(&daemon);
    daemon_await_log(&daemon, "a sealed value is damaged or was moved from another place");
    char *now = memory_format("http://127.0.0.1:%u%s", daemon.port, url_path(url));
    expect_refusal(&daemon, now, "credential DB.PASSWORD cannot be opened");
    free(now);
    free(url);
    daemon_finish(&daemon);
}
