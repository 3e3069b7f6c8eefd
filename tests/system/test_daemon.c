/* webhookd from outside, as its service manager and its administrator see it: start, refusals,
 * reload, stop, restart. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/store.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

#define UNKNOWN_TOKEN "/hooks/whk_000000000000000000000000000000000000"

static const struct daemon_options plain;

/* ---- helpers ---- */

/* Runs webhookd with these arguments until it ends and returns its exit status. *out receives its
 * output. Free it. */
static int run_webhookd(char **out, ...)
{
    char *argv[8] = {daemon_program("webhookd")};
    va_list list;
    va_start(list, out);
    for (int i = 1; i < 7 && (argv[i] = va_arg(list, char *)); i++)
        ;
    va_end(list);
    int pipes[2], status;
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    close(pipes[1]);
    struct buffer text = BUFFER_INIT;
    char piece[4096];
    for (ssize_t bytes; (bytes = read(pipes[0], piece, sizeof(piece))) > 0;)
        buffer_append(&text, piece, (size_t)bytes);
    close(pipes[0]);
    waitpid(pid, &status, 0);
    free(argv[0]);
    *out = buffer_take(&text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void write_config(struct daemon *daemon, const char *text)
{
    free(daemon_write_file(daemon, "webhookd.conf", text, strlen(text)));
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

static mode_t mode_of(const struct daemon *daemon, const char *name)
{
    struct stat status;
    char *path = memory_format("%s/%s", daemon->state_dir, name);
    ck_assert_msg(lstat(path, &status) == 0, "%s: %s", path, strerror(errno));
    free(path);
    return status.st_mode & 07777;
}

static char *state_path(const struct daemon *daemon, const char *name)
{
    return memory_format("%s/%s", daemon->state_dir, name);
}

/* Returns the current port of the hooks listener, even if the log does not show it. */
static unsigned hooks_port(struct daemon *daemon)
{
    json_t *status = api_get(daemon, "/status");
    const char *address = api_text(json_object_get(status, "listeners"), "hooks");
    const char *colon = strrchr(address, ':');
    ck_assert_ptr_nonnull(colon);
    unsigned port = (unsigned)strtoul(colon + 1, NULL, 10);
    json_decref(status);
    return port;
}

static int post_status(unsigned port, const char *path, const void *body, size_t bytes)
{
    struct response response;
    char *url = memory_format("http://127.0.0.1:%u%s", port, path);
    http_post(url, NULL, body, bytes, &response);
    free(url);
    int status = response.status;
    response_free(&response);
    return status;
}

static int count_in(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* Waits until the log contains the text that many times. */
static void await_log_times(struct daemon *daemon, const char *text, int times)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (;;) {
        char *log = daemon_log(daemon);
        int count = count_in(log, text);
        free(log);
        if (count >= times)
            return;
        ck_assert_msg(clock_monotonic_ms() < until_ms, "\"%s\" appeared only %d times", text,
                      count);
        usleep(5000);
    }
}

/* ---- the first start ---- */

TEST(first_start_creates_a_state_folder_that_is_closed_to_others)
{
    struct daemon daemon;
    umask(0);
    daemon_begin(&daemon, &plain);
    static const char *const folders[] = {"", "spool", "runs", "attempts", "logs", "trash"};
    static const char *const files[] = {"secret.key", "webhookd.db", "webhookd.db-wal", "lock"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        ck_assert_msg(mode_of(&daemon, folders[i]) == 0700, "%s: %o", folders[i],
                      mode_of(&daemon, folders[i]));
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        ck_assert_msg(mode_of(&daemon, files[i]) == 0600, "%s: %o", files[i],
                      mode_of(&daemon, files[i]));
    daemon_finish(&daemon);
}

TEST(every_file_in_the_state_folder_is_closed_to_others_even_after_runs)
{
    struct daemon daemon;
    umask(0);
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Modes", "echo done");
    char *url = daemon_fleet(&daemon, fleet);
    char *body = memory_alloc(200000);
    char *id = api_post(url, body, 200000);
    json_decref(api_await_end(&daemon, id));
    char *command = memory_format("test -n \"$(find %s -type f -name '*.1' -path '*/logs/*')\" && "
                                  "test -z \"$(find %s -perm /077 ! -type l ! -path '*/runs/*')\"",
                                  daemon.state_dir, daemon.state_dir);
    ck_assert_msg(system(command) == 0, "an entry of the state folder is accessible to others");
    free(command);
    free(id);
    free(body);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(first_start_creates_organization_and_project_default)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    json_t *orgs = api_get(&daemon, "/orgs");
    const json_t *list = json_object_get(orgs, "orgs");
    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(api_text(json_array_get(list, 0), "name"), "default");
    json_t *projects =
        api_get(&daemon, "/orgs/%s/projects", api_text(json_array_get(list, 0), "id"));
    list = json_object_get(projects, "projects");
    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(api_text(json_array_get(list, 0), "name"), "default");
    json_decref(projects);
    json_decref(orgs);
    daemon_finish(&daemon);
}

TEST(state_folder_that_was_open_to_others_is_closed)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    ck_assert_int_eq(mkdir(daemon.state_dir, 0755), 0);
    ck_assert_int_eq(chmod(daemon.state_dir, 0755), 0);
    daemon_restart(&daemon);
    ck_assert_uint_eq(mode_of(&daemon, ""), 0700);
    daemon_finish(&daemon);
}

/* A mistake in the configuration (state_dir = "/home/me") must neither close the folder to everyone
 * else nor fill it. */
TEST(folder_with_other_files_is_refused_as_state_folder_and_stays_as_it_is)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    ck_assert_int_eq(mkdir(daemon.state_dir, 0755), 0);
    ck_assert_int_eq(chmod(daemon.state_dir, 0755), 0);
    free(daemon_write_file(&daemon, "state/letter.txt", "dear", 4));
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    daemon_await_log(&daemon, "is not a state folder of webhookd: it contains \\\"letter.txt\\\"");
    ck_assert_uint_eq(mode_of(&daemon, ""), 0755);
    char *lock = memory_format("%s/lock", daemon.state_dir);
    ck_assert_int_ne(access(lock, F_OK), 0);
    free(lock);
    daemon_finish(&daemon);
}

/* A state folder restored from a backup, which contains no lock, next to the lost+found that mkfs
 * creates on a disk of its own. */
TEST(restored_state_without_a_lock_is_accepted)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *lock = memory_format("%s/lock", daemon.state_dir);
    char *found = memory_format("%s/lost+found", daemon.state_dir);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(mkdir(found, 0700), 0);
    daemon_restart(&daemon);
    free(lock);
    free(found);
    daemon_finish(&daemon);
}

/* Otherwise they would be removed, like what a crash leaves. */
TEST(a_lost_database_is_not_replaced_beside_bodies_and_output)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Kept", "echo output"), *url = daemon_fleet(&daemon, fleet);
    char *logs = state_path(&daemon, "logs"), *database = state_path(&daemon, "webhookd.db");
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "{}", 2), 201);
    free(ctl_ok(&daemon, "run", "wait", "latest", NULL));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    ck_assert_int_eq(truncate(database, 0), 0);
    for (int is_missing = 0; is_missing <= 1; is_missing++) {
        if (is_missing)
            ck_assert_int_eq(unlink(database), 0);
        ck_assert_int_eq(daemon_start_fails(&daemon), 78);
        daemon_await_log(&daemon, "the database is missing or empty, but \\\"");
        daemon_await_log(&daemon, "/logs\\\" holds data of earlier fleet runs: restore a backup");
        struct error error = ERROR_INIT;
        ck_assert_int_eq(file_folder_holds_any(AT_FDCWD, logs, &error), 1);
    }
    free(database);
    free(logs);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(a_state_folder_that_is_closed_to_webhookd_is_named)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    if (getuid() != 0) {
        test_skip("needs root, to run webhookd as another user");
        daemon_finish(&daemon);
        return;
    }
    ck_assert_int_eq(mkdir(daemon.state_dir, 0700), 0);
    ck_assert_int_eq(chmod(daemon.folder, 0711), 0);
    ck_assert_int_eq(chmod(daemon.config, 0644), 0);
    char *program = daemon_program("webhookd");
    char *command = memory_format(
        "setpriv --reuid=65534 --regid=65534 --clear-groups %s -c %s 2>&1", program, daemon.config);
    FILE *pipe = popen(command, "re");
    char text[1024];
    text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
    ck_assert_int_eq(WEXITSTATUS(pclose(pipe)), 78);
    assert_holds(text, "/state\\\" is closed to the user that webhookd runs as; chown it");
    free(command);
    free(program);
    daemon_finish(&daemon);
}

