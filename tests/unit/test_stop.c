/* Stopping runs in every state of their vessels, and with every failure meanwhile; with the real
 * store, commit queue and supervisor. */
#include "runner/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/runner_house.h"
#include "support/suite.h"

static int apply_stop(void *context, struct store *store, struct error *error)
{
    return store_stop_run(store, context, clock_wall_ms(), error);
}

/* Stops a run as an administrator does. */
static enum error_kind ask_to_stop(struct house *house, const struct id *run)
{
    struct error error = ERROR_INIT;
    struct id run_id = *run;
    const struct commit_call call = {.name = "stop", .apply = apply_stop, .context = &run_id};
    int result = commit_call(house->queue, &call, &error);
    if (house->runner)
        runner_stop_runs(house->runner);
    return result == 0 ? ERROR_NONE : error.kind;
}

static void expect_stopped(struct house *house, const struct id *run)
{
    struct seen seen = house_wait_until_ended(house, run);
    ck_assert_int_eq(seen.status, RUN_TERMINATED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_TERMINATED);
    ck_assert_msg(strncmp(seen.vessels[0].reason, "stopped", 7) == 0, "%s", seen.vessels[0].reason);
}

TEST(a_running_vessel_is_terminated_and_its_successors_are_incomplete)
{
    static const char *const conditions[] = {"SUCCESS", "ERRORED", "COMPLETED"};
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *here = house_fifo(&house, "here");
    int here_fd = house_open_fifo(here);
    char *script = memory_format("trap 'echo bye; exit 9' TERM; echo -n x > %s; "
                                 "while :; do sleep 0.01; done 2>/dev/null",
                                 here);
    house_start(&house);
    for (size_t i = 0; i < ARRAY_COUNT(conditions); i++) {
        const char *const pairs[] = {"first", script, "second", "exit 0", NULL};
        char *rest = memory_format("connections: {first: {second: %s}}\n", conditions[i]);
        char *file = house_fleet(rest, pairs);
        struct id fleet = house_apply(&house, file);
        struct id run = house_accept(&house, &fleet);
        runner_wake(house.runner);
        house_hear(here_fd);
        ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_NONE);
        ck_assert_int_eq(ask_to_stop(&house, &run),
                         ERROR_NONE); /* a second call is accepted while the run has not ended */
        expect_stopped(&house, &run);
        struct seen seen = house_see(&house, &run);
        ck_assert_int_eq(seen.vessels[0].exit_code, 9);
        ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
        ck_assert_int_eq(seen.vessels[1].attempts, 0);
        house_expect_output(&house, &seen, 0, "bye\n");
        free(file);
        free(rest);
    }
    close(here_fd);
    free(script);
    free(here);
    house_close(&house);
}

TEST(a_vessel_that_ignores_sigterm_and_all_it_started_are_killed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *alive = house_fifo(&house, "alive"), *here = house_fifo(&house, "here");
    int here_fd = house_open_fifo(here);
    int alive_fd = open(alive, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    /* Each of the processes holds the pipe, so its end of file shows that the last one has
     * ended. */
    char *script =
        memory_format("trap '' TERM; exec 9> %s; setsid bash -c 'trap \"\" TERM; sleep 1000' & "
                      "(setsid bash -c 'exec >/dev/null 2>&1; sleep 1000' &); "
                      "echo -n x > %s; while :; do sleep 1000; done",
                      alive, here);
    struct id fleet = house_apply_script(&house, script, "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    house_hear(here_fd);
    ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_NONE);
    expect_stopped(&house, &run);
    struct seen seen = house_see(&house, &run);
    ck_assert_int_eq(seen.vessels[0].exit_code, 128 + SIGKILL);
    char byte;
    ck_assert_int_eq(read(alive_fd, &byte, 1), 0);
    close(alive_fd);
    close(here_fd);
    free(script);
    free(alive);
    free(here);
    house_close(&house);
}

TEST(a_scheduled_run_is_terminated_without_an_attempt_even_if_the_runner_is_disabled)
{
    static const char *const keys[] = {"user = \"nobody\" enabled = true",
                                       "user = \"nobody\" enabled = false"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        struct house house;
        house_open(&house, keys[i]);
        const char *const pairs[] = {"first", "echo never", "second", "exit 0", NULL};
        char *file = house_fleet("connections: {first: {second: SUCCESS}}\n", pairs);
        struct id fleet = house_apply(&house, file);
        struct id run = house_accept(&house, &fleet);
        ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_NONE); /* before a runner exists */
        house_start(&house);
        expect_stopped(&house, &run);
        struct seen seen = house_see(&house, &run);
        ck_assert_uint_eq(seen.vessel_count, 2);
        ck_assert_int_eq(seen.vessels[0].attempts, 0);
        ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
        free(file);
        house_close(&house);
    }
}

