/* Launches that fail: for a while, for good, or because the attempt has a supervisor already. With
 * the real store, commit queue and supervisor in a temporary folder. */
#include "runner/runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "supervisor/job.h"
#include "supervisor/record.h"
#include "support/runner_house.h"
#include "support/suite.h"

/* Starts the runner with a supervisor that then disappears. Returns the path of the right one, to
 * be freed. */
static char *start_and_lose_supervisor(struct house *house)
{
    char *right = house->supervisor;
    house->supervisor = memory_format("%s/supervisor", house->path);
    ck_assert_int_eq(symlink(right, house->supervisor), 0);
    house_start(house);
    ck_assert_int_eq(unlink(house->supervisor), 0);
    return right;
}

static void bring_supervisor_back(struct house *house, const char *right)
{
    ck_assert_int_eq(symlink(right, house->supervisor), 0);
}

static bool is_started(struct house *house, const void *context)
{
    struct seen seen = house_see(house, context);
    return seen.vessel_count == 1 && seen.vessels[0].status == VESSEL_RUNNING;
}

/* ---- for a while ---- */

TEST(a_run_whose_supervisor_cannot_be_spawned_for_a_moment_is_not_lost)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *right = start_and_lose_supervisor(&house);
    struct id fleet = house_apply_script(&house, "echo attempt $WEBHOOKD_ATTEMPT", "");
    struct id run = house_accept(&house, &fleet);
    house_await(is_started, &house, &run);
    bring_supervisor_back(&house, right);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    free(right);
    house_close(&house);
}

/* A supervisor whose job has a format that it does not know: it passes the trial at the start, and
 * is replaced later. */
static void write_outdated(const char *path)
{
    FILE *script = fopen(path, "w");
    ck_assert(script && fprintf(script, "#!/bin/sh\nexit %d\n", JOB_EXIT_OTHER_FORMAT) > 0 &&
              fclose(script) == 0 && chmod(path, 0755) == 0);
}

static bool is_in_log(struct house *house, const void *context)
{
    const char *const *file_and_text = context;
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    (void)house;
    ck_assert_int_eq(file_read(AT_FDCWD, file_and_text[0], 1 << 20, &text, &error), 0);
    bool is_there = strstr(buffer_text(&text), file_and_text[1]) != NULL;
    buffer_free(&text);
    return is_there;
}

TEST(a_supervisor_of_another_version_is_reported_and_the_run_waits_for_the_right_one)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *right = start_and_lose_supervisor(&house);
    char *log = memory_format("%s/log", house.path);
    int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_eq(dup2(log_fd, STDERR_FILENO), STDERR_FILENO);
    close(log_fd);
    write_outdated(house.supervisor);
    struct id fleet = house_apply_script(&house, "echo attempt $WEBHOOKD_ATTEMPT", "");
    struct id run = house_accept(&house, &fleet);
    const char *expected[] = {log, "another version"};
    house_await(is_in_log, &house, expected);
    ck_assert_int_eq(unlink(house.supervisor), 0);
    bring_supervisor_back(&house, right);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    free(log);
    free(right);
    house_close(&house);
}

/* ---- for good ---- */

TEST(a_run_whose_supervisor_can_never_be_spawned_ends_with_the_reason)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    char *right = start_and_lose_supervisor(&house);
    struct id fleet = house_apply_script(&house, "echo never", "");
    struct id run = house_accept(&house, &fleet);
    struct seen seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    ck_assert_int_eq(seen.vessels[0].exit_code, 127);
    ck_assert_msg(strstr(seen.vessels[0].reason, "cannot spawn") != NULL, "%s",
                  seen.vessels[0].reason);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    free(right);
    house_close(&house);
}

/* ---- another supervisor ---- */

/* A process that holds the lock of the attempt's record, as its supervisor would. */
struct other {
    char name[RECORD_NAME_BYTES];
    int attempts_fd, lock_fd, pipe_fd;
    pid_t pid;
};

/* Takes the lock of the only record there is, once the daemon has let go of it. */
static bool takes_lock(struct house *house, const void *context)
{
    struct other *other = *(struct other *const *)context;
    (void)house;
    int fd = openat(other->attempts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fdopendir(fd);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            snprintf(other->name, sizeof(other->name), "%.60s", entry->d_name);
    closedir(folder);
    if (other->name[0] == '\0')
        return false;
    other->lock_fd = record_open(other->attempts_fd, other->name);
    if (other->lock_fd >= 0 && flock(other->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(other->lock_fd);
    return false;
}

/* Passes the lock to a process of its own, which lives until pipe_fd is closed, and notes its pid
 * in the record. Returns a descriptor of the record. */
static int become_other(struct other *other)
{
    struct error error = ERROR_INIT;
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    other->pid = fork();
    if (other->pid == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ends[0]);
    close(other->lock_fd);
    other->pipe_fd = ends[1];
    int record_fd = openat(other->attempts_fd, other->name, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(record_pid_write(record_fd, other->pid, &error), 0);
    return record_fd;
}

static bool is_followed(struct house *house, const void *context)
{
    (void)context;
    struct runner_metrics metrics;
    runner_get_metrics(house->runner, &metrics);
    return metrics.running_vessels == 1;
}

static char *log_path(const struct house *house, const struct seen *seen, const char *name)
{
    char day[CLOCK_TEXT_BYTES];
    clock_format_day(id_time_ms(&seen->vessels[0].id), day);
    return memory_format("%s/logs/%s/%s", house->state, day, name);
}

static void write_log(const char *path, const char *text)
{
    FILE *log = fopen(path, "w");
    ck_assert(log && fputs(text, log) >= 0 && fclose(log) == 0);
}

TEST(an_attempt_that_has_a_supervisor_is_followed_and_not_launched_again)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"nobody\"");
    char *right = start_and_lose_supervisor(&house);
    struct id fleet = house_apply_script(&house, "echo never", "");
    struct other other = {
        .attempts_fd = openat(house.state_fd, "attempts", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct other *context = &other;
    struct id run = house_accept(&house, &fleet);
    house_await(is_started, &house, &run);
    house_await(takes_lock, &house, &context);
    int record_fd = become_other(&other);
    struct seen seen = house_see(&house, &run);
    char *log = log_path(&house, &seen, other.name);
    write_log(log, "of the other\n");
    bring_supervisor_back(&house, right);
    house_await(is_followed, &house, NULL);

    const struct attempt_result result = {.ending = ATTEMPT_EXITED, .exit_code = 7};
    ck_assert_int_eq(record_mark_started(record_fd), 0);
    ck_assert_int_eq(record_write_result(record_fd, &result, &error), 0);
    close(record_fd);
    close(other.pipe_fd);
    ck_assert_int_eq(waitpid(other.pid, NULL, 0), other.pid);
    seen = house_wait_until_ended(&house, &run);
    ck_assert_int_eq(seen.vessels[0].exit_code, 7);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    house_expect_output(&house, &seen, 0, "of the other\n");
    close(other.attempts_fd);
    free(log);
    free(right);
    house_close(&house);
}
