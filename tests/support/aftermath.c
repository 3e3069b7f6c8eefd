#include "support/aftermath.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "queue/spool.h"
#include "store/work.h"

#define SHOW_AT_MOST    5
#define EMPTY_WITHIN_MS 10000

static struct store *open_store(const char *state_dir)
{
    struct error error = ERROR_INIT;
    struct store_options options = {
        .state_dir = state_dir, .location = "sqlite:webhookd.db", .mode = STORE_READ};
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    return store;
}

/* ---- bodies ---- */

struct comparison {
    int state_fd;
    const struct buffer *expected;
    bool equal;
};

static bool spooled_is_equal(int state_fd, const struct id *request_id,
                             const struct buffer *expected)
{
    struct error error = ERROR_INIT;
    int fd = spool_open(state_fd, request_id, &error);
    if (fd < 0)
        return false;
    char *bytes = memory_alloc(expected->bytes + 1);
    ssize_t count = file_read_all(fd, bytes, expected->bytes + 1);
    close(fd);
    bool equal =
        count == (ssize_t)expected->bytes && memcmp(bytes, expected->data, expected->bytes) == 0;
    free(bytes);
    return equal;
}

static int compare_body(void *context, enum body_place place, const struct id *request_id,
                        const void *body, int64_t bytes)
{
    struct comparison *comparison = context;
    const struct buffer *expected = comparison->expected;
    if (place == BODY_SPOOLED)
        comparison->equal = spooled_is_equal(comparison->state_fd, request_id, expected);
    else
        comparison->equal =
            bytes == (int64_t)expected->bytes && memcmp(body, expected->data, (size_t)bytes) == 0;
    return 0;
}

static bool promise_is_kept(struct store *store, int state_fd, const struct load_book *book,
                            const struct load_promise *promise)
{
    struct error error = ERROR_INIT;
    struct buffer expected = BUFFER_INIT;
    load_body(book, promise->number, &expected);
    struct comparison comparison = {state_fd, &expected, false};
    int result = store_get_body(store, &promise->run_id, compare_body, &comparison, &error);
    buffer_free(&expected);
    return result == 0 && comparison.equal;
}

size_t aftermath_missing(const char *state_dir, const struct load_book *book, size_t first)
{
    struct store *store = open_store(state_dir);
    int state_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(state_fd, 0);
    size_t missing = 0;
    for (size_t i = first; i < book->count; i++) {
        if (promise_is_kept(store, state_fd, book, &book->promises[i]))
            continue;
        char text[ID_TEXT_BYTES];
        if (missing++ < SHOW_AT_MOST)
            fprintf(stderr, "# missing: run %s, body %llu\n",
                    id_format(&book->promises[i].run_id, text),
                    (unsigned long long)book->promises[i].number);
    }
    close(state_fd);
    store_close(store);
    return missing;
}

/* ---- the store ---- */

void aftermath_assert_sound(const char *state_dir)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    char *path = memory_format("%s/webhookd.db", state_dir);
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    ck_assert_msg(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) ==
                          SQLITE_OK &&
                      sqlite3_step(statement) == SQLITE_ROW,
                  "integrity_check: %s", sqlite3_errmsg(db));
    ck_assert_str_eq((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
    free(path);
}

int64_t aftermath_open_runs(const char *state_dir)
{
    struct error error = ERROR_INIT;
    struct run_counts counts;
    struct store *store = open_store(state_dir);
    ck_assert_msg(store_count_open_runs(store, &counts, &error) == 0, "%s", error.message);
    store_close(store);
    return counts.scheduled + counts.running;
}

/* ---- folders ---- */

int aftermath_files(const char *state_dir, const char *folder)
{
    char *path = memory_format("%s/%s", state_dir, folder);
    DIR *stream = opendir(path);
    ck_assert_msg(stream, "cannot list %s", path);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(stream)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    free(path);
    return count;
}

void aftermath_await_empty(const char *state_dir, const char *folder)
{
    int64_t until_ms = clock_monotonic_ms() + EMPTY_WITHIN_MS;
    while (aftermath_files(state_dir, folder) > 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%d files remain in %s/%s",
                      aftermath_files(state_dir, folder), state_dir, folder);
        usleep(10000);
    }
}