TEST(second_start_keeps_key_and_store)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Kept", "true");
    free(daemon_fleet(&daemon, fleet));
    char *before = ctl_ok(&daemon, "webhook", "show", "Kept", NULL);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    char *after = ctl_ok(&daemon, "webhook", "show", "Kept", NULL);
    ck_assert_str_eq(before, after);
    free(after);
    free(before);
    free(fleet);
    daemon_finish(&daemon);
}

/* Invariant 3. */
TEST(second_webhookd_on_the_same_state_is_refused)
{
    struct daemon first, second;
    daemon_begin(&first, &plain);
    struct daemon_options options = {.state_dir = first.state_dir};
    daemon_prepare(&second, &options);
    ck_assert_int_eq(daemon_start_fails(&second), 1);
    daemon_await_log(&second, "another webhookd uses");
    ck_assert_int_eq(post_status(first.port, UNKNOWN_TOKEN, "x", 1), 400);
    daemon_finish(&second);
    daemon_finish(&first);
}

/* ---- the command line and the configuration ---- */

TEST(invalid_configuration_ends_with_78_and_names_file_and_line)
{
    static const struct {
        const char *text;
        int line;
        const char *words;
    } cases[] = {
        {"# one\nstat_dir = \"/x\"\n", 2, "stat_dir"},
        {"hooks {\n\n max_body = \"lots\"\n}\n", 3, "hooks.max_body"},
        {"hooks {\n max_body = \"32MB\"\n}\n", 2, "KiB"},
        {"hooks { header_timeout = \"10\" }\n", 1, "hooks.header_timeout"},
        {"log_level = \"loud\"\n", 1, "error, warning, info, debug"},
        {"runner {\n nice = 5\n nice = 6\n}\n", 3, "already set"},
        {"runner {\n max_vessels = 99999\n}\n", 2, "10000"},
        {"runner {\n sandbox = \"maybe\"\n}\n", 2, "strict, off"},
        {"hooks { listen = \"localhost:8080\" }\n", 1, "hooks.listen"},
        {"\n\nfleet \"no-path\" { user = \"nobody\" }\n", 3, "no-path"},
        {"state_dir = \"relative\"\n", 1, "absolute"},
    };
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *out;
        write_config(&daemon, cases[i].text);
        ck_assert_int_eq(run_webhookd(&out, "-c", daemon.config, NULL), 78);
        char *place = memory_format("%s:%d: ", daemon.config, cases[i].line);
        assert_holds(out, place);
        assert_holds(out, cases[i].words);
        free(place);
        free(out);
    }
    daemon_finish(&daemon);
}

TEST(missing_configuration_ends_with_78_and_names_the_file)
{
    char *out;
    ck_assert_int_eq(run_webhookd(&out, "-c", "/nonexistent/webhookd.conf", NULL), 78);
    assert_holds(out, "/nonexistent/webhookd.conf");
    free(out);
}

TEST(check_config_checks_and_starts_nothing)
{
    static const char *const flags[] = {"-t", "--check-config"};
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        char *out;
        ck_assert_int_eq(run_webhookd(&out, "-c", daemon.config, flags[i], NULL), 0);
        assert_holds(out, ": ok");
        free(out);
    }
    ck_assert_int_ne(access(daemon.state_dir, F_OK), 0);
    char *out;
    write_config(&daemon, "nonsense = 1\nmore = 2\n");
    ck_assert_int_eq(run_webhookd(&out, "-c", daemon.config, "-t", NULL), 78);
    assert_holds(out, ":1: nonsense");
    assert_holds(out, ":2: more");
    free(out);
    daemon_finish(&daemon);
}

TEST(check_config_and_status_name_a_known_bug_of_the_loaded_sqlite)
{
    struct daemon daemon;
    char *out, *caveat = store_caveat("sqlite:webhookd.db");
    daemon_begin(&daemon, &plain);
    ck_assert_int_eq(run_webhookd(&out, "-c", daemon.config, "-t", NULL), 0);
    char *status = ctl_ok(&daemon, "status", NULL);
    json_t *data = api_get(&daemon, "/status");
    ck_assert_str_eq(api_text(data, "store_caveat"), caveat ? caveat : "");
    if (caveat) {
        assert_holds(out, caveat);
        assert_holds(status, caveat);
    } else {
        ck_assert_ptr_null(strstr(out, "note:"));
    }
    json_decref(data);
    free(status);
    free(out);
    free(caveat);
    daemon_finish(&daemon);
}

TEST(empty_configuration_is_valid)
{
    struct daemon daemon;
    char *out;
    daemon_prepare(&daemon, &plain);
    write_config(&daemon, "");
    ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 0);
    assert_holds(out, ": ok");
    free(out);
    daemon_finish(&daemon);
}

TEST(version_and_help_are_printed)
{
    char *out;
    ck_assert_int_eq(run_webhookd(&out, "-V", NULL), 0);
    ck_assert_str_eq(out, "webhookd " WEBHOOKD_VERSION "\n");
    free(out);
    ck_assert_int_eq(run_webhookd(&out, "-h", NULL), 0);
    assert_holds(out, "--check-config");
    free(out);
}

TEST(invalid_usage_ends_with_2)
{
    char *out;
    ck_assert_int_eq(run_webhookd(&out, "--bogus", NULL), 2);
    assert_holds(out, "bogus");
    assert_holds(out, "usage:");
    free(out);
    ck_assert_int_eq(run_webhookd(&out, "operand", NULL), 2);
    assert_holds(out, "operand");
    free(out);
    ck_assert_int_eq(run_webhookd(&out, "-c", NULL), 2);
    free(out);
}

/* Starts webhookd with a configuration that is well-formed but that it must refuse. It must not
 * create anything. */
