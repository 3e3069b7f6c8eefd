/* Packages from end to end: locked, installed once, used read-only; and what goes wrong on the way.
 * The wheels and the registry are of tests/packages/, so nothing leaves the machine. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/packages.h"
#include "support/suite.h"

#define TOP "min_free = \"0\"\nlog_level = \"debug\"\n"

enum { KEY_CHARS = 64 };

/* ---- the daemon and its fleets ---- */

struct port {
    struct daemon daemon;
    char wheels[96]; /* the folder of pip_find_links */
    char mark[96];   /* a file that only code of the package "evil" creates */
    char *packages;  /* the section of the configuration */
};

static void set_up(struct port *port, const char *sandbox, const char *more)
{
    char folder[] = "/tmp/webhookd-wheels-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    (void)snprintf(port->wheels, sizeof(port->wheels), "%s", folder);
    (void)snprintf(port->mark, sizeof(port->mark), "%s/mark", folder);
    packages_write_wheels(folder, port->mark);
    port->packages =
        memory_format("  pip_index = \"\"\n  pip_find_links = { \"%s\" }\n%s", folder, more);
    const struct daemon_options options = {
        .top = TOP, .sandbox = sandbox, .packages = port->packages};
    daemon_begin(&port->daemon, &options);
}

static void tear_down(struct port *port)
{
    struct error error = ERROR_INIT;
    daemon_finish(&port->daemon);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, port->wheels, &error), 0);
    free(port->packages);
}

/* Applies a fleet with one vessel. Every line of the script begins with ten spaces. */
static void apply(struct port *port, const char *name, const char *language, const char *script,
                  const char *more)
{
    char *file = memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: CODE\n"
                               "      language: %s\n      file:\n        name: %s\n"
                               "        content: |\n%s%s",
                               name, language,
                               strcmp(language, "PYTHON") == 0 ? "main.py"
                               : strcmp(language, "NODE") == 0 ? "main.mjs"
                                                               : "main.sh",
                               script, more);
    char *path = daemon_write_file(&port->daemon, "fleet.yaml", file, strlen(file));
    free(ctl_ok(&port->daemon, "fleet", "apply", path, NULL));
    free(path);
    free(file);
}

static char *start(struct port *port, const char *fleet)
{
    return ctl_ok(&port->daemon, "run", "start", fleet, NULL);
}

static json_t *run(struct port *port, const char *fleet)
{
    char *id = start(port, fleet);
    json_t *ended = api_await_end(&port->daemon, id);
    free(id);
    return ended;
}

static void expect_run(struct port *port, const char *fleet, const char *output)
{
    json_t *ended = run(port, fleet);
    char *text = api_output(&port->daemon, ended, "main");
    ck_assert_str_eq(text, output);
    ck_assert_str_eq(api_text(ended, "status"), "success");
    free(text);
    json_decref(ended);
}

/* Expects an errored vessel without an exit code whose reason contains the text. */
static void expect_failure(struct port *port, const char *fleet, const char *reason, int attempts)
{
    json_t *ended = run(port, fleet), *vessel = api_vessel(ended, "main");
    ck_assert_str_eq(api_text(vessel, "status"), "errored");
    ck_assert(json_is_null(json_object_get(vessel, "exit_code")));
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "attempts")), attempts);
    ck_assert_msg(strstr(api_text(vessel, "reason"), reason) != NULL, "reason: %s",
                  api_text(vessel, "reason"));
    json_decref(ended);
}

/* ---- packages.dir ---- */

static char *cache_path(struct port *port, const char *name)
{
    return memory_format("%s/packages/%s", port->daemon.folder, name);
}

