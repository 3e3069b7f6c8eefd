/* No vessel gets at the keys of whoever started webhookd, or at those of an earlier vessel; and a
 * shortage of room for keyrings only delays attempts. Strict mode refuses all calls about keys:
 * test_hostile.c. */
#include "base/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

static long keyctl(int operation, long second, long third, long fourth)
{
    return syscall(SYS_keyctl, operation, second, third, fourth, 0);
}

static long add_key(const char *name, long keyring)
{
    return syscall(SYS_add_key, "user", name, "x", 1, keyring);
}

static long session_keyring(void)
{
    return keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0);
}

static bool has_keyrings(void)
{
    if (keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) >= 0)
        return true;
    test_skip("no keyrings here");
    return false;
}

/* A user whom nobody else uses while the test runs, so that it has the whole quota. */
static uid_t user_of_test(void)
{
    return 200000 + (uid_t)getpid();
}

static void become_user_of_test(void)
{
    uid_t user = user_of_test();
    if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
        _exit(1);
}

/* Adds keys to the session keyring until the user owns no more, and returns their number. */
static int use_up_quota(void)
{
    char name[32];
    int count = 0;
    do
        snprintf(name, sizeof(name), "%d", count++);
    while (add_key(name, KEY_SPEC_SESSION_KEYRING) >= 0);
    ck_assert_int_eq(errno, EDQUOT);
    return count - 1;
}

