/* Files and folders by descriptor. Called by every layer that touches a disk, and by webhookctl;
 * never on a hook worker. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/memory.h"

enum { READ_BYTES = 16384 };

int file_write_all(int fd, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t written = write(fd, at, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written == 0 ? EIO : errno; /* no progress: repeating it would never end */
            return -1;
        }
        at += written;
        bytes -= (size_t)written;
    }
    return 0;
}

ssize_t file_read_all(int fd, void *data, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        ssize_t count = read(fd, (char *)data + got, bytes - got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        got += (size_t)count;
    }
    return (ssize_t)got;
}

static int read_to_end(int fd, const char *path, size_t limit_bytes, struct buffer *into,
                       struct error *error)
{
    char piece[READ_BYTES];
    size_t total = 0;
    for (;;) {
        ssize_t bytes = file_read_all(fd, piece, sizeof(piece));
        if (bytes < 0)
            return error_set_errno(error, errno, "cannot read \"%s\"", path);
        if (bytes == 0)
            return 0;
        total += (size_t)bytes;
        if (total > limit_bytes)
            return error_set(error, ERROR_INVALID, "\"%s\" is longer than %zu bytes", path,
                             limit_bytes);
        if (buffer_append(into, piece, (size_t)bytes) != 0)
            return error_set(error, ERROR_INTERNAL, "not enough memory to read \"%s\"", path);
    }
}

int file_read(int dir_fd, const char *path, size_t limit_bytes, struct buffer *into,
              struct error *error)
{
    /* O_NONBLOCK: opening a pipe that has no writer must not block. */
    int fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(error, ERROR_NOT_FOUND, "cannot open \"%s\": No such file or directory",
                         path);
    if (fd < 0 && errno == ENXIO) /* a socket, or a device without a driver */
        return error_set(error, ERROR_INVALID, "\"%s\" is not a regular file", path);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open \"%s\"", path);

    int result = -1;
    size_t bytes_before = into->bytes;
    struct stat status;
    if (fstat(fd, &status) != 0)
        error_set_errno(error, errno, "cannot examine \"%s\"", path);
    else if (!S_ISREG(status.st_mode))
        error_set(error, ERROR_INVALID, "\"%s\" is not a regular file", path);
    else
        result = read_to_end(fd, path, limit_bytes, into, error);
    if (result != 0)
        into->bytes = bytes_before;
    close(fd);
    return result;
}

int file_in_memory(const void *data, size_t bytes, struct error *error)
{
    int fd = memfd_create("webhookd", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create a memory file");
    if (file_write_all(fd, data, bytes) == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    error_set_errno(error, errno, "cannot write to a memory file");
    close(fd);
    return -1;
}

int file_move_up(int fd, int lowest, struct error *error)
{
    if (fd >= lowest)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (high < 0)
        error_set_errno(error, errno, "cannot duplicate a descriptor");
    close(fd);
    return high;
}

const char *file_system_with_server(int fd)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } kinds[] = {
        {NFS_SUPER_MAGIC, "NFS"},   {CIFS_SUPER_MAGIC, "SMB"}, {SMB2_SUPER_MAGIC, "SMB"},
        {V9FS_MAGIC, "9P"},         {AFS_SUPER_MAGIC, "AFS"},  {CEPH_SUPER_MAGIC, "Ceph"},
        {FUSE_SUPER_MAGIC, "FUSE"},
    };
    struct statfs status;
    if (fstatfs(fd, &status) != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (((unsigned long)status.f_type & 0xFFFFFFFF) == kinds[i].magic)
            return kinds[i].name;
    return NULL;
}

int file_open_folder(int dir_fd, const char *name, mode_t mode, struct error *error)
{
    if (mkdirat(dir_fd, name, mode) != 0 && errno != EEXIST)
        return error_set_errno(error, errno, "cannot create the folder \"%s\"", name);
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the folder \"%s\"", name);
    return fd;
}

