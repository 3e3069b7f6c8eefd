/* Strict mode as the supervisor implements it: what a vessel sees, and each door that is closed. If
 * a door would be open without the sandbox, the same script also runs in off mode, where it gets
 * through. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "supervisor/allow_list.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

#define MIB ((int64_t)1024 * 1024)

static int open_secret(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_eq(file_write_all(fd, "secret\n", 7), 0);
    return fd;
}

static char home[] = SANDBOX_HOME;

static void isolate(struct bench *bench)
{
    static char user[] = "nobody";
    bench->job.is_strict = true;
    bench->job.network = true;
    bench->job.workdir = home;
    bench->job.max_memory_bytes = 256 * MIB;
    bench->job.max_processes = 64;
    bench->job.max_open_files = 256;
    if (geteuid() == 0) {
        bench->job.change_user = true;
        bench->job.uid = bench->job.gid = 65534;
        bench->job.user = user;
    }
}

/* Runs the script in strict mode and expects this output and exit code. */
static void check_strict(const char *script, const char *output, int exit_code)
{
    struct bench bench;
    bench_open(&bench, script);
    isolate(&bench);
    bench_run(&bench);
    bench_check_output(&bench, output);
    bench_check_result(&bench, ATTEMPT_EXITED, exit_code);
    bench_close(&bench);
}

TEST(a_vessel_runs_in_its_working_folder)
{
    check_strict("pwd; ls -A | sed 's/^[^.]*\\.//'; touch here && exit 3",
                 "/home/shipyard\nfiles\n", 3);
}

TEST(the_working_folder_appears_where_the_job_says)
{
    static char elsewhere[] = "/var/cache/webhookd/0";
    struct bench bench;
    bench_open(&bench,
               "pwd; touch here && ls /var/cache/webhookd; test ! -e " SANDBOX_HOME " && exit 3");
    isolate(&bench);
    bench.job.workdir = elsewhere;
    bench_run(&bench);
    bench_check_output(&bench, "/var/cache/webhookd/0\n0\n");
    bench_check_result(&bench, ATTEMPT_EXITED, 3);
    char *here = bench_below(&bench, "runs/r/here");
    ck_assert_int_eq(access(here, F_OK), 0);
    free(here);
    bench_close(&bench);
}

TEST(nothing_but_the_allow_list_exists)
{
    check_strict(
        "ls -A / | grep -vE '^(bin|sbin|lib.*|opt)$' | xargs; ls -A /dev | xargs\n"
        "ls -A /home /tmp /var /var/tmp /run /dev/shm | xargs\n"
        "for path in /x /usr/x /etc/x; do touch $path 2>/dev/null || echo refused; done\n"
        "touch /tmp/x /var/tmp/x /dev/shm/x ./x && grep -c : /etc/passwd >/dev/null && id -u",
        "dev etc home proc run tmp usr var\n"
        "fd full null ptmx pts random shm stderr stdin stdout urandom zero\n"
        "/dev/shm: /home: shipyard /run: /tmp: /var: run tmp /var/tmp:\n"
        "refused\nrefused\nrefused\n65534\n",
        0);
}

/* Whether mounted or copied, files have the same content inside as outside. */
TEST(files_in_the_sandbox_equal_those_outside)
{
    static const char script[] =
        "for file in /bin/sh /etc/hosts /etc/services /etc/ld.so.cache; do\n"
        "[ ! -e $file ] || sha256sum $file; done\n"
        "[ ! -e /etc/ssl/certs ] || ls /etc/ssl/certs | sha256sum; readlink -f /etc/localtime; "
        "true\n";
    struct bench off;
    bench_open(&off, script);
    bench_run(&off);
    bench_check_result(&off, ATTEMPT_EXITED, 0);
    check_strict(script, buffer_text(&off.output), 0);
    bench_close(&off);
}

/* ---- the vessel's user ---- */

TEST(the_vessels_user_has_the_name_and_the_home_of_its_variables)
{
    check_strict(
        "whoami; id -un; id -gn; getent passwd \"$(id -u)\" | cut -d: -f1,6; echo ~shipyard\n"
        "perl -e '@user = getpwuid($<); print \"@user[0, 7]\\n\"'\n",
        "shipyard\nshipyard\nshipyard\nshipyard:/home/shipyard\n/home/shipyard\n"
        "shipyard /home/shipyard\n",
        0);
}

