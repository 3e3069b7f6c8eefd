/* Backups under faults: each is complete, or fails and leaves nothing. */
#include "support/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/faults.h"

#define LARGE_BYTES ((size_t)8 << 20) /* more than the socket buffers hold */

/* Makes the copy of the database hang. */
#define HOLD_COPY "pwrite hold */backup.tmp"

/* webhookctl backup in the background. */
struct running {
    pid_t pid;
    char *file, *said;
};

static void run_backup(struct running *running, struct daemon *daemon)
{
    char *program = daemon_program("webhookctl");
    running->file = memory_format("%s/backup.tar", daemon->folder);
    running->said = memory_format("%s/said", daemon->folder);
    fflush(NULL);
    running->pid = fork();
    if (running->pid == 0) {
        int fd = open(running->said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execl(program, "webhookctl", "-s", daemon->socket, "backup", running->file, (char *)NULL);
        _exit(127);
    }
    free(program);
}

/* Returns the wait status and frees the file names. */
static int wait_for(struct running *running)
{
    int status;
    ck_assert_int_eq(waitpid(running->pid, &status, 0), running->pid);
    free(running->file);
    free(running->said);
    return status;
}

static void await_path(const char *folder, const char *name)
{
    char *path = memory_format("%s/%s", folder, name);
    for (int64_t until_ms = clock_monotonic_ms() + 20000; access(path, F_OK) != 0;) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%s did not appear", path);
        usleep(2000);
    }
    free(path);
}

static void await_gone(const char *path)
{
    for (int64_t until_ms = clock_monotonic_ms() + 20000; access(path, F_OK) == 0;) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%s was not removed", path);
        usleep(2000);
    }
}

/* Returns the number of files in the folder whose names begin like this. */
static int count_files(const char *folder, const char *beginning)
{
    char *command = memory_format(
        "test $(ls -a %s | grep -c '^%s') = 0 && exit 0; exit $(ls -a %s | grep -c '^%s')", folder,
        beginning, folder, beginning);
    int status = system(command);
    free(command);
    return WEXITSTATUS(status);
}

static void begin(struct faults *faults)
{
    faults_prepare(faults, "enabled = false");
    daemon_restart(&faults->daemon);
}

TEST(there_is_one_backup_at_a_time)
{
    static struct faults faults;
    struct running running;
    begin(&faults);
    faults_set_rule(&faults, HOLD_COPY);
    run_backup(&running, &faults.daemon);
    await_path(faults.daemon.state_dir, "backup.tmp");
    char *out, *err;
    ck_assert_int_eq(ctl(&faults.daemon, &out, NULL, &err, "backup", "-", NULL), 1);
    ck_assert_str_eq(out, "");
    ck_assert_msg(strstr(err, "another backup is in progress"), "%s", err);
    free(out);
    free(err);

    /* Meanwhile neither changes nor queries are delayed. */
    free(ctl_ok(&faults.daemon, "org", "create", "Meanwhile", NULL));
    faults_clear_rules(&faults);
    ck_assert_int_eq(wait_for(&running), 0);
    ck_assert_int_eq(count_files(faults.daemon.state_dir, "backup"), 0);
    char *file = memory_format("%s/backup.tar", faults.daemon.folder);
    free(ctl_ok(&faults.daemon, "backup", file, NULL)); /* the next backup succeeds */
    free(file);
    faults_finish(&faults);
}

TEST(a_stop_aborts_the_copy)
{
    static struct faults faults;
    struct running running;
    begin(&faults);
    faults_set_rule(&faults, HOLD_COPY);
    run_backup(&running, &faults.daemon);
    await_path(faults.daemon.state_dir, "backup.tmp");
    ck_assert_int_eq(kill(faults.daemon.pid, SIGTERM), 0);
    await_gone(faults.daemon.socket); /* by now the stop has reached the requests */
    faults_clear_rules(&faults);
    ck_assert_int_eq(daemon_wait(&faults.daemon), 0);
    ck_assert_int_ne(wait_for(&running), 0);
    ck_assert_int_eq(count_files(faults.daemon.folder, "backup"), 0);
    ck_assert_int_eq(count_files(faults.daemon.state_dir, "backup"), 0);
    faults_finish(&faults);
}

