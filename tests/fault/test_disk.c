/* The disk under a real webhookd: full, failing, read-only, limited. Waiting requests get 503 or no
 * response, never 201; runs that got 201 remain. */
#include "support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/aftermath.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/disk.h"
#include "support/faults.h"
#include "support/http.h"
#include "support/load.h"

#define SMALL_BYTES  1000
#define INLINE_BYTES 60000       /* stored in the run's row */
#define LARGE_BYTES  (200 << 10) /* spooled, in one piece */
#define HUGE_BYTES   (3 << 20)   /* spooled, in many */
#define WITHIN_MS    30000

static const char fleet[] = "name: kept\nvessels:\n  main:\n    source:\n      type: CODE\n"
                            "      language: BASH\n      file_to_run: main.sh\n"
                            "      file: { name: main.sh, content: \"exit 0\\n\" }\n";

/* ---- requests ---- */

static const char *payload(void)
{
    static char bytes[HUGE_BYTES];
    if (bytes[0] == '\0')
        memset(bytes, 'w', sizeof(bytes));
    return bytes;
}

static int post(const char *url, size_t bytes)
{
    struct response response;
    http_post(url, NULL, payload(), bytes, &response);
    int status = response.status;
    if (status == 503)
        ck_assert_ptr_nonnull(strstr(response.headers, "Retry-After: "));
    response_free(&response);
    return status;
}

static int post_chunked(const char *url, size_t bytes)
{
    struct response response;
    http_post_chunked(url, payload(), bytes, &response);
    int status = response.status;
    response_free(&response);
    return status;
}

/* POSTs until a POST is refused. Returns the number of 201s; the last response must be 503. */
static int post_until_refused(const char *url, size_t bytes)
{
    int accepted = 0, status;
    while ((status = post(url, bytes)) == 201)
        ck_assert_int_lt(++accepted, 100000);
    ck_assert_int_eq(status, 503);
    return accepted;
}

/* webhookd may close the connection before a large body is sent completely: curl then sees no
 * response. */
static void assert_not_accepted(int status, size_t bytes)
{
    ck_assert_msg(status == 503 || (status == 0 && bytes > INLINE_BYTES), "%d", status);
}

/* webhookd checks the free space periodically, so accepting may resume a little later. */
static void await_accepted(const char *url, size_t bytes)
{
    int64_t until_ms = clock_monotonic_ms() + WITHIN_MS;
    int status;
    while ((status = post(url, bytes)) != 201) {
        assert_not_accepted(status, bytes);
        ck_assert_msg(clock_monotonic_ms() < until_ms, "POSTs are still refused after 30 s");
        usleep(20000);
    }
}

static void assert_alive(const struct daemon *daemon)
{
    struct response response;
    char *url = memory_format("http://127.0.0.1:%u/healthz", daemon->admin_port);
    ck_assert_int_eq(kill(daemon->pid, 0), 0);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    free(url);
}

static void assert_not_ready(struct daemon *daemon, const char *words)
{
    struct response response;
    http_request_over(daemon->socket, "GET", "http://localhost/readyz", NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 503);
    ck_assert_msg(strstr(response.body, words), "%s", response.body);
    response_free(&response);

    /* The status and the metrics agree. */
    json_t *status = api_get(daemon, "/status");
    ck_assert(json_is_false(json_object_get(status, "ready")));
    ck_assert_ptr_nonnull(strstr(api_text(status, "not_ready_because"), words));
    json_decref(status);
    ck_assert_int_eq(api_metric(daemon, "ready"), 0);
}

/* ---- full ---- */

static void begin_on_disk(struct daemon *daemon, const struct disk *disk)
{
    struct daemon_options options = {.state_dir = disk->state_dir, .runner = "enabled = false"};
    daemon_begin(daemon, &options);
}

/* Requests with a small body are refused by the check of the free space; requests without a body
 * fail only in the commit. */
