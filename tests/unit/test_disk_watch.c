/* The disk watch: which runs it reports, and what the runner does with them. */
#include "runner/disk_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/janitor.h"
#include "support/runner_house.h"
#include "support/suite.h"

#define MIB (1 << 20)

/* ---- the watch alone, on a disk whose free space the test invents ---- */

static char folder[] = "/tmp/webhookd-watch-XXXXXX";
static int folder_fd;
static struct store_space space;
static atomic_int looks, looks_before_found;
static sem_t looked, found;

static void get_space(void *context, struct store_space *result)
{
    (void)context;
    *result = space;
    atomic_fetch_add(&looks, 1);
    sem_post(&looked);
}

static void note_found(void *context)
{
    (void)context;
    atomic_store(&looks_before_found, atomic_load(&looks));
    sem_post(&found);
}

static void await(sem_t *event)
{
    while (sem_wait(event) != 0)
        ;
}

static struct disk_watch *begin(const struct store_space *disk)
{
    struct error error = ERROR_INIT;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder_fd, 0);
    sem_init(&looked, 0, 0);
    sem_init(&found, 0, 0);
    space = *disk;
    struct disk_watch *watch = disk_watch_start(&(struct disk_watch_options){.runs_fd = folder_fd,
                                                                             .max_bytes = 100 * MIB,
                                                                             .get_space = get_space,
                                                                             .found = note_found},
                                                &error);
    ck_assert_msg(watch, "%s", error.message);
    return watch;
}

static void finish(struct disk_watch *watch)
{
    struct error error = ERROR_INIT;
    disk_watch_stop(watch);
    close(folder_fd);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
}

