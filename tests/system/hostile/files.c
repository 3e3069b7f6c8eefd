/* Attempts on files, and on the descriptors of other processes. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile/hostile.h"

/* ---- files ---- */

static long read_secret(void)
{
    return read_some(given("SECRET"));
}

static long read_shadow(void)
{
    return read_some("/etc/shadow");
}

static long list_home_of_root(void)
{
    return list("/root");
}

static long list_devices_of_kernel(void)
{
    return list("/sys/kernel");
}

static long open_kernel_log(void)
{
    return open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
}

/* A file without a name: nothing is left where this succeeds. */
static long create_in_usr(void)
{
    return open("/usr", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static long create_in_etc(void)
{
    return open("/etc", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static long create_in_root(void)
{
    return open("/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static long create_disk_node(void)
{
    long result = mknod("disk", S_IFBLK | 0600, 0x0100);
    if (result == 0)
        unlink("disk");
    return result;
}

static long list_root_of_pid_1(void)
{
    return list("/proc/1/root");
}

static long open_sysctl(void)
{
    return open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC);
}

static long open_core_pattern(void)
{
    return open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
}

static long open_by_handle(void)
{
    struct {
        struct file_handle head;
        char bytes[MAX_HANDLE_SZ];
    } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
    int mount_id, folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || name_to_handle_at(folder, "", &handle.head, &mount_id, AT_EMPTY_PATH) != 0)
        return -1;
    return open_by_handle_at(folder, &handle.head, O_RDONLY | O_CLOEXEC);
}

/* ---- descriptors ---- */

static long find_inherited(void)
{
    for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return fd;
    return -1;
}

static long list_descriptors_of_pid_1(void)
{
    return list("/proc/1/fd");
}

static long open_output_of_pid_1(void)
{
    return open("/proc/1/fd/1", O_WRONLY | O_CLOEXEC);
}

static long take_descriptor_of(pid_t pid)
{
    long pidfd = syscall(SYS_pidfd_open, pid, 0);
    return pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 0, 0);
}

static long take_descriptor_of_pid_1(void)
{
    return take_descriptor_of(1);
}

static long take_own_descriptor(void)
{
    return take_descriptor_of(getpid());
}

static long open_300_files(void)
{
    int fd = 0;
    for (int i = 0; i < 300 && fd >= 0; i++)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd;
}

const struct attempt attempts_on_files[] = {
    ATTEMPT("files", read_secret),
    ATTEMPT("files", read_shadow),
    ATTEMPT("files", list_home_of_root),
    ATTEMPT("files", list_devices_of_kernel),
    ATTEMPT("files", open_kernel_log),
    ATTEMPT("files", create_in_usr),
    ATTEMPT("files", create_in_etc),
    ATTEMPT("files", create_in_root),
    ATTEMPT("files", create_disk_node),
    ATTEMPT("files", list_root_of_pid_1),
    ATTEMPT("files", open_sysctl),
    ATTEMPT("files", open_core_pattern),
    ATTEMPT("files", open_by_handle),
    ATTEMPT("descriptors", find_inherited),
    ATTEMPT("descriptors", list_descriptors_of_pid_1),
    ATTEMPT("descriptors", open_output_of_pid_1),
    ATTEMPT("descriptors", take_descriptor_of_pid_1),
    ATTEMPT("descriptors", take_own_descriptor),
    ATTEMPT("descriptors", open_300_files),
    {0},
};