TEST(ssh_looks_for_keys_in_the_working_folder)
{
    if (system("command -v ssh-keygen >/dev/null") == 0)
        check_strict("HOME=/elsewhere ssh-keygen -l </dev/null 2>&1 | grep -o '(/.*/\\.ssh/'\n",
                     "(/home/shipyard/.ssh/\n", 0);
    else
        test_skip("ssh is not installed");
}

/* The machine's users and groups keep their names. */
TEST(the_machines_users_follow_the_vessels_own)
{
    static const char outside[] = "cat /etc/passwd /etc/group\n",
                      inside[] = "tail -qn +2 /etc/passwd /etc/group\n";
    struct bench off;
    bench_open(&off, outside);
    bench_run(&off);
    check_strict(inside, buffer_text(&off.output), 0);
    bench_close(&off);
}

TEST(files_below_var_run_are_those_below_run)
{
    check_strict("echo pid >/var/run/file; cat /run/file; readlink /var/run\n", "pid\n/run\n", 0);
}

/* Where the configuration names /var/run, it is the machine's. */
TEST(the_machines_var_run_can_be_shown)
{
    static char path[] = "/var/run", *readable[] = {path};
    struct bench bench;
    bench_open(&bench, "[ -L /var/run ] || grep -c ' /var/run ' /proc/mounts\n");
    isolate(&bench);
    bench.job.readable = readable;
    bench.job.readable_count = 1;
    bench_run(&bench);
    bench_check_output(&bench, "1\n");
    bench_close(&bench);
}

/* ---- doors ---- */

/* Prints a line for each door that opens. SECRET names a file in the place of the state folder. */
static const char doors[] =
    "cat \"$SECRET\" && echo file\n"
    "[ -d /proc/$SUPERVISOR ] && echo process\n"
    "kill -0 $SUPERVISOR && echo signal\n"
    "unshare --user true && echo namespace\n"
    "unshare --user --map-root-user --mount mount -t tmpfs none /tmp && echo mount\n"
    "grep -q '^NoNewPrivs:\t0' /proc/self/status && echo privileges\n"
    "grep '^CapBnd:' /proc/self/status | grep -q '[1-9a-f]$' && echo capabilities\n";

static void check_doors(bool is_strict, const char *opened)
{
    struct bench bench;
    bench_open(&bench, "true");
    char *secret = bench_below(&bench, "secret");
    int fd = open_secret(secret);
    close(fd);
    char *script = memory_format("exec 2>/dev/null\nSECRET=%s SUPERVISOR=%d\n%s", secret,
                                 (int)getpid(), doors);
    bench_set_script(&bench, script);
    if (is_strict)
        isolate(&bench);
    bench_run(&bench);
    bench_check_output(&bench, opened);
    free(script);
    free(secret);
    bench_close(&bench);
}

TEST(doors_are_closed_by_the_sandbox_and_open_without_it)
{
    check_doors(true, "");
    check_doors(false,
                "secret\nfile\nprocess\nsignal\nnamespace\nmount\nprivileges\ncapabilities\n");
}

/* Makes the vessel run as nobody, outside of the sandbox too, so that only rights that everybody
 * has count. */
static void become_nobody(struct bench *bench)
{
    static char user[] = "nobody";
    bench->job.change_user = true;
    bench->job.uid = bench->job.gid = 65534;
    bench->job.user = user;
    ck_assert_int_eq(chmod(bench->path, 0755), 0);
    char *runs = bench_below(bench, "runs");
    ck_assert_int_eq(chmod(runs, 0755), 0);
    free(runs);
}

/* Runs a setuid-root program from a folder that vessels may see. */
static void check_setuid(bool is_strict, const char *id)
{
    struct bench bench;
    bench_open(&bench, "true");
    become_nobody(&bench);
    char *folder = bench_below(&bench, "shown"), *program = bench_below(&bench, "shown/id");
    bench_make_folder(folder);
    char *copy = memory_format("cp \"$(command -v id)\" %s && chmod 4755 %s && chmod 0755 %s",
                               program, program, folder);
    ck_assert_int_eq(system(copy), 0);
    char *script = memory_format("%s -u", program);
    bench_set_script(&bench, script);
    if (is_strict)
        isolate(&bench);
    bench.job.readable = &folder;
    bench.job.readable_count = 1;
    bench_run(&bench);
    bench_check_output(&bench, id);
    free(script);
    free(copy);
    free(program);
    free(folder);
    bench_close(&bench);
}