static void assert_start_refused(const char *format, const char *words)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    char *text = memory_format("state_dir = \"%s\"\n%s", daemon.state_dir, format);
    write_config(&daemon, text);
    char *out;
    ck_assert_int_eq(run_webhookd(&out, "-c", daemon.config, NULL), 78);
    assert_holds(out, words);
    ck_assert_int_ne(access(daemon.state_dir, F_OK), 0);
    free(out);
    free(text);
    daemon_finish(&daemon);
}

/* The sandbox mode strict is the default. */
TEST(paths_of_webhookd_that_vessels_would_see_are_refused_with_a_reason)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"admin { socket = \"/usr/local/admin.sock\" }\n",
         "admin.socket: vessels can read \"/usr/local/admin.sock\""},
        {"admin { listen = \"unix:/etc/ssl/certs/sock\" }\n",
         "admin.listen: vessels can read \"/etc/ssl/certs/sock\""},
        {"runner { readable = { \"/tmp\" } }\n", "runner.readable: vessels would see"},
        {"runner { writable = { \"/run\" } }\n", "which is for webhookd alone"},
        {"runner { readable = { \"/\" } }\n", "runner.readable: \"/\" would cover"},
        {"runner { readable = { \"/srv/a\" } writable = { \"/srv\" } }\n",
         "which vessels may write"},
        {"runner { writable = { \"/srv/a\", \"/srv\" } }\n", "which vessels may write"},
        {"packages { dir = \"/srv/a\" } runner { writable = { \"/srv\" } }\n",
         "runner.writable: vessels could change installed packages in \"/srv/a\""},
        {"packages { dir = \"/srv\" } runner { writable = { \"/srv/a\" } }\n",
         "runner.writable: vessels could change installed packages"},
        {"runner { readable = { \"/./proc\" } }\n", "would cover /proc"},
        {"runner { writable = { \"/home\" } }\n", "runner.writable: \"/home\" would cover"},
        {"runner { readable = { \"/nowhere\" } }\n",
         "runner.readable: \"/nowhere\" does not exist; create the folder, or remove it from the "
         "list"},
        {"runner { writable = { \"/var/nowhere\" } }\n",
         "runner.writable: \"/var/nowhere\" does not exist;"},
        {"runner { sandbox = off }\nfleet \"a/b/c\" { sandbox = strict }\n"
         "admin { socket = \"/opt/admin.sock\" }\n",
         "/opt/admin.sock"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_start_refused(cases[i].text, cases[i].words);
}

TEST(without_isolated_vessels_paths_may_be_anywhere)
{
    struct daemon daemon;
    char *out;
    daemon_prepare(&daemon, &plain);
    write_config(&daemon,
                 "admin { socket = \"/usr/local/admin.sock\" } runner { sandbox = off }\n");
    ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 0);
    free(out);
    write_config(&daemon,
                 "admin { socket = \"/usr/local/admin.sock\" } runner { enabled = false }\n");
    ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 0);
    free(out);
    daemon_finish(&daemon);
}

TEST(root_is_not_isolated)
{
    if (geteuid() != 0) {
        test_skip("only root may have vessels run as root");
        return;
    }
    assert_start_refused("fleet \"a/b/c\" { user = root }\n", "root cannot be isolated");
}

/* A check before a restart must report what the restart would report. */
TEST(check_config_refuses_what_a_start_refuses)
{
    struct daemon daemon;
    char *out;
    daemon_prepare(&daemon, &plain);
    write_config(&daemon, "hooks { tls_certificate = \"/a\" tls_key = \"/b\" }\n");
    ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 78);
    assert_holds(out, "hooks.tls_certificate");
    free(out);
    if (geteuid() == 0) { /* otherwise runner.user has no effect */
        write_config(&daemon, "runner { sandbox = \"off\" user = \"nobody-of-this-name\" }\n");
        ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 78);
        assert_holds(out,
                     "runner.user: there is no user \"nobody-of-this-name\"; create it, or name");
        free(out);
        write_config(&daemon, "fleet \"a/b/c\" { user = \"nobody-of-this-name\" }\n");
        ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon.config, NULL), 78);
        assert_holds(out,
                     "fleet \"a/b/c\": user: there is no user \"nobody-of-this-name\"; create");
        free(out);
    }
    daemon_finish(&daemon);
}

TEST(tls_keys_are_refused_with_a_reason)
{
    assert_start_refused("hooks {\n tls_certificate = \"/etc/ssl/a.pem\"\n tls_key = "
                         "\"/etc/ssl/a.key\"\n}\nrunner { sandbox = \"off\" }\n",
                         "TLS");
}

TEST(port_in_use_is_refused_with_a_reason)
{
    struct daemon first, second;
    daemon_begin(&first, &plain);
    daemon_prepare(&second, &plain);
    char *text = memory_format("state_dir = \"%s\"\nhooks { listen = \"127.0.0.1:%u\" }\n"
                               "admin { listen = \"\" socket = \"%s\" }\n"
                               "runner { sandbox = \"off\" }\n",
                               second.state_dir, first.port, second.socket);
    write_config(&second, text);
    free(text);
    ck_assert_int_eq(daemon_start_fails(&second), 1);
    daemon_await_log(&second, "hooks.listen: cannot listen on \\\"127.0.0.1:");
    daemon_finish(&second);
    daemon_finish(&first);
}

/* Starts with these lines in the configuration, behind those of a state folder and a socket. */
static void assert_start_fails(const char *state_dir, const char *more, int status,
                               const char *words)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    free(daemon_write_file(&daemon, "file", "x", 1));
    char *text = memory_format("state_dir = \"%s/%s\"\nhooks { listen = \"127.0.0.1:0\" }\n"
                               "admin { listen = \"\" socket = \"%s\" %s }\n"
                               "runner { sandbox = \"off\" }\n",
                               daemon.folder, state_dir, daemon.socket, more);
    write_config(&daemon, text);
    ck_assert_int_eq(daemon_start_fails(&daemon), status);
    daemon_await_log(&daemon, words);
    free(text);
    daemon_finish(&daemon);
}

TEST(a_start_that_the_configuration_prevents_ends_with_78_and_names_the_key)
{
    assert_start_fails("x/state", "", 78, "state_dir: cannot create \\\"");
    assert_start_fails("x/state", "", 78, "/x/state\\\": its parent folder does not exist");
    assert_start_fails("file", "", 78, "/file\\\" is not a folder");
    assert_start_fails("file/state", "", 78, "state_dir: ");
    assert_start_fails("state", "socket_group = \"no-such-group\"", 78,
                       "admin.socket_group: there is no group \\\"no-such-group\\\"; create it");
}

/* ---- store and key ---- */

static void execute(const struct daemon *daemon, const char *sql)
{
    sqlite3 *db = NULL;
    char *path = state_path(daemon, "webhookd.db"), *why = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
    sqlite3_close(db);
    free(path);
}

TEST(store_of_a_newer_version_is_refused_and_left_alone)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Kept", "true");
    free(daemon_fleet(&daemon, fleet));
    json_t *status = api_get(&daemon, "/status");
    long long version = json_integer_value(json_object_get(status, "schema_version"));
    json_decref(status);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *sql = memory_format("PRAGMA user_version = %lld", version + 1);
    execute(&daemon, sql);
    free(sql);
    ck_assert_int_eq(daemon_start_fails(&daemon), 1);
    daemon_await_log(&daemon, "newer");
    sql = memory_format("PRAGMA user_version = %lld", version);
    execute(&daemon, sql);
    free(sql);
    daemon_restart(&daemon);
    free(ctl_ok(&daemon, "fleet", "show", "Kept", NULL));
    free(fleet);
    daemon_finish(&daemon);
}