/* Returns the number of environments. Copies the last one's key. */
static int count_environments(struct port *port, char key[KEY_CHARS + 1])
{
    char *path = cache_path(port, "");
    DIR *stream = opendir(path);
    int count = 0;
    free(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        if (strlen(entry->d_name) == KEY_CHARS) {
            (void)snprintf(key, KEY_CHARS + 1, "%.64s", entry->d_name);
            count++;
        }
    if (stream)
        closedir(stream);
    return count;
}

static bool is_empty(struct port *port, const char *name)
{
    struct error error = ERROR_INIT;
    char *path = cache_path(port, name);
    int holds = file_folder_holds_any(AT_FDCWD, path, &error);
    free(path);
    return holds == 0;
}

static int count_in_log(struct port *port, const char *text)
{
    char *log = daemon_log(&port->daemon);
    int count = 0;
    for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
        count++;
    free(log);
    return count;
}

/* ---- Python ---- */

#define SHINE                                                                                      \
    "          import lighthouse, subprocess\n"                                                    \
    "          print(lighthouse.shine())\n"                                                        \
    "          print(subprocess.check_output(['harbour'], text=True), end='')\n"
#define LIGHTHOUSE "      packages: [ { name: lighthouse } ]\n"
#define SHONE      "over harbour 1.1\nharbour 1.1\n"

static void check_python(const char *sandbox)
{
    struct port port;
    if (!packages_have_pip())
        return;
    set_up(&port, sandbox, "");
    apply(&port, "Light", "PYTHON", SHINE, LIGHTHOUSE);
    expect_run(&port, "Light", SHONE);
    tear_down(&port);
}

TEST(a_python_vessel_uses_its_packages_and_their_programs)
{
    check_python("strict");
}

TEST(a_vessel_without_a_sandbox_uses_its_packages)
{
    check_python("off");
}

TEST(a_vessel_cannot_change_its_packages)
{
    struct port port;
    if (!packages_have_pip())
        return;
    if (geteuid() != 0) {
        test_skip("without a sandbox, vessels have webhookd's own user unless that is root");
        return;
    }
    set_up(&port, "off", "");
    apply(&port, "Light", "PYTHON",
          "          import harbour, os, sys\n"
          "          folder = os.path.dirname(harbour.__file__)\n"
          "          for path in (folder + '/new', harbour.__file__, sys.prefix + '/ready'):\n"
          "              print(os.access(path, os.W_OK) if os.path.exists(path) else\n"
          "                    os.access(folder, os.W_OK))\n",
          "      packages: { name: harbour, version: '1.0' }\n");
    expect_run(&port, "Light", "False\nFalse\nFalse\n");
    tear_down(&port);
}

TEST(a_source_distribution_is_not_built)
{
    struct port port;
    if (!packages_have_pip())
        return;
    set_up(&port, "off", "");
    apply(&port, "Evil", "PYTHON", "          print('ran')\n", "      packages: { name: evil }\n");
    expect_failure(&port, "Evil",
                   "packages could not be installed: No matching distribution found for evil", 1);
    ck_assert_int_ne(access(port.mark, F_OK), 0);
    tear_down(&port);
}

TEST(a_failure_is_the_reason_and_the_output_and_is_remembered)
{
    struct port port;
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    apply(&port, "None", "PYTHON", "          print('ran')\n",
          "      packages: { name: harbour, version: '==9' }\n"
          "    guardrails: { retry_count: 2, retry_wait: 0s }\n");
    json_t *ended = run(&port, "None");
    char *output = api_output(&port.daemon, ended, "main");
    ck_assert_msg(strstr(output, "No matching distribution found for harbour==9") != NULL,
                  "output: %s", output);
    free(output);
    json_decref(ended);
    expect_failure(&port, "None", "No matching distribution found for harbour==9", 3);
    ck_assert_int_eq(count_in_log(&port, "packages not installed"), 1);
    tear_down(&port);
}

TEST(a_reload_lets_what_has_failed_be_tried_again)
{
    struct port port;
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    char *wheel = memory_format("%s/harbour-1.1-py3-none-any.whl", port.wheels);
    char *away = memory_format("%s/away", port.wheels);
    ck_assert_int_eq(rename(wheel, away), 0);
    apply(&port, "Late", "PYTHON", "          print('ran')\n",
          "      packages: { name: harbour, version: '1.1' }\n");
    expect_failure(&port, "Late", "No matching distribution found for harbour==1.1", 1);
    ck_assert_int_eq(rename(away, wheel), 0);
    expect_failure(&port, "Late", "No matching distribution found for harbour==1.1", 1);
    ck_assert_int_eq(kill(port.daemon.pid, SIGHUP), 0);
    daemon_await_log(&port.daemon, "configuration reloaded");
    expect_run(&port, "Late", "ran\n");
    free(wheel);
    free(away);
    tear_down(&port);
}

/* Puts the section of packages into force. */
static void reconfigure(struct port *port)
{
    const struct daemon_options options = {
        .top = TOP, .sandbox = "strict", .packages = port->packages};
    daemon_configure(&port->daemon, &options);
    ck_assert_int_eq(daemon_stop(&port->daemon), 0);
    daemon_restart(&port->daemon);
}

TEST(a_folder_that_another_webhookd_uses_is_the_reason_of_a_failure)
{
    struct port port;
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    char *folder = memory_format("%s/packages", port.daemon.folder);
    char *lock = memory_format("%s/lock", folder);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    apply(&port, "Light", "PYTHON", SHINE, LIGHTHOUSE);
    expect_failure(&port, "Light", "another webhookd uses", 1);
    close(fd);
    free(lock);
    free(folder);
    tear_down(&port);
}

TEST(every_folder_of_wheels_is_searched)
{
    struct port port;
    struct buffer links = BUFFER_INIT;
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    for (int i = 0; i < 40; i++) {
        char *folder = memory_format("%s/%d", port.wheels, i);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        buffer_append_format(&links, "\"%s\", ", folder);
        free(folder);
    }
    free(port.packages);
    port.packages = memory_format("  pip_index = \"\"\n  pip_find_links = { %s\"%s\" }\n",
                                  buffer_text(&links), port.wheels);
    buffer_free(&links);
    reconfigure(&port);
    apply(&port, "Light", "PYTHON", SHINE, LIGHTHOUSE);
    expect_run(&port, "Light", SHONE);
    tear_down(&port);
}

TEST(a_lock_outlives_new_versions_of_packages_and_the_loss_of_the_cache)
{
    struct port port;
    char key[KEY_CHARS + 1];
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    char *newer = memory_format("%s/harbour-1.1-py3-none-any.whl", port.wheels);
    char *away = memory_format("%s/away", port.wheels);
    ck_assert_int_eq(rename(newer, away), 0);
    apply(&port, "Light", "PYTHON", SHINE, LIGHTHOUSE);
    expect_run(&port, "Light", "over harbour 1.0\nharbour 1.0\n");
    ck_assert_int_eq(rename(away, newer), 0);
    apply(&port, "Light", "PYTHON", SHINE "          print('more')\n", LIGHTHOUSE);
    expect_run(&port, "Light", "over harbour 1.0\nharbour 1.0\nmore\n");

    struct error error = ERROR_INIT;
    char *path = memory_format("%s/packages", port.daemon.folder);
    ck_assert_int_eq(count_environments(&port, key), 1);
    char *environment = cache_path(&port, key);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, environment, &error), 0);
    expect_run(&port, "Light", "over harbour 1.0\nharbour 1.0\nmore\n");
    ck_assert_int_eq(daemon_stop(&port.daemon), 0);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, path, &error), 0);
    daemon_restart(&port.daemon);
    expect_run(&port, "Light", "over harbour 1.0\nharbour 1.0\nmore\n");
    free(environment);
    free(path);
    free(newer);
    free(away);
    tear_down(&port);
}

