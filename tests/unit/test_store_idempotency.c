/* The store's Idempotency-Keys: who shares them, how long they are remembered, how many. */
#include "store/idempotency.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "retention/retention.h"
#include "store/sqlite/connection.h"
#include "support/store_fixture.h"
#include "support/suite.h"

#define NOW_MS INT64_C(1700000000000)

static struct store_fixture fixture;

static struct idempotency key(const char *caller, uint8_t id, uint8_t fingerprint)
{
    struct idempotency idempotency = {.caller = caller};
    memset(idempotency.id_hash, id, SECRET_HASH_BYTES);
    memset(idempotency.fingerprint, fingerprint, SECRET_HASH_BYTES);
    return idempotency;
}

static struct id add(const struct idempotency *idempotency, int64_t now_ms)
{
    struct error error = ERROR_INIT;
    struct id run_id = id_random();
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_add_idempotency(fixture.store, idempotency, now_ms, &run_id, &error), 0);
    store_fixture_commit(&fixture);
    return run_id;
}

static void expect(const struct idempotency *idempotency, int64_t now_ms,
                   enum idempotency_found expected, const struct id *expected_id)
{
    struct error error = ERROR_INIT;
    enum idempotency_found found;
    struct id run_id;
    ck_assert_int_eq(
        store_find_idempotency(fixture.store, idempotency, now_ms, &found, &run_id, &error), 0);
    ck_assert_int_eq(found, expected);
    ck_assert(!expected_id || id_equal(&run_id, expected_id));
}

static int forget(int64_t now_ms, int limit)
{
    struct error error = ERROR_INIT;
    store_fixture_begin(&fixture);
    int count = store_forget_idempotency(fixture.store, now_ms, limit, &error);
    store_fixture_commit(&fixture);
    return count;
}

static int64_t number(const char *sql)
{
    sqlite3_stmt *s = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(connection_of(fixture.store)->db, sql, -1, &s, NULL),
                     SQLITE_OK);
    int step = sqlite3_step(s);
    int64_t value = step == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return value;
}

TEST(a_key_is_found_by_its_caller_with_the_same_request_only)
{
    store_fixture_open(&fixture, NULL);
    struct idempotency first = key("key a", 1, 1), other = key("key a", 1, 2),
                       next = key("key a", 2, 1), stranger = key("key b", 1, 1);
    expect(&first, NOW_MS, IDEMPOTENCY_NEW, NULL);
    struct id run_id = add(&first, NOW_MS);
    expect(&first, NOW_MS, IDEMPOTENCY_REPEATED, &run_id);
    expect(&other, NOW_MS, IDEMPOTENCY_OTHER, NULL);
    expect(&next, NOW_MS, IDEMPOTENCY_NEW, NULL);
    expect(&stranger, NOW_MS, IDEMPOTENCY_NEW, NULL);
    struct id theirs = add(&stranger, NOW_MS);
    expect(&first, NOW_MS, IDEMPOTENCY_REPEATED, &run_id);
    expect(&stranger, NOW_MS, IDEMPOTENCY_REPEATED, &theirs);
    store_fixture_reopen(&fixture);
    expect(&first, NOW_MS, IDEMPOTENCY_REPEATED, &run_id);
    store_fixture_close(&fixture);
}

TEST(a_key_is_remembered_for_24_hours_and_can_then_be_used_again)
{
    store_fixture_open(&fixture, NULL);
    struct idempotency mine = key("key a", 1, 1), other = key("key a", 1, 2);
    struct id first = add(&mine, NOW_MS);
    int64_t over_ms = NOW_MS + STORE_IDEMPOTENCY_MS;
    expect(&mine, over_ms - 1, IDEMPOTENCY_REPEATED, &first);
    expect(&mine, over_ms, IDEMPOTENCY_NEW, NULL);
    /* The clock has stepped back. */
    expect(&mine, NOW_MS - STORE_IDEMPOTENCY_MS, IDEMPOTENCY_REPEATED, &first);
    /* Nothing has removed the row yet. */
    struct id second = add(&other, over_ms);
    expect(&other, over_ms, IDEMPOTENCY_REPEATED, &second);
    expect(&mine, over_ms, IDEMPOTENCY_OTHER, NULL);
    ck_assert_int_eq(number("SELECT sum(remembered) FROM idempotency_caller"), 1);
    store_fixture_close(&fixture);
}