TEST(database_of_another_program_is_refused)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &plain);
    ck_assert_int_eq(mkdir(daemon.state_dir, 0700), 0);
    execute(&daemon, "CREATE TABLE other(a)");
    ck_assert_int_eq(daemon_start_fails(&daemon), 1);
    daemon_await_log(&daemon, "cannot start");
    execute(&daemon, "DROP TABLE other"); /* the table still exists */
    daemon_finish(&daemon);
}

/* Runs a webhookctl command that must fail because the right secret key is not there. */
static void assert_no_key(struct daemon *daemon, const char *verb, const char *fleet,
                          const char *why)
{
    char *out, *err;
    ck_assert_int_eq(ctl(daemon, &out, NULL, &err, "webhook", verb, fleet, NULL), 1);
    assert_holds(err, "secret.key");
    assert_holds(err, why);
    ck_assert_str_eq(out, "");
    free(out);
    free(err);
}

TEST(without_the_key_webhooks_cannot_be_shown_but_still_accept)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Sealed", "true"), *other = bash_fleet("Other", "true");
    char *url = daemon_fleet(&daemon, fleet);
    char *path = daemon_write_file(&daemon, "other.yaml", other, strlen(other));
    free(ctl_ok(&daemon, "fleet", "apply", path, NULL));
    char *shown = ctl_ok(&daemon, "webhook", "show", "Sealed", NULL);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *key = state_path(&daemon, "secret.key");
    char *away = memory_format("%s/key-away", daemon.folder);
    ck_assert_int_eq(rename(key, away), 0);

    daemon_restart(&daemon);
    daemon_await_log(&daemon, "error: secret.key is missing");
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "{}", 2), 201);
    assert_no_key(&daemon, "show", "Sealed", "is missing");
    assert_no_key(&daemon, "replace", "Sealed", "is missing");
    assert_no_key(&daemon, "create", "Other", "is missing");
    char *out;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "webhook", "list", NULL), 1);
    free(out);
    json_t *status = api_get(&daemon, "/status");
    ck_assert(json_is_false(json_object_get(status, "key_usable")));
    json_decref(status);
    char *text = ctl_ok(&daemon, "status", NULL);
    assert_holds(text,
                 "\nKey file    secret.key is missing from the state folder: webhooks cannot "
                 "be shown, created or replaced, nor credentials and hidden values set or used, "
                 "until it is restored");
    free(text);
    ck_assert_int_ne(access(key, F_OK), 0); /* no new key while sealed tokens exist */
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "{}", 2), 201);

    ck_assert_int_eq(rename(away, key), 0);
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, "usable again"));
    free(log);
    char *again = ctl_ok(&daemon, "webhook", "show", "Sealed", NULL);
    ck_assert_str_eq(again, shown);
    daemon_await_log(&daemon, "info: the key is usable again file=secret.key");
    free(ctl_ok(&daemon, "webhook", "create", "Other", NULL));
    free(again);
    free(away);
    free(key);
    free(shown);
    free(path);
    free(url);
    free(other);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(wrong_key_is_refused_until_the_right_one_is_back)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Sealed", "true");
    free(daemon_fleet(&daemon, fleet));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *key = state_path(&daemon, "secret.key");
    char *away = memory_format("%s/key-away", daemon.folder);
    ck_assert_int_eq(rename(key, away), 0);
    static const char wrong[32] = "this is thirty-two bytes of key";
    int fd = open(key, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_eq(write(fd, wrong, sizeof(wrong)), (ssize_t)sizeof(wrong));
    close(fd);

    daemon_restart(&daemon);
    daemon_await_log(&daemon,
                     "error: the key is not usable file=secret.key error=\"secret.key is not "
                     "the key that sealed the stored webhooks");
    assert_no_key(&daemon, "show", "Sealed", "is not the key that sealed the stored webhooks");
    assert_no_key(&daemon, "replace", "Sealed", "is not the key that sealed the stored webhooks");
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, "usable again"));
    free(log);
    ck_assert_int_eq(rename(away, key), 0);
    free(ctl_ok(&daemon, "webhook", "show", "Sealed", NULL));
    daemon_await_log(&daemon, "info: the key is usable again");
    free(away);
    free(key);
    free(fleet);
    daemon_finish(&daemon);
}

/* They keep no sender out, like a key that is missing or wrong. */
TEST(a_key_file_that_cannot_be_used_is_reported_and_requests_are_accepted)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Sealed", "true"), *url = daemon_fleet(&daemon, fleet);
    char *key = state_path(&daemon, "secret.key");
    static const struct {
        mode_t mode;
        const char *why;
    } cases[] = {{0644, "is accessible to other users (mode 0644); chmod 600 it"},
                 {0600, "has 6 bytes instead of 32"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        ck_assert_int_eq(daemon_stop(&daemon), 0);
        ck_assert_int_eq(chmod(key, cases[i].mode), 0);
        if (i == 1)
            ck_assert_int_eq(truncate(key, 6), 0);
        daemon_restart(&daemon);
        daemon_await_log(&daemon, "error: the key is not usable file=secret.key");
        daemon_await_log(&daemon, cases[i].why);
        ck_assert_int_eq(post_status(daemon.port, url_path(url), "{}", 2), 201);
        assert_no_key(&daemon, "show", "Sealed", cases[i].why);
    }
    free(key);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(new_key_is_created_once_the_old_webhooks_are_removed)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Sealed", "true");
    free(daemon_fleet(&daemon, fleet));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *key = state_path(&daemon, "secret.key");
    ck_assert_int_eq(unlink(key), 0);
    daemon_restart(&daemon);
    assert_no_key(&daemon, "show", "Sealed", "is missing");
    free(ctl_ok(&daemon, "webhook", "remove", "Sealed", NULL));
    char *url = ctl_ok(&daemon, "webhook", "create", "Sealed", NULL);
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "", 0), 201);
    ck_assert_uint_eq(mode_of(&daemon, "secret.key"), 0600);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    char *shown = ctl_ok(&daemon, "webhook", "show", "Sealed", NULL);
    ck_assert_str_eq(shown, url);
    free(shown);
    free(url);
    free(key);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(key_that_is_removed_or_replaced_while_webhookd_runs_is_noticed)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Sealed", "true"), *other = bash_fleet("Other", "true");
    free(daemon_fleet(&daemon, fleet));
    char *path = daemon_write_file(&daemon, "other.yaml", other, strlen(other));
    free(ctl_ok(&daemon, "fleet", "apply", path, NULL));
    char *key = state_path(&daemon, "secret.key");
    char *away = memory_format("%s/key-away", daemon.folder);
    ck_assert_int_eq(rename(key, away), 0);
    assert_no_key(&daemon, "create", "Other", "is missing");
    assert_no_key(&daemon, "show", "Sealed", "is missing");
    daemon_await_log(&daemon, "error: the key is not usable");

    static const char wrong[32] = "this is thirty-two bytes of key";
    int fd = open(key, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_eq(write(fd, wrong, sizeof(wrong)), (ssize_t)sizeof(wrong));
    close(fd);
    assert_no_key(&daemon, "create", "Other", "is not the key that sealed the stored webhooks");
    ck_assert_int_eq(rename(away, key), 0);
    char *url = ctl_ok(&daemon, "webhook", "create", "Other", NULL);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    char *shown = ctl_ok(&daemon, "webhook", "show", "Other", NULL);
    ck_assert_str_eq(shown, url);
    free(shown);
    free(url);
    free(away);
    free(key);
    free(path);
    free(other);
    free(fleet);
    daemon_finish(&daemon);
}

