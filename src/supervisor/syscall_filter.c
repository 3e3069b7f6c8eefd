/* The seccomp filter of vessels in strict mode. Called by sandbox.c, in the process that becomes
 * the interpreter.
 *
 * Namespaces, limits and the missing capabilities decide what a vessel can reach. The filter takes
 * away what they do not cover (keyrings, tracing, the clock of another subsystem) and the parts of
 * the kernel that scripts do not need and that attacks on the kernel start from. It names what is
 * refused, because an interpreter may use any other call. But a call that is newer than this table
 * does not exist for vessels, so that none is open that nobody has judged.
 *
 * The table is indexed by the call's number, so the compiler sorts it, for each architecture. The
 * filter is a binary search in the runs of numbers with equal answers, followed by one rule for
 * each answer:
 *
 *     which architecture? ─► other: kill
 *     which number?       ─► x32: kill
 *     is it at least n?   ─► …  some seven comparisons
 *     rule                ─► allow, refuse, or compare an argument
 *
 * The kernel tries every number when a filter is installed, and remembers those that are always
 * allowed. So the search makes each start of a vessel faster: a list of comparisons takes nearly
 * twice as long to install (docs/performance.md). */
#include "supervisor/syscall_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/memory.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
/* Besides the constant, check: arguments are loaded as the lower half of a little-endian 64-bit
 * word; the flags of clone are its first argument; no call multiplexes others, as socketcall
 * does. */
#error "no system call filter for this architecture: add its AUDIT_ARCH_ constant here"
#endif

/* Calls that the headers of the C library may not know yet. Since Linux 5.1 a new call has the same
 * number on every architecture that is listed above. */
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

/* Later calls do not exist for vessels. Whoever raises it judges each call in between. */
enum { NEWEST = 469 }; /* file_setattr, Linux 6.17 */

enum answer {
    ALLOWED, /* every call that the table does not name */
    REFUSED, /* EPERM */
    ABSENT,  /* ENOSYS: programs that know an older way use that */
    CLONE,   /* refused if it would create a namespace */
    IOCTL,   /* refused if it would type into a terminal */
    SOCKET,  /* families other than the usual ones do not exist: EAFNOSUPPORT */
};

