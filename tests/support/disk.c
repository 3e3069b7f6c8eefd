#include "support/disk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/types.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/janitor.h"
#include "support/suite.h"

/* from linux/ext4.h of newer kernels */
#define EXT4_IOC_SHUTDOWN           _IOR('X', 125, __u32)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

#define BALLAST "ballast"
#define CROWD   "crowd"

/* Returns the exit status; 127 if the program does not exist. Discards the output. */
static int run(const char *const argv[])
{
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        const char *path = getenv("PATH");
        char *longer = memory_format("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
        setenv("PATH", longer, 1);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The tests run as root, so no blocks are reserved for root. */
static bool make_image(struct disk *disk, size_t size_mib)
{
    const char *const mkfs[] = {"mkfs.ext4", "-q", "-F", "-m", "0", disk->image, NULL};
    int fd = open(disk->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool sized = fd >= 0 && ftruncate(fd, (off_t)size_mib << 20) == 0;
    if (fd >= 0)
        close(fd);
    return sized && run(mkfs) == 0;
}

static bool try_mount(struct disk *disk, size_t size_mib)
{
    if (disk->kind == DISK_TMPFS) {
        char *size = memory_format("size=%zum,mode=0755", size_mib);
        int result = mount("tmpfs", disk->mount, "tmpfs", 0, size);
        free(size);
        return result == 0;
    }
    const char *const argv[] = {"mount",     "-o",        "loop,errors=remount-ro",
                                disk->image, disk->mount, NULL};
    return run(argv) == 0;
}

bool disk_begin(struct disk *disk, enum disk_kind kind, size_t size_mib)
{
    memset(disk, 0, sizeof(*disk));
    if (geteuid() != 0) {
        test_skip("mounting a disk needs root");
        return false;
    }
    disk->kind = kind;
    /* The test gets its own mount namespace: a copy of the mount in another test's namespace would
     * keep the file system alive after it was cut off. */
    ck_assert_msg(unshare(CLONE_NEWNS) == 0 &&
                      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
                  "cannot create a mount namespace: %s", strerror(errno));
    strcpy(disk->folder, "/tmp/webhookd-disk-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(disk->folder));
    janitor_watch(disk->folder);
    snprintf(disk->mount, sizeof(disk->mount), "%s/mount", disk->folder);
    snprintf(disk->state_dir, sizeof(disk->state_dir), "%s/state", disk->mount);
    snprintf(disk->image, sizeof(disk->image), "%s/image", disk->folder);
    ck_assert_int_eq(mkdir(disk->mount, 0755), 0);
    if ((kind == DISK_TMPFS || make_image(disk, size_mib)) && try_mount(disk, size_mib))
        return true;
    disk_finish(disk);
    test_skip("cannot create and mount a disk here; mkfs.ext4 and loop devices are needed");
    return false;
}

void disk_mount(struct disk *disk)
{
    ck_assert_msg(try_mount(disk, 0), "cannot mount %s", disk->image);
}

/* The processes that had it open have ended, but the kernel may need a moment to notice. */
void disk_unmount(struct disk *disk)
{
    for (int tries = 0; umount2(disk->mount, 0) != 0; tries++) {
        ck_assert_msg(errno == EBUSY && tries < 500, "cannot unmount %s: %s", disk->mount,
                      strerror(errno));
        usleep(10000);
    }
}

void disk_finish(struct disk *disk)
{
    struct error error = ERROR_INIT;
    janitor_unmount(disk->folder);
    if (file_remove_tree(AT_FDCWD, disk->folder, &error) != 0)
        fprintf(stderr, "cannot remove %s: %s\n", disk->folder, error.message);
}

void disk_cut_power(struct disk *disk)
{
    __u32 flags = EXT4_GOING_FLAGS_NOLOGFLUSH;
    int fd = open(disk->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_msg(fd >= 0 && ioctl(fd, EXT4_IOC_SHUTDOWN, &flags) == 0, "cannot cut the power: %s",
                  strerror(errno));
    close(fd);
}

bool disk_become_read_only(struct disk *disk)
{
    struct stat status;
    ck_assert_int_eq(stat(disk->mount, &status), 0);
    char *link = memory_format("/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
    char device[PATH_MAX];
    bool known = realpath(link, device);
    free(link);
    if (!known)
        return false;
    char *trigger = memory_format("/sys/fs/ext4/%s/trigger_fs_error", basename(device));
    int fd = open(trigger, O_WRONLY | O_CLOEXEC);
    free(trigger);
    if (fd < 0)
        return false;
    bool written = write(fd, "test", 4) == 4;
    close(fd);
    return written;
}

void disk_fill(struct disk *disk)
{
    static char block[1 << 16];
    char *path = memory_format("%s/" BALLAST, disk->mount);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    for (size_t bytes = sizeof(block); bytes > 0; bytes /= 2)
        while (write(fd, block, bytes) > 0)
            ;
    ck_assert_int_eq(errno, ENOSPC);
    (void)fsync(fd); /* forces delayed allocations */
    while (write(fd, block, 1) > 0)
        ;
    close(fd);
    free(path);
}

void disk_make_room(struct disk *disk)
{
    char *path = memory_format("%s/" BALLAST, disk->mount);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    int fd = open(disk->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Makes the freed blocks available. */
    ck_assert_msg(fd >= 0 && syncfs(fd) == 0, "cannot sync %s", disk->mount);
    close(fd);
}

void disk_fill_inodes(struct disk *disk)
{
    char *path = memory_format("%s/" CROWD, disk->mount);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
    char name[16];
    int count = 0;
    do
        (void)snprintf(name, sizeof(name), "%d", count++);
    while (mknodat(folder, name, S_IFREG | 0600, 0) == 0);
    ck_assert_int_eq(errno, ENOSPC);
    close(folder);
    free(path);
}

void disk_make_room_for_inodes(struct disk *disk)
{
    struct error error = ERROR_INIT;
    char *path = memory_format("%s/" CROWD, disk->mount);
    ck_assert_msg(file_remove_tree(AT_FDCWD, path, &error) == 0, "%s", error.message);
    free(path);
}