/* Exchanges the sealed tokens of the only two webhooks. */
static void swap_seals(const struct daemon *daemon)
{
    execute(daemon, "CREATE TEMP TABLE old AS SELECT fleet_no, sealed FROM webhook; "
                    "UPDATE webhook SET sealed = (SELECT sealed FROM old WHERE old.fleet_no <> "
                    "webhook.fleet_no)");
}

/* Seals all tokens in the format without a place, as a version before did. */
static void unbind_seals(const struct daemon *daemon, char *urls[2])
{
    char *key_path = state_path(daemon, "secret.key");
    uint8_t key[SECRET_KEY_BYTES], nonce[24] = {7}, box[16 + SECRET_TOKEN_CHARS];
    uint8_t hash[SECRET_HASH_BYTES];
    int fd = open(key_path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(fd, key, sizeof(key)), (ssize_t)sizeof(key));
    close(fd);
    for (int i = 0; i < 2; i++) {
        const char *token = strstr(urls[i], "whk_");
        char hash_text[2 * sizeof(hash) + 1], nonce_text[2 * sizeof(nonce) + 1];
        char box_text[2 * sizeof(box) + 1];
        crypto_secretbox_easy(box, (const uint8_t *)token, SECRET_TOKEN_CHARS, nonce, key);
        crypto_hash_sha256(hash, (const uint8_t *)token, SECRET_TOKEN_CHARS);
        sodium_bin2hex(hash_text, sizeof(hash_text), hash, sizeof(hash));
        sodium_bin2hex(nonce_text, sizeof(nonce_text), nonce, sizeof(nonce));
        sodium_bin2hex(box_text, sizeof(box_text), box, sizeof(box));
        char *sql = memory_format("UPDATE webhook SET sealed = x'%s%s' WHERE hash = x'%s'",
                                  nonce_text, box_text, hash_text);
        execute(daemon, sql);
        free(sql);
    }
    free(key_path);
}

TEST(a_sealed_token_in_another_row_is_an_error)
{
    struct daemon daemon;
    char *out, *err, *urls[2], *fleets[2] = {bash_fleet("One", "true"), bash_fleet("Two", "true")};
    daemon_begin(&daemon, &plain);
    for (int i = 0; i < 2; i++)
        urls[i] = daemon_fleet(&daemon, fleets[i]);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    swap_seals(&daemon);
    daemon_restart(&daemon);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "webhook", "show", "One", NULL), 1);
    ck_assert_str_eq(out, "");
    assert_holds(err, "secret.key is not the key that sealed the stored webhooks");
    free(out);
    free(err);

    ck_assert_int_eq(daemon_stop(&daemon), 0);
    unbind_seals(&daemon, urls);
    swap_seals(&daemon);
    daemon_restart(&daemon);
    daemon_await_log(&daemon, "error: a webhook's token is damaged or was moved");
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "webhook", "show", "One", NULL), 1);
    ck_assert_str_eq(out, "");
    assert_holds(err, "the webhook of fleet \"One\": the stored token is damaged or was moved");
    free(out);
    free(err);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(post_status(daemon.port, url_path(urls[i]), "", 0), 201);
        free(urls[i]);
        free(fleets[i]);
    }
    daemon_finish(&daemon);
}

TEST(seals_of_an_earlier_format_are_renewed_once_the_key_is_there)
{
    struct daemon daemon;
    char *urls[2], *fleets[2] = {bash_fleet("One", "true"), bash_fleet("Two", "true")};
    daemon_begin(&daemon, &plain);
    for (int i = 0; i < 2; i++)
        urls[i] = daemon_fleet(&daemon, fleets[i]);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    unbind_seals(&daemon, urls);
    char *key = state_path(&daemon, "secret.key");
    char *away = memory_format("%s/key-away", daemon.folder);
    ck_assert_int_eq(rename(key, away), 0);
    daemon_restart(&daemon);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, "sealed in the current format"));
    free(log);

    ck_assert_int_eq(rename(away, key), 0);
    daemon_restart(&daemon);
    daemon_await_log(&daemon, "info: tokens sealed in the current format tokens=2");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    execute(&daemon, "CREATE TEMP TABLE t (n INTEGER CHECK (n = 0)); INSERT INTO t SELECT "
                     "count(*) FROM webhook WHERE length(sealed) <> 81 OR "
                     "substr(sealed, 1, 1) <> x'01'");
    daemon_restart(&daemon);
    for (int i = 0; i < 2; i++) {
        char *shown = ctl_ok(&daemon, "webhook", "show", i == 0 ? "One" : "Two", NULL);
        ck_assert_str_eq(url_path(shown), url_path(urls[i]));
        free(shown);
        free(urls[i]);
        free(fleets[i]);
    }
    free(away);
    free(key);
    daemon_finish(&daemon);
}

/* ---- stopping ---- */

/* Invariant 2. */
TEST(sigterm_answers_requests_in_flight_and_accepts_no_new_ones)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Flight", "true");
    char *url = daemon_fleet(&daemon, fleet);
    char *head = memory_format("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
                               url_path(url));
    int fd = raw_connect(daemon.port), closed = 0;
    ck_assert_int_eq(raw_send(fd, head, strlen(head)), 0);
    int64_t until_ms = clock_monotonic_ms() + 20000;
    while (api_metric(&daemon, "hooks_in_flight_bytes") == 0)
        ck_assert(clock_monotonic_ms() < until_ms);

    ck_assert_int_eq(kill(daemon.pid, SIGTERM), 0);
    daemon_await_log(&daemon, "stopping");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)daemon.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (bool refused = false; !refused;) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "webhookd still listens after SIGTERM");
        int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        refused = connect(other, (struct sockaddr *)&address, sizeof(address)) != 0;
        close(other);
        usleep(5000);
    }
    ck_assert_int_eq(raw_send(fd, "67890", 5), 0);
    char *answer = raw_receive(fd, 20000, &closed);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 201 ", 13) == 0, "%s", answer);
    ck_assert_msg(closed, "the connection stays open");
    close(fd);
    ck_assert_int_eq(daemon_wait(&daemon), 0);

    daemon_restart(&daemon);
    char *body = ctl_ok(&daemon, "run", "body", "latest", NULL);
    ck_assert_str_eq(body, "1234567890");
    free(body);
    free(answer);
    free(head);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(sigint_ends_it_with_0_and_removes_the_admin_socket)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    ck_assert_int_eq(access(daemon.socket, F_OK), 0);
    kill(daemon.pid, SIGINT);
    ck_assert_int_eq(daemon_wait(&daemon), 0);
    ck_assert_int_ne(access(daemon.socket, F_OK), 0);
    daemon_finish(&daemon);
}

