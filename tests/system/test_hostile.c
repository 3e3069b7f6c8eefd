/* A vessel attacks what it should not reach: tests/system/hostile/. Strict mode refuses each
 * attempt, and each has a control, in which the same code succeeds outside of the sandbox.
 * Otherwise an attempt could fail for a reason that has nothing to do with the sandbox. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "supervisor/allow_list.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

enum { NOBODY = 65534 };

/* Where an attempt is made. */
enum place {
    STRICT,
    OFF,    /* a vessel without a sandbox, with the same user */
    ROOT,   /* root, in pid, mount, network, ipc and uts namespaces that end with it */
    DIRECT, /* a child of the test, with the same user and the test's session keyring */
    PLACES,
};

/* What is expected: "ok", errnos or signals, with '|' between alternatives. */
struct probe {
    const char *name;
    const char *strict;
    enum place control;
    const char *there;
};

/* What the attempts aim at. */
struct scene {
    struct bench bench;
    char *program, *variables;
    pid_t victim; /* a process of the vessels' user */
    int port_fd, path_fd, abstract_fd;
    int memory_id, semaphores_id;
    mqd_t queue;
    char queue_name[40];
    struct buffer output[PLACES];
};

/* ---- the scene ---- */

static int listen_unix(const char *path, bool is_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t at = is_abstract ? 1 : 0;
    memcpy(address.sun_path + at, path, strlen(path));
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    if (!is_abstract)
        ck_assert_int_eq(chmod(path, 0666), 0);
    return fd;
}

static unsigned listen_port(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(*fd, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(*fd, 8), 0);
    ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&address, &bytes), 0);
    return ntohs(address.sin_port);
}

static void become_nobody(void)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        _exit(1);
}

/* Starts a process that dies with the test. It leads a group, and may be examined by its user. */
static pid_t start_victim(void)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ready[0]);
        (void)setpgid(0, 0);
        become_nobody();
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_DUMPABLE, 1);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void open_ipc(struct scene *scene, key_t key)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
    scene->memory_id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666);
    scene->semaphores_id = semget(key, 1, IPC_CREAT | IPC_EXCL | 0666);
    snprintf(scene->queue_name, sizeof(scene->queue_name), "/webhookd-test-%d", (int)getpid());
    mode_t old = umask(0);
    scene->queue = mq_open(scene->queue_name, O_RDWR | O_CREAT | O_EXCL, 0666, &attributes);
    umask(old);
    ck_assert(scene->memory_id >= 0 && scene->semaphores_id >= 0 && scene->queue >= 0);
}

/* Leaves the keyring of whoever runs the tests, and puts a key into the new one. Returns its
 * number. */
static long open_keyring(void)
{
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
        return -1;
    return syscall(SYS_add_key, "user", "webhookd-test-starter", "secret", 6,
                   KEY_SPEC_SESSION_KEYRING);
}

