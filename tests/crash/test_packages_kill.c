/* SIGKILL of webhookd, of the supervisor or of the tool in the middle of an installation, at any
 * moment: each environment is whole or is made again, never half, and nothing is left over. The
 * moments come from a seed, which is printed; $WEBHOOKD_TEST_SEED repeats one. */
#include "support/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/load.h"
#include "support/packages.h"
#include "supervisor/record.h"

#define ROUNDS    30
#define SPREAD_US 400000 /* an installation takes about as long */
#define WHOLE     "100 files\n"

/* Takes npm's place: its package has 100 files, each of which holds its number. */
#define NPM                                                                                        \
    "#!/bin/bash\n"                                                                                \
    "if [ \"$1\" = install ]; then\n"                                                              \
    "  version=$(sed -n 's/.*\"a\": *\"\\([^\"]*\\)\".*/\\1/p' package.json)\n"                    \
    "  printf '{\"packages\":{\"\":{\"dependencies\":{\"a\":\"%s\"}},"                             \
    "\"node_modules/a\":{\"integrity\":\"%s\"}}}' $version $version > package-lock.json\n"         \
    "  exit\n"                                                                                     \
    "fi\n"                                                                                         \
    "mkdir -p node_modules/a\n"                                                                    \
    "for ((i = 0; i < 100; i++)); do\n"                                                            \
    "  echo $i > node_modules/a/$i\n"                                                              \
    "  sleep 0.002\n"                                                                              \
    "done\n"

#define COUNT                                                                                      \
    "          import { readdirSync, readFileSync } from 'fs';\n"                                  \
    "          const folder = process.env.NODE_PATH + '/a/';\n"                                    \
    "          const good = readdirSync(folder).filter(\n"                                         \
    "              (name) => readFileSync(folder + name, 'utf8') === name + '\\n');\n"             \
    "          console.log(good.length + ' files');\n"

struct scene {
    struct daemon daemon;
    char folder[40]; /* what tools may read: npm */
    char *packages;
    uint64_t random;
};

static void set_up(struct scene *scene)
{
    const char *given = getenv("WEBHOOKD_TEST_SEED");
    scene->random = given ? strtoull(given, NULL, 0) : (uint64_t)clock_wall_ms();
    fprintf(stderr, "# WEBHOOKD_TEST_SEED=%llu\n", (unsigned long long)scene->random);
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/webhookd-npm-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scene->folder));
    ck_assert_int_eq(chmod(scene->folder, 0755), 0);
    char *npm = memory_format("%s/npm", scene->folder);
    int fd = open(npm, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ck_assert_int_eq(file_write_all(fd, NPM, strlen(NPM)), 0);
    ck_assert_int_eq(fchmod(fd, 0755), 0);
    close(fd);
    free(npm);
    scene->packages = memory_format("  pip_find_links = { \"%s\" }\n  npm = \"%s/npm\"\n",
                                    scene->folder, scene->folder);
    const struct daemon_options options = {.sandbox = "strict", .packages = scene->packages};
    daemon_begin(&scene->daemon, &options);
}

static void tear_down(struct scene *scene)
{
    struct error error = ERROR_INIT;
    daemon_finish(&scene->daemon);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, scene->folder, &error), 0);
    free(scene->packages);
}

/* Applies the fleet with package version `round`, and starts a run. The fleet's version differs
 * with each `part`, the lock does not. */
static char *start(struct scene *scene, int round, int part)
{
    char *file = memory_format("name: Kill\nvessels:\n  main:\n    source:\n      type: CODE\n"
                               "      language: NODE\n      file:\n        name: main.mjs\n"
                               "        content: |\n" COUNT "          // %d\n"
                               "      packages: { name: a, version: 1.0.%d }\n",
                               part, round);
    char *path = daemon_write_file(&scene->daemon, "fleet.yaml", file, strlen(file));
    free(ctl_ok(&scene->daemon, "fleet", "apply", path, NULL));
    free(path);
    free(file);
    return ctl_ok(&scene->daemon, "run", "start", "Kill", NULL);
}

