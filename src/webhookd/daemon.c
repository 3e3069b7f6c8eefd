/* Starts the layers in order and stops them in reverse, and carries what they tell each other. daemon_start is the architecture diagram: each
 * line stands on the ones above it. docs/architecture.md explains it. Called by main.c. */
#include "webhookd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "hooks/hooks.h"
#include "queue/commit.h"
#include "queue/spool.h"
#include "queue/tally.h"
#include "retention/retention.h"
#include "runner/runner.h"
#include "store/location.h"
#include "webhookd/signals.h"

#define DRAIN_EXTRA_MS   2000   /* beyond answer_timeout, by which every answer is out */
#define FAILED_LINGER_US 250000 /* for the 503s of a failed disk to leave */

/* ---- the state folder ---- */

/* The key exists, synced, before the store does; beside a store it is never made anew here (only once no sealed token is left). */
static int key_prepare(struct daemon *daemon, struct error *error)
{
    int state_fd = daemon->state.fd;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, &daemon->key, error) != 0)
        return -1;
    if (daemon->key.present)
        return 0;
    int exists = store_exists(&daemon->store, error);
    if (exists < 0)
        return -1;
    if (exists == 0)
        return secret_key_create(state_fd, STATE_DIR_SECRET, &daemon->key, error);
    log_error(
        "secret.key is missing", log_text("state_dir", daemon->config->state_dir),
        log_text(
            "follows",
            "requests are accepted as before; webhooks cannot be shown, created or replaced until "
            "the key is back or the old webhooks are removed"));
    return 0;
}

/* Ids go on where the last run left off, also when the clock has stepped back. */
static int clock_prepare(struct daemon *daemon, struct error *error)
{
    struct store_options reading = daemon->store;
    reading.mode = STORE_READ;
    struct store *store = store_open(&reading, error);
    if (!store)
        return -1;
    id_clock_floor(store_clock_floor_ms(store));
    store_close(store);
    return 0;
}

int daemon_check_config(const struct daemon *daemon, struct config *config, struct error *error)
{
    return config_check_start(config, error) != 0
               ? -1
               : runner_check_config(config, daemon->config_path, daemon->supervisor_path, error);
}

/* ---- what the layers tell each other ---- */

static void on_committed(void *context)
{
    struct daemon *daemon = context;
    pthread_mutex_lock(&daemon->lock);
    if (daemon->runner_to_wake)
        runner_wake(daemon->runner_to_wake);
    pthread_mutex_unlock(&daemon->lock);
}

/* Invariant 6: everyone who waited has been told; nothing more may be promised. */
static void on_disk_failed(void *context, const struct error *error)
{
    struct daemon *daemon = context;
    log_error("the disk failed, webhookd stops", log_why(error));
    atomic_store(&daemon->disk_failed, true);
    loop_stop(daemon->loop);
}

static void get_hooks_metrics(void *context, struct admin_hooks_metrics *metrics)
{
    struct daemon *daemon = context;
    struct hooks_metrics hooks = {0};
    pthread_mutex_lock(&daemon->lock);
    if (daemon->hooks_to_measure)
        hooks_get_metrics(daemon->hooks_to_measure, &hooks);
    pthread_mutex_unlock(&daemon->lock);
    metrics->http = hooks.http;
    metrics->answer_count = HOOKS_STATUSES;
    for (size_t i = 0; i < HOOKS_STATUSES; i++) {
        metrics->answers[i].status = hooks.answers[i].status;
        metrics->answers[i].count = hooks.answers[i].count;
    }
    metrics->unanswered = hooks.unanswered;
    metrics->uncounted = hooks.uncounted;
    metrics->in_flight_bytes = hooks.in_flight_bytes;
    metrics->answer_us_sum = hooks.answer_us_sum;
}

/* NULL: they are about to be freed. */
static void show_to_callbacks(struct daemon *daemon, struct runner *runner, struct hooks *hooks)
{
    pthread_mutex_lock(&daemon->lock);
    daemon->runner_to_wake = runner;
    daemon->hooks_to_measure = hooks;
    pthread_mutex_unlock(&daemon->lock);
}

/* ---- start and stop ---- */

