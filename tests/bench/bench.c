/* `make bench`: webhookd against the best that the machine could do, or one build against another.
 * The machine is shared and its speed varies, so the two sides of a row are measured in turns, and
 * their ratio is the median of the turns' ratios. docs/performance.md explains the rows.
 *
 *     bench [ROW…]     $BENCH_TURNS; $BENCH_SECONDS for each side in each turn;
 *                      $BENCH_AGAINST: the folder of the build to compare this one with
 *
 * Each row is a Check test only so that the harness (support/daemon.h) can report errors and ends
 * every process. A missed target fails nothing: it describes one machine on one day. */
#include "bench/bench.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "bench/posts.h"
#include "bench/runs.h"
#include "bench/size.h"
#include "bench/turns.h"
#include "support/janitor.h"

#define MAX_TURNS   99
#define MAX_SECONDS 3600

/* ---- settings ---- */

int bench_setting(const char *name, int otherwise, int most)
{
    const char *text = getenv(name);
    int value = text && *text ? atoi(text) : otherwise;
    return value < 1 ? 1 : value > most ? most : value;
}

/* ---- webhookd ---- */

#define SMALL_FLEET                                                                                \
    "name: Small\nvessels:\n  main:\n    source:\n      type: CODE\n      language: BASH\n"        \
    "      file: { name: a.sh, content: 'exit 0' }\n      file_to_run: a.sh\n"

void bench_begin_daemon(struct bench *bench, const char *runner, const char *fleet)
{
    char *state_dir = memory_format("%s/state", bench->folder);
    struct daemon_options options = {.sandbox = bench->row->sandbox,
                                     .hooks = bench->row->hooks,
                                     .runner = runner,
                                     .packages = "",
                                     .state_dir = state_dir};
    daemon_begin(&bench->daemon, &options);
    bench->url = daemon_fleet(&bench->daemon, fleet);
    free(state_dir);
    bench->daemon.options.state_dir = NULL;
}

void bench_remove_tree(const char *path)
{
    struct error error = ERROR_INIT;
    if (file_remove_tree(AT_FDCWD, path, &error) != 0)
        fprintf(stderr, "cannot remove %s: %s\n", path, error.message);
}

void bench_end_daemon(struct bench *bench)
{
    daemon_stop(&bench->daemon);
    daemon_finish(&bench->daemon);
    bench_remove_tree(bench->daemon.state_dir);
    free(bench->url);
    bench->url = NULL;
}

void bench_begin_accepting(struct bench *bench)
{
    bench_begin_daemon(bench, "enabled = false", SMALL_FLEET);
}

/* The log gets a line for each request and would grow long; nobody reads it. */
static void empty_log(struct bench *bench)
{
    ck_assert_int_eq(truncate(bench->daemon.log, 0), 0);
}

void bench_post(struct bench *bench, const struct load_plan *plan, struct load_report *report)
{
    struct load_plan ours = *plan;
    ours.port = bench->daemon.port;
    ours.path = url_path(bench->url);
    load_run(&ours, report);
    empty_log(bench);
}

double bench_posts_per_s(struct bench *bench)
{
    struct load_plan plan = {.connections = bench->row->connections,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->measured_us};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    samples_free(&report.latencies_us);
    return report.rate;
}

/* ---- the table ---- */