static const uint8_t table[NEWEST + 1] = {
    /* Keys: strict vessels share a user, and so its keyrings. */
    [SYS_add_key] = REFUSED,
    [SYS_keyctl] = REFUSED,
    [SYS_request_key] = REFUSED,

    /* Other processes' memory and descriptors. */
    [SYS_kcmp] = REFUSED,
    [SYS_pidfd_getfd] = REFUSED,
    [SYS_process_madvise] = REFUSED,
    [SYS_process_vm_readv] = REFUSED,
    [SYS_process_vm_writev] = REFUSED,
    [SYS_ptrace] = REFUSED,

    /* Namespaces. The flags of clone3 are in memory, where no filter can see them; C libraries then
     * use clone. */
    [SYS_clone] = CLONE,
    [SYS_clone3] = ABSENT,
    [SYS_setns] = REFUSED,
    [SYS_unshare] = REFUSED,

    /* Mounts. */
    [SYS_chroot] = REFUSED,
    [SYS_fsconfig] = REFUSED,
    [SYS_fsmount] = REFUSED,
    [SYS_fsopen] = REFUSED,
    [SYS_fspick] = REFUSED,
    [SYS_mount] = REFUSED,
    [SYS_mount_setattr] = REFUSED,
    [SYS_move_mount] = REFUSED,
    [SYS_open_tree] = REFUSED,
    [SYS_open_tree_attr] = REFUSED,
    [SYS_pivot_root] = REFUSED,
    [SYS_umount2] = REFUSED,

    /* Files past their paths, and the machine's disks. */
    [SYS_acct] = REFUSED,
    [SYS_fanotify_init] = REFUSED,
    [SYS_open_by_handle_at] = REFUSED,
    [SYS_quotactl] = REFUSED,
    [SYS_quotactl_fd] = REFUSED,
    [SYS_swapoff] = REFUSED,
    [SYS_swapon] = REFUSED,

    /* The kernel itself. */
    [SYS_delete_module] = REFUSED,
    [SYS_finit_module] = REFUSED,
    [SYS_init_module] = REFUSED,
    [SYS_kexec_file_load] = REFUSED,
    [SYS_kexec_load] = REFUSED,
    [SYS_reboot] = REFUSED,
    [SYS_syslog] = REFUSED,

    /* The machine's clock. */
    [SYS_adjtimex] = REFUSED,
    [SYS_clock_adjtime] = REFUSED,
    [SYS_clock_settime] = REFUSED,
    [SYS_settimeofday] = REFUSED,

    /* Where holes in the kernel were often found. */
    [SYS_bpf] = REFUSED,
    [SYS_io_uring_enter] = ABSENT,
    [SYS_io_uring_register] = ABSENT,
    [SYS_io_uring_setup] = ABSENT,
    [SYS_memfd_secret] = ABSENT,
    [SYS_perf_event_open] = REFUSED,
    [SYS_userfaultfd] = REFUSED,
    [SYS_vmsplice] = REFUSED,

    /* The placement of memory. */
    [SYS_mbind] = REFUSED,
    [SYS_migrate_pages] = REFUSED,
    [SYS_move_pages] = REFUSED,
    [SYS_set_mempolicy] = REFUSED,
    [SYS_set_mempolicy_home_node] = REFUSED,

    [SYS_ioctl] = IOCTL,
    [SYS_socket] = SOCKET,
    [SYS_socketpair] = SOCKET,
    [SYS_vhangup] = REFUSED,

/* What some architectures lack. */
#ifdef SYS__sysctl
    [SYS__sysctl] = ABSENT,
#endif
#ifdef SYS_ioperm
    [SYS_ioperm] = REFUSED,
#endif
#ifdef SYS_iopl
    [SYS_iopl] = REFUSED,
#endif
#ifdef SYS_lookup_dcookie
    [SYS_lookup_dcookie] = REFUSED,
#endif
#ifdef SYS_modify_ldt
    [SYS_modify_ldt] = REFUSED,
#endif
#ifdef SYS_nfsservctl
    [SYS_nfsservctl] = ABSENT,
#endif
#ifdef SYS_sysfs
    [SYS_sysfs] = ABSENT,
#endif
#ifdef SYS_uselib
    [SYS_uselib] = ABSENT,
#endif
#ifdef SYS_ustat
    [SYS_ustat] = ABSENT,
#endif
};

/* x86-64 has its calls a second time, for programs with 32-bit pointers. Elsewhere no call has such
 * a number. */
#define X32_CALLS 0x40000000

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* ---- the rules ---- */

#define LOAD(at)             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, at))
#define RETURN(value)        BPF_STMT(BPF_RET | BPF_K, (value))
#define IF(test, k, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, (k), (yes), (no))

/* Where each rule is. Those that compare come before those that end, because the filter's jumps
 * lead forward only. */
enum rule {
    RULE_CLONE = 0,
    RULE_IOCTL = 2,
    RULE_SOCKET = 5,
    RULE_ALLOW = 12,
    RULE_REFUSE,
    RULE_NO_CALL,
    RULE_NO_FAMILY,
    RULE_KILL,
    RULES,
};

#define TO(from, rule) ((rule) - (from)-1)

