/* `make bench`: webhookd against what the machine could do at best. The machine is shared and changes its speed, so the two sides of a row
 * are measured in turns, and their ratio is the median of the turns' ratios; docs/benchmarks.md says what the rows mean.
 *
 *     bench [ROW…]     $BENCH_TURNS (5), $BENCH_SECONDS (3) for each side in each turn
 *
 * Each row is a test of Check's only so that the harness (support/daemon.h) can say what went wrong and everything is ended. A
 * target that is missed fails nothing: it is one machine's on one day. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/size.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/janitor.h"

#define MAX_TURNS       99
#define COMMITS_SIZED   50 /* so many are averaged for the size of one */
#define RATE_TRIES      3
#define BUSY_RATE       1000
#define FLEET_RUNS      40 /* for each turn of row 6 */
#define START_BUDGET_MS 5.5
#define BACKLOG_US      400000 /* of accepting: more runs than row 7 gets through */

/* ---- settings ---- */

int bench_setting(const char *name, int otherwise, int most)
{
    const char *text = getenv(name);
    int value = text ? atoi(text) : otherwise;
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
                                     .state_dir = state_dir};
    daemon_begin(&bench->daemon, &options);
    janitor_watch(bench->daemon.folder);
    bench->url = daemon_fleet(&bench->daemon, fleet);
    free(state_dir);
    bench->daemon.options.state_dir = NULL;
}