TEST(old_keys_are_forgotten_in_steps_and_leave_nothing_behind)
{
    store_fixture_open(&fixture, NULL);
    for (uint8_t i = 0; i < 5; i++) {
        struct idempotency one = key(i < 3 ? "key a" : "key b", i, 0);
        add(&one, NOW_MS + i);
    }
    int64_t over_ms = NOW_MS + STORE_IDEMPOTENCY_MS;
    ck_assert_int_eq(forget(over_ms - 1, 10), 0);
    ck_assert_int_eq(forget(over_ms + 3, 2), 2); /* the oldest */
    ck_assert_int_eq(number("SELECT remembered FROM idempotency_caller WHERE caller = 'key a'"), 1);
    ck_assert_int_eq(forget(over_ms + 3, 10), 2);
    ck_assert_int_eq(number("SELECT count(*) FROM idempotency_caller"), 1);
    struct idempotency last = key("key b", 4, 0);
    expect(&last, over_ms + 3, IDEMPOTENCY_REPEATED, NULL);
    ck_assert_int_eq(forget(over_ms + 4, 10), 1);
    ck_assert_int_eq(number("SELECT count(*) FROM idempotency"), 0);
    ck_assert_int_eq(number("SELECT count(*) FROM idempotency_caller"), 0);
    store_fixture_close(&fixture);
}

TEST(a_caller_with_as_many_keys_as_are_remembered_gets_no_more_and_keeps_those)
{
    store_fixture_open(&fixture, NULL);
    struct idempotency mine = key("key a", 1, 1), next = key("key a", 2, 1),
                       theirs = key("key b", 2, 1);
    struct id run_id = add(&mine, NOW_MS);
    char *sql =
        memory_format("UPDATE idempotency_caller SET remembered = %d", STORE_MAX_IDEMPOTENCY_KEYS);
    number(sql);
    expect(&next, NOW_MS, IDEMPOTENCY_FULL, NULL);
    expect(&mine, NOW_MS, IDEMPOTENCY_REPEATED, &run_id);
    expect(&theirs, NOW_MS, IDEMPOTENCY_NEW, NULL);
    ck_assert_int_eq(forget(NOW_MS + STORE_IDEMPOTENCY_MS, 10), 1);
    expect(&next, NOW_MS, IDEMPOTENCY_NEW, NULL);
    free(sql);
    store_fixture_close(&fixture);
}

/* However many keys are remembered, each statement finds its rows by an index. */
TEST(no_statement_reads_a_whole_table)
{
    store_fixture_open(&fixture, NULL);
    for (uint8_t i = 0; i < 5; i++) {
        struct idempotency one = key(i < 3 ? "key a" : "key b", i, 0);
        add(&one, NOW_MS + i);
        expect(&one, NOW_MS + i, IDEMPOTENCY_REPEATED, NULL);
    }
    ck_assert_int_eq(forget(NOW_MS + STORE_IDEMPOTENCY_MS + 3, 10), 4);
    sqlite3_stmt *s = NULL;
    int checked = 0;
    while ((s = sqlite3_next_stmt(connection_of(fixture.store)->db, s))) {
        if (!strstr(sqlite3_sql(s), "idempotency"))
            continue;
        ck_assert_msg(sqlite3_stmt_status(s, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) == 0 &&
                          sqlite3_stmt_status(s, SQLITE_STMTSTATUS_SORT, 0) == 0,
                      "%s", sqlite3_sql(s));
        checked++;
    }
    ck_assert_int_ge(checked, 8);
    store_fixture_close(&fixture);
}

static void note_commit(void *context)
{
    sem_post(context);
}

/* Also while fleet runs are kept for ever. */
TEST(retention_forgets_old_keys)
{
    struct error error = ERROR_INIT;
    sem_t committed;
    struct timespec until;
    store_fixture_open(&fixture, NULL);
    struct idempotency old = key("key a", 1, 1), new = key("key a", 2, 1);
    add(&old, clock_wall_ms() - STORE_IDEMPOTENCY_MS - 1);
    add(&new, clock_wall_ms());
    sem_init(&committed, 0, 0);
    struct commit_options queue_options = {.store = fixture.options,
                                           .max_queued = 10,
                                           .committed = note_commit,
                                           .context = &committed};
    queue_options.store.mode = STORE_WRITE;
    struct commit_queue *queue = commit_start(&queue_options, &error);
    ck_assert_msg(queue != NULL, "%s", error.message);
    int state_fd = open(fixture.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct retention_options options = {
        .queue = queue, .store = fixture.options, .state_fd = state_fd};
    struct retention *retention = retention_start(&options, &error);
    ck_assert_msg(retention != NULL, "%s", error.message);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    ck_assert_int_eq(sem_timedwait(&committed, &until), 0);
    retention_stop(retention);
    commit_stop(queue);
    close(state_fd);
    sem_destroy(&committed);
    ck_assert_int_eq(number("SELECT count(*) FROM idempotency"), 1);
    expect(&new, clock_wall_ms(), IDEMPOTENCY_REPEATED, NULL);
    store_fixture_close(&fixture);
}
