/* webhookd-vessel: the vessel's files, environment and user, and what happens to the vessel when
 * its supervisor dies. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

enum { NOBODY = 65534 };

/* ---- files ---- */

TEST(headers_and_body_are_private_copies)
{
    struct bench bench;
    bench_open(&bench, "stat -c '%a %h' *.webhook_*; cat " BENCH_ID ".webhook_headers " BENCH_ID
                       ".webhook_body\n");
    bench.headers = "{\"A\":[\"b\"]}\n";
    bench.body = "the body\n";
    bench.body_bytes = 9;
    bench_run(&bench);
    bench_check_output(&bench, "600 1\n600 1\n{\"A\":[\"b\"]}\nthe body\n");
    bench_close(&bench);
}

TEST(an_empty_body_is_a_file_and_no_body_is_no_file)
{
    struct bench bench;
    bench_open(&bench, "ls -d *.webhook_* 2>&1 | tr '\\n' ' '; stat -c %s *.webhook_body\n");
    bench.body = "";
    bench_run(&bench);
    bench_check_output(&bench, BENCH_ID ".webhook_body 0\n");

    /* Without a body there is no file either if an earlier attempt left one. */
    bench_forget(&bench);
    bench_set_script(&bench, "echo *.webhook_*\n");
    bench.body = NULL;
    bench_run(&bench);
    bench_check_output(&bench, "*.webhook_*\n");
    bench_close(&bench);
}

static void check_file(const struct bench *bench, const char *name, const char *expected)
{
    struct error error = ERROR_INIT;
    struct buffer text = BUFFER_INIT;
    char *path = bench_below(bench, name);
    ck_assert_msg(file_read(AT_FDCWD, path, 1000, &text, &error) == 0, "%s", error.message);
    ck_assert_str_eq(buffer_text(&text), expected);
    buffer_free(&text);
    free(path);
}

