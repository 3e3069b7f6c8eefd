/* webhookctl against a real webhookd: every command with a table and with JSON, exit statuses, and
 * the names of fleets and runs. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
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

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    ck_assert_msg(!strstr(text, part), "\"%s\" is in: %s", part, text);
}

/* Runs webhookctl, which must exit with this status, print nothing on stdout, and print these words
 * on stderr. */
#define assert_fails(daemon, wanted_status, words, ...)                                            \
    do {                                                                                           \
        char *out_, *err_;                                                                         \
        int status_ = ctl(daemon, &out_, NULL, &err_, __VA_ARGS__, NULL);                          \
        ck_assert_msg(status_ == (wanted_status), "exit status %d: %s%s", status_, out_, err_);    \
        ck_assert_str_eq(out_, "");                                                                \
        assert_holds(err_, words);                                                                 \
        free(out_);                                                                                \
        free(err_);                                                                                \
    } while (0)

static json_t *ctl_json(struct daemon *daemon, const char *subject, const char *verb,
                        const char *operand)
{
    char *text = ctl_ok(daemon, "--json", subject, verb, operand, NULL);
    json_t *value = api_parse(text);
    free(text);
    return value;
}

/* Writes a fleet with one BASH vessel to a file and returns the path. Free it. */
static char *write_fleet(struct daemon *daemon, const char *file, const char *name,
                         const char *script)
{
    char *fleet = bash_fleet(name, script);
    char *path = daemon_write_file(daemon, file, fleet, strlen(fleet));
    free(fleet);
    return path;
}

static void apply(struct daemon *daemon, const char *name, const char *script)
{
    char *path = write_fleet(daemon, "apply.yaml", name, script);
    free(ctl_ok(daemon, "fleet", "apply", path, NULL));
    free(path);
}

/* Returns the number of lines in a table. */
static int count_lines(const char *text)
{
    int count = text[0] != '\0';
    for (; *text; text++)
        count += *text == '\n' && text[1] != '\0';
    return count;
}

/* ---- organizations and projects ---- */

TEST(organizations_are_listed_created_and_deleted)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *text = ctl_ok(&daemon, "org", "create", "Größe 2", NULL);
    assert_holds(text, "organization Größe 2 created, id ");
    free(text);
    text = ctl_ok(&daemon, "org", "list", NULL);
    ck_assert_int_eq(strncmp(text, "ORGANIZATION", 12), 0);
    ck_assert_int_eq(count_lines(text), 3);
    assert_holds(text, "\nGröße 2 ");
    assert_holds(text, "\ndefault ");
    free(text);
    json_t *orgs = ctl_json(&daemon, "org", "list", NULL);
    const json_t *org = api_find(json_object_get(orgs, "orgs"), "name", "Größe 2");
    ck_assert_ptr_nonnull(org);
    assert_fails(&daemon, 1, "organization \"Größe 2\" already exists", "org", "create", "Größe 2");
    assert_fails(&daemon, 1, "organization \"default\" is not empty: it contains 1 project", "org",
                 "delete", "default");
    assert_fails(&daemon, 1, "nowhere", "org", "delete", "nowhere");
    free(ctl_ok(&daemon, "org", "delete", api_text(org, "id"), NULL)); /* by id */
    json_decref(orgs);
    orgs = ctl_json(&daemon, "org", "list", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(orgs, "orgs")), 1);
    json_decref(orgs);
    json_t *created = ctl_json(&daemon, "org", "create", "As JSON");
    ck_assert_str_eq(api_text(created, "name"), "As JSON");
    json_decref(created);
    daemon_finish(&daemon);
}

TEST(projects_are_listed_created_and_deleted)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    free(ctl_ok(&daemon, "org", "create", "acme", NULL));
    free(ctl_ok(&daemon, "project", "create", "acme/site", NULL));
    free(ctl_ok(&daemon, "project", "create", "here", NULL)); /* in default */
    char *text = ctl_ok(&daemon, "project", "list", NULL);
    ck_assert_int_eq(strncmp(text, "ORGANIZATION", 12), 0);
    ck_assert_int_eq(count_lines(text), 4);
    free(text);
    text = ctl_ok(&daemon, "project", "list", "acme", NULL);
    ck_assert_int_eq(count_lines(text), 2);
    assert_holds(text, "site");
    free(text);
    json_t *projects = ctl_json(&daemon, "project", "list", "acme");
    const json_t *site = api_find(json_object_get(projects, "projects"), "name", "site");
    ck_assert_str_eq(api_text(site, "org_name"), "acme");
    assert_fails(&daemon, 1, "\"acme/site/deeper\" is not of the form [ORG/]NAME", "project",
                 "create", "acme/site/deeper");
    assert_fails(&daemon, 1, "project \"site\" already exists in this organization", "project",
                 "create", "acme/site");
    assert_fails(&daemon, 1, "nowhere", "project", "create", "nowhere/x");
    assert_fails(&daemon, 1, "nowhere", "project", "list", "nowhere");
    assert_fails(&daemon, 1, "not empty", "org", "delete", "acme");
    free(ctl_ok(&daemon, "project", "delete", api_text(site, "id"), NULL));
    free(ctl_ok(&daemon, "project", "delete", "default/here", NULL));
    assert_fails(&daemon, 1, "here", "project", "delete", "here");
    free(ctl_ok(&daemon, "org", "delete", "acme", NULL));
    json_decref(projects);
    daemon_finish(&daemon);
}

/* ---- fleets ---- */

