/* Attempts on mounts and namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile/hostile.h"

static long mount_tmpfs(void)
{
    return mount("none", "/tmp", "tmpfs", 0, "size=64k");
}

static long mount_tmpfs_and_unmount(void)
{
    long result = mount_tmpfs();
    if (result == 0)
        umount2("/tmp", MNT_DETACH);
    return result;
}

static long unmount(void)
{
    (void)mount_tmpfs();
    return umount2("/tmp", MNT_DETACH);
}

static long make_root_writable(void)
{
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long clone_mount(void)
{
    return syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE);
}

/* The calls that only make sense one after the other: each is made even if those before it have
 * failed, so that the last one's errno is its own. */
static long move_clone(void)
{
    long result =
        syscall(SYS_move_mount, clone_mount(), "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH);
    if (result == 0)
        umount2("/proc", MNT_DETACH);
    return result;
}

static long open_file_system(void)
{
    return syscall(SYS_fsopen, "tmpfs", 0);
}

static long configure_file_system(void)
{
    return syscall(SYS_fsconfig, open_file_system(), FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static long mount_file_system(void)
{
    long fd = open_file_system();
    (void)syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    return syscall(SYS_fsmount, fd, 0, 0);
}

static long pick_file_system(void)
{
    return syscall(SYS_fspick, AT_FDCWD, "/proc", 0);
}

static long change_mount(void)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOEXEC};
    return syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0, &attr, sizeof(attr));
}

static long change_root(void)
{
    (void)unshare(CLONE_NEWNS); /* the root changes for this process alone */
    (void)mount_tmpfs();
    (void)chdir("/tmp");
    return syscall(SYS_pivot_root, ".", ".");
}

static long chroot_here(void)
{
    return chroot(".");
}

static long unshare_users(void)
{
    return unshare(CLONE_NEWUSER);
}

static long unshare_mounts(void)
{
    return unshare(CLONE_NEWNS);
}

static long clone_with(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid;
}

static long clone_users(void)
{
    return clone_with(CLONE_NEWUSER);
}

static long clone_network(void)
{
    return clone_with(CLONE_NEWNET);
}

static long enter_namespace(void)
{
    return setns(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), CLONE_NEWNET);
}

const struct attempt attempts_on_mounts[] = {
    ATTEMPT("mounts", mount_tmpfs_and_unmount),
    ATTEMPT("mounts", unmount),
    ATTEMPT("mounts", make_root_writable),
    ATTEMPT("mounts", clone_mount),
    ATTEMPT("mounts", move_clone),
    ATTEMPT("mounts", open_file_system),
    ATTEMPT("mounts", configure_file_system),
    ATTEMPT("mounts", mount_file_system),
    ATTEMPT("mounts", pick_file_system),
    ATTEMPT("mounts", change_mount),
    ATTEMPT("mounts", change_root),
    ATTEMPT("mounts", chroot_here),
    ATTEMPT("mounts", unshare_users),
    ATTEMPT("mounts", unshare_mounts),
    ATTEMPT("mounts", clone_users),
    ATTEMPT("mounts", clone_network),
    ATTEMPT("mounts", enter_namespace),
    {0},
};