int file_folder_holds_any(int dir_fd, const char *name, struct error *error)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_set_errno(error, errno, "cannot read the folder \"%s\"", name);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int holds = 0;
    struct dirent *entry;
    while (!holds && (errno = 0, entry = readdir(stream)))
        holds = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (!holds && errno != 0)
        holds = error_set_errno(error, errno, "cannot read the folder \"%s\"", name);
    closedir(stream);
    return holds;
}

int file_sync(int fd, const char *what, struct error *error)
{
    while (fsync(fd) != 0)
        if (errno != EINTR)
            return error_set_errno(error, errno, "cannot sync \"%s\"", what);
    return 0;
}

/* ---- removing a tree ----
 *
 * A walk with an explicit stack of open folders, at most LEVELS deep. A folder below that is first
 * moved up into the top folder, under a new name, and found there again later. Descriptors, memory
 * and stack therefore stay bounded for any tree that a vessel has built, and no path is followed
 * twice by name. An entry that cannot be removed is skipped, and the first of them is reported; the
 * rest is still removed. */

enum { LEVELS = 32 };

struct level {
    DIR *stream;
    char name[NAME_MAX + 1]; /* in the level above */
};

struct removal {
    struct level levels[LEVELS];
    int depth;          /* levels in use; 0 = done */
    uint64_t moved;     /* folders moved up so far, and the number in the next name */
    bool top_is_stale;  /* a folder was moved up since the top's stream was last at its start */
    struct statx mount; /* of the folder that holds the tree */
    struct error *error;
};

static bool is_same_mount(const struct statx *a, const struct statx *b)
{
    if (a->stx_dev_major != b->stx_dev_major || a->stx_dev_minor != b->stx_dev_minor)
        return false;
    bool known = (a->stx_mask & b->stx_mask & STATX_MNT_ID) != 0;
    return !known || a->stx_mnt_id == b->stx_mnt_id;
}

static int examine(int fd, struct statx *status)
{
    return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, status);
}

/* Opens a folder in order to read and empty it. Restores permissions that its owner has removed;
 * with AT_SYMLINK_NOFOLLOW, fchmodat cannot be redirected by a link. */
