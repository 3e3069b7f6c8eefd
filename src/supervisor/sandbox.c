/* A vessel in strict mode lives in user, pid, mount, ipc and uts namespaces of its own (and in a
 * network namespace if vessels have no network). The supervisor forks into them; that child is the
 * sandbox's pid 1. It takes on the vessel's user, builds the root (rootfs.c), places the files,
 * forks the process that becomes the interpreter, and reaps.
 *
 * The user namespace has one user and one group, the vessel's, under their own numbers: no process
 * in it can become another user. It belongs to the daemon's user. pid 1 cannot be traced and keeps
 * no descriptor but the attempt's lock, because the vessel has the same user. */
#include "supervisor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/kernel.h"
#include "supervisor/rootfs.h"
#include "supervisor/syscall_filter.h"

enum { KILLED_CODE = 128, NOT_STARTED_CODE = 127, HIGHEST_CAPABILITY = 63 };

/* ---- the supervisor's side ---- */

pid_t sandbox_fork(const struct job *job, struct error *error)
{
    unsigned long flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    if (!job->network)
        flags |= CLONE_NEWNET;
    /* Groups cannot be changed any more in the new namespaces. */
    const gid_t own_group = job->gid;
    if (job->change_user && setgroups(job->group_count > 0 ? job->group_count : 1,
                                      job->group_count > 0 ? job->groups : &own_group) != 0)
        return error_set_errno(error, errno, "cannot take on the groups of user \"%s\"", job->user);
    if (fchdir(JOB_FD_WORKDIR) != 0)
        return error_set_errno(error, errno, "cannot enter the working folder");
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return error_set_errno(error, errno, "cannot create namespaces for the vessel");
    return pid;
}

static int write_proc(pid_t pid, const char *name, const char *text, struct error *error)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    ssize_t written = write(fd, text, strlen(text)); /* in one piece, as the kernel requires */
    int errnum = errno;
    close(fd);
    return written == (ssize_t)strlen(text)
               ? 0
               : error_set_errno(error, errnum, "cannot write %s", path);
}

int sandbox_map(pid_t pid, const struct job *job, struct error *error)
{
    char users[64], groups[64];
    unsigned uid = job->change_user ? job->uid : (unsigned)geteuid();
    unsigned gid = job->change_user ? job->gid : (unsigned)getegid();
    (void)snprintf(users, sizeof(users), "%u %u 1", uid, uid);
    (void)snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
    return write_proc(pid, "setgroups", "deny", error) != 0 ||
                   write_proc(pid, "uid_map", users, error) != 0 ||
                   write_proc(pid, "gid_map", groups, error) != 0
               ? -1
               : 0;
}

/* ---- in pid 1 ---- */

static int take_user(const struct job *job, struct error *error)
{
    uid_t uid = job->change_user ? job->uid : geteuid();
    gid_t gid = job->change_user ? job->gid : getegid();
    /* Without PR_SET_KEEPCAPS, the change of user would drop the capabilities in this namespace. */
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return error_set_errno(error, errno, "cannot become user \"%s\" (%u)", job->user, uid);
    return 0;
}

/* Brings up the sandbox's own loopback device, which is down in a new network namespace. */
static int raise_loopback(struct error *error)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create a socket");
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    int errnum = errno;
    close(fd);
    return result == 0 ? 0 : error_set_errno(error, errnum, "cannot bring up the loopback device");
}

/* Forbids further user namespaces. The limit belongs to this namespace, and a process without a
 * capability in it cannot raise it. */
static int forbid_namespaces(struct error *error)
{
    int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot forbid further namespaces");
    int result = file_write_all(fd, "0", 1);
    int errnum = errno;
    close(fd);
    return result == 0 ? 0 : error_set_errno(error, errnum, "cannot forbid further namespaces");
}

static int set_capabilities(uint32_t low, uint32_t high)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = low, .permitted = low},
        {.effective = high, .permitted = high},
    };
    return (int)syscall(SYS_capset, &header, data);
}

/* Makes the capabilities effective again that the change of user left permitted. */
static int use_capabilities(struct error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0 ||
        set_capabilities(data[0].permitted, data[1].permitted) != 0)
        return error_set_errno(error, errno, "cannot use the capabilities of the namespace");
    return 0;
}