TEST(fleet_file_is_created_updated_left_unchanged_and_shown_as_applied)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *path = write_fleet(&daemon, "one.yaml", "One", "echo 1");
    char *text = ctl_ok(&daemon, "fleet", "apply", path, NULL);
    assert_holds(text, "one.yaml: created default/default/One, version 1");
    free(text);
    text = ctl_ok(&daemon, "fleet", "apply", path, NULL);
    assert_holds(text, "unchanged default/default/One, version 1");
    free(text);
    free(path);
    path = write_fleet(&daemon, "one.yaml", "One", "echo 2");
    text = ctl_ok(&daemon, "fleet", "apply", path, NULL);
    assert_holds(text, "updated default/default/One, version 2");
    free(text);

    char *shown = ctl_ok(&daemon, "fleet", "show", "One", NULL);
    char *first = ctl_ok(&daemon, "fleet", "show", "One", "--version", "1", NULL);
    assert_holds(shown, "echo 2");
    assert_holds(first, "echo 1");
    char *file = bash_fleet("One", "echo 2");
    file[strlen(file) - 1] = '\0'; /* ctl_ok removes the last newline */
    ck_assert_str_eq(shown, file);
    text = ctl_ok(&daemon, "fleet", "versions", "One", NULL);
    ck_assert_int_eq(count_lines(text), 3);
    ck_assert(strstr(text, "\n      2") < strstr(text, "\n      1")); /* newest first */
    free(text);
    text = ctl_ok(&daemon, "fleet", "list", NULL);
    assert_holds(text, "FLEET");
    assert_holds(text, " SCHEDULED ");
    assert_holds(text, "\ndefault/default/One ");
    free(text);
    assert_fails(&daemon, 1, "fleet \"One\" has no version 3", "fleet", "show", "One", "--version",
                 "3");
    assert_fails(&daemon, 2, "--version", "fleet", "show", "One", "--version", "0");
    assert_fails(&daemon, 2, "--version", "fleet", "show", "One", "--version", "two");

    json_t *version = ctl_json(&daemon, "fleet", "show", "One");
    ck_assert_int_eq(json_integer_value(json_object_get(version, "version")), 2);
    ck_assert(json_is_object(json_object_get(version, "definition")));
    json_decref(version);
    json_t *versions = ctl_json(&daemon, "fleet", "versions", "One");
    ck_assert_uint_eq(json_array_size(json_object_get(versions, "versions")), 2);
    json_decref(versions);
    free(file);
    free(first);
    free(shown);
    free(path);
    daemon_finish(&daemon);
}

TEST(check_changes_nothing_and_finds_what_apply_would)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *good = write_fleet(&daemon, "good.yaml", "Good", "true");
    char *text = ctl_ok(&daemon, "fleet", "apply", "--check", good, NULL);
    assert_holds(text, "checked, no errors: would create a new fleet; nothing was changed");
    free(text);
    static const char wrong[] = "name: Wrong\nvessels: {}\n";
    char *bad = daemon_write_file(&daemon, "bad.yaml", wrong, strlen(wrong));
    assert_fails(&daemon, 1, "bad.yaml:2: ", "fleet", "apply", "--check", bad);
    json_t *fleets = ctl_json(&daemon, "fleet", "list", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(fleets, "fleets")), 0);
    json_decref(fleets);
    free(bad);
    free(good);
    daemon_finish(&daemon);
}

TEST(all_errors_of_a_file_are_reported_with_file_and_line)
{
    static const char wrong[] = "name: Wrong\n"
                                "colour: blue\n"
                                "vessels:\n"
                                "  a:\n"
                                "    source:\n"
                                "      type: CODE\n"
                                "      language: COBOL\n"
                                "      file: { name: a, content: x }\n"
                                "      file_to_run: ../a\n"
                                "    guardrails:\n"
                                "      retry_count: 25\n";
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *path = daemon_write_file(&daemon, "wrong.yaml", wrong, strlen(wrong));
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "apply", path, NULL), 1);
    ck_assert_str_eq(out, "");
    static const int lines[] = {2, 7, 9, 11};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        char *place = memory_format("%s:%d: ", path, lines[i]);
        assert_holds(err, place);
        free(place);
    }
    assert_holds(err, "vessels.a.guardrails.retry_count");
    free(out);
    free(err);
    free(path);
    daemon_finish(&daemon);
}

TEST(several_files_are_all_tried_and_one_invalid_file_makes_the_command_fail)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *a = write_fleet(&daemon, "a.yaml", "A", "true");
    char *b = daemon_write_file(&daemon, "b.yaml", "name: [\n", 8);
    char *c = write_fleet(&daemon, "c.yaml", "C", "true");
    char *out, *err;
    ck_assert_int_eq(
        ctl(&daemon, &out, NULL, &err, "fleet", "apply", a, b, "/nonexistent", c, NULL), 1);
    assert_holds(out, "created default/default/A");
    assert_holds(out, "created default/default/C");
    assert_holds(err, "b.yaml:");
    assert_holds(err, "/nonexistent");
    free(out);
    free(err);
    free(a);
    free(b);
    free(c);
    daemon_finish(&daemon);
}

