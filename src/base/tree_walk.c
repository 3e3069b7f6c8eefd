/* A depth-first walk with one descriptor for each level. Called by runner/disk_watch and by
 * packages/step on their threads.
 *
 * The kernel's position in each open folder makes sure that no entry is counted twice, whatever
 * happens in the folder meanwhile. It could not be kept in any other way: positions of a folder
 * that was closed and opened again are not stable on every file system, and ".." may lead out of
 * the tree if the folder was moved. Hence the bound on levels. */
#include "base/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_BYTES 512 /* the unit of stx_blocks */

enum { ENTRIES_BYTES = 2048 }; /* some sixty names of usual length */

struct tree_level {
    struct tree_level *outer;
    int fd;
    size_t at, end; /* what is left in `entries` */
    alignas(struct dirent64) char entries[ENTRIES_BYTES];
};

static void add(struct tree_walk *walk, const struct statx *status)
{
    int64_t bytes = (int64_t)status->stx_blocks * SECTOR_BYTES;
    int64_t links =
        S_ISDIR(status->stx_mode) || status->stx_nlink == 0 ? 1 : (int64_t)status->stx_nlink;
    walk->size.bytes += (bytes + links - 1) / links;
}

static int examine(int dir_fd, const char *name, struct statx *status)
{
    return statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT,
                 STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_BLOCKS | STATX_MNT_ID, status);
}

/* A webhookd without root may enter a folder only if its owner, the vessel, may. Gives the owner
 * that right, so that nothing can be hidden in a folder. */
static void let_owner_enter(int dir_fd, const char *name)
{
    struct statx status;
    if (examine(dir_fd, name, &status) != 0 || !S_ISDIR(status.stx_mode))
        return;
    mode_t mode = (status.stx_mode & 07777) | 0500;
    int ignored = fchmodat(dir_fd, name, mode, AT_SYMLINK_NOFOLLOW); /* opening it shows the rest */
    (void)ignored;
}

static int open_folder(int dir_fd, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(dir_fd, name, flags);
    if (fd < 0 && errno == EACCES) {
        let_owner_enter(dir_fd, name);
        fd = openat(dir_fd, name, flags);
    }
    return fd;
}

static bool is_shortage(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM;
}

static bool is_on_mount(const struct tree_walk *walk, const struct statx *status)
{
    return status->stx_dev_major == walk->device_major &&
           status->stx_dev_minor == walk->device_minor &&
           ((status->stx_mask & STATX_MNT_ID) == 0 || status->stx_mnt_id == walk->mount_id);
}

static enum tree_walk_progress push(struct tree_walk *walk, int fd)
{
    struct tree_level *level = malloc(sizeof(*level));
    if (!level) {
        close(fd);
        return TREE_WALK_FAILED;
    }
    level->outer = walk->innermost;
    level->fd = fd;
    level->at = level->end = 0;
    walk->innermost = level;
    walk->depth++;
    return TREE_WALK_GOES_ON;
}

static void pop(struct tree_walk *walk)
{
    struct tree_level *level = walk->innermost;
    walk->innermost = level->outer;
    walk->depth--;
    close(level->fd);
    free(level);
}

/* A folder that vanished, was replaced, or is of another mount counts nothing. */
static enum tree_walk_progress enter(struct tree_walk *walk, int dir_fd, const char *name)
{
    struct statx status;
    int fd = open_folder(dir_fd, name);
    if (fd < 0)
        return is_shortage(errno) ? TREE_WALK_FAILED : TREE_WALK_GOES_ON;
    if (examine(fd, "", &status) != 0) {
        close(fd);
        return TREE_WALK_FAILED;
    }
    if (walk->depth == 0) {
        walk->device_major = status.stx_dev_major;
        walk->device_minor = status.stx_dev_minor;
        walk->mount_id = status.stx_mnt_id;
    }
    if (!is_on_mount(walk, &status) || walk->depth == TREE_WALK_LEVELS) {
        close(fd);
        return is_on_mount(walk, &status) ? TREE_WALK_TOO_DEEP : TREE_WALK_GOES_ON;
    }
    if ((status.stx_mode & 0500) != 0500 && geteuid() != 0)
        (void)fchmod(fd, (status.stx_mode & 07777) | 0500); /* as in let_owner_enter */
    add(walk, &status);
    walk->size.names++;
    return push(walk, fd);
}

static enum tree_walk_progress take(struct tree_walk *walk, const struct dirent64 *entry)
{
    int dir_fd = walk->innermost->fd;
    struct statx status;
    if (entry->d_type == DT_DIR)
        return enter(walk, dir_fd, entry->d_name);
    if (examine(dir_fd, entry->d_name, &status) != 0)
        return is_shortage(errno) ? TREE_WALK_FAILED : TREE_WALK_GOES_ON; /* it vanished */
    if (S_ISDIR(status.stx_mode)) /* the file system reports no types, or a file was replaced */
        return enter(walk, dir_fd, entry->d_name);
    add(walk, &status);
    walk->size.names++;
    return TREE_WALK_GOES_ON;
}

/* Returns the next entry of the innermost folder, or NULL at its end, or if it cannot be read. */
static const struct dirent64 *next_entry(struct tree_level *level)
{
    if (level->at == level->end) {
        ssize_t bytes = getdents64(level->fd, level->entries, sizeof(level->entries));
        if (bytes <= 0)
            return NULL;
        level->at = 0;
        level->end = (size_t)bytes;
    }
    const struct dirent64 *entry = (const void *)(level->entries + level->at);
    level->at += entry->d_reclen;
    return entry;
}

enum tree_walk_progress tree_walk_begin(struct tree_walk *walk, int dir_fd, const char *name)
{
    *walk = (struct tree_walk){.innermost = NULL};
    enum tree_walk_progress progress = enter(walk, dir_fd, name);
    return progress == TREE_WALK_GOES_ON && walk->depth == 0 ? TREE_WALK_DONE : progress;
}

enum tree_walk_progress tree_walk_go_on(struct tree_walk *walk, int64_t *budget)
{
    enum tree_walk_progress progress = TREE_WALK_GOES_ON;
    while (progress == TREE_WALK_GOES_ON && *budget > 0) {
        if (!walk->innermost) {
            progress = TREE_WALK_DONE;
            break;
        }
        const struct dirent64 *entry = next_entry(walk->innermost);
        (*budget)--;
        if (!entry)
            pop(walk);
        else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            progress = take(walk, entry);
    }
    if (progress != TREE_WALK_GOES_ON)
        tree_walk_end(walk);
    return progress;
}

void tree_walk_end(struct tree_walk *walk)
{
    while (walk->innermost)
        pop(walk);
}
