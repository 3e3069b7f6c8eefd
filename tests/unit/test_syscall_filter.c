/* The filter as the kernel reads it: a small interpreter runs it for every number of a call. */
#include "supervisor/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/memory.h"
#include "support/suite.h"

#define REFUSED   (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT    (SECCOMP_RET_ERRNO | ENOSYS)
#define NO_FAMILY (SECCOMP_RET_ERRNO | EAFNOSUPPORT)

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

enum { LAST_JUDGED = 469 }; /* file_setattr */

static struct sock_filter code[SYSCALL_FILTER_ROOM];
static size_t count;

/* Runs the instructions that the kernel's cache of allowed calls understands, and no others. */
static uint32_t run(const struct seccomp_data *data, size_t *steps)
{
    uint32_t value = 0;
    *steps = 0;
    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *step = &code[at];
        ++*steps;
        switch (step->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            ck_assert(step->k % 4 == 0 && step->k < sizeof(*data));
            memcpy(&value, (const char *)data + step->k, sizeof(value));
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += value == step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += value >= step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += (value & step->k) != 0 ? step->jt : step->jf;
            break;
        case BPF_RET | BPF_K:
            return step->k;
        default:
            ck_abort_msg("instruction %zu has the code %#x", at, (unsigned)step->code);
        }
    }
    ck_abort_msg("the filter ends without an answer");
}

static uint32_t answer(long number, uint64_t first, uint64_t second, uint64_t third)
{
    const struct seccomp_data data = {
        .nr = (int)number, .arch = ARCHITECTURE, .args = {first, second, third}};
    size_t steps;
    if (count == 0)
        count = syscall_filter_build(code);
    return run(&data, &steps);
}

static void check_calls(const long *numbers, size_t size, uint32_t expected)
{
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(answer(numbers[i], 0, 0, 0) == expected, "call %ld", numbers[i]);
}

TEST(what_reaches_beyond_a_vessel_is_refused)
{
    static const long calls[] = {SYS_add_key,
                                 SYS_request_key,
                                 SYS_keyctl,
                                 SYS_ptrace,
                                 SYS_bpf,
                                 SYS_userfaultfd,
                                 SYS_perf_event_open,
                                 SYS_process_vm_readv,
                                 SYS_kcmp,
                                 SYS_process_vm_writev,
                                 SYS_pidfd_getfd,
                                 SYS_unshare,
                                 SYS_setns,
                                 SYS_mount,
                                 SYS_umount2,
                                 SYS_pivot_root,
                                 SYS_move_mount,
                                 SYS_open_tree,
                                 SYS_fsopen,
                                 SYS_init_module,
                                 SYS_reboot,
                                 SYS_open_by_handle_at,
                                 SYS_quotactl,
                                 SYS_acct,
                                 SYS_syslog,
                                 SYS_kexec_load,
                                 SYS_finit_module,
                                 SYS_delete_module,
                                 SYS_mbind,
                                 SYS_settimeofday,
                                 SYS_clock_settime,
                                 443 /* quotactl_fd */,
                                 SYS_chroot,
                                 467 /* open_tree_attr */};
    check_calls(calls, ARRAY_COUNT(calls), REFUSED);
}

TEST(calls_with_an_older_way_do_not_exist)
{
    static const long calls[] = {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
                                 SYS_clone3, 447 /* memfd_secret */};
    check_calls(calls, ARRAY_COUNT(calls), ABSENT);
}

TEST(calls_that_nobody_has_judged_do_not_exist)
{
    for (long number = LAST_JUDGED + 1; number < 0x40000000; number += number / 1000 + 1)
        ck_assert_msg(answer(number, 0, 0, 0) == ABSENT, "call %ld", number);
    ck_assert_uint_eq(answer(0x3fffffff, 0, 0, 0), ABSENT);
}

