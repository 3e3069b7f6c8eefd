/* See hand_over.h. Called by packages/install on an installer's thread. */
#include "packages/hand_over.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVELS       100 /* each needs a descriptor and a frame of the stack */
#define SECTOR_BYTES 512 /* the unit of st_blocks */

struct taken {
    int level;     /* of folders; 0 = the top */
    int64_t bytes; /* that the entries occupy */
};

static int hand_over_folder(int dir_fd, struct taken *taken, struct error *error);

static int take(int fd, const char *name, mode_t mode, struct error *error)
{
    if (fchown(fd, geteuid(), getegid()) != 0 || fchmod(fd, mode) != 0)
        return error_set_errno(error, errno, "cannot take over \"%s\"", name);
    return 0;
}

static int take_link(int dir_fd, const char *name, struct error *error)
{
    if (fchownat(dir_fd, name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW) != 0)
        return error_set_errno(error, errno, "cannot take over the link \"%s\"", name);
    return 0;
}

/* A file with a second name may be one that webhookd must not give away. */
static int take_opened(int fd, const char *name, struct taken *taken, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set_errno(error, errno, "cannot examine \"%s\"", name);
    taken->bytes += (int64_t)status.st_blocks * SECTOR_BYTES;
    if (S_ISDIR(status.st_mode))
        return hand_over_folder(fd, taken, error);
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1)
        return error_set(error, ERROR_INVALID, "the packages contain \"%.100s\", which is %s", name,
                         S_ISREG(status.st_mode) ? "a hard link" : "no file, folder or link");
    return take(fd, name, (status.st_mode & 0111) != 0 ? 0755 : 0644, error);
}

/* Without root, the owner may have no right to open his own entry yet. */
static int open_entry(int dir_fd, const char *name)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(dir_fd, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
        fd = openat(dir_fd, name, flags);
    return fd;
}

static int take_entry(int dir_fd, const char *name, struct taken *taken, struct error *error)
{
    int fd = open_entry(dir_fd, name);
    if (fd < 0 && errno == ELOOP)
        return take_link(dir_fd, name, error);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open \"%s\"", name);
    int result = take_opened(fd, name, taken, error);
    close(fd);
    return result;
}

static int hand_over_folder(int dir_fd, struct taken *taken, struct error *error)
{
    if (taken->level > LEVELS)
        return error_set(error, ERROR_INVALID, "the packages contain over %d levels of folders",
                         LEVELS);
    int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_set_errno(error, errno, "cannot list a folder of packages");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    rewinddir(stream);
    int result = take(dir_fd, ".", 0755, error);
    taken->level++;
    for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = take_entry(dir_fd, entry->d_name, taken, error);
    closedir(stream);
    taken->level--;
    return result;
}

int hand_over_tree(int dir_fd, int64_t *bytes, struct error *error)
{
    struct taken taken = {.level = 0};
    int result = hand_over_folder(dir_fd, &taken, error);
    *bytes += taken.bytes;
    return result;
}