TEST(folder_applies_its_fleet_files_in_order)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *folder = memory_format("%s/fleets", daemon.folder);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    assert_fails(&daemon, 1, "contains no fleet file", "fleet", "apply", folder);
    free(write_fleet(&daemon, "fleets/2.yml", "Second", "true"));
    free(write_fleet(&daemon, "fleets/1.yaml", "First", "true"));
    free(write_fleet(&daemon, "fleets/ignored.txt", "Ignored", "true"));
    free(write_fleet(&daemon, "fleets/.hidden.yaml", "Hidden", "true"));
    static const char json[] =
        "{\"name\":\"Third\",\"vessels\":{\"v\":{\"source\":{\"type\":\"CODE\","
        "\"language\":\"BASH\",\"file\":{\"name\":\"a\",\"content\":\"true\"},"
        "\"file_to_run\":\"a\"}}}}";
    free(daemon_write_file(&daemon, "fleets/3.json", json, strlen(json)));
    char *text = ctl_ok(&daemon, "fleet", "apply", folder, NULL);
    ck_assert_int_eq(count_lines(text), 3);
    ck_assert(strstr(text, "First") < strstr(text, "Second"));
    ck_assert(strstr(text, "Second") < strstr(text, "Third"));
    free(text);
    free(folder);
    daemon_finish(&daemon);
}

TEST(fleet_file_may_come_from_standard_input)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *path = write_fleet(&daemon, "in.yaml", "Piped", "true");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    char *text = ctl_ok(&daemon, "fleet", "apply", "-", NULL);
    assert_holds(text, "<stdin>: created default/default/Piped");
    free(text);
    close(fd);
    free(path);
    daemon_finish(&daemon);
}

TEST(stub_keeps_unavailable_features_and_notes_name_ignored_ones)
{
    static const char text[] = "name: Stub\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n"
                               "      blueprint: any\ntriggers: {}\nnotifications: { email: me }\n";
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *path = daemon_write_file(&daemon, "stub.yaml", text, strlen(text));
    assert_fails(&daemon, 1, "stub.yaml:6: ", "fleet", "apply", path);
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "apply", "--stub", path, NULL), 0);
    assert_holds(out, "created default/default/Stub");
    assert_holds(err, "stub.yaml:8: note: notifications: ");
    free(out);
    free(err);
    free(path);
    daemon_finish(&daemon);
}

TEST(apply_notes_system_packages_that_the_machine_lacks)
{
    static const char text[] =
        "name: Packed\nvessels:\n  main:\n    source:\n      type: CODE\n"
        "      language: BASH\n      file: { name: a, content: x }\n"
        "      packages: [ { name: dpkg }, { name: webhookd-lacks-this } ]\n";
    if (access("/var/lib/dpkg/status", R_OK) != 0) {
        test_skip("this machine has no dpkg");
        return;
    }
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *path = daemon_write_file(&daemon, "packed.yaml", text, strlen(text)), *out, *err;
    assert_fails(&daemon, 1,
                 "packed.yaml:8: vessels.main.source.packages: system packages are "
                 "missing: webhookd-lacks-this",
                 "fleet", "apply", "--strict", path);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "apply", path, NULL), 0);
    assert_holds(out, "created default/default/Packed");
    assert_holds(err, "packed.yaml:8: note: vessels.main.source.packages: system packages are "
                      "missing: webhookd-lacks-this; an administrator installs them with: apt-get "
                      "install webhookd-lacks-this\n");
    free(out);
    free(err);
    free(path);
    daemon_finish(&daemon);
}

TEST(fleet_is_named_by_id_name_or_path)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    free(ctl_ok(&daemon, "org", "create", "acme corp", NULL));
    free(ctl_ok(&daemon, "project", "create", "acme corp/web", NULL));
    apply(&daemon, "Same Näme", "echo default");
    char *path = write_fleet(&daemon, "other.yaml", "Same Näme", "echo other");
    free(ctl_ok(&daemon, "fleet", "apply", "--project", "acme corp/web", path, NULL));
    static const struct {
        const char *name, *script;
    } cases[] = {
        {"Same Näme", "echo default"},
        {"default/Same Näme", "echo default"},
        {"default/default/Same Näme", "echo default"},
        {"acme corp/web/Same Näme", "echo other"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *shown = ctl_ok(&daemon, "fleet", "show", cases[i].name, NULL);
        assert_holds(shown, cases[i].script);
        free(shown);
    }
    json_t *fleets = ctl_json(&daemon, "fleet", "list", NULL);
    const json_t *other = api_find(json_object_get(fleets, "fleets"), "project_name", "web");
    char *shown = ctl_ok(&daemon, "fleet", "show", api_text(other, "id"), NULL);
    assert_holds(shown, "echo other");
    free(shown);
    shown = ctl_ok(&daemon, "fleet", "list", "--project", "acme corp/web", NULL);
    ck_assert_int_eq(count_lines(shown), 2);
    assert_holds(shown, "acme corp/web/Same Näme ");
    free(shown);
    assert_fails(&daemon, 1, "is not of the form", "fleet", "show", "a/b/c/d");
    assert_fails(&daemon, 1, "there is no fleet", "fleet", "show", "Nothing");
    assert_fails(&daemon, 1, "there is no fleet", "fleet", "show", "web/Same Näme");
    assert_fails(&daemon, 1, "there is no", "fleet", "show",
                 "00000000-0000-7000-8000-000000000000");
    free(ctl_ok(&daemon, "fleet", "delete", "acme corp/web/Same Näme", NULL));
    assert_fails(&daemon, 1, "there is no fleet", "fleet", "delete", "acme corp/web/Same Näme");
    json_decref(fleets);
    free(path);
    daemon_finish(&daemon);
}

