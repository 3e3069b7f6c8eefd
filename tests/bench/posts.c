/* See posts.h. */
#include "bench/posts.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"

#define BARE_PATH     "/hooks/whk_000000000000000000000000000000000000" /* as long as a webhook's */
#define COMMITS_SIZED 50 /* averaged for the size of one */
#define RATE_TRIES    3
#define BUSY_RATE     1000

/* ---- bare ---- */

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
    ck_assert_msg(read(out[0], text, sizeof(text) - 1) > 0, "bare did not start");
    close(out[0]);
    bench->bare_port = (unsigned)strtoul(text, NULL, 10);
}

static double measure_bare(struct bench *bench)
{
    struct load_plan plan = {.port = bench->bare_port,
                             .path = BARE_PATH,
                             .connections = bench->row->connections,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->measured_us};
    struct load_report report = {0, SAMPLES_INIT};
    load_run(&plan, &report);
    samples_free(&report.latencies_us);
    return report.rate;
}

static void end_bare(struct bench *bench)
{
    close(bench->bare_in);
    waitpid(bench->bare_pid, NULL, 0);
}

const struct side posts_webhookd = {"webhookd", .begin = bench_begin_accepting,
                                    .measure = bench_posts_per_s, .end = bench_end_daemon};
const struct side posts_bare = {"bare libmicrohttpd", .begin = begin_bare, .measure = measure_bare,
                                .end = end_bare};

/* ---- the disk ---- */

static int64_t log_bytes(struct bench *bench)
{
    struct stat status;
    char *path = memory_format("%s/webhookd.db-wal", bench->daemon.state_dir);
    ck_assert_msg(stat(path, &status) == 0, "no %s", path);
    free(path);
    return status.st_size;
}

/* Returns the number of bytes that the commit of one run writes. The log of a new store only
 * grows. */
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

void posts_begin_disk(struct bench *bench)
{
    bench_begin_accepting(bench);
    size_t bytes = commit_bytes(bench);
    bench_end_daemon(bench);
    disk_log_open(&bench->log, bench->folder, bytes);
    printf("    one run's commit writes %zu bytes\n", bytes);
}

static double spread(struct samples *samples)
{
    return samples_quantile(samples, 0.99) / samples_quantile(samples, 0.5);
}

double posts_disk_median_us(struct bench *bench)
{
    struct samples samples = SAMPLES_INIT;
    disk_log_append(&bench->log, bench->measured_us, &samples);
    double median = samples_quantile(&samples, 0.5);
    samples_free(&samples);
    return median;
}

static double measure_disk_spread(struct bench *bench)
{
    struct samples samples = SAMPLES_INIT;
    disk_log_append(&bench->log, bench->measured_us, &samples);
    double value = spread(&samples);
    samples_free(&samples);
    return value;
}

void posts_end_disk(struct bench *bench)
{
    disk_log_close(&bench->log);
}

const struct side posts_disk_median = {"log append + fdatasync", .begin = posts_begin_disk,
                                       .measure = posts_disk_median_us, .end = posts_end_disk};
const struct side posts_disk_spread = {"log append + fdatasync", .begin = posts_begin_disk,
                                       .measure = measure_disk_spread, .end = posts_end_disk};

/* ---- acknowledgements ---- */

static double measure_idle(struct bench *bench)
{
    struct load_plan plan = {
        .connections = 1, .warm_up_us = 100000, .measured_us = bench->measured_us};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    double median = samples_quantile(&report.latencies_us, 0.5);
    samples_free(&report.latencies_us);
    return median;
}

const struct side posts_idle = {"webhookd", .begin = bench_begin_accepting, .measure = measure_idle,
                                .end = bench_end_daemon};

/* The maximum rate is the best of a few tries, because a disturbance can only lower it. */
static void begin_half(struct bench *bench)
{
    bench_begin_accepting(bench);
    for (int i = 0; i < RATE_TRIES; i++) {
        double half = bench_posts_per_s(bench) / 2;
        bench->rate = half > bench->rate ? half : bench->rate;
    }
    printf("    half the maximum rate: %.0f POSTs/s\n", bench->rate);
}

static void post_at_rate(struct bench *bench, double rate, struct load_report *report)
{
    struct load_plan plan = {.connections = BUSY_CLIENTS,
                             .rate = rate,
                             .warm_up_us = WARM_UP_US,
                             .measured_us = bench->measured_us};
    bench_post(bench, &plan, report);
}

static double measure_half(struct bench *bench)
{
    struct load_report report = {0, SAMPLES_INIT};
    post_at_rate(bench, bench->rate, &report);
    double value = spread(&report.latencies_us);
    samples_free(&report.latencies_us);
    return value;
}

const struct side posts_half = {"webhookd", .begin = begin_half, .measure = measure_half,
                                .end = bench_end_daemon};

/* ---- acknowledgements while vessels fill every core ---- */

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

/* Runs as many vessels concurrently as there are cores; each loops for a second. */
static double measure_crowd(struct bench *bench, bool crowded)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char *script = bash_fleet("Busy", "until=$((${EPOCHREALTIME/./} + 1000000))\n"
                                      "while ((${EPOCHREALTIME/./} < until)); do :; done\n");
    char *runner =
        memory_format("enabled = %s\nmax_vessels = %ld", crowded ? "true" : "false", cores);
    bench_begin_daemon(bench, runner, script);
    for (long i = 0; i < cores; i++)
        free(api_post(bench->url, "{}", 2));
    if (crowded)
        await_vessels(bench, cores);
    struct load_report report = {0, SAMPLES_INIT};
    post_at_rate(bench, BUSY_RATE, &report);
    double p99_us = samples_quantile(&report.latencies_us, 0.99);
    samples_free(&report.latencies_us);
    bench_end_daemon(bench);
    free(runner);
    free(script);
    return p99_us;
}

static double measure_crowded(struct bench *bench)
{
    return measure_crowd(bench, true);
}

static double measure_uncrowded(struct bench *bench)
{
    return measure_crowd(bench, false);
}

const struct side posts_crowded = {"with vessels", .measure = measure_crowded};
const struct side posts_uncrowded = {"runner disabled", .measure = measure_uncrowded};
