/* See runs.h. */
#include "bench/runs.h"

#include <check.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench/posts.h"
#include "support/api.h"

#define RUNS_TIMED      40 /* per measurement */
#define START_BUDGET_MS 5.5
#define BACKLOG_US      400000 /* accepts more runs than the measurement executes */

/* ---- POST to the first instruction ---- */

static void begin_start(struct bench *bench)
{
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

static double measure_start(struct bench *bench)
{
    struct samples samples = SAMPLES_INIT;
    for (int i = 0; i < RUNS_TIMED; i++)
        samples_add(&samples, start_ms(bench));
    double median = samples_quantile(&samples, 0.5);
    samples_free(&samples);
    return median;
}

static double measure_start_budget(struct bench *bench)
{
    return 2 * posts_disk_median_us(bench) / 1e3 + START_BUDGET_MS;
}

const struct side runs_start = {"webhookd", .begin = begin_start, .measure = measure_start,
                                .end = bench_end_daemon};
const struct side runs_start_budget = {"two commits + 5.5 ms", .begin = posts_begin_disk,
                                       .measure = measure_start_budget, .end = posts_end_disk};

/* ---- runs per second ---- */

static pid_t spawn_bash(void)
{
    static char name[] = "bash", option[] = "-c", script[] = "exit 0",
                path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *const arguments[] = {name, option, script, NULL}, *const environment[] = {path, NULL};
    pid_t pid;
    ck_assert_int_eq(posix_spawnp(&pid, "bash", NULL, NULL, arguments, environment), 0);
    return pid;
}

static double measure_bash_rate(struct bench *bench)
{
    long parallel = 4 * sysconf(_SC_NPROCESSORS_ONLN); /* the default of runner.max_vessels */
    long ended = 0, running = 0;
    int64_t begun_us = clock_monotonic_us(), now_us;
    while (running < parallel) {
        (void)spawn_bash();
        running++;
    }
    while ((now_us = clock_monotonic_us()) < begun_us + bench->measured_us) {
        ck_assert_int_gt(wait(NULL), 0);
        ended++;
        (void)spawn_bash();
    }
    while (running-- > 0)
        wait(NULL);
    return (double)ended * 1e6 / (double)(now_us - begun_us);
}

/* Accepts runs while the runner is disabled. */
static void begin_backlog(struct bench *bench)
{
    bench_begin_accepting(bench);
    struct load_plan plan = {.connections = BUSY_CLIENTS, .measured_us = BACKLOG_US};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    samples_free(&report.latencies_us);
    ck_assert_int_eq(daemon_stop(&bench->daemon), 0);
}

/* The metric counts the vessels that have ended; the fleet has one. */
static double measure_rate(struct bench *bench)
{
    begin_backlog(bench);
    char *state_dir = memory_string(bench->daemon.state_dir);
    struct daemon_options options = bench->daemon.options;
    options.runner = "enabled = true";
    options.state_dir = state_dir;
    daemon_configure(&bench->daemon, &options);
    daemon_restart(&bench->daemon);
    usleep(WARM_UP_US);
    long long before = api_metric(&bench->daemon, "attempts_ended_total");
    int64_t begun_us = clock_monotonic_us();
    usleep((useconds_t)bench->measured_us);
    long long ended = api_metric(&bench->daemon, "attempts_ended_total") - before;
    double rate = (double)ended * 1e6 / (double)(clock_monotonic_us() - begun_us);
    bench_end_daemon(bench);
    free(state_dir);
    return rate;
}

const struct side runs_rate = {"webhookd", .measure = measure_rate};
const struct side runs_bash_rate = {"posix_spawn + wait of bash, as many concurrently",
                                    .measure = measure_bash_rate};