TEST(fleet_with_scheduled_runs_is_not_deleted)
{
    struct daemon daemon;
    struct daemon_options options = {.runner = "enabled = false"};
    daemon_begin(&daemon, &options);
    char *fleet = bash_fleet("Busy", "true");
    char *url = daemon_fleet(&daemon, fleet);
    free(api_post(url, "x", 1));
    char *run = ctl_ok(&daemon, "run", "show", "latest", NULL);
    assert_holds(run, "\nBody        1 byte\n");
    free(run);
    assert_fails(&daemon, 1, "fleet \"Busy\" has scheduled or running fleet runs", "fleet",
                 "delete", "Busy");
    char *path = memory_string(url);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_configure(&daemon, &plain);
    daemon_restart(&daemon);
    free(ctl_ok(&daemon, "run", "wait", "latest", NULL));
    free(ctl_ok(&daemon, "fleet", "delete", "Busy", NULL));
    char *list = ctl_ok(&daemon, "run", "list", NULL); /* ended runs remain */
    assert_holds(list, "Busy");
    free(list);
    free(path);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- hostile text ---- */

/* A reason, an event and a header with escape sequences, newlines, and characters that reverse
 * text. */
TEST(hostile_control_characters_are_escaped_in_tables)
{
    static const char *const headers[] = {"X-GitHub-Event: \xc2\x9b[31mred\xe2\x80\xaegnp",
                                          "X-Hostile: a\tb\xe2\x80\xae"
                                          "c\xc2\x85"
                                          "d",
                                          NULL};
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Plain", "true");
    char *url = daemon_fleet(&daemon, fleet);
    http_post(url, headers, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    json_decref(api_await_end(&daemon, response.run_id));
    static const char *const commands[][3] = {
        {"run", "list", NULL}, {"run", "show", "latest"}, {"run", "headers", "latest"}};
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        char *text = ctl_ok(&daemon, commands[i][0], commands[i][1], commands[i][2], NULL);
        assert_lacks(text, "\xc2\x9b");
        assert_lacks(text, "\xe2\x80\xae");
        assert_lacks(text, "\xc2\x85");
        assert_lacks(text, "\t");
        assert_lacks(text, "\x1b");
        if (i < 2)
            assert_holds(text, "red\\u202egnp");
        free(text);
    }
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "fleet", "show", "\x1b[2J", NULL), 1);
    assert_lacks(err, "\x1b");
    free(out);
    free(err);
    assert_fails(&daemon, 1, "control", "org", "create", "a\nb");
    response_free(&response);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- webhooks ---- */

static int post_status(const struct daemon *daemon, const char *url)
{
    struct response response;
    char *here = memory_format("http://127.0.0.1:%u%s", daemon->port, url_path(url));
    http_post(here, NULL, "x", 1, &response);
    int status = response.status;
    response_free(&response);
    free(here);
    return status;
}

TEST(webhook_is_created_shown_replaced_and_removed_immediately)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Hooked", "true");
    assert_fails(&daemon, 1,
                 "fleet \"Hooked\" has no webhook (webhookctl webhook create creates one)",
                 "webhook", "show", "Hooked");
    assert_fails(&daemon, 1, "fleet \"Hooked\" has no webhook", "webhook", "replace", "Hooked");
    assert_fails(&daemon, 1, "fleet \"Hooked\" has no webhook", "webhook", "remove", "Hooked");
    char *first = ctl_ok(&daemon, "webhook", "create", "Hooked", NULL);
    ck_assert_int_eq(strncmp(first, "http://localhost:8080/hooks/whk_", 32), 0);
    ck_assert_uint_eq(strlen(first), 32 + 36);
    ck_assert_int_eq(count_lines(first), 1); /* alone on its line */
    ck_assert_int_eq(post_status(&daemon, first), 201);
    assert_fails(&daemon, 1, "fleet \"Hooked\" already has a webhook", "webhook", "create",
                 "Hooked");
    assert_fails(&daemon, 1, "webhook show prints its URL", "webhook", "create", "Hooked");
    char *same = ctl_ok(&daemon, "webhook", "create", "Hooked", "--if-missing", NULL);
    ck_assert_str_eq(same, first);
    char *shown = ctl_ok(&daemon, "webhook", "show", "Hooked", NULL);
    ck_assert_str_eq(shown, first);

    char *second = ctl_ok(&daemon, "webhook", "replace", "Hooked", NULL);
    ck_assert_str_ne(second, first);
    ck_assert_int_eq(post_status(&daemon, first), 400);
    ck_assert_int_eq(post_status(&daemon, second), 201);
    char *list = ctl_ok(&daemon, "webhook", "list", NULL);
    ck_assert_int_eq(count_lines(list), 2);
    assert_holds(list, second);
    assert_holds(list, "default/default/Hooked ");
    json_t *webhooks = ctl_json(&daemon, "webhook", "list", NULL);
    const json_t *webhook = json_array_get(json_object_get(webhooks, "webhooks"), 0);
    ck_assert_str_eq(api_text(webhook, "url"), second);
    json_decref(webhooks);

    char *said = ctl_ok(&daemon, "webhook", "remove", "Hooked", NULL);
    assert_lacks(said, "whk_");
    ck_assert_int_eq(post_status(&daemon, second), 400);
    char *third = ctl_ok(&daemon, "webhook", "create", "--if-missing", "Hooked", NULL);
    ck_assert_int_eq(post_status(&daemon, third), 201);
    free(ctl_ok(&daemon, "run", "wait", "latest", NULL));
    json_t *runs = ctl_json(&daemon, "run", "list", NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(runs, "fleetruns")), 3);
    json_decref(runs);
    char *freed[] = {third, said, list, second, shown, same, first};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

