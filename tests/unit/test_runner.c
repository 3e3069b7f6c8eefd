/* The runner with the real store, commit queue and supervisor in a temporary folder. What a vessel does is awaited through FIFOs and through
 * commits; nothing depends on how long anything takes. */
#include "runner/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/record.h"
#include "model/fleet_file.h"
#include "queue/commit.h"
#include "queue/spool.h"
#include "support/suite.h"

#define PATIENCE_MS 45000

struct house {
    char *path; /* its folder */
    char *state;
    int state_fd;
    char *supervisor;
    struct config *config;
    struct store_options store_options;
    struct commit_queue *queue;
    struct store *store; /* for looking */
    struct id project_id;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    uint64_t commits;
    struct runner *runner;
};

/* ---- the house ---- */

static void check(const struct error *error)
{
    ck_assert_msg(!error_is_set(error), "%s", error->message);
}

static void committed(void *context)
{
    struct house *house = context;
    pthread_mutex_lock(&house->lock);
    house->commits++;
    if (house->runner != NULL)
        runner_wake(house->runner);
    pthread_cond_broadcast(&house->news);
    pthread_mutex_unlock(&house->lock);
}

static int take_project(void *context, const struct project_row *row)
{
    *(struct id *)context = row->id;
    return 1;
}

static struct config *make_config(const char *runner_keys)
{
    struct config_report report = {NULL, 0};
    char *text = memory_format(
        "runner {\nsandbox = \"off\"\nstop_grace = \"1s\"\nnice = 0\n%s\n}\n", runner_keys);
    struct config *config = config_parse(text, strlen(text), "test.conf", &report);
    ck_assert_msg(config != NULL, "%s", report.count > 0 ? report.lines[0] : "?");
    config_report_free(&report);
    free(text);
    return config;
}

static char *find_supervisor(void)
{
    const char *build = getenv("BUILD");
    char *relative = memory_format("%s/webhookd-vessel", build != NULL ? build : "build");
    char *absolute = realpath(relative, NULL);
    ck_assert_msg(absolute != NULL, "%s is not built", relative);
    free(relative);
    return absolute;
}

