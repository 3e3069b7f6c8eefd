/* How the runner executes scheduled runs; with the real store, commit queue and supervisor in a
 * temporary folder. */
#include "runner/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "queue/spool.h"
#include "support/faulty_vfs.h"
#include "support/runner_house.h"
#include "support/suite.h"

TEST(a_run_ends_with_its_exit_code_and_its_output_and_leaves_no_folder)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(&house, "echo out; echo err >&2; pwd | grep -o runs", "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert(seen.vessels[0].has_exit_code && seen.vessels[0].exit_code == 0);
    ck_assert_int_gt(seen.vessels[0].started_ms, 0);
    ck_assert_int_ge(seen.vessels[0].ended_ms, seen.vessels[0].started_ms);
    house_expect_output(&house, &seen, 0, "out\nerr\nruns\n");
    house_await(house_is_tidy, &house, NULL);
    house_close(&house);
}

/* Invariant 9. */
TEST(a_run_accepted_while_the_runner_runs_is_started)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    house_start(&house);
    struct id fleet = house_apply_script(&house, "exit 0", "");
    for (int i = 0; i < 3; i++) {
        struct id run = house_accept(&house, &fleet);
        ck_assert_int_eq(house_wait_until_ended(&house, &run).status, RUN_SUCCESS);
    }
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_uint_eq(metrics.attempts_started, 3);
    ck_assert_uint_eq(metrics.attempts_ended, 3);
    house_close(&house);
}

static sem_t sync_reached, sync_may_go;

static void hold_sync(void *context)
{
    (void)context;
    sem_post(&sync_reached);
    while (sem_wait(&sync_may_go) != 0)
        ;
}

/* Invariant 4. */
TEST(no_vessel_is_spawned_before_its_start_is_committed)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *path = house_fifo(&house, "spawned");
    int fifo = house_open_fifo(path);
    char *script = memory_format("echo x > %s", path);
    struct id fleet = house_apply_script(&house, script, "");
    struct id run = house_accept(&house, &fleet);
    sem_init(&sync_reached, 0, 0);
    sem_init(&sync_may_go, 0, 0);
    faulty_vfs_on_sync(hold_sync, NULL);
    house_start(&house);
    while (sem_wait(&sync_reached) != 0)
        ;
    struct pollfd spawned = {.fd = fifo, .events = POLLIN};
    ck_assert_int_eq(poll(&spawned, 1, 500), 0);
    ck_assert_int_eq(house_see(&house, &run).status, RUN_SCHEDULED);

    faulty_vfs_on_sync(NULL, NULL);
    sem_post(&sync_may_go);
    house_hear(fifo);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    close(fifo);
    free(script);
    free(path);
    house_close(&house);
}

TEST(headers_and_an_inline_body_reach_the_vessel_byte_for_byte)
{
    struct house house;
    static const char body[] = "a\0b\n";
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(
        &house,
        "cat \"$SHIPYARD_WEBHOOK_HEADERS_FILE\"; od -An -tx1 \"$SHIPYARD_WEBHOOK_BODY_FILE\"", "");
    struct run_input input = house_plain_input();
    input.headers_json = "{\"X-A\":[\"1\"]}";
    input.headers_bytes = strlen(input.headers_json);
    input.body_place = BODY_INLINE;
    input.body = body;
    input.body_bytes = sizeof(body) - 1;
    struct id run = house_accept_input(&house, &fleet, &input);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    house_expect_output(&house, &seen, 0, "{\"X-A\":[\"1\"]} 61 00 62 0a\n");
    house_close(&house);
}

TEST(without_headers_and_body_there_are_no_files)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet =
        house_apply_script(&house,
                           "test -n \"$SHIPYARD_WEBHOOK_BODY_FILE\" && ls -d "
                           "\"$SHIPYARD_LOG_WORKDIR\"/*.webhook_* 2>/dev/null; echo none",
                           "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    house_expect_output(&house, &seen, 0, "none\n");
    house_close(&house);
}

TEST(a_spooled_body_reaches_the_vessel)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(
        &house, "sha256sum < \"$SHIPYARD_WEBHOOK_BODY_FILE\"; echo \"$WEBHOOKD_BODY_SHA256\"", "");
    size_t bytes = 300000;
    char *body = memory_alloc(bytes);
    memset(body, 'x', bytes);
    struct run_input input = house_plain_input();
    input.body_place = BODY_SPOOLED;
    input.body_bytes = (int64_t)bytes;
    secret_init(&error);
    secret_hash(body, bytes, input.body_sha256);
    spool_write_now(house.state_fd, &input.request_id, body, bytes, &error);
    house_check(&error);
    struct id run = house_accept_input(&house, &fleet, &input);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    char hash[2 * SECRET_HASH_BYTES + 1];
    secret_hash_format(input.body_sha256, hash);
    char *expected = memory_format("%s  -\n%s\n", hash, hash);
    house_expect_output(&house, &seen, 0, expected);
    free(expected);
    free(body);
    house_close(&house);
}

