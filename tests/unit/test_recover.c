/* How a runner recovers the state that the previous one left; with the real store, commit queue and
 * supervisor in a temporary folder. */
#include "runner/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "supervisor/record.h"
#include "support/runner_house.h"
#include "support/suite.h"

struct blocked {
    char *here, *go;
    int here_fd, go_fd;
    struct id run;
};

/* Starts a run whose vessel signals that it runs and then waits. */
static void block(struct house *house, struct blocked *blocked, const char *rest)
{
    blocked->here = house_fifo(house, "here");
    blocked->go = house_fifo(house, "go");
    blocked->here_fd = house_open_fifo(blocked->here);
    blocked->go_fd = house_open_fifo(blocked->go);
    char *script =
        memory_format("echo attempt $WEBHOOKD_ATTEMPT; test $WEBHOOKD_ATTEMPT = 2 && exit 0; "
                      "echo -n x > %s; read -n 1 < %s; echo done; exit 7",
                      blocked->here, blocked->go);
    struct id fleet = house_apply_script(house, script, rest);
    free(script);
    blocked->run = house_accept(house, &fleet);
    house_start(house);
    house_hear(blocked->here_fd);
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

static char *attempt_path(struct house *house, const struct seen *seen)
{
    (void)house;
    char id[ID_TEXT_BYTES], name[RECORD_NAME_BYTES];
    return memory_format("attempts/%s", record_name(id_format(&seen->vessels[0].id, id), 1, name));
}

/* Invariant 9. */
TEST(a_running_vessel_outlives_the_runner_and_is_found_again)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"nobody\"");
    block(&house, &blocked, "");
    house_stop(&house);
    ck_assert_int_eq(house_see(&house, &blocked.run).status, RUN_RUNNING);
    house_start(&house);
    let_go(&blocked);
    struct seen seen = house_wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    house_expect_output(&house, &seen, 0, "attempt 1\ndone\n");
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_adopted, 1);
    ck_assert_uint_eq(metrics.attempts_started, 0);
    blocked_close(&blocked);
    house_close(&house);
}

TEST(a_vessel_that_ended_while_no_runner_existed_has_its_exit_code_and_end)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"nobody\"");
    block(&house, &blocked, "");
    house_stop(&house);
    let_go(&blocked);
    ck_assert_int_gt(waitpid(-1, NULL, 0), 0); /* the supervisor is this process's child */
    int64_t ended_by_ms = clock_wall_ms();
    usleep(2000); /* at least, so that the clock goes on */
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    ck_assert_int_le(seen.vessels[0].ended_ms, ended_by_ms);
    ck_assert_int_ge(seen.vessels[0].ended_ms, seen.vessels[0].started_ms);
    house_expect_output(&house, &seen, 0, "attempt 1\ndone\n");
    house_await(house_is_tidy, &house, NULL);
    blocked_close(&blocked);
    house_close(&house);
}

static void signal_supervisor(struct house *house, const struct id *run, int signal)
{
    struct seen seen = house_see(house, run);
    char *folder = attempt_path(house, &seen);
    int fd = record_open(house->state_fd, folder);
    pid_t pid = record_pid_read(fd);
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, signal), 0);
    close(fd);
    free(folder);
}

TEST(a_killed_supervisor_is_an_interruption_and_nothing_runs_twice)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"nobody\"");
    block(&house, &blocked, "");
    signal_supervisor(&house, &blocked.run, SIGKILL);
    struct seen seen = house_wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert(!seen.vessels[0].has_exit_code);
    ck_assert_int_eq(strncmp(seen.vessels[0].reason, "interrupted: ", 13), 0);
    blocked_close(&blocked);
    house_close(&house);
}

TEST(an_interrupted_vessel_runs_again_if_the_fleet_says_so)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"nobody\"");
    block(&house, &blocked, "on_interrupt: RERUN\n");
    signal_supervisor(&house, &blocked.run, SIGKILL);
    struct seen seen = house_wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 2);
    house_expect_output(&house, &seen, 0, "attempt 2\n");
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_interrupted, 1);
    blocked_close(&blocked);
    house_close(&house);
}

/* As at the shutdown of the machine: nobody has stopped the run. */
TEST(a_sigterm_to_a_supervisor_is_an_interruption_too)
{
    static const struct {
        const char *rest;
        enum run_status status;
        int attempts;
    } cases[] = {{"", RUN_ERRORED, 1}, {"on_interrupt: RERUN\n", RUN_SUCCESS, 2}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct house house;
        struct blocked blocked;
        house_open(&house, "user = \"nobody\"");
        block(&house, &blocked, cases[i].rest);
        signal_supervisor(&house, &blocked.run, SIGTERM);
        struct seen seen = house_wait_until_ended(&house, &blocked.run);
        ck_assert_int_eq(seen.status, cases[i].status);
        ck_assert_int_eq(seen.vessels[0].attempts, cases[i].attempts);
        if (i == 0)
            ck_assert_str_eq(seen.vessels[0].reason,
                             "interrupted: its supervisor was sent SIGTERM");
        blocked_close(&blocked);
        house_close(&house);
    }
}

/* The runner looks again once descriptors are available: it must not treat the end as an
 * interruption, and above all must not run the vessel again. */
