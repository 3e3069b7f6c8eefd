/* webhookctl against a real webhookd: what it prints, where, and how it exits. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define BIG_BODY_BYTES (24 << 20)

static struct daemon webhookd;

static void begin(void)
{
    daemon_begin(&webhookd, &(struct daemon_options){.top = NULL});
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" is in:\n%s", part, text);
}

/* webhookctl fails with this status, prints nothing on standard output, and says this on standard error. */
#define ASSERT_FAILS(expected, part, ...)                                                          \
    do {                                                                                           \
        char *out_, *err_;                                                                         \
        int status_ = ctl(&webhookd, &out_, NULL, &err_, __VA_ARGS__, NULL);                       \
        ck_assert_msg(status_ == (expected), "ended with %d: %s%s", status_, out_, err_);          \
        ck_assert_str_eq(out_, "");                                                                \
        assert_holds(err_, part);                                                                  \
        free(out_);                                                                                \
        free(err_);                                                                                \
    } while (0)

/* A command line for the shell, with $C for webhookctl and its socket. Its exit status. */
static int shell(const char *command)
{
    const char *build = getenv("BUILD");
    char *line = memory_format("C='%s/webhookctl -s %s'; %s", build ? build : "build",
                               webhookd.socket, command);
    int status = system(line);
    free(line);
    ck_assert_msg(WIFEXITED(status), "the shell ended with %d", status);
    return WEXITSTATUS(status);
}

/* Starts webhookctl with these arguments (NULL-terminated) and without its output. */
static pid_t spawn(const char *const *arguments)
{
    const char *build = getenv("BUILD");
    char *program = memory_format("%s/webhookctl", build ? build : "build");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const char *argv[16] = {program, "-s", webhookd.socket};
        for (int i = 0; arguments[i]; i++)
            argv[i + 3] = arguments[i];
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    free(program);
    return pid;
}

static char *apply_text(const char *name, const char *text)
{
    char *path = daemon_write_file(&webhookd, name, text, strlen(text));
    char *out = ctl_ok(&webhookd, "fleet", "apply", path, NULL);
    free(path);
    return out;
}

/* A fleet of one vessel with this script, in default/default. */
static void apply_script(const char *name, const char *script)
{
    char *text = bash_fleet(name, script);
    free(apply_text("script.yaml", text));
    free(text);
}

/* ---- fleets ---- */