static void raise_descriptor_limit(const struct config *config)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)config->hooks.max_connections + 1024;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return;
    limit.rlim_cur =
        limit.rlim_max == RLIM_INFINITY || limit.rlim_max > needed ? needed : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed)
        log_warning("too few file descriptors for hooks.max_connections",
                    log_int("limit", (int64_t)limit.rlim_cur), log_int("needed", (int64_t)needed));
}

static int state_prepare(struct daemon *daemon, struct error *error)
{
    const char *relaxed = getenv("WEBHOOKD_TEST_RELAXED_SYNC");
    daemon->first = config_hold(daemon->config);
    daemon->store = (struct store_options){
        .state_dir = daemon->first->state_dir,
        .location = daemon->first->store,
        .mode = STORE_WRITE,
        .relaxed_sync = relaxed && strcmp(relaxed, "1") == 0,
    };
    if (daemon->store.relaxed_sync)
        log_error("WEBHOOKD_TEST_RELAXED_SYNC is set",
                  log_text("follows", "accepted fleet runs can be lost: for tests only"));
    if (state_dir_open(&daemon->state, daemon->first->state_dir, daemon->first->store,
                       store_location_owns, error) != 0 ||
        key_prepare(daemon, error) != 0)
        return -1;
    return store_prepare(&daemon->store, error);
}

static int start_queue(struct daemon *daemon, struct error *error)
{
    daemon->events = admin_events_new();
    struct commit_options options = {
        .store = daemon->store,
        .max_queued = daemon->config->hooks.max_connections +
                      256, /* each connection waits for one, and so does each admin worker */
        .min_free_bytes = daemon->config->min_free_bytes,
        .committed = on_committed,
        .failed = on_disk_failed,
        .context = daemon,
    };
    daemon->queue = commit_start(&options, error);
    return daemon->queue ? 0 : -1;
}

static int start_retention(struct daemon *daemon, struct error *error)
{
    struct retention_options options = {
        .queue = daemon->queue,
        .store = daemon->store,
        .state_fd = daemon->state.fd,
        .keep_ms = daemon->config->retention.runs_ms,
    };
    daemon->retention = retention_start(&options, error);
    return daemon->retention ? 0 : -1;
}

static void on_run_changed(void *context, const struct run_ids *ids, enum run_status status)
{
    admin_events_push(context, ids, status);
}

static void on_run_stored(void *context, const struct run_ids *ids)
{
    admin_events_push(context, ids, RUN_SCHEDULED);
}

static int start_runner(struct daemon *daemon, struct error *error)
{
    if (access(daemon->supervisor_path, X_OK) != 0)
        return error_set_errno(error, errno, "cannot execute %s", daemon->supervisor_path);
    struct runner_options options = {
        .config = daemon->config,
        .store = daemon->store,
        .queue = daemon->queue,
        .state_fd = daemon->state.fd,
        .state_path = daemon->config->state_dir,
        .supervisor_path = daemon->supervisor_path,
        .run_changed = on_run_changed,
        .context = daemon->events,
    };
    daemon->runner = runner_start(&options, error);
    show_to_callbacks(daemon, daemon->runner, NULL);
    return daemon->runner ? 0 : -1;
}

static int start_admin(struct daemon *daemon, struct error *error)
{
    struct admin_options options = {
        .config = daemon->config,
        .store = daemon->store,
        .queue = daemon->queue,
        .runner = daemon->runner,
        .events = daemon->events,
        .key = &daemon->key,
        .state_fd = daemon->state.fd,
        .hooks_address = daemon->hooks_address,
        .started_ms = clock_wall_ms(),
        .get_hooks_metrics = get_hooks_metrics,
        .context = daemon,
    };
    daemon->admin = admin_start(&options, error);
    return daemon->admin ? 0 : -1;
}

static int start_hooks(struct daemon *daemon, int listen_fd, struct error *error)
{
    struct hooks_options options = {
        .config = daemon->config,
        .listen_fd = listen_fd,
        .queue = daemon->queue,
        .spool = daemon->spool,
        .tally = daemon->tally,
        .run_stored = on_run_stored,
        .context = daemon->events,
    };
    daemon->hooks = hooks_start(&options, error);
    show_to_callbacks(daemon, daemon->runner, daemon->hooks);
    return daemon->hooks ? 0 : -1;
}

