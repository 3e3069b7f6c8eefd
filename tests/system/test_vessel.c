/* webhookd-vessel: how a vessel ends, and which part of its output is kept. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

/* ---- running and ending ---- */

TEST(output_and_exit_code_are_recorded)
{
    struct bench bench;
    bench_open(&bench, "echo one; echo two >&2; echo three; exit 7\n");
    int64_t before_ms = clock_wall_ms();
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 7);
    bench_check_output(&bench, "one\ntwo\nthree\n");
    ck_assert_str_eq(bench.exit.reason, "");
    ck_assert_int_eq(bench.exit.output_bytes, 14);
    ck_assert(!bench.exit.output_cut);
    ck_assert_int_ge(bench.exit.started_ms, before_ms);
    ck_assert_int_ge(bench.exit.ended_ms, bench.exit.started_ms);
    ck_assert_int_eq(record_has_started(bench.record_fd), 1);
    bench_close(&bench);
}

TEST(death_by_a_signal_counts_as_128_and_its_number)
{
    struct bench bench;
    bench_open(&bench, "kill -USR1 $$\n");
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 128 + SIGUSR1);
    bench_close(&bench);
}

TEST(arguments_arrive_unsplit_after_the_absolute_path_of_the_file)
{
    struct bench bench;
    static char file[] = "deep/er/main.sh";
    char *arguments[] = {(char[]){"--a b"}, (char[]){""}, (char[]){"$HOME *"}};
    bench_open(&bench, "echo \"$0\"; printf '<%s>' \"$@\"; stat -c ' %a' \"$0\"; pwd; umask\n");
    bench.job.file_name = bench.job.file_to_run = file;
    bench.job.arguments = arguments;
    bench.job.argument_count = 3;
    bench_run(&bench);
    char *expected =
        memory_format("%s/" BENCH_ID ".files/deep/er/main.sh\n<--a b><><$HOME *> 700\n%s\n0022\n",
                      bench.workdir, bench.workdir);
    bench_check_output(&bench, expected);
    free(expected);
    bench_close(&bench);
}

TEST(a_missing_interpreter_is_127_with_the_reason)
{
    struct bench bench;
    bench_open(&bench, "echo never\n");
    static char name[] = "no-such-interpreter", path[] = "/no/such/interpreter";
    bench.job.interpreter = name;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
    ck_assert_str_eq(bench.exit.reason,
                     "cannot execute \"no-such-interpreter\": No such file or directory "
                     "in /usr/local/bin:/usr/bin:/bin");
    bench_check_output(&bench, "[webhookd: cannot execute \"no-such-interpreter\": No such file or "
                               "directory in /usr/local/bin:/usr/bin:/bin]\n");
    ck_assert_int_eq(bench.exit.started_ms, 0);
    bench.job.interpreter = path;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
    ck_assert_str_eq(bench.exit.reason,
                     "cannot execute \"/no/such/interpreter\": No such file or directory");
    bench_close(&bench);
}

TEST(the_vessels_own_path_does_not_select_its_interpreter)
{
    struct bench bench;
    bench_open(&bench, "echo \"$PATH\"\n");
    static char path[] = "PATH=/nowhere";
    char *environment[] = {path, NULL};
    bench.job.environment = environment;
    bench.job.environment_count = 1;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    bench_check_output(&bench, "/nowhere\n");
    bench_close(&bench);
}

TEST(an_invalid_job_leaves_a_record_with_the_reason)
{
    struct bench bench;
    int fds[BENCH_FDS];
    bench_open(&bench, "echo never\n");
    bench_make_fds(&bench, fds);
    close(fds[JOB_FD_JOB]);
    fds[JOB_FD_JOB] = bench_memory_file("garbage", 7);
    bench_spawn_with(&bench, fds);
    bench_close_fds(fds);
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
    ck_assert_str_eq(bench.exit.reason, "invalid job: it is damaged");
    ck_assert_int_eq(record_has_started(bench.record_fd), 0);
    bench_close(&bench);
}