TEST(a_run_whose_spooled_body_is_gone_reports_it)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct run_input input = house_plain_input();
    input.body_place = BODY_SPOOLED;
    input.body_bytes = 100000;
    struct id run = house_accept_input(&house, &fleet, &input);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 127);
    ck_assert_ptr_nonnull(strstr(seen.vessels[0].reason, "body"));
    house_await(house_is_tidy, &house, NULL);
    house_close(&house);
}

TEST(vessels_run_along_success_paths_in_one_folder)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    const char *const pairs[] = {"first", "echo one > a",           "left", "sed s/one/left/ a > l",
                                 "right", "sed s/one/right/ a > r", "last", "cat a l r",
                                 NULL};
    char *file = house_fleet("connections: {first: {left: SUCCESS, right: SUCCESS}, left: {last: "
                             "SUCCESS}, right: {last: SUCCESS}}\n",
                             pairs);
    struct id fleet = house_apply(&house, file);
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    house_expect_output(&house, &seen, 3, "one\nleft\nright\n");
    free(file);
    house_close(&house);
}

TEST(the_successors_of_a_failed_vessel_are_incomplete)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    const char *const pairs[] = {"first", "exit 3", "second", "exit 0", "third", "exit 0", NULL};
    char *file =
        house_fleet("connections: {first: {second: SUCCESS}, second: {third: SUCCESS}}\n", pairs);
    struct id fleet = house_apply(&house, file);
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 3);
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.vessels[2].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.vessels[2].attempts, 0);
    free(file);
    house_close(&house);
}

TEST(errored_and_completed_paths_are_followed)
{
    static const struct {
        const char *condition, *first;
        enum vessel_status second;
        enum run_status run;
    } cases[] = {
        {"ERRORED", "exit 3", VESSEL_SUCCESS, RUN_ERRORED},
        {"ERRORED", "exit 0", VESSEL_INCOMPLETE, RUN_SUCCESS},
        {"COMPLETED", "exit 3", VESSEL_SUCCESS, RUN_ERRORED},
        {"COMPLETED", "exit 0", VESSEL_SUCCESS, RUN_SUCCESS},
    };
    struct house house;
    house_open(&house, "user = \"nobody\"");
    house_start(&house);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *const pairs[] = {"first", cases[i].first, "second", "exit 0", NULL};
        char *rest = memory_format("connections: {first: {second: %s}}\n", cases[i].condition);
        char *file = house_fleet(rest, pairs);
        struct id fleet = house_apply(&house, file);
        struct id run = house_accept(&house, &fleet);
        runner_wake(house.runner);
        struct seen seen = house_wait_until_ended(&house, &run);
        ck_assert_int_eq(seen.vessels[1].status, cases[i].second);
        ck_assert_int_eq(seen.status, cases[i].run);
        ck_assert_str_eq(seen.vessels[1].reason, "");
        free(file);
        free(rest);
    }
    house_close(&house);
}

TEST(an_errored_vessel_is_retried_as_its_guardrails_allow)
{
    static const struct {
        const char *guardrails, *script;
        int attempts, exit_code;
        enum run_status status;
    } cases[] = {
        {"retry_count: 2", "test $WEBHOOKD_ATTEMPT = 3", 3, 0, RUN_SUCCESS},
        {"retry_count: 2", "exit 5", 3, 5, RUN_ERRORED},
        {"retry_count: 3, exclude_exit_code_ranges: [ 2, '5-7' ]",
         "test $WEBHOOKD_ATTEMPT = 2 && exit 6; exit 4", 2, 6, RUN_ERRORED},
        {"retry_count: 1, retry_wait: 1s", "echo $WEBHOOKD_ATTEMPT; exit 1", 2, 1, RUN_ERRORED},
        {"retry_count: 1, runtime_cutoff: 3s", /* the second attempt needs less */
         "test $WEBHOOKD_ATTEMPT = 2 && exit 0; exec sleep 1000", 2, 0, RUN_SUCCESS},
        {"", "exit 1", 1, 1, RUN_ERRORED},
    };
    struct house house;
    house_open(&house, "user = \"nobody\"");
    house_start(&house);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *rest = memory_format("    guardrails: { %s }\n", cases[i].guardrails);
        struct id fleet = house_apply_script(&house, cases[i].script, rest);
        struct id run = house_accept(&house, &fleet);
        runner_wake(house.runner);
        struct seen seen = house_wait_until_ended(&house, &run);
        ck_assert_int_eq(seen.status, cases[i].status);
        ck_assert_int_eq(seen.vessels[0].attempts, cases[i].attempts);
        ck_assert_int_eq(seen.vessels[0].exit_code, cases[i].exit_code);
        free(rest);
    }
    house_close(&house);
}

TEST(stubs_end_errored_without_an_attempt)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(
        &house, "name: Stubs\nvessels:\n"
                "  first: {source: {type: BLUEPRINT, blueprint: Slack, inputs_type: INLINE}}\n"
                "  second: {source: {type: CODE, language: BASH, file_to_run: a.sh, "
                "file: {name: a.sh, content: 'exit 0'}}}\n"
                "connections: {first: {second: SUCCESS}}\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_uint_eq(seen.vessel_count, 2);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 0);
    ck_assert_str_eq(seen.vessels[0].reason, "not available here");
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    house_close(&house);
}