TEST(idle_connections_do_not_hold_up_the_stop)
{
    struct daemon daemon;
    struct daemon_options options = {.hooks = "answer_timeout = \"10m\""};
    daemon_begin(&daemon, &options);
    int silent = raw_connect(daemon.port), half = raw_connect(daemon.port);
    ck_assert_int_eq(raw_send(half, "POST / HTTP/1.1\r\nHo", 19), 0);
    ck_assert_int_eq(daemon_stop(&daemon),
                     0); /* in less than 30 s, although the drain may take 10 min */
    close(silent);
    close(half);
    daemon_finish(&daemon);
}

TEST(clients_in_the_middle_of_a_body_do_not_hold_up_the_stop_forever)
{
    struct daemon daemon;
    struct daemon_options options = {.hooks = "answer_timeout = \"10ms\""};
    daemon_begin(&daemon, &options);
    char *fleet = bash_fleet("Slow", "true");
    char *url = daemon_fleet(&daemon, fleet);
    static const char *const rests[] = {"Content-Length: 100\r\n\r\nsome",
                                        "Content-Length: 1000000\r\n\r\nsome",
                                        "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"};
    int fds[2 * ARRAY_COUNT(rests)];
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        char *text = memory_format("POST %s HTTP/1.1\r\nHost: x\r\n%s", url_path(url),
                                   rests[i % ARRAY_COUNT(rests)]);
        fds[i] = raw_connect(daemon.port);
        ck_assert_int_eq(raw_send(fds[i], text, strlen(text)), 0);
        if (i >= ARRAY_COUNT(rests)) /* half of the clients disconnect */
            close(fds[i]);
        free(text);
    }
    int64_t until_ms = clock_monotonic_ms() + 20000;
    while (api_metric(&daemon, "hooks_in_flight_bytes") < 200)
        ck_assert(clock_monotonic_ms() < until_ms);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    for (size_t i = 0; i < ARRAY_COUNT(rests); i++)
        close(fds[i]);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- vessels and restarts ---- */

/* Returns a fleet whose vessel prints "before", waits for folder/go, prints "after" and exits with
 * 3. */
static char *waiting_fleet(const struct daemon *daemon)
{
    char *script = memory_format("echo before\nuntil [ -e %s/go ]; do sleep 0.02; done\n"
                                 "echo after\nexit 3",
                                 daemon->folder);
    char *fleet = bash_fleet("Outlives", script);
    free(script);
    return fleet;
}

static void assert_outcome(struct daemon *daemon, const char *id)
{
    json_t *run = api_await_end(daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    json_t *vessel = api_vessel(run, "main");
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "exit_code")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "attempts")), 1);
    char *output = api_output(daemon, run, "main");
    ck_assert_str_eq(output, "before\nafter\n");
    free(output);
    json_decref(run);
}

/* Waits until the only attempt has written its result. */
static void await_exit_record(const struct daemon *daemon)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    char *command = memory_format("grep -qsa '^result ' %s/attempts/*", daemon->state_dir);
    while (system(command) != 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "no result in a record");
        usleep(10000);
    }
    free(command);
}

static void outlive(bool by_signal_kill, bool ends_meanwhile)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = waiting_fleet(&daemon);
    char *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    api_await_output(&daemon, id, "main", "before\n");
    if (by_signal_kill)
        daemon_kill(&daemon);
    else
        ck_assert_int_eq(daemon_stop(&daemon), 0);
    if (ends_meanwhile) {
        free(daemon_write_file(&daemon, "go", "", 0));
        await_exit_record(&daemon);
    }
    daemon_restart(&daemon);
    if (!ends_meanwhile) {
        json_t *run = api_get(&daemon, "/fleetruns/%s", id);
        ck_assert_str_eq(api_text(run, "status"), "running");
        json_decref(run);
        ck_assert_int_eq(api_metric(&daemon, "attempts_adopted_total"), 1);
        free(daemon_write_file(&daemon, "go", "", 0));
    }
    assert_outcome(&daemon, id);
    ck_assert_int_eq(api_metric(&daemon, "attempts_interrupted_total"), 0);
    free(id);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(vessel_survives_a_restart_and_keeps_its_output_and_exit_code)
{
    outlive(false, false);
}

TEST(vessel_that_ends_while_the_daemon_is_stopped_is_recorded)
{
    outlive(false, true);
}

TEST(vessel_survives_a_kill_of_the_daemon)
{
    outlive(true, false);
}

TEST(vessel_that_ends_after_the_daemon_was_killed_is_recorded)
{
    outlive(true, true);
}

/* ---- SIGHUP ---- */

/* Writes the configuration and sends SIGHUP; returns when the log contains the words one more
 * time. */
static void reload(struct daemon *daemon, const struct daemon_options *options, const char *words)
{
    char *log = daemon_log(daemon);
    int before = count_in(log, words);
    free(log);
    daemon_configure(daemon, options);
    ck_assert_int_eq(kill(daemon->pid, SIGHUP), 0);
    await_log_times(daemon, words, before + 1);
}

TEST(hangup_makes_a_valid_file_take_effect)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Reload", "true");
    char *url = daemon_fleet(&daemon, fleet);
    char body[2000] = "";
    ck_assert_int_eq(post_status(daemon.port, url_path(url), body, sizeof(body)), 201);

    struct daemon_options options = {
        .hooks = "max_body = \"1KiB\"\npublic_url = \"https://hooks.example/base\""};
    reload(&daemon, &options, "configuration reloaded");
    ck_assert_int_eq(post_status(daemon.port, url_path(url), body, sizeof(body)), 413);
    char *shown = ctl_ok(&daemon, "webhook", "show", "Reload", NULL);
    ck_assert_int_eq(strncmp(shown, "https://hooks.example/base/hooks/whk_", 37), 0);

    options = (struct daemon_options){.top = "min_free = \"1024GiB\""};
    reload(&daemon, &options, "configuration reloaded");
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "x", 1), 503);
    options = (struct daemon_options){.top = "min_free = \"0\"\nlog_level = \"debug\""};
    reload(&daemon, &options, "configuration reloaded");
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "x", 1), 201);
    free(shown);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(hangup_changes_the_level_and_format_of_the_log)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    struct daemon_options options = {.top = "min_free = \"0\"\nlog_format = \"json\""};
    reload(&daemon, &options, "{\"time\":");
    options.top = "min_free = \"0\"\nlog_level = \"error\"";
    daemon_configure(&daemon, &options);
    kill(daemon.pid, SIGHUP);
    /* Nothing is logged at this level, so wait for another effect of the reload. */
    options.hooks = "public_url = \"http://quiet\"";
    daemon_configure(&daemon, &options);
    kill(daemon.pid, SIGHUP);
    char *fleet = bash_fleet("Quiet", "true");
    free(daemon_fleet(&daemon, fleet));
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (bool seen = false; !seen;) {
        char *url = ctl_ok(&daemon, "webhook", "show", "Quiet", NULL);
        seen = strncmp(url, "http://quiet/", 13) == 0;
        free(url);
        ck_assert(clock_monotonic_ms() < until_ms);
    }
    char *before = daemon_log(&daemon);
    ck_assert_int_eq(post_status(daemon.port, UNKNOWN_TOKEN, "x", 1), 400);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    char *after = daemon_log(&daemon);
    ck_assert_str_eq(after + strlen(before), "");
    free(after);
    free(before);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(hangup_with_an_invalid_file_reports_it_and_changes_nothing)
{
    struct daemon daemon;
    struct daemon_options good = {.hooks = "max_body = \"1KiB\""};
    daemon_begin(&daemon, &good);
    struct daemon_options bad = {.hooks = "max_body = \"1GiB\"\nmax_bodies = 3"};
    reload(&daemon, &bad, "configuration not reloaded");
    daemon_await_log(&daemon, "webhookd.conf:6: hooks.max_bodies");
    /* The same holds for a well-formed file that the next start would refuse. */
    struct daemon_options unsafe = {.hooks = "max_body = \"1GiB\"",
                                    .runner =
                                        "}\nfleet \"a/b/c\" {\nuser = \"nobody-of-this-name\""};
    reload(&daemon, &unsafe, "configuration not reloaded");
    daemon_await_log(&daemon, "nobody-of-this-name");
    char *fleet = bash_fleet("Stays", "true");
    char *url = daemon_fleet(&daemon, fleet);
    char body[2000] = "";
    ck_assert_int_eq(post_status(daemon.port, url_path(url), body, sizeof(body)), 413);
    ck_assert_int_eq(unlink(daemon.config), 0);
    kill(daemon.pid, SIGHUP);
    await_log_times(&daemon, "configuration not reloaded", 2);
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "x", 1), 201);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* Checks the configuration, which must be valid, and expects this in the output. */
static void check_config_says(const struct daemon *daemon, const char *words)
{
    char *out;
    ck_assert_int_eq(run_webhookd(&out, "-t", "-c", daemon->config, NULL), 0);
    assert_holds(out, ": ok");
    assert_holds(out, words);
    free(out);
}