/* Copies the program to where every user can execute it. */
static void place_program(struct scene *scene)
{
    const char *build = getenv("BUILD");
    char *folder = bench_below(&scene->bench, "shown");
    bench_make_folder(folder);
    scene->program = memory_format("%s/hostile_vessel", folder);
    char *command = memory_format("cp %s/tests/system/hostile_vessel %s && chmod 0755 %s",
                                  build ? build : "build", scene->program, folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(folder);
}

static void open_scene(struct scene *scene)
{
    bench_open(&scene->bench, "true");
    char *runs = bench_below(&scene->bench, "runs");
    ck_assert_int_eq(chmod(scene->bench.path, 0755) | chmod(runs, 0755), 0);
    place_program(scene);
    char *secret = bench_below(&scene->bench, "secret"),
         *path = bench_below(&scene->bench, "admin.sock"),
         *abstract = memory_format("webhookd-test-%d", (int)getpid());
    int fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_eq(file_write_all(fd, "secret\n", 7), 0);
    close(fd);
    scene->path_fd = listen_unix(path, false);
    scene->abstract_fd = listen_unix(abstract, true);
    unsigned port = listen_port(&scene->port_fd);
    scene->victim = start_victim();
    open_ipc(scene, (key_t)getpid());
    scene->variables = memory_format(
        "SECRET=%s SOCKET=%s ABSTRACT=%s PORT=%u VICTIM=%d IPC_KEY=%d QUEUE=%s KEY=%ld", secret,
        path, abstract, port, (int)scene->victim, (int)getpid(), scene->queue_name, open_keyring());
    free(abstract);
    free(path);
    free(secret);
    free(runs);
}

static void close_scene(struct scene *scene)
{
    (void)kill(scene->victim, SIGKILL);
    ck_assert_int_eq(waitpid(scene->victim, NULL, 0), scene->victim);
    (void)shmctl(scene->memory_id, IPC_RMID, NULL);
    (void)semctl(scene->semaphores_id, 0, IPC_RMID);
    (void)mq_close(scene->queue);
    (void)mq_unlink(scene->queue_name);
    close(scene->port_fd);
    close(scene->path_fd);
    close(scene->abstract_fd);
    for (int i = 0; i < PLACES; i++)
        buffer_free(&scene->output[i]);
    free(scene->variables);
    free(scene->program);
    bench_close(&scene->bench);
}

/* ---- making the attempts ---- */

static void set_job(struct scene *scene, enum place place)
{
    static char user[] = "nobody", home[] = SANDBOX_HOME;
    struct job *job = &scene->bench.job;
    job->is_strict = place == STRICT;
    job->change_user = place != ROOT;
    job->uid = job->gid = NOBODY;
    job->user = user;
    job->workdir = place == STRICT ? home : scene->bench.workdir;
    job->max_memory_bytes = 64 << 20;
    job->max_processes = 64;
    job->max_open_files = 256;
}

static char *make_script(const struct scene *scene, enum place place, const char *group)
{
    /* The descriptor stands for one that webhookd might forget. */
    const char *wrapper = place == ROOT ? "exec 9</dev/null; exec unshare --mount --pid --fork "
                                          "--kill-child --mount-proc --net --ipc --uts "
                                        : "exec ";
    return memory_format("export %s\n%s%s %s", scene->variables, wrapper, scene->program, group);
}

static void run_as_vessel(struct scene *scene, enum place place, const char *group)
{
    struct bench *bench = &scene->bench;
    char *folder = bench_below(bench, "shown"), *script = make_script(scene, place, group);
    bench_set_script(bench, script);
    set_job(scene, place);
    bench->job.readable = &folder;
    bench->job.readable_count = 1;
    bench_run(bench);
    bench_check_result(bench, ATTEMPT_EXITED, 0);
    (void)buffer_append(&scene->output[place], bench->output.data, bench->output.bytes);
    bench_forget(bench);
    free(script);
    free(folder);
}

static void run_directly(struct scene *scene, const char *group)
{
    int ends[2];
    char *script = make_script(scene, DIRECT, group), bytes[4096];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        become_nobody();
        if (dup2(ends[1], STDOUT_FILENO) >= 0)
            execl("/bin/sh", "sh", "-c", script, NULL);
        _exit(1);
    }
    close(ends[1]);
    ssize_t count;
    while ((count = read(ends[0], bytes, sizeof(bytes))) > 0)
        (void)buffer_append(&scene->output[DIRECT], bytes, (size_t)count);
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    free(script);
}

/* Copies how the attempt went to `result`, or "nothing" if it was not made. */
static void find_result(struct scene *scene, enum place place, const char *name, char result[40])
{
    char *line = memory_format("\n%s ", name);
    char *text = memory_format("\n%s", buffer_text(&scene->output[place]));
    const char *at = strstr(text, line);
    snprintf(result, 40, "%s", "nothing");
    if (at)
        snprintf(result, 40, "%.*s", (int)strcspn(at + strlen(line), "\n"), at + strlen(line));
    free(text);
    free(line);
}

static bool is_expected(const char *expected, const char *result)
{
    size_t chars = strlen(result);
    for (const char *at = expected; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, result, chars) == 0 && (at[chars] == '|' || at[chars] == '\0'))
            return true;
    return false;
}

static void compare(struct scene *scene, enum place place, const struct probe *probe,
                    const char *expected, struct buffer *differences)
{
    static const char *const names[PLACES] = {"strict", "off", "root", "direct"};
    char result[40];
    find_result(scene, place, probe->name, result);
    if (is_expected(expected, result))
        return;
    char *line =
        memory_format("\n%s, %s: %s instead of %s", probe->name, names[place], result, expected);
    (void)buffer_append_text(differences, line);
    free(line);
}

