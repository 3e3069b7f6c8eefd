/* SIGKILL of webhookd at any moment, under load, while vessels run: no promised run is lost, and
 * nothing runs twice. The moments come from a seed, which is printed; $WEBHOOKD_TEST_SEED repeats
 * one. */
#include "support/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/work.h"
#include "support/aftermath.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/janitor.h"
#include "support/load.h"

#define ROUNDS          50
#define CONNECTIONS     64
#define PAUSE_MS        100 /* per connection: enough vessels, but not minutes of them */
#define LARGE_EVERY     16
#define SHORTEST_US     100000
#define SPREAD_US       300000
#define IN_START_EVERY  3     /* in one of so many rounds webhookd is also killed while it starts */
#define IN_START_US     60000 /* at most this long after the start */
#define END_WITHIN_MS   150000
#define GRAPH_ROUNDS    200
#define GRAPH_SPREAD_US 150000

static uint64_t make_seed(void)
{
    const char *given = getenv("WEBHOOKD_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)clock_wall_ms();
    fprintf(stderr, "# WEBHOOKD_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* Creates the file to which each vessel writes a line; vessels may have another user. */
static char *make_diary(struct daemon *daemon)
{
    char *path = daemon_write_file(daemon, "diary", "", 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    return path;
}

/* A vessel writes its line in one write, so lines never mix. Some vessels take longer than webhookd
 * needs to start again, and are found running. */
static char *diary_fleet(const char *diary)
{
    char *script = memory_format("echo \"$SHIPYARD_FLEET_LOG_ID $WEBHOOKD_ATTEMPT\" >> '%s'\n"
                                 "[ $((RANDOM %% 4)) -ne 0 ] || sleep 0.4\n",
                                 diary);
    char *fleet = bash_fleet("diary", script);
    free(script);
    return fleet;
}

static void one_round(struct daemon *daemon, const char *url, uint64_t *random,
                      struct load_book *book)
{
    size_t before = book->count;
    struct load_options options = {
        .port = daemon->port, .url = url, .connections = CONNECTIONS, .pause_ms = PAUSE_MS};
    struct load *load = load_start(&options, book);
    usleep((unsigned)(SHORTEST_US + load_random(random) % SPREAD_US));
    daemon_kill(daemon);
    load_stop(load);
    if (load_random(random) % IN_START_EVERY == 0)
        daemon_start_and_kill(daemon, (unsigned)(load_random(random) % IN_START_US));
    daemon_restart(daemon);
    ck_assert_uint_eq(aftermath_missing(daemon->state_dir, book, before), 0);
}

/* ---- afterwards ---- */

static void await_all_ended(struct daemon *daemon)
{
    int64_t until_ms = clock_monotonic_ms() + END_WITHIN_MS;
    int64_t open_runs;
    while ((open_runs = aftermath_open_runs(daemon->state_dir)) > 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%lld runs have not ended",
                      (long long)open_runs);
        usleep(20000);
    }
}

static void await_no_supervisor(struct daemon *daemon)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    while (janitor_signal_supervisors(daemon->folder, 0) > 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "a supervisor still runs");
        usleep(10000);
    }
}

struct line {
    char run_id[ID_TEXT_BYTES];
    int attempt;
};

struct diary {
    struct line *lines;
    size_t count;
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = strcmp(left->run_id, right->run_id);
    return order != 0 ? order : left->attempt - right->attempt;
}

static void read_diary(const char *path, struct diary *diary)
{
    char text[128];
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(text, sizeof(text), file)) {
        if (diary->count == capacity) {
            capacity = capacity ? 2 * capacity : 4096;
            diary->lines = memory_array(diary->lines, capacity, sizeof(*diary->lines));
        }
        struct line *line = &diary->lines[diary->count++];
        ck_assert_msg(sscanf(text, "%36s %d", line->run_id, &line->attempt) == 2,
                      "malformed line: %s", text);
    }
    fclose(file);
    if (diary->count > 0)
        qsort(diary->lines, diary->count, sizeof(*diary->lines), compare_lines);
}

struct counting {
    const struct diary *diary;
    struct id before;
    bool has_before;
    size_t runs, failed, not_once;
};

/* Counts the run as failed unless it succeeded, and as not-once if the diary lacks its first
 * attempt. */
static int count_run(void *context, const struct run_row *row)
{
    struct counting *counting = context;
    struct line wanted = {.attempt = 1};
    id_format(&row->id, wanted.run_id);
    const struct diary *diary = counting->diary;
    const struct line *line =
        bsearch(&wanted, diary->lines, diary->count, sizeof(*diary->lines), compare_lines);
    counting->before = row->id;
    counting->has_before = true;
    counting->runs++;
    counting->failed += row->status != RUN_SUCCESS;
    counting->not_once += line ? 0 : 1;
    if (row->status != RUN_SUCCESS || !line)
        fprintf(stderr, "# run %s: status %d, %s\n", wanted.run_id, (int)row->status,
                line ? "has run" : "has not run");
    return 0;
}