TEST(fleet_section_that_names_no_fleet_is_reported)
{
    static const char section[] = "}\nfleet \"default/default/Depoly\" {";
    struct daemon daemon;
    struct daemon_options options = {.runner = section};
    daemon_begin(&daemon, &options);
    daemon_await_log(&daemon, "warning: fleet section names no fleet section=");
    daemon_await_log(&daemon, "there is no such fleet, so the section has no effect");
    check_config_says(&daemon, "fleet \"default/default/Depoly\": there is no such fleet, so");

    char *meant = bash_fleet("Deploy", "true"), *named = bash_fleet("Depoly", "true");
    free(daemon_fleet(&daemon, meant));
    reload(&daemon, &options, "did you mean");
    check_config_says(&daemon,
                      "webhookd.conf:16: fleet \"default/default/Depoly\": there is no such "
                      "fleet; did you mean \"default/default/Deploy\"?\n");

    free(daemon_fleet(&daemon, named));
    daemon_await_log(&daemon, "fleet section names a fleet now fleet_name=default/default/Depoly");
    free(ctl_ok(&daemon, "fleet", "delete", "Depoly", NULL));
    await_log_times(&daemon, "warning: fleet section names no fleet", 3);
    free(named);
    free(meant);
    daemon_finish(&daemon);
}

/* Invariant 6: only a start may copy the log into the database. */
TEST(check_config_leaves_the_store_of_a_dead_webhookd_alone)
{
    struct daemon daemon;
    struct daemon_options options = {.runner = "}\nfleet \"default/default/Gone\" {"};
    struct stat before, after;
    daemon_begin(&daemon, &options);
    daemon_kill(&daemon);
    char *log = state_path(&daemon, "webhookd.db-wal");
    ck_assert_int_eq(stat(log, &before), 0);
    ck_assert_int_gt(before.st_size, 0);
    check_config_says(&daemon, "there is no such fleet");
    ck_assert_int_eq(stat(log, &after), 0);
    ck_assert_int_eq(before.st_size, after.st_size);
    free(log);
    daemon_restart(&daemon);
    daemon_finish(&daemon);
}

TEST(hangup_reports_which_keys_need_a_restart)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    unsigned port = daemon.port;
    struct daemon_options options = {.hooks = "max_connections = 50",
                                     .runner = "enabled = false\nnice = 7"};
    reload(&daemon, &options, "configuration reloaded");
    daemon_await_log(
        &daemon,
        "warning: setting changed, takes effect after a restart key=hooks.max_connections");
    daemon_await_log(&daemon, "key=runner.enabled");
    char *log = daemon_log(&daemon);
    ck_assert_ptr_null(strstr(log, "runner.nice"));
    free(log);
    ck_assert_int_eq(post_status(port, UNKNOWN_TOKEN, "x", 1), 400);
    daemon_finish(&daemon);
}

TEST(keys_that_need_a_restart_do_not_take_effect_before_it)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Stays", "id -un");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    char *before = api_output(&daemon, run, "main");
    json_decref(run);
    struct daemon_options options = {.runner = "enabled = false\nuser = \"daemon\""};
    reload(&daemon, &options, "configuration reloaded");
    run = api_post_and_wait(&daemon, url, "x");
    char *after = api_output(&daemon, run, "main");
    ck_assert_str_eq(after, before);
    json_decref(run);
    /* A further reload reports it again, because the restart is still due. */
    reload(&daemon, &options, "key=runner.enabled");
    free(after);
    free(before);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- the service manager ---- */

TEST(inherited_socket_is_served_instead_of_the_configured_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    ck_assert_int_eq(dup2(fd, 9), 9); /* a number that any shell can name */
    static const char *const wrapper[] = {
        "sh", "-c",
        "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=hooks; exec \"$0\" \"$@\" 3<&9 9<&-",
        NULL};
    struct daemon daemon;
    struct daemon_options options = {.wrapper = wrapper};
    daemon_begin(&daemon, &options);
    close(fd);
    close(9);
    ck_assert_uint_eq(daemon.port, ntohs(address.sin_port));
    char *fleet = bash_fleet("Activated", "echo \"[$LISTEN_FDS]\"; ls -l /proc/$$/fd | wc -l");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    ck_assert_str_eq(api_text(run, "status"), "success");
    char *output = api_output(&daemon, run, "main");
    ck_assert_int_eq(strncmp(output, "[]\n", 3), 0);
    /* A client that sends nothing does not block the others, although the socket was passed in
     * blocking mode. */
    int silent = raw_connect(daemon.port);
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "y", 1), 201);
    close(silent);
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* Returns the next message on the service manager's socket that contains the text; skips the
 * others. Free it. */
static char *await_notice(int fd, const char *text)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (;;) {
        char message[1024];
        struct pollfd watch = {fd, POLLIN, 0};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        ck_assert_msg(left_ms > 0 && poll(&watch, 1, (int)left_ms) == 1, "no message with %s",
                      text);
        ssize_t bytes = recv(fd, message, sizeof(message) - 1, 0);
        ck_assert_int_gt(bytes, 0);
        message[bytes] = '\0';
        if (strstr(message, text))
            return memory_string(message);
    }
}