static void house_open(struct house *house, const char *runner_keys)
{
    struct error error = ERROR_INIT;
    const char *parent = getenv("TMPDIR");
    memset(house, 0, sizeof(*house));
    log_set_level(LOG_LEVEL_ERROR);
    house->path = memory_format("%s/webhookd-runner-XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(house->path));
    ck_assert_int_eq(chmod(house->path, 0755), 0); /* for a vessel that runs as another user */
    house->state = memory_format("%s/state", house->path);
    ck_assert_int_eq(mkdir(house->state, 0700), 0);
    house->state_fd = open(house->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(mkdirat(house->state_fd, "spool", 0700), 0);
    house->supervisor = find_supervisor();
    house->config = make_config(runner_keys);
    pthread_mutex_init(&house->lock, NULL);
    pthread_cond_init(&house->news, NULL);
    house->store_options = (struct store_options){
        .state_dir = house->state, .location = "sqlite:webhookd.db", .mode = STORE_WRITE};
    struct commit_options options = {.store = house->store_options,
                                     .max_queued = 10000,
                                     .committed = committed,
                                     .context = house};
    house->queue = commit_start(&options, &error);
    check(&error);
    struct store_options reading = house->store_options;
    reading.mode = STORE_READ;
    house->store = store_open(&reading, &error);
    check(&error);
    ck_assert_int_eq(
        store_list_projects(house->store, NULL, take_project, &house->project_id, &error), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static struct runner *try_start(struct house *house, struct error *error)
{
    struct runner_options options = {
        .config = house->config,
        .store = house->store_options,
        .queue = house->queue,
        .state_fd = house->state_fd,
        .state_path = house->state,
        .supervisor_path = house->supervisor,
    };
    struct runner *runner = runner_start(&options, error);
    pthread_mutex_lock(&house->lock);
    house->runner = runner;
    pthread_mutex_unlock(&house->lock);
    if (runner != NULL)
        runner_wake(runner); /* what was committed before it was told of */
    return runner;
}

static void start(struct house *house)
{
    struct error error = ERROR_INIT;
    try_start(house, &error);
    check(&error);
}

static void stop(struct house *house)
{
    pthread_mutex_lock(&house->lock);
    struct runner *runner = house->runner;
    house->runner = NULL;
    pthread_mutex_unlock(&house->lock);
    runner_stop(runner);
}

static void house_close(struct house *house)
{
    stop(house);
    store_close(house->store);
    commit_stop(house->queue);
    config_release(house->config);
    close(house->state_fd);
    ck_assert_int_eq(nftw(house->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(house->supervisor);
    free(house->state);
    free(house->path);
}

/* ---- operations of an administrator and of a caller ---- */

struct test_op {
    struct commit_waiting_op waiting;
    int (*act)(struct test_op *op, struct store *store, struct error *error);
    struct house *house;
    const struct definition *definition;
    struct apply_result applied;
    const struct run_input *input;
    struct id fleet_id;
    struct run_ids ids;
    /* for making up what a crashed daemon left */
    int64_t number;
    struct id boot_id;
    const struct id *vessel_run_ids;
};

static int test_op_apply(struct commit_op *op, struct store *store, struct error *error)
{
    struct test_op *test = CONTAINER_OF(op, struct test_op, waiting.op);
    return test->act(test, store, error);
}

static const struct commit_kind test_kind = {.name = "test",
                                             .class = COMMIT_REQUEST,
                                             .many_statements = true,
                                             .apply = test_op_apply,
                                             .done = commit_wake_waiter};

static void commit(struct house *house, struct test_op *op)
{
    struct error error = ERROR_INIT;
    op->house = house;
    op->waiting.op.kind = &test_kind;
    commit_and_wait(house->queue, &op->waiting.op, &error);
    check(&error);
}

static int act_apply(struct test_op *op, struct store *store, struct error *error)
{
    return store_apply_fleet(store, &op->house->project_id, op->definition, "x", 1, clock_wall_ms(),
                             &op->applied, error);
}

static int act_accept(struct test_op *op, struct store *store, struct error *error)
{
    return store_accept_run(store, &op->fleet_id, op->input, &op->ids, error);
}

static int act_start_attempt(struct test_op *op, struct store *store, struct error *error)
{
    int64_t now_ms = clock_wall_ms();
    return store_start_run(store, op->number, op->definition, op->vessel_run_ids, now_ms, error) !=
                       0 ||
                   store_start_attempt(store, op->number, 0, 1, &op->boot_id, now_ms, error) != 0
               ? -1
               : 0;
}

static struct definition *parse(const char *file)
{
    struct fleet_file_options options = {.stub = true};
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct definition *definition =
        fleet_file_parse(file, strlen(file), &options, &problems, &notes);
    ck_assert_msg(definition != NULL, "%s: %s", problems.count > 0 ? problems.items[0].path : "",
                  problems.count > 0 ? problems.items[0].message : "?");
    fleet_problems_free(&problems);
    fleet_problems_free(&notes);
    return definition;
}

static struct id apply(struct house *house, const char *file)
{
    struct definition *definition = parse(file);
    struct test_op op = {.act = act_apply, .definition = definition};
    commit(house, &op);
    definition_free(definition);
    return op.applied.fleet_id;
}

/* A fleet of BASH vessels: pairs of name and script, then NULL; `rest` is what stands behind the vessels. */
static char *fleet_of(const char *rest, const char *const *pairs)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: Test\nvessels:\n");
    for (; *pairs != NULL; pairs += 2)
        buffer_append_format(&text,
                             "  %s:\n    source:\n      type: CODE\n      language: BASH\n"
                             "      file_to_run: x.sh\n      file:\n        name: x.sh\n"
                             "        content: |\n          %s\n",
                             pairs[0], pairs[1]);
    buffer_append_text(&text, rest);
    return buffer_take(&text);
}

static struct id apply_script(struct house *house, const char *script, const char *rest)
{
    const char *const pairs[] = {"only", script, NULL};
    char *file = fleet_of(rest, pairs);
    struct id id = apply(house, file);
    free(file);
    return id;
}

static struct run_input plain_input(void)
{
    return (struct run_input){.request_id = id_ordered(),
                              .trigger = TRIGGER_WEBHOOK,
                              .arrived_ms = clock_wall_ms(),
                              .remote_addr = "192.0.2.1",
                              .host = "h",
                              .query = "",
                              .event = "",
                              .headers_json = "{}",
                              .headers_bytes = 2,
                              .body_place = BODY_NONE};
}

static struct id accept_input(struct house *house, const struct id *fleet_id,
                              const struct run_input *input)
{
    struct test_op op = {.act = act_accept, .fleet_id = *fleet_id, .input = input};
    commit(house, &op);
    return op.ids.run_id;
}

static struct id accept_plain(struct house *house, const struct id *fleet_id)
{
    struct run_input input = plain_input();
    return accept_input(house, fleet_id, &input);
}

/* ---- looking ---- */

struct seen {
    enum run_status status;
    size_t vessel_count;
    struct {
        enum vessel_status status;
        int attempts, exit_code;
        bool has_exit_code;
        char reason[200];
        struct id id;
        int64_t started_ms, ended_ms;
    } vessels[10];
};

static int see_run(void *context, const struct run_row *row)
{
    ((struct seen *)context)->status = row->status;
    return 0;
}

static int see_vessel(void *context, const struct vessel_row *row)
{
    struct seen *seen = context;
    size_t i = seen->vessel_count++;
    seen->vessels[i].status = row->status;
    seen->vessels[i].attempts = row->attempts;
    seen->vessels[i].exit_code = row->exit_code;
    seen->vessels[i].has_exit_code = row->has_exit_code;
    seen->vessels[i].id = row->id;
    seen->vessels[i].started_ms = row->started_ms;
    seen->vessels[i].ended_ms = row->ended_ms;
    snprintf(seen->vessels[i].reason, sizeof(seen->vessels[i].reason), "%s", row->reason);
    return 0;
}

static struct seen see(struct house *house, const struct id *run_id)
{
    struct error error = ERROR_INIT;
    struct seen seen = {.vessel_count = 0};
    ck_assert_int_eq(store_get_run(house->store, run_id, see_run, &seen, &error), 0);
    ck_assert_int_eq(store_list_vessels(house->store, run_id, see_vessel, &seen, &error), 0);
    return seen;
}

static bool wait_for_commit(struct house *house, uint64_t *commits, int64_t until_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1 + (until_ms - clock_monotonic_ms()) / 1000;
    pthread_mutex_lock(&house->lock);
    while (house->commits == *commits && clock_monotonic_ms() < until_ms)
        pthread_cond_timedwait(&house->news, &house->lock, &until);
    *commits = house->commits;
    pthread_mutex_unlock(&house->lock);
    return clock_monotonic_ms() < until_ms;
}

static struct seen wait_until_ended(struct house *house, const struct id *run_id)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    uint64_t commits = 0;
    for (;;) {
        struct seen seen = see(house, run_id);
        if (run_status_has_ended(seen.status))
            return seen;
        ck_assert_msg(wait_for_commit(house, &commits, until_ms), "the run did not end: status %s",
                      run_status_name(seen.status));
    }
}

/* Where nothing tells: what the cleaner does, what a supervisor writes. */
static void await(bool (*holds)(struct house *, const void *), struct house *house,
                  const void *context)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    const struct timespec pause = {0, 5000000};
    while (!holds(house, context)) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "waited in vain");
        nanosleep(&pause, NULL);
    }
}

static int count_entries(struct house *house, const char *folder)
{
    int fd = openat(house->state_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
    DIR *stream = fdopendir(fd);
    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static bool is_tidy(struct house *house, const void *context)
{
    (void)context;
    return count_entries(house, "runs") == 0 && count_entries(house, "attempts") == 0 &&
           count_entries(house, "trash") == 0;
}

static char *read_text(struct house *house, const char *path)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    file_read(house->state_fd, path, 1 << 20, &text, &error);
    check(&error);
    return buffer_take(&text);
}

static char *output_of(struct house *house, const struct seen *seen, size_t vessel, int attempt)
{
    char day[CLOCK_TEXT_BYTES], id[ID_TEXT_BYTES];
    clock_format_day(id_time_ms(&seen->vessels[vessel].id), day);
    char *path =
        memory_format("logs/%s/%s.%d", day, id_format(&seen->vessels[vessel].id, id), attempt);
    char *text = read_text(house, path);
    free(path);
    return text;
}

static void expect_output(struct house *house, const struct seen *seen, size_t vessel,
                          const char *expected)
{
    char *output = output_of(house, seen, vessel, seen->vessels[vessel].attempts);
    ck_assert_str_eq(output, expected);
    free(output);
}

/* ---- FIFOs: a vessel says that it is there, and waits to be let go ---- */

static char *make_fifo(struct house *house, const char *name)
{
    char *path = memory_format("%s/%s", house->path, name);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    return path;
}

/* Opened for both, a FIFO never says end of file, and bytes wait in it for whoever comes. */
static int open_fifo(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void hear(int fd)
{
    char c;
    ck_assert_int_eq(file_read_all(fd, &c, 1), 1);
}

/* ---- tests: running ---- */

START_TEST(a_run_ends_with_its_exit_code_and_its_output_and_leaves_no_folder)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id fleet = apply_script(&house, "echo out; echo err >&2; pwd | grep -o runs", "");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert(seen.vessels[0].has_exit_code && seen.vessels[0].exit_code == 0);
    ck_assert_int_gt(seen.vessels[0].started_ms, 0);
    ck_assert_int_ge(seen.vessels[0].ended_ms, seen.vessels[0].started_ms);
    expect_output(&house, &seen, 0, "out\nerr\nruns\n");
    await(is_tidy, &house, NULL);
    house_close(&house);
}
END_TEST

START_TEST(a_run_accepted_while_the_runner_runs_is_started)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    start(&house);
    struct id fleet = apply_script(&house, "exit 0", "");
    for (int i = 0; i < 3; i++) {
        struct id run = accept_plain(&house, &fleet);
        ck_assert_int_eq(wait_until_ended(&house, &run).status, RUN_SUCCESS);
    }
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_started, 3);
    ck_assert_uint_eq(metrics.attempts_ended, 3);
    house_close(&house);
}
END_TEST

