/* Opens a path within another root: openat2(2), or a walk where that call is refused. Called by
 * rootfs.c in pid 1 of the sandbox.
 *
 * systemd's RestrictSUIDSGID=, which DynamicUser= implies, answers openat2 with ENOSYS, because a
 * seccomp filter cannot examine arguments that are in memory; older filters of containers answer
 * with EPERM. The walk opens one component after another and never follows a link itself: it reads
 * the link and puts the target in front of the rest of the path. It remembers the folders that it
 * has passed, so ".." returns to one of them, even if the folder has been moved meanwhile. */
#include "supervisor/open_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FOLDERS_MAX = 64, /* ENAMETOOLONG beyond; a path that deep is not shown to vessels */
    LINKS_MAX = 40,   /* ELOOP beyond, as in the kernel */
};

struct walk {
    int root_fd;
    int passed[FOLDERS_MAX]; /* the way from the root to where the walk is */
    size_t depth;
    int links;
    char rest[PATH_MAX]; /* what is still to be walked */
};

static void return_to_root(struct walk *walk)
{
    while (walk->depth > 0)
        close(walk->passed[--walk->depth]);
}

static int fail_with(int errnum)
{
    errno = errnum;
    return -1;
}

/* Takes the next component from the rest. Returns false at the end of the path. */
static bool take_component(struct walk *walk, char name[PATH_MAX])
{
    const char *at = walk->rest + strspn(walk->rest, "/");
    size_t bytes = strcspn(at, "/");
    (void)snprintf(name, PATH_MAX, "%.*s", (int)bytes, at);
    memmove(walk->rest, at + bytes, strlen(at + bytes) + 1);
    return bytes > 0;
}

/* Puts the target of the link fd in front of the rest. Every link of /proc counts as magic: the
 * target that a magic link shows as text is not where it leads. */
static int follow_link(struct walk *walk, int fd)
{
    char target[PATH_MAX], rest[PATH_MAX];
    struct statfs system;
    if (++walk->links > LINKS_MAX || fstatfs(fd, &system) != 0 || system.f_type == PROC_SUPER_MAGIC)
        return fail_with(ELOOP);
    ssize_t bytes = readlinkat(fd, "", target, sizeof(target));
    if (bytes < 0)
        return -1;
    size_t rest_bytes = strlen(walk->rest);
    if ((size_t)bytes + rest_bytes + 1 > sizeof(rest))
        return fail_with(ENAMETOOLONG);
    memcpy(rest, walk->rest, rest_bytes + 1);
    memcpy(walk->rest, target, (size_t)bytes);
    memcpy(walk->rest + bytes, rest, rest_bytes + 1);
    if (target[0] == '/')
        return_to_root(walk);
    return 0;
}

/* Goes to the entry with this name, or follows it if it is a link. */
static int enter(struct walk *walk, const char *name)
{
    struct stat status;
    int from_fd = walk->depth > 0 ? walk->passed[walk->depth - 1] : walk->root_fd;
    int fd = openat(from_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fstat(fd, &status);
    if (result == 0 && !S_ISLNK(status.st_mode)) {
        if (walk->depth < FOLDERS_MAX) {
            walk->passed[walk->depth++] = fd;
            return 0;
        }
        result = fail_with(ENAMETOOLONG);
    } else if (result == 0) {
        result = follow_link(walk, fd);
    }
    int errnum = errno;
    close(fd);
    errno = errnum;
    return result;
}

static int walk_to_end(struct walk *walk)
{
    char name[PATH_MAX];
    while (take_component(walk, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            if (walk->depth > 0)
                close(walk->passed[--walk->depth]);
        } else if (enter(walk, name) != 0) {
            return -1;
        }
    }
    return walk->depth > 0 ? walk->passed[--walk->depth]
                           : openat(walk->root_fd, ".", O_PATH | O_CLOEXEC);
}

static int walk_in_root(int root_fd, const char *path)
{
    struct walk walk = {.root_fd = root_fd};
    if (strlen(path) >= sizeof(walk.rest))
        return fail_with(ENAMETOOLONG);
    (void)snprintf(walk.rest, sizeof(walk.rest), "%s", path);
    int fd = walk_to_end(&walk);
    int errnum = errno;
    return_to_root(&walk);
    errno = errnum;
    return fd;
}

int open_in_root(int root_fd, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk_in_root(root_fd, path) : fd;
}