static void full_disk(enum disk_kind kind)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, kind, 24))
        return;
    begin_on_disk(&daemon, &disk);
    char *url = daemon_fleet(&daemon, fleet);
    ck_assert_int_eq(post(url, SMALL_BYTES), 201);

    disk_fill(&disk);
    int64_t accepted = 1 + post_until_refused(url, 0); /* the log has a little room left */
    accepted += post_until_refused(url, SMALL_BYTES);
    ck_assert_int_eq(post(url, 0), 503);
    assert_alive(&daemon);
    ck_assert_int_eq(aftermath_open_runs(daemon.state_dir), accepted);

    disk_make_room(&disk);
    await_accepted(url, 0);
    await_accepted(url, SMALL_BYTES);
    await_accepted(url, LARGE_BYTES);
    assert_alive(&daemon);
    ck_assert_int_eq(aftermath_open_runs(daemon.state_dir), accepted + 3);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    aftermath_assert_sound(daemon.state_dir);

    daemon_finish(&daemon);
    disk_finish(&disk);
    free(url);
}

/* Invariant 6. */
TEST(a_full_disk_answers_503_and_accepts_again_when_there_is_room)
{
    full_disk(DISK_EXT4);
}

/* Invariant 6. */
TEST(a_full_tmpfs_answers_503_and_accepts_again_when_there_is_room)
{
    full_disk(DISK_TMPFS);
}

/* webhookd looks at the disk now and then, so this may come a little later. */
static void await_refused(const char *url, size_t bytes)
{
    int64_t until_ms = clock_monotonic_ms() + WITHIN_MS;
    int status;
    while ((status = post(url, bytes)) == 201) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "POSTs are still accepted after 30 s");
        usleep(20000);
    }
    ck_assert_int_eq(status, 503);
}

TEST(without_free_inodes_webhookd_is_not_ready_and_says_so_until_there_are_some)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, 24))
        return;
    begin_on_disk(&daemon, &disk);
    char *url = daemon_fleet(&daemon, fleet);
    ck_assert_int_eq(post(url, SMALL_BYTES), 201);

    disk_fill_inodes(&disk);
    await_refused(url, SMALL_BYTES);
    assert_not_ready(&daemon, "inodes free, less than the ");
    daemon_await_log(&daemon, "requests are refused");
    while (api_metric(&daemon, "disk_free_inodes") != 0) /* it was looked at during the filling */
        usleep(10000);
    char *status = ctl_ok(&daemon, "status", NULL);
    ck_assert_msg(strstr(status, "0 free, at least "), "%s", status);
    free(status);
    assert_alive(&daemon);

    disk_make_room_for_inodes(&disk);
    await_accepted(url, SMALL_BYTES);
    await_accepted(url, LARGE_BYTES);
    daemon_await_log(&daemon, "requests are accepted again");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_finish(&daemon);
    disk_finish(&disk);
    free(url);
}

TEST(a_large_body_on_a_full_disk_leaves_no_file)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, 24))
        return;
    begin_on_disk(&daemon, &disk);
    char *url = daemon_fleet(&daemon, fleet);

    disk_fill(&disk);
    assert_not_accepted(post_chunked(url, LARGE_BYTES), LARGE_BYTES);
    assert_not_accepted(post_chunked(url, HUGE_BYTES), HUGE_BYTES);
    assert_not_accepted(post(url, LARGE_BYTES), LARGE_BYTES);
    aftermath_await_empty(daemon.state_dir, "spool");
    ck_assert_int_eq(aftermath_open_runs(daemon.state_dir), 0);
    assert_alive(&daemon);

    disk_make_room(&disk);
    await_accepted(url, HUGE_BYTES);
    ck_assert_int_eq(aftermath_files(daemon.state_dir, "spool"), 1);
    ck_assert_int_eq(daemon_stop(&daemon), 0);

    daemon_finish(&daemon);
    disk_finish(&disk);
    free(url);
}

/* Invariant 1. */
TEST(a_full_disk_under_load_keeps_every_promise)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, 64))
        return;
    begin_on_disk(&daemon, &disk);
    char *url = daemon_fleet(&daemon, fleet);
    struct load_book book = {.seed = 1, .large_every = 16};
    struct load_options options = {
        .port = daemon.port, .url = url, .connections = 32, .pause_ms = 20};

    struct load *load = load_start(&options, &book);
    for (int i = 0; i < 3; i++) {
        load_await(load, load_promises(load) + 50, 0);
        disk_fill(&disk);
        load_await(load, 0, load_refusals(load) + 50);
        disk_make_room(&disk);
    }
    load_await(load, load_promises(load) + 50, 0);
    load_stop(load);
    assert_alive(&daemon);
    ck_assert_uint_eq(book.strange, 0);
    ck_assert_uint_eq(aftermath_missing(daemon.state_dir, &book, 0), 0);
    ck_assert_int_ge(aftermath_open_runs(daemon.state_dir), (int64_t)book.count);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    aftermath_assert_sound(daemon.state_dir);

    daemon_finish(&daemon);
    disk_finish(&disk);
    load_book_free(&book);
    free(url);
}

