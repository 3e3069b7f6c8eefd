/* Power cuts under load: the file system loses what was not synced, but every promised run exists.
 * The same cuts with unsynced commits lose promised runs, which shows that this test can detect a
 * loss. The moments come from a seed, as in test_kill. */
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/aftermath.h"
#include "support/daemon.h"
#include "support/disk.h"
#include "support/load.h"

#define ROUNDS      20
#define CONNECTIONS 64
#define PAUSE_MS    20
#define LARGE_EVERY 16
#define SHORTEST_US 100000
#define SPREAD_US   200000
#define DISK_MIB    512

static const char fleet[] = "name: kept\nvessels:\n  main:\n    source:\n      type: CODE\n"
                            "      language: BASH\n      file_to_run: main.sh\n"
                            "      file: { name: main.sh, content: \"exit 0\\n\" }\n";

static uint64_t make_seed(void)
{
    const char *given = getenv("WEBHOOKD_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)clock_wall_ms();
    fprintf(stderr, "# WEBHOOKD_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* Runs load, cuts the power, and starts again. Returns how many of this round's promises are
 * broken.
 *
 * A real cut ends the whole machine in one moment; this one ends only the file system, and an
 * fdatasync in progress at that moment may still report success. A response that arrives after the
 * cut has begun would never have left the machine, so only earlier responses count. */
static size_t one_round(struct daemon *daemon, struct disk *disk, const char *url, uint64_t *random,
                        struct load_book *book)
{
    size_t before = book->count;
    struct load_options options = {
        .port = daemon->port, .url = url, .connections = CONNECTIONS, .pause_ms = PAUSE_MS};
    struct load *load = load_start(&options, book);
    load_await(load, 1, 0);
    usleep((unsigned)(SHORTEST_US + load_random(random) % SPREAD_US));
    size_t promised = before + load_promises(load);
    disk_cut_power(disk);
    daemon_kill(daemon);
    load_stop(load);
    book->count = promised;
    disk_unmount(disk);
    disk_mount(disk);
    daemon_restart(daemon);
    return aftermath_missing(daemon->state_dir, book, before);
}

static void say(const struct load_book *book)
{
    fprintf(stderr, "# %zu promised, %llu refused, %llu unanswered\n", book->count,
            (unsigned long long)book->refused, (unsigned long long)book->unanswered);
}

/* Invariant 1. */
TEST(a_power_cut_loses_no_promised_run)
{
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, DISK_MIB))
        return;
    struct load_book book = {.seed = make_seed(), .large_every = LARGE_EVERY};
    uint64_t random = book.seed;
    struct daemon_options options = {.state_dir = disk.state_dir, .runner = "enabled = false"};
    daemon_begin(&daemon, &options);
    char *url = daemon_fleet(&daemon, fleet);

    for (int i = 0; i < ROUNDS; i++)
        ck_assert_uint_eq(one_round(&daemon, &disk, url, &random, &book), 0);
    say(&book);
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

TEST(without_syncing_commits_power_cuts_lose_promised_runs)
{
    static const char *const relaxed[] = {"WEBHOOKD_TEST_RELAXED_SYNC=1", NULL};
    struct disk disk;
    struct daemon daemon;
    if (!disk_begin(&disk, DISK_EXT4, DISK_MIB))
        return;
    struct load_book book = {.seed = make_seed(), .large_every = LARGE_EVERY};
    uint64_t random = book.seed;
    struct daemon_options options = {.state_dir = disk.state_dir, .runner = "enabled = false"};
    daemon_begin(&daemon, &options);
    char *url = daemon_fleet(&daemon, fleet); /* up to here commits are synced */
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    options.env = relaxed;
    daemon_configure(&daemon, &options);
    daemon_restart(&daemon);

    size_t missing = 0;
    for (int i = 0; i < ROUNDS && missing == 0; i++)
        missing = one_round(&daemon, &disk, url, &random, &book);
    say(&book);
    ck_assert_uint_gt(missing, 0);

    daemon_finish(&daemon);
    disk_finish(&disk);
    load_book_free(&book);
    free(url);
}
