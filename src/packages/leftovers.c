/* See leftovers.h. Called by packages/cache. A supervisor that is found by the pid in its record is
 * trusted only if the record is still locked afterwards, as in runner/attempt. */
#include "packages/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "packages/step.h"
#include "supervisor/record.h"
#include "supervisor/spawn.h"

#define END_LIMIT_MS 10000
#define LOOK_MS      20

/* Calls `each` for every entry of the folder. */
static int each_entry(int dir_fd, int (*each)(const struct cache *, const char *, struct error *),
                      const struct cache *cache, struct error *error)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return error_set_errno(error, errno, "cannot list a folder of \"%s\"", cache->path);
    }
    for (struct dirent *entry; result == 0 && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = each(cache, entry->d_name, error);
    closedir(stream);
    return result;
}

/* ---- supervisors ---- */

static void kill_supervisor(int record_fd)
{
    pid_t pid = record_pid_read(record_fd);
    int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (pidfd < 0)
        return;
    if (record_lock_is_held(record_fd) == 1)
        spawn_kill(pidfd);
    close(pidfd);
}

static int end_supervisor(const struct cache *cache, const char *name, struct error *error)
{
    if (!step_is_record(name))
        return 0;
    int fd = record_open(cache->building_fd, name), held;
    if (fd < 0)
        return 0;
    int64_t until_ms = clock_monotonic_ms() + END_LIMIT_MS;
    while ((held = record_lock_is_held(fd)) == 1 && clock_monotonic_ms() < until_ms) {
        kill_supervisor(fd);
        (void)poll(NULL, 0, LOOK_MS); /* the end of a lock cannot be awaited with a limit */
    }
    close(fd);
    if (held == 1)
        return error_set(error, ERROR_UNAVAILABLE,
                         "an installation of packages that an earlier webhookd began does not end");
    return 0;
}

/* ---- trees ---- */

static int remove_building(const struct cache *cache, const char *name, struct error *error)
{
    return file_remove_tree(cache->building_fd, name, error);
}

/* packages.dir may contain what is not ours: only folders with names that webhookd gives are
 * removed. */
static int remove_incomplete(const struct cache *cache, const char *name, struct error *error)
{
    struct stat status;
    if (!cache_is_key(name) || fstatat(cache->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(status.st_mode) || cache_has(cache, name))
        return 0;
    log_info("incomplete package environment removed", log_text("name", name));
    return file_remove_tree(cache->fd, name, error);
}

int leftovers_remove(const struct cache *cache, struct error *error)
{
    return each_entry(cache->building_fd, end_supervisor, cache, error) != 0 ||
                   each_entry(cache->building_fd, remove_building, cache, error) != 0 ||
                   each_entry(cache->fd, remove_incomplete, cache, error) != 0
               ? -1
               : 0;
}