/* ---- vessels that fill the disk ---- */

static char *start_writer(struct daemon *daemon, const char *name, const char *script)
{
    char *file = bash_fleet(name, script);
    char *url = daemon_fleet(daemon, file);
    char *id = api_post(url, NULL, 0);
    free(url);
    free(file);
    return id;
}

/* Together they leave less than one and a half times min_free, but more than min_free. */
TEST(the_largest_writer_is_killed_before_a_sender_is_refused)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_TMPFS, 64))
        return;
    ck_assert_int_eq(chmod(disk.folder, 0711), 0); /* for the vessels' user */
    struct daemon_options options = {.state_dir = disk.state_dir, .top = "min_free = \"16MiB\""};
    daemon_begin(&daemon, &options);
    char *url = daemon_fleet(&daemon, fleet);
    char *small = start_writer(&daemon, "small",
                               "head -c 4M /dev/zero > file; echo written; "
                               "until [ -e go ]; do sleep 0.01; done; echo done");
    api_await_output(&daemon, small, "main", "written");
    char *large =
        start_writer(&daemon, "large", "head -c 39M /dev/zero > file; sleep 1000 | sleep 1000");
    json_t *run = api_await_end(&daemon, large);
    ck_assert_int_eq(post(url, SMALL_BYTES), 201);
    ck_assert_str_eq(api_text(api_vessel(run, "main"), "reason"),
                     "killed: the state disk was nearly full (min_free), and its working folder "
                     "was the largest");
    json_decref(run);
    char *go = memory_format("%s/runs/%s/go", daemon.state_dir, small);
    FILE *file = fopen(go, "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    run = api_await_end(&daemon, small);
    ck_assert_str_eq(api_text(run, "status"), "success");
    json_decref(run);
    char *log = daemon_log(&daemon);
    ck_assert_msg(!strstr(log, "requests are refused"), "%s", log);
    free(log);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_finish(&daemon);
    disk_finish(&disk);
    free(go);
    free(large);
    free(small);
    free(url);
}

/* ---- failing ---- */

static long long accepted_requests(struct daemon *daemon)
{
    json_t *list = api_get(daemon, "/webhooks");
    const json_t *webhook = json_array_get(json_object_get(list, "webhooks"), 0);
    const json_t *requests = json_object_get(webhook, "requests");
    long long accepted = json_integer_value(json_object_get(requests, "accepted"));
    json_decref(list);
    return accepted;
}

/* Starts a daemon without rules that has accepted one run. The request is counted a moment later by
 * an operation of its own, which must not meet the fault. */
static char *begin_faults(struct faults *faults)
{
    faults_prepare(faults, "enabled = false");
    daemon_restart(&faults->daemon);
    char *url = daemon_fleet(&faults->daemon, fleet);
    ck_assert_int_eq(post(url, SMALL_BYTES), 201);
    int64_t until_ms = clock_monotonic_ms() + WITHIN_MS;
    while (accepted_requests(&faults->daemon) == 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "the request was not counted");
        usleep(10000);
    }
    return url;
}

static long metric(const struct daemon *daemon, const char *name)
{
    struct response response;
    char *url = memory_format("http://127.0.0.1:%u/metrics", daemon->admin_port);
    char *line = memory_format("\nwebhookd_%s ", name);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    const char *at = strstr(response.body, line);
    ck_assert_msg(at, "no metric %s", name);
    long value = strtol(at + strlen(line), NULL, 10);
    response_free(&response);
    free(line);
    free(url);
    return value;
}

static void await_metric(const struct daemon *daemon, const char *name, long value)
{
    int64_t until_ms = clock_monotonic_ms() + WITHIN_MS;
    long now;
    while ((now = metric(daemon, name)) != value) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%s is %ld, not %ld", name, now, value);
        usleep(5000);
    }
}

static int begin_request(const struct faults *faults, const char *url)
{
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
                               url_path(url));
    int fd = raw_connect(faults->daemon.port);
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
    free(text);
    return fd;
}