static void check_probes(struct scene *scene, const char *group, const struct probe *probes,
                         size_t count)
{
    bool is_used[PLACES] = {[STRICT] = true};
    struct buffer differences = BUFFER_INIT;
    for (size_t i = 0; i < count; i++)
        is_used[probes[i].control] = true;
    for (enum place place = STRICT; place < PLACES; place++)
        if (is_used[place] && place == DIRECT)
            run_directly(scene, group);
        else if (is_used[place])
            run_as_vessel(scene, place, group);
    for (size_t i = 0; i < count; i++) {
        compare(scene, STRICT, &probes[i], probes[i].strict, &differences);
        compare(scene, probes[i].control, &probes[i], probes[i].there, &differences);
    }
    ck_assert_msg(differences.bytes == 0, "%s", buffer_text(&differences));
    buffer_free(&differences);
}

static void check(const char *group, const struct probe *probes, size_t count, bool network)
{
    struct scene scene = {.victim = 0};
    if (geteuid() != 0) {
        test_skip("the controls need root");
        return;
    }
    open_scene(&scene);
    scene.bench.job.network = network;
    check_probes(&scene, group, probes, count);
    close_scene(&scene);
}

#define CHECK(group, probes) check(group, probes, ARRAY_COUNT(probes), true)

/* ---- the probes ---- */

TEST(no_file_beyond_the_allow_list_is_in_reach)
{
    static const struct probe probes[] = {
        {"read_secret", "ENOENT", OFF, "ok"},
        {"read_shadow", "ENOENT", ROOT, "ok"},
        {"list_home_of_root", "ENOENT", ROOT, "ok"},
        {"list_devices_of_kernel", "ENOENT", OFF, "ok"},
        {"open_kernel_log", "ENOENT", ROOT, "ok"},
        {"create_in_usr", "EROFS", ROOT, "ok"},
        {"create_in_etc", "EROFS", ROOT, "ok"},
        {"create_in_root", "EROFS", ROOT, "ok"},
        {"create_disk_node", "EPERM", ROOT, "ok"},
        {"list_root_of_pid_1", "EACCES", ROOT, "ok"},
        {"open_sysctl", "EACCES", ROOT, "ok"},
        {"open_core_pattern", "EACCES", ROOT, "ok"},
        {"open_by_handle", "EPERM", ROOT, "ok"},
    };
    CHECK("files", probes);
}

TEST(no_descriptor_of_another_process_is_in_reach)
{
    static const struct probe probes[] = {
        {"find_inherited", "EBADF", ROOT, "ok"},
        {"list_descriptors_of_pid_1", "EACCES", ROOT, "ok"},
        {"open_output_of_pid_1", "EACCES", ROOT, "ok"},
        {"take_descriptor_of_pid_1", "EPERM", ROOT, "ok"},
        {"take_own_descriptor", "EPERM", OFF, "ok"},
        {"open_300_files", "EMFILE", OFF, "ok"},
    };
    CHECK("descriptors", probes);
}

TEST(no_other_process_is_in_reach)
{
    static const struct probe probes[] = {
        {"list_victim", "ENOENT", OFF, "ok"},
        {"be_traced", "EPERM", OFF, "ok"},
        {"trace_pid_1", "EPERM", ROOT, "ok"},
        {"read_memory", "EPERM", OFF, "ok"},
        {"write_memory", "EPERM", OFF, "ok"},
        {"compare_processes", "EPERM", OFF, "ok"},
        {"page_out_memory", "EPERM", ROOT, "ok"},
        {"read_environment_of_pid_1", "EACCES", ROOT, "ok"},
        {"open_memory_of_pid_1", "EACCES", ROOT, "ok"},
        {"open_namespace_of_pid_1", "EACCES", ROOT, "ok"},
        {"fork_100_times", "EAGAIN", OFF, "ok"},
        {"raise_priority", "EACCES", ROOT, "ok"},
        {"run_in_real_time", "EPERM", ROOT, "ok"},
        {"overtake_disk", "EPERM", ROOT, "ok"},
        {"read_limit_of_victim", "ESRCH", OFF, "ok"},
        {"pin_victim", "ESRCH", OFF, "ok"},
        {"slow_victim", "ESRCH", OFF, "ok"},
    };
    CHECK("processes", probes);
}