TEST(a_setuid_program_gives_no_vessel_root)
{
    struct statvfs status;
    const char *base = getenv("TMPDIR");
    if (geteuid() != 0 || statvfs(base ? base : "/tmp", &status) != 0 ||
        (status.f_flag & ST_NOSUID) != 0) {
        test_skip("creating a setuid program needs root and a folder that allows it");
        return;
    }
    check_setuid(true, "65534\n");
    check_setuid(false, "0\n");
}

/* A library left by an upstream vessel and named in the environment of the fleet file. The
 * interpreter loads it; nothing that runs before or outside of the sandbox does. */
static void check_preload(bool is_strict, const char *output)
{
    struct bench bench;
    const char *build = getenv("BUILD");
    bench_open(&bench, "echo script");
    char *secret = bench_below(&bench, "secret"), *library = bench_below(&bench, "runs/r/door.so");
    close(open_secret(secret));
    char *copy = memory_format("cp %s/tests/fault/preload_door.so %s && chmod 0755 %s",
                               build ? build : "build", library, library);
    ck_assert_int_eq(system(copy), 0);
    if (is_strict)
        isolate(&bench);
    char *environment[] = {
        memory_format("PATH=%s", BENCH_PATH), memory_format("SECRET=%s", secret),
        memory_format("LD_PRELOAD=%s/door.so", is_strict ? SANDBOX_HOME : bench.workdir)};
    bench.job.environment = environment;
    bench.job.environment_count = ARRAY_COUNT(environment);
    bench_run(&bench);
    bench_check_output(&bench, output);
    for (size_t i = 0; i < ARRAY_COUNT(environment); i++)
        free(environment[i]);
    free(copy);
    free(library);
    free(secret);
    bench_close(&bench);
}

TEST(a_preloaded_library_stays_in_the_sandbox)
{
    check_preload(true, "loaded\nscript\n");
    check_preload(false, "loaded\nsecret\nscript\n");
}

/* Plants links under the names of a vessel's own files, and one through which the vessel itself
 * writes. */
static void check_links(bool is_strict, const char *left)
{
    struct bench bench;
    bench_open(&bench,
               "[ ! -h \"$0\" ] && [ -f *.webhook_body -a ! -h *.webhook_body ] && echo own\n"
               "echo overwritten 2>/dev/null >./victim");
    char *victim = bench_below(&bench, "victim"), *folder = bench_below(&bench, "elsewhere");
    close(open_secret(victim));
    bench_make_folder(folder);
    ck_assert_int_eq(chmod(victim, 0666) | chmod(folder, 0777), 0);
    ck_assert_int_eq(symlinkat(victim, bench.workdir_fd, BENCH_ID ".webhook_body"), 0);
    ck_assert_int_eq(symlinkat(folder, bench.workdir_fd, BENCH_ID ".files"), 0);
    ck_assert_int_eq(symlinkat(victim, bench.workdir_fd, "victim"), 0);
    if (is_strict)
        isolate(&bench);
    bench.body = "body";
    bench.body_bytes = 4;
    bench_run(&bench);
    ck_assert_ptr_nonnull(strstr(buffer_text(&bench.output), "own\n"));
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_read(AT_FDCWD, victim, 100, &text, &error), 0);
    ck_assert_str_eq(buffer_text(&text), left);
    ck_assert_msg(rmdir(folder) == 0, "a file was written through a link");
    buffer_free(&text);
    free(folder);
    free(victim);
    bench_close(&bench);
}

TEST(planted_links_lead_nowhere)
{
    check_links(true, "secret\n");
    check_links(false, "overwritten\n");
}

TEST(mounts_tracing_and_pid_1_are_out_of_reach)
{
    check_strict(
        "exec 2>/dev/null\n"
        "mount -t tmpfs x /tmp && echo mounted\n"
        "umount /proc && echo unmounted\n"
        "ls /proc/1/fd && echo descriptors\n"
        "cat /proc/1/environ /proc/1/mem && echo memory\n"
        "ls /proc/1/root && echo root\n"
        "kill -9 1; echo still; ls -d /proc/[0-9]* | wc -l | grep -qE '^[2-5]$' && echo few\n"
        "su -c true root </dev/null && echo root\n"
        "ls /proc/self/fd | xargs",
        "still\nfew\n0 1 2 3\n", 0);
}