START_TEST(headers_and_an_inline_body_reach_the_vessel_byte_for_byte)
{
    struct house house;
    static const char body[] = "a\0b\n";
    house_open(&house, "user = \"root\"");
    struct id fleet = apply_script(
        &house,
        "cat \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"; od -An -tx1 \"$SHIPYARD_WEBHOOK_BODY_FILE\"", "");
    struct run_input input = plain_input();
    input.headers_json = "{\"X-A\":[\"1\"]}";
    input.headers_bytes = strlen(input.headers_json);
    input.body_place = BODY_INLINE;
    input.body = body;
    input.body_bytes = sizeof(body) - 1;
    struct id run = accept_input(&house, &fleet, &input);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    expect_output(&house, &seen, 0, "{\"X-A\":[\"1\"]} 61 00 62 0a\n");
    house_close(&house);
}
END_TEST

START_TEST(without_headers_and_body_there_are_no_files)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id fleet = apply_script(&house,
                                   "test -n \"$SHIPYARD_WEBHOOK_BODY_FILE\" && ls -d "
                                   "\"$SHIPYARD_LOG_WORKDIR\"/*.webhook_* 2>/dev/null; echo none",
                                   "");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    expect_output(&house, &seen, 0, "none\n");
    house_close(&house);
}
END_TEST