static void assert_service_manager_is_told(struct daemon *daemon, const char *name,
                                           const struct sockaddr_un *address, socklen_t bytes)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)address, bytes), 0);
    fflush(NULL);
    char *path = daemon_program("webhookd");
    daemon->child = fork();
    if (daemon->child == 0) {
        setenv("NOTIFY_SOCKET", name, 1);
        setenv("WATCHDOG_USEC", "200000", 1);
        int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, STDERR_FILENO);
        execl(path, path, "-c", daemon->config, (char *)NULL);
        _exit(127);
    }
    daemon->pid = daemon->child;
    free(await_notice(fd, "READY=1"));
    free(await_notice(fd, "WATCHDOG=1"));
    free(await_notice(fd, "WATCHDOG=1"));
    kill(daemon->pid, SIGHUP);
    char *notice = await_notice(fd, "RELOADING=1");
    assert_holds(notice, "\nMONOTONIC_USEC=");
    long long us = strtoll(strstr(notice, "MONOTONIC_USEC=") + 15, NULL, 10);
    ck_assert_int_le(us, clock_monotonic_us());
    ck_assert_int_gt(us, clock_monotonic_us() - 60000000);
    free(notice);
    free(await_notice(fd, "READY=1"));
    kill(daemon->pid, SIGTERM);
    free(await_notice(fd, "STOPPING=1"));
    ck_assert_int_eq(daemon_wait(daemon), 0);
    close(fd);
    free(path);
}

TEST(service_manager_gets_ready_reloading_stopping_and_watchdog)
{
    struct daemon daemon;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    daemon_prepare(&daemon, &plain);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/manager", daemon.folder);
    assert_service_manager_is_told(&daemon, address.sun_path, &address, sizeof(address));

    memset(address.sun_path, 0, sizeof(address.sun_path));
    int chars = snprintf(address.sun_path, sizeof(address.sun_path), "@webhookd-test-%d", getpid());
    char *name = memory_string(address.sun_path);
    address.sun_path[0] = '\0';
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)chars);
    assert_service_manager_is_told(&daemon, name, &address, bytes);
    free(name);
    daemon_finish(&daemon);
}

TEST(vessel_does_not_see_the_service_managers_variables)
{
    struct daemon daemon;
    static const char *const env[] = {"MAINPID=1", "HOSTILE=yes", "LD_DEBUG_OUTPUT=/tmp/x", NULL};
    struct daemon_options options = {.env = env};
    daemon_begin(&daemon, &options);
    char *fleet = bash_fleet("Clean", "tr '\\0' '\\n' < /proc/$$/environ");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "x");
    char *output = api_output(&daemon, run, "main");
    assert_holds(output, "SHIPYARD_FLEET_NAME=Clean\n");
    ck_assert_ptr_null(strstr(output, "NOTIFY_SOCKET"));
    ck_assert_ptr_null(strstr(output, "HOSTILE"));
    ck_assert_ptr_null(strstr(output, "LD_DEBUG"));
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}

/* ---- the log ---- */

TEST(json_log_has_one_json_object_per_line)
{
    struct daemon daemon;
    struct daemon_options options = {.top = "min_free = \"0\"\nlog_format = \"json\"\n"
                                            "log_level = \"debug\""};
    daemon_begin(&daemon, &options);
    daemon.port = hooks_port(&daemon);
    char *fleet = bash_fleet("Log \"quoted\" = ü", "echo done; exit 1");
    char *path = daemon_write_file(&daemon, "fleet.yaml", fleet, strlen(fleet));
    char *name = memory_string("Log \"quoted\" = ü");
    free(ctl_ok(&daemon, "fleet", "apply", path, NULL));
    char *url = ctl_ok(&daemon, "webhook", "create", name, NULL);
    ck_assert_int_eq(post_status(daemon.port, url_path(url), "x", 1), 201);
    json_t *runs = api_get(&daemon, "/fleetruns");
    const json_t *run = json_array_get(json_object_get(runs, "fleetruns"), 0);
    json_decref(api_await_end(&daemon, api_text(run, "id")));
    json_decref(runs);
    ck_assert_int_eq(post_status(daemon.port, "/nothing\"here\\", "x", 1), 404);
    static const char hostile[] = "POST / HTTP/1.1\r\nHost: a\r\nHost: b\x1b[1m\r\n\r\n";
    free(raw_exchange(daemon.port, hostile, strlen(hostile)));
    ck_assert_int_eq(daemon_stop(&daemon), 0);

    char *log = daemon_log(&daemon), *rest = log, *line;
    int lines = 0;
    while ((line = strsep(&rest, "\n")) && *line) {
        json_t *object = api_parse(line);
        ck_assert_uint_eq(strlen(api_text(object, "time")), 24);
        ck_assert_str_ne(api_text(object, "level"), "");
        ck_assert_str_ne(api_text(object, "event"), "");
        json_decref(object);
        lines++;
    }
    ck_assert_int_gt(lines, 5);
    free(log);
    free(url);
    free(name);
    free(path);
    free(fleet);
    daemon_finish(&daemon);
}

TEST(stuck_stderr_blocks_no_request)
{
    struct daemon daemon;
    struct daemon_options options = {.top = "min_free = \"0\"\nlog_level = \"debug\""};
    int pipes[2];
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    fcntl(pipes[1], F_SETPIPE_SZ, 4096);
    daemon_prepare(&daemon, &options);
    char *path = daemon_program("webhookd");
    fflush(NULL);
    daemon.child = fork();
    if (daemon.child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        execl(path, path, "-c", daemon.config, (char *)NULL);
        _exit(127);
    }
    daemon.pid = daemon.child;
    close(pipes[1]);
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (bool alive = false; !alive;) {
        struct response response;
        ck_assert(clock_monotonic_ms() < until_ms);
        api_call(&daemon, "GET", "/healthz", NULL, 0, &response);
        alive = response.status == 200;
        response_free(&response);
    }
    daemon.port = hooks_port(&daemon);

    /* Sends requests on one connection until lines are lost; 1 MiB of lines is kept before that. */
    static const char request[] = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    enum { BATCH = 200 };
    char *batch = memory_alloc(BATCH * sizeof(request));
    for (int i = 0; i < BATCH; i++)
        strcat(batch, request);
    int fd = raw_connect(daemon.port);
    long long sent = 0, answered = 0;
    while (api_metric(&daemon, "log_lost_lines_total") == 0) {
        ck_assert_msg(sent < 100000, "no line was lost after %lld requests", sent);
        ck_assert_int_eq(raw_send(fd, batch, strlen(batch)), 0);
        sent += BATCH;
        while (answered < sent) {
            char piece[65536];
            ssize_t bytes = recv(fd, piece, sizeof(piece) - 1, 0);
            ck_assert_int_gt(bytes, 0);
            for (ssize_t i = 0; i < bytes; i++)
                answered += piece[i] == '}' && (i + 1 == bytes || piece[i + 1] != '}') &&
                            (i == 0 || piece[i - 1] == '}');
        }
    }
    ck_assert_int_eq(answered, sent);
    close(fd);
    free(batch);

    /* When stderr is read again, the loss is reported. */
    struct buffer text = BUFFER_INIT;
    kill(daemon.pid, SIGTERM);
    char piece[65536];
    for (ssize_t bytes; (bytes = read(pipes[0], piece, sizeof(piece))) > 0;)
        buffer_append(&text, piece, (size_t)bytes);
    ck_assert_int_eq(daemon_wait(&daemon), 0);
    assert_holds(buffer_text(&text), "log lines were lost");
    buffer_free(&text);
    close(pipes[0]);
    free(path);
    daemon_finish(&daemon);
}
