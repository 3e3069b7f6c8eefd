#include "support/vessel_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/janitor.h"
#include "support/suite.h"

#define RECORD "r.1"

enum { HIGH_FD = 40 };

static char *static_environment[] = {(char[]){"PATH=" BENCH_PATH}};

void bench_make_folder(const char *path)
{
    ck_assert_msg(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
}

int bench_open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    return fd;
}

char *bench_below(const struct bench *bench, const char *name)
{
    return memory_format("%s/%s", bench->path, name);
}

static int make_record(const struct bench *bench)
{
    int fd = openat(bench->folder_fd, RECORD, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s", strerror(errno));
    return fd;
}

void bench_reopen(struct bench *bench)
{
    char *attempt = bench_below(bench, "attempt");
    close(bench->folder_fd);
    close(bench->record_fd);
    bench->folder_fd = bench_open_folder(attempt);
    bench->record_fd = make_record(bench);
    free(attempt);
}

void bench_open(struct bench *bench, const char *script)
{
    const char *base = getenv("TMPDIR");
    *bench = (struct bench){.path = memory_format("%s/vessel.XXXXXX", base ? base : "/tmp")};
    ck_assert_ptr_nonnull(mkdtemp(bench->path));
    janitor_watch(bench->path);
    char *attempt = bench_below(bench, "attempt"), *runs = bench_below(bench, "runs");
    bench->workdir = bench_below(bench, "runs/r");
    bench_make_folder(attempt);
    bench_make_folder(runs);
    bench_make_folder(bench->workdir);
    bench->folder_fd = bench_open_folder(attempt);
    bench->record_fd = make_record(bench);
    bench->workdir_fd = bench_open_folder(bench->workdir);
    free(attempt);
    free(runs);
    static char id[] = BENCH_ID, none[] = "", bash[] = "bash", path[] = BENCH_PATH,
                file[] = "main.sh";
    bench->job = (struct job){
        .vessel_run_id = id,
        .workdir = bench->workdir,
        .hidden_dir = none,
        .modules_dir = none,
        .interpreter = bash,
        .search_path = path,
        .file_name = file,
        .file_content = memory_string(script),
        .file_to_run = file,
        .environment = static_environment,
        .environment_count = 1,
        .user = none,
        .stop_grace_ms = 60000,
        .max_output_bytes = 1 << 20,
    };
}

void bench_close(struct bench *bench)
{
    struct error error = ERROR_INIT;
    close(bench->record_fd);
    close(bench->folder_fd);
    close(bench->workdir_fd);
    ck_assert_msg(file_remove_tree(AT_FDCWD, bench->path, &error) == 0, "%s", error.message);
    buffer_free(&bench->output);
    free(bench->job.file_content);
    free(bench->workdir);
    free(bench->path);
}

void bench_set_script(struct bench *bench, const char *script)
{
    free(bench->job.file_content);
    bench->job.file_content = memory_string(script);
}

/* ---- starting it ---- */

char *bench_supervisor_path(void)
{
    const char *build = getenv("BUILD");
    return memory_format("%s/webhookd-vessel", build ? build : "build");
}

/* Moves fd above the numbers that the supervisor's descriptors get. Closes the original. */
static int high(int fd)
{
    ck_assert_msg(fd >= 0, "%s", strerror(errno));
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    ck_assert_int_ge(copy, HIGH_FD);
    close(fd);
    return copy;
}

int bench_memory_file(const void *data, size_t bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(file_write_all(fd, data, bytes), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return high(fd);
}

static int job_file(const struct bench *bench)
{
    struct buffer job = BUFFER_INIT;
    ck_assert_int_eq(job_write(&bench->job, &job), 0);
    int fd = bench_memory_file(job.data, job.bytes);
    buffer_free(&job);
    return fd;
}

void bench_make_fds(const struct bench *bench, int fds[BENCH_FDS])
{
    struct error error = ERROR_INIT;
    char *log = bench_below(bench, "log");
    for (int i = 0; i < BENCH_FDS; i++)
        fds[i] = -1;
    fds[JOB_FD_JOB] = job_file(bench);
    fds[JOB_FD_RECORD] = high(record_take(bench->folder_fd, RECORD, &fds[JOB_FD_LOCK], &error));
    fds[JOB_FD_LOCK] = high(fds[JOB_FD_LOCK]);
    fds[JOB_FD_WORKDIR] = high(dup(bench->workdir_fd));
    fds[JOB_FD_OUTPUT] = high(open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    if (bench->headers)
        fds[JOB_FD_HEADERS] = bench_memory_file(bench->headers, strlen(bench->headers));
    if (bench->body)
        fds[JOB_FD_BODY] = bench_memory_file(bench->body, bench->body_bytes);
    free(log);
}

void bench_close_fds(const int fds[BENCH_FDS])
{
    for (int i = 0; i < BENCH_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void bench_spawn_with(struct bench *bench, const int fds[BENCH_FDS])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    int last = JOB_FD_JOB - 1;
    for (int i = JOB_FD_JOB; i < BENCH_FDS; i++) {
        if (fds[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, fds[i], i);
        else
            posix_spawn_file_actions_addclose(&actions, i);
        last = i;
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);
    ck_assert_int_eq(posix_spawnattr_init(&attributes), 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    (void)sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &all); /* as the daemon's threads have it */

    char *path = bench_supervisor_path();
    char *argv[] = {path, NULL}, *environment[] = {NULL};
    int failure = posix_spawn(&bench->pid, path, &actions, &attributes, argv, environment);
    ck_assert_msg(failure == 0, "%s: %s", path, strerror(failure));
    free(path);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
}

void bench_start(struct bench *bench)
{
    int fds[BENCH_FDS];
    bench_make_fds(bench, fds);
    bench_spawn_with(bench, fds);
    bench_close_fds(fds);
}

static void read_output(struct bench *bench)
{
    struct error error = ERROR_INIT;
    char *log = bench_below(bench, "log");
    buffer_reset(&bench->output);
    ck_assert_msg(file_read(AT_FDCWD, log, 1 << 26, &bench->output, &error) == 0, "%s",
                  error.message);
    free(log);
}

void bench_wait(struct bench *bench)
{
    struct error error = ERROR_INIT;
    int status;
    ck_assert_int_eq(waitpid(bench->pid, &status, 0), bench->pid);
    ck_assert_msg(record_read_result(bench->record_fd, &bench->exit, &error) == 1,
                  "no result in the record: %s", error.message);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(record_lock_is_held(bench->record_fd), 0);
    ck_assert_int_eq(record_pid_read(bench->record_fd), bench->pid);
    read_output(bench);
}

void bench_run(struct bench *bench)
{
    bench_start(bench);
    bench_wait(bench);
}

void bench_forget(struct bench *bench)
{
    char *log = bench_below(bench, "log");
    ck_assert_int_eq(unlink(log), 0);
    free(log);
}

void bench_check_output(struct bench *bench, const char *expected)
{
    ck_assert_str_eq(buffer_text(&bench->output), expected);
    ck_assert_uint_eq(bench->output.bytes, strlen(expected));
}

void bench_check_result(const struct bench *bench, enum attempt_ending result, int exit_code)
{
    ck_assert_msg(bench->exit.ending == result && bench->exit.exit_code == exit_code,
                  "result %d, exit code %d, reason \"%s\"", (int)bench->exit.ending,
                  bench->exit.exit_code, bench->exit.reason);
}

/* ---- named pipes ---- */

void bench_make_pipe(const struct bench *bench, const char *name)
{
    ck_assert_int_eq(mkfifoat(bench->workdir_fd, name, 0600), 0);
    /* The vessel may run as another user. */
    ck_assert_int_eq(fchmodat(bench->workdir_fd, name, 0666, 0), 0);
}

int bench_await_writer(const struct bench *bench, const char *name)
{
    int fd = openat(bench->workdir_fd, name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

void bench_await_byte(int fd)
{
    char byte;
    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

void bench_await_no_writer(int fd)
{
    char bytes[64];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        continue;
    ck_assert_int_eq(got, 0);
}

bool bench_has_no_writer(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP) != 0;
}

void bench_let_pass(const struct bench *bench, const char *name)
{
    int fd = openat(bench->workdir_fd, name, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