TEST(an_end_while_there_are_no_descriptors_is_found_later)
{
    struct house house;
    struct blocked blocked;
    house_open(&house, "user = \"nobody\"");
    block(&house, &blocked, "on_interrupt: RERUN\n");
    struct rlimit before, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(lowest);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    let_go(&blocked);
    /* Time for the vessel to end and for the runner to look; otherwise the test shows nothing. */
    usleep(500000);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    struct seen seen = house_wait_until_ended(&house, &blocked.run);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    blocked_close(&blocked);
    house_close(&house);
}

static bool is_retrying(struct house *house, const void *context)
{
    struct seen seen = house_see(house, context);
    return seen.vessel_count == 1 && seen.vessels[0].status == VESSEL_RETRYING;
}

/* The restart neither shortens the wait nor grants another try. */
TEST(the_wait_before_a_retry_survives_a_restart)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(&house, "exit 1",
                                         "    guardrails: { retry_count: 1, retry_wait: 2s }\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    house_await(is_retrying, &house, &run);
    house_stop(&house);
    ck_assert_int_eq(house_see(&house, &run).status, RUN_RUNNING);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 2);
    ck_assert_int_ge(seen.vessels[0].ended_ms - seen.vessels[0].started_ms, 2000);
    house_close(&house);
}

static struct id this_boot(void)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct id id;
    file_read(-1, "/proc/sys/kernel/random/boot_id", 100, &text, &error);
    house_check(&error);
    text.data[36] = '\0';
    ck_assert_int_eq(id_parse(text.data, &id), 0);
    buffer_free(&text);
    return id;
}

/* Invariants 4 and 9. */
TEST(an_attempt_that_provably_never_ran_is_started_once)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id boot_id = this_boot();
    struct id run = house_make_committed_start(&house, "", &boot_id);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    house_expect_output(&house, &seen, 0, "attempt 1\n");
    house_close(&house);
}

TEST(folders_of_an_attempt_that_never_ran_are_reused)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"nobody\"");
    struct id boot_id = this_boot();
    struct id run = house_make_committed_start(&house, "", &boot_id);
    struct seen seen = house_see(&house, &run);
    char *folder = attempt_path(&house, &seen);
    ck_assert_int_eq(mkdirat(house.state_fd, "attempts", 0700), 0);
    int lock;
    int fd = record_take(house.state_fd, folder, &lock, &error);
    house_check(&error);
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
    house_start(&house);
    seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    house_expect_output(&house, &seen, 0, "attempt 1\n");
    free(day_folder);
    free(log);
    free(folder);
    house_close(&house);
}

TEST(after_a_restart_of_the_machine_an_attempt_is_interrupted)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id other_boot = id_random();
    struct id run = house_make_committed_start(&house, "", &other_boot);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_str_eq(seen.vessels[0].reason,
                     "interrupted: the machine was restarted, or the state was restored");
    house_close(&house);
}

TEST(a_disabled_runner_still_records_how_running_vessels_end)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nenabled = false");
    struct id other_boot = id_random();
    struct id run = house_make_committed_start(&house, "", &other_boot);
    house_start(&house);
    ck_assert_int_eq(house_wait_until_ended(&house, &run).status, RUN_ERRORED);
    house_close(&house);
}

TEST(folders_that_belong_to_no_run_are_removed_at_start)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    static const char *const paths[] = {"runs",
                                        "attempts",
                                        "trash",
                                        "runs/01938f00-0000-7000-8000-000000000000",
                                        "runs/01938f00-0000-7000-8000-000000000000/deep",
                                        "attempts/01938f00-0000-7000-8000-000000000001.1",
                                        "trash/01938f00-0000-7000-8000-000000000002"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        ck_assert_int_eq(mkdirat(house.state_fd, paths[i], 0700), 0);
    house_start(&house);
    house_await(house_is_tidy, &house, NULL);
    house_close(&house);
}

TEST(many_runs_all_end_and_leave_nothing_behind)
{
    struct house house;
    enum { RUNS = 40 };
    house_open(&house, "user = \"nobody\"\nmax_vessels = 5");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct id runs[RUNS];
    house_start(&house);
    for (int i = 0; i < RUNS; i++)
        runs[i] = house_accept(&house, &fleet);
    for (int i = 0; i < RUNS; i++)
        ck_assert_int_eq(house_wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    house_await(house_is_tidy, &house, NULL);
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_started, RUNS);
    ck_assert_int_eq(metrics.running_vessels, 0);
    house_close(&house);
}

TEST(stopping_in_the_middle_of_many_runs_loses_none)
{
    struct house house;
    enum { RUNS = 30 };
    house_open(&house, "user = \"nobody\"\nmax_vessels = 4");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct id runs[RUNS];
    for (int i = 0; i < RUNS; i++)
        runs[i] = house_accept(&house, &fleet);
    for (int i = 0; i < 4; i++) {
        house_start(&house);
        house_wait_until_ended(&house, &runs[3 * i]);
        house_stop(&house);
    }
    house_start(&house);
    for (int i = 0; i < RUNS; i++) {
        struct seen seen = house_wait_until_ended(&house, &runs[i]);
        ck_assert_msg(seen.status == RUN_SUCCESS, "run %d: %s", i, seen.vessels[0].reason);
        ck_assert_int_eq(seen.vessels[0].attempts, 1);
    }
    house_await(house_is_tidy, &house, NULL);
    house_close(&house);
}
