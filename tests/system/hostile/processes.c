/* Attempts on other processes: their memory, their schedule, signals, System V and POSIX queues. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile/hostile.h"

/* ---- processes ---- */

static long list_victim(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d", (int)victim());
    return list(path);
}

static long be_traced(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long trace_pid_1(void)
{
    long result = ptrace(PTRACE_SEIZE, 1, NULL, NULL);
    return result; /* the end of this process detaches it */
}

static long copy_memory(long number)
{
    char from[8] = "", to[8];
    struct iovec here = {to, sizeof(to)}, there = {from, sizeof(from)};
    return syscall(number, getpid(), &here, 1, &there, 1, 0);
}

static long read_memory(void)
{
    return copy_memory(SYS_process_vm_readv);
}

static long write_memory(void)
{
    return copy_memory(SYS_process_vm_writev);
}

static long compare_processes(void)
{
    return syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0);
}

static long page_out_memory(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec range = {page, 4096};
    return syscall(SYS_process_madvise, syscall(SYS_pidfd_open, getpid(), 0), &range, 1, MADV_COLD,
                   0);
}

static long read_environment_of_pid_1(void)
{
    return read_some("/proc/1/environ");
}

static long open_memory_of_pid_1(void)
{
    return open("/proc/1/mem", O_RDONLY | O_CLOEXEC);
}

static long open_namespace_of_pid_1(void)
{
    return open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
}

static long fork_100_times(void)
{
    enum { COUNT = 100 };
    pid_t children[COUNT];
    int count = 0, errnum = 0;
    for (; count < COUNT; count++) {
        children[count] = fork();
        if (children[count] == 0) {
            pause();
            _exit(0);
        }
        if (children[count] < 0) {
            errnum = errno;
            break;
        }
    }
    for (int i = 0; i < count; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    return errnum ? fail_with(errnum) : 0;
}

static long raise_priority(void)
{
    return setpriority(PRIO_PROCESS, 0, -20);
}

static long run_in_real_time(void)
{
    struct sched_param param = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &param);
}

static long overtake_disk(void)
{
    return syscall(SYS_ioprio_set, 1 /* a process */, 0, 1 << 13 /* in real time */);
}

static long read_limit_of_victim(void)
{
    struct rlimit limit;
    return prlimit(victim(), RLIMIT_NOFILE, NULL, &limit);
}

static long pin_victim(void)
{
    cpu_set_t all;
    memset(&all, 0xff, sizeof(all));
    return sched_setaffinity(victim(), sizeof(all), &all);
}

static long slow_victim(void)
{
    return setpriority(PRIO_PROCESS, (id_t)victim(), 19);
}

/* ---- signals ---- */

static long signal_victim(void)
{
    return kill(victim(), SIGCONT);
}

static long signal_group_of_victim(void)
{
    return kill(-victim(), SIGCONT);
}

static long signal_thread_of_victim(void)
{
    return syscall(SYS_tgkill, victim(), victim(), SIGCONT);
}

static long queue_signal_to_victim(void)
{
    return sigqueue(victim(), SIGCONT, (union sigval){.sival_int = 0});
}

static long watch_victim(void)
{
    return syscall(SYS_pidfd_open, victim(), 0);
}

static long aim_signals_at_victim(void)
{
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ? -1 : fcntl(ends[0], F_SETOWN, victim());
}

/* ---- System V and POSIX queues ---- */

static key_t ipc_key(void)
{
    return (key_t)strtol(given("IPC_KEY"), NULL, 10);
}

static long find_shared_memory(void)
{
    return shmget(ipc_key(), 0, 0);
}

static long find_semaphores(void)
{
    return semget(ipc_key(), 0, 0);
}

static long open_queue(void)
{
    return mq_open(given("QUEUE"), O_RDONLY);
}

const struct attempt attempts_on_processes[] = {
    ATTEMPT("processes", list_victim),
    ATTEMPT("processes", be_traced),
    ATTEMPT("processes", trace_pid_1),
    ATTEMPT("processes", read_memory),
    ATTEMPT("processes", write_memory),
    ATTEMPT("processes", compare_processes),
    ATTEMPT("processes", page_out_memory),
    ATTEMPT("processes", read_environment_of_pid_1),
    ATTEMPT("processes", open_memory_of_pid_1),
    ATTEMPT("processes", open_namespace_of_pid_1),
    ATTEMPT("processes", fork_100_times),
    ATTEMPT("processes", raise_priority),
    ATTEMPT("processes", run_in_real_time),
    ATTEMPT("processes", overtake_disk),
    ATTEMPT("processes", read_limit_of_victim),
    ATTEMPT("processes", pin_victim),
    ATTEMPT("processes", slow_victim),
    ATTEMPT("signals", signal_victim),
    ATTEMPT("signals", signal_group_of_victim),
    ATTEMPT("signals", signal_thread_of_victim),
    ATTEMPT("signals", queue_signal_to_victim),
    ATTEMPT("signals", watch_victim),
    ATTEMPT("signals", aim_signals_at_victim),
    ATTEMPT("ipc", find_shared_memory),
    ATTEMPT("ipc", find_semaphores),
    ATTEMPT("ipc", open_queue),
    {0},
};