static const struct row rows[] = {
    {.number = 1,
     .what = "durable POSTs, 300-byte body, 256 connections, runner disabled",
     .unit = "/s",
     .sides = {&posts_webhookd, &posts_bare},
     .target = 0.70,
     .at_least = true,
     .compared = true,
     .connections = 256},
    {.number = 2,
     .what = "the same with 64 connections",
     .unit = "/s",
     .sides = {&posts_webhookd, &posts_bare},
     .target = 0.60,
     .at_least = true,
     .compared = true,
     .connections = 64},
    {.number = 3,
     .what = "acknowledgement, one connection, nothing else to do: median",
     .unit = " us",
     .sides = {&posts_idle, &posts_disk_median},
     .target = 2.5,
     .compared = true},
    {.number = 4,
     .what = "acknowledgement at half the maximum rate: p99 / p50",
     .unit = "",
     .sides = {&posts_half, &posts_disk_spread},
     .target = 1.5,
     .connections = BUSY_CLIENTS},
    {.number = 5,
     .what = "acknowledgement at 1,000 POSTs/s while vessels fill every core: p99",
     .unit = " us",
     .sides = {&posts_crowded, &posts_uncrowded},
     .target = 4},
    {.number = 6,
     .what = "POST to the first instruction of a BASH vessel, sandbox off: median",
     .unit = " ms",
     .sides = {&runs_start, &runs_start_budget},
     .target = 1,
     .compared = true},
    {.number = 7,
     .what = "runs, fleet of one BASH vessel that does exit 0, sandbox off",
     .unit = "/s",
     .sides = {&runs_rate, &runs_bash_rate},
     .target = 0.55,
     .at_least = true,
     .compared = true},
    {.number = 8,
     .what = "durable POSTs with a backlog of 1,000,000 scheduled fleet runs, 256 connections",
     .unit = "/s",
     .sides = {&size_backlog, &size_empty},
     .target = 0.90,
     .at_least = true,
     .connections = BUSY_CLIENTS},
    {.number = 9,
     .what = "POST to the first instruction of a BASH vessel, sandbox strict: median",
     .unit = " ms",
     .sides = {&runs_start, &runs_start_budget},
     .target = 1,
     .compared = true,
     .sandbox = "strict"},
    {.number = 10,
     .what = "runs, fleet of one BASH vessel that does exit 0, sandbox strict",
     .unit = "/s",
     .sides = {&runs_rate, &runs_bash_rate},
     .target = 0.40,
     .at_least = true,
     .compared = true,
     .sandbox = "strict"},
    {.number = 11,
     .what = "durable POSTs with 10,000,000 stored runs, 256 connections",
     .unit = "/s",
     .sides = {&size_stored, &size_empty},
     .target = 0.90,
     .at_least = true,
     .connections = BUSY_CLIENTS},
    {.number = 12,
     .what = "memory of webhookd, idle",
     .unit = " MiB",
     .sides = {&size_idle, &size_idle_bound},
     .target = 1},
    {.number = 13,
     .what = "memory for each idle connection",
     .unit = " KiB",
     .sides = {&size_connections, &size_connections_bound},
     .target = 1,
     .connections = 1000},
    {.number = 14,
     .what = "memory beyond idle while a body of 1 GiB arrives",
     .unit = " MiB",
     .sides = {&size_upload, &size_upload_bound},
     .target = 1,
     .hooks = "max_body = \"1GiB\""},
    {.number = 15,
     .what = "durable POSTs with 50 live pages of the console open, 256 connections",
     .unit = "/s",
     .sides = {&size_live, &size_not_live},
     .target = 0.90,
     .at_least = true,
     .connections = BUSY_CLIENTS},
};

/* ---- one row ---- */

/* Creates a folder, on a real disk because a sync must cost what it really costs. */
static char *create_folder(void)
{
    const char *below = getenv("TMPDIR");
    if (!below || !*below)
        below = getenv("BUILD");
    char *path = memory_format("%s/webhookd-bench-XXXXXX", below);
    ck_assert_msg(mkdtemp(path), "cannot create %s: %s", path, strerror(errno));
    char *absolute = realpath(path, NULL);
    free(path);
    chmod(absolute, 0755);
    janitor_watch(absolute);
    struct statfs status;
    ck_assert(statfs(absolute, &status) == 0);
    ck_assert_msg(status.f_type != TMPFS_MAGIC && status.f_type != RAMFS_MAGIC,
                  "%s is in memory; set TMPDIR to a folder on a disk", absolute);
    return absolute;
}