static bool is_retrying(struct house *house, const void *context)
{
    struct seen seen = house_see(house, context);
    return seen.vessel_count == 1 && seen.vessels[0].status == VESSEL_RETRYING;
}

TEST(a_vessel_that_waits_for_its_retry_is_terminated)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(&house, "exit 1",
                                         "    guardrails: { retry_count: 5, retry_wait: 1h }\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    house_await(is_retrying, &house, &run);
    ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_NONE);
    expect_stopped(&house, &run);
    ck_assert_int_eq(house_see(&house, &run).vessels[0].attempts, 1);
    house_close(&house);
}

/* The request to stop is in the store, so the next runner carries it out. */
TEST(a_stop_requested_while_no_runner_existed_ends_a_running_vessel)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *here = house_fifo(&house, "here");
    int here_fd = house_open_fifo(here);
    char *script = memory_format("echo -n x > %s; exec sleep 1000", here);
    struct id fleet = house_apply_script(&house, script, "on_interrupt: RERUN\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    house_hear(here_fd);
    house_stop(&house);
    ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_NONE);
    ck_assert_int_eq(house_see(&house, &run).status, RUN_RUNNING);
    house_start(&house);
    expect_stopped(&house, &run);
    ck_assert_int_eq(house_see(&house, &run).vessels[0].attempts, 1);
    close(here_fd);
    free(script);
    free(here);
    house_close(&house);
}

TEST(ended_and_unknown_runs_cannot_be_stopped)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct id run = house_accept(&house, &fleet), other = run;
    house_start(&house);
    ck_assert_int_eq(house_wait_until_ended(&house, &run).status, RUN_SUCCESS);
    ck_assert_int_eq(ask_to_stop(&house, &run), ERROR_CONFLICT);
    other.bytes[15] ^= 1; /* the same number, another random part */
    ck_assert_int_eq(ask_to_stop(&house, &other), ERROR_NOT_FOUND);
    house_close(&house);
}

/* Attempts are started, launched and ended continuously: at whatever moment the stop arrives, each
 * run ends and no vessel is left. */
TEST(runs_are_stopped_at_any_moment)
{
    enum { RUNS = 60 };
    struct house house;
    struct id runs[RUNS];
    house_open(&house, "user = \"nobody\" max_vessels = 4");
    const char *const pairs[] = {"a", "exit 0", "b", "exec sleep 0.02", "c", "exit 0", NULL};
    char *file = house_fleet("connections: {a: {b: SUCCESS}, b: {c: COMPLETED}}\n", pairs);
    struct id fleet = house_apply(&house, file);
    house_start(&house);
    for (int i = 0; i < RUNS; i++) {
        runs[i] = house_accept(&house, &fleet);
        runner_wake(house.runner);
        if (i >= 4)
            (void)ask_to_stop(&house, &runs[i - i % 4]);
    }
    for (int i = 0; i < RUNS; i++) {
        struct seen seen = house_wait_until_ended(&house, &runs[i]);
        ck_assert(seen.status == RUN_SUCCESS || seen.status == RUN_TERMINATED);
    }
    house_await(house_is_tidy, &house, NULL);
    free(file);
    house_close(&house);
}