TEST(a_vessel_over_its_cutoff_is_errored_and_the_reason_names_the_cutoff)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(
        &house, "name: Slow\nvessels:\n  only:\n    source: {type: CODE, language: BASH, "
                "file_to_run: a.sh, file: {name: a.sh, content: 'sleep 600'}}\n"
                "    guardrails: {runtime_cutoff: 1s}\n");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_str_eq(seen.vessels[0].reason, "cut off after 1s");
    ck_assert_int_eq(seen.vessels[0].exit_code, 128 + SIGTERM);
    house_close(&house);
}

TEST(a_missing_interpreter_is_127_with_a_reason)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nbash = \"no-such-bash\"");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 127);
    ck_assert_ptr_nonnull(strstr(seen.vessels[0].reason, "no-such-bash"));
    house_close(&house);
}

TEST(never_more_concurrent_vessels_than_configured)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nmax_vessels = 2");
    char *here = house_fifo(&house, "here"), *go = house_fifo(&house, "go");
    int here_fd = house_open_fifo(here), go_fd = house_open_fifo(go);
    char *marks = memory_format("%s/marks", house.path);
    char *counted = memory_format("%s/counts", house.path);
    int counts_fd = open(counted, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    ck_assert_int_ge(counts_fd, 0);
    ck_assert_int_eq(fchmod(counts_fd, 0666), 0); /* for a vessel that runs as another user */
    close(counts_fd);
    free(counted);
    ck_assert(mkdir(marks, 0777) == 0 && chmod(marks, 0777) == 0);
    char *script = memory_format(
        "touch %s/$$; ls %s | wc -l >> %s/../counts; echo -n x > %s; read -n 1 < %s; rm %s/$$",
        marks, marks, marks, here, go, marks);
    struct id fleet = house_apply_script(&house, script, "");
    struct id runs[6];
    for (int i = 0; i < 6; i++)
        runs[i] = house_accept(&house, &fleet);
    house_start(&house);
    for (int i = 0; i < 6; i++) {
        house_hear(here_fd);
        if (i == 1) {
            struct runner_metrics metrics;
            runner_get_metrics(house.runner, &metrics);
            ck_assert_int_le(metrics.running_vessels, 2);
        }
        if (i >= 1)
            ck_assert_int_eq(write(go_fd, "x", 1), 1);
    }
    ck_assert_int_eq(write(go_fd, "x", 1), 1);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(house_wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    char *counts = house_read(&house, "../counts");
    ck_assert_ptr_nonnull(strchr(counts, '2'));
    ck_assert_msg(!strpbrk(counts, "3456"), "concurrent vessels: %s", counts);
    free(counts);
    free(script);
    free(marks);
    free(here);
    free(go);
    close(here_fd);
    close(go_fd);
    house_close(&house);
}

TEST(a_disabled_runner_leaves_runs_scheduled_until_it_is_enabled)
{
    struct house house;
    house_open(&house, "user = \"nobody\"\nenabled = false");
    struct id fleet = house_apply_script(&house, "exit 0", "");
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct runner_metrics metrics;
    runner_get_metrics(house.runner, &metrics);
    ck_assert_int_eq(metrics.active_runs, 0);
    house_stop(&house); /* by now it has had time to claim runs */
    ck_assert_int_eq(house_see(&house, &run).status, RUN_SCHEDULED);
    house_start(&house);
    struct config *fresh = house_config("user = \"nobody\"");
    runner_reconfigure(house.runner, fresh);
    config_release(fresh);
    ck_assert_int_eq(house_wait_until_ended(&house, &run).status, RUN_SUCCESS);
    house_close(&house);
}

TEST(root_is_refused_as_the_user_of_vessels)
{
    if (geteuid() != 0) {
        test_skip("this test needs root");
        return;
    }
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"root\"");
    ck_assert_ptr_null(house_try_start(&house, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "root"));
    house_close(&house);
}

TEST(an_unknown_user_prevents_the_start)
{
    if (geteuid() != 0) {
        test_skip("this test needs root");
        return;
    }
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"no-such-user-here\"");
    ck_assert_ptr_null(house_try_start(&house, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "no-such-user-here"));
    house_close(&house);
}

TEST(as_another_user_a_vessel_works_in_its_folder_and_sees_no_state)
{
    if (geteuid() != 0) {
        test_skip("this test needs root");
        return;
    }
    struct house house;
    house_open(&house, "user = \"nobody\"");
    const char *const alone[] = {"only",
                                 "id -un; echo x > made; cat made; cat \"$HOME/../../webhookd.db\" "
                                 "2>/dev/null || echo hidden",
                                 NULL};
    char *file = house_fleet("", alone);
    struct id fleet = house_apply(&house, file);
    struct id run = house_accept(&house, &fleet);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    house_expect_output(&house, &seen, 0, "nobody\nx\nhidden\n");
    house_await(house_is_tidy, &house, NULL);
    free(file);
    house_close(&house);
}