static int daemon_start(struct daemon *daemon, struct error *error)
{
    int listen_fd = daemon->inherited_fd;
    bool is_ours = listen_fd < 0;
    if (secret_init(error) != 0 || !(daemon->loop = loop_new(error)) ||
        signals_prepare(daemon, error) != 0 || log_start(error) != 0)
        return -1;
    raise_descriptor_limit(daemon->config);
    if (state_prepare(daemon, error) != 0)
        return -1;
    /* The address is taken early, so that a second start fails before it has touched anything that matters. */
    if (listen_fd < 0 && (listen_fd = http_listen(daemon->config->hooks.listen, error)) < 0)
        return -1;
    http_listen_address(listen_fd, daemon->hooks_address);
    /* Whoever may reach a unix socket may POST, as on a port: its folder decides, not our umask. Of one that systemd has made, systemd. */
    if (is_ours && strncmp(daemon->hooks_address, "unix:/", 6) == 0)
        (void)chmod(daemon->hooks_address + 5, 0666);
    if (start_queue(daemon, error) != 0 || clock_prepare(daemon, error) != 0 ||
        !(daemon->spool = spool_start(daemon->state.fd, &daemon->store, error)) ||
        !(daemon->tally = tally_start(daemon->queue, error)) ||
        start_retention(daemon, error) != 0 || start_runner(daemon, error) != 0 ||
        start_admin(daemon, error) != 0) {
        close(listen_fd);
        return -1;
    }
    return start_hooks(daemon, listen_fd, error);
}

/* At once: nothing that a failed disk still holds may be built upon (invariant 6). */
static _Noreturn void fail_stop(void)
{
    log_stop();
    _exit(EXIT_FAILURE);
}

static void daemon_stop(struct daemon *daemon)
{
    int64_t drain_ms = daemon->config->hooks.answer_timeout_ms + DRAIN_EXTRA_MS;
    show_to_callbacks(daemon, daemon->runner, NULL);
    if (daemon->hooks)
        hooks_quiesce(daemon->hooks);
    if (daemon->admin)
        admin_quiesce(daemon->admin);
    if (hooks_stop(daemon->hooks, drain_ms) != 0 || admin_stop(daemon->admin, drain_ms) != 0) {
        /* Whoever waits gets no answer, and the run may exist: as promised for a disk that hangs. */
        log_error("stopped with requests in progress", log_int("waited_ms", drain_ms));
        fail_stop();
    }
    show_to_callbacks(daemon, NULL, NULL);
    runner_stop(daemon->runner);
    retention_stop(daemon->retention);
    tally_stop(daemon->tally);
    /* A request that was left without an answer has gone, its operation has not: it needs the hooks and the spool to its end. */
    commit_drain(daemon->queue);
    if (atomic_load(&daemon->disk_failed))
        fail_stop(); /* before the store is closed, which would build on what the disk has lost */
    hooks_free(daemon->hooks);
    spool_stop(daemon->spool);
    commit_stop(daemon->queue);
    if (atomic_load(&daemon->disk_failed))
        fail_stop(); /* a checkpoint, this time */
}

/* Who runs without isolation although the others have it. */
static void log_exceptions(const struct config *config)
{
    for (size_t i = 0; i < config->fleet_count; i++) {
        const struct config_fleet *fleet = &config->fleets[i];
        if (fleet->has_sandbox && fleet->sandbox != config->runner.sandbox)
            log_info("fleet with another sandbox", log_text("fleet", fleet->name),
                     log_text("sandbox", config_sandbox_name(fleet->sandbox)));
    }
}

int daemon_run(struct daemon *daemon)
{
    struct error error = ERROR_INIT;
    if (daemon_start(daemon, &error) != 0) {
        log_error("cannot start", log_why(&error));
        daemon_stop(daemon);
        log_stop();
        return EXIT_FAILURE;
    }
    log_info("ready", log_text("version", WEBHOOKD_VERSION),
             log_text("hooks", daemon->hooks_address),
             log_text("state_dir", daemon->config->state_dir),
             log_text("sandbox", config_sandbox_name(daemon->config->runner.sandbox)));
    log_exceptions(daemon->config);
    signals_notify("READY=1");
    signals_feed_watchdog(daemon);

    int status = loop_run(daemon->loop, &error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

    if (atomic_load(&daemon->disk_failed)) {
        usleep(FAILED_LINGER_US);
        fail_stop();
    }
    signals_notify("STOPPING=1");
    daemon_stop(daemon);
    log_info("stopped", log_int("status", status));
    log_stop();
    return status;
}