static void write_file(const struct bench *bench, const char *name, const char *text)
{
    char *path = bench_below(bench, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
    free(path);
}

TEST(planted_links_lead_nowhere)
{
    struct bench bench;
    bench_open(&bench, "cat *.webhook_headers *.webhook_body; find " BENCH_ID ".files -type l\n");
    bench.headers = "headers\n";
    bench.body = "body\n";
    bench.body_bytes = 5;
    char *target = bench_below(&bench, "precious"), *outside = bench_below(&bench, "outside");
    write_file(&bench, "precious", "precious");
    bench_make_folder(outside);
    ck_assert_int_eq(symlinkat(target, bench.workdir_fd, BENCH_ID ".webhook_headers"), 0);
    ck_assert_int_eq(linkat(AT_FDCWD, target, bench.workdir_fd, BENCH_ID ".webhook_body", 0), 0);
    ck_assert_int_eq(symlinkat(outside, bench.workdir_fd, BENCH_ID ".files"), 0);
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    bench_check_output(&bench, "headers\nbody\n");
    check_file(&bench, "precious", "precious");
    ck_assert_int_eq(rmdir(outside), 0); /* still empty */
    free(outside);
    free(target);
    bench_close(&bench);
}

TEST(planted_folders_and_modules_are_removed)
{
    struct bench bench;
    bench_open(&bench, "cat *.webhook_body; cd " BENCH_ID ".files; find . | sort | tr '\\n' ' '\n");
    static char file[] = "a/main.sh";
    bench.job.file_name = bench.job.file_to_run = file;
    bench.body = "body\n";
    bench.body_bytes = 5;
    static const char *const folders[] = {BENCH_ID ".webhook_body", BENCH_ID ".webhook_body/x",
                                          BENCH_ID ".files", BENCH_ID ".files/a",
                                          BENCH_ID ".files/a/main.sh"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        ck_assert_int_eq(mkdirat(bench.workdir_fd, folders[i], 0700), 0);
    write_file(&bench, "runs/r/" BENCH_ID ".files/json.py", "evil");
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    bench_check_output(&bench, "body\n. ./a ./a/main.sh ");
    bench_close(&bench);
}

TEST(files_that_cannot_be_written_prevent_the_start)
{
    struct bench bench;
    bench_open(&bench, "echo never\n");
    ck_assert_int_eq(rmdir(bench.workdir), 0); /* its descriptor now refers to a removed folder */
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
    ck_assert_str_eq(bench.exit.reason,
                     "cannot place the vessel's files: cannot create the folder \"" BENCH_ID
                     ".files\": No such file or directory");
    ck_assert_int_eq(record_has_started(bench.record_fd), 0);
    bench_close(&bench);
}

/* ---- what a vessel inherits ---- */

TEST(the_environment_is_exactly_that_of_the_job)
{
    struct bench bench;
    bench_open(&bench, "");
    char *environment[] = {(char[]){"PATH=" BENCH_PATH}, (char[]){"A=1 2=3"}, (char[]){"B="}};
    static char cat[] = "cat", self[] = "main.sh";
    char *arguments[] = {(char[]){"/proc/self/environ"}};
    bench.job.environment = environment;
    bench.job.environment_count = 3;
    bench.job.interpreter = cat; /* unlike a shell, cat adds no variables */
    bench.job.file_to_run = self;
    bench.job.arguments = arguments;
    bench.job.argument_count = 1;
    bench_run(&bench);
    static const char expected[] = "PATH=" BENCH_PATH "\0A=1 2=3\0B=";
    ck_assert_uint_eq(bench.output.bytes, sizeof(expected));
    ck_assert_mem_eq(bench.output.data, expected, sizeof(expected));
    bench_close(&bench);
}

TEST(only_three_descriptors_and_no_signal_settings_are_inherited)
{
    struct bench bench;
    /* posix_spawn also sets aside two signals beyond the 31 ordinary ones; they are libc's own. */
    bench_open(&bench, "for f in /proc/$$/fd/*; do n=${f##*/}\n"
                       "[ -e $f ] && [ $n != 255 ] && echo -n \"$n \"; done\n"
                       "readlink /proc/$$/fd/0\n"
                       "grep -E '^Sig(Blk|Ign)' /proc/self/status | while read k v; do\n"
                       "echo $k $((0x$v & 0x7fffffff)); done\n"
                       "[ $(ps -o sid= -p $$) = $$ ] && echo own session\n");
    bench.headers = bench.body = "x";
    bench.body_bytes = 1;
    bench_run(&bench);
    bench_check_output(&bench, "0 1 2 /dev/null\nSigBlk: 0\nSigIgn: 0\nown session\n");
    bench_close(&bench);
}

/* ---- another user ---- */

TEST(another_user_owns_its_files_and_sees_no_state_folder)
{
    struct bench bench;
    if (geteuid() != 0) {
        test_skip("changing the user needs root");
        return;
    }
    bench_open(&bench, "id -u; id -g; id -G; pwd -P; cat ../../precious 2>&1 | tail -c 26\n"
                       "touch ../new 2>/dev/null || echo not writable; touch mine\n"
                       "stat -c '%u:%g %a' . mine *.webhook_body *.files *.files/main.sh\n"
                       "grep CapEff /proc/self/status\n");
    static char user[] = "nobody";
    uint32_t groups[] = {NOBODY, 7};
    write_file(&bench, "precious", "precious");
    bench.job.change_user = true;
    bench.job.uid = bench.job.gid = NOBODY;
    bench.job.groups = groups;
    bench.job.group_count = 2;
    bench.job.user = user;
    bench.job.hidden_dir = bench.path;
    bench.body = "x";
    bench.body_bytes = 1;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    char *expected = memory_format(
        "65534\n65534\n65534 7\n%s\nNo such file or directory\nnot writable\n"
        "65534:65534 700\n65534:65534 644\n65534:65534 600\n65534:65534 700\n65534:65534 700\n"
        "CapEff:\t0000000000000000\n",
        bench.workdir);
    bench_check_output(&bench, expected);
    free(expected);
    char *precious = bench_below(&bench, "precious"); /* only the vessel had these mounts */
    ck_assert_int_eq(access(precious, R_OK), 0);
    free(precious);
    bench_close(&bench);
}

TEST(a_folder_of_modules_is_linked_beside_the_script)
{
    static char modules[] = "/var/cache/webhookd/0/node_modules";
    struct bench bench;
    bench_open(&bench,
               "readlink \"$(dirname \"$0\")/node_modules\"; ls -A \"$(dirname \"$0\")\"\n");
    bench.job.modules_dir = modules;
    bench_run(&bench);
    bench_check_output(&bench, "/var/cache/webhookd/0/node_modules\nmain.sh\nnode_modules\n");
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    bench_close(&bench);
}

TEST(a_user_that_cannot_be_assumed_prevents_the_start)
{
    struct bench bench;
    if (geteuid() != 0) {
        test_skip("dropping privileges needs root");
        return;
    }
    bench_open(&bench, "echo never\n");
    static char user[] = "deploy";
    bench.job.change_user = true;
    bench.job.uid = bench.job.gid = 1;
    bench.job.user = user;
    ck_assert_int_eq(chown(bench.path, NOBODY, NOBODY), 0);
    static const char *const mine[] = {"attempt", "attempt/r.1", "runs", "runs/r"};
    for (size_t i = 0; i < ARRAY_COUNT(mine); i++) {
        char *path = bench_below(&bench, mine[i]);
        ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
        free(path);
    }
    int fds[BENCH_FDS];
    ck_assert_int_eq(seteuid(NOBODY), 0);
    bench_make_fds(&bench, fds);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
    char *supervisor = bench_supervisor_path();
    if (access(supervisor, X_OK) != 0) {
        test_skip("the supervisor is in a folder that only root may enter");
    } else {
        bench_spawn_with(&bench, fds);
        bench_close_fds(fds);
        bench_wait(&bench);
        bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
        ck_assert_ptr_nonnull(
            strstr(bench.exit.reason, "user \"deploy\": Operation not permitted"));
        ck_assert_int_eq(record_has_started(bench.record_fd), 0);
    }
    free(supervisor);
    bench_close(&bench);
}

/* ---- the supervisor dies ---- */

TEST(the_vessel_dies_with_its_supervisor_and_the_lock_is_free)
{
    struct bench bench;
    bench_open(&bench, "exec 9> alive; echo x >&9; while :; do read < never; done\n");
    bench_make_pipe(&bench, "alive");
    bench_make_pipe(&bench, "never");
    if (geteuid() == 0) { /* the kernel forgets the death signal when the user changes */
        bench.job.change_user = true;
        bench.job.uid = bench.job.gid = NOBODY;
        ck_assert_int_eq(chmod(bench.path, 0755), 0);
        char *runs = bench_below(&bench, "runs");
        ck_assert_int_eq(chmod(runs, 0755), 0);
        free(runs);
        static const char *const pipes[] = {"alive", "never"};
        for (size_t i = 0; i < ARRAY_COUNT(pipes); i++)
            ck_assert_int_eq(fchownat(bench.workdir_fd, pipes[i], NOBODY, NOBODY, 0), 0);
    }
    bench_start(&bench);
    int alive = bench_await_writer(&bench, "alive");
    bench_await_byte(alive);
    ck_assert_int_eq(record_lock_is_held(bench.record_fd), 1);
    ck_assert_int_eq(kill(bench.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(bench.pid, NULL, 0), bench.pid);
    ck_assert_int_eq(record_lock_is_held(bench.record_fd),
                     0); /* the interpreter holds no copy of the lock */
    bench_await_no_writer(alive);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(record_read_result(bench.record_fd, &bench.exit, &error), 0);
    ck_assert_int_eq(record_has_started(bench.record_fd), 1);
    close(alive);
    bench_close(&bench);
}

/* Starts the supervisor under a tracer that is notified of its forks. */
static pid_t spawn_traced(const struct bench *bench)
{
    int fds[BENCH_FDS];
    bench_make_fds(bench, fds);
    char *path = bench_supervisor_path();
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {path, NULL}, *environment[] = {NULL};
        for (int i = JOB_FD_JOB; i < BENCH_FDS; i++)
            if (fds[i] < 0 || dup2(fds[i], i) < 0)
                close(i);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            execve(path, argv, environment);
        _exit(1);
    }
    bench_close_fds(fds);
    free(path);
    return pid;
}

TEST(a_supervisor_killed_before_it_releases_its_child_leaves_no_started)
{
    struct bench bench;
    int status;
    bench_open(&bench, "echo never\n");
    bench.pid = spawn_traced(&bench);
    ck_assert_int_gt(bench.pid, 0);
    ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid); /* stopped at its exec */
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, bench.pid, NULL, PTRACE_O_TRACEFORK), 0);
    ck_assert_int_eq(ptrace(PTRACE_CONT, bench.pid, NULL, 0L), 0);
    ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid);
    ck_assert_int_eq(status >> 8, SIGTRAP | (PTRACE_EVENT_FORK << 8));
    unsigned long child = 0;
    ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, bench.pid, NULL, &child), 0);
    /* The child is stopped right after the fork. */
    ck_assert_int_eq(waitpid((pid_t)child, &status, __WALL), (pid_t)child);
    ck_assert_int_eq(record_pid_read(bench.record_fd), bench.pid);
    ck_assert_int_eq(kill(bench.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid);
    ck_assert(WIFSIGNALED(status));
    /* The child still holds the lock: it has not noticed yet. */
    ck_assert_int_eq(record_lock_is_held(bench.record_fd), 1);
    ck_assert_int_eq(ptrace(PTRACE_CONT, (pid_t)child, NULL, 0L), 0);
    ck_assert_int_eq(waitpid((pid_t)child, &status, __WALL), (pid_t)child);
    ck_assert(WIFEXITED(status) || WIFSIGNALED(status));
    ck_assert_int_eq(record_lock_is_held(bench.record_fd), 0);
    ck_assert_int_eq(record_has_started(bench.record_fd), 0);
    bench_close(&bench);
}