TEST(a_backup_that_is_interrupted_leaves_no_file)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    static struct faults faults;
    begin(&faults);
    for (size_t i = 0; i < ARRAY_COUNT(signals); i++) {
        struct running running;
        faults_set_rule(&faults, HOLD_COPY);
        run_backup(&running, &faults.daemon);
        await_path(faults.daemon.state_dir, "backup.tmp");
        ck_assert_int_eq(count_files(faults.daemon.folder, "backup.tar."), 1);
        ck_assert_int_eq(kill(running.pid, signals[i]), 0);
        int status = wait_for(&running);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
        ck_assert_int_eq(count_files(faults.daemon.folder, "backup"), 0);
        faults_clear_rules(&faults);
        daemon_await_log(&faults.daemon, "backup aborted");
        char *log = faults.daemon.log; /* each interruption must log its own line */
        ck_assert_int_eq(truncate(log, 0), 0);
    }
    faults_finish(&faults);
}

/* A file left by a killed webhookctl does not disturb later backups. */
TEST(a_leftover_part_does_not_disturb_the_next_backup)
{
    static struct faults faults;
    begin(&faults);
    char *file = memory_format("%s/backup.tar", faults.daemon.folder);
    char *part = daemon_write_file(&faults.daemon, "backup.tar.part", "old", 3);
    free(ctl_ok(&faults.daemon, "backup", file, NULL));
    ck_assert_int_eq(access(file, F_OK), 0);
    free(part);
    free(file);
    faults_finish(&faults);
}

/* A folder of output exists but cannot be read: here a file takes its place. */
TEST(an_unreadable_folder_makes_the_backup_fail)
{
    static struct faults faults;
    begin(&faults);
    char *day = memory_format("%s/logs/2026-01-01", faults.daemon.state_dir);
    char *file = memory_format("%s/backup.tar", faults.daemon.folder), *out, *err;
    int fd = open(day, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(ctl(&faults.daemon, &out, NULL, &err, "backup", file, NULL), 1);
    ck_assert_msg(strstr(err, "before its answer was complete"), "%s", err);
    ck_assert_int_eq(count_files(faults.daemon.folder, "backup"), 0);
    daemon_await_log(&faults.daemon, "cannot open the folder \\\"2026-01-01\\\": Not a directory");
    ck_assert_int_eq(unlink(day), 0);

    /* A missing folder, however, was deleted by retention. */
    ck_assert_int_eq(mkdir(day, 0700), 0);
    free(ctl_ok(&faults.daemon, "backup", file, NULL));
    free(out);
    free(err);
    free(file);
    free(day);
    faults_finish(&faults);
}

TEST(without_room_for_the_copy_the_backup_fails)
{
    struct daemon daemon;
    char *out, *err;
    daemon_begin(&daemon, &(struct daemon_options){.top = "min_free = \"1023GiB\""});
    char *file = memory_format("%s/backup.tar", daemon.folder);
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "backup", file, NULL), 1);
    ck_assert_msg(strstr(err, "no room for a copy of the database") && strstr(err, "min_free"),
                  "%s", err);
    ck_assert_int_eq(count_files(daemon.folder, "backup"), 0);
    ck_assert_int_eq(count_files(daemon.state_dir, "backup"), 0);
    free(out);
    free(err);
    free(file);
    daemon_finish(&daemon);
}

/* The backup's reader stops reading. That delays neither the stop nor, once the reader is gone, the
 * next backup. */
TEST(a_stop_does_not_wait_for_a_reader_that_has_stopped_reading)
{
    static struct faults faults;
    struct running running;
    begin(&faults);
    char *url = daemon_fleet(&faults.daemon, "name: Kept\nvessels:\n  main:\n    source:\n"
                                             "      type: CODE\n      language: BASH\n"
                                             "      file_to_run: a\n"
                                             "      file: { name: a, content: 'exit 0' }\n");
    char *body = memory_alloc(LARGE_BYTES);
    memset(body, 'b', LARGE_BYTES);
    free(api_post(url, body, LARGE_BYTES));
    faults_set_rule(&faults, HOLD_COPY);
    run_backup(&running, &faults.daemon);
    await_path(faults.daemon.state_dir, "backup.tmp");
    ck_assert_int_eq(kill(running.pid, SIGSTOP), 0);
    faults_clear_rules(&faults);
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);
    ck_assert_int_eq(kill(running.pid, SIGCONT), 0);
    ck_assert_int_ne(wait_for(&running), 0);
    ck_assert_int_eq(count_files(faults.daemon.folder, "backup"), 0);
    free(body);
    free(url);
    faults_finish(&faults);
}