START_TEST(fleet_file_is_printed_as_it_was_applied)
{
    static const char text[] = "# ein Gruß\nname: Greet\nvessels: {main: {source: {type: CODE, "
                               "language: BASH, file_to_run: a.sh, file: {name: a.sh, content: "
                               "\"true\"}}}}\n\n# end without a newline";
    begin();
    char *first = apply_text("greet.yaml", text);
    char *again = apply_text("greet.yaml", text);
    char *out, *err;
    size_t bytes;
    assert_holds(first, "greet.yaml: created default/default/Greet, version 1");
    assert_holds(again, "greet.yaml: unchanged default/default/Greet, version 1");
    ck_assert_int_eq(ctl(&webhookd, &out, &bytes, &err, "fleet", "show", "Greet", NULL), 0);
    ck_assert_uint_eq(bytes, strlen(text));
    ck_assert_str_eq(out, text);
    ASSERT_FAILS(1, "no version 2", "fleet", "show", "Greet", "--version", "2");
    free(first);
    free(again);
    free(out);
    free(err);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(every_file_is_tried_and_reported_by_itself)
{
    static const char bad[] = "name: Bad\nvessels:\n  main:\n    bogus: 1\n";
    begin();
    char *folder = memory_format("%s/fleets", webhookd.folder);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    char *good = bash_fleet("Good", "true");
    free(daemon_write_file(&webhookd, "fleets/a.yaml", bad, strlen(bad)));
    free(daemon_write_file(&webhookd, "fleets/b.yml", good, strlen(good)));
    free(daemon_write_file(&webhookd, "fleets/notes.txt", "no fleet", 8));
    char *out, *err;
    int status = ctl(&webhookd, &out, NULL, &err, "fleet", "apply", folder, "/nowhere", NULL);
    ck_assert_int_eq(status, 1);
    assert_holds(out, "fleets/b.yml: created default/default/Good, version 1\n");
    assert_lacks(out, "a.yaml");
    assert_holds(err, "fleets/a.yaml:4: vessels.main.bogus: ");
    assert_holds(err, "fleets/a.yaml: the fleet file was refused");
    assert_holds(err, "/nowhere: cannot open it: No such file");
    assert_lacks(err, "notes.txt");
    free(out);
    free(err);
    free(good);
    free(folder);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(folder_without_a_fleet_file_is_an_error)
{
    begin();
    char *folder = memory_format("%s/empty", webhookd.folder);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ASSERT_FAILS(1, "holds no fleet file", "fleet", "apply", folder);
    free(folder);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(check_changes_nothing)
{
    begin();
    char *text = bash_fleet("Greet", "true");
    char *path = daemon_write_file(&webhookd, "greet.yaml", text, strlen(text));
    char *out = ctl_ok(&webhookd, "fleet", "apply", "--check", path, NULL);
    assert_holds(out, "nothing was changed");
    ASSERT_FAILS(1, "there is no fleet \"Greet\"", "fleet", "show", "Greet");
    free(out);
    free(path);
    free(text);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(fleet_file_and_body_may_come_from_standard_input)
{
    begin();
    char *text = bash_fleet("Greet", "true");
    free(daemon_write_file(&webhookd, "greet.yaml", text, strlen(text)));
    char *command = memory_format("cd %s && cat greet.yaml | $C fleet apply - >applied && "
                                  "printf 'a\\0b' | $C run start Greet --body - >id && "
                                  "$C run body $(cat id) >body && printf 'a\\0b' | cmp - body && "
                                  "grep -q '^<stdin>: created' applied",
                                  webhookd.folder);
    /* BUILD may be relative, and the command changes the folder. */
    char build[4096];
    ck_assert_ptr_nonnull(realpath(getenv("BUILD") ? getenv("BUILD") : "build", build));
    setenv("BUILD", build, 1);
    ck_assert_int_eq(shell(command), 0);
    free(command);
    free(text);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(name_without_folders_means_default_and_hints_at_others)
{
    begin();
    free(ctl_ok(&webhookd, "org", "create", "acme", NULL));
    free(ctl_ok(&webhookd, "project", "create", "acme/web", NULL));
    char *text = bash_fleet("Greet", "true");
    char *path = daemon_write_file(&webhookd, "greet.yaml", text, strlen(text));
    free(ctl_ok(&webhookd, "fleet", "apply", "--project", "acme/web", path, NULL));
    ASSERT_FAILS(1, "but there is \"acme/web/Greet\"", "fleet", "versions", "Greet");
    ASSERT_FAILS(1, "but there is \"acme/web/Greet\"", "fleet", "versions", "web/Greet");
    free(ctl_ok(&webhookd, "fleet", "versions", "acme/web/Greet", NULL));
    ASSERT_FAILS(1, "not empty", "project", "delete", "acme/web");
    free(ctl_ok(&webhookd, "fleet", "delete", "acme/web/Greet", NULL));
    free(ctl_ok(&webhookd, "project", "delete", "acme/web", NULL));
    free(ctl_ok(&webhookd, "org", "delete", "acme", NULL));
    char *orgs = ctl_ok(&webhookd, "org", "list", NULL);
    assert_lacks(orgs, "acme");
    free(orgs);
    free(path);
    free(text);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(hostile_names_are_shown_escaped)
{
    begin();
    free(ctl_ok(&webhookd, "org", "create", "left\xe2\x80\xaeright", NULL));
    char *list = ctl_ok(&webhookd, "org", "list", NULL);
    assert_holds(list, "left\\u202eright");
    assert_lacks(list, "\xe2\x80\xae");
    free(list);
    list = ctl_ok(&webhookd, "org", "list", "--json", NULL);
    assert_holds(list, "\"left\xe2\x80\xaeright\"");
    free(list);
    daemon_finish(&webhookd);
}
END_TEST

/* ---- webhooks ---- */

START_TEST(url_stands_alone_on_its_line)
{
    begin();
    apply_script("Greet", "true");
    ASSERT_FAILS(1, "webhookctl webhook create makes one", "webhook", "show", "Greet");
    char *created = ctl_ok(&webhookd, "webhook", "create", "Greet", NULL);
    ck_assert_ptr_null(strchr(created, '\n'));
    ck_assert_uint_eq(strlen(url_path(created)), strlen("/hooks/") + 40);
    ASSERT_FAILS(1, "webhookctl webhook show prints its URL", "webhook", "create", "Greet");
    char *same = ctl_ok(&webhookd, "webhook", "create", "Greet", "--if-missing", NULL);
    char *shown = ctl_ok(&webhookd, "webhook", "show", "default/Greet", NULL);
    ck_assert_str_eq(same, created);
    ck_assert_str_eq(shown, created);
    char *replaced = ctl_ok(&webhookd, "webhook", "replace", "Greet", NULL);
    char *list = ctl_ok(&webhookd, "webhook", "list", NULL);
    ck_assert_str_ne(replaced, created);
    assert_holds(list, replaced);
    assert_lacks(list, created);
    free(ctl_ok(&webhookd, "webhook", "remove", "Greet", NULL));
    ASSERT_FAILS(1, "no webhook", "webhook", "remove", "Greet");
    free(created);
    free(same);
    free(shown);
    free(replaced);
    free(list);
    daemon_finish(&webhookd);
}
END_TEST

/* ---- runs ---- */

START_TEST(body_and_headers_come_back_as_they_were_sent)
{
    static const char *const headers[] = {"X-GitHub-Event: push", "X-Twice: one", "X-Twice: two",
                                          NULL};
    char body[100000];
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (char)(i * 7);
    begin();
    char *text = bash_fleet("Greet", "true");
    char *url = daemon_fleet(&webhookd, text);
    struct response response;
    http_post(url, headers, body, sizeof(body), &response);
    ck_assert_int_eq(response.status, 201);
    char *out, *err;
    size_t bytes;
    ck_assert_int_eq(ctl(&webhookd, &out, &bytes, &err, "run", "body", response.run_id, NULL), 0);
    ck_assert_uint_eq(bytes, sizeof(body));
    ck_assert_mem_eq(out, body, bytes);
    char *shown = ctl_ok(&webhookd, "run", "headers", "latest", NULL);
    assert_holds(shown, "X-Twice: one\nX-Twice: two\n");
    char *list = ctl_ok(&webhookd, "run", "list", NULL);
    assert_holds(list, " push ");
    assert_holds(list, " 100000 ");
    response_free(&response);
    free(text);
    free(url);
    free(out);
    free(err);
    free(shown);
    free(list);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(run_is_found_by_id_prefix_request_and_latest)
{
    begin();
    apply_script("Greet", "true");
    ASSERT_FAILS(1, "there is no fleet run yet", "run", "show", "latest");
    char *first = ctl_ok(&webhookd, "run", "start", "Greet", NULL);
    char *second = ctl_ok(&webhookd, "run", "start", "Greet", NULL);
    ck_assert(id_looks_like(first));
    char *prefix = memory_string(first);
    size_t common = 0;
    while (first[common] == second[common])
        common++;
    prefix[common + 1] = '\0';
    char *shown = ctl_ok(&webhookd, "run", "show", prefix, NULL);
    assert_holds(shown, first);
    char *request = strstr(shown, "Request") + strlen("Request");
    request += strspn(request, " ");
    request[ID_TEXT_BYTES - 1] = '\0';
    char *by_request = ctl_ok(&webhookd, "run", "show", request, NULL);
    assert_holds(by_request, first);
    char *latest = ctl_ok(&webhookd, "run", "show", "latest", NULL);
    assert_holds(latest, second);
    prefix[common] = '\0';
    ASSERT_FAILS(1, "several fleet runs", "run", "show", prefix);
    ASSERT_FAILS(1, "there is no fleet run \"ffff\"", "run", "show", "ffff");
    ASSERT_FAILS(1, "names no fleet run", "run", "show", "the last one");
    free(first);
    free(second);
    free(prefix);
    free(shown);
    free(by_request);
    free(latest);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(list_holds_as_many_runs_as_asked_for)
{
    begin();
    apply_script("One", "true");
    apply_script("Two", "true");
    for (int i = 0; i < 3; i++)
        free(ctl_ok(&webhookd, "run", "start", i == 1 ? "Two" : "One", NULL));
    char *list = ctl_ok(&webhookd, "run", "list", "--limit", "2", NULL);
    assert_holds(list, " One ");
    assert_holds(list, " Two ");
    char *third = strchr(strchr(list, '\n') + 1, '\n') + 1;
    ck_assert_ptr_null(strchr(third, '\n'));
    free(list);
    list = ctl_ok(&webhookd, "run", "list", "--fleet", "Two", NULL);
    assert_lacks(list, " One ");
    free(list);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(wait_tells_success_from_failure)
{
    begin();
    apply_script("Good", "true");
    apply_script("Bad", "exit 3");
    char *good = ctl_ok(&webhookd, "run", "start", "Good", NULL);
    char *bad = ctl_ok(&webhookd, "run", "start", "Bad", NULL);
    char *word = ctl_ok(&webhookd, "run", "wait", good, NULL);
    ck_assert_str_eq(word, "success");
    char *out, *err;
    ck_assert_int_eq(ctl(&webhookd, &out, NULL, &err, "run", "wait", bad, NULL), 1);
    ck_assert_str_eq(out, "errored\n");
    ck_assert_str_eq(err, "");
    free(good);
    free(bad);
    free(word);
    free(out);
    free(err);
    daemon_finish(&webhookd);
}
END_TEST

/* A fleet whose vessel waits until someone opens the pipe for writing. Its path. */
static char *apply_patient(const char *name)
{
    char *pipe_path = memory_format("%s/pipe", webhookd.folder);
    ck_assert_int_eq(mkfifo(pipe_path, 0666), 0);
    ck_assert_int_eq(chmod(pipe_path, 0666), 0);
    char *script = memory_format("read line < %s; true", pipe_path);
    apply_script(name, script);
    free(script);
    return pipe_path;
}

static void let_go(const char *pipe_path)
{
    int fd = open(pipe_path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "go\n", 3), 3);
    close(fd);
}

START_TEST(wait_says_when_its_time_is_over)
{
    begin();
    char *pipe_path = apply_patient("Patient");
    char *run = ctl_ok(&webhookd, "run", "start", "Patient", NULL);
    ASSERT_FAILS(1, "after 100ms; it goes on", "run", "wait", run, "--timeout", "100ms");
    let_go(pipe_path);
    free(ctl_ok(&webhookd, "run", "wait", run, NULL));
    free(run);
    free(pipe_path);
    daemon_finish(&webhookd);
}
END_TEST

/* Waits (at most 20 s) until the process sleeps, as run wait does between two questions. */
static bool await_sleep(pid_t pid)
{
    char *path = memory_format("/proc/%d/syscall", (int)pid);
    int64_t until_ms = clock_monotonic_ms() + 20000;
    bool sleeps = false;
    while (!sleeps && clock_monotonic_ms() < until_ms) {
        char text[128] = "";
        FILE *file = fopen(path, "r");
        if (file && fgets(text, sizeof(text), file))
            sleeps = strtol(text, NULL, 10) == SYS_clock_nanosleep;
        if (file)
            fclose(file);
        usleep(1000);
    }
    free(path);
    return sleeps;
}

START_TEST(wait_outlasts_a_restart_of_webhookd)
{
    if (access("/proc/self/syscall", R_OK) != 0) {
        test_skip("the kernel does not tell what a process waits for");
        return;
    }
    begin();
    char *pipe_path = apply_patient("Patient");
    char *run = ctl_ok(&webhookd, "run", "start", "Patient", NULL);
    pid_t waiter = spawn((const char *const[]){"run", "wait", run, NULL});
    ck_assert_msg(await_sleep(waiter), "webhookctl does not wait");
    ck_assert_int_eq(daemon_stop(&webhookd), 0);
    daemon_restart(&webhookd);
    let_go(pipe_path);
    int status = -1;
    ck_assert_int_eq(waitpid(waiter, &status, 0), waiter);
    ck_assert_int_eq(status, 0);
    free(run);
    free(pipe_path);
    daemon_finish(&webhookd);
}
END_TEST

/* A vessel in one line of a fleet file. */
#define VESSEL(name, script)                                                                       \
    "  " name ": {source: {type: CODE, language: BASH, file_to_run: a.sh, "                        \
    "file: {name: a.sh, content: \"" script "\"}}}\n"

START_TEST(log_shows_vessels_in_order_under_headings)
{
    static const char text[] = "name: Three\nvessels:\n" VESSEL("first", "printf one")
        VESSEL("second", "echo two; exit 1") VESSEL(
            "third", "true") "connections: {first: {second: SUCCESS}, second: {third: SUCCESS}}\n";
    begin();
    free(apply_text("three.yaml", text));
    char *run = ctl_ok(&webhookd, "run", "start", "Three", NULL);
    char *out, *err;
    ck_assert_int_eq(ctl(&webhookd, &out, NULL, &err, "run", "wait", run, NULL), 1);
    free(out);
    free(err);
    ck_assert_int_eq(ctl(&webhookd, &out, NULL, &err, "run", "log", run, NULL), 0);
    ck_assert_str_eq(out, "==> first <==\none\n\n==> second <==\ntwo\n");
    free(out);
    free(err);
    ck_assert_int_eq(
        ctl(&webhookd, &out, NULL, &err, "run", "log", run, "first", "--attempt", "1", NULL), 0);
    ck_assert_str_eq(out, "one");
    free(out);
    free(err);
    ASSERT_FAILS(1, "no attempt 2", "run", "log", run, "first", "--attempt", "2");
    ASSERT_FAILS(1, "no vessel of this run", "run", "log", run, "--attempt", "2");
    ASSERT_FAILS(1, "has no vessel \"fourth\"", "run", "log", run, "fourth");
    ASSERT_FAILS(1, "has not started", "run", "log", run, "third");
    free(run);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(again_runs_the_same_body)
{
    begin();
    apply_script("Greet", "cat \"$SHIPYARD_WEBHOOK_BODY_FILE\"");
    char *path = daemon_write_file(&webhookd, "body.json", "{\"a\":1}", 7);
    char *first = ctl_ok(&webhookd, "run", "start", "Greet", "--body", path, NULL);
    char *headers = ctl_ok(&webhookd, "run", "headers", first, NULL);
    ck_assert_str_eq(headers, "Content-Type: application/json");
    char *second = ctl_ok(&webhookd, "run", "again", first, NULL);
    ck_assert_str_ne(first, second);
    free(ctl_ok(&webhookd, "run", "wait", second, NULL));
    char *log = ctl_ok(&webhookd, "run", "log", second, NULL);
    ck_assert_str_eq(log, "{\"a\":1}");
    free(path);
    free(first);
    free(headers);
    free(second);
    free(log);
    daemon_finish(&webhookd);
}
END_TEST

/* The most memory that a webhookctl with these arguments has held, in KiB. */
static long peak_kib(const char *const *arguments)
{
    int status = -1;
    struct rusage usage;
    pid_t pid = spawn(arguments);
    ck_assert_int_eq(wait4(pid, &status, 0, &usage), pid);
    ck_assert_int_eq(status, 0);
    return usage.ru_maxrss;
}

START_TEST(large_bodies_pass_through_without_being_held)
{
    begin();
    apply_script("Greet", "true");
    char *path = daemon_write_file(&webhookd, "body", "", 0);
    ck_assert_int_eq(truncate(path, BIG_BODY_BYTES), 0);
    long without = peak_kib((const char *const[]){"run", "list", NULL});
    long sending = peak_kib((const char *const[]){"run", "start", "Greet", "--body", path, NULL});
    long receiving = peak_kib((const char *const[]){"run", "body", "latest", NULL});
    ck_assert_int_lt(sending - without, BIG_BODY_BYTES / 1024 / 2);
    ck_assert_int_lt(receiving - without, BIG_BODY_BYTES / 1024 / 2);
    ck_assert_int_eq(shell("test $($C run body latest | wc -c) = 25165824"), 0);
    free(path);
    daemon_finish(&webhookd);
}
END_TEST

/* ---- how it ends ---- */

START_TEST(wrong_usage_exits_2_with_a_hint)
{
    begin();
    char *out, *err;
    ck_assert_int_eq(ctl(&webhookd, &out, NULL, &err, NULL), 2);
    assert_holds(err, "webhookctl help");
    free(out);
    free(err);
    ASSERT_FAILS(2, "one of list, create, delete", "org");
    ASSERT_FAILS(2, "one of list, create, delete", "org", "rename");
    ASSERT_FAILS(2, "webhookctl help", "bogus");
    ASSERT_FAILS(2, "usage: webhookctl fleet show FLEET", "fleet", "show");
    ASSERT_FAILS(2, "\"b\" is one operand too many", "fleet", "show", "a", "b");
    ASSERT_FAILS(2, "unknown option --bogus", "org", "list", "--bogus");
    ASSERT_FAILS(2, "takes no --check", "org", "list", "--check");
    ASSERT_FAILS(2, "--limit must be", "run", "list", "--limit", "0");
    ASSERT_FAILS(2, "--status must be", "run", "list", "--status", "bogus");
    ASSERT_FAILS(2, "--timeout must be", "run", "wait", "latest", "--timeout", "5");
    ASSERT_FAILS(2, "not in this version", "backup", "file");
    ASSERT_FAILS(2, "not in this version", "run", "log", "latest", "--follow");
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(help_and_version_need_no_webhookd)
{
    begin();
    ck_assert_int_eq(daemon_stop(&webhookd), 0);
    char *version = ctl_ok(&webhookd, "-V", NULL);
    ck_assert_str_eq(version, "webhookctl " WEBHOOKD_VERSION);
    char *help = ctl_ok(&webhookd, "help", NULL);
    assert_holds(help, "webhookctl webhook replace FLEET");
    char *one = ctl_ok(&webhookd, "fleet", "apply", "-h", NULL);
    assert_holds(one, "--check");
    assert_lacks(one, "webhook replace");
    free(version);
    free(help);
    free(one);
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(absent_webhookd_is_explained)
{
    begin();
    ck_assert_int_eq(daemon_stop(&webhookd), 0);
    ASSERT_FAILS(1, "there is no socket", "org", "list");
    free(daemon_write_file(&webhookd, "admin.sock", "", 0));
    ASSERT_FAILS(1, "nothing listens on", "org", "list");
    daemon_finish(&webhookd);
}
END_TEST

START_TEST(output_that_cannot_be_written_is_a_failure)
{
    begin();
    apply_script("Greet", "true");
    char *path = daemon_write_file(&webhookd, "body", "text", 4);
    free(ctl_ok(&webhookd, "run", "start", "Greet", "--body", path, NULL));
    ck_assert_int_eq(shell("$C run list >/dev/full 2>/dev/null"), 1);
    ck_assert_int_eq(shell("$C run body latest >/dev/full 2>/dev/null"), 1);
    /* A closed stream's number must not become that of the socket, into which the body would then go. */
    ck_assert_int_eq(shell("$C run body latest >&- 2>/dev/null"), 1);
    ck_assert_int_eq(shell("test -z \"$( { $C run list | true; } 2>&1)\""), 0);
    free(path);
    daemon_finish(&webhookd);
}
END_TEST

TEST_MAIN("webhookctl", TEST(fleet_file_is_printed_as_it_was_applied),
          TEST(every_file_is_tried_and_reported_by_itself),
          TEST(folder_without_a_fleet_file_is_an_error), TEST(check_changes_nothing),
          TEST(fleet_file_and_body_may_come_from_standard_input),
          TEST(name_without_folders_means_default_and_hints_at_others),
          TEST(hostile_names_are_shown_escaped), TEST(url_stands_alone_on_its_line),
          TEST(body_and_headers_come_back_as_they_were_sent),
          TEST(run_is_found_by_id_prefix_request_and_latest),
          TEST(list_holds_as_many_runs_as_asked_for), TEST(wait_tells_success_from_failure),
          TEST(wait_says_when_its_time_is_over), TEST(wait_outlasts_a_restart_of_webhookd),
          TEST(log_shows_vessels_in_order_under_headings), TEST(again_runs_the_same_body),
          TEST(large_bodies_pass_through_without_being_held), TEST(wrong_usage_exits_2_with_a_hint),
          TEST(help_and_version_need_no_webhookd), TEST(absent_webhookd_is_explained),
          TEST(output_that_cannot_be_written_is_a_failure))