TEST(twenty_runs_of_two_fleets_with_one_lock_install_once)
{
    struct port port;
    char *ids[20], key[KEY_CHARS + 1];
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    apply(&port, "One", "PYTHON", SHINE, LIGHTHOUSE);
    apply(&port, "Two", "PYTHON", SHINE "          print('two')\n", LIGHTHOUSE);
    for (int i = 0; i < 20; i++)
        ids[i] = start(&port, i % 2 == 0 ? "One" : "Two");
    for (int i = 0; i < 20; i++) {
        json_t *ended = api_await_end(&port.daemon, ids[i]);
        ck_assert_str_eq(api_text(ended, "status"), "success");
        json_decref(ended);
        free(ids[i]);
    }
    ck_assert_int_eq(count_in_log(&port, "packages installed"), 1);
    ck_assert_int_eq(count_environments(&port, key), 1);
    tear_down(&port);
}

TEST(fleets_without_a_sandbox_share_no_environment_with_the_others)
{
    struct port port;
    char key[KEY_CHARS + 1];
    if (!packages_have_pip())
        return;
    set_up(&port, "strict", "");
    const struct daemon_options options = {
        .top = TOP "fleet \"default/default/Off\" {\n  sandbox = \"off\"\n}\n",
        .sandbox = "strict",
        .packages = port.packages};
    daemon_configure(&port.daemon, &options);
    ck_assert_int_eq(daemon_stop(&port.daemon), 0);
    daemon_restart(&port.daemon);
    apply(&port, "Strict", "PYTHON", SHINE, LIGHTHOUSE);
    apply(&port, "Off", "PYTHON", SHINE, LIGHTHOUSE);
    expect_run(&port, "Strict", SHONE);
    expect_run(&port, "Off", SHONE);
    ck_assert_int_eq(count_environments(&port, key), 2);
    tear_down(&port);
}