TEST(the_new_session_keyring_has_none_of_the_old_keys)
{
    struct error error = ERROR_INIT;
    if (!has_keyrings())
        return;
    long before = session_keyring();
    ck_assert_int_ge(add_key("webhookd-test", KEY_SPEC_SESSION_KEYRING), 0);
    ck_assert_msg(keyring_leave_session(&error) == 0, "%s", error.message);
    ck_assert_int_ne(session_keyring(), before);
    ck_assert_int_eq(
        keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user", (long)"webhookd-test"), -1);
    ck_assert_int_eq(errno, ENOKEY);
}

/* The kernel frees a keyring a moment after its last process has left it, so at full rate the quota
 * is used up again and again. */
TEST(ten_thousand_joins_with_little_room_only_have_to_wait)
{
    enum { JOINS = 10000, ROOM = 50 };
    struct error error = ERROR_INIT;
    if (geteuid() != 0) {
        test_skip("taking on another user needs root");
        return;
    }
    become_user_of_test();
    if (!has_keyrings())
        return;
    /* A keyring outlives its session while it is linked to another. */
    long filled = session_keyring();
    ck_assert_int_eq(keyctl(KEYCTL_LINK, filled, KEY_SPEC_PROCESS_KEYRING, 0), 0);
    int keys = use_up_quota();
    for (int i = 0; i < ROOM; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d", keys - 1 - i);
        long key = keyctl(KEYCTL_SEARCH, filled, (long)"user", (long)name);
        ck_assert_int_eq(keyctl(KEYCTL_UNLINK, key, filled, 0), 0);
    }
    int refusals = 0;
    for (int joins = 0; joins < JOINS;) {
        if (keyring_leave_session(&error) == 0) {
            joins++;
            continue;
        }
        ck_assert_msg(error.kind == ERROR_UNAVAILABLE && error_may_pass(&error) &&
                          strstr(error.message, "kernel.keys.maxkeys"),
                      "%s", error.message);
        error_clear(&error);
        refusals++;
        (void)sched_yield();
    }
    ck_assert_int_gt(refusals, 0);
}

/* A program in Python: `add` leaves a key in the session keyring, `find` looks for it. */
#define KEYS                                                                                       \
    "import ctypes, os, platform, sys\n"                                                           \
    "ADD, KEYCTL = (248, 250) if platform.machine() == 'x86_64' else (217, 219)\n"                 \
    "SESSION, SEARCH, NAME = -3, 10, b'webhookd-test-left'\n"                                      \
    "call = ctypes.CDLL(None, use_errno=True).syscall\n"                                           \
    "def result(number):\n"                                                                        \
    "    return 'ok' if number > 0 else os.strerror(ctypes.get_errno())\n"                         \
    "def add():\n"                                                                                 \
    "    print('add', result(call(ADD, b'user', NAME, b'x', 1, SESSION)))\n"                       \
    "def find():\n"                                                                                \
    "    print('find', result(call(KEYCTL, SEARCH, SESSION, b'user', NAME, 0)))\n"
#define NOT_FOUND "find Required key not available"

/* Shows a program to webhookd in place of its supervisor, until the end of the test. Returns false
 * if that is impossible here. */
static bool replace_supervisor(struct daemon *daemon, const char *text)
{
    char *program = daemon_program("webhookd-vessel"),
         *other = daemon_write_file(daemon, "other", text, strlen(text));
    bool is_done = chmod(other, 0755) == 0 && unshare(CLONE_NEWNS) == 0 &&
                   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount(other, program, NULL, MS_BIND, NULL) == 0;
    free(other);
    free(program);
    return is_done;
}

/* webhookd's start tries its supervisor, whose words are then in the log. */
TEST(webhookd_leaves_the_session_keyring_of_its_starter)
{
    struct daemon daemon;
    static const struct daemon_options options = {.sandbox = "off"};
    daemon_prepare(&daemon, &options);
    if (!replace_supervisor(&daemon, "#!/usr/bin/python3\n" KEYS "find()\nsys.exit(1)\n")) {
        test_skip("mounting needs root");
    } else if (has_keyrings()) {
        ck_assert_int_ge(add_key("webhookd-test-left", KEY_SPEC_SESSION_KEYRING), 0);
        ck_assert_int_eq(daemon_start_fails(&daemon), 78);
        char *log = daemon_log(&daemon);
        ck_assert_msg(strstr(log, "vessels cannot be started: " NOT_FOUND), "%s", log);
        free(log);
    }
    daemon_finish(&daemon);
}

static void check_next_attempt(bool change_user)
{
    enum { NOBODY = 65534 };
    static char user[] = "nobody";
    struct bench bench;
    bench_open(&bench, "python3 - <<'END'\n" KEYS "add()\nfind()\nEND\n");
    if (change_user) {
        char *runs = bench_below(&bench, "runs");
        ck_assert_int_eq(chmod(bench.path, 0755) | chmod(runs, 0755), 0);
        free(runs);
        bench.job.change_user = true;
        bench.job.uid = bench.job.gid = NOBODY;
        bench.job.user = user;
    }
    bench_run(&bench);
    bench_check_output(&bench, "add ok\nfind ok\n");
    bench_forget(&bench);
    bench_set_script(&bench, "python3 - <<'END'\n" KEYS "find()\nEND\n");
    bench_run(&bench);
    bench_check_output(&bench, NOT_FOUND "\n");
    bench_close(&bench);
}

TEST(a_key_that_one_attempt_leaves_is_not_found_by_the_next)
{
    if (has_keyrings())
        check_next_attempt(false);
}

TEST(a_key_left_by_one_attempt_of_the_vessels_user_is_not_found_by_the_next)
{
    if (geteuid() != 0)
        test_skip("taking on another user needs root");
    else if (has_keyrings())
        check_next_attempt(true);
}

/* Starts a process that owns as many keys as its user may. */
static pid_t start_hoarder(void)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0);
        (void)use_up_quota();
        if (write(ready[1], "", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_hoarder(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Makes the test, and the webhookd that it starts, run as the user of the test. */
static bool has_own_quota(void)
{
    if (geteuid() != 0) {
        test_skip("taking on another user needs root");
        return false;
    }
    become_user_of_test();
    char *program = daemon_program("webhookd");
    bool can_run = access(program, X_OK) == 0;
    free(program);
    if (!can_run)
        test_skip("webhookd cannot be run as another user from here");
    return can_run && has_keyrings();
}

/* Without root, webhookd and its vessels have the quota of one user. */
TEST(an_attempt_without_room_for_its_keyring_waits)
{
    struct daemon daemon;
    struct response response;
    static const struct daemon_options options = {.sandbox = "off"};
    if (!has_own_quota())
        return;
    daemon_begin(&daemon, &options);
    char *fleet = bash_fleet("Waits", "echo ran\n"), *url = daemon_fleet(&daemon, fleet);
    pid_t hoarder = start_hoarder();
    http_post(url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);
    daemon_await_log(&daemon, "lacked memory, disk space, processes, descriptors or kernel keys");
    end_hoarder(hoarder);
    char *status = ctl_ok(&daemon, "run", "wait", "latest", NULL);
    char *output = ctl_ok(&daemon, "run", "log", "latest", "main", NULL);
    ck_assert_str_eq(status, "success");
    ck_assert_str_eq(output, "ran");
    char *freed[] = {output, status, url, fleet};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
}

TEST(webhookd_starts_even_without_room_for_keyrings)
{
    struct daemon daemon;
    static const struct daemon_options options = {.sandbox = "off"};
    if (!has_own_quota())
        return;
    pid_t hoarder = start_hoarder();
    daemon_begin(&daemon, &options);
    daemon_await_log(&daemon, "session keyring of webhookd's starter was not left");
    daemon_finish(&daemon);
    end_hoarder(hoarder);
}
