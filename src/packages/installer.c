/* See packages/installer.h. The runner's thread asks (tickets of tasks, packages/task); threads of
 * the installer work (packages/threads). */
#include "packages/installer.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "packages/task.h"
#include "packages/threads.h"

#define LOG_END_BYTES (64 * 1024)

bool installer_is_needed(const struct definition_vessel *code)
{
    return code->packages.count > 0 || code->system_packages.count > 0;
}

/* ---- start and stop ---- */

struct installer *installer_start(const struct installer_options *options)
{
    struct installer *installer = memory_alloc(sizeof(*installer));
    installer->options = *options;
    installer->config = config_hold(options->config);
    pthread_mutex_init(&installer->opening, NULL);
    pthread_mutex_init(&installer->lock, NULL);
    thread_condition_init(&installer->news);
    pthread_cond_init(&installer->released, NULL);
    struct error ignored = ERROR_INIT; /* the first task starts another */
    if (access(options->config->packages.dir, F_OK) == 0)
        (void)threads_start_one(installer, &ignored);
    return installer;
}

void installer_stop(struct installer *installer)
{
    if (!installer)
        return;
    pthread_mutex_lock(&installer->lock);
    installer->is_stopping = true;
    pthread_cond_broadcast(&installer->news);
    pthread_mutex_unlock(&installer->lock);
    for (size_t i = 0; i < installer->thread_count; i++)
        pthread_join(installer->threads[i], NULL);
    for (size_t i = 0; i < CORE_BUCKETS; i++)
        for (struct task *task;
             (task = LIST_FIRST(&installer->buckets[i], struct task, same_bucket));)
            task_free(task);
    cache_close(&installer->cache);
    pthread_mutex_destroy(&installer->opening);
    pthread_mutex_destroy(&installer->lock);
    pthread_cond_destroy(&installer->news);
    pthread_cond_destroy(&installer->released);
    config_release(installer->config);
    free(installer);
}

void installer_reconfigure(struct installer *installer, struct config *config)
{
    pthread_mutex_lock(&installer->lock);
    struct config *old = installer->config;
    installer->config = config_hold(config);
    task_forget_failures(installer);
    pthread_mutex_unlock(&installer->lock);
    config_release(old);
}

/* ---- tickets ---- */

static struct package_lock_place place_of(const struct installer_request *request)
{
    return (struct package_lock_place){.fleet_no = request->fleet_no,
                                       .vessel_id = request->vessel_id,
                                       .version = request->version};
}

struct installer_ticket *installer_ask(struct installer *installer,
                                       const struct installer_request *request)
{
    struct installer_ticket *ticket = memory_alloc(sizeof(*ticket));
    const struct package_lock_place place = place_of(request);
    pthread_mutex_lock(&installer->lock);
    struct task *task = task_find(installer, &place, request->blueprint_version, false);
    bool is_new = !task;
    if (is_new)
        task = task_new(installer, request, false);
    task_leave_idle(task);
    task->tickets++;
    if (is_new || task_may_be_tried_again(task))
        task_enqueue(task);
    pthread_mutex_unlock(&installer->lock);
    ticket->task = task;
    return ticket;
}

/* Under the lock. May free the task. */
static void take_ticket_back(struct task *task)
{
    assert(task->tickets > 0);
    task->tickets--;
    if (task->tickets == 0 && task->is_queued) {
        list_remove(&task->installer->queue, &task->queued);
        task_free(task);
    } else if (task->tickets == 0 && !task->is_running) {
        task_become_idle(task);
    }
}

/* The installer's own ticket does not outlive the last one of a run: whoever stops that run ends
 * the installation. */
void installer_drop(struct installer_ticket *ticket)
{
    if (!ticket)
        return;
    struct task *task = ticket->task;
    struct installer *installer = task->installer;
    pthread_mutex_lock(&installer->lock);
    bool is_last = task->is_prepared && task->tickets == 2;
    take_ticket_back(task);
    if (is_last) {
        task->is_prepared = false;
        take_ticket_back(task);
    }
    pthread_mutex_unlock(&installer->lock);
    free(ticket);
}

enum installer_state installer_look(struct installer_ticket *ticket,
                                    char reason[INSTALLER_REASON_BYTES])
{
    struct task *task = ticket->task;
    pthread_mutex_lock(&task->installer->lock);
    enum installer_state state = task->state;
    if (state == INSTALLER_FAILED)
        memcpy(reason, task->reason, INSTALLER_REASON_BYTES);
    pthread_mutex_unlock(&task->installer->lock);
    return state;
}