TEST(nothing_is_left_after_a_vessel_ends)
{
    struct bench bench;
    bench_open(&bench,
               "setsid bash -c 'trap \"\" TERM HUP; exec 3<>./life; echo >./ready; sleep 100' "
               ">/dev/null 2>&1 &\ncat ./ready >/dev/null; exit 5");
    isolate(&bench);
    bench_make_pipe(&bench, "life");
    bench_make_pipe(&bench, "ready");
    bench_start(&bench);
    int life = bench_await_writer(&bench, "life");
    bench_wait(&bench);
    bench_check_result(&bench, ATTEMPT_EXITED, 5);
    bench_await_no_writer(life);
    close(life);
    bench_close(&bench);
}

/* The one that was killed is a zombie when the main process ends. */
TEST(processes_that_pid_1_ends_are_reported_and_those_that_have_ended_are_not)
{
    check_strict("setsid nohup sleep 1000 & nohup sleep 1000 & (sleep 1000 &)\necho -n started",
                 "started\n[webhookd: ended 3 processes that the vessel left running]\n", 0);
    check_strict(
        "exec python3 -c 'import os; pid = os.posix_spawnp(\"sleep\", [\"sleep\", \"99\"], {}); "
        "os.kill(pid, 9); os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT); os._exit(0)'",
        "", 0);
}

/* Sends pid 1 a SIGTERM that claims to come from outside, as a stop does. kill(2) would show its
 * sender; rt_sigqueueinfo(2) lets the sender choose si_pid. Prints 0 if the kernel accepted it. */
static const char forgery[] =
    "setsid bash -c 'trap \"\" TERM HUP; exec 3<>./life; echo >./ready; sleep 1000' "
    ">/dev/null 2>&1 &\ncat ./ready >/dev/null\n"
    "python3 - <<'END'\n"
    "import ctypes, struct\n"
    "SI_QUEUE = -1\n"
    "info = struct.pack('iiiiiI', 15, 0, SI_QUEUE, 0, 0, 0).ljust(128, b'\\0')\n"
    "print(ctypes.CDLL(None).syscall(%d, 1, 15, info))\n"
    "END\n"
    "exit 5\n";

TEST(a_forged_stop_does_not_make_pid_1_wait_for_leftovers)
{
    struct bench bench;
    char *script = memory_format(forgery, (int)SYS_rt_sigqueueinfo);
    bench_open(&bench, script);
    isolate(&bench);
    bench.job.cutoff_ms = 60000; /* would end the attempt if pid 1 waited */
    bench.job.stop_grace_ms = 0;
    bench_make_pipe(&bench, "life");
    bench_make_pipe(&bench, "ready");
    bench_start(&bench);
    int life = bench_await_writer(&bench, "life");
    bench_wait(&bench);
    bench_check_output(&bench, "0\n[webhookd: ended 1 process that the vessel left running]\n");
    bench_check_result(&bench, ATTEMPT_EXITED, 5);
    bench_await_no_writer(life);
    close(life);
    bench_close(&bench);
    free(script);
}

/* ---- bounds ---- */

TEST(memory_processes_and_files_are_bounded)
{
    check_strict(
        "exec 2>/dev/null\n"
        "python3 -c 'x = bytearray(1 << 30)' || echo memory\n"
        "python3 -c 'x = bytearray(100 << 20); print(\"enough\")'\n"
        "python3 -c 'f = [open(\"/dev/null\") for _ in range(300)]' || echo files\n"
        "head -c 300M /dev/zero >/tmp/x || echo scratch\n"
        "rm /tmp/x; n=0; (for i in $(seq 100); do sleep 5 & n=$i; done; wait) || echo processes\n"
        "kill -9 -1; until ls -d /proc/[0-9]* | wc -l | grep -qE '^[2-5]$'; do :; done\n"
        "ulimit -u; ulimit -n; ulimit -c",
        "memory\nenough\nfiles\nscratch\nprocesses\n65\n256\n0\n", 0);
}

