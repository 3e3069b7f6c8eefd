/* Attempts on users, privileges and limits. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile/hostile.h"

#define MIB (1024UL * 1024)

/* ---- users and privileges ---- */

static long become_root(void)
{
    return setuid(0);
}

static long become_another(void)
{
    return setresuid(1, 1, 1);
}

static long join_another_group(void)
{
    return setgid(1);
}

static long drop_groups(void)
{
    return syscall(SYS_setgroups, 0, NULL);
}

static long give_file_to_another(void)
{
    return fchown(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), 1, 1);
}

static long take_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = 1U << CAP_SYS_ADMIN, .permitted = 1U << CAP_SYS_ADMIN}};
    return syscall(SYS_capset, &header, data);
}

static long gain_privileges_by_exec(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : fail_with(EPERM);
}

static long keep_capability_in_reach(void)
{
    return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 1 ? 0 : fail_with(EPERM);
}

static long change_host_name(void)
{
    char name[65];
    return gethostname(name, sizeof(name)) != 0 ? -1 : sethostname(name, strlen(name));
}

/* ---- disk and memory ---- */

static long fill_scratch(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : fallocate(fd, 0, 0, 80 * MIB);
}

static long fill_inodes(void)
{
    enum { COUNT = 66000 };
    (void)mount("none", "/tmp", "tmpfs", 0, "nr_inodes=0");
    long fd = 0;
    char name[32];
    for (int i = 0; i < COUNT && fd >= 0; i++) {
        snprintf(name, sizeof(name), "/tmp/%d", i);
        fd = mknod(name, S_IFREG | 0600, 0);
    }
    int errnum = errno;
    if (umount2("/tmp", MNT_DETACH) != 0)
        errno = errnum;
    return fd;
}

static long fill_root(void)
{
    return mknod("/file", S_IFREG | 0600, 0) == 0 ? unlink("/file") : -1;
}

static long dump_core(void)
{
    const struct rlimit limit = {1, 1};
    return setrlimit(RLIMIT_CORE, &limit);
}

static long use_memory(void)
{
    return mmap(NULL, 1024 * MIB, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

const struct attempt attempts_on_limits[] = {
    ATTEMPT("users", become_root),
    ATTEMPT("users", become_another),
    ATTEMPT("users", join_another_group),
    ATTEMPT("users", drop_groups),
    ATTEMPT("users", give_file_to_another),
    ATTEMPT("users", take_capability),
    ATTEMPT("users", gain_privileges_by_exec),
    ATTEMPT("users", keep_capability_in_reach),
    ATTEMPT("users", change_host_name),
    ATTEMPT("disk", fill_scratch),
    ATTEMPT("disk", fill_inodes),
    ATTEMPT("disk", fill_root),
    ATTEMPT("disk", dump_core),
    ATTEMPT("disk", use_memory),
    {0},
};