TEST(webhook_of_a_deleted_fleet_is_gone)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Gone", "true");
    char *url = ctl_ok(&daemon, "webhook", "create", "Gone", NULL);
    free(ctl_ok(&daemon, "fleet", "delete", "Gone", NULL));
    ck_assert_int_eq(post_status(&daemon, url), 400);
    free(url);
    daemon_finish(&daemon);
}

/* Senders that POST continuously to the currently valid URL and to the previous one. */
struct load {
    struct daemon *daemon;
    atomic_bool stop;
    atomic_int begun;        /* replacements begun */
    pthread_mutex_t lock;    /* guards the following */
    char *old_url, *new_url; /* NULL: none yet */
    int generation;          /* replacements completed when new_url was set */
    atomic_int sent, failed, old_accepted, new_refused;
};

static void send_both(struct load *load)
{
    pthread_mutex_lock(&load->lock);
    int generation = load->generation;
    char *old_url = memory_string(load->old_url), *new_url = memory_string(load->new_url);
    pthread_mutex_unlock(&load->lock);
    int old_status = old_url ? post_status(load->daemon, old_url) : 400;
    int new_status = post_status(load->daemon, new_url);
    /* After the next replacement has begun, a 400 from the then current URL is correct. */
    bool is_current = atomic_load(&load->begun) == generation;
    atomic_fetch_add(&load->old_accepted, old_status == 201);
    atomic_fetch_add(&load->new_refused, new_status == 400 && is_current);
    atomic_fetch_add(&load->failed, (old_status != 201 && old_status != 400) ||
                                        (new_status != 201 && new_status != 400));
    atomic_fetch_add(&load->sent, 1);
    free(old_url);
    free(new_url);
}

static void *sender_main(void *argument)
{
    struct load *load = argument;
    while (!atomic_load(&load->stop))
        send_both(load);
    return NULL;
}

/* Waits until this many more requests have been sent, however slow the machine is. */
static void await_requests(struct load *load, int count)
{
    int64_t until_ms = clock_monotonic_ms() + 50000;
    int sent = atomic_load(&load->sent);
    while (atomic_load(&load->sent) < sent + count) {
        ck_assert(clock_monotonic_ms() < until_ms);
        usleep(1000);
    }
}

TEST(replace_under_load_accepts_nothing_at_the_old_url_and_refuses_nothing_at_the_new)
{
    enum { SENDERS = 4, REPLACES = 25 };
    static struct load load;
    struct daemon daemon;
    struct daemon_options options = {.runner = "enabled = false"};
    pthread_t threads[SENDERS];
    daemon_begin(&daemon, &options);
    apply(&daemon, "Load", "true");
    load.daemon = &daemon;
    load.new_url = ctl_ok(&daemon, "webhook", "create", "Load", NULL);
    pthread_mutex_init(&load.lock, NULL);
    for (int i = 0; i < SENDERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sender_main, &load), 0);
    for (int i = 0; i < REPLACES; i++) {
        await_requests(&load, 4 * SENDERS);
        atomic_fetch_add(&load.begun, 1);
        char *fresh = ctl_ok(&daemon, "webhook", "replace", "Load", NULL);
        pthread_mutex_lock(&load.lock);
        free(load.old_url);
        load.old_url = load.new_url;
        load.new_url = fresh;
        load.generation++;
        pthread_mutex_unlock(&load.lock);
    }
    await_requests(&load, 4 * SENDERS);
    atomic_store(&load.stop, true);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&load.failed), 0);
    ck_assert_int_eq(atomic_load(&load.old_accepted), 0);
    ck_assert_int_eq(atomic_load(&load.new_refused), 0);
    free(load.old_url);
    free(load.new_url);
    daemon_finish(&daemon);
}

/* ---- runs ---- */