static void end_group(int signal)
{
    (void)signal;
    kill(0, SIGKILL);
}

/* Check gives each row a process group, which includes webhookd. The group ends with the benchmark,
 * whatever ends that. The janitors are outside the group: they end vessels and remove the
 * folders. */
static void end_with_benchmark(void)
{
    signal(SIGTERM, end_group);
    ck_assert_int_eq(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
}

static struct turns turns;

START_TEST(row)
{
    end_with_benchmark();
    printf("%d  %s\n", rows[_i].number, rows[_i].what);
    char *folder = create_folder();
    turns_run(&turns, &rows[_i], folder);
    bench_remove_tree(folder);
    free(folder);
}
END_TEST

/* ---- all rows ---- */

/* Returns the absolute path of a folder that has the programs; NULL, with a message, if one is
 * missing. */
static char *find_build(const char *folder)
{
    static const char *const programs[] = {"webhookd", "webhookctl", "webhookd-vessel"};
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        char *path = memory_format("%s/%s", folder, programs[i]);
        bool found = access(path, X_OK) == 0;
        if (!found)
            fprintf(stderr, "no program %s; build it there, or name another folder\n", path);
        free(path);
        if (!found)
            return NULL;
    }
    return realpath(folder, NULL);
}

/* Returns the index of a row in the table; -1, with a message, if there is no such row. */
static int find_row(const char *number)
{
    for (int i = 0; i < (int)ARRAY_COUNT(rows); i++)
        if (rows[i].number == atoi(number))
            return i;
    fprintf(stderr, "no row \"%s\"; the rows are 1 to %zu\n", number, ARRAY_COUNT(rows));
    return -1;
}

/* Adds the rows that are measured unless the command line names some. */
static void add_default_rows(TCase *wanted)
{
    for (int i = 0; i < (int)ARRAY_COUNT(rows); i++)
        if (!turns.compared || rows[i].compared)
            tcase_add_loop_test(wanted, row, i, i + 1);
}

static int run_rows(int count, char **arguments)
{
    Suite *suite = suite_create("bench");
    TCase *wanted = tcase_create("rows");
    tcase_set_timeout(wanted, 0);
    for (int i = 0; i < count; i++) {
        int index = find_row(arguments[i]);
        if (index < 0)
            return 2;
        tcase_add_loop_test(wanted, row, index, index + 1);
    }
    if (count == 0)
        add_default_rows(wanted);
    suite_add_tcase(suite, wanted);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    if (failed > 0)
        srunner_print(runner, CK_NORMAL);
    srunner_free(runner);
    return failed > 0;
}

static void print_header(void)
{
    if (turns.compared)
        printf("webhookd of %s against webhookd of %s, in turns.\n", turns.builds[OURS],
               turns.builds[THEIRS]);
    else
        printf("Both sides of each row are measured in turns; figures are medians. The ratio "
               "decides, not this machine's speed (docs/performance.md).\n");
    printf("%ld cores, shared with the load generator.\n\n", sysconf(_SC_NPROCESSORS_ONLN));
}

int main(int argc, char **argv)
{
    unsetenv("WEBHOOKD_TEST_RELAXED_SYNC"); /* the POSTs measured must be durable */
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *build = getenv("BUILD"), *against = getenv("BENCH_AGAINST");
    turns.compared = against && *against;
    turns.count = bench_setting("BENCH_TURNS", turns.compared ? 15 : 5, MAX_TURNS);
    turns.measured_us =
        bench_setting("BENCH_SECONDS", turns.compared ? 2 : 3, MAX_SECONDS) * INT64_C(1000000);
    turns.builds[OURS] = find_build(build && *build ? build : "build");
    turns.builds[THEIRS] = turns.compared ? find_build(against) : turns.builds[OURS];
    if (!turns.builds[OURS] || !turns.builds[THEIRS])
        return 2;
    setenv("BUILD", turns.builds[OURS], 1);
    print_header();
    return run_rows(argc - 1, argv + 1);
}