/* ---- Node ---- */

#define RINGS                                                                                      \
    "          import { rings } from 'buoy';\n"                                                    \
    "          import { createRequire } from 'module';\n"                                          \
    "          import { execFileSync } from 'child_process';\n"                                    \
    "          const require = createRequire(import.meta.url);\n"                                  \
    "          console.log(rings, require('anchor').version);\n"                                   \
    "          console.log(execFileSync('anchor').toString().trim());\n"

static void set_up_node(struct port *port, struct registry *registry, const char *more)
{
    registry_start(registry);
    char *lines =
        memory_format("  npm_registry = \"http://127.0.0.1:%u\"\n%s", registry->port, more);
    set_up(port, "strict", lines);
    free(lines);
}

TEST(a_node_vessel_imports_and_requires_its_packages)
{
    struct port port;
    struct registry registry;
    if (!packages_have_npm())
        return;
    set_up_node(&port, &registry, "");
    apply(&port, "Rings", "NODE", RINGS,
          "      packages: [ { name: buoy }, { name: anchor, version: ^1.0.0 } ]\n");
    expect_run(&port, "Rings", "on anchor 1.1.0 1.1.0\nanchor 1.1.0\n");
    registry_stop(&registry);
    tear_down(&port);
}

TEST(the_script_of_a_node_package_is_not_executed)
{
    struct port port;
    struct registry registry;
    if (!packages_have_npm())
        return;
    set_up_node(&port, &registry, "");
    apply(&port, "Turn", "NODE",
          "          import { existsSync } from 'fs';\n"
          "          console.log(existsSync(process.env.NODE_PATH + '/capstan/turn.js'),\n"
          "                      existsSync(process.env.NODE_PATH + '/capstan/ran'));\n",
          "      packages: { name: capstan }\n");
    expect_run(&port, "Turn", "true false\n");
    registry_stop(&registry);
    tear_down(&port);
}

TEST(a_tarball_that_differs_from_its_hash_is_refused)
{
    struct port port;
    struct registry registry;
    if (!packages_have_npm())
        return;
    set_up_node(&port, &registry, "");
    registry_spoil(&registry);
    apply(&port, "Rings", "NODE", RINGS, "      packages: { name: buoy }\n");
    expect_failure(&port, "Rings", "integrity checksum failed", 1);
    registry_stop(&registry);
    tear_down(&port);
}

/* ---- tools that misbehave: an npm of our own, in a folder that tools may read ---- */

#define FAKE_LOCK                                                                                  \
    "#!/bin/sh\n"                                                                                  \
    "if [ \"$1\" = install ]; then\n"                                                              \
    "  printf '{\"packages\":{\"\":{\"dependencies\":{\"a\":\"1\"}},'"                             \
    "'\"node_modules/a\":{\"integrity\":\"x\"}}}' > package-lock.json\n"                           \
    "  exit\n"                                                                                     \
    "fi\n"

/* Replaces npm by a script, which installs with these lines. */
static void write_npm(struct port *port, const char *install)
{
    char *path = memory_format("%s/npm", port->wheels);
    char *fresh = memory_format("%s/npm.new", port->wheels);
    char *text = memory_format(FAKE_LOCK "%s", install);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(file_write_all(fd, text, strlen(text)), 0);
    ck_assert_int_eq(fchmod(fd, 0755), 0);
    close(fd);
    ck_assert_int_eq(rename(fresh, path), 0);
    free(text);
    free(fresh);
    free(path);
}