/* Checks the response sent before the daemon ended and closed all connections. */
static void assert_refused(int fd)
{
    int closed;
    char *answer = raw_receive(fd, WITHIN_MS, &closed);
    ck_assert_int_eq(closed, 1);
    ck_assert_msg(strncmp(answer, "HTTP/1.1 503 ", 13) == 0 && strstr(answer, "Retry-After: ") &&
                      count_answers(answer) == 1,
                  "not refused: %s", answer);
    free(answer);
    close(fd);
}

/* Invariants 2 and 6. */
TEST(a_failed_sync_of_the_log_refuses_all_waiting_requests_and_ends_the_process)
{
    enum { WAITING = 32 };
    struct faults faults = {0};
    int fds[WAITING];
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    long batches = metric(daemon, "commit_batches_total");

    faults_set_rule(&faults, "fdatasync hold *.db-wal\n");
    fds[0] = begin_request(&faults, url);
    await_metric(daemon, "commit_batches_total",
                 batches + 1); /* only this request is in the batch */
    for (int i = 1; i < WAITING; i++)
        fds[i] = begin_request(&faults, url);
    await_metric(daemon, "commit_queued", WAITING - 1);
    faults_set_rule(&faults, "fdatasync 5 *.db-wal\n");
    for (int i = 0; i < WAITING; i++)
        assert_refused(fds[i]);
    ck_assert_int_eq(daemon_wait(daemon), 1);

    faults_clear_rules(&faults);
    daemon_restart(daemon);
    aftermath_assert_sound(daemon->state_dir);
    int64_t runs = aftermath_open_runs(daemon->state_dir);
    /* The run of the failed COMMIT may exist. */
    ck_assert_msg(runs == 1 || runs == 2, "%lld", (long long)runs);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

/* The pages of a failed sync may be in memory only and count as clean: the log found at a start
 * must reach the disk before anything relies on it. Invariant 6. */
TEST(a_start_syncs_again_what_a_failed_sync_left)
{
    struct faults faults = {0};
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    faults_set_rule(&faults, "fdatasync 5 *.db-wal\n");
    ck_assert_int_eq(post(url, SMALL_BYTES), 503);
    ck_assert_int_eq(daemon_wait(daemon), 1);

    ck_assert_int_eq(daemon_start_fails(daemon), 1); /* the disk still fails */
    char *log = daemon_log(daemon);
    ck_assert_msg(strstr(log, "cannot sync ") && strstr(log, ".db-wal"), "%s", log);
    free(log);
    faults_set_rule(&faults, "pwrite 5 *.db-wal\n");
    ck_assert_int_eq(daemon_start_fails(daemon), 1);
    faults_clear_rules(&faults);
    daemon_restart(daemon);
    aftermath_assert_sound(daemon->state_dir);
    ck_assert_int_ge(aftermath_open_runs(daemon->state_dir), 1);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

/* The request is gone but its operation is not; the hooks and the spool are still needed when the
 * operation ends. */
TEST(a_commit_that_outlasts_the_stop_ends_first)
{
    struct faults faults = {0};
    faults_prepare(&faults, "enabled = false");
    struct daemon *daemon = &faults.daemon;
    faults.options.hooks = "answer_timeout = \"200ms\"";
    daemon_configure(daemon, &faults.options);
    daemon_restart(daemon);
    char *url = daemon_fleet(daemon, fleet);
    faults_set_rule(&faults, "fdatasync hold *.db-wal\n");
    int fd = begin_request(&faults, url);
    int closed;
    char *answer = raw_receive(fd, WITHIN_MS, &closed);
    ck_assert_str_eq(answer, ""); /* no response was sent */
    ck_assert_int_eq(closed, 1);
    free(answer);
    close(fd);

    kill(daemon->pid, SIGTERM);
    for (int64_t until_ms = clock_monotonic_ms() + WITHIN_MS; access(daemon->socket, F_OK) == 0;) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "the stop does not remove the admin socket");
        usleep(1000);
    }
    usleep(100000); /* time for the stop's steps after the socket */
    faults_clear_rules(&faults);
    ck_assert_int_eq(daemon_wait(daemon), 0);
    ck_assert_int_eq(aftermath_open_runs(daemon->state_dir), 1);
    faults_finish(&faults);
    free(url);
}