/* Nobody could free the lock of a supervisor that tries for ever. */
static void check_record_that_cannot_be_written(bool is_inherited)
{
    struct bench bench;
    int fds[BENCH_FDS], status;
    bench_open(&bench, "echo never\n");
    bench_make_fds(&bench, fds);
    close(fds[JOB_FD_RECORD]);
    fds[JOB_FD_RECORD] = is_inherited ? fcntl(fds[JOB_FD_LOCK], F_DUPFD_CLOEXEC, 100) : -1;
    bench_spawn_with(&bench, fds);
    bench_close_fds(fds);
    ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == JOB_EXIT_NO_RESULT);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(record_read_result(bench.record_fd, &bench.exit, &error), 0);
    ck_assert_int_eq(record_lock_is_held(bench.record_fd), 0);
    bench_close(&bench);
}

TEST(a_supervisor_whose_record_cannot_be_written_ends_without_a_result)
{
    check_record_that_cannot_be_written(false);
    check_record_that_cannot_be_written(true); /* for reading only */
}

/* Runs a supervisor whose job is this memory file, which it owns. Returns its exit code; the
 * attempt must have neither a result nor the mark of a start. */
static int run_without_result(struct bench *bench, int job_fd)
{
    int fds[BENCH_FDS], status;
    struct error error = ERROR_INIT;
    bench_make_fds(bench, fds);
    close(fds[JOB_FD_JOB]);
    fds[JOB_FD_JOB] = job_fd;
    bench_spawn_with(bench, fds);
    bench_close_fds(fds);
    ck_assert_int_eq(waitpid(bench->pid, &status, 0), bench->pid);
    ck_assert_int_eq(record_read_result(bench->record_fd, &bench->exit, &error), 0);
    ck_assert_int_eq(record_has_started(bench->record_fd), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(a_job_of_another_format_is_reported_by_the_exit_code)
{
    static const unsigned char other[8] = {JOB_FORMAT + 1};
    struct bench bench;
    bench_open(&bench, "echo never\n");
    ck_assert_int_eq(run_without_result(&bench, bench_memory_file(other, sizeof(other))),
                     JOB_EXIT_OTHER_FORMAT);
    bench_close(&bench);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

TEST(a_job_that_finds_no_memory_leaves_no_result)
{
    enum { JOB_BYTES = 64 << 20, MEMORY_BYTES = 32 << 20 };
    struct bench bench;
    if (SANITIZED) {
        test_skip("a sanitizer itself needs more memory");
        return;
    }
    bench_open(&bench, "echo never\n");
    int job_fd = bench_memory_file("", 0);
    ck_assert_int_eq(ftruncate(job_fd, JOB_BYTES), 0);
    const struct rlimit small = {MEMORY_BYTES, MEMORY_BYTES}; /* inherited by the supervisor */
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &small), 0);
    ck_assert_int_eq(run_without_result(&bench, job_fd), JOB_EXIT_SHORTAGE);
    bench_close(&bench);
}

TEST(a_start_by_hand_is_refused_with_a_hint)
{
    static const char *const lines[] = {"3<&-", "--try-sandbox 3<&-", "-h", "-V", "--help 3<&-"};
    char *path = bench_supervisor_path();
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        char text[200] = "";
        char *command = memory_format("%s %s 2>&1 >&-", path, lines[i]);
        FILE *stream = popen(command, "re");
        ck_assert_ptr_nonnull(stream);
        ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, stream), 0);
        ck_assert_int_eq(WEXITSTATUS(pclose(stream)), 2);
        ck_assert_str_eq(text, "webhookd-vessel is started by webhookd; see webhookd(8)\n");
        free(command);
    }
    free(path);
}

TEST(a_cutoff_ends_a_vessel_that_ignores_sigterm)
{
    struct bench bench;
    bench_open(&bench, "trap '' TERM; exec 9> alive; echo x >&9; while :; do sleep 1000; done\n");
    bench_make_pipe(&bench, "alive");
    bench.job.cutoff_ms = 3000; /* the trap is set long before */
    bench.job.stop_grace_ms = 50;
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    bench_await_byte(alive);
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_CUTOFF, 128 + SIGKILL);
    ck_assert(bench_has_no_writer(alive));
    close(alive);
    bench_close(&bench);
}

/* Bash runs a trap only when the current command has ended, hence the short sleeps. Its stderr is
 * closed off because it would report that the signal killed a sleep. */