TEST(what_programs_need_is_allowed)
{
    static const long calls[] = {SYS_read,
                                 SYS_write,
                                 SYS_execve,
                                 SYS_exit_group,
                                 SYS_mmap,
                                 SYS_futex,
                                 SYS_openat,
                                 SYS_openat2,
                                 SYS_close,
                                 SYS_pidfd_open,
                                 SYS_prctl,
                                 SYS_seccomp,
                                 SYS_kill,
                                 SYS_wait4,
                                 SYS_epoll_pwait2,
                                 SYS_getrandom,
                                 SYS_memfd_create,
                                 SYS_close_range,
                                 SYS_faccessat2,
                                 SYS_landlock_add_rule,
                                 SYS_copy_file_range,
                                 SYS_statx,
                                 SYS_rseq,
                                 SYS_membarrier,
                                 SYS_prlimit64,
                                 LAST_JUDGED,
                                 0};
    check_calls(calls, ARRAY_COUNT(calls), SECCOMP_RET_ALLOW);
}

/* Only the lower half of these arguments counts: the kernel ignores the rest. */
#define GARBAGE 0xdeadbeef00000000U

TEST(a_clone_with_a_new_namespace_is_refused)
{
    static const unsigned long flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                          CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        ck_assert_uint_eq(answer(SYS_clone, flags[i], 0, 0), REFUSED);
        ck_assert_uint_eq(answer(SYS_clone, flags[i] | GARBAGE | CLONE_VM | 17, 0, 0), REFUSED);
    }
    ck_assert_uint_eq(answer(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0),
                      SECCOMP_RET_ALLOW);
    ck_assert_uint_eq(answer(SYS_clone, 17, CLONE_NEWUSER, 0), SECCOMP_RET_ALLOW);
}

TEST(nothing_types_into_a_terminal)
{
    ck_assert_uint_eq(answer(SYS_ioctl, 0, TIOCSTI, 0), REFUSED);
    ck_assert_uint_eq(answer(SYS_ioctl, 0, TIOCSTI | GARBAGE, 0), REFUSED);
    ck_assert_uint_eq(answer(SYS_ioctl, 0, TIOCLINUX, 0), REFUSED);
    ck_assert_uint_eq(answer(SYS_ioctl, TIOCSTI, TIOCGWINSZ, 0), SECCOMP_RET_ALLOW);
}

TEST(only_the_usual_families_of_sockets_exist)
{
    static const long calls[] = {SYS_socket, SYS_socketpair};
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++)
        for (uint64_t family = 0; family < 64; family++) {
            bool is_usual = family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
                            family == AF_NETLINK;
            ck_assert_uint_eq(answer(calls[i], family | GARBAGE, SOCK_STREAM, 0),
                              is_usual ? SECCOMP_RET_ALLOW : NO_FAMILY);
        }
    for (uint64_t protocol = 0; protocol < 32; protocol++)
        ck_assert_uint_eq(answer(SYS_socket, AF_NETLINK, SOCK_RAW, protocol | GARBAGE),
                          protocol == NETLINK_ROUTE ? SECCOMP_RET_ALLOW : NO_FAMILY);
    ck_assert_uint_eq(answer(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_TCP), SECCOMP_RET_ALLOW);
}

TEST(calls_of_another_architecture_kill)
{
    static const uint32_t others[] = {AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_S390X, 0};
    size_t steps;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        for (int number = 0; number < 600; number++) {
            const struct seccomp_data data = {.nr = number, .arch = others[i]};
            count = syscall_filter_build(code);
            ck_assert_uint_eq(run(&data, &steps), SECCOMP_RET_KILL_PROCESS);
        }
}

TEST(calls_of_x32_kill)
{
    ck_assert_uint_eq(answer(0x40000000, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    ck_assert_uint_eq(answer(0x40000000 | SYS_getpid, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    ck_assert_uint_eq(answer(-1, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

/* The kernel tries all calls at each start of a vessel. */
TEST(the_search_is_short)
{
    size_t steps;
    count = syscall_filter_build(code);
    ck_assert_uint_lt(count, SYSCALL_FILTER_ROOM);
    for (int number = 0; number <= LAST_JUDGED + 1; number++) {
        const struct seccomp_data data = {.nr = number, .arch = ARCHITECTURE};
        (void)run(&data, &steps);
        ck_assert_msg(steps <= 20, "call %d takes %zu steps", number, steps);
    }
}