/* Invariants 2 and 6. */
TEST(a_disk_that_fails_during_the_stop_makes_it_fail)
{
    struct faults faults = {0};
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    long batches = metric(daemon, "commit_batches_total");
    faults_set_rule(&faults, "fdatasync hold *.db-wal\n");
    int fd = begin_request(&faults, url);
    await_metric(daemon, "commit_batches_total", batches + 1);
    kill(daemon->pid, SIGTERM);
    daemon_await_log(daemon, "info: stopping");
    faults_set_rule(&faults, "fdatasync 5 *.db-wal\n");
    assert_refused(fd);
    ck_assert_int_eq(daemon_wait(daemon), 1);
    faults_clear_rules(&faults);
    faults_finish(&faults);
    free(url);
}

static void failure_ends_the_process(const char *rule, size_t bytes)
{
    struct faults faults = {0};
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    faults_set_rule(&faults, rule);
    int64_t accepted = 1;
    int status;
    while ((status = post(url, bytes)) == 201)
        ck_assert_int_lt(++accepted, 10000);
    ck_assert_msg(status == 503 || status == 0, "%d", status);
    ck_assert_int_eq(daemon_wait(daemon), 1);

    faults_clear_rules(&faults);
    daemon_restart(daemon);
    aftermath_assert_sound(daemon->state_dir);
    int64_t runs = aftermath_open_runs(daemon->state_dir);
    ck_assert_msg(runs == accepted || runs == accepted + 1, "%lld of %lld", (long long)runs,
                  (long long)accepted);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

/* Invariant 6. */
TEST(a_failed_write_of_the_log_ends_the_process)
{
    failure_ends_the_process("pwrite 5 *.db-wal\n", SMALL_BYTES);
}

/* Invariant 6. */
TEST(a_failed_sync_in_a_checkpoint_ends_the_process)
{
    failure_ends_the_process("fdatasync 5 */webhookd.db\nfsync 5 */webhookd.db\n", INLINE_BYTES);
}

/* The failed COMMIT may or may not surface: the body's file remains with its run, or is removed. */
static void large_body_goes_with_its_run(const char *rule)
{
    struct faults faults = {0};
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    faults_set_rule(&faults, rule);
    ck_assert_int_eq(post(url, LARGE_BYTES), 503);
    ck_assert_int_eq(daemon_wait(daemon), 1);

    faults_clear_rules(&faults);
    daemon_restart(daemon);
    if (aftermath_open_runs(daemon->state_dir) == 1)
        aftermath_await_empty(daemon->state_dir, "spool");
    else
        ck_assert_int_eq(aftermath_files(daemon->state_dir, "spool"), 1);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

TEST(a_failed_sync_of_the_log_leaves_no_large_body_without_its_run)
{
    large_body_goes_with_its_run("fdatasync 5 *.db-wal\n");
}

TEST(a_failed_write_of_the_log_leaves_no_large_body_without_its_run)
{
    large_body_goes_with_its_run("pwrite 5 *.db-wal\n");
}

static void failure_refuses_large_bodies(const char *rule, int small_status)
{
    struct faults faults = {0};
    char *url = begin_faults(&faults);
    struct daemon *daemon = &faults.daemon;
    faults_set_rule(&faults, rule);
    ck_assert_int_eq(post(url, LARGE_BYTES), 503);
    ck_assert_int_eq(post_chunked(url, LARGE_BYTES), 503);
    aftermath_await_empty(daemon->state_dir, "spool");
    ck_assert_int_eq(aftermath_open_runs(daemon->state_dir), 1);
    ck_assert_int_eq(post(url, SMALL_BYTES), small_status);
    assert_alive(daemon);

    faults_clear_rules(&faults);
    ck_assert_int_eq(post(url, LARGE_BYTES), 201);
    ck_assert_int_eq(aftermath_open_runs(daemon->state_dir), small_status == 201 ? 3 : 2);
    ck_assert_int_eq(aftermath_files(daemon->state_dir, "spool"), 1);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

/* Invariant 1. */
TEST(a_failed_sync_of_a_large_body_refuses_only_it)
{
    failure_refuses_large_bodies("fdatasync 5 */spool/*\nfsync 5 */spool/*\n", 201);
}

TEST(a_failed_write_of_a_large_body_refuses_only_it)
{
    failure_refuses_large_bodies("write 5 */spool/*\n", 201);
}

/* Invariant 1. */
TEST(a_failed_sync_of_the_spool_folder_refuses_only_the_large_body)
{
    failure_refuses_large_bodies("fsync 5 */spool\n", 201);
}

static void disk_that_hangs_closes_a_large_body(const char *rule)
{
    struct faults faults = {0};
    faults_prepare(&faults, "enabled = false");
    struct daemon *daemon = &faults.daemon;
    faults.options.hooks = "body_timeout = \"500ms\"\nanswer_timeout = \"3s\"";
    daemon_configure(daemon, &faults.options);
    daemon_restart(daemon);
    char *url = daemon_fleet(daemon, fleet);
    faults_set_rule(&faults, rule);
    ck_assert_int_eq(post(url, LARGE_BYTES), 0);
    daemon_await_log(daemon, "did not store the body in time");
    ck_assert_int_eq(post(url, SMALL_BYTES), 201); /* other requests succeed meanwhile */
    faults_clear_rules(&faults);
    aftermath_await_empty(daemon->state_dir, "spool");
    ck_assert_int_eq(aftermath_open_runs(daemon->state_dir), 1);
    ck_assert_int_eq(post(url, LARGE_BYTES), 201);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    faults_finish(&faults);
    free(url);
}

TEST(a_disk_that_hangs_in_a_write_closes_a_large_body)
{
    disk_that_hangs_closes_a_large_body("write hold */spool/*\n");
}

TEST(a_disk_that_hangs_in_a_sync_closes_a_large_body)
{
    disk_that_hangs_closes_a_large_body("fdatasync hold */spool/*\nfsync hold */spool/*\n");
}

TEST(a_large_body_whose_run_finds_no_room_leaves_no_file)
{
    failure_refuses_large_bodies("pwrite 28 *.db-wal\n", 503);
}

/* ---- read-only and limited ---- */

/* Invariant 1. */
TEST(a_disk_that_becomes_read_only_answers_no_201_and_keeps_its_runs)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, 64))
        return;
    begin_on_disk(&daemon, &disk);
    char *url = daemon_fleet(&daemon, fleet);
    struct load_book book = {.seed = 2, .large_every = 8};
    struct load_options options = {.port = daemon.port, .url = url, .connections = 8};
    struct load *load = load_start(&options, &book);
    load_await(load, 50, 0);
    load_stop(load);

    if (!disk_become_read_only(&disk)) {
        daemon_finish(&daemon);
        disk_finish(&disk);
        test_skip("this kernel cannot inject an error into a file system");
        return;
    }
    ck_assert_int_eq(post(url, SMALL_BYTES), 503);
    daemon_kill(&daemon);
    disk_unmount(&disk);
    disk_mount(&disk);
    daemon_restart(&daemon);
    ck_assert_uint_eq(aftermath_missing(daemon.state_dir, &book, 0), 0);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    aftermath_assert_sound(daemon.state_dir);

    daemon_finish(&daemon);
    disk_finish(&disk);
    load_book_free(&book);
    free(url);
}