START_TEST(a_spooled_body_reaches_the_vessel)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"root\"");
    struct id fleet = apply_script(
        &house, "sha256sum < \"$SHIPYARD_WEBHOOK_BODY_FILE\"; echo \"$WEBHOOKD_BODY_SHA256\"", "");
    size_t bytes = 300000;
    char *body = memory_alloc(bytes);
    memset(body, 'x', bytes);
    struct run_input input = plain_input();
    input.body_place = BODY_SPOOLED;
    input.body_bytes = (int64_t)bytes;
    secret_init(&error);
    secret_hash(body, bytes, input.body_sha256);
    spool_write_now(house.state_fd, &input.request_id, body, bytes, &error);
    check(&error);
    struct id run = accept_input(&house, &fleet, &input);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    char hash[2 * SECRET_HASH_BYTES + 1];
    secret_hash_format(input.body_sha256, hash);
    char *expected = memory_format("%s  -\n%s\n", hash, hash);
    expect_output(&house, &seen, 0, expected);
    free(expected);
    free(body);
    house_close(&house);
}
END_TEST

START_TEST(a_run_whose_spooled_body_is_gone_says_so)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id fleet = apply_script(&house, "exit 0", "");
    struct run_input input = plain_input();
    input.body_place = BODY_SPOOLED;
    input.body_bytes = 100000;
    struct id run = accept_input(&house, &fleet, &input);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 127);
    ck_assert_ptr_nonnull(strstr(seen.vessels[0].reason, "body"));
    await(is_tidy, &house, NULL);
    house_close(&house);
}
END_TEST

START_TEST(vessels_run_along_success_paths_in_one_folder)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    const char *const pairs[] = {"first", "echo one > a",           "left", "sed s/one/left/ a > l",
                                 "right", "sed s/one/right/ a > r", "last", "cat a l r",
                                 NULL};
    char *file = fleet_of("connections: {first: {left: SUCCESS, right: SUCCESS}, left: {last: "
                          "SUCCESS}, right: {last: SUCCESS}}\n",
                          pairs);
    struct id fleet = apply(&house, file);
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    expect_output(&house, &seen, 3, "one\nleft\nright\n");
    free(file);
    house_close(&house);
}
END_TEST

START_TEST(what_hangs_on_a_failed_vessel_is_incomplete)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    const char *const pairs[] = {"first", "exit 3", "second", "exit 0", "third", "exit 0", NULL};
    char *file =
        fleet_of("connections: {first: {second: SUCCESS}, second: {third: SUCCESS}}\n", pairs);
    struct id fleet = apply(&house, file);
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 3);
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.vessels[2].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.vessels[2].attempts, 0);
    free(file);
    house_close(&house);
}
END_TEST