TEST(readable_and_writable_paths_are_visible)
{
    struct bench bench;
    bench_open(&bench,
               "cat $PLACE/readable/file; (echo x >$PLACE/readable/new) 2>/dev/null || echo "
               "refused; echo x >$PLACE/writable/new && ls $PLACE");
    isolate(&bench);
    char place[] = "/tmp/webhookd-test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(place));
    char *script = memory_format("PLACE=%s\n%s", place, bench.job.file_content);
    bench_set_script(&bench, script);
    char *readable = memory_format("%s/readable", place),
         *writable = memory_format("%s/writable", place);
    char *file = memory_format("%s/file", readable), *hidden = memory_format("%s/hidden", place);
    bench_make_folder(readable);
    bench_make_folder(writable);
    bench_make_folder(hidden);
    close(open_secret(file));
    ck_assert_int_eq(chmod(place, 0755) | chmod(readable, 0755) | chmod(writable, 0777), 0);
    bench.job.readable = &readable;
    bench.job.writable = &writable;
    bench.job.readable_count = bench.job.writable_count = 1;
    bench_run(&bench);
    bench_check_output(&bench, "secret\nrefused\nreadable\nwritable\n");
    char *made = memory_format("%s/new", writable);
    ck_assert_int_eq(access(made, F_OK), 0);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, place, &error), 0);
    char *freed[] = {made, hidden, file, writable, readable, script};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    bench_close(&bench);
}

/* Makes the kernel answer openat2 as it does under systemd's RestrictSUIDSGID=. */
static void refuse_openat2(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_COUNT(filter), .filter = filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ck_assert(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) < 0 && errno == ENOSYS);
}

/* Returns the text with the place instead of "@". Free it. */
static char *put_place(const char *text, const char *place)
{
    const char *at = strchr(text, '@');
    return at ? memory_format("%.*s%s%s", (int)(at - text), text, place, at + 1)
              : memory_string(text);
}

/* A folder with links of every kind, and what strict mode shows of it. */
static void check_shown_links(void)
{
    static const struct {
        const char *target, *output; /* NULL: the vessel is not started */
    } links[] = {
        {"real", "secret\n"},
        {"./a/../real/.", "secret\n"},
        {"../../../../../../..@/real", "secret\n"}, /* ends at the root, like the kernel's own */
        {"@/first", "secret\n"},                    /* a link to a link */
        {"@/loop", NULL},
        {"@/absent", NULL},
        {"@/real/file/below", NULL},
        {"/proc/self/root", NULL}, /* magic */
        {"/proc/self/cwd", NULL},
        {"/proc/self/fd/4", NULL},
    };
    struct error error = ERROR_INIT;
    char place[] = "/tmp/webhookd-test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(place));
    char *make = memory_format("cd %s && chmod 755 . && mkdir real a && echo secret >real/file && "
                               "chmod -R a+rX . && ln -s loop loop && ln -s %s/real first",
                               place, place);
    ck_assert_int_eq(system(make), 0);
    free(make);
    char *link = memory_format("%s/link", place);
    char *script = memory_format("cat %s/file\n", link);
    for (size_t i = 0; i < ARRAY_COUNT(links); i++) {
        struct bench bench;
        bench_open(&bench, script);
        isolate(&bench);
        char *target = put_place(links[i].target, place);
        ck_assert_int_eq(symlink(target, link), 0);
        bench.job.readable = &link;
        bench.job.readable_count = 1;
        bench_run(&bench);
        if (links[i].output)
            bench_check_output(&bench, links[i].output);
        else
            ck_assert_msg(bench.exit.ending == ATTEMPT_NOT_STARTED &&
                              strstr(bench.exit.reason, "cannot show"),
                          "%s: %s", target, bench.exit.reason);
        ck_assert_int_eq(unlink(link), 0);
        free(target);
        bench_close(&bench);
    }
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, place, &error), 0);
    free(script);
    free(link);
}

TEST(links_to_what_vessels_may_see_lead_there_and_nowhere_else)
{
    check_shown_links();
}

TEST(links_lead_to_the_same_places_where_openat2_is_refused)
{
    refuse_openat2();
    check_shown_links();
    check_strict("pwd; cat /etc/hostname >/dev/null && readlink -e /bin/sh >/dev/null && id -u",
                 "/home/shipyard\n65534\n", 0);
}

TEST(a_path_that_cannot_be_shown_prevents_the_start)
{
    struct bench bench;
    char *missing[] = {(char[]){"/nowhere/at/all"}};
    bench_open(&bench, "true");
    isolate(&bench);
    bench.job.readable = missing;
    bench.job.readable_count = 1;
    bench_run(&bench);
    bench_check_result(&bench, ATTEMPT_NOT_STARTED, 127);
    ck_assert_msg(strstr(bench.exit.reason, "cannot show \"/nowhere/at/all\""), "%s",
                  bench.exit.reason);
    bench_close(&bench);
}

