/* See cache.h. Called by packages/installer on the runner's thread (cache_use), and by
 * the other files of this folder on threads that may block. */
#include "packages/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "packages/leftovers.h"

#define USE_NOTED_S 3600 /* the last use is noted once in that time */

/* ---- the folder ---- */

/* Vessels of any user must be able to enter it, whatever webhookd's umask is. */
static int open_root(const char *path, struct error *error)
{
    bool is_new = mkdir(path, 0755) == 0;
    if (!is_new && errno != EEXIST)
        return error_set_errno(error, errno, "packages.dir: cannot create \"%s\"", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (is_new && fchmod(fd, 0755) != 0))
        error_set_errno(error, errno, "packages.dir: cannot open \"%s\"", path);
    if (!error_is_set(error))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Two daemons would take each other's work for leftovers. */
static int lock_root(const struct cache *cache, struct error *error)
{
    int fd = openat(cache->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "packages.dir: cannot open \"%s/lock\"", cache->path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int errnum = errno;
    close(fd);
    if (errnum != EWOULDBLOCK)
        return error_set_errno(error, errnum, "packages.dir: cannot lock \"%s/lock\"", cache->path);
    return error_set(error, ERROR_CONFLICT,
                     "packages.dir: another webhookd uses \"%s\"; give each its own folder",
                     cache->path);
}

int cache_open(struct cache *cache, const char *path, struct error *error)
{
    *cache = (struct cache){.fd = -1, .building_fd = -1, .logs_fd = -1, .lock_fd = -1};
    cache->path = memory_string(path);
    cache->fd = open_root(path, error);
    if (cache->fd >= 0)
        cache->lock_fd = lock_root(cache, error);
    if (cache->lock_fd >= 0)
        cache->building_fd = file_open_folder(cache->fd, "building", 0700, error);
    if (cache->building_fd >= 0)
        cache->logs_fd = file_open_folder(cache->fd, "logs", 0700, error);
    if (cache->logs_fd >= 0 && leftovers_remove(cache, error) == 0)
        return 0;
    cache_close(cache);
    return -1;
}

void cache_close(struct cache *cache)
{
    if (!cache->path)
        return;
    const int fds[] = {cache->fd, cache->building_fd, cache->logs_fd, cache->lock_fd};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(cache->path);
    *cache = (struct cache){.fd = -1};
}

/* ---- environments ---- */

bool cache_is_key(const char *name)
{
    return strspn(name, "0123456789abcdef") == INSTALLER_KEY_BYTES - 1 &&
           name[INSTALLER_KEY_BYTES - 1] == '\0';
}

int cache_open_ready(const struct cache *cache, const char *key)
{
    char name[INSTALLER_KEY_BYTES + sizeof("/ready")];
    (void)snprintf(name, sizeof(name), "%.64s/ready", key);
    return openat(cache->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

bool cache_has(const struct cache *cache, const char *key)
{
    int fd = cache_open_ready(cache, key);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The time of `ready` is that of the last use. */
static void note_use(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && clock_wall_ms() / 1000 - status.st_mtime > USE_NOTED_S)
        (void)futimens(fd, NULL);
}

int cache_use(const struct cache *cache, const char *key, struct error *error)
{
    int fd = cache_open_ready(cache, key);
    if (fd < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot open the package environment %s", key);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0 && cache_has(cache, key)) {
        note_use(fd);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return error_set(error, ERROR_NOT_FOUND, "the package environment %s has been removed", key);
}

/* ---- places ---- */

int cache_place_open(const struct cache *cache, const char *name, const struct installer_user *user,
                     struct cache_place *place, struct error *error)
{
    *place = (struct cache_place){.fd = -1};
    (void)snprintf(place->name, sizeof(place->name), "%s", name);
    place->path = memory_format("%s/%s", cache->path, name);
    place->parent_fd = user->is_strict ? cache->building_fd : cache->fd;
    if (file_remove_tree(place->parent_fd, name, error) == 0)
        place->fd = file_open_folder(place->parent_fd, name, 0755, error);
    if (place->fd >= 0 && user->change && fchown(place->fd, user->uid, user->gid) != 0)
        error_set_errno(error, errno, "cannot give \"%s\" to user \"%s\"", place->path, user->name);
    if (!error_is_set(error))
        return 0;
    cache_place_close(place);
    return -1;
}

void cache_place_close(struct cache_place *place)
{
    struct error ignored = ERROR_INIT; /* the next start removes what is left */
    if (place->fd >= 0)
        close(place->fd);
    if (place->parent_fd >= 0)
        (void)file_remove_tree(place->parent_fd, place->name, &ignored);
    free(place->path);
    *place = (struct cache_place){.fd = -1, .parent_fd = -1};
}

static int write_ready(const struct cache_place *place, int64_t bytes, struct error *error)
{
    char text[32];
    int count = snprintf(text, sizeof(text), "%lld\n", (long long)bytes);

    int fd = openat(place->fd, "ready", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create \"%s/ready\"", place->path);
    int result = file_write_all(fd, text, (size_t)count) != 0 || fchmod(fd, 0644) != 0
                     ? error_set_errno(error, errno, "cannot write \"%s/ready\"", place->path)
                     : file_sync(fd, "ready", error);
    close(fd);
    return result != 0 ? -1 : file_sync(place->fd, place->path, error);
}

/* In a sandbox an empty folder may have been the mount point. It is replaced. */
static int move(const struct cache *cache, const struct cache_place *place, struct error *error)
{
    if (place->parent_fd == cache->fd)
        return 0;
    if (renameat(place->parent_fd, place->name, cache->fd, place->name) != 0)
        return error_set_errno(error, errno, "cannot move the package environment to \"%s\"",
                               place->path);
    return 0;
}

int cache_publish(const struct cache *cache, struct cache_place *place, int64_t bytes,
                  struct error *error)
{
    if (syncfs(place->fd) != 0)
        return error_set_errno(error, errno, "cannot sync \"%s\"", place->path);
    if (write_ready(place, bytes, error) != 0 || move(cache, place, error) != 0 ||
        file_sync(cache->fd, cache->path, error) != 0)
        return -1;
    place->parent_fd = -1; /* it stays */
    return 0;
}

/* ---- logs ---- */

int cache_open_log(const struct cache *cache, const char *name, struct error *error)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(cache->logs_fd, name, flags, 0600);
    if (fd < 0)
        error_set_errno(error, errno, "cannot create \"%s/logs/%s\"", cache->path, name);
    return fd;
}