START_TEST(an_errored_path_is_reported_as_not_acted_on)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    const char *const pairs[] = {"first", "exit 3", "second", "exit 0", NULL};
    char *file = fleet_of("connections: {first: {second: ERRORED}}\n", pairs);
    struct id fleet = apply(&house, file);
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    ck_assert_str_eq(seen.vessels[1].reason, "paths other than SUCCESS are not acted on yet");
    free(file);
    house_close(&house);
}
END_TEST

START_TEST(stubs_end_errored_without_an_attempt)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id fleet = apply(
        &house, "name: Stubs\nvessels:\n"
                "  first: {source: {type: BLUEPRINT, blueprint: Slack, inputs_type: INLINE}}\n"
                "  second: {source: {type: CODE, language: BASH, file_to_run: a.sh, "
                "file: {name: a.sh, content: 'exit 0'}}}\n"
                "connections: {first: {second: SUCCESS}}\n");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_uint_eq(seen.vessel_count, 2);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 0);
    ck_assert_str_eq(seen.vessels[0].reason, "not available here");
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    house_close(&house);
}
END_TEST

START_TEST(a_vessel_over_its_cutoff_is_errored_and_the_reason_says_when)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id fleet =
        apply(&house, "name: Slow\nvessels:\n  only:\n    source: {type: CODE, language: BASH, "
                      "file_to_run: a.sh, file: {name: a.sh, content: 'sleep 600'}}\n"
                      "    guardrails: {runtime_cutoff: 1s}\n");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_str_eq(seen.vessels[0].reason, "cut off after 1s");
    ck_assert_int_eq(seen.vessels[0].exit_code, 128 + SIGTERM);
    house_close(&house);
}
END_TEST

START_TEST(an_interpreter_that_is_not_there_is_127_with_a_reason)
{
    struct house house;
    house_open(&house, "user = \"root\"\nbash = \"no-such-bash\"");
    struct id fleet = apply_script(&house, "exit 0", "");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 127);
    ck_assert_ptr_nonnull(strstr(seen.vessels[0].reason, "no-such-bash"));
    house_close(&house);
}
END_TEST

START_TEST(never_more_vessels_at_once_than_configured)
{
    struct house house;
    house_open(&house, "user = \"root\"\nmax_vessels = 2");
    char *here = make_fifo(&house, "here"), *go = make_fifo(&house, "go");
    int here_fd = open_fifo(here), go_fd = open_fifo(go);
    char *marks = memory_format("%s/marks", house.path);
    ck_assert_int_eq(mkdir(marks, 0777), 0);
    char *script = memory_format(
        "touch %s/$$; ls %s | wc -l >> %s/../counts; echo -n x > %s; read -n 1 < %s; rm %s/$$",
        marks, marks, marks, here, go, marks);
    struct id fleet = apply_script(&house, script, "");
    struct id runs[6];
    for (int i = 0; i < 6; i++)
        runs[i] = accept_plain(&house, &fleet);
    start(&house);
    for (int i = 0; i < 6; i++) {
        hear(here_fd);
        if (i == 1) {
            struct runner_metrics metrics;
            runner_get_metrics(house.runner, &metrics);
            ck_assert_int_le(metrics.running_vessels, 2);
        }
        if (i >= 1)
            ck_assert_int_eq(write(go_fd, "x", 1), 1);
    }
    ck_assert_int_eq(write(go_fd, "x", 1), 1);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    char *counts = read_text(&house, "../counts");
    ck_assert_ptr_nonnull(strchr(counts, '2'));
    ck_assert_msg(strpbrk(counts, "3456") == NULL, "at once: %s", counts);
    free(counts);
    free(script);
    free(marks);
    free(here);
    free(go);
    close(here_fd);
    close(go_fd);
    house_close(&house);
}
END_TEST

START_TEST(a_disabled_runner_lets_runs_wait_until_it_is_enabled)
{
    struct house house;
    house_open(&house, "user = \"root\"\nenabled = false");
    struct id fleet = apply_script(&house, "exit 0", "");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_int_eq(metrics.active_runs, 0);
    stop(&house); /* it has had its time to claim by now */
    ck_assert_int_eq(see(&house, &run).status, RUN_SCHEDULED);
    start(&house);
    struct config *fresh = make_config("user = \"root\"");
    runner_reconfigure(house.runner, fresh);
    config_release(fresh);
    ck_assert_int_eq(wait_until_ended(&house, &run).status, RUN_SUCCESS);
    house_close(&house);
}
END_TEST