TEST(no_signal_leaves_the_sandbox)
{
    static const struct probe probes[] = {
        {"signal_victim", "ESRCH", OFF, "ok"},
        {"signal_group_of_victim", "ESRCH", OFF, "ok"},
        {"signal_thread_of_victim", "ESRCH", OFF, "ok"},
        {"queue_signal_to_victim", "ESRCH", OFF, "ok"},
        {"watch_victim", "ESRCH", OFF, "ok"},
        {"aim_signals_at_victim", "ESRCH", OFF, "ok"},
    };
    CHECK("signals", probes);
}

TEST(no_queue_or_memory_of_the_machine_is_shared)
{
    static const struct probe probes[] = {
        {"find_shared_memory", "ENOENT", OFF, "ok"},
        {"find_semaphores", "ENOENT", OFF, "ok"},
        {"open_queue", "ENOENT", OFF, "ok"},
    };
    CHECK("ipc", probes);
}

/* A kernel without a family answers as the filter does. */
#define OK_IF_KNOWN "ok|EAFNOSUPPORT|EPROTONOSUPPORT"

TEST(no_socket_beyond_the_internet_and_unix_can_be_opened)
{
    static const struct probe probes[] = {
        {"open_uevents", "EAFNOSUPPORT", OFF, "ok"},
        {"open_generic_netlink", "EAFNOSUPPORT", OFF, "ok"},
        {"open_socket_list", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_packet_filter", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_audit", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_xfrm", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_host_of_machine", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_crypto", "EAFNOSUPPORT", OFF, OK_IF_KNOWN},
        {"open_packets", "EAFNOSUPPORT", ROOT, "ok"},
        {"open_raw_ip", "EPERM", ROOT, "ok"},
        {"listen_at_port_80", "EACCES", ROOT, "ok"},
        {"mark_packets", "EPERM", ROOT, "ok"},
        {"raise_loopback", "EPERM", ROOT, "ok"},
        {"connect_to_path", "ENOENT", OFF, "ok"},
    };
    CHECK("sockets", probes);
}

TEST(without_network_no_socket_of_the_machine_is_in_reach)
{
    static const struct probe probes[] = {
        {"connect_to_abstract", "ECONNREFUSED", OFF, "ok"},
        {"connect_to_port", "ECONNREFUSED", OFF, "ok"},
    };
    check("network", probes, ARRAY_COUNT(probes), false);
}

TEST(no_key_is_in_reach)
{
    static const struct probe probes[] = {
        {"find_session_keyring", "EPERM", OFF, "ok"},
        {"leave_key", "EPERM", OFF, "ok"},
        {"request_key", "EPERM", OFF, "ok"},
        {"join_session_keyring", "EPERM", OFF, "ok"},
        {"read_key_of_starter", "EPERM", DIRECT, "ok"},
        {"find_key_of_starter", "EPERM", DIRECT, "ok"},
        {"list_keys", "ENODATA", OFF, "ok"},
        {"list_owners_of_keys", "ENODATA", OFF, "ok"},
    };
    CHECK("keys", probes);
}

TEST(no_dangerous_part_of_the_kernel_is_in_reach)
{
    static const struct probe probes[] = {
        {"set_up_io_uring", "ENOSYS", OFF, "ok"},
        {"handle_page_faults", "EPERM", OFF, "ok"},
        {"make_bpf_map", "EPERM", ROOT, "ok"},
        {"measure_performance", "EPERM", ROOT, "ok"},
        {"start_with_clone3", "ENOSYS", OFF, "ok"},
        {"make_secret_memory", "ENOSYS", OFF, "ok"},
        {"set_memory_policy", "EPERM", OFF, "ok"},
        {"bind_memory", "EPERM", OFF, "ok"},
        {"move_pages", "EPERM", OFF, "ok"},
        {"migrate_pages", "EPERM", OFF, "ok"},
        {"watch_file_system", "EPERM", ROOT, "ok"},
        {"sync_quotas", "EPERM", OFF, "ok"},
        {"stop_accounting", "EPERM", ROOT, "ok"},
        {"ask_size_of_kernel_log", "EPERM", ROOT, "ok"},
        {"set_no_time", "EPERM", ROOT, "ok"},
        {"read_clock_state", "EPERM", OFF, "ok"},
        {"read_clock_state_by_id", "EPERM", OFF, "ok"},
        {"splice_memory", "EPERM", OFF, "ok"},
        {"hang_up_terminal", "EPERM", ROOT, "ok"},
        {"type_into_terminal", "EPERM", ROOT, "ok"},
        {"paste_into_console", "EPERM", OFF, "ENOTTY"}, /* it works on a virtual console only */
    };
    CHECK("calls", probes);
}

#ifdef __x86_64__
TEST(no_call_of_another_architecture_gets_past_the_filter)
{
    static const struct probe probes[] = {
        {"read_segments", "EPERM", OFF, "ok"},
        {"give_up_ports", "EPERM", OFF, "ok|ENOSYS"},
        {"give_up_all_ports", "EPERM", OFF, "ok|ENOSYS"},
        {"count_file_systems", "ENOSYS", OFF, "ok"},
        {"call_as_x32", "SIGSYS", OFF, "ok|ENOSYS"}, /* few kernels have these calls */
        {"call_as_i386", "SIGSYS", OFF, "ok"},
    };
    CHECK("x86", probes);
}
#endif

/* These fail even for root, because of their arguments; the errno shows how far they get. */
TEST(no_vessel_stops_or_replaces_the_kernel)
{
    static const struct probe probes[] = {
        {"reboot_without_magic", "EPERM", ROOT, "EINVAL"},
        {"load_kernel_of_too_many_parts", "EPERM", ROOT, "EINVAL|ENOSYS"},
        {"load_kernel_from_nowhere", "EPERM", ROOT, "EBADF|ENOSYS"},
        {"load_empty_module", "EPERM", ROOT, "ENOEXEC|ENOSYS"},
        {"load_module_from_nowhere", "EPERM", ROOT, "EBADF|ENOSYS"},
        {"remove_module_without_name", "EPERM", ROOT, "ENOENT|ENOSYS"},
        {"swap_to_nowhere", "EPERM", ROOT, "ENOENT"},
        {"stop_swapping_to_nowhere", "EPERM", ROOT, "ENOENT"},
    };
    CHECK("nowhere", probes);
}

TEST(no_mount_or_namespace_can_be_made)
{
    static const struct probe probes[] = {
        {"mount_tmpfs_and_unmount", "EPERM", ROOT, "ok"},
        {"unmount", "EPERM", ROOT, "ok"},
        {"make_root_writable", "EPERM", ROOT, "ok"},
        {"clone_mount", "EPERM", ROOT, "ok"},
        {"move_clone", "EPERM", ROOT, "ok"},
        {"open_file_system", "EPERM", ROOT, "ok"},
        {"configure_file_system", "EPERM", ROOT, "ok"},
        {"mount_file_system", "EPERM", ROOT, "ok"},
        {"pick_file_system", "EPERM", ROOT, "ok"},
        {"change_mount", "EPERM", ROOT, "ok"},
        {"change_root", "EPERM", ROOT, "ok"},
        {"chroot_here", "EPERM", ROOT, "ok"},
        {"unshare_users", "EPERM", OFF, "ok"},
        {"unshare_mounts", "EPERM", ROOT, "ok"},
        {"clone_users", "EPERM", OFF, "ok"},
        {"clone_network", "EPERM", ROOT, "ok"},
        {"enter_namespace", "EPERM", ROOT, "ok"},
    };
    CHECK("mounts", probes);
}

TEST(no_user_or_privilege_can_be_gained)
{
    static const struct probe probes[] = {
        {"become_root", "EINVAL", ROOT, "ok"},
        {"become_another", "EINVAL", ROOT, "ok"},
        {"join_another_group", "EINVAL", ROOT, "ok"},
        {"drop_groups", "EPERM", ROOT, "ok"},
        {"give_file_to_another", "EINVAL", ROOT, "ok"},
        {"take_capability", "EPERM", ROOT, "ok"},
        {"gain_privileges_by_exec", "EPERM", OFF, "ok"},
        {"keep_capability_in_reach", "EPERM", OFF, "ok"},
        {"change_host_name", "EPERM", ROOT, "ok"},
    };
    CHECK("users", probes);
}

TEST(no_vessel_fills_more_than_its_share)
{
    static const struct probe probes[] = {
        {"fill_scratch", "ENOSPC", OFF, "ok"}, {"fill_inodes", "ENOSPC", ROOT, "ok"},
        {"fill_root", "EROFS", ROOT, "ok"},    {"dump_core", "EPERM", ROOT, "ok"},
        {"use_memory", "ENOMEM", OFF, "ok"},
    };
    CHECK("disk", probes);
}