/* Creates the working folder of a run, with so many files of that size. */
static struct id make_run(int files, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct id id = id_random();
    char name[ID_TEXT_BYTES];
    char *data = memory_alloc(bytes + 1);
    memset(data, 'w', bytes);
    int run_fd = file_open_folder(folder_fd, id_format(&id, name), 0700, &error);
    ck_assert_int_ge(run_fd, 0);
    for (int i = 0; i < files; i++) {
        char file[16];
        snprintf(file, sizeof(file), "%d", i);
        int fd = openat(run_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(file_write_all(fd, data, bytes), 0);
        close(fd);
    }
    ck_assert_int_eq(syncfs(run_fd), 0); /* from now on its blocks are allocated */
    close(run_fd);
    free(data);
    return id;
}

static const struct store_space roomy = {.free_bytes = INT64_C(1) << 40,
                                         .min_free_bytes = 256 * MIB,
                                         .free_inodes = 1000000,
                                         .min_free_inodes = 1024};

TEST(a_run_that_has_ended_in_between_is_not_reported)
{
    char reason[ATTEMPT_REASON_BYTES];
    int owner;
    struct disk_watch *watch = begin(&roomy);
    disk_watch_set_bound(watch, MIB);
    struct id id = make_run(1, 2 * MIB);
    struct disk_watch_run *run = disk_watch_add(watch, &id, &owner);
    await(&found);
    disk_watch_remove(watch, run);
    ck_assert_ptr_null(disk_watch_take(watch, reason));
    finish(watch);
}

TEST(a_run_over_its_bound_is_reported_at_each_look)
{
    char reason[ATTEMPT_REASON_BYTES];
    int owner, other;
    struct disk_watch *watch = begin(&roomy);
    struct id small_id = make_run(1, MIB / 2), large_id = make_run(1, 2 * MIB);
    disk_watch_set_bound(watch, MIB);
    struct disk_watch_run *small = disk_watch_add(watch, &small_id, &other);
    struct disk_watch_run *large = disk_watch_add(watch, &large_id, &owner);
    for (int i = 0; i < 3; i++) {
        await(&found);
        ck_assert_ptr_eq(disk_watch_take(watch, reason), &owner);
        ck_assert_str_eq(reason, "killed: its working folder exceeded runner.max_disk (1MiB)");
        ck_assert_ptr_null(disk_watch_take(watch, reason));
    }
    disk_watch_remove(watch, large);
    disk_watch_remove(watch, small);
    finish(watch);
}

TEST(a_tree_larger_than_one_look_is_measured_over_several)
{
    char reason[ATTEMPT_REASON_BYTES];
    int owner;
    struct disk_watch *watch = begin(&roomy);
    disk_watch_set_bound(watch, (int64_t)11999 * 16384); /* with its folder, there are 12,001 */
    struct id id = make_run(12000, 0);
    struct disk_watch_run *run = disk_watch_add(watch, &id, &owner);
    await(&found);
    ck_assert_int_ge(atomic_load(&looks_before_found), 1); /* the first look did not suffice */
    ck_assert_ptr_eq(disk_watch_take(watch, reason), &owner);
    ck_assert_ptr_nonnull(strstr(reason, "exceeded the 11999 files and folders that "
                                         "runner.max_disk ("));
    disk_watch_remove(watch, run);
    finish(watch);
}

static void expect_largest(const struct store_space *disk, int small_files, size_t small_bytes,
                           int large_files, size_t large_bytes, const char *expected)
{
    char reason[ATTEMPT_REASON_BYTES];
    int owners[3];
    struct disk_watch *watch = begin(disk);
    struct id small_id = make_run(small_files, small_bytes);
    struct id large_id = make_run(large_files, large_bytes);
    struct disk_watch_run *runs[] = {
        disk_watch_add(watch, &small_id, &owners[0]),
        disk_watch_add(watch, &large_id, &owners[1]),
        disk_watch_add(watch, &small_id, &owners[2]),
    };
    await(&found);
    ck_assert_ptr_eq(disk_watch_take(watch, reason), &owners[1]);
    ck_assert_ptr_null(disk_watch_take(watch, reason));
    ck_assert_str_eq(reason, expected);
    for (size_t i = 0; i < ARRAY_COUNT(runs); i++)
        disk_watch_remove(watch, runs[i]);
    finish(watch);
}

TEST(on_a_nearly_full_disk_the_run_that_occupies_most_is_reported)
{
    struct store_space disk = roomy;
    disk.min_free_bytes = 16 * MIB;
    disk.free_bytes = 24 * MIB - 1;
    expect_largest(&disk, 20, MIB / 10, 1, 3 * MIB,
                   "killed: the state disk was nearly full (min_free), and its working folder was "
                   "the largest");
}

TEST(on_a_disk_with_hardly_any_inodes_the_run_with_most_files_is_reported)
{
    struct store_space disk = roomy;
    disk.free_inodes = 1535;
    expect_largest(&disk, 1, 3 * MIB, 100, 0,
                   "killed: the state disk had hardly any inodes left, and its working folder had "
                   "the most files");
}

TEST(no_run_is_reported_if_that_would_not_help_or_the_disk_has_room)
{
    char reason[ATTEMPT_REASON_BYTES];
    int owner;
    struct store_space disk = roomy;
    disk.free_bytes = 0; /* a sixteenth of min_free is 16 MiB */
    struct disk_watch *watch = begin(&disk);
    struct id id = make_run(1, MIB);
    struct disk_watch_run *run = disk_watch_add(watch, &id, &owner);
    for (int i = 0; i < 3; i++)
        await(&looked);
    ck_assert_ptr_null(disk_watch_take(watch, reason));
    disk_watch_remove(watch, run);
    finish(watch);
}

/* ---- with the runner ---- */

#define OVER_1_MIB "killed: its working folder exceeded runner.max_disk (1MiB)"

static void expect_killed(struct house *house, const struct id *run, const char *reason)
{
    struct seen seen = house_wait_until_ended(house, run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 128 + SIGKILL);
    ck_assert_str_eq(seen.vessels[0].reason, reason);
}

TEST(a_vessel_that_writes_more_than_max_disk_is_killed_with_all_it_started)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_disk = \"1MiB\"");
    char *alive = house_fifo(&house, "alive");
    int alive_fd = open(alive, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *script = memory_format("trap '' TERM; exec 9> %s; (setsid sleep 1000 &); "
                                 "head -c 3M /dev/urandom > big; sync; sleep 1000",
                                 alive);
    struct id fleet = house_apply_script(&house, script, "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    expect_killed(&house, &run, OVER_1_MIB);
    char byte;
    ck_assert_int_eq(read(alive_fd, &byte, 1), 0);
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_over_disk, 1);
    house_await(house_is_tidy, &house, NULL);
    close(alive_fd);
    free(script);
    free(alive);
    house_close(&house);
}

