/* The runner's thread: one event loop that claims scheduled runs while slots are free, starts ready
 * vessels, and takes back the steps that the committer is done with. Started and stopped by
 * webhookd/daemon.c on the main thread, and woken by the committer after each commit.
 *
 * News reaches the runner as a flag, never as a message (invariant 9): it queries the store for
 * what there is to do. It never waits for a commit. */
#include "runner/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runner/trash.h"
#include "runner/core.h"
#include "runner/disk_watch.h"
#include "runner/dispatch.h"
#include "runner/fair_queue.h"
#include "runner/step.h"
#include "runner/recover.h"
#include "runner/run.h"
#include "runner/isolation.h"
#include "runner/settings.h"
#include "runner/vessel_packages.h"

#define STOP_PATIENCE_MS 1000 /* for steps to be committed before they are withdrawn */
#define STOP_RETRY_MS    50

/* ---- what other threads hand over ---- */

void runner_wake(struct runner *runner)
{
    if (!atomic_exchange(&runner->news, true))
        loop_wake(runner->loop);
}

void runner_stop_runs(struct runner *runner)
{
    if (!atomic_exchange(&runner->stops, true))
        loop_wake(runner->loop);
}

void runner_reconfigure(struct runner *runner, struct config *fresh)
{
    struct error error = ERROR_INIT;
    struct runner_settings *settings = runner_settings_new(fresh, &error);
    if (!settings) {
        log_error("the runner keeps its previous configuration", log_why(&error));
        return;
    }
    pthread_mutex_lock(&runner->lock);
    struct runner_settings *unused = runner->fresh;
    runner->fresh = settings;
    loop_wake(runner->loop);
    pthread_mutex_unlock(&runner->lock);
    runner_settings_free(unused);
}

/* Called by the disk watch on its thread. */
static void disk_has_news(void *context)
{
    struct runner *runner = context;
    if (!atomic_exchange(&runner->disk_news, true))
        loop_wake(runner->loop);
}

void runner_packages_changed(struct runner *runner)
{
    if (!atomic_exchange(&runner->packages_news, true))
        loop_wake(runner->loop);
}

/* Called by the disk watch on its thread. */
static void get_space(void *context, struct store_space *space)
{
    const struct runner *runner = context;
    struct commit_metrics metrics;
    commit_get_metrics(runner->options.queue, &metrics);
    *space = metrics.store.space;
}

static void take_over_settings(struct runner *runner, struct runner_settings *fresh)
{
    if (!fresh)
        return;
    runner_settings_free(runner->settings);
    runner->settings = fresh;
    disk_watch_set_bound(runner->disk_watch, fresh->config->runner.max_disk_bytes);
    runner->may_have_scheduled = true;
}

/* ---- stopping ---- */

/* Ends the loop when no step is under way: each is committed or withdrawn before the runner is
 * freed, so nothing calls back into it. The next start finds withdrawn ends of attempts again, by
 * the attempts' records. */
static void stop_when_idle(struct runner *runner)
{
    if (runner->step_count == 0)
        loop_stop(runner->loop);
}

static void stop_patience_over(struct loop_timer *timer)
{
    struct runner *runner = CONTAINER_OF(timer, struct runner, stop_timer);
    step_withdraw_all(runner, false);
    loop_set_timer(runner->loop, timer, clock_monotonic_ms() + STOP_RETRY_MS);
    stop_when_idle(runner);
}

static void begin_stop(struct runner *runner)
{
    runner->is_stopping = true;
    step_withdraw_all(runner, true);
    loop_set_timer(runner->loop, &runner->stop_timer, clock_monotonic_ms() + STOP_PATIENCE_MS);
}

/* ---- the thread ---- */

static void end_large_runs(struct runner *runner)
{
    char reason[ATTEMPT_REASON_BYTES];
    struct run *run;
    while ((run = disk_watch_take(runner->disk_watch, reason)))
        run_kill_vessels(run, reason);
}