int sandbox_enter(const struct job *job, struct error *error)
{
    if (take_user(job, error) != 0 || use_capabilities(error) != 0)
        return -1;
    if (!job->network && raise_loopback(error) != 0)
        return -1;
    if (rootfs_build(job, error) != 0)
        return -1;
    return forbid_namespaces(error);
}

/* Whether the vessel is being stopped. The supervisor sends its SIGTERM to the whole tree and so to
 * pid 1, where it stays pending. If it is pending, the processes that outlive main may go on until
 * the grace period ends. Otherwise they end with main. Of a sender outside this namespace, the
 * kernel reports si_pid 0. A SIGTERM that a vessel sends to its pid 1 does not count: kill(2)
 * reports a sender in this namespace, whose si_pid is not 0, and rt_sigqueueinfo(2), which lets the
 * sender choose si_pid, does not let it choose SI_USER. */
static bool is_being_stopped(void)
{
    const struct timespec now = {0, 0};
    sigset_t term;
    siginfo_t info;
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    return sigtimedwait(&term, &info, &now) == SIGTERM && info.si_code == SI_USER &&
           info.si_pid == 0;
}

/* Ends what the main process left running, and returns how many processes that were. The kernel
 * would end them, too, but not count them. */
static unsigned end_leftovers(void)
{
    unsigned count = 0;
    int status;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ; /* these have ended by themselves */
    if (kill(-1, SIGKILL) != 0)
        return 0;
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno != EINTR)
            return count;
        if (pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            count++;
    }
}

static _Noreturn void reap_all(pid_t main_pid, atomic_uint *leftovers)
{
    int code = NOT_STARTED_CODE;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            _exit(code); /* no process is left */
        if (pid != main_pid)
            continue;
        code = WIFSIGNALED(status) ? KILLED_CODE + WTERMSIG(status) : WEXITSTATUS(status);
        if (!is_being_stopped()) {
            atomic_store(leftovers, end_leftovers());
            _exit(code);
        }
    }
}

static void close_all_but_lock(void)
{
    (void)close_range(0, JOB_FD_LOCK - 1, 0);
    (void)close_range(JOB_FD_LOCK + 1, ~0U, 0);
}

int sandbox_fork_main(atomic_uint *leftovers, struct error *error)
{
    /* Keeps processes in the sandbox from tracing pid 1 and, until the exec, its child. */
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        return error_set_errno(error, errno, "cannot forbid tracing");
    pid_t pid = fork();
    if (pid < 0)
        return error_set_errno(error, errno, "cannot fork");
    if (pid == 0)
        return 0;
    close_all_but_lock();
    (void)set_capabilities(0, 0);
    reap_all(pid, leftovers);
}

/* ---- in the process that becomes the interpreter ---- */

static int limit(int resource, int64_t most, const char *what, struct error *error)
{
    struct rlimit old, new = {(rlim_t)most, (rlim_t)most};
    if (getrlimit(resource, &old) != 0)
        return error_set_errno(error, errno, "cannot limit %s", what);
    if (old.rlim_max != RLIM_INFINITY && new.rlim_max > old.rlim_max)
        new.rlim_cur = new.rlim_max = old.rlim_max; /* the daemon's own limit is lower */
    return setrlimit(resource, &new) == 0 ? 0
                                          : error_set_errno(error, errno, "cannot limit %s", what);
}

static int set_limits(const struct job *job, struct error *error)
{
    /* One more process for pid 1. RLIMIT_DATA, not RLIMIT_AS, which would count reserved address
     * space, of which Node reserves a lot. */
    return limit(RLIMIT_NPROC, job->max_processes + 1, "processes", error) != 0 ||
                   limit(RLIMIT_NOFILE, job->max_open_files, "open files", error) != 0 ||
                   limit(RLIMIT_CORE, 0, "core files", error) != 0 ||
                   limit(RLIMIT_DATA, job->max_memory_bytes, "memory", error) != 0
               ? -1
               : 0;
}

static int drop_capabilities(struct error *error)
{
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; capability <= HIGHEST_CAPABILITY; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL)
            break; /* the kernel has no higher one */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || set_capabilities(0, 0) != 0)
        return error_set_errno(error, errno, "cannot drop the capabilities of the namespace");
    return 0;
}

int sandbox_lock(const struct job *job, struct error *error)
{
    return set_limits(job, error) != 0 || drop_capabilities(error) != 0
               ? -1
               : syscall_filter_install(error);
}
