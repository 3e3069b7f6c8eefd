/* See packages/environments.h. Called by admin/packages. */
#include "packages/environments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/words.h"
#include "packages/clean.h"
#include "packages/core.h"
#include "packages/tool.h"

/* ---- listing ---- */

/* The file with the lock, which only webhookd can write, says what is in an environment. */
static void read_contents(const struct cache *cache, struct environment *environment)
{
    static const enum vessel_language languages[] = {LANGUAGE_PYTHON, LANGUAGE_NODE};
    int fd = openat(cache->fd, environment->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && !environment->language && i < ARRAY_COUNT(languages); i++) {
        struct error ignored = ERROR_INIT;
        const struct tool *tool = tool_of(languages[i]);
        char *lock = tool_read_file(fd, tool->lock_file, &ignored);
        if (!lock)
            continue;
        environment->language = WORDS_LANGUAGE[languages[i]];
        tool->read_versions(lock, &environment->locked);
        free(lock);
    }
    if (fd >= 0)
        close(fd);
}

int environments_list(struct installer *installer, int (*each)(void *, const struct environment *),
                      void *context, struct error *error)
{
    size_t count = 0;
    if (!core_has_cache(installer))
        return 0;
    struct clean_environment *items = clean_list(&installer->cache, &count, error);
    if (!items)
        return -1;
    bool is_over = false;
    for (size_t i = 0; i < count && !is_over; i++) {
        struct environment environment = {.bytes = items[i].bytes,
                                          .last_use_ms = items[i].last_use_ms};
        memcpy(environment.key, items[i].key, sizeof(environment.key));
        read_contents(&installer->cache, &environment);
        is_over = each(context, &environment) != 0;
        packages_free(&environment.locked);
    }
    free(items);
    return 0;
}

/* ---- removing ---- */

static int not_found(const char *key, struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "there is no package environment %.100s", key);
}

int environments_check(struct installer *installer, const char *key, struct error *error)
{
    bool is_there =
        cache_is_key(key) && core_has_cache(installer) && cache_has(&installer->cache, key);
    return is_there ? 0 : not_found(key, error);
}

static void note_removal(struct installer *installer, int64_t bytes)
{
    pthread_mutex_lock(&installer->lock);
    if (installer->metrics.environments > 0) { /* it was counted */
        installer->metrics.environments--;
        installer->metrics.environment_bytes -= bytes;
    }
    pthread_mutex_unlock(&installer->lock);
}

int environments_remove(struct installer *installer, const char *key, int64_t *bytes,
                        struct error *error)
{
    struct clean_environment environment;
    const struct clean_bounds claims = {
        .claim = core_claim, .release = core_release, .context = installer};
    if (!cache_is_key(key) || !core_has_cache(installer) ||
        !clean_examine(&installer->cache, key, &environment))
        return not_found(key, error);
    int removed = clean_remove(&installer->cache, &claims, &environment, error);
    if (removed < 0)
        return -1;
    if (removed == 0 && !cache_has(&installer->cache, key))
        return not_found(key, error);
    if (removed == 0)
        return error_set(error, ERROR_CONFLICT,
                         "a vessel uses the package environment %s: remove it when the vessel has "
                         "ended",
                         key);
    *bytes = environment.bytes;
    note_removal(installer, environment.bytes);
    return 0;
}

/* ---- logs ---- */

static bool is_log_name(const char *name)
{
    static const char *const prefixes[] = {"lock-", "refresh-"};
    struct id ignored;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return id_parse(name + strlen(prefixes[i]), &ignored) == 0;
    return cache_is_key(name);
}

int environments_open_log(struct installer *installer, const char *name, struct error *error)
{
    int fd = -1;
    if (is_log_name(name) && core_has_cache(installer)) {
        fd = openat(installer->cache.logs_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            return error_set_errno(error, errno, "cannot open the log \"%s\"", name);
    }
    return fd >= 0 ? fd
                   : error_set(error, ERROR_NOT_FOUND,
                               "there is no log of an installation \"%.100s\"", name);
}

static bool is_written_by(const struct task *task, const char *name)
{
    return task->is_running && strcmp(task->log, name) == 0;
}

bool environments_log_grows(struct installer *installer, const char *name)
{
    bool grows = false;
    pthread_mutex_lock(&installer->lock);
    for (size_t i = 0; i < CORE_BUCKETS && !grows; i++)
        LIST_EACH(struct task, task, &installer->buckets[i], same_bucket)
            grows = grows || is_written_by(task, name);
    pthread_mutex_unlock(&installer->lock);
    return grows;
}