TEST(a_stop_lets_the_vessel_clean_up)
{
    struct bench bench;
    bench_open(&bench, "trap 'echo bye; exit 3' TERM; exec 2> /dev/null; echo x > alive\n"
                       "while :; do sleep 0.01; done\n");
    bench_make_pipe(&bench, "alive");
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    bench_await_byte(alive);
    ck_assert_int_eq(kill(bench.pid, SIGHUP), 0);
    ck_assert_int_eq(kill(bench.pid, SIGINT), 0);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0);
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_STOPPED, 3);
    bench_check_output(&bench, "bye\n");
    close(alive);
    bench_close(&bench);
}

/* The main process ends immediately; one in a session of its own is still cleaning up. */
TEST(a_stop_gives_the_vessels_other_processes_the_same_grace)
{
    struct bench bench;
    bench_open(&bench, "cat > child.sh <<'END'\n"
                       "trap 'echo x > told; read < pass; echo cleaned; exit' TERM\n"
                       "exec 2> /dev/null; echo x > alive; while :; do sleep 0.01; done\nEND\n"
                       "setsid bash child.sh & exec sleep 1000\n");
    bench_make_pipe(&bench, "alive");
    bench_make_pipe(&bench, "told");
    bench_make_pipe(&bench, "pass");
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    bench_await_byte(alive);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0);
    int told = bench_await_writer(&bench, "told");
    bench_await_byte(told);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0); /* a second signal changes nothing */
    bench_let_pass(&bench, "pass");
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_STOPPED, 128 + SIGTERM);
    bench_check_output(&bench, "cleaned\n");
    close(told);
    close(alive);
    bench_close(&bench);
}

static void send_kill(const struct bench *bench)
{
    const union sigval value = {.sival_int = JOB_KILL};
    ck_assert_int_eq(sigqueue(bench->pid, SIGTERM, value), 0);
}

/* The vessel and a process in a session of its own ignore SIGTERM and have an hour's grace. */
static void begin_stubborn(struct bench *bench, int *alive)
{
    bench_open(bench, "trap '' TERM; exec 9> alive; (setsid sleep 1000 &)\n"
                      "echo x >&9; while :; do sleep 1000; done\n");
    bench->job.stop_grace_ms = 3600000;
    bench_make_pipe(bench, "alive");
    bench_start(bench);
    *alive = bench_await_writer(bench, "alive");
    bench_await_byte(*alive);
}

TEST(a_vessel_to_be_killed_gets_no_grace)
{
    struct bench bench;
    int alive;
    begin_stubborn(&bench, &alive);
    send_kill(&bench);
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_OVER_DISK, 128 + SIGKILL);
    ck_assert(bench_has_no_writer(alive));
    close(alive);
    bench_close(&bench);
}

TEST(a_vessel_that_is_being_stopped_can_be_killed)
{
    struct bench bench;
    int alive;
    begin_stubborn(&bench, &alive);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0);
    pid_t ended = 0;
    while (ended == 0) { /* a signal that is pending already is not queued again */
        (void)sigqueue(bench.pid, SIGTERM, (union sigval){.sival_int = JOB_KILL});
        siginfo_t info = {0};
        ck_assert_int_eq(waitid(P_PID, (id_t)bench.pid, &info, WEXITED | WNOWAIT | WNOHANG), 0);
        ended = info.si_pid;
    }
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_STOPPED, 128 + SIGKILL);
    ck_assert(bench_has_no_writer(alive));
    close(alive);
    bench_close(&bench);
}

/* Each of the processes holds `alive` open, ignores SIGTERM, and has left its group and session. */
TEST(no_forked_process_outlives_the_vessel)
{
    struct bench bench;
    bench_open(
        &bench,
        "exec 9> alive; trap '' TERM HUP\n"
        "(setsid bash -c '(sleep 1000 & (setsid sleep 1000 & sleep 1000) &) ; echo x > ready' &)\n"
        "read < go; echo done; exit 0\n");
    bench_make_pipe(&bench, "alive");
    bench_make_pipe(&bench, "ready");
    bench_make_pipe(&bench, "go");
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    int ready = bench_await_writer(&bench, "ready");
    bench_await_byte(ready);
    bench_let_pass(&bench, "go");
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    const char *output = buffer_text(&bench.output); /* bash decides how many processes it uses */
    ck_assert_msg(strncmp(output, "done\n[webhookd: ended ", 21) == 0, "%s", output);
    ck_assert(bench_has_no_writer(alive));
    close(ready);
    close(alive);
    bench_close(&bench);
}