static void set_up_fake(struct port *port, const char *install, const char *more)
{
    set_up(port, "strict", more);
    write_npm(port, install);
    char *packages = memory_format("%s  npm = \"%s/npm\"\n", port->packages, port->wheels);
    free(port->packages);
    port->packages = packages;
    reconfigure(port);
    apply(port, "Fake", "NODE", "          console.log('ran');\n", "      packages: { name: a }\n");
}

#define PLENTY "mkdir -p node_modules/a\n"
#define HANG   PLENTY "echo hangs; mkfifo gate; cat gate\n"

/* Waits until the log of the installation contains the text. */
static void await_tool(struct port *port, const char *text)
{
    char *folder = cache_path(port, "logs");
    for (int64_t until_ms = clock_monotonic_ms() + 60000; clock_monotonic_ms() < until_ms;) {
        DIR *stream = opendir(folder);
        bool is_found = false;
        for (struct dirent *entry; stream && (entry = readdir(stream));) {
            struct error error = ERROR_INIT;
            struct buffer log = BUFFER_INIT;
            char *path = memory_format("%s/%s", folder, entry->d_name);
            if (file_read(-1, path, 1 << 20, &log, &error) == 0)
                is_found |= strstr(buffer_text(&log), text) != NULL;
            buffer_free(&log);
            free(path);
        }
        if (stream)
            closedir(stream);
        if (is_found) {
            free(folder);
            return;
        }
        usleep(20000);
    }
    ck_abort_msg("no tool says \"%s\"", text);
}

TEST(a_kill_of_webhookd_in_the_middle_of_an_installation_leaves_nothing_half)
{
    struct port port;
    char key[KEY_CHARS + 1];
    if (!packages_have_npm())
        return;
    set_up_fake(&port, HANG, "");
    char *id = start(&port, "Fake");
    await_tool(&port, "hangs");
    daemon_kill(&port.daemon);
    ck_assert_int_eq(count_environments(&port, key), 0);
    write_npm(&port, PLENTY);
    daemon_restart(&port.daemon);
    json_t *ended = api_await_end(&port.daemon, id);
    ck_assert_str_eq(api_text(ended, "status"), "success");
    ck_assert_int_eq(count_environments(&port, key), 1);
    ck_assert(is_empty(&port, "building"));
    json_decref(ended);
    free(id);
    tear_down(&port);
}

TEST(a_start_ends_what_a_killed_webhookd_was_installing)
{
    struct port port;
    if (!packages_have_npm())
        return;
    set_up_fake(&port, HANG, "");
    free(start(&port, "Fake"));
    await_tool(&port, "hangs");
    daemon_kill(&port.daemon);
    ck_assert(!is_empty(&port, "building"));
    /* Without a runner nobody asks for packages. */
    const struct daemon_options options = {
        .sandbox = "strict", .packages = port.packages, .runner = "  enabled = false\n"};
    daemon_configure(&port.daemon, &options);
    daemon_restart(&port.daemon);
    for (int i = 0; i < 3000 && !is_empty(&port, "building"); i++)
        usleep(20000);
    ck_assert(is_empty(&port, "building"));
    tear_down(&port);
}

TEST(a_stop_of_the_only_run_ends_the_installation)
{
    struct port port;
    if (!packages_have_npm())
        return;
    set_up_fake(&port, HANG, "");
    char *id = start(&port, "Fake");
    await_tool(&port, "hangs");
    free(ctl_ok(&port.daemon, "run", "stop", id, NULL));
    json_t *ended = api_await_end(&port.daemon, id);
    ck_assert_str_eq(api_text(ended, "status"), "terminated");
    for (int i = 0; i < 3000 && !is_empty(&port, "building"); i++)
        usleep(20000);
    ck_assert(is_empty(&port, "building"));
    json_decref(ended);
    free(id);
    tear_down(&port);
}

TEST(an_installation_that_grows_without_end_is_ended)
{
    struct port port;
    if (!packages_have_npm())
        return;
    set_up_fake(&port,
                PLENTY "while :; do head -c 4194304 /dev/zero >> node_modules/a/large || exit; "
                       "done\n",
                "  max_size = \"16MiB\"\n");
    expect_failure(&port, "Fake",
                   "packages could not be installed: it needs more disk space than "
                   "packages.max_size",
                   1);
    ck_assert(is_empty(&port, "building"));
    tear_down(&port);
}

