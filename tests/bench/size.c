/* See size.h. */
#include "bench/size.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/http.h"

#define UPLOAD_BYTES  ((int64_t)1 << 30)
#define PIECE_BYTES   ((size_t)1 << 20)
#define LOOK_EVERY_US 1000
#define LIVE_PAGES    50
#define PAGE_WAIT_US  20000000

/* ---- scheduled runs, stored runs ---- */

static void begin_backlog(struct bench *bench)
{
    bench_begin_accepting(bench);
    int64_t wanted = bench_setting("BENCH_BACKLOG", 1000000, 100000000), had;
    while ((had = api_metric(&bench->daemon, "commit_operations_total")) < wanted) {
        struct load_plan plan = {.connections = BUSY_CLIENTS, .measured_us = 2000000};
        struct load_report report = {0, SAMPLES_INIT};
        bench_post(bench, &plan, &report);
        samples_free(&report.latencies_us);
    }
    printf("    %lld runs are scheduled\n", (long long)had);
}

/* Copies one run to the numbers before it, each copy with its vessel run and attempt, as if all had
 * just ended. */
static const char store_runs[] =
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; BEGIN;"
    "CREATE TEMP TABLE nth (i INTEGER PRIMARY KEY);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
    " INSERT INTO nth SELECT i FROM n;"
    "CREATE TEMP TABLE one AS SELECT * FROM run;"
    "INSERT INTO run SELECT no - %d - 1 + i, id_random, fleet_no, version, \"trigger\", request_id,"
    " arrived_ms, remote_addr, host, query, event, body_place, body_bytes, body_sha256, headers, "
    "body"
    " FROM nth, one ORDER BY i;"
    "INSERT INTO run_ended SELECT no - %d - 1 + i, fleet_no, \"trigger\", 2, arrived_ms, arrived_ms"
    " FROM nth, one ORDER BY i;"
    "INSERT INTO vessel_run SELECT no - %d - 1 + i, 0, randomblob(16), randomblob(16), 'main', 2, "
    "1, 0,"
    " '', arrived_ms, arrived_ms, 0 FROM nth, one ORDER BY i;"
    "INSERT INTO attempt SELECT no - %d - 1 + i, 0, 1, request_id, 1, 0, '', arrived_ms, "
    "arrived_ms,"
    " 0, 0 FROM nth, one ORDER BY i;"
    "COMMIT";

