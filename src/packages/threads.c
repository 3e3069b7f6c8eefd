/* See threads.h. */
#include "packages/threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "packages/clean.h"
#include "packages/system.h"
#include "packages/task.h"

#define CLEAN_MS 3600000 /* between two cleanings */

static bool is_unwanted(void *context)
{
    struct task *task = context;
    struct installer *installer = task->installer;
    pthread_mutex_lock(&installer->lock);
    bool result = installer->is_stopping || task->tickets == 0;
    pthread_mutex_unlock(&installer->lock);
    return result;
}

static struct claim *find_claim(struct installer *installer, const char *key)
{
    LIST_EACH(struct claim, claim, &installer->claims, among)
        if (strcmp(claim->key, key) == 0)
            return claim;
    return NULL;
}

static void claim_key(void *context, const char *key)
{
    struct installer *installer = context;
    struct claim *claim = memory_alloc(sizeof(*claim));
    (void)snprintf(claim->key, sizeof(claim->key), "%s", key);
    pthread_mutex_lock(&installer->lock);
    while (find_claim(installer, key))
        pthread_cond_wait(&installer->released, &installer->lock);
    list_append(&installer->claims, &claim->among);
    pthread_mutex_unlock(&installer->lock);
}

static void release_key(void *context, const char *key)
{
    struct installer *installer = context;
    pthread_mutex_lock(&installer->lock);
    struct claim *claim = find_claim(installer, key);
    list_remove(&installer->claims, &claim->among);
    pthread_cond_broadcast(&installer->released);
    pthread_mutex_unlock(&installer->lock);
    free(claim);
}

/* The folder is opened by the first task, so that it need not exist where nobody has packages. */
static int open_cache(struct installer *installer, const struct config *config, struct error *error)
{
    pthread_mutex_lock(&installer->opening);
    if (!installer->is_open && cache_open(&installer->cache, config->packages.dir, error) == 0)
        installer->is_open = true;
    bool is_open = installer->is_open;
    pthread_mutex_unlock(&installer->opening);
    return is_open ? 0 : -1;
}

static int work(struct task *task, struct install *install, struct error *error)
{
    struct installer *installer = task->installer;
    if (!install->config->packages.enabled)
        return error_set(error, ERROR_INVALID, "packages.enabled is false");
    if (system_packages_check(SYSTEM_PACKAGES_STATUS, &task->system_packages, error) != 0)
        return -1;
    if (task->packages.count == 0)
        return 0;
    if (open_cache(installer, install->config, error) == 0 && install_run(install, error) == 0)
        return 0;
    error_context(error, "packages could not be installed");
    return -1;
}

/* Under the lock. */
static void finish(struct task *task, const struct install *install, const struct error *error)
{
    task->is_running = false;
    (void)snprintf(task->key, sizeof(task->key), "%s", install->key);
    (void)snprintf(task->log, sizeof(task->log), "%s", install->log);
    if (!error_is_set(error))
        task->state = INSTALLER_READY;
    else if (error->kind == ERROR_CONFLICT && task->tickets > 0 && !task->installer->is_stopping)
        task_enqueue(task); /* it was given up, and then somebody asked again */
    else
        task_fail(task, error->message);
    if (task->tickets > 0)
        return;
    if (task->state == INSTALLER_READY)
        task_become_idle(task);
    else
        task_free(task);
}

static void run_task(struct task *task)
{
    struct installer *installer = task->installer;
    struct error error = ERROR_INIT;
    pthread_mutex_lock(&installer->lock);
    struct config *config = config_hold(installer->config);
    pthread_mutex_unlock(&installer->lock);
    struct install install = {
        .config = config,
        .supervisor_path = installer->options.supervisor_path,
        .store = &installer->options.store,
        .queue = installer->options.queue,
        .cache = &installer->cache,
        .place = task->place,
        .fleet_name = task->fleet_name,
        .language = task->language,
        .packages = &task->packages,
        .user = task->user,
        .is_unwanted = is_unwanted,
        .context = task,
        .claim = claim_key,
        .release = release_key,
        .claims = installer,
    };
    if (work(task, &install, &error) != 0 && error.kind != ERROR_CONFLICT)
        log_warning("packages not installed", log_text("fleet_name", task->fleet_name),
                    log_why(&error));
    config_release(config);
    pthread_mutex_lock(&installer->lock);
    if (install.has_installed)
        installer->clean_ms = 0; /* the new one may be one too many */
    finish(task, &install, &error);
    pthread_mutex_unlock(&installer->lock);
    if (installer->options.changed)
        installer->options.changed(installer->options.context);
}

/* Removes what an earlier webhookd left unfinished, and environments that are not needed. A task
 * that needs the folder reports what is wrong with it. */
static void tidy(struct installer *installer, struct config *config)
{
    struct error error = ERROR_INIT;
    const struct clean_bounds bounds = {
        .now_ms = clock_wall_ms(),
        .keep_ms = config->packages.keep_ms,
        .max_bytes = config->packages.max_size_bytes,
        .claim = claim_key,
        .release = release_key,
        .context = installer,
    };
    if (open_cache(installer, config, &error) != 0 ||
        clean_cache(&installer->cache, &bounds, &error) < 0)
        log_warning("package environments not tidied", log_why(&error));
    else
        log_debug("packages tidied", log_text("dir", config->packages.dir));
}

/* Tidies if that is due. Called with the lock, which it gives up meanwhile. Returns false if it is
 * not due. */
static bool tidy_if_due(struct installer *installer)
{
    if (clock_monotonic_ms() < installer->clean_ms)
        return false;
    installer->clean_ms = clock_monotonic_ms() + CLEAN_MS;
    struct config *config = config_hold(installer->config);
    pthread_mutex_unlock(&installer->lock);
    tidy(installer, config);
    config_release(config);
    pthread_mutex_lock(&installer->lock);
    return true;
}

static void *thread_main(void *argument)
{
    struct installer *installer = argument;
    pthread_mutex_lock(&installer->lock);
    while (!installer->is_stopping) {
        struct task *task = LIST_TAKE_FIRST(&installer->queue, struct task, queued);
        if (!task && tidy_if_due(installer))
            continue;
        if (!task) {
            installer->free_threads++;
            thread_condition_wait_until(&installer->news, &installer->lock, installer->clean_ms);
            installer->free_threads--;
            continue;
        }
        task->is_queued = false;
        task->is_running = true;
        pthread_mutex_unlock(&installer->lock);
        run_task(task);
        pthread_mutex_lock(&installer->lock);
    }
    pthread_mutex_unlock(&installer->lock);
    return NULL;
}

/* ---- starting ---- */

/* Whether the free threads are enough for the tasks that are queued, and one more. */
static bool has_free_thread(struct installer *installer)
{
    size_t count = 0;
    LIST_EACH(struct task, task, &installer->queue, queued)
        if (++count >= installer->free_threads)
            return false;
    return installer->free_threads > 0;
}

int threads_start_one(struct installer *installer, struct error *error)
{
    int64_t most = installer->config->packages.max_installs;
    size_t limit = most < CORE_MAX_THREADS ? (size_t)most : CORE_MAX_THREADS;
    if (installer->thread_count >= limit || has_free_thread(installer))
        return 0;
    if (thread_start(&installer->threads[installer->thread_count], "installer", thread_main,
                     installer, error) == 0)
        installer->thread_count++;
    return installer->thread_count > 0 ? 0 : -1;
}
