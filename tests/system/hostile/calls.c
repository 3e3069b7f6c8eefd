/* Attempts on parts of the kernel that scripts do not need. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "hostile/hostile.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* ---- for every architecture ---- */

static long set_up_io_uring(void)
{
    struct io_uring_params params = {0};
    return syscall(SYS_io_uring_setup, 4, &params);
}

static long handle_page_faults(void)
{
    return syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */ | O_CLOEXEC);
}

static long make_bpf_map(void)
{
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long measure_performance(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK};
    return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long start_with_clone3(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0)
        _exit(0);
    return pid;
}

static long make_secret_memory(void)
{
    return syscall(SYS_memfd_secret, 0);
}

static long set_memory_policy(void)
{
    return syscall(SYS_set_mempolicy, 0, NULL, 0);
}

static long bind_memory(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return syscall(SYS_mbind, page, 4096, 0, NULL, 0, 0);
}

static long move_pages(void)
{
    return syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0);
}

static long migrate_pages(void)
{
    unsigned long node = 1;
    return syscall(SYS_migrate_pages, 0, 2, &node, &node);
}

static long watch_file_system(void)
{
    return syscall(SYS_fanotify_init, 0, O_RDONLY);
}

static long sync_quotas(void)
{
    return syscall(SYS_quotactl, 0x800001 << 8 /* Q_SYNC, of users */, NULL, 0, NULL);
}

static long stop_accounting(void)
{
    return syscall(SYS_acct, NULL);
}

static long ask_size_of_kernel_log(void)
{
    return syscall(SYS_syslog, 10, NULL, 0);
}

static long set_no_time(void)
{
    return syscall(SYS_settimeofday, NULL, NULL);
}

static long read_clock_state(void)
{
    struct timex state = {.modes = 0};
    return syscall(SYS_adjtimex, &state);
}

static long read_clock_state_by_id(void)
{
    struct timex state = {.modes = 0};
    return syscall(SYS_clock_adjtime, CLOCK_REALTIME, &state);
}

static long splice_memory(void)
{
    int ends[2];
    char bytes[4] = "abc";
    struct iovec range = {bytes, sizeof(bytes)};
    return pipe(ends) != 0 ? -1 : syscall(SYS_vmsplice, ends[1], &range, 1, 0);
}

static long hang_up_terminal(void)
{
    (void)setsid(); /* it has none: nothing happens */
    return syscall(SYS_vhangup);
}

static int open_terminal(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0)
        return -1;
    (void)setsid();
    int terminal = open(ptsname(fd), O_RDWR);
    return terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0 ? terminal : -1;
}

static long type_into_terminal(void)
{
    int fd = open_terminal();
    return fd < 0 ? fail_with(ENOTTY) : ioctl(fd, TIOCSTI, "x");
}

static long paste_into_console(void)
{
    char paste = 3;
    int fd = open_terminal();
    return fd < 0 ? fail_with(ENODEV) : ioctl(fd, TIOCLINUX, &paste);
}

/* ---- what must succeed nowhere: the arguments make each call fail ---- */

static long reboot_without_magic(void)
{
    return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long load_kernel_of_too_many_parts(void)
{
    return syscall(SYS_kexec_load, 0, ~0UL, NULL, 0);
}

static long load_kernel_from_nowhere(void)
{
    return syscall(SYS_kexec_file_load, -1, -1, 1, "", 0);
}

static long load_empty_module(void)
{
    return syscall(SYS_init_module, NULL, 0, "");
}

static long load_module_from_nowhere(void)
{
    return syscall(SYS_finit_module, -1, "", 0);
}

static long remove_module_without_name(void)
{
    return syscall(SYS_delete_module, "", O_NONBLOCK);
}

static long swap_to_nowhere(void)
{
    return syscall(SYS_swapon, "/nowhere", 0);
}

static long stop_swapping_to_nowhere(void)
{
    return syscall(SYS_swapoff, "/nowhere");
}

const struct attempt attempts_on_calls[] = {
    ATTEMPT("calls", set_up_io_uring),
    ATTEMPT("calls", handle_page_faults),
    ATTEMPT("calls", make_bpf_map),
    ATTEMPT("calls", measure_performance),
    ATTEMPT("calls", start_with_clone3),
    ATTEMPT("calls", make_secret_memory),
    ATTEMPT("calls", set_memory_policy),
    ATTEMPT("calls", bind_memory),
    ATTEMPT("calls", move_pages),
    ATTEMPT("calls", migrate_pages),
    ATTEMPT("calls", watch_file_system),
    ATTEMPT("calls", sync_quotas),
    ATTEMPT("calls", stop_accounting),
    ATTEMPT("calls", ask_size_of_kernel_log),
    ATTEMPT("calls", set_no_time),
    ATTEMPT("calls", read_clock_state),
    ATTEMPT("calls", read_clock_state_by_id),
    ATTEMPT("calls", splice_memory),
    ATTEMPT("calls", hang_up_terminal),
    ATTEMPT("calls", type_into_terminal),
    ATTEMPT("calls", paste_into_console),
    ATTEMPT("nowhere", reboot_without_magic),
    ATTEMPT("nowhere", load_kernel_of_too_many_parts),
    ATTEMPT("nowhere", load_kernel_from_nowhere),
    ATTEMPT("nowhere", load_empty_module),
    ATTEMPT("nowhere", load_module_from_nowhere),
    ATTEMPT("nowhere", remove_module_without_name),
    ATTEMPT("nowhere", swap_to_nowhere),
    ATTEMPT("nowhere", stop_swapping_to_nowhere),
    {0},
};
