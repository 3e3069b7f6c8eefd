/* See clean.h. Called by packages/threads and packages/environments. */
#include "packages/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#define FRESH_MS (10 * 60 * INT64_C(1000))

/* ---- listing ---- */

/* A virtual environment's interpreter is a link to the machine's, which an upgrade may remove. */
static bool is_orphaned(const struct cache *cache, const char *key)
{
    char path[INSTALLER_KEY_BYTES + sizeof("/bin/python")];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%.64s/bin/python", key);
    return fstatat(cache->fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(cache->fd, path, &status, 0) != 0;
}

bool clean_examine(const struct cache *cache, const char *key, struct clean_environment *found)
{
    struct stat status;
    char text[32] = "";
    int fd = cache_open_ready(cache, key);
    if (fd < 0)
        return false;
    bool is_known = fstat(fd, &status) == 0 && file_read_all(fd, text, sizeof(text) - 1) >= 0;
    close(fd);
    (void)snprintf(found->key, sizeof(found->key), "%.64s", key);
    found->bytes = strtoimax(text, NULL, 10);
    found->last_use_ms = is_known ? (int64_t)status.st_mtime * 1000 : 0;
    found->is_orphaned = is_orphaned(cache, key);
    return is_known;
}

static int compare_use(const void *a, const void *b)
{
    const struct clean_environment *first = a, *second = b;
    return (first->last_use_ms > second->last_use_ms) - (first->last_use_ms < second->last_use_ms);
}

struct clean_environment *clean_list(const struct cache *cache, size_t *count, struct error *error)
{
    struct clean_environment *items = memory_alloc(sizeof(*items));
    size_t capacity = 1;
    *count = 0;
    int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_set_errno(error, errno, "cannot list \"%s\"", cache->path);
        if (fd >= 0)
            close(fd);
        free(items);
        return NULL;
    }
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (!cache_is_key(entry->d_name) || !clean_examine(cache, entry->d_name, &items[*count]))
            continue;
        if (++*count == capacity)
            items = memory_array(items, capacity *= 2, sizeof(*items));
    }
    closedir(stream);
    qsort(items, *count, sizeof(*items), compare_use);
    return items;
}

/* ---- removing ---- */

/* Without `ready`, which is removed while it is locked, nobody can begin to use it. */
static bool withdraw(const struct cache *cache, const char *key)
{
    char path[INSTALLER_KEY_BYTES + sizeof("/ready")];
    (void)snprintf(path, sizeof(path), "%.64s/ready", key);
    int fd = cache_open_ready(cache, key);
    bool is_free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool is_gone = is_free && unlinkat(cache->fd, path, 0) == 0;
    if (fd >= 0)
        close(fd);
    return is_gone;
}

int clean_remove(const struct cache *cache, const struct clean_bounds *bounds,
                 const struct clean_environment *environment, struct error *error)
{
    const char *key = environment->key;
    bounds->claim(bounds->context, key);
    int removed = withdraw(cache, key) ? 1 : 0;
    if (removed == 1 && file_remove_tree(cache->fd, key, error) != 0)
        removed = -1;
    bounds->release(bounds->context, key);
    if (removed != 1)
        return removed;
    (void)unlinkat(cache->logs_fd, key, 0);
    log_info("package environment removed", log_text("key", key),
             log_int("bytes", environment->bytes));
    return 1;
}

/* One that was just installed must not be removed before the vessel that asked for it has begun to
 * use it, even if it is one too many. */
static bool is_fresh(const struct clean_environment *environment, const struct clean_bounds *bounds)
{
    return bounds->now_ms - environment->last_use_ms < FRESH_MS;
}

static bool is_too_old(const struct clean_environment *environment,
                       const struct clean_bounds *bounds)
{
    return environment->is_orphaned || bounds->now_ms - environment->last_use_ms >= bounds->keep_ms;
}

int clean_cache(const struct cache *cache, const struct clean_bounds *bounds,
                struct clean_totals *left, struct error *error)
{
    size_t count = 0;
    int64_t total = 0;
    int removed = 0, result = 0;
    struct clean_environment *items = clean_list(cache, &count, error);
    if (!items)
        return -1;
    for (size_t i = 0; i < count; i++)
        total += items[i].bytes;
    for (size_t i = 0; i < count && result >= 0; i++) {
        if (!is_too_old(&items[i], bounds) &&
            (total <= bounds->max_bytes || is_fresh(&items[i], bounds)))
            continue;
        result = clean_remove(cache, bounds, &items[i], error);
        removed += result > 0 ? 1 : 0;
        total -= result > 0 ? items[i].bytes : 0;
    }
    free(items);
    *left = (struct clean_totals){(int64_t)count - removed, total};
    return result < 0 ? -1 : removed;
}