static void assert_each_ran_once(const char *state_dir, const char *diary_path)
{
    struct error error = ERROR_INIT;
    struct diary diary = {NULL, 0};
    read_diary(diary_path, &diary);
    for (size_t i = 1; i < diary.count; i++)
        ck_assert_msg(compare_lines(&diary.lines[i - 1], &diary.lines[i]) != 0,
                      "attempt %d of run %s happened twice", diary.lines[i].attempt,
                      diary.lines[i].run_id);
    struct store_options options = {
        .state_dir = state_dir, .location = "sqlite:webhookd.db", .mode = STORE_READ};
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    struct counting counting = {.diary = &diary};
    size_t seen;
    do {
        struct run_filter filter = {.limit = 1000};
        if (counting.has_before)
            filter.before = &counting.before;
        seen = counting.runs;
        ck_assert_int_eq(store_list_runs(store, &filter, count_run, &counting, &error), 0);
    } while (counting.runs > seen);
    store_close(store);
    fprintf(stderr, "# %zu runs\n", counting.runs);
    ck_assert_uint_eq(counting.failed, 0); /* vessels outlive the daemon, so none is interrupted */
    ck_assert_uint_eq(counting.not_once, 0);
    ck_assert_uint_eq(diary.count, counting.runs); /* nothing ran that is not in the store */
    free(diary.lines);
}

/* Invariants 1, 4 and 9. */
SLOW_TEST(a_killed_webhookd_loses_nothing_and_runs_nothing_twice, 600)
{
    struct daemon daemon;
    struct daemon_options options = {.runner = "max_vessels = 64"};
    struct load_book book = {.seed = make_seed(), .large_every = LARGE_EVERY};
    uint64_t random = book.seed;
    daemon_begin(&daemon, &options);
    char *diary = make_diary(&daemon);
    char *fleet = diary_fleet(diary);
    char *url = daemon_fleet(&daemon, fleet);

    for (int i = 0; i < ROUNDS; i++)
        one_round(&daemon, url, &random, &book);
    fprintf(stderr, "# %zu promised, %llu refused, %llu unanswered\n", book.count,
            (unsigned long long)book.refused, (unsigned long long)book.unanswered);
    ck_assert_uint_gt(book.count, ROUNDS);
    ck_assert_uint_eq(book.strange, 0);

    await_all_ended(&daemon);
    aftermath_await_empty(daemon.state_dir, "runs");
    aftermath_await_empty(daemon.state_dir, "attempts");
    await_no_supervisor(&daemon);
    ck_assert_uint_eq(aftermath_missing(daemon.state_dir, &book, 0), 0);
    assert_each_ran_once(daemon.state_dir, diary);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    aftermath_assert_sound(daemon.state_dir);

    daemon_finish(&daemon);
    load_book_free(&book);
    free(url);
    free(fleet);
    free(diary);
}

/* ---- daemon, supervisors, or both ---- */

/* Two branches that are sometimes retried, their join, and a path for errors. Each vessel records
 * each attempt before anything else. */
static char *graph_fleet(const char *name, const char *diary, const char *on_interrupt)
{
    static const char *const vessels[] = {"first", "left", "right", "join", "rescue"};
    struct buffer text = BUFFER_INIT;
    buffer_append_format(&text, "name: %s\non_interrupt: %s\nvessels:\n", name, on_interrupt);
    for (size_t i = 0; i < ARRAY_COUNT(vessels); i++)
        buffer_append_format(
            &text,
            "  %s:\n    source:\n      type: CODE\n      language: BASH\n      file_to_run: a\n"
            "      file:\n        name: a\n        content: |\n"
            "          echo \"$SHIPYARD_LOG_ID $WEBHOOKD_ATTEMPT\" >> '%s'\n"
            "          [ $((RANDOM %% 3)) -ne 0 ] || sleep 0.1\n"
            "          exit $((RANDOM %% 3 == 0))\n"
            "    guardrails: { retry_count: 2, retry_wait: 0s }\n",
            vessels[i], diary);
    buffer_append_text(&text, "connections:\n  first: { left: COMPLETED, right: COMPLETED, rescue: "
                              "ERRORED }\n  left: { join: SUCCESS }\n  right: { join: SUCCESS }\n");
    return buffer_take(&text);
}

static void assert_no_attempt_twice(const char *diary_path)
{
    struct diary diary = {NULL, 0};
    read_diary(diary_path, &diary);
    ck_assert_uint_gt(diary.count, GRAPH_ROUNDS);
    for (size_t i = 1; i < diary.count; i++)
        ck_assert_msg(compare_lines(&diary.lines[i - 1], &diary.lines[i]) != 0,
                      "attempt %d of vessel run %s happened twice", diary.lines[i].attempt,
                      diary.lines[i].run_id);
    fprintf(stderr, "# %zu attempts\n", diary.count);
    free(diary.lines);
}