START_TEST(an_unknown_user_refuses_to_start)
{
    if (geteuid() != 0) {
        test_skip("needs root");
        return;
    }
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"no-such-user-here\"");
    ck_assert_ptr_null(try_start(&house, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no-such-user-here"));
    house_close(&house);
}
END_TEST

START_TEST(as_another_user_a_vessel_works_in_its_folder_and_sees_no_state)
{
    if (geteuid() != 0) {
        test_skip("needs root");
        return;
    }
    struct house house;
    house_open(&house, "user = \"nobody\"");
    const char *const alone[] = {"only",
                                 "id -un; echo x > made; cat made; cat \"$HOME/../../webhookd.db\" "
                                 "2>/dev/null || echo hidden",
                                 NULL};
    char *file = fleet_of("", alone);
    struct id fleet = apply(&house, file);
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    expect_output(&house, &seen, 0, "nobody\nx\nhidden\n");
    await(is_tidy, &house, NULL);
    free(file);
    house_close(&house);
}
END_TEST

/* ---- tests: recovery ---- */

struct blocked {
    char *here, *go;
    int here_fd, go_fd;
    struct id run;
};

/* Starts a run whose vessel says that it is there and then waits. */
static void block(struct house *house, struct blocked *blocked, const char *rest)
{
    blocked->here = make_fifo(house, "here");
    blocked->go = make_fifo(house, "go");
    blocked->here_fd = open_fifo(blocked->here);
    blocked->go_fd = open_fifo(blocked->go);
    char *script =
        memory_format("echo attempt $WEBHOOKD_ATTEMPT; test $WEBHOOKD_ATTEMPT = 2 && exit 0; "
                      "echo -n x > %s; read -n 1 < %s; echo done; exit 7",
                      blocked->here, blocked->go);
    struct id fleet = apply_script(house, script, rest);
    free(script);
    blocked->run = accept_plain(house, &fleet);
    start(house);
    hear(blocked->here_fd);
}

static void let_go(struct blocked *blocked)
{
    ck_assert_int_eq(write(blocked->go_fd, "x", 1), 1);
}

static void blocked_close(struct blocked *blocked)
{
    free(blocked->here);
    free(blocked->go);
    close(blocked->here_fd);
    close(blocked->go_fd);
}

static char *attempt_folder(struct house *house, const struct seen *seen)
{
    (void)house;
    char id[ID_TEXT_BYTES], name[RECORD_NAME_BYTES];
    return memory_format("attempts/%s", record_name(id_format(&seen->vessels[0].id, id), 1, name));
}

START_TEST(a_running_vessel_outlives_the_runner_and_is_found_again)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"root\"");
    block(&house, &blocked, "");
    stop(&house);
    ck_assert_int_eq(see(&house, &blocked.run).status, RUN_RUNNING);
    start(&house);
    let_go(&blocked);
    struct seen seen = wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    expect_output(&house, &seen, 0, "attempt 1\ndone\n");
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_adopted, 1);
    ck_assert_uint_eq(metrics.attempts_started, 0);
    blocked_close(&blocked);
    house_close(&house);
}
END_TEST

START_TEST(a_vessel_that_ended_while_no_runner_was_there_has_its_exit_code)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"root\"");
    block(&house, &blocked, "");
    stop(&house);
    let_go(&blocked);
    ck_assert_int_gt(waitpid(-1, NULL, 0), 0); /* the supervisor is this process's child */
    start(&house);
    struct seen seen = wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    expect_output(&house, &seen, 0, "attempt 1\ndone\n");
    await(is_tidy, &house, NULL);
    blocked_close(&blocked);
    house_close(&house);
}
END_TEST

static void kill_supervisor(struct house *house, const struct id *run)
{
    struct seen seen = see(house, run);
    char *folder = attempt_folder(house, &seen);
    int fd = openat(house->state_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t pid = record_pid_read(fd);
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    close(fd);
    free(folder);
}

START_TEST(a_killed_supervisor_is_an_interruption_and_nothing_runs_twice)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"root\"");
    block(&house, &blocked, "");
    kill_supervisor(&house, &blocked.run);
    struct seen seen = wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert(!seen.vessels[0].has_exit_code);
    ck_assert_int_eq(strncmp(seen.vessels[0].reason, "interrupted: ", 13), 0);
    blocked_close(&blocked);
    house_close(&house);
}
END_TEST