static void limit_files(const struct daemon *daemon, rlim_t bytes)
{
    struct rlimit limit;
    ck_assert_int_eq(prlimit(daemon->pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(prlimit(daemon->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

TEST(a_limit_on_file_sizes_refuses_and_does_not_kill)
{
    struct daemon daemon;
    struct daemon_options options = {.runner = "enabled = false"};
    signal(SIGXFSZ, SIG_DFL); /* the tests may have inherited SIG_IGN */
    daemon_begin(&daemon, &options);
    char *url = daemon_fleet(&daemon, fleet);
    limit_files(&daemon, 1 << 20);

    ck_assert_int_eq(post(url, LARGE_BYTES), 201);
    int status = post(url, HUGE_BYTES);
    ck_assert_msg(status == 503 || status == 0, "%d", status);
    int accepted = 1 + post_until_refused(url, INLINE_BYTES);
    ck_assert_int_eq(aftermath_files(daemon.state_dir, "spool"), 1);
    ck_assert_int_eq(aftermath_open_runs(daemon.state_dir), accepted);
    assert_alive(&daemon);
    ck_assert_int_eq(post(url, INLINE_BYTES), 503); /* although the disk has room */
    assert_not_ready(&daemon, "a batch failed a moment ago");

    limit_files(&daemon, RLIM_INFINITY);
    ck_assert_int_eq(post(url, INLINE_BYTES), 201);
    ck_assert_int_eq(post(url, HUGE_BYTES), 201);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    aftermath_assert_sound(daemon.state_dir);
    daemon_finish(&daemon);
    free(url);
}
