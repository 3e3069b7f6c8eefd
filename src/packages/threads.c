/* See threads.h. Called by packages/installer and packages/task. */
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
    task->is_given_up |= result;
    pthread_mutex_unlock(&installer->lock);
    return result;
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
    if (core_open_cache(installer, install->config, error) == 0 && install_run(install, error) == 0)
        return 0;
    error_context(error, "packages could not be installed");
    return -1;
}

static void log_begins(void *context, const char *name)
{
    struct task *task = context;
    pthread_mutex_lock(&task->installer->lock);
    (void)snprintf(task->log, sizeof(task->log), "%s", name);
    pthread_mutex_unlock(&task->installer->lock);
}

/* ---- the outcome; all under the lock ---- */

static void report(const struct task *task, const struct install *install,
                   const struct error *error)
{
    struct installer_metrics *metrics = &task->installer->metrics;
    if (!error_is_set(error)) {
        metrics->succeeded += install->has_installed ? 1 : 0;
    } else if (!task->is_given_up) {
        metrics->failed++;
        log_warning("packages not installed", log_text("fleet_name", task->fleet_name),
                    log_why(error));
    }
}

/* Gives the environment of a new lock to the runs to come. */
static void hand_on(struct installer *installer, const struct task *refresh)
{
    struct task *task = task_find(installer, &refresh->place, refresh->blueprint_version, false);
    if (!task)
        return;
    if (task->state == INSTALLER_WORKING) {
        task->is_outdated = task->is_running;
        return;
    }
    task->state = INSTALLER_READY;
    (void)snprintf(task->key, sizeof(task->key), "%s", refresh->key);
    (void)snprintf(task->log, sizeof(task->log), "%s", refresh->log);
}

/* It may be queued again: it was given up, and then somebody asked again; or its lock has been
 * replaced meanwhile. */
static void set_outcome(struct task *task, const struct error *error)
{
    bool was_given_up = error_is_set(error) && task->is_given_up;
    bool is_again = task->is_outdated || (was_given_up && task->tickets > 0);
    task->is_outdated = task->is_given_up = false;
    if (is_again && !task->installer->is_stopping)
        task_enqueue(task);
    else if (error_is_set(error))
        task_fail(task, error->message);
    else
        task->state = INSTALLER_READY;
}

static void finish(struct task *task, const struct install *install, const struct error *error)
{
    task->is_running = false;
    task->installer->running--;
    (void)snprintf(task->key, sizeof(task->key), "%s", install->key);
    report(task, install, error);
    set_outcome(task, error);
    if (task->is_refresh && task->state == INSTALLER_READY)
        hand_on(task->installer, task);
    bool was_prepared = task->is_prepared && task->state != INSTALLER_WORKING;
    if (was_prepared) {
        task->is_prepared = false;
        task->tickets--;
    }
    if (task->tickets > 0)
        return;
    if (task->is_queued)
        list_remove(&task->installer->queue, &task->queued);
    /* A failure without a run stays, for those who look what became of it. */
    bool is_ready = task->state == INSTALLER_READY && !task->is_refresh;
    if (is_ready || (task->state == INSTALLER_FAILED && was_prepared))
        task_become_idle(task);
    else
        task_free(task);
}

/* ---- the work ---- */

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
        .is_refresh = task->is_refresh,
        .is_unwanted = is_unwanted,
        .log_begins = log_begins,
        .context = task,
        .claim = core_claim,
        .release = core_release,
        .claims = installer,
    };
    (void)work(task, &install, &error); /* `finish` looks at the error */
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
    struct clean_totals left = {0, 0};
    const struct clean_bounds bounds = {
        .now_ms = clock_wall_ms(),
        .keep_ms = config->packages.keep_ms,
        .max_bytes = config->packages.max_size_bytes,
        .claim = core_claim,
        .release = core_release,
        .context = installer,
    };
    if (core_open_cache(installer, config, &error) != 0 ||
        clean_cache(&installer->cache, &bounds, &left, &error) < 0) {
        log_warning("package environments not tidied", log_why(&error));
        return;
    }
    pthread_mutex_lock(&installer->lock);
    installer->metrics.environments = left.count;
    installer->metrics.environment_bytes = left.bytes;
    pthread_mutex_unlock(&installer->lock);
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
        installer->running++;
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