TEST(run_is_named_by_id_prefix_request_id_or_latest)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    assert_fails(&daemon, 1, "there is no fleet run yet", "run", "show", "latest");
    char *fleet = bash_fleet("Named", "true");
    char *url = daemon_fleet(&daemon, fleet);
    char *first = api_post(url, "first", 5);
    json_t *run = api_await_end(&daemon, first);
    char *upper = memory_string(first);
    for (char *c = upper; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
    char *prefix = memory_string_n(first, 30);
    const char *names[] = {first, upper, prefix, api_text(run, "request_id"), "latest"};
    char *shown = ctl_ok(&daemon, "run", "show", "--json", first, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *same = ctl_ok(&daemon, "run", "show", "--json", names[i], NULL);
        ck_assert_msg(strcmp(same, shown) == 0, "%s: %s instead of %s", names[i], same, shown);
        free(same);
        char *body = ctl_ok(&daemon, "run", "body", names[i], NULL);
        ck_assert_msg(strcmp(body, "first") == 0, "%s: %s", names[i], body);
        free(body);
    }
    free(shown);
    char *second = api_post(url, "second", 6);
    char *body = ctl_ok(&daemon, "run", "body", "latest", NULL);
    ck_assert_str_eq(body, "second");
    free(body);
    char *common = memory_string_n(first, 1);
    assert_fails(&daemon, 1, "several", "run", "show", common);
    assert_fails(&daemon, 1, "there is no fleet run", "run", "show",
                 "00000000-0000-7000-8000-000000000000");
    assert_fails(&daemon, 1, "there is no fleet run", "run", "show", "ffffffff");
    assert_fails(&daemon, 1, "is not a fleet run", "run", "show", "no id at all");
    free(common);
    free(second);
    free(prefix);
    free(upper);
    json_decref(run);
    free(first);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(runs_are_listed_by_fleet_status_and_number)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Good", "true");
    apply(&daemon, "Bad", "exit 2");
    for (int i = 0; i < 3; i++) {
        free(ctl_ok(&daemon, "run", "start", "Good", NULL));
        char *id = ctl_ok(&daemon, "run", "start", "Bad", NULL);
        json_decref(api_await_end(&daemon, id));
        free(id);
    }
    json_t *all = ctl_json(&daemon, "run", "list", NULL);
    const json_t *runs = json_object_get(all, "fleetruns");
    ck_assert_uint_eq(json_array_size(runs), 6);
    for (size_t i = 0; i < 6; i++) /* newest first; waits until each has ended */
        json_decref(api_await_end(&daemon, api_text(json_array_get(runs, i), "id")));
    ck_assert_str_gt(api_text(json_array_get(runs, 0), "id"),
                     api_text(json_array_get(runs, 5), "id"));
    json_decref(all);
    char *text = ctl_ok(&daemon, "run", "list", "--fleet", "Good", NULL);
    ck_assert_int_eq(count_lines(text), 4);
    assert_lacks(text, "Bad");
    free(text);
    text = ctl_ok(&daemon, "run", "list", "--status", "errored", NULL);
    ck_assert_int_eq(count_lines(text), 4);
    assert_lacks(text, "Good");
    free(text);
    text = ctl_ok(&daemon, "run", "list", "--limit=2", "--status", "success", NULL);
    ck_assert_int_eq(count_lines(text), 3);
    free(text);
    assert_fails(&daemon, 2, "--status must be", "run", "list", "--status", "good");
    assert_fails(&daemon, 2, "--limit", "run", "list", "--limit", "0");
    assert_fails(&daemon, 1, "there is no fleet", "run", "list", "--fleet", "Nothing");
    daemon_finish(&daemon);
}

TEST(run_is_shown_with_its_vessels)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Shown", "echo output; exit 7");
    char *url = daemon_fleet(&daemon, fleet);
    char *asked = memory_format("%s?x=1", url);
    char *id = api_post(asked, "four", 4);
    json_t *run = api_await_end(&daemon, id);
    char *text = ctl_ok(&daemon, "run", "show", id, NULL);
    const char *const parts[] = {id,
                                 "\nFleet       Shown, version 1\n",
                                 "\nStatus      errored\n",
                                 "\nTrigger     webhook\n",
                                 "\nQuery       x=1\n",
                                 "\nBody        4 bytes\n",
                                 api_text(run, "body_sha256"),
                                 "\nVESSEL",
                                 "\nmain "};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        assert_holds(text, parts[i]);
    free(text);
    json_t *shown = ctl_json(&daemon, "run", "show", id);
    ck_assert(json_equal(shown, run));
    json_decref(shown);
    json_decref(run);
    free(id);
    free(asked);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(body_headers_and_log_are_written_unchanged)
{
    static const char *const headers[] = {"X-Same: 1", "X-Same: 2", NULL};
    struct daemon daemon;
    struct response response;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Bytes", "printf 'no newline'");
    char *url = daemon_fleet(&daemon, fleet);
    unsigned char body[512];
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (unsigned char)i;
    http_post(url, headers, body, sizeof(body), &response);
    json_decref(api_await_end(&daemon, response.run_id));
    char *out, *err;
    size_t bytes;
    ck_assert_int_eq(ctl(&daemon, &out, &bytes, &err, "run", "body", response.run_id, NULL), 0);
    ck_assert_uint_eq(bytes, sizeof(body));
    ck_assert_int_eq(memcmp(out, body, bytes), 0);
    free(out);
    free(err);
    char *text = ctl_ok(&daemon, "run", "headers", response.run_id, NULL);
    assert_holds(text, "X-Same: 1\nX-Same: 2\n");
    free(text);
    json_t *object = ctl_json(&daemon, "run", "headers", response.run_id);
    ck_assert_uint_eq(json_array_size(json_object_get(object, "X-Same")), 2);
    json_decref(object);
    ck_assert_int_eq(ctl(&daemon, &out, &bytes, &err, "run", "log", response.run_id, NULL), 0);
    ck_assert_str_eq(out, "no newline");
    free(out);
    free(err);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "run", "log", response.run_id, "main",
                         "--attempt", "1", NULL),
                     0);
    ck_assert_str_eq(out, "no newline");
    free(out);
    free(err);
    assert_fails(&daemon, 1, "attempt 2", "run", "log", response.run_id, "--attempt", "2");
    assert_fails(&daemon, 1, "no vessel \"other\"", "run", "log", response.run_id, "other");
    assert_fails(&daemon, 2, "--attempt", "run", "log", response.run_id, "--attempt", "x");
    response_free(&response);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

static void assert_shown_with(struct daemon *daemon, const char *run, const char *name,
                              const char *value)
{
    char *text = ctl_ok(daemon, "run", "show", run, NULL);
    char *line = memory_format("\n%s%s\n", name, value);
    ck_assert_msg(strstr(text, line), "no line \"%s%s\" in: %s", name, value, text);
    free(line);
    free(text);
}

