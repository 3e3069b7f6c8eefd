/* Linux system calls that not every C library wraps. With glibc, glibc's own wrappers are used. For
 * other libraries (musl 1.2.3 has none of these) this file defines thin wrappers that return what
 * the manual pages of section 2 say, and -1 with errno on failure. For the code that is linked into
 * webhookd-vessel. */
#ifndef WEBHOOKD_BASE_KERNEL_H
#define WEBHOOKD_BASE_KERNEL_H

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Returns the English text of an errno, never NULL. Unlike strerror(3), it neither depends on the
 * locale nor uses storage that threads share. */
static inline const char *kernel_error_text(int errnum)
{
#ifdef __GLIBC__
    const char *text = strerrordesc_np(errnum);
#else
    const char *text = strerror(errnum); /* musl's has both properties unless a locale is set */
#endif
    return text ? text : "unknown error";
}

#ifdef __GLIBC__

#include <sys/pidfd.h>
#include <unistd.h>

#else

#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int close_range(unsigned first, unsigned last, int flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int pidfd_open(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int pidfd_send_signal(int fd, int signal_number, siginfo_t *info, unsigned flags)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, signal_number, info, flags);
}

static inline int statx(int dir_fd, const char *path, int flags, unsigned mask,
                        struct statx *status)
{
    return (int)syscall(SYS_statx, dir_fd, path, flags, mask, status);
}

static inline int open_tree(int dir_fd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

static inline int move_mount(int from_fd, const char *from, int to_fd, const char *to,
                             unsigned flags)
{
    return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int mount_setattr(int dir_fd, const char *path, unsigned flags,
                                struct mount_attr *attr, size_t bytes)
{
    return (int)syscall(SYS_mount_setattr, dir_fd, path, flags, attr, bytes);
}

#endif

#endif
