/* See packages/installer.h. The runner's thread asks; up to packages.max_installs threads work.
 * They are started when there is work for them and none is free, and end with the daemon.
 *
 *   ask ─► queued ─► running ─► ready ──┐ the environment was removed
 *             ▲         └─────► failed ─┤ and a minute has passed
 *             └─────────────────────────┘
 *
 * A task is one vessel of one version of a fleet. Its tickets are those who wait for it or use it.
 * A task without tickets stays in memory for the next run, up to a bound. */
#include "packages/installer.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "packages/cache.h"
#include "packages/clean.h"
#include "packages/install.h"
#include "packages/system.h"

#define MAX_THREADS   64
#define MAX_IDLE      256   /* tasks without tickets; one more, and the oldest is forgotten */
#define FAILED_FOR_MS 60000 /* a failure is not tried again within this time */
#define LOG_END_BYTES (64 * 1024)
#define BUCKETS       256
#define CLEAN_MS      3600000 /* between two cleanings */

struct task {
    struct installer *installer;
    struct list_node same_bucket, queued, idle;
    struct package_lock_place place;
    char *fleet_name;
    enum vessel_language language;
    struct package_list packages, system_packages;
    struct installer_user user; /* name and groups are owned */
    int tickets;
    enum installer_state state;
    bool is_queued, is_running, is_idle;
    int64_t failed_ms;
    char reason[INSTALLER_REASON_BYTES];
    char key[INSTALLER_KEY_BYTES];
    char log[INSTALL_LOG_BYTES];
};

struct installer_ticket {
    struct task *task;
};

/* An environment that a thread is installing. */
struct claim {
    struct list_node among;
    char key[INSTALLER_KEY_BYTES];
};

struct installer {
    struct installer_options options;
    pthread_mutex_t opening; /* held while the cache is opened */
    bool is_open;            /* guarded by `opening`; once true, the cache does not change */
    struct cache cache;

    pthread_mutex_t lock;    /* guards the following */
    pthread_cond_t news;     /* a task is queued, or the installer stops */
    pthread_cond_t released; /* a claim was given up */
    struct config *config;   /* in force */
    struct list buckets[BUCKETS];
    struct list queue;  /* tasks, linked by `queued` */
    struct list idle;   /* tasks without tickets, the least recently used first */
    struct list claims; /* linked by `among` */
    size_t idle_count;
    int64_t clean_ms; /* when the next cleaning is due, on the monotonic clock */
    pthread_t threads[MAX_THREADS];
    size_t thread_count, free_threads;
    bool is_stopping;
};

bool installer_is_needed(const struct definition_vessel *vessel)
{
    return vessel->packages.count > 0 || vessel->system_packages.count > 0;
}

/* ---- tasks; all under the lock ---- */

static void copy_packages(struct package_list *to, const struct package_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        packages_add(to, from->items[i].name, from->items[i].version);
}

static struct list *bucket_of(struct installer *installer, const struct id *vessel_id)
{
    return &installer->buckets[vessel_id->bytes[sizeof(vessel_id->bytes) - 1] % BUCKETS];
}

static struct task *task_new(struct installer *installer, const struct installer_request *request)
{
    struct task *task = memory_alloc(sizeof(*task));
    const struct installer_user *user = &request->user;
    task->installer = installer;
    task->place.fleet_no = request->fleet_no;
    task->place.vessel_id = request->vessel->id;
    task->place.version = request->version;
    task->fleet_name = memory_string(request->fleet_name);
    task->language = request->vessel->language;
    copy_packages(&task->packages, &request->vessel->packages);
    copy_packages(&task->system_packages, &request->vessel->system_packages);
    task->user = *user;
    task->user.name = memory_string(user->name);
    task->user.groups = memory_copy(user->groups, user->group_count * sizeof(*user->groups));
    list_append(bucket_of(installer, &task->place.vessel_id), &task->same_bucket);
    return task;
}

static void leave_idle(struct task *task)
{
    if (!task->is_idle)
        return;
    list_remove(&task->installer->idle, &task->idle);
    task->installer->idle_count--;
    task->is_idle = false;
}

static void task_free(struct task *task)
{
    union {
        const void *borrowed;
        void *owned;
    } name = {task->user.name}, groups = {task->user.groups};
    leave_idle(task);
    list_remove(bucket_of(task->installer, &task->place.vessel_id), &task->same_bucket);
    free(task->fleet_name);
    packages_free(&task->packages);
    packages_free(&task->system_packages);
    free(name.owned);
    free(groups.owned);
    free(task);
}