TEST(run_is_started_with_a_body_and_again)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Started",
          "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\" \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"");
    char *file = daemon_write_file(&daemon, "body.json", "{\"a\":1}", 7);
    char *id = ctl_ok(&daemon, "run", "start", "Started", "--body", file, NULL);
    json_t *run = api_await_end(&daemon, id);
    char *output = api_output(&daemon, run, "main");
    ck_assert_str_eq(output, "{\"a\":1}{\"Content-Type\":[\"application/json\"]}");
    ck_assert_str_eq(api_text(run, "trigger"), "on_demand");
    char *again = ctl_ok(&daemon, "run", "again", id, NULL);
    ck_assert_str_ne(again, id);
    assert_shown_with(&daemon, again, "Again of    ", id);
    assert_shown_with(&daemon, id, "Again as    ", again);
    json_t *second = api_await_end(&daemon, again);
    char *same = api_output(&daemon, second, "main");
    ck_assert_str_eq(same, output);
    assert_fails(&daemon, 1, "/nonexistent", "run", "start", "Started", "--body", "/nonexistent");
    assert_fails(&daemon, 1, "there is no fleet", "run", "start", "Nothing");
    json_t *started = ctl_json(&daemon, "run", "start", "Started");
    ck_assert_str_eq(api_text(started, "fleet_name"), "Started");
    json_decref(started);
    free(same);
    json_decref(second);
    free(again);
    free(output);
    json_decref(run);
    free(id);
    free(file);
    daemon_finish(&daemon);
}

TEST(run_is_started_with_headers)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Headed", "cat \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"");
    char *file = daemon_write_file(&daemon, "body.json", "{}", 2);
    char *id =
        ctl_ok(&daemon, "run", "start", "Headed", "--header", "x-github-event: push", "--body",
               file, "--header", "X-A:1", "--header", "x-a:\t2 \xe9 ", "--header=x-b:", NULL);
    json_t *run = api_await_end(&daemon, id);
    char *output = api_output(&daemon, run, "main");
    ck_assert_str_eq(output, "{\"X-Github-Event\":[\"push\"],\"X-A\":[\"1\",\"2 é\"],"
                             "\"X-B\":[\"\"],\"Content-Type\":[\"application/json\"]}");
    ck_assert_str_eq(api_text(run, "event"), "push");
    free(output);
    json_decref(run);
    free(id);
    id = ctl_ok(&daemon, "run", "start", "Headed", "--header", "X-A: 1", NULL); /* no body */
    run = api_await_end(&daemon, id);
    output = api_output(&daemon, run, "main");
    ck_assert_str_eq(output, "{\"X-A\":[\"1\"]}");
    assert_fails(&daemon, 2, "--header must be", "run", "start", "Headed", "--header", "none");
    assert_fails(&daemon, 2, "--header must be", "run", "start", "Headed", "--header", ": x");
    assert_fails(&daemon, 1, "must not contain Host", "run", "start", "Headed", "--header",
                 "host: a");
    free(output);
    json_decref(run);
    free(id);
    free(file);
    daemon_finish(&daemon);
}

TEST(wait_returns_the_outcome_of_the_run_as_exit_status)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    apply(&daemon, "Good", "sleep 0.2");
    apply(&daemon, "Bad", "exit 3");
    apply(&daemon, "Long", "sleep 1000");
    char *id = ctl_ok(&daemon, "run", "start", "Good", NULL);
    char *text = ctl_ok(&daemon, "run", "wait", id, NULL);
    ck_assert_str_eq(text, "success");
    free(text);
    free(id);
    id = ctl_ok(&daemon, "run", "start", "Bad", NULL);
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "run", "wait", id, "--timeout", "1m", NULL), 1);
    ck_assert_str_eq(out, "errored\n");
    free(out);
    free(err);
    free(id);
    id = ctl_ok(&daemon, "run", "start", "Long", NULL);
    assert_fails(&daemon, 1, "is still", "run", "wait", id, "--timeout", "200ms");
    assert_fails(&daemon, 2, "--timeout must be", "run", "wait", id, "--timeout", "soon");

    /* The timeout also applies if webhookd does not respond at all. */
    ck_assert_int_eq(kill(daemon.pid, SIGSTOP), 0);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "run", "wait", id, "--timeout", "200ms", NULL),
                     1);
    ck_assert_int_eq(kill(daemon.pid, SIGCONT), 0);
    free(out);
    free(id);
    daemon_finish(&daemon);
}

/* ---- the rest ---- */

TEST(status_shows_what_webhookd_is_doing)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *text = ctl_ok(&daemon, "status", NULL);
    char *pid = memory_format("process %d", (int)daemon.pid);
    const char *const parts[] = {"webhookd    " WEBHOOKD_VERSION,
                                 pid,
                                 "\nReady       yes\n",
                                 "\nKey file    usable\n",
                                 daemon.socket,
                                 "organizations 1, projects 1, fleets 0, webhooks 0",
                                 "\nFleet runs  0 scheduled, 0 running\n"};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        assert_holds(text, parts[i]);
    free(text);
    text = ctl_ok(&daemon, "status", "--json", NULL);
    json_t *status = api_parse(text);
    ck_assert_int_eq(json_integer_value(json_object_get(status, "pid")), daemon.pid);
    json_decref(status);
    free(text);
    free(pid);
    daemon_finish(&daemon);
}

TEST(invalid_usage_ends_with_2_and_a_hint)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    assert_fails(&daemon, 2, "a command is missing", "--");
    assert_fails(&daemon, 2, "unknown command \"fleets\"", "fleets");
    assert_fails(&daemon, 2, "one of list, apply", "fleet");
    assert_fails(&daemon, 2, "unknown command \"run sotp\"", "run", "sotp", "latest");
    assert_fails(&daemon, 2, "an operand is missing", "webhook", "create");
    assert_fails(&daemon, 2, "unexpected operand \"b\"", "org", "create", "a", "b");
    assert_fails(&daemon, 2, "unknown option \"--nonsense\"", "org", "list", "--nonsense");
    assert_fails(&daemon, 2, "does not take --stub", "org", "list", "--stub");
    assert_fails(&daemon, 2, "usage: webhookctl run list", "run", "list", "extra");
    daemon_finish(&daemon);
}