static void begin_stored(struct bench *bench)
{
    int count = bench_setting("BENCH_STORED", 10000000, 100000000);
    bench_begin_accepting(bench);
    free(api_post(bench->url, "{\"event\":\"push\"}", 16));
    ck_assert_int_eq(daemon_stop(&bench->daemon), 0);
    char *path = memory_format("%s/webhookd.db", bench->daemon.state_dir), *why = NULL;
    char *sql = memory_format(store_runs, count, count, count, count, count);
    sqlite3 *store = NULL;
    ck_assert_int_eq(sqlite3_open(path, &store), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(store, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    ck_assert_int_eq(sqlite3_close(store), SQLITE_OK);
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    printf("    %d runs are stored, in %lld MiB\n", count, (long long)status.st_size >> 20);
    free(sql);
    free(path);
    bench->daemon.options.state_dir = bench->daemon.state_dir;
    daemon_restart(&bench->daemon);
    bench->daemon.options.state_dir = NULL;
}

static double measure_empty(struct bench *bench)
{
    bench_begin_accepting(bench);
    double rate = bench_posts_per_s(bench);
    bench_end_daemon(bench);
    return rate;
}

const struct side size_backlog = {"with the backlog", .begin = begin_backlog,
                                  .measure = bench_posts_per_s, .end = bench_end_daemon};
const struct side size_stored = {"with the stored runs", .begin = begin_stored,
                                 .measure = bench_posts_per_s, .end = bench_end_daemon};
const struct side size_empty = {"an empty store", .measure = measure_empty};

/* ---- live pages ---- */

struct pages {
    int fds[LIVE_PAGES];
    atomic_bool stop;
    pthread_t thread;
};

/* Reads and discards what arrives. */
static void *read_pages(void *argument)
{
    struct pages *pages = argument;
    struct pollfd watches[LIVE_PAGES];
    char piece[65536];
    for (int i = 0; i < LIVE_PAGES; i++)
        watches[i] = (struct pollfd){.fd = pages->fds[i], .events = POLLIN};
    while (!atomic_load(&pages->stop)) {
        (void)poll(watches, LIVE_PAGES, 100);
        for (int i = 0; i < LIVE_PAGES; i++)
            while (recv(pages->fds[i], piece, sizeof(piece), MSG_DONTWAIT) > 0)
                continue;
    }
    return NULL;
}

/* Sends the request and returns the status of the response. */
static int open_page(struct bench *bench, const char *request, int *fd)
{
    char answer[1024] = "";
    *fd = raw_connect(bench->daemon.admin_port);
    ck_assert_int_eq(raw_send(*fd, request, strlen(request)), 0);
    ck_assert_int_gt(recv(*fd, answer, sizeof(answer) - 1, 0), 0);
    return atoi(answer + strcspn(answer, " "));
}

/* webhookd limits the number of streams. It answers 503 until it has noticed that those of the
 * previous turn are closed. */
static int await_page(struct bench *bench, const char *request)
{
    int64_t until_us = clock_monotonic_us() + PAGE_WAIT_US;
    int fd, status;
    while ((status = open_page(bench, request, &fd)) == 503 && clock_monotonic_us() < until_us) {
        close(fd);
        usleep(10000);
    }
    ck_assert_msg(status == 200, "events: %d", status);
    return fd;
}

static void open_pages(struct bench *bench, struct pages *pages)
{
    char *key = ctl_ok(&bench->daemon, "key", "create", "bench", NULL);
    char *request =
        memory_format("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                      "%s\r\n\r\n",
                      key);
    atomic_store(&pages->stop, false);
    for (int i = 0; i < LIVE_PAGES; i++)
        pages->fds[i] = await_page(bench, request);
    ck_assert_int_eq(pthread_create(&pages->thread, NULL, read_pages, pages), 0);
    free(request);
    free(key);
}

static void close_pages(struct bench *bench, struct pages *pages)
{
    atomic_store(&pages->stop, true);
    pthread_join(pages->thread, NULL);
    for (int i = 0; i < LIVE_PAGES; i++)
        close(pages->fds[i]);
    free(ctl_ok(&bench->daemon, "key", "revoke", "bench", NULL));
}

static double measure_live(struct bench *bench)
{
    struct pages pages;
    open_pages(bench, &pages);
    double rate = bench_posts_per_s(bench);
    close_pages(bench, &pages);
    return rate;
}

const struct side size_live = {"with the pages", .begin = bench_begin_accepting,
                               .measure = measure_live, .end = bench_end_daemon};
const struct side size_not_live = {"without", .begin = bench_begin_accepting,
                                   .measure = bench_posts_per_s, .end = bench_end_daemon};

/* ---- memory ---- */

static double read_kib(const char *status, const char *key)
{
    const char *line = strstr(status, key);
    ck_assert_msg(line, "no %s in %s", key, status);
    return strtod(line + strlen(key), NULL);
}

static double memory_kib(const struct bench *bench)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    char *path = memory_format("/proc/%d/status", (int)bench->daemon.pid);
    ck_assert_msg(file_read(-1, path, 65536, &text, &error) == 0, "%s", error.message);
    double kib = read_kib(buffer_text(&text), "VmRSS:");
    buffer_free(&text);
    free(path);
    return kib;
}

static double measure_idle(struct bench *bench)
{
    return memory_kib(bench) / 1024;
}

const struct side size_idle = {"webhookd", .begin = bench_begin_accepting, .measure = measure_idle,
                               .end = bench_end_daemon};
const struct side size_idle_bound = {"the bound", .bound = 20};

/* SQLite's cache and similar memory grow with the first requests and must not count as the
 * connections' memory. */
static void warm_up(struct bench *bench)
{
    struct load_plan plan = {.connections = 1, .measured_us = bench->measured_us};
    struct load_report report = {0, SAMPLES_INIT};
    bench_post(bench, &plan, &report);
    samples_free(&report.latencies_us);
}

/* Each connection has received a 201 and stays open. */
static double measure_connections(struct bench *bench)
{
    int count = bench->row->connections;
    int *fds = memory_alloc((size_t)count * sizeof(*fds));
    char request[400], answer[4096];
    int bytes = snprintf(request, sizeof(request),
                         "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
                         url_path(bench->url));
    warm_up(bench);
    double before_kib = memory_kib(bench);
    for (int i = 0; i < count; i++) {
        fds[i] = raw_connect(bench->daemon.port);
        ck_assert_int_eq(raw_send(fds[i], request, (size_t)bytes), 0);
        ck_assert_int_gt(read(fds[i], answer, sizeof(answer)), 0);
        ck_assert_int_eq(strncmp(answer, "HTTP/1.1 201 ", 13), 0);
    }
    double used_kib = memory_kib(bench) - before_kib;
    for (int i = 0; i < count; i++) {
        ck_assert_msg(recv(fds[i], answer, 1, MSG_DONTWAIT) < 0, "connection %d was closed", i);
        close(fds[i]);
    }
    free(fds);
    return used_kib / count;
}

const struct side size_connections = {"webhookd", .begin = bench_begin_accepting,
                                      .measure = measure_connections, .end = bench_end_daemon};
const struct side size_connections_bound = {"the bound", .bound = 12};

struct watcher {
    struct bench *bench;
    atomic_bool stop;
    double most_kib;
    pthread_t thread;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;
    while (!atomic_load(&watcher->stop)) {
        double kib = memory_kib(watcher->bench);
        if (kib > watcher->most_kib)
            watcher->most_kib = kib;
        usleep(LOOK_EVERY_US);
    }
    return NULL;
}

static void upload(struct bench *bench)
{
    char head[400], answer[4096], *piece = memory_alloc(PIECE_BYTES);
    int fd = raw_connect(bench->daemon.port);
    int bytes = snprintf(head, sizeof(head),
                         "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %lld\r\n\r\n",
                         url_path(bench->url), (long long)UPLOAD_BYTES);
    ck_assert_int_eq(raw_send(fd, head, (size_t)bytes), 0);
    memset(piece, 'x', PIECE_BYTES);
    for (int64_t sent = 0; sent < UPLOAD_BYTES; sent += (int64_t)PIECE_BYTES)
        ck_assert_int_eq(raw_send(fd, piece, PIECE_BYTES), 0);
    ssize_t got = read(fd, answer, sizeof(answer) - 1);
    answer[got > 0 ? got : 0] = '\0';
    ck_assert_msg(strncmp(answer, "HTTP/1.1 201 ", 13) == 0, "%s", answer);
    close(fd);
    free(piece);
}

static double measure_upload(struct bench *bench)
{
    struct watcher watcher = {.bench = bench};
    double before_kib = memory_kib(bench);
    ck_assert_int_eq(pthread_create(&watcher.thread, NULL, watch, &watcher), 0);
    upload(bench);
    atomic_store(&watcher.stop, true);
    pthread_join(watcher.thread, NULL);
    return (watcher.most_kib - before_kib) / 1024;
}

const struct side size_upload = {"webhookd", .begin = bench_begin_accepting,
                                 .measure = measure_upload, .end = bench_end_daemon};
const struct side size_upload_bound = {"the bound", .bound = 8};