static void kill_whoever(const char *sandbox)
{
    static const char *const policies[] = {"FAIL", "RERUN"};
    enum { DAEMON = 1, SUPERVISORS = 2 };
    struct daemon daemon;
    struct daemon_options options = {.sandbox = sandbox};
    uint64_t random = make_seed();
    char *urls[ARRAY_COUNT(policies)];
    daemon_prepare(&daemon, &options);
    char *diary = make_diary(&daemon);
    char *runner = memory_format("max_vessels = 16\nwritable = { \"%s\" }", diary);
    options.runner = runner;
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);
    for (size_t i = 0; i < ARRAY_COUNT(policies); i++) {
        char *fleet = graph_fleet(policies[i], diary, policies[i]);
        urls[i] = daemon_fleet(&daemon, fleet);
        free(fleet);
    }
    for (int round = 0; round < GRAPH_ROUNDS; round++) {
        for (size_t i = 0; i < ARRAY_COUNT(policies); i++) {
            char *here = memory_format("http://127.0.0.1:%u%s", daemon.port, url_path(urls[i]));
            struct response response;
            http_post(here, NULL, "{}", 2, &response);
            ck_assert_int_eq(response.status, 201);
            response_free(&response);
            free(here);
        }
        usleep((unsigned)(load_random(&random) % GRAPH_SPREAD_US));
        unsigned whom = 1 + (unsigned)(load_random(&random) % 3);
        if ((whom & SUPERVISORS) && load_random(&random) % 2 == 0)
            janitor_signal_supervisors(daemon.state_dir,
                                       SIGKILL); /* before the daemon, or after it */
        if (whom & DAEMON)
            daemon_kill(&daemon);
        if (whom & SUPERVISORS)
            janitor_signal_supervisors(daemon.state_dir, SIGKILL);
        if (whom & DAEMON)
            daemon_restart(&daemon);
    }
    await_all_ended(&daemon);
    aftermath_await_empty(daemon.state_dir, "runs");
    aftermath_await_empty(daemon.state_dir, "attempts");
    await_no_supervisor(&daemon);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    assert_no_attempt_twice(diary);
    aftermath_assert_sound(daemon.state_dir);
    for (size_t i = 0; i < ARRAY_COUNT(policies); i++)
        free(urls[i]);
    daemon_finish(&daemon);
    free(runner);
    free(diary);
}

/* Invariants 4 and 9. */
SLOW_TEST(whatever_is_killed_every_run_ends_and_no_attempt_happens_twice, 600)
{
    kill_whoever("off");
}

/* Invariants 4 and 9. */
SLOW_TEST(whatever_is_killed_in_strict_mode_no_attempt_happens_twice, 600)
{
    kill_whoever("strict");
}

/* ---- a single vessel in detail ---- */

static void await_lines(const char *path, size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + 20000;
    for (;;) {
        struct diary diary = {NULL, 0};
        read_diary(path, &diary);
        free(diary.lines);
        if (diary.count >= count)
            return;
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%zu of %zu lines", diary.count, count);
        usleep(5000);
    }
}

/* The vessel records that it runs, waits at a pipe, and records it again while only its supervisor
 * is there to see it. */
TEST(a_vessel_outlives_a_killed_webhookd_and_its_end_is_found)
{
    struct daemon daemon;
    struct daemon_options options = {0};
    daemon_begin(&daemon, &options);
    char *diary = make_diary(&daemon);
    char *gate = memory_format("%s/gate", daemon.folder);
    ck_assert_int_eq(mkfifo(gate, 0666), 0);
    ck_assert_int_eq(chmod(gate, 0666), 0);
    char *script = memory_format("echo \"$SHIPYARD_FLEET_LOG_ID 1\" >> '%s'\nread -r line < '%s'\n"
                                 "echo \"$SHIPYARD_FLEET_LOG_ID 2\" >> '%s'\necho \"$line\"\n",
                                 diary, gate, diary);
    char *fleet = bash_fleet("gate", script);
    char *url = daemon_fleet(&daemon, fleet);
    struct response response;
    http_post(url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    await_lines(diary, 1);

    daemon_kill(&daemon);
    ck_assert_int_eq(janitor_signal_supervisors(daemon.folder, 0), 1);
    int fd = open(gate, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(file_write_all(fd, "went on alone\n", 14), 0);
    close(fd);
    await_lines(diary, 2);
    daemon_restart(&daemon);
    await_all_ended(&daemon);
    await_no_supervisor(&daemon);
    char *log = ctl_ok(&daemon, "run", "log", response.run_id, NULL);
    ck_assert_ptr_nonnull(strstr(log, "went on alone"));
    char *shown = ctl_ok(&daemon, "run", "show", response.run_id, NULL);
    ck_assert_ptr_nonnull(strstr(shown, "success"));
    struct diary written = {NULL, 0};
    read_diary(diary, &written);
    ck_assert_uint_eq(written.count, 2); /* nothing ran twice */
    free(written.lines);
    ck_assert_int_eq(daemon_stop(&daemon), 0);

    daemon_finish(&daemon);
    response_free(&response);
    free(shown);
    free(log);
    free(url);
    free(fleet);
    free(script);
    free(gate);
    free(diary);
}