TEST(stop_ends_a_run_and_gives_the_reason_if_it_cannot)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Long", "echo started\nexec sleep 1000");
    free(daemon_fleet(&daemon, fleet));
    char *id = ctl_ok(&daemon, "run", "start", "Long", NULL);
    char *said = ctl_ok(&daemon, "run", "stop", id, NULL);
    ck_assert_ptr_nonnull(strstr(said, "is being stopped"));
    char *out;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "run", "wait", id, NULL), 1);
    ck_assert_ptr_nonnull(strstr(out, "terminated"));
    free(out);
    char *shown = ctl_ok(&daemon, "run", "show", id, NULL);
    ck_assert_ptr_nonnull(strstr(shown, "stopped"));
    assert_fails(&daemon, 1, "has already ended", "run", "stop", id);
    assert_fails(&daemon, 1, "no fleet run", "run", "stop", "01938f00-0000-7000-8000-000000000000");
    free(shown);
    free(said);
    free(id);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(help_and_version_need_no_daemon)
{
    static const char *const words[] = {"org list",        "project create", "fleet apply",
                                        "webhook replace", "run wait",       "status"};
    struct daemon daemon = {.folder = "/tmp", .socket = "/nonexistent/socket"};
    char *text = ctl_ok(&daemon, "-V", NULL);
    ck_assert_str_eq(text, "webhookctl " WEBHOOKD_VERSION);
    free(text);
    text = ctl_ok(&daemon, "--help", NULL);
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        assert_holds(text, words[i]);
    free(text);
    text = ctl_ok(&daemon, "help", "run", NULL);
    assert_holds(text, "run again");
    assert_lacks(text, "org list");
    free(text);
}

TEST(help_on_a_command_explains_its_options_and_operands)
{
    static const struct {
        const char *subject, *verb, *has, *lacks;
    } cases[] = {
        {"fleet", "list", "\n      --project [ORG/]NAME  ", "FLEET"},
        {"fleet", "apply", "{FILE|FOLDER|-}...", "FLEET"},
        {"fleet", "apply", "\n      --project [ORG/]NAME  ", "RUN"},
        {"fleet", "apply", "\n      --check  ", "--version"},
        {"fleet", "apply", "\n      --stub  ", "--version"},
        {"fleet", "show", "\n      --version N  ", "RUN is"},
        {"fleet", "show", "\nFLEET is an id", "ORG defaults"},
        {"webhook", "create", "\n      --if-missing  ", "RUN"},
        {"run", "list", "\n      --fleet FLEET  ", "RUN is"},
        {"run", "list", "scheduled, running, success, errored, terminated\n", "--follow"},
        {"run", "list", "\n      --limit N  ", "--follow"},
        {"run", "show", "\nRUN is an id", "FLEET"},
        {"run", "log", "\n      --attempt N  ", "FLEET"},
        {"run", "log", "\n      --follow  ", "FLEET"},
        {"run", "start", "\n      --body FILE|-  ", "RUN"},
        {"run", "start", "\n      --header 'NAME: VALUE'  ", "RUN"},
        {"run", "wait", "for example 90s, 5m or 1h30m\n", "FLEET"},
        {"key", "revoke", "key revoke KEY\n", "FLEET"},
        {"key", "revoke", "\nKEY is a name or an id", "RUN"},
        {"audit", NULL, "\n      --limit N  ", "RUN"},
        {"audit", NULL, "\n      --since TIME  ", "RUN"},
        {"audit", NULL, "\n      --who NAME  ", "RUN"},
        {"org", "create", "org create NAME\n", "ORG defaults"},
    };
    struct daemon daemon = {.folder = "/tmp", .socket = "/nonexistent/socket"};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = ctl_ok(&daemon, "help", cases[i].subject, cases[i].verb, NULL);
        assert_holds(text, cases[i].has);
        assert_lacks(text, cases[i].lacks);
        free(text);
    }
}

TEST(unreachable_daemon_is_reported_with_the_name_of_the_socket)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    assert_fails(&daemon, 1, daemon.socket, "status");
    char *file = daemon_write_file(&daemon, "d.conf", "x", 1), *out, *err;
    char *said = memory_format("\"%s\" is not a socket", file);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "-s", file, "status", NULL), 1);
    assert_holds(err, said);
    free(said);
    free(err);
    free(out);
    free(file);
    daemon_finish(&daemon);
}

TEST(environment_names_the_socket_when_no_option_does)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *command = memory_format("WEBHOOKD_SOCKET=%s %s/webhookctl org list | grep -q default",
                                  daemon.socket, getenv("BUILD") ? getenv("BUILD") : "build");
    ck_assert_int_eq(system(command), 0);
    free(command);
    daemon_finish(&daemon);
}

TEST(output_that_cannot_be_written_is_a_failure)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *command = memory_format(
        "%s/webhookctl -s %s org list > /dev/full 2> %s/error; [ $? = 1 ] && "
        "grep -q 'standard output' %s/error",
        getenv("BUILD") ? getenv("BUILD") : "build", daemon.socket, daemon.folder, daemon.folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    daemon_finish(&daemon);
}
