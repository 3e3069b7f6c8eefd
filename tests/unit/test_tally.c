/* The tally on a real store whose disk fails on demand: what is counted, what is kept after a
 * failure, and what is stored at the stop. */
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/tally.h"
#include "support/faulty_vfs.h"
#include "support/store_fixture.h"
#include "support/suite.h"

#define QUARTER STORE_QUARTER_MS
#define NOON    (2000000 * QUARTER)
#define LOOKS   2000 /* of 10 ms, until a test gives up */

static struct store_fixture fixture; /* only read once the queue has started */
static struct commit_queue *queue;
static struct tally *tally;
static struct id fleet_id;

static void start(void)
{
    struct error error = ERROR_INIT;
    struct commit_options options = {.store = fixture.options, .max_queued = 100};
    connection_set_vfs(FAULTY_VFS);
    queue = commit_start(&options, &error);
    connection_set_vfs(NULL);
    ck_assert_msg(queue, "%s", error.message);
    tally = tally_start(queue, &error);
    ck_assert_msg(tally, "%s", error.message);
}

static void begin(void)
{
    faulty_vfs_register();
    store_fixture_open(&fixture, NULL);
    fleet_id = store_fixture_fleet(&fixture, "greet", 1);
    start();
    faulty_vfs_reset();
}

static void stop(void)
{
    tally_stop(tally);
    commit_stop(queue);
}

static void finish(void)
{
    faulty_vfs_reset();
    store_fixture_close(&fixture);
}

static void call(uint8_t byte, int64_t at_ms, unsigned status)
{
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, byte, sizeof(hash));
    struct webhook_call one = {.at_ms = at_ms, .status = status, .remote_addr = "203.0.113.9"};
    tally_add(tally, hash, NULL, &one);
}

static int keep(void *context, const struct webhook_row *row)
{
    *(struct webhook_row *)context = *row;
    return 0;
}

static struct webhook_row stored(int64_t since_ms)
{
    struct error error = ERROR_INIT;
    struct webhook_row row;
    ck_assert_int_eq(store_get_webhook(fixture.store, &fleet_id, since_ms, keep, &row, &error), 0);
    return row;
}

static void await_accepted(int64_t count)
{
    for (int i = 0; stored(0).accepted != count; i++) {
        ck_assert_msg(i < LOOKS, "%lld accepted instead of %lld", (long long)stored(0).accepted,
                      (long long)count);
        usleep(10000);
    }
}

TEST(calls_are_stored_a_moment_later)
{
    begin();
    call(1, NOON, 201);
    call(1, NOON + 2, 201);
    call(1, NOON + 1, 413);
    await_accepted(2);
    struct webhook_row row = stored(NOON);
    ck_assert_int_eq(row.refused, 1);
    ck_assert_int_eq(row.last_call.at_ms, NOON + 2);
    ck_assert_uint_eq(row.last_call.status, 201);
    call(1, NOON + 3, 0);
    call(1, NOON + 4, 201);
    await_accepted(3);
    ck_assert_int_eq(stored(0).refused, 2);
    stop();
    finish();
}

TEST(calls_belong_to_the_quarter_in_which_they_arrived)
{
    begin();
    for (int i = 0; i < 10; i++)
        call(1, NOON + i % 2 * QUARTER, 201);
    stop();
    ck_assert_int_eq(stored(NOON).accepted, 10);
    ck_assert_int_eq(stored(NOON + QUARTER).accepted, 5);
    finish();
}

TEST(stop_stores_the_rest_even_if_it_takes_several_operations)
{
    begin();
    for (int i = 0; i < 1000; i++) /* each call is an entry of its own */
        call(1, NOON + i * QUARTER, 201);
    stop();
    /* The calls of the last two days are kept. */
    ck_assert_int_eq(stored(0).accepted, STORE_KEEP_CALLS_MS / QUARTER + 1);
    finish();
}

TEST(calls_of_unknown_tokens_delay_nothing)
{
    begin();
    for (int i = 2; i < 256; i++)
        call((uint8_t)i, NOON, 503);
    call(1, NOON, 201);
    await_accepted(1);
    ck_assert_int_eq(stored(0).refused, 0);
    stop();
    finish();
}

static void fill_disk(bool forever)
{
    faulty_vfs_fail(&(struct faulty_plan){.operation = FAULTY_WRITE,
                                          .file = FAULTY_LOG,
                                          .nth = 1,
                                          .forever = forever,
                                          .code = SQLITE_FULL,
                                          .errnum = ENOSPC});
}

TEST(calls_are_stored_after_the_disk_was_full)
{
    begin();
    fill_disk(false);
    call(1, NOON, 503);
    call(1, NOON, 201);
    await_accepted(1);
    ck_assert_int_gt(faulty_vfs_failures(), 0);
    ck_assert_int_eq(stored(0).refused, 1);
    stop();
    finish();
}

TEST(stop_does_not_wait_for_a_full_disk)
{
    begin();
    fill_disk(true);
    call(1, NOON, 503);
    stop();
    ck_assert_int_gt(faulty_vfs_failures(), 0);
    ck_assert(!stored(0).was_called);
    finish();
}

/* Counts a call of one of many tokens. */
static void call_many(uint32_t number, const struct id *of)
{
    struct webhook_call one = {.at_ms = NOON, .status = 503};
    uint8_t hash[SECRET_HASH_BYTES] = {0};
    memcpy(hash, &number, sizeof(number));
    tally_add(tally, hash, of, &one);
}

/* Invariant 8. */
TEST(too_many_calls_are_lost_and_counted)
{
    begin();
    uint32_t sent = 0;
    while (tally_lost(tally) == 0 && sent < 100000000)
        call_many(sent++, &fleet_id);
    ck_assert_uint_gt(tally_lost(tally), 0);
    ck_assert_uint_ge(sent, 16384);
    stop();
    ck_assert_int_ge(stored(0).refused, 16384);
    finish();
}

static atomic_bool is_held;

static void hold(void *context)
{
    (void)context;
    while (atomic_load(&is_held))
        usleep(1000);
}

TEST(unknown_tokens_leave_room_for_known_ones)
{
    begin();
    atomic_store(&is_held, true);
    faulty_vfs_on_sync(hold, NULL); /* nothing is stored from here on */
    for (uint32_t i = 0; i < 100000; i++)
        call_many(i, NULL);
    for (uint32_t i = 100000; i < 110000; i++)
        call_many(i, &fleet_id);
    ck_assert_uint_eq(tally_lost(tally), 0);
    atomic_store(&is_held, false);
    stop();
    ck_assert_int_eq(stored(0).refused, 10000);
    finish();
}