TEST(an_installation_that_takes_too_long_is_ended)
{
    struct port port;
    if (!packages_have_npm())
        return;
    set_up_fake(&port, HANG, "  timeout = \"1s\"\n");
    expect_failure(&port, "Fake", "the tool took longer than packages.timeout", 1);
    tear_down(&port);
}

TEST(what_a_tool_leaves_running_ends_with_it)
{
    struct port port;
    char key[KEY_CHARS + 1];
    if (!packages_have_npm())
        return;
    /* The process would write into the environment, and keep its folder busy. */
    set_up_fake(&port,
                PLENTY "(trap '' TERM HUP; while :; do sleep 0.01; "
                       "echo > node_modules/a/late; rm node_modules/a/late; done) & \n",
                "");
    expect_run(&port, "Fake", "ran\n");
    ck_assert_int_eq(count_environments(&port, key), 1);
    char *log = cache_path(&port, "logs/"), *path = memory_format("%s%s", log, key);
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_read(-1, path, 1 << 20, &text, &error), 0);
    ck_assert_ptr_nonnull(strstr(buffer_text(&text), "that the vessel left running"));
    buffer_free(&text);
    free(path);
    free(log);
    tear_down(&port);
}

TEST(a_hard_link_or_a_pipe_in_an_environment_is_refused)
{
    struct port port;
    if (!packages_have_npm())
        return;
    set_up_fake(&port, PLENTY "mkfifo node_modules/a/pipe\n", "");
    expect_failure(&port, "Fake", "contain \"pipe\", which is no file, folder or link", 1);
    tear_down(&port);
}

/* ---- cleaning ---- */

TEST(an_environment_that_nobody_used_for_long_is_removed_unless_it_is_in_use)
{
    struct port port;
    char key[KEY_CHARS + 1];
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    if (!packages_have_npm())
        return;
    set_up_fake(&port, PLENTY, "  keep = \"1h\"\n");
    apply(&port, "Fake", "NODE",
          "          import { existsSync } from 'fs';\n"
          "          console.log('started');\n"
          "          const t = setInterval(() => existsSync('go') && clearInterval(t), 20);\n",
          "      packages: { name: a }\n");
    char *id = start(&port, "Fake");
    api_await_output(&port.daemon, id, "main", "started");
    ck_assert_int_eq(count_environments(&port, key), 1);
    char *ready = memory_format("%s/packages/%s/ready", port.daemon.folder, key);
    ck_assert_int_eq(utimensat(AT_FDCWD, ready, long_ago, 0), 0);
    ck_assert_int_eq(daemon_stop(&port.daemon), 0);
    daemon_restart(&port.daemon); /* the vessel runs on and uses it */
    daemon_await_log(&port.daemon, "packages tidied");
    ck_assert_int_eq(access(ready, F_OK), 0);

    char *go = memory_format("%s/runs/%s/go", port.daemon.state_dir, id);
    close(open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    json_decref(api_await_end(&port.daemon, id));
    ck_assert_int_eq(daemon_stop(&port.daemon), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, ready, long_ago, 0), 0);
    daemon_restart(&port.daemon);
    daemon_await_log(&port.daemon, "package environment removed");
    ck_assert_int_eq(count_environments(&port, key), 0);
    free(go);
    free(ready);
    free(id);
    tear_down(&port);
}

/* ---- system packages ---- */

TEST(a_vessel_without_its_system_packages_is_not_started)
{
    struct port port;
    if (access("/var/lib/dpkg/status", R_OK) != 0) {
        test_skip("no dpkg");
        return;
    }
    set_up(&port, "off", "");
    apply(&port, "There", "BASH", "          echo ran\n", "      packages: { name: dpkg }\n");
    expect_run(&port, "There", "ran\n");
    apply(&port, "Missing", "BASH", "          echo ran\n",
          "      system_packages: [ { name: no-such-package } ]\n");
    expect_failure(&port, "Missing", "system packages are missing: no-such-package", 1);
    tear_down(&port);
}