static void woken(void *context)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    struct list mail = runner->mail;
    runner->mail = (struct list){NULL, NULL};
    struct runner_settings *fresh = runner->fresh;
    runner->fresh = NULL;
    pthread_mutex_unlock(&runner->lock);

    take_over_settings(runner, fresh);
    if (atomic_exchange(&runner->news, false))
        runner->may_have_scheduled = true;
    if (atomic_load(&runner->stop) && !runner->is_stopping)
        begin_stop(runner);
    if (!runner->is_stopping && atomic_exchange(&runner->stops, false))
        dispatch_stops(runner);
    if (!runner->is_stopping && atomic_exchange(&runner->disk_news, false))
        end_large_runs(runner);
    if (!runner->is_stopping && atomic_exchange(&runner->packages_news, false))
        vessel_packages_news(runner);
    struct run_step *step;
    while ((step = LIST_TAKE_FIRST(&mail, struct run_step, mail)))
        run_step_done(step);
    dispatch(runner);
    if (runner->is_stopping)
        stop_when_idle(runner);
}

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    struct error error = ERROR_INIT;
    if (loop_run(runner->loop, &error) != 0) {
        /* Without this loop the daemon would accept runs and execute none. A restart is better: it
         * recovers everything. */
        log_error("the runner's loop failed", log_why(&error));
        log_stop();
        abort();
    }
    return NULL;
}

/* ---- start and stop ---- */

static int read_boot_id(struct id *boot_id, struct error *error)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    struct buffer text = BUFFER_INIT;
    int result = file_read(-1, path, 100, &text, error);
    if (result == 0) {
        char *id = memory_string_n(text.data, text.bytes < 36 ? text.bytes : 36);
        if (id_parse(id, boot_id) != 0)
            result = error_set(error, ERROR_INTERNAL, "%s does not contain an id", path);
        free(id);
    }
    buffer_free(&text);
    return result;
}

/* Combines the boot id with an id of the state folder. An attempt without a record never ran if its
 * start was committed in this boot and in this state folder. A folder restored from a backup has no
 * records, whatever ran. Therefore the state folder has an id of its own, in its lock file, which
 * no backup contains, and an attempt is marked with both. */
