/* See runner_house.h. */
#include "support/runner_house.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/faulty_vfs.h"
#include "support/janitor.h"
#include "support/suite.h"

#define PATIENCE_MS 45000

/* ---- the house ---- */

void house_check(const struct error *error)
{
    ck_assert_msg(!error_is_set(error), "%s", error->message);
}

static void committed(void *context)
{
    struct house *house = context;
    pthread_mutex_lock(&house->lock);
    house->commits++;
    if (house->runner)
        runner_wake(house->runner);
    pthread_cond_broadcast(&house->news);
    pthread_mutex_unlock(&house->lock);
}

static int take_project(void *context, const struct project_row *row)
{
    *(struct id *)context = row->id;
    return 1;
}

struct config *house_config(const char *runner_keys)
{
    struct config_report report = {NULL, 0};
    char *text = memory_format(
        "runner {\nsandbox = \"off\"\nstop_grace = \"1s\"\nnice = 0\n%s\n}\n", runner_keys);
    struct config *config = config_parse(text, strlen(text), "test.conf", &report);
    ck_assert_msg(config, "%s", report.count > 0 ? report.lines[0] : "no message");
    config_report_free(&report);
    free(text);
    return config;
}

static char *find_supervisor(void)
{
    const char *build = getenv("BUILD");
    char *relative = memory_format("%s/webhookd-vessel", build ? build : "build");
    char *absolute = realpath(relative, NULL);
    ck_assert_msg(absolute, "%s is not built", relative);
    free(relative);
    return absolute;
}

void house_open(struct house *house, const char *runner_keys)
{
    struct error error = ERROR_INIT;
    const char *parent = getenv("TMPDIR");
    memset(house, 0, sizeof(*house));
    log_set_level(LOG_LEVEL_ERROR);
    house->path = memory_format("%s/webhookd-runner-XXXXXX", parent ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(house->path));
    janitor_watch(house->path);
    ck_assert_int_eq(chmod(house->path, 0755), 0); /* for a vessel that runs as another user */
    house->state = memory_format("%s/state", house->path);
    ck_assert_int_eq(mkdir(house->state, 0700), 0);
    house->state_fd = open(house->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* The folder's id: all zeros, so that mixing it in leaves the boot id as it is. */
    int lock_fd = openat(house->state_fd, "lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(file_write_all(lock_fd, "00000000-0000-0000-0000-000000000000", 36), 0);
    close(lock_fd);
    ck_assert_int_eq(mkdirat(house->state_fd, "spool", 0700), 0);
    house->supervisor = find_supervisor();
    house->config = house_config(runner_keys);
    pthread_mutex_init(&house->lock, NULL);
    pthread_cond_init(&house->news, NULL);
    house->store_options = (struct store_options){
        .state_dir = house->state, .location = "sqlite:webhookd.db", .mode = STORE_WRITE};
    faulty_vfs_register();
    struct commit_options options = {.store = house->store_options,
                                     .max_queued = 10000,
                                     .committed = committed,
                                     .context = house};
    connection_set_vfs(FAULTY_VFS);
    house->queue = commit_start(&options, &error);
    connection_set_vfs(NULL);
    house_check(&error);
    struct store_options reading = house->store_options;
    reading.mode = STORE_READ;
    house->store = store_open(&reading, &error);
    house_check(&error);
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

struct runner *house_try_start(struct house *house, struct error *error)
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
    if (runner)
        runner_wake(runner); /* for commits from before house->runner was set */
    return runner;
}

void house_start(struct house *house)
{
    struct error error = ERROR_INIT;
    house_try_start(house, &error);
    house_check(&error);
}

void house_stop(struct house *house)
{
    pthread_mutex_lock(&house->lock);
    struct runner *runner = house->runner;
    house->runner = NULL;
    pthread_mutex_unlock(&house->lock);
    runner_stop(runner);
}

void house_close(struct house *house)
{
    house_stop(house);
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
    int (*act)(struct test_op *op, struct store *store, struct error *error);
    struct house *house;
    const struct definition *definition;
    struct apply_result applied;
    const struct run_input *input;
    struct id fleet_id;
    struct run_ids ids;
    /* for reconstructing what a crashed daemon left */
    int64_t number;
    struct id boot_id;
    const struct id *vessel_run_ids;
};

static int test_op_apply(void *context, struct store *store, struct error *error)
{
    struct test_op *test = context;
    return test->act(test, store, error);
}

static void commit(struct house *house, struct test_op *op)
{
    struct error error = ERROR_INIT;
    const struct commit_call call = {.name = "test", .apply = test_op_apply, .context = op};
    op->house = house;
    commit_call(house->queue, &call, &error);
    house_check(&error);
}

static int act_apply(struct test_op *op, struct store *store, struct error *error)
{
    const struct fleet_application application = {.project_id = &op->house->project_id,
                                                  .definition = op->definition,
                                                  .file = "x",
                                                  .file_bytes = 1};
    return store_apply_fleet(store, &application, clock_wall_ms(), &op->applied, error);
}

static int act_accept(struct test_op *op, struct store *store, struct error *error)
{
    return store_accept_run(store, &op->fleet_id, op->input, &op->ids, error);
}

static int act_start_attempt(struct test_op *op, struct store *store, struct error *error)
{
    int64_t now_ms = clock_wall_ms();
    return sqlite_start_run(store, op->number, op->definition, op->vessel_run_ids, now_ms, error) !=
                       0 ||
                   sqlite_start_attempt(store, op->number, 0, 1, &op->boot_id, now_ms, error) != 0
               ? -1
               : 0;
}

struct definition *house_parse(const char *file)
{
    struct fleet_file_options options = {.stub = true};
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct definition *definition =
        fleet_file_parse(file, strlen(file), &options, &problems, &notes);
    ck_assert_msg(definition, "%s: %s", problems.count > 0 ? problems.items[0].path : "",
                  problems.count > 0 ? problems.items[0].message : "no message");
    report_free_problems(&problems);
    report_free_problems(&notes);
    return definition;
}

struct id house_apply(struct house *house, const char *file)
{
    struct definition *definition = house_parse(file);
    struct test_op op = {.act = act_apply, .definition = definition};
    commit(house, &op);
    definition_free(definition);
    return op.applied.fleet_id;
}

char *house_fleet(const char *rest, const char *const *pairs)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: Test\nvessels:\n");
    for (; *pairs; pairs += 2)
        buffer_append_format(&text,
                             "  %s:\n    source:\n      type: CODE\n      language: BASH\n"
                             "      file_to_run: x.sh\n      file:\n        name: x.sh\n"
                             "        content: |\n          %s\n",
                             pairs[0], pairs[1]);
    buffer_append_text(&text, rest);
    return buffer_take(&text);
}

struct id house_apply_script(struct house *house, const char *script, const char *rest)
{
    const char *const pairs[] = {"only", script, NULL};
    char *file = house_fleet(rest, pairs);
    struct id id = house_apply(house, file);
    free(file);
    return id;
}

struct run_input house_plain_input(void)
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

struct id house_accept_input(struct house *house, const struct id *fleet_id,
                             const struct run_input *input)
{
    struct test_op op = {.act = act_accept, .fleet_id = *fleet_id, .input = input};
    commit(house, &op);
    return op.ids.run_id;
}

struct id house_accept(struct house *house, const struct id *fleet_id)
{
    struct run_input input = house_plain_input();
    return house_accept_input(house, fleet_id, &input);
}

/* ---- observing runs ---- */

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

struct seen house_see(struct house *house, const struct id *run_id)
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

struct seen house_wait_until_ended(struct house *house, const struct id *run_id)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    uint64_t commits = 0;
    for (;;) {
        struct seen seen = house_see(house, run_id);
        if (run_status_has_ended(seen.status))
            return seen;
        ck_assert_msg(wait_for_commit(house, &commits, until_ms), "the run did not end: status %s",
                      run_status_name(seen.status));
    }
}