START_TEST(an_interrupted_vessel_runs_again_if_the_fleet_says_so)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"root\"");
    block(&house, &blocked, "on_interrupt: RERUN\n");
    kill_supervisor(&house, &blocked.run);
    struct seen seen = wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 2);
    expect_output(&house, &seen, 0, "attempt 2\n");
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_interrupted, 1);
    blocked_close(&blocked);
    house_close(&house);
}
END_TEST

/* What a daemon leaves that dies right after the commit of "attempt starts". */
static struct id make_committed_start(struct house *house, const char *rest,
                                      const struct id *boot_id)
{
    static const char script[] = "echo attempt $WEBHOOKD_ATTEMPT";
    const char *const pairs[] = {"only", script, NULL};
    char *file = fleet_of(rest, pairs);
    struct id fleet = apply(house, file);
    struct definition *definition = parse(file);
    struct id run = accept_plain(house, &fleet), vessel_run_id = id_ordered();
    struct test_op op = {.act = act_start_attempt,
                         .definition = definition,
                         .number = id_run_number(&run),
                         .boot_id = *boot_id,
                         .vessel_run_ids = &vessel_run_id};
    commit(house, &op);
    definition_free(definition);
    free(file);
    return run;
}

static struct id this_boot(void)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct id id;
    file_read(-1, "/proc/sys/kernel/random/boot_id", 100, &text, &error);
    check(&error);
    text.data[36] = '\0';
    ck_assert_int_eq(id_parse(text.data, &id), 0);
    buffer_free(&text);
    return id;
}

START_TEST(an_attempt_that_provably_never_ran_is_started_once)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id boot_id = this_boot();
    struct id run = make_committed_start(&house, "", &boot_id);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    expect_output(&house, &seen, 0, "attempt 1\n");
    house_close(&house);
}
END_TEST

START_TEST(folders_of_an_attempt_that_never_ran_are_used_again)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"root\"");
    struct id boot_id = this_boot();
    struct id run = make_committed_start(&house, "", &boot_id);
    struct seen seen = see(&house, &run);
    char *folder = attempt_folder(&house, &seen);
    ck_assert_int_eq(mkdirat(house.state_fd, "attempts", 0700), 0);
    int fd = file_open_folder(house.state_fd, folder, 0700, &error);
    int lock = record_lock_take(fd, &error);
    check(&error);
    ck_assert_int_eq(record_pid_write(fd, 999999, &error), 0);
    close(lock);
    close(fd);
    char day[CLOCK_TEXT_BYTES];
    clock_format_day(id_time_ms(&seen.vessels[0].id), day);
    char *log = memory_format("logs/%s/%s", day, folder + strlen("attempts/"));
    char *day_folder = memory_format("logs/%s", day);
    ck_assert_int_eq(mkdirat(house.state_fd, "logs", 0700), 0);
    ck_assert_int_eq(mkdirat(house.state_fd, day_folder, 0700), 0);
    fd = openat(house.state_fd, log, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, "left over\n", 10), 10);
    close(fd);
    start(&house);
    seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    expect_output(&house, &seen, 0, "attempt 1\n");
    free(day_folder);
    free(log);
    free(folder);
    house_close(&house);
}
END_TEST

START_TEST(after_a_restart_of_the_machine_an_attempt_is_interrupted)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    struct id other_boot = id_random();
    struct id run = make_committed_start(&house, "", &other_boot);
    start(&house);
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_str_eq(seen.vessels[0].reason, "interrupted: the machine was restarted");
    house_close(&house);
}
END_TEST

START_TEST(a_disabled_runner_still_notes_how_running_vessels_end)
{
    struct house house;
    house_open(&house, "user = \"root\"\nenabled = false");
    struct id other_boot = id_random();
    struct id run = make_committed_start(&house, "", &other_boot);
    start(&house);
    ck_assert_int_eq(wait_until_ended(&house, &run).status, RUN_ERRORED);
    house_close(&house);
}
END_TEST

static bool has_tried(struct house *house, const void *context)
{
    struct seen seen = see(house, context);
    return seen.vessel_count == 1 && seen.vessels[0].status == VESSEL_RUNNING;
}

START_TEST(a_run_whose_supervisor_cannot_be_spawned_is_not_lost)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    char *right = house.supervisor;
    house.supervisor = memory_format("%s/missing", house.path);
    struct id fleet = apply_script(&house, "echo attempt $WEBHOOKD_ATTEMPT", "");
    struct id run = accept_plain(&house, &fleet);
    start(&house);
    await(has_tried, &house, &run);
    ck_assert_int_eq(symlink(right, house.supervisor),
                     0); /* it comes back while the runner waits */
    struct seen seen = wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    free(right);
    house_close(&house);
}
END_TEST