static int mix_in_folder_id(struct runner *runner, struct error *error)
{
    char text[ID_TEXT_BYTES] = "";
    struct id id;
    int fd =
        openat(runner->options.state_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the state folder's lock file");
    if (pread(fd, text, ID_TEXT_BYTES - 1, 0) < 0 || id_parse(text, &id) != 0) {
        id = id_random();
        if (pwrite(fd, id_format(&id, text), ID_TEXT_BYTES - 1, 0) != ID_TEXT_BYTES - 1)
            error_set_errno(error, errno, "cannot write the state folder's lock file");
    }
    close(fd); /* this releases no lock: that is on another open file description (flock(2)) */
    for (size_t i = 0; i < sizeof(id.bytes); i++)
        runner->boot_id.bytes[i] ^= id.bytes[i];
    return error_is_set(error) ? -1 : 0;
}

static int open_folders(struct runner *runner, struct error *error)
{
    int state_fd = runner->options.state_fd;
    runner->runs_fd = file_open_folder(state_fd, "runs", 0700, error);
    runner->attempts_fd = file_open_folder(state_fd, "attempts", 0700, error);
    runner->logs_fd = file_open_folder(state_fd, "logs", 0700, error);
    runner->trash_fd = file_open_folder(state_fd, "trash", 0700, error);
    return error_is_set(error) ? -1 : 0;
}

static void close_folders(struct runner *runner)
{
    const int fds[] = {runner->runs_fd, runner->attempts_fd, runner->logs_fd, runner->trash_fd};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Frees the runner, whose thread has ended and which has no step under way. */
static void runner_free(struct runner *runner)
{
    LIST_EACH(struct run, run, &runner->runs, active)
        run_free(run);
    fair_queue_fini(&runner->fair_queue);
    trash_stop(runner->trash);
    disk_watch_stop(runner->disk_watch);
    store_close(runner->store);
    loop_free(runner->loop);
    runner_settings_free(runner->settings);
    runner_settings_free(runner->fresh);
    close_folders(runner);
    pthread_mutex_destroy(&runner->lock);
    free(runner->state_path);
    free(runner->supervisor_path);
    free(runner);
}

/* Vessels are watched by pidfd alone (pidfd_open(2)). If the kernel or a seccomp filter refuses
 * that, the start must fail; otherwise vessels would run whose end is never noticed. */
static int check_watching(struct error *error)
{
    int fd = pidfd_open(getpid(), 0);
    if (fd < 0)
        return error_set_errno(
            error, errno,
            "cannot watch vessels with pidfd_open (use Linux 5.12 or later and a seccomp "
            "filter that allows it, or set runner.enabled = false)");
    close(fd);
    return 0;
}

static int try_isolation(const struct runner *runner, struct error *error)
{
    const struct isolation_trial trial = {.supervisor_path = runner->supervisor_path,
                                          .state_path = runner->state_path,
                                          .runs_fd = runner->runs_fd};
    return isolation_try(runner->settings, &trial, error);
}

static int set_up(struct runner *runner, struct error *error)
{
    if (runner->options.config->runner.enabled && check_watching(error) != 0)
        return -1;
    if (read_boot_id(&runner->boot_id, error) != 0 || open_folders(runner, error) != 0 ||
        mix_in_folder_id(runner, error) != 0)
        return -1;
    runner->settings = runner_settings_new(runner->options.config, error);
    if (!runner->settings)
        return -1;
    if (runner->options.config->runner.enabled && try_isolation(runner, error) != 0)
        return -1;
    runner->loop = loop_new(error);
    if (!runner->loop)
        return -1;
    loop_on_wake(runner->loop, woken, runner);
    struct store_options store = runner->options.store;
    store.mode = STORE_READ;
    runner->store = store_open(&store, error);
    if (!runner->store)
        return -1;
    runner->trash = trash_start(runner->trash_fd, error);
    if (!runner->trash)
        return -1;
    const struct disk_watch_options disk = {
        .runs_fd = runner->runs_fd,
        .max_bytes = runner->options.config->runner.max_disk_bytes,
        .get_space = get_space,
        .found = disk_has_news,
        .context = runner,
    };
    runner->disk_watch = disk_watch_start(&disk, error);
    return runner->disk_watch ? recover(runner, error) : -1;
}

static void wait_for_steps(struct runner *runner)
{
    struct error error = ERROR_INIT;
    atomic_store(&runner->stop, true);
    loop_wake(runner->loop);
    (void)loop_run(runner->loop, &error);
}

int runner_check_config(struct config *config, const char *config_path, const char *supervisor_path,
                        struct error *error)
{
    struct runner_settings *settings = runner_settings_new(config, error);
    int result = !settings ? -1 : 0;
    if (result == 0 && config->runner.enabled) {
        char *runs = memory_format("%s/runs", config->state_dir);
        struct isolation_trial trial = {.supervisor_path = supervisor_path,
                                        .state_path = config->state_dir,
                                        .runs_fd = open(runs, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        result = isolation_check(settings, config_path, error);
        if (result == 0)
            result = isolation_try(settings, &trial, error);
        if (trial.runs_fd >= 0)
            close(trial.runs_fd);
        free(runs);
    }
    runner_settings_free(settings);
    return result;
}

struct runner *runner_start(const struct runner_options *options, struct error *error)
{
    struct runner *runner = memory_alloc(sizeof(*runner));
    runner->options = *options;
    runner->state_path = memory_string(options->state_path);
    runner->supervisor_path = memory_string(options->supervisor_path);
    runner->runs_fd = runner->attempts_fd = runner->logs_fd = runner->trash_fd = -1;
    atomic_store(&runner->stops, true); /* some may have been committed while there was no runner */
    dispatch_init(runner);
    runner->stop_timer.fired = stop_patience_over;
    pthread_mutex_init(&runner->lock, NULL);
    if (set_up(runner, error) == 0) {
        loop_wake(runner->loop);
        if (thread_start(&runner->thread, "runner", runner_main, runner, error) == 0)
            return runner;
    }
    if (runner->step_count > 0) /* recovery has submitted some, which must come back first */
        wait_for_steps(runner);
    runner_free(runner);
    return NULL;
}

void runner_stop(struct runner *runner)
{
    if (!runner)
        return;
    atomic_store(&runner->stop, true);
    loop_wake(runner->loop);
    pthread_join(runner->thread, NULL);
    runner_free(runner);
}

void runner_get_metrics(struct runner *runner, struct runner_metrics *metrics)
{
    metrics->running_vessels = atomic_load(&runner->running_vessels);
    metrics->active_runs = atomic_load(&runner->active_runs);
    metrics->attempts_started = atomic_load(&runner->attempts_started);
    metrics->attempts_ended = atomic_load(&runner->attempts_ended);
    metrics->attempts_interrupted = atomic_load(&runner->attempts_interrupted);
    metrics->attempts_adopted = atomic_load(&runner->attempts_adopted);
    metrics->attempts_over_disk = atomic_load(&runner->attempts_over_disk);
}