/* It makes files for as long as it lives, faster than any walk. */
TEST(a_vessel_that_makes_too_many_files_is_killed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_disk = \"1MiB\"");
    struct id fleet = house_apply_script(&house, "for ((i = 0; ; i++)); do : > $i; done", "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    expect_killed(&house, &run,
                  "killed: its working folder exceeded the 1000 files and folders that "
                  "runner.max_disk (1MiB) allows");
    house_close(&house);
}

TEST(a_vessel_with_a_tree_too_deep_to_measure_is_killed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(
        &house, "for ((i = 0; i < 150; i++)); do mkdir d; cd d; done; sleep 1000", "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    expect_killed(&house, &run,
                  "killed: its working folder has more than 128 levels of folders, too many to "
                  "measure it");
    house_close(&house);
}

/* The second attempt is killed, too, although it writes nothing. */
TEST(a_retry_in_a_folder_that_is_still_too_large_is_killed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_disk = \"1MiB\"");
    struct id fleet =
        house_apply_script(&house, "[ -e big ] || head -c 3M /dev/urandom > big; sync; sleep 1000",
                           "    guardrails: { retry_count: 1 }\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    expect_killed(&house, &run, OVER_1_MIB);
    ck_assert_int_eq(house_see(&house, &run).vessels[0].attempts, 2);
    house_close(&house);
}

/* The first vessel's file is sparse. Both are measured in the look that reports the second. */
TEST(a_vessel_within_its_bound_goes_on_while_another_is_killed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_disk = \"1MiB\"");
    char *go = house_fifo(&house, "go"), *here = house_fifo(&house, "here");
    int go_fd = house_open_fifo(go), here_fd = house_open_fifo(here);
    char *script = memory_format(
        "truncate -s 1T sparse; head -c 500K /dev/urandom > one; ln one two; ln one three; sync; "
        "echo -n x > %s; read < %s; echo done",
        here, go);
    struct id modest = house_apply_script(&house, script, "");
    struct id modest_run = house_accept(&house, &modest);
    house_start(&house);
    house_hear(here_fd);
    struct id large =
        house_apply_script(&house, "head -c 3M /dev/urandom > big; sync; sleep 1000", "");
    struct id large_run = house_accept(&house, &large);
    runner_wake(house.runner);
    expect_killed(&house, &large_run, OVER_1_MIB);
    ck_assert_int_eq(write(go_fd, "\n", 1), 1);
    struct seen seen = house_wait_until_ended(&house, &modest_run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    house_expect_output(&house, &seen, 0, "done\n");
    close(go_fd);
    close(here_fd);
    free(script);
    free(go);
    free(here);
    house_close(&house);
}

/* Between the two runners nobody watches. */
TEST(a_vessel_that_was_adopted_is_watched_too)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_disk = \"1MiB\"");
    char *go = house_fifo(&house, "go"), *here = house_fifo(&house, "here");
    int go_fd = house_open_fifo(go), here_fd = house_open_fifo(here);
    char *script = memory_format("echo -n x > %s; read < %s; "
                                 "head -c 3M /dev/urandom > big; sync; sleep 1000",
                                 here, go);
    struct id fleet = house_apply_script(&house, script, "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    house_hear(here_fd);
    house_stop(&house);
    ck_assert_int_eq(write(go_fd, "\n", 1), 1);
    house_start(&house);
    expect_killed(&house, &run, OVER_1_MIB);
    close(go_fd);
    close(here_fd);
    free(script);
    free(go);
    free(here);
    house_close(&house);
}