/* The one that was killed is a zombie when the main process ends. */
TEST(processes_that_the_vessel_left_running_are_reported)
{
    static const struct {
        const char *script, *output;
    } cases[] = {
        {"setsid nohup sleep 1000 & echo -n started\n",
         "started\n[webhookd: ended 1 process that the vessel left running]\n"},
        {"(setsid sleep 1000 &); sleep 1000 & exit 0\n",
         "[webhookd: ended 2 processes that the vessel left running]\n"},
        {"exec python3 -c 'import os; pid = os.posix_spawnp(\"sleep\", [\"sleep\", \"99\"], {}); "
         "os.kill(pid, 9); os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT); os._exit(0)'\n",
         ""},
        /* An orphan that has ended by the time at which the vessel ends. */
        {"true & wait; pid=$(sh -c 'true >/dev/null & echo $!')\n"
         "while grep -q '^State:[[:space:]]*[^Z[:space:]]' /proc/$pid/status 2>/dev/null; do :; "
         "done\n"
         "exec true\n",
         ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench bench;
        bench_open(&bench, cases[i].script);
        bench_run(&bench);
        bench_check_result(&bench, ATTEMPT_EXITED, 0);
        bench_check_output(&bench, cases[i].output);
        bench_close(&bench);
    }
}

TEST(processes_that_a_stop_ends_are_not_reported)
{
    struct bench bench;
    bench_open(&bench, "(setsid sleep 1000 &); echo x > alive; exec sleep 1000\n");
    bench_make_pipe(&bench, "alive");
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    bench_await_byte(alive);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0);
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_STOPPED, 128 + SIGTERM);
    bench_check_output(&bench, "");
    close(alive);
    bench_close(&bench);
}

TEST(a_background_child_that_holds_the_pipe_does_not_hold_up_the_end)
{
    struct bench bench;
    bench_open(
        &bench,
        "(echo from the background; echo x > ready; exec sleep 1000) & read < ready; exit 4\n");
    bench_make_pipe(&bench, "ready");
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 4);
    bench_check_output(&bench, "from the background\n"
                               "[webhookd: ended 1 process that the vessel left running]\n");
    bench_close(&bench);
}

TEST(a_vessel_may_close_its_output_and_continue)
{
    struct bench bench;
    bench_open(&bench, "echo before; exec >&- 2>&-; read < go; exit 6\n");
    bench_make_pipe(&bench, "go");
    bench_start(&bench);
    bench_let_pass(&bench, "go");
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 6);
    bench_check_output(&bench, "before\n");
    bench_close(&bench);
}

/* ---- output ---- */

TEST(output_over_the_bound_is_cut_off_with_one_line)
{
    struct bench bench;
    bench_open(&bench, "printf 12345678; printf 9abc; seq 100000; exit 5\n");
    bench.job.max_output_bytes = 10;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 5);
    bench_check_output(&bench, "123456789a\n[webhookd: output cut at 10 bytes]\n");
    ck_assert_int_eq(bench.exit.output_bytes, 10);
    ck_assert(bench.exit.output_cut);
    bench_close(&bench);
}

TEST(the_cut_off_line_starts_no_second_line)
{
    struct bench bench;
    bench_open(&bench, "echo 123456789; echo more\n");
    bench.job.max_output_bytes = 10;
    bench_run(&bench);
    bench_check_output(&bench, "123456789\n[webhookd: output cut at 10 bytes]\n");
    bench_close(&bench);
}

TEST(output_of_exactly_the_bound_is_not_cut_off)
{
    struct bench bench;
    bench_open(&bench, "printf 123456789a\n");
    bench.job.max_output_bytes = 10;
    bench_run(&bench);
    bench_check_output(&bench, "123456789a");
    ck_assert(!bench.exit.output_cut);
    bench_close(&bench);
}

TEST(binary_output_arrives_byte_for_byte)
{
    struct bench bench;
    const size_t bytes = 300000;
    char *data = memory_alloc(bytes);
    uint32_t state = 1;
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
    bench_open(&bench, "cat " BENCH_ID ".webhook_body\n");
    bench.body = data;
    bench.body_bytes = bytes;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    ck_assert_uint_eq(bench.output.bytes, bytes);
    ck_assert_mem_eq(bench.output.data, data, bytes);
    ck_assert_int_eq(bench.exit.output_bytes, (int64_t)bytes);
    free(data);
    bench_close(&bench);
}

/* ---- a full disk ---- */

