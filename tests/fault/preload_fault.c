/* A disk and a kernel that fail on demand under real programs: preload this library (LD_PRELOAD)
 * and name a file in $FAULT_RULES. While that file exists, each of its lines is a rule, and the
 * first one that matches a call decides:
 *
 *     fdatasync 5 *.db-wal        fdatasync on a file whose path matches the pattern (fnmatch)
 *                                 fails with errno 5
 *     fdatasync hold *.db-wal     it waits as long as the rule exists
 *     pidfd_open 38 *             a call without a file has the path ""
 *     fstatfs nfs *               the file system is NFS
 *
 * Calls: fsync, fdatasync, write, pwrite, fchown, fstatfs, pidfd_open, pthread_create, accept4.
 * Replace the file by rename, so that no call reads half a rule. */
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HOLD          (-1)
#define NFS           (-2) /* not a failure: fstatfs alone knows it */
#define NO_FILE       (-2)
#define LOOK_EVERY_US 1000

static int path_of(int fd, char path[PATH_MAX])
{
    if (fd == NO_FILE) {
        path[0] = '\0';
        return 0;
    }
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link, path, PATH_MAX - 1);
    if (bytes < 0)
        return -1;
    path[bytes] = '\0';
    return 0;
}

static int read_action(const char *action)
{
    return strcmp(action, "hold") == 0 ? HOLD : strcmp(action, "nfs") == 0 ? NFS : atoi(action);
}

/* Returns 0 to let the call through, HOLD, NFS, or the errno to fail with. */
static int rule_for(const char *call, int fd)
{
    const char *rules = getenv("FAULT_RULES");
    FILE *file = rules ? fopen(rules, "re") : NULL;
    if (!file)
        return 0;
    char path[PATH_MAX], line[512], name[32], action[32], pattern[256];
    int decision = 0;
    int known = path_of(fd, path) == 0;
    while (known && decision == 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "%31s %31s %255s", name, action, pattern) == 3 &&
            strcmp(name, call) == 0 && fnmatch(pattern, path, 0) == 0)
            decision = read_action(action);
    fclose(file);
    return decision;
}

/* Returns 0, or -1 with errno set if the call must fail. */
static int check(const char *call, int fd)
{
    int errnum = errno;
    int decision;
    while ((decision = rule_for(call, fd)) == HOLD)
        usleep(LOOK_EVERY_US);
    errno = decision == 0 ? errnum : decision;
    return decision == 0 ? 0 : -1;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

#define REAL(name) ((__typeof__(&name))real(#name))

int fsync(int fd)
{
    return check("fsync", fd) != 0 ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return check("fdatasync", fd) != 0 ? -1 : REAL(fdatasync)(fd);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    return check("write", fd) != 0 ? -1 : REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return check("pwrite", fd) != 0 ? -1 : REAL(pwrite)(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    return check("pwrite", fd) != 0 ? -1 : REAL(pwrite64)(fd, bytes, count, offset);
}

int fchown(int fd, uid_t user, gid_t group)
{
    return check("fchown", fd) != 0 ? -1 : REAL(fchown)(fd, user, group);
}

int fstatfs(int fd, struct statfs *status)
{
    int result = REAL(fstatfs)(fd, status);
    if (result == 0 && rule_for("fstatfs", fd) == NFS)
        status->f_type = NFS_SUPER_MAGIC;
    return result;
}

int pidfd_open(pid_t pid, unsigned flags)
{
    return check("pidfd_open", NO_FILE) != 0 ? -1 : REAL(pidfd_open)(pid, flags);
}

int accept4(int fd, struct sockaddr *address, socklen_t *bytes, int flags)
{
    return check("accept4", NO_FILE) == 0 ? REAL(accept4)(fd, address, bytes, flags) : -1;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *),
                   void *argument)
{
    int errnum = errno;
    if (check("pthread_create", NO_FILE) == 0)
        return REAL(pthread_create)(thread, attributes, main, argument);
    int failure = errno;
    errno = errnum;
    return failure;
}