/* The lower half of an argument is compared: of these arguments the kernel ignores the rest. */
static const struct sock_filter rules[RULES] = {
    [0] = LOAD(args[0]), /* flags */
    [1] = IF(BPF_JSET, NAMESPACES, TO(1, RULE_REFUSE), TO(1, RULE_ALLOW)),

    [2] = LOAD(args[1]), /* request */
    [3] = IF(BPF_JEQ, TIOCSTI, TO(3, RULE_REFUSE), 0),
    [4] = IF(BPF_JEQ, TIOCLINUX, TO(4, RULE_REFUSE), TO(4, RULE_ALLOW)),

    [5] = LOAD(args[0]), /* family */
    [6] = IF(BPF_JEQ, AF_UNIX, TO(6, RULE_ALLOW), 0),
    [7] = IF(BPF_JEQ, AF_INET, TO(7, RULE_ALLOW), 0),
    [8] = IF(BPF_JEQ, AF_INET6, TO(8, RULE_ALLOW), 0),
    [9] = IF(BPF_JEQ, AF_NETLINK, 0, TO(9, RULE_NO_FAMILY)),
    [10] = LOAD(args[2]), /* protocol */
    [11] = IF(BPF_JEQ, NETLINK_ROUTE, TO(11, RULE_ALLOW), TO(11, RULE_NO_FAMILY)),

    [RULE_ALLOW] = RETURN(SECCOMP_RET_ALLOW),
    [RULE_REFUSE] = RETURN(SECCOMP_RET_ERRNO | EPERM),
    [RULE_NO_CALL] = RETURN(SECCOMP_RET_ERRNO | ENOSYS),
    [RULE_NO_FAMILY] = RETURN(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
    [RULE_KILL] = RETURN(SECCOMP_RET_KILL_PROCESS),
};

static enum rule rule_for(enum answer answer)
{
    switch (answer) {
    case ALLOWED:
        return RULE_ALLOW;
    case REFUSED:
        return RULE_REFUSE;
    case ABSENT:
        return RULE_NO_CALL;
    case CLONE:
        return RULE_CLONE;
    case IOCTL:
        return RULE_IOCTL;
    case SOCKET:
        return RULE_SOCKET;
    }
    return RULE_KILL;
}

/* ---- the search ---- */

/* Calls with consecutive numbers, from `first` to before the next run's, and equal answers. */
struct run {
    uint32_t first;
    enum answer answer;
};

struct filter {
    struct sock_filter *code;
    size_t count;
    size_t rules_at; /* where the rules will be */
};

static size_t find_runs(struct run runs[SYSCALL_FILTER_ROOM])
{
    size_t count = 0;
    for (uint32_t number = 0; number <= NEWEST + 1; number++) {
        enum answer answer = number <= NEWEST ? (enum answer)table[number] : ABSENT;
        if (count > 0 && runs[count - 1].answer == answer)
            continue;
        assert(count < SYSCALL_FILTER_ROOM);
        runs[count++] = (struct run){number, answer};
    }
    return count;
}

static void put(struct filter *filter, struct sock_filter instruction)
{
    assert(filter->count < SYSCALL_FILTER_ROOM);
    filter->code[filter->count++] = instruction;
}

/* Returns how far a jump from `from` is to `at`. */
static uint8_t distance(size_t from, size_t at)
{
    assert(at > from && at - from <= UINT8_MAX);
    return (uint8_t)(at - from - 1);
}

/* Writes the search in these runs, of which there is at least one. Returns where it begins. A
 * search in one run is its rule. */
static size_t put_search(struct filter *filter, const struct run *runs, size_t count)
{
    if (count == 1)
        return filter->rules_at + rule_for(runs->answer);
    size_t at = filter->count, below = count / 2;
    put(filter, (struct sock_filter){0}); /* its jumps are known only after the two halves */
    size_t lower_at = put_search(filter, runs, below);
    size_t upper_at = put_search(filter, runs + below, count - below);
    filter->code[at] = (struct sock_filter)IF(BPF_JGE, runs[below].first, distance(at, upper_at),
                                              distance(at, lower_at));
    return at;
}

size_t syscall_filter_build(struct sock_filter code[SYSCALL_FILTER_ROOM])
{
    enum { HEAD = 4 };
    struct run runs[SYSCALL_FILTER_ROOM];
    size_t count = find_runs(runs);
    /* A binary search has one comparison fewer than runs. */
    struct filter filter = {.code = code, .rules_at = HEAD + count - 1};
    const size_t kill_at = filter.rules_at + RULE_KILL;
    put(&filter, (struct sock_filter)LOAD(arch));
    put(&filter, (struct sock_filter)IF(BPF_JEQ, ARCHITECTURE, 0, distance(1, kill_at)));
    put(&filter, (struct sock_filter)LOAD(nr));
    put(&filter, (struct sock_filter)IF(BPF_JGE, X32_CALLS, distance(3, kill_at), 0));
    (void)put_search(&filter, runs, count);
    assert(filter.count == filter.rules_at);
    for (size_t i = 0; i < RULES; i++)
        put(&filter, rules[i]);
    return filter.count;
}

int syscall_filter_install(struct error *error)
{
    struct sock_filter code[SYSCALL_FILTER_ROOM];
    const struct sock_fprog program = {(unsigned short)syscall_filter_build(code), code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return 0;
    return error_set_errno(error, errno,
                           "cannot install the system call filter (the kernel needs "
                           "CONFIG_SECCOMP_FILTER)");
}