START_TEST(folders_that_belong_to_no_run_are_removed_at_start)
{
    struct house house;
    house_open(&house, "user = \"root\"");
    static const char *const paths[] = {"runs",
                                        "attempts",
                                        "trash",
                                        "runs/01938f00-0000-7000-8000-000000000000",
                                        "runs/01938f00-0000-7000-8000-000000000000/deep",
                                        "attempts/01938f00-0000-7000-8000-000000000001.1",
                                        "trash/01938f00-0000-7000-8000-000000000002"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        ck_assert_int_eq(mkdirat(house.state_fd, paths[i], 0700), 0);
    start(&house);
    await(is_tidy, &house, NULL);
    house_close(&house);
}
END_TEST

START_TEST(many_runs_all_end_and_leave_nothing_behind)
{
    struct house house;
    enum { RUNS = 40 };
    house_open(&house, "user = \"root\"\nmax_vessels = 5");
    struct id fleet = apply_script(&house, "exit 0", "");
    struct id runs[RUNS];
    start(&house);
    for (int i = 0; i < RUNS; i++)
        runs[i] = accept_plain(&house, &fleet);
    for (int i = 0; i < RUNS; i++)
        ck_assert_int_eq(wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    await(is_tidy, &house, NULL);
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_started, RUNS);
    ck_assert_int_eq(metrics.running_vessels, 0);
    house_close(&house);
}
END_TEST

START_TEST(stopping_in_the_middle_of_many_runs_loses_none)
{
    struct house house;
    enum { RUNS = 30 };
    house_open(&house, "user = \"root\"\nmax_vessels = 4");
    struct id fleet = apply_script(&house, "exit 0", "");
    struct id runs[RUNS];
    for (int i = 0; i < RUNS; i++)
        runs[i] = accept_plain(&house, &fleet);
    for (int i = 0; i < 4; i++) {
        start(&house);
        wait_until_ended(&house, &runs[3 * i]);
        stop(&house);
    }
    start(&house);
    for (int i = 0; i < RUNS; i++) {
        struct seen seen = wait_until_ended(&house, &runs[i]);
        ck_assert_msg(seen.status == RUN_SUCCESS, "run %d: %s", i, seen.vessels[0].reason);
        ck_assert_int_eq(seen.vessels[0].attempts, 1);
    }
    await(is_tidy, &house, NULL);
    house_close(&house);
}
END_TEST

TEST_MAIN("runner", TEST(a_run_ends_with_its_exit_code_and_its_output_and_leaves_no_folder),
          TEST(a_run_accepted_while_the_runner_runs_is_started),
          TEST(headers_and_an_inline_body_reach_the_vessel_byte_for_byte),
          TEST(without_headers_and_body_there_are_no_files),
          TEST(a_spooled_body_reaches_the_vessel), TEST(a_run_whose_spooled_body_is_gone_says_so),
          TEST(vessels_run_along_success_paths_in_one_folder),
          TEST(what_hangs_on_a_failed_vessel_is_incomplete),
          TEST(an_errored_path_is_reported_as_not_acted_on),
          TEST(stubs_end_errored_without_an_attempt),
          TEST(a_vessel_over_its_cutoff_is_errored_and_the_reason_says_when),
          TEST(an_interpreter_that_is_not_there_is_127_with_a_reason),
          TEST(never_more_vessels_at_once_than_configured),
          TEST(a_disabled_runner_lets_runs_wait_until_it_is_enabled),
          TEST(an_unknown_user_refuses_to_start),
          TEST(as_another_user_a_vessel_works_in_its_folder_and_sees_no_state),
          TEST(a_running_vessel_outlives_the_runner_and_is_found_again),
          TEST(a_vessel_that_ended_while_no_runner_was_there_has_its_exit_code),
          TEST(a_killed_supervisor_is_an_interruption_and_nothing_runs_twice),
          TEST(an_interrupted_vessel_runs_again_if_the_fleet_says_so),
          TEST(an_attempt_that_provably_never_ran_is_started_once),
          TEST(folders_of_an_attempt_that_never_ran_are_used_again),
          TEST(after_a_restart_of_the_machine_an_attempt_is_interrupted),
          TEST(a_disabled_runner_still_notes_how_running_vessels_end),
          TEST(a_run_whose_supervisor_cannot_be_spawned_is_not_lost),
          TEST(folders_that_belong_to_no_run_are_removed_at_start),
          TEST(many_runs_all_end_and_leave_nothing_behind),
          TEST(stopping_in_the_middle_of_many_runs_loses_none))