/* ---- whom to kill ---- */

/* Returns the supervisor of the installation, 0 if there is none at the moment. */
static pid_t find_supervisor(struct scene *scene)
{
    char *folder = memory_format("%s/packages/building", scene->daemon.folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    pid_t pid = 0;
    for (struct dirent *entry; stream && pid <= 0 && (entry = readdir(stream));) {
        int record_fd = strstr(entry->d_name, ".record") ? record_open(fd, entry->d_name) : -1;
        if (record_fd < 0)
            continue;
        pid = record_lock_is_held(record_fd) == 1 ? record_pid_read(record_fd) : 0;
        close(record_fd);
    }
    if (stream)
        closedir(stream);
    free(folder);
    return pid > 0 ? pid : 0;
}

/* Returns a child of the process, 0 if it has none. */
static pid_t child_of(pid_t pid)
{
    char path[64], text[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t bytes = read(fd, text, sizeof(text) - 1);
    close(fd);
    return bytes > 0 ? atoi(text) : 0;
}

static void kill_one(struct scene *scene, int round)
{
    pid_t supervisor = find_supervisor(scene);
    pid_t first = supervisor > 0 ? child_of(supervisor) : 0; /* pid 1 of the sandbox */
    pid_t tool = first > 0 ? child_of(first) : 0;
    if (round % 3 == 0)
        daemon_kill(&scene->daemon);
    else if (round % 3 == 1 && supervisor > 0)
        (void)kill(supervisor, SIGKILL);
    else if (round % 3 == 2 && tool > 0)
        (void)kill(tool, SIGKILL);
    if (round % 3 == 0)
        daemon_restart(&scene->daemon);
}

/* ---- what must be ---- */

/* Waits until nothing is being made any more. */
static void expect_nothing_left(struct scene *scene)
{
    struct error error = ERROR_INIT;
    char *folder = memory_format("%s/packages/building", scene->daemon.folder);
    int holds = 1;
    for (int i = 0; i < 1000 && holds == 1; i++) {
        holds = file_folder_holds_any(AT_FDCWD, folder, &error);
        if (holds == 1)
            usleep(10000);
    }
    ck_assert_int_eq(holds, 0);
    free(folder);
}

static void expect_whole(struct scene *scene, const char *run_id)
{
    json_t *ended = api_await_end(&scene->daemon, run_id);
    char *output = api_output(&scene->daemon, ended, "main");
    ck_assert_str_eq(output, WHOLE);
    free(output);
    json_decref(ended);
}

/* The killed run either used a whole environment, or says why it could not. Returns whether it used
 * one. */
static bool expect_whole_or_none(struct scene *scene, const char *run_id)
{
    json_t *ended = api_await_end(&scene->daemon, run_id), *vessel = api_vessel(ended, "main");
    char *output = api_output(&scene->daemon, ended, "main");
    bool is_whole = strcmp(api_text(ended, "status"), "success") == 0;
    if (is_whole)
        ck_assert_str_eq(output, WHOLE);
    else
        ck_assert_ptr_nonnull(
            strstr(api_text(vessel, "reason"), "packages could not be installed"));
    free(output);
    json_decref(ended);
    return is_whole;
}

TEST(installations_are_whole_or_made_again_whoever_is_killed)
{
    struct scene scene;
    int failed = 0;
    if (!packages_have_npm())
        return;
    set_up(&scene);
    for (int round = 0; round < ROUNDS; round++) {
        char *first = start(&scene, round, 0);
        usleep((unsigned)(load_random(&scene.random) % SPREAD_US));
        kill_one(&scene, round);
        failed += expect_whole_or_none(&scene, first) ? 0 : 1;
        char *second = start(&scene, round, 1);
        expect_whole(&scene, second);
        expect_nothing_left(&scene);
        free(first);
        free(second);
    }
    fprintf(stderr, "# %d of %d kills ended a run\n", failed, ROUNDS);
    tear_down(&scene);
}