static void install_again(struct task *task)
{
    pthread_mutex_lock(&task->installer->lock);
    if (task->state == INSTALLER_READY)
        task_enqueue(task);
    pthread_mutex_unlock(&task->installer->lock);
}

/* Copies the key of a task that is ready. */
static int get_key(struct task *task, char key[INSTALLER_KEY_BYTES], struct error *error)
{
    pthread_mutex_lock(&task->installer->lock);
    bool is_ready = task->state == INSTALLER_READY;
    memcpy(key, task->key, INSTALLER_KEY_BYTES);
    pthread_mutex_unlock(&task->installer->lock);
    if (is_ready)
        return 0;
    return error_set(error, ERROR_UNAVAILABLE, "its packages are being installed");
}

int installer_use(struct installer_ticket *ticket, struct installer_use *use, struct error *error)
{
    struct task *task = ticket->task;
    const struct cache *cache = &task->installer->cache;
    char key[INSTALLER_KEY_BYTES];
    struct error why = ERROR_INIT;
    *use = (struct installer_use){.path = NULL, .lock_fd = -1};
    if (get_key(task, key, error) != 0)
        return -1;
    if (key[0] != '\0' && (use->lock_fd = cache_use(cache, key, &why)) < 0) {
        if (why.kind == ERROR_NOT_FOUND) {
            install_again(task);
            why.kind = ERROR_UNAVAILABLE;
        }
        return error_set(error, why.kind, "%s", why.message);
    }
    use->path = key[0] == '\0' ? NULL : memory_format("%s/%s", cache->path, key);
    return 0;
}

/* ---- without a run ---- */

/* Under the lock. Keeps a ticket for the task until its work is done. */
static void keep_until_done(struct task *task)
{
    if (task->state != INSTALLER_WORKING || task->is_prepared)
        return;
    task->is_prepared = true;
    task->tickets++;
}

static bool is_removed(struct task *task)
{
    char key[INSTALLER_KEY_BYTES];
    struct error none = ERROR_INIT;
    return get_key(task, key, &none) == 0 && key[0] != '\0' &&
           !cache_has(&task->installer->cache, key);
}

void installer_prepare(struct installer *installer, const struct installer_request *request)
{
    struct installer_ticket *ticket = installer_ask(installer, request);
    if (is_removed(ticket->task))
        install_again(ticket->task);
    pthread_mutex_lock(&installer->lock);
    keep_until_done(ticket->task);
    take_ticket_back(ticket->task);
    pthread_mutex_unlock(&installer->lock);
    free(ticket);
}

void installer_refresh(struct installer *installer, const struct installer_request *request)
{
    const struct package_lock_place place = place_of(request);
    pthread_mutex_lock(&installer->lock);
    struct task *task = task_find(installer, &place, request->blueprint_version, true);
    if (task && task->state != INSTALLER_WORKING) {
        task_free(task);
        task = NULL;
    }
    if (!task) {
        task = task_new(installer, request, true);
        task_enqueue(task);
        keep_until_done(task);
        if (task->tickets == 0)
            task_become_idle(task); /* it has failed, for want of a thread */
    }
    pthread_mutex_unlock(&installer->lock);
}

void installer_get_metrics(struct installer *installer, struct installer_metrics *metrics)
{
    pthread_mutex_lock(&installer->lock);
    *metrics = installer->metrics;
    metrics->running = installer->running;
    LIST_EACH(struct task, task, &installer->queue, queued)
        metrics->waiting++;
    pthread_mutex_unlock(&installer->lock);
}

/* ---- logs ---- */

void installer_copy_log(struct installer_ticket *ticket, int to_fd)
{
    struct task *task = ticket->task;
    struct stat status;
    char *text = memory_alloc(LOG_END_BYTES), log[INSTALL_LOG_BYTES];
    int fd = -1;
    pthread_mutex_lock(&task->installer->lock);
    memcpy(log, task->log, sizeof(log));
    pthread_mutex_unlock(&task->installer->lock);
    if (log[0] != '\0')
        fd = openat(task->installer->cache.logs_fd, log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        off_t from = status.st_size > LOG_END_BYTES ? status.st_size - LOG_END_BYTES : 0;
        ssize_t bytes = lseek(fd, from, SEEK_SET) < 0 ? -1 : file_read_all(fd, text, LOG_END_BYTES);
        if (bytes > 0)
            (void)file_write_all(to_fd, text, (size_t)bytes);
    }
    if (fd >= 0)
        close(fd);
    free(text);
}