static struct task *find_task(struct installer *installer, const struct installer_request *request)
{
    LIST_EACH(struct task, task, bucket_of(installer, &request->vessel->id), same_bucket)
        if (task->place.fleet_no == request->fleet_no && task->place.version == request->version &&
            id_equal(&task->place.vessel_id, &request->vessel->id))
            return task;
    return NULL;
}

/* Keeps a task that nobody uses for the next run. */
static void become_idle(struct task *task)
{
    struct installer *installer = task->installer;
    list_append(&installer->idle, &task->idle);
    installer->idle_count++;
    task->is_idle = true;
    if (installer->idle_count > MAX_IDLE)
        task_free(LIST_FIRST(&installer->idle, struct task, idle));
}

static void fail(struct task *task, const char *why)
{
    task->state = INSTALLER_FAILED;
    task->failed_ms = clock_monotonic_ms();
    (void)snprintf(task->reason, sizeof(task->reason), "%.*s",
                   (int)utf8_cut(why, sizeof(task->reason) - 1), why);
}

static void *thread_main(void *argument);

/* Starts a thread if none is free. Returns -1 if there is none at all. */
static int start_thread(struct installer *installer, struct error *error)
{
    int64_t most = installer->config->packages.max_installs;
    size_t limit = most < MAX_THREADS ? (size_t)most : MAX_THREADS;
    if (installer->free_threads > 0 || installer->thread_count >= limit)
        return 0;
    if (thread_start(&installer->threads[installer->thread_count], "installer", thread_main,
                     installer, error) == 0)
        installer->thread_count++;
    return installer->thread_count > 0 ? 0 : -1;
}

static void enqueue(struct task *task)
{
    struct installer *installer = task->installer;
    struct error error = ERROR_INIT;
    task->state = INSTALLER_WORKING;
    if (start_thread(installer, &error) != 0) {
        fail(task, error.message); /* without a thread, nothing would ever be done */
        return;
    }
    list_append(&installer->queue, &task->queued);
    task->is_queued = true;
    pthread_cond_signal(&installer->news);
}

/* ---- what the threads do ---- */

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
        enqueue(task); /* it was given up, and then somebody asked again */
    else
        fail(task, error->message);
    if (task->tickets > 0)
        return;
    if (task->state == INSTALLER_READY)
        become_idle(task);
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
        (void)start_thread(installer, &ignored);
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
    for (size_t i = 0; i < BUCKETS; i++)
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
    pthread_mutex_unlock(&installer->lock);
    config_release(old);
}

/* ---- tickets ---- */

static bool may_try_again(const struct task *task)
{
    return task->state == INSTALLER_FAILED &&
           clock_monotonic_ms() - task->failed_ms >= FAILED_FOR_MS;
}

struct installer_ticket *installer_ask(struct installer *installer,
                                       const struct installer_request *request)
{
    struct installer_ticket *ticket = memory_alloc(sizeof(*ticket));
    pthread_mutex_lock(&installer->lock);
    struct task *task = find_task(installer, request);
    bool is_new = !task;
    if (is_new)
        task = task_new(installer, request);
    leave_idle(task);
    task->tickets++;
    if (is_new || may_try_again(task))
        enqueue(task);
    pthread_mutex_unlock(&installer->lock);
    ticket->task = task;
    return ticket;
}

void installer_drop(struct installer_ticket *ticket)
{
    if (!ticket)
        return;
    struct task *task = ticket->task;
    struct installer *installer = task->installer;
    pthread_mutex_lock(&installer->lock);
    assert(task->tickets > 0);
    task->tickets--;
    if (task->tickets == 0 && task->is_queued) {
        list_remove(&installer->queue, &task->queued);
        task_free(task);
    } else if (task->tickets == 0 && !task->is_running) {
        become_idle(task);
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
        enqueue(task);
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
    use->path = key[0] == '\0' ? memory_string("") : memory_format("%s/%s", cache->path, key);
    return 0;
}

void installer_copy_log(struct installer_ticket *ticket, int to_fd)
{
    struct task *task = ticket->task;
    struct stat status;
    char *text = memory_alloc(LOG_END_BYTES);
    int fd = -1;
    if (task->log[0] != '\0')
        fd = openat(task->installer->cache.logs_fd, task->log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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