/* Mounts a small file system there, which disappears with this test's process. Returns false if
 * that is impossible here. */
static bool mount_small(const char *path)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0;
}

static int fill(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char page[4096] = {0};
    ck_assert_int_ge(fd, 0);
    while (write(fd, page, sizeof(page)) > 0)
        continue;
    return fd;
}

static void await_bytes(const char *path, size_t bytes)
{
    struct stat status;
    do {
        (void)sched_yield();
        ck_assert_int_eq(stat(path, &status), 0);
    } while (status.st_size < (off_t)bytes);
}

/* Waits until the process sleeps in the pause between two tries. */
static void await_pause(pid_t pid)
{
    char *path = memory_format("/proc/%ld/syscall", (long)pid);
    const int calls[] = {SYS_nanosleep,
                         SYS_clock_nanosleep}; /* the C library chooses one of them */
    for (;;) {
        struct error error = ERROR_INIT;
        struct buffer text = BUFFER_INIT;
        ck_assert_msg(file_read(AT_FDCWD, path, 4096, &text, &error) == 0, "%s", error.message);
        long call = strtol(buffer_text(&text), NULL, 10);
        bool pauses = call == calls[0] || call == calls[1];
        buffer_free(&text);
        if (pauses)
            break;
        (void)sched_yield();
    }
    free(path);
}

/* If resources (disk space, processes) are short before the start, the daemon starts the attempt
 * again; it does not do so for an attempt that has a result or has started. */
TEST(a_shortage_before_the_start_leaves_no_result)
{
    struct bench bench;
    int status;
    bench_open(&bench, "echo never\n");
    char *attempt = bench_below(&bench, "attempt"), *filler = bench_below(&bench, "attempt/filler");
    if (!mount_small(attempt)) {
        test_skip("mounting needs root");
    } else {
        bench_reopen(&bench);
        close(fill(filler));
        bench_start(&bench);
        ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == JOB_EXIT_SHORTAGE);
        struct error error = ERROR_INIT;
        ck_assert_int_eq(record_read_result(bench.record_fd, &bench.exit, &error), 0);
        ck_assert_int_eq(record_has_started(bench.record_fd), 0);
        ck_assert_int_eq(record_pid_read(bench.record_fd), 0);
        ck_assert_int_eq(umount2(attempt, MNT_DETACH), 0);
    }
    free(filler);
    free(attempt);
    bench_close(&bench);
}

TEST(a_full_disk_cuts_the_output_and_delays_the_record)
{
    struct bench bench;
    int fds[BENCH_FDS];
    bench_open(&bench, "echo early; echo x > ready; read < go; seq 100000; exit 9\n");
    bench_make_pipe(&bench, "ready");
    bench_make_pipe(&bench, "go");
    char *attempt = bench_below(&bench, "attempt"), *filler = bench_below(&bench, "attempt/filler");
    if (!mount_small(attempt)) {
        test_skip("mounting needs root");
    } else {
        bench_reopen(&bench);
        char *small_log = bench_below(&bench, "attempt/log"), *log = bench_below(&bench, "log");
        ck_assert_int_eq(symlink("attempt/log", log), 0);
        bench_make_fds(&bench, fds);
        bench_spawn_with(&bench, fds);
        bench_close_fds(fds);
        int ready = bench_await_writer(&bench, "ready");
        bench_await_byte(ready);
        await_bytes(small_log, strlen("early\n"));
        close(fill(filler));
        bench_let_pass(&bench, "go");
        await_pause(bench.pid);
        ck_assert_int_eq(record_lock_is_held(bench.record_fd), 1);
        ck_assert_int_eq(unlink(filler), 0);
        bench_wait(&bench);
        bench_check_result(&bench, ATTEMPT_EXITED, 9);
        ck_assert(bench.exit.output_cut);
        char *line =
            memory_format("[webhookd: output cut at %lld bytes: No space left on device]\n",
                          (long long)bench.exit.output_bytes);
        ck_assert_ptr_nonnull(strstr(buffer_text(&bench.output), line));
        ck_assert_int_eq(strncmp(buffer_text(&bench.output), "early\n1\n2\n", 10), 0);
        free(line);
        free(small_log);
        free(log);
        close(ready);
        ck_assert_int_eq(umount2(attempt, MNT_DETACH), 0);
    }
    free(filler);
    free(attempt);
    bench_close(&bench);
}