void bench_remove_tree(const char *path)
{
    struct error error = ERROR_INIT;
    if (file_remove_tree(AT_FDCWD, path, &error) != 0)
        fprintf(stderr, "%s not removed: %s\n", path, error.message);
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

/* A line for each request makes a long log: what has been written is not needed. */
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

/* ---- rows 1 and 2: throughput ---- */

static void begin_bare(struct bench *bench)
{
    int in[2], out[2];
    char *program = daemon_program("tests/bench/bare"), text[16] = "";
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fflush(NULL);
    bench->bare_pid = fork();
    if (bench->bare_pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    free(program);
    bench->bare_in = in[1];
    ck_assert_msg(read(out[0], text, sizeof(text) - 1) > 0, "bare does not start");
    close(out[0]);
    bench->bare_port = (unsigned)strtoul(text, NULL, 10);
}

static void begin_throughput(struct bench *bench)
{
    bench_begin_accepting(bench);
    begin_bare(bench);
}

static double measure_throughput(struct bench *bench, enum side side)
{
    struct load_plan plan = {.port = bench->bare_port,
                             .path = url_path(bench->url),
                             .connections = bench->row->connections,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->side_us};
    struct load_report report = {0, SAMPLES_INIT};
    if (side == OURS)
        bench_post(bench, &plan, &report);
    else
        load_run(&plan, &report);
    samples_free(&report.latencies_us);
    return report.rate;
}

static void end_throughput(struct bench *bench)
{
    close(bench->bare_in);
    waitpid(bench->bare_pid, NULL, 0);
    bench_end_daemon(bench);
}

/* ---- rows 3 and 4: acknowledgements against the disk ---- */

static int64_t log_bytes(struct bench *bench)
{
    struct stat status;
    char *path = memory_format("%s/webhookd.db-wal", bench->daemon.state_dir);
    ck_assert_msg(stat(path, &status) == 0, "no %s", path);
    free(path);
    return status.st_size;
}

/* What the commit of one run writes: the log of a young store only grows. */
static size_t commit_bytes(struct bench *bench)
{
    char body[] = "{\"event\":\"push\"}";
    free(api_post(bench->url, body, strlen(body)));
    int64_t before = log_bytes(bench);
    for (int i = 0; i < COMMITS_SIZED; i++)
        free(api_post(bench->url, body, strlen(body)));
    int64_t grown = log_bytes(bench) - before;
    ck_assert_msg(grown > 0, "the log did not grow");
    return (size_t)(grown / COMMITS_SIZED);
}

static void begin_disk(struct bench *bench)
{
    bench_begin_accepting(bench);
    size_t bytes = commit_bytes(bench);
    disk_log_open(&bench->log, bench->folder, bytes);
    printf("    one run's commit writes %zu bytes\n", bytes);
}

static void end_disk(struct bench *bench)
{
    disk_log_close(&bench->log);
    bench_end_daemon(bench);
}

static double disk_quantile(struct bench *bench, double share)
{
    struct samples samples = SAMPLES_INIT;
    disk_log_append(&bench->log, bench->side_us, &samples);
    double value = samples_quantile(&samples, share);
    samples_free(&samples);
    return value;
}

static double measure_idle(struct bench *bench, enum side side)
{
    struct load_plan plan = {.connections = 1, .warm_up_us = 100000, .measured_us = bench->side_us};
    struct load_report report = {0, SAMPLES_INIT};
    if (side == THEIRS)
        return disk_quantile(bench, 0.5);
    bench_post(bench, &plan, &report);
    double median = samples_quantile(&report.latencies_us, 0.5);
    samples_free(&report.latencies_us);
    return median;
}

/* The maximum rate is the best of a few tries: a disturbance only ever takes away. */
static void begin_half(struct bench *bench)
{
    struct load_plan plan = {
        .connections = BUSY_CLIENTS, .warm_up_us = WARM_UP_US, .measured_us = bench->side_us};
    begin_disk(bench);
    for (int i = 0; i < RATE_TRIES; i++) {
        struct load_report report = {0, SAMPLES_INIT};
        bench_post(bench, &plan, &report);
        bench->rate = report.rate / 2 > bench->rate ? report.rate / 2 : bench->rate;
        samples_free(&report.latencies_us);
    }
    printf("    half the maximum rate: %.0f POSTs/s\n", bench->rate);
}

static double spread(struct samples *samples)
{
    return samples_quantile(samples, 0.99) / samples_quantile(samples, 0.5);
}

static double measure_half(struct bench *bench, enum side side)
{
    struct load_plan plan = {.connections = BUSY_CLIENTS,
                             .rate = bench->rate,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->side_us};
    struct load_report report = {0, SAMPLES_INIT};
    if (side == OURS)
        bench_post(bench, &plan, &report);
    else
        disk_log_append(&bench->log, bench->side_us, &report.latencies_us);
    double value = spread(&report.latencies_us);
    samples_free(&report.latencies_us);
    return value;
}

/* ---- row 5: accepting while vessels fill every core ---- */

static void await_vessels(struct bench *bench, long count)
{
    int64_t until_us = clock_monotonic_us() + 20000000;
    for (;;) {
        json_t *page = api_get(&bench->daemon, "/fleetruns?status=running");
        long running = (long)json_array_size(json_object_get(page, "fleetruns"));
        json_decref(page);
        if (running >= count)
            return;
        ck_assert_msg(clock_monotonic_us() < until_us, "%ld of %ld runs are running", running,
                      count);
        usleep(10000);
    }
}

/* As many vessels at once as there are cores; a vessel loops for a second. */
static double measure_crowd(struct bench *bench, enum side side)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char *script = bash_fleet("Busy", "until=$((${EPOCHREALTIME/./} + 1000000))\n"
                                      "while ((${EPOCHREALTIME/./} < until)); do :; done\n");
    char *runner =
        memory_format("enabled = %s\nmax_vessels = %ld", side == OURS ? "true" : "false", cores);
    bench_begin_daemon(bench, runner, script);
    for (long i = 0; i < cores; i++)
        free(api_post(bench->url, "{}", 2));
    if (side == OURS)
        await_vessels(bench, cores);
    struct load_plan plan = {.connections = BUSY_CLIENTS,
                             .rate = BUSY_RATE,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->side_us};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    double p99_us = samples_quantile(&report.latencies_us, 0.99);
    samples_free(&report.latencies_us);
    bench_end_daemon(bench);
    free(runner);
    free(script);
    return p99_us;
}

/* ---- row 6: POST to the first instruction ---- */

static void begin_start(struct bench *bench)
{
    bench_begin_accepting(bench);
    size_t bytes = commit_bytes(bench);
    bench_end_daemon(bench);
    disk_log_open(&bench->log, bench->folder, bytes);
    char *fleet = bash_fleet("Clock", "echo \"$EPOCHREALTIME\"");
    bench_begin_daemon(bench, "enabled = true", fleet);
    free(fleet);
}

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double start_ms(struct bench *bench)
{
    double sent_s = wall_s();
    json_t *run = api_post_and_wait(&bench->daemon, bench->url, "{\"event\":\"push\"}");
    char *output = api_output(&bench->daemon, run, "main");
    double ran_s = strtod(output, NULL);
    ck_assert_msg(ran_s > sent_s, "no time in \"%s\"", output);
    free(output);
    json_decref(run);
    return (ran_s - sent_s) * 1e3;
}

static double measure_start(struct bench *bench, enum side side)
{
    if (side == THEIRS)
        return 2 * disk_quantile(bench, 0.5) / 1e3 + START_BUDGET_MS;
    struct samples samples = SAMPLES_INIT;
    for (int i = 0; i < FLEET_RUNS; i++)
        samples_add(&samples, start_ms(bench));
    double median = samples_quantile(&samples, 0.5);
    samples_free(&samples);
    return median;
}

/* ---- row 7: runs per second ---- */

static pid_t spawn_bash(void)
{
    static char name[] = "bash", option[] = "-c", script[] = "exit 0",
                path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *const arguments[] = {name, option, script, NULL}, *const environment[] = {path, NULL};
    pid_t pid;
    ck_assert_int_eq(posix_spawnp(&pid, "bash", NULL, NULL, arguments, environment), 0);
    return pid;
}

static double spawn_rate(struct bench *bench, long parallel)
{
    long ended = 0, running = 0;
    int64_t begun_us = clock_monotonic_us(), now_us;
    while (running < parallel) {
        (void)spawn_bash();
        running++;
    }
    while ((now_us = clock_monotonic_us()) < begun_us + bench->side_us) {
        ck_assert_int_gt(wait(NULL), 0);
        ended++;
        (void)spawn_bash();
    }
    while (running-- > 0)
        wait(NULL);
    return (double)ended * 1e6 / (double)(now_us - begun_us);
}

/* The backlog is accepted with the runner disabled; what is counted is vessels that have ended. */
static double measure_runs(struct bench *bench, enum side side)
{
    long parallel = 4 * sysconf(_SC_NPROCESSORS_ONLN); /* as runner.max_vessels has it */
    if (side == THEIRS)
        return spawn_rate(bench, parallel);
    bench_begin_accepting(bench);
    struct load_plan plan = {.connections = BUSY_CLIENTS, .measured_us = BACKLOG_US};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    samples_free(&report.latencies_us);
    ck_assert_int_eq(daemon_stop(&bench->daemon), 0);
    struct daemon_options options = bench->daemon.options;
    options.runner = "enabled = true";
    options.state_dir = bench->daemon.state_dir;
    char *state_dir = memory_string(bench->daemon.state_dir);
    options.state_dir = state_dir;
    daemon_configure(&bench->daemon, &options);
    daemon_restart(&bench->daemon);
    usleep(WARM_UP_US);
    long long before = api_metric(&bench->daemon, "attempts_ended_total");
    int64_t begun_us = clock_monotonic_us();
    usleep((useconds_t)bench->side_us);
    long long ended = api_metric(&bench->daemon, "attempts_ended_total") - before;
    double rate = (double)ended * 1e6 / (double)(clock_monotonic_us() - begun_us);
    bench_end_daemon(bench);
    free(state_dir);
    return rate;
}

/* ---- the table ---- */

static const struct row rows[] = {
    {"durable POSTs, 300-byte body, 256 connections, runner disabled",
     {"webhookd", "bare libmicrohttpd"},
     "/s",
     0.70,
     true,
     256,
     begin_throughput,
     measure_throughput,
     end_throughput,
     "off",
     NULL},
    {"the same with 64 connections",
     {"webhookd", "bare libmicrohttpd"},
     "/s",
     0.60,
     true,
     64,
     begin_throughput,
     measure_throughput,
     end_throughput,
     "off",
     NULL},
    {"acknowledgement, one connection, nothing else to do: median",
     {"webhookd", "log append + fdatasync"},
     " us",
     2.5,
     false,
     1,
     begin_disk,
     measure_idle,
     end_disk,
     "off",
     NULL},
    {"acknowledgement at half the maximum rate: p99 / p50",
     {"webhookd", "log append + fdatasync"},
     "",
     1.5,
     false,
     BUSY_CLIENTS,
     begin_half,
     measure_half,
     end_disk,
     "off",
     NULL},
    {"acknowledgement at 1,000 POSTs/s while vessels fill every core: p99",
     {"with vessels", "runner disabled"},
     " us",
     4,
     false,
     BUSY_CLIENTS,
     NULL,
     measure_crowd,
     NULL,
     "off",
     NULL},
    {"POST to the first instruction of a BASH vessel, sandbox off: median",
     {"webhookd", "two commits + 5.5 ms"},
     " ms",
     1,
     false,
     1,
     begin_start,
     measure_start,
     end_disk,
     "off",
     NULL},
    {"runs, fleet of one BASH vessel that does exit 0, sandbox off",
     {"webhookd", "posix_spawn + wait of bash, as many at once"},
     "/s",
     0.55,
     true,
     1,
     NULL,
     measure_runs,
     NULL,
     "off",
     NULL},
    {"durable POSTs with a backlog of 1,000,000 waiting runs, 256 connections",
     {"with the backlog", "an empty store"},
     "/s",
     0.90,
     true,
     BUSY_CLIENTS,
     size_begin_backlog,
     size_measure_rate,
     bench_end_daemon,
     "off",
     NULL},
    {"POST to the first instruction of a BASH vessel, sandbox strict: median",
     {"webhookd", "two commits + 5.5 ms"},
     " ms",
     1,
     false,
     1,
     begin_start,
     measure_start,
     end_disk,
     "strict",
     NULL},
    {"runs, fleet of one BASH vessel that does exit 0, sandbox strict",
     {"webhookd", "posix_spawn + wait of bash, as many at once"},
     "/s",
     0.40,
     true,
     1,
     NULL,
     measure_runs,
     NULL,
     "strict",
     NULL},
    {"durable POSTs with 10,000,000 stored runs, 256 connections",
     {"with these", "an empty store"},
     "/s",
     0.90,
     true,
     BUSY_CLIENTS,
     size_begin_stored,
     size_measure_rate,
     bench_end_daemon,
     "off",
     NULL},
    {"memory of webhookd, idle",
     {"webhookd", "the bound"},
     " MiB",
     1,
     false,
     0,
     bench_begin_accepting,
     size_measure_idle,
     bench_end_daemon,
     "off",
     NULL},
    {"memory for each idle connection",
     {"webhookd", "the bound"},
     " KiB",
     1,
     false,
     1000,
     bench_begin_accepting,
     size_measure_connections,
     bench_end_daemon,
     "off",
     NULL},
    {"memory beyond idle while a body of 1 GiB arrives",
     {"webhookd", "the bound"},
     " MiB",
     1,
     false,
     1,
     bench_begin_accepting,
     size_measure_upload,
     bench_end_daemon,
     "off",
     "max_body = \"1GiB\""},
    {"durable POSTs with 50 live pages of the console open, 256 connections",
     {"with the pages", "without"},
     "/s",
     0.90,
     true,
     BUSY_CLIENTS,
     bench_begin_accepting,
     size_measure_live,
     bench_end_daemon,
     "off",
     NULL},
};

/* ---- turns ---- */

static void print_verdict(const struct row *row, struct samples *ours, struct samples *theirs,
                          struct samples *ratios)
{
    double ratio = samples_quantile(ratios, 0.5);
    bool reached = row->at_least ? ratio >= row->target : ratio <= row->target;
    int digits = samples_quantile(theirs, 0.5) < 100 ? 2 : 0;
    printf("    %s %.*f%s, %s %.*f%s\n", row->sides[OURS], digits, samples_quantile(ours, 0.5),
           row->unit, row->sides[THEIRS], digits, samples_quantile(theirs, 0.5), row->unit);
    printf("    ratio %.2f (%.2f to %.2f), target at %s %.2f: %s\n", ratio,
           samples_quantile(ratios, 0), samples_quantile(ratios, 1),
           row->at_least ? "least" : "most", row->target, reached ? "reached" : "missed");
    fflush(stdout);
}

static void run_turns(struct bench *bench)
{
    const struct row *row = bench->row;
    struct samples values[2] = {SAMPLES_INIT, SAMPLES_INIT}, ratios = SAMPLES_INIT;
    int turns = bench_setting("BENCH_TURNS", 5, MAX_TURNS);
    for (int turn = 0; turn < turns; turn++) {
        enum side first = turn % 2 == 0 ? OURS : THEIRS; /* who is first changes too */
        double value[2];
        value[first] = row->measure(bench, first);
        value[!first] = row->measure(bench, !first);
        samples_add(&values[OURS], value[OURS]);
        samples_add(&values[THEIRS], value[THEIRS]);
        samples_add(&ratios, value[OURS] / value[THEIRS]);
    }
    print_verdict(row, &values[OURS], &values[THEIRS], &ratios);
    samples_free(&values[OURS]);
    samples_free(&values[THEIRS]);
    samples_free(&ratios);
}

/* A folder on a real disk: a sync must cost what it costs. */
static void begin_folder(struct bench *bench)
{
    const char *below = getenv("TMPDIR");
    if (!below || !*below)
        below = getenv("BUILD");
    char *path = memory_format("%s/webhookd-bench-XXXXXX", below && *below ? below : "build");
    ck_assert_msg(mkdtemp(path), "cannot make %s: %s", path, strerror(errno));
    char *absolute = realpath(path, NULL);
    free(path);
    ck_assert_uint_lt(strlen(absolute), sizeof(bench->folder) - 16);
    strcpy(bench->folder, absolute);
    free(absolute);
    chmod(bench->folder, 0755);
    janitor_watch(bench->folder);
    struct statfs status;
    ck_assert(statfs(bench->folder, &status) == 0);
    ck_assert_msg(status.f_type != TMPFS_MAGIC && status.f_type != RAMFS_MAGIC,
                  "%s is in memory: set TMPDIR to a folder on the disk", bench->folder);
}

START_TEST(row)
{
    struct bench bench = {.row = &rows[_i],
                          .side_us = bench_setting("BENCH_SECONDS", 3, 3600) * INT64_C(1000000)};
    printf("%d  %s\n", _i + 1, bench.row->what);
    begin_folder(&bench);
    if (bench.row->begin)
        bench.row->begin(&bench);
    run_turns(&bench);
    if (bench.row->end)
        bench.row->end(&bench);
    bench_remove_tree(bench.folder);
}
END_TEST

static int run_rows(int count, char **arguments)
{
    Suite *suite = suite_create("bench");
    TCase *wanted = tcase_create("rows");
    tcase_set_timeout(wanted, 0);
    for (int i = 0; i < count; i++) {
        int number = atoi(arguments[i]);
        if (number < 1 || number > (int)ARRAY_COUNT(rows)) {
            fprintf(stderr, "rows are 1 to %zu, not %s\n", ARRAY_COUNT(rows), arguments[i]);
            return 2;
        }
        tcase_add_loop_test(wanted, row, number - 1, number);
    }
    if (count == 0)
        tcase_add_loop_test(wanted, row, 0, ARRAY_COUNT(rows));
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

int main(int argc, char **argv)
{
    unsetenv("WEBHOOKD_TEST_RELAXED_SYNC"); /* what is measured is durable */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("Both sides of each row in turns, medians; the ratio decides, not what this machine can "
           "do (docs/benchmarks.md).\n"
           "%ld cores, which the load generator shares.\n\n",
           sysconf(_SC_NPROCESSORS_ONLN));
    return run_rows(argc - 1, argv + 1);
}