TEST(without_network_there_is_only_a_loopback_device)
{
    struct bench bench;
    bench_open(&bench, "tail -n +3 /proc/net/dev | cut -d: -f1 | xargs; python3 -c '\n"
                       "import socket\ns = socket.create_server((\"127.0.0.1\", 0))\n"
                       "socket.create_connection(s.getsockname())\nprint(\"connected\")'");
    isolate(&bench);
    bench.job.network = false;
    bench_run(&bench);
    bench_check_output(&bench, "lo\nconnected\n");
    bench_close(&bench);
}

/* ---- the end of a vessel ---- */

TEST(death_by_a_signal_shows_as_128_plus_its_number)
{
    check_strict("kill -9 $$", "", 128 + 9);
}

/* Most of the children get their signal after their parent has ended. */
TEST(a_stop_reaches_every_process_and_waits_for_it)
{
    enum { CHILDREN = 24 };
    struct bench bench;
    struct buffer expected = BUFFER_INIT;
    bench_open(&bench, "idle() { exec 4<>./never; while :; do read -r -t 0.05 -u 4; done; }\n"
                       "trap 'echo main; exit 0' TERM\n"
                       "exec 5>./ready\n"
                       "for _ in {1..24}; do\n"
                       "  (trap 'sleep 0.2; echo child; exit' TERM; echo >&5; idle) &\n"
                       "done\n"
                       "idle");
    isolate(&bench);
    bench_make_pipe(&bench, "never");
    bench_make_pipe(&bench, "ready");
    bench_start(&bench);
    int ready = bench_await_writer(&bench, "ready");
    for (int i = 0; i < CHILDREN; i++)
        bench_await_byte(ready);
    ck_assert_int_eq(kill(bench.pid, SIGTERM), 0);
    bench_wait(&bench);
    (void)buffer_append_text(&expected, "main\n");
    for (int i = 0; i < CHILDREN; i++)
        (void)buffer_append_text(&expected, "child\n");
    bench_check_output(&bench, buffer_text(&expected));
    close(ready);
    buffer_free(&expected);
    bench_check_result(&bench, ATTEMPT_STOPPED, 0);
    bench_close(&bench);
}

/* Kills the supervisor of a vessel that has started a process in a session of its own, and checks
 * which processes survive. */
static void check_left_behind(bool is_strict)
{
    struct bench bench;
    bench_open(&bench,
               "setsid bash -c 'trap \"\" TERM HUP; exec 3<>./life; echo $$ >./ready; sleep 100' "
               ">/dev/null 2>&1 &\nwait");
    if (is_strict)
        isolate(&bench);
    bench_make_pipe(&bench, "life");
    bench_make_pipe(&bench, "ready");
    bench_start(&bench);
    int life = bench_await_writer(&bench, "life"), ready = bench_await_writer(&bench, "ready");
    char number[16] = "";
    ck_assert_int_gt(read(ready, number, sizeof(number) - 1), 0);
    ck_assert_int_eq(kill(bench.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(bench.pid, NULL, 0), bench.pid);
    if (!is_strict) { /* it survives, so the test ends it */
        pid_t left = (pid_t)strtol(number, NULL, 10);
        ck_assert_int_gt(left, 1);
        ck_assert(!bench_has_no_writer(life));
        ck_assert_int_eq(kill(-left, SIGKILL), 0);
    }
    bench_await_no_writer(life);
    close(ready);
    close(life);
    bench_close(&bench);
}

TEST(a_killed_supervisor_leaves_no_process_behind)
{
    check_left_behind(true);
    check_left_behind(false);
}

TEST(a_vessel_dies_with_its_supervisor)
{
    struct bench bench;
    int status;
    bench_open(&bench, "exec 3>./life; echo >&3; trap '' TERM HUP; while :; do sleep 1; done");
    isolate(&bench);
    bench_make_pipe(&bench, "life");
    bench_start(&bench);
    int life = bench_await_writer(&bench, "life");
    bench_await_byte(life);
    ck_assert_int_eq(record_lock_is_held(bench.record_fd), 1);
    ck_assert_int_eq(kill(bench.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(bench.pid, &status, 0), bench.pid);
    bench_await_no_writer(life);
    ck_assert_int_eq(record_has_started(bench.record_fd), 1);
    close(life);
    bench_close(&bench);
}