/* For events without a notification: the trash, the records of supervisors. */
void house_await(bool (*holds)(struct house *, const void *), struct house *house,
                 const void *context)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    const struct timespec pause = {0, 5000000};
    while (!holds(house, context)) {
        ck_assert_msg(clock_monotonic_ms() < until_ms,
                      "the condition did not come true within 45 s");
        nanosleep(&pause, NULL);
    }
}

int house_count_entries(struct house *house, const char *folder)
{
    int fd = openat(house->state_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
    DIR *stream = fdopendir(fd);
    ck_assert_ptr_nonnull(stream);
    for (struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

bool house_is_tidy(struct house *house, const void *context)
{
    (void)context;
    return house_count_entries(house, "runs") == 0 && house_count_entries(house, "attempts") == 0 &&
           house_count_entries(house, "trash") == 0;
}

char *house_read(struct house *house, const char *path)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    file_read(house->state_fd, path, 1 << 20, &text, &error);
    house_check(&error);
    return buffer_take(&text);
}

static char *output_of(struct house *house, const struct seen *seen, size_t vessel, int attempt)
{
    char day[CLOCK_TEXT_BYTES], id[ID_TEXT_BYTES];
    clock_format_day(id_time_ms(&seen->vessels[vessel].id), day);
    char *path =
        memory_format("logs/%s/%s.%d", day, id_format(&seen->vessels[vessel].id, id), attempt);
    char *text = house_read(house, path);
    free(path);
    return text;
}

void house_expect_output(struct house *house, const struct seen *seen, size_t vessel,
                         const char *expected)
{
    char *output = output_of(house, seen, vessel, seen->vessels[vessel].attempts);
    ck_assert_str_eq(output, expected);
    free(output);
}

/* ---- FIFOs: a vessel signals its progress and waits for permission to go on ---- */

char *house_fifo(struct house *house, const char *name)
{
    char *path = memory_format("%s/%s", house->path, name);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    return path;
}

int house_open_fifo(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

void house_hear(int fd)
{
    char c;
    ck_assert_int_eq(file_read_all(fd, &c, 1), 1);
}

/* Commits what a daemon leaves that dies right after the commit of "attempt starts". */
struct id house_make_committed_start(struct house *house, const char *rest,
                                     const struct id *boot_id)
{
    static const char script[] = "echo attempt $WEBHOOKD_ATTEMPT";
    const char *const pairs[] = {"only", script, NULL};
    char *file = house_fleet(rest, pairs);
    struct id fleet = house_apply(house, file);
    struct definition *definition = house_parse(file);
    struct id run = house_accept(house, &fleet), vessel_run_id = id_ordered();
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