static int open_for_removal(int dir_fd, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(dir_fd, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        fd = openat(dir_fd, name, flags);
    return fd;
}

static void enter_folder(struct removal *removal, int dir_fd, const char *name)
{
    int fd = open_for_removal(dir_fd, name);
    if (fd < 0) {
        if (errno != ENOENT)
            error_set_errno(removal->error, errno, "cannot open the folder \"%s\" to remove it",
                            name);
        return;
    }
    struct statx status;
    DIR *stream = NULL;
    if (examine(fd, &status) != 0) {
        error_set_errno(removal->error, errno, "cannot examine the folder \"%s\"", name);
    } else if (!is_same_mount(&status, &removal->mount)) {
        error_set(removal->error, ERROR_INTERNAL,
                  "the folder \"%s\" is a mount point and was not removed", name);
    } else {
        if ((status.stx_mode & 0700) != 0700)
            (void)fchmod(fd, 0700); /* if this fails and matters, removing the entries reports it */
        stream = fdopendir(fd);
        if (!stream)
            error_set_errno(removal->error, errno, "cannot read the folder \"%s\"", name);
    }
    if (!stream) {
        close(fd);
        return;
    }
    struct level *level = &removal->levels[removal->depth++];
    level->stream = stream;
    (void)snprintf(level->name, sizeof(level->name), "%s", name);
}

static void move_to_top(struct removal *removal, int dir_fd, const char *name)
{
    int top_fd = dirfd(removal->levels[0].stream);
    for (;;) {
        char moved_name[32];
        (void)snprintf(moved_name, sizeof(moved_name), "removed-%llu",
                       (unsigned long long)removal->moved++);
        if (renameat(dir_fd, name, top_fd, moved_name) == 0)
            break;
        if (errno == EACCES && fchmodat(dir_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0 &&
            renameat(dir_fd, name, top_fd, moved_name) == 0)
            break;
        /* The name is taken by a file or by a folder with entries. An empty folder is replaced,
         * which does no harm. */
        if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
            continue;
        error_set_errno(removal->error, errno, "cannot move the folder \"%s\" to remove it", name);
        return;
    }
    removal->top_is_stale = true;
}

static void remove_entry(struct removal *removal, const struct dirent *entry)
{
    int fd = dirfd(removal->levels[removal->depth - 1].stream);
    const char *name = entry->d_name;
    if (entry->d_type != DT_DIR) {
        if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
            return;
        if (errno != EISDIR) {
            error_set_errno(removal->error, errno, "cannot remove \"%s\"", name);
            return;
        }
    }
    if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return;
    if (errno != ENOTEMPTY && errno != EEXIST)
        error_set_errno(removal->error, errno, "cannot remove the folder \"%s\"", name);
    else if (removal->depth < LEVELS)
        enter_folder(removal, fd, name);
    else
        move_to_top(removal, fd, name);
}

/* Called when the innermost folder has been read to its end. */
static void leave_folder(struct removal *removal, int parent_fd)
{
    if (removal->depth == 1 && removal->top_is_stale) {
        rewinddir(removal->levels[0].stream);
        removal->top_is_stale = false;
        return;
    }
    struct level *level = &removal->levels[--removal->depth];
    closedir(level->stream);
    int above_fd =
        removal->depth > 0 ? dirfd(removal->levels[removal->depth - 1].stream) : parent_fd;
    if (unlinkat(above_fd, level->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        error_set_errno(removal->error, errno, "cannot remove the folder \"%s\"", level->name);
}

static bool is_to_stop(const atomic_bool *stop)
{
    return stop && atomic_load(stop);
}

static void leave_all(struct removal *removal)
{
    while (removal->depth > 0)
        closedir(removal->levels[--removal->depth].stream);
    error_set(removal->error, ERROR_UNAVAILABLE, "the removal was stopped");
}

static int remove_folder(int parent_fd, const char *name, const atomic_bool *stop,
                         struct error *error)
{
    struct removal *removal = memory_alloc(sizeof(*removal));
    removal->error = error;
    if (examine(parent_fd, &removal->mount) != 0) {
        error_set_errno(error, errno, "cannot examine the folder that holds \"%s\"", name);
        goto out;
    }
    enter_folder(removal, parent_fd, name);
    while (removal->depth > 0) {
        if (is_to_stop(stop)) {
            leave_all(removal);
            break;
        }
        errno = 0;
        struct dirent *entry = readdir(removal->levels[removal->depth - 1].stream);
        if (!entry) {
            if (errno != 0)
                error_set_errno(error, errno, "cannot read the folder \"%s\"",
                                removal->levels[removal->depth - 1].name);
            leave_folder(removal, parent_fd);
        } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            remove_entry(removal, entry);
        }
    }
out:
    free(removal);
    return error_is_set(error) ? -1 : 0;
}

static int remove_below(int parent_fd, const char *name, const atomic_bool *stop,
                        struct error *error)
{
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(error, ERROR_INVALID,
                         "cannot remove \"%s\": not the name of a file or folder", name);
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return error_set_errno(error, errno, "cannot remove \"%s\"", name);
    return remove_folder(parent_fd, name, stop, error);
}

int file_remove_tree(int dir_fd, const char *name, struct error *error)
{
    return file_remove_tree_until(dir_fd, name, NULL, error);
}

int file_remove_tree_until(int dir_fd, const char *name, const atomic_bool *stop,
                           struct error *error)
{
    struct error own = ERROR_INIT;
    const char *slash = strrchr(name, '/');
    int result;
    if (!slash && dir_fd != AT_FDCWD) {
        result = remove_below(dir_fd, name, stop, &own);
    } else {
        char *folder = !slash          ? memory_string(".")
                       : slash == name ? memory_string("/")
                                       : memory_string_n(name, (size_t)(slash - name));
        int parent_fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(folder);
        if (parent_fd < 0 && errno == ENOENT)
            return 0;
        if (parent_fd < 0)
            return error_set_errno(error, errno, "cannot open the folder that holds \"%s\"", name);
        result = remove_below(parent_fd, !slash ? name : slash + 1, stop, &own);
        close(parent_fd);
    }
    return result == 0 ? 0 : error_set(error, own.kind, "%s", own.message);
}
