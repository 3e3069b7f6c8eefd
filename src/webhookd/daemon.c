/* Starts the layers in order, stops them in reverse, and connects their callbacks. The table
 * `layers`, near the end, is the architecture diagram; docs/architecture.md explains it. Called by
 * main.c, on the main thread. */
#include "webhookd/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/keyring.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/resources.h"
#include "base/secret.h"
#include "config/bounds.h"
#include "hooks/hooks.h"
#include "http/server.h"
#include "queue/commit.h"
#include "queue/spool.h"
#include "queue/tally.h"
#include "packages/installer.h"
#include "retention/retention.h"
#include "runner/runner.h"
#include "webhookd/configuration.h"
#include "webhookd/privileges.h"
#include "webhookd/signals.h"
#include "webhookd/state.h"

#define DRAIN_EXTRA_MS   2000   /* beyond answer_timeout, by when every answer has been sent */
#define FAILED_LINGER_US 250000 /* for the 503 answers after a failed disk to be sent */

/* Belongs to the main thread, except for what the lock guards. */
struct daemon {
    const struct daemon_options *options;
    struct config *config; /* in force; options->config is what the daemon was started with */
    size_t started;        /* number of layers that have started */

    struct loop *loop;
    struct signals *signals;
    struct state state;
    int listen_fd; /* the public address; -1 before it is opened and once the hooks own it */
    char hooks_address[HTTP_ADDRESS_BYTES];
    struct http_socket_file hooks_file; /* of a unix socket that systemd has not passed */
    struct admin_events *events;
    struct commit_queue *queue;
    struct spool *spool;
    struct tally *tally;
    struct retention *retention;
    struct installer *installer;
    struct runner *runner;
    struct admin *admin;
    struct hooks *hooks;

    pthread_mutex_t lock;           /* guards what callbacks on other threads use: */
    struct runner *runner_to_wake;  /* NULL before its start and once its stop begins */
    struct hooks *hooks_to_measure; /* likewise */
    atomic_bool disk_failed;
};

/* ---- the callbacks of the layers ---- */

static void on_committed(void *context)
{
    struct daemon *daemon = context;
    pthread_mutex_lock(&daemon->lock);
    if (daemon->runner_to_wake)
        runner_wake(daemon->runner_to_wake);
    pthread_mutex_unlock(&daemon->lock);
}

/* Invariant 6: everyone waiting gets an error; nothing more may be promised. */
static void on_disk_failed(void *context, const struct error *error)
{
    struct daemon *daemon = context;
    log_error("the disk failed; webhookd is stopping", log_why(error));
    atomic_store(&daemon->disk_failed, true);
    loop_stop(daemon->loop);
}

static void on_packages_changed(void *context)
{
    struct daemon *daemon = context;
    pthread_mutex_lock(&daemon->lock);
    if (daemon->runner_to_wake)
        runner_packages_changed(daemon->runner_to_wake);
    pthread_mutex_unlock(&daemon->lock);
}

static void on_run_changed(void *context, const struct run_ids *ids, enum run_status status)
{
    admin_events_push(context, ids, status);
}

static void on_run_stored(void *context, const struct run_ids *ids)
{
    admin_events_push(context, ids, RUN_SCHEDULED);
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

/* NULL: not started yet, or about to be stopped. */
static void show_to_callbacks(struct daemon *daemon, struct runner *runner, struct hooks *hooks)
{
    pthread_mutex_lock(&daemon->lock);
    daemon->runner_to_wake = runner;
    daemon->hooks_to_measure = hooks;
    pthread_mutex_unlock(&daemon->lock);
}

static void on_stop(void *context)
{
    struct daemon *daemon = context;
    loop_stop(daemon->loop);
}

/* A valid file takes effect immediately, except for keys that need a restart; an invalid one
 * changes nothing. */
static void on_reload(void *context)
{
    struct daemon *daemon = context;
    const struct daemon_options *options = daemon->options;
    struct config *fresh = configuration_reload(options->config, options->place);
    if (!fresh)
        return;
    config_keep_until_restart(fresh, daemon->config);
    configuration_log_bounds(fresh);
    log_set_level(fresh->log_level);
    log_set_format(fresh->log_format);
    commit_set_min_free(daemon->queue, fresh->min_free_bytes);
    retention_set(daemon->retention, fresh->retention.runs_ms);
    installer_reconfigure(daemon->installer, fresh);
    runner_reconfigure(daemon->runner, fresh);
    admin_reconfigure(daemon->admin, fresh);
    hooks_reconfigure(daemon->hooks, fresh);
    config_release(daemon->config);
    daemon->config = fresh;
    log_info("configuration reloaded", log_text("file", options->place->path));
}

/* ---- the process: libsodium, file descriptors, the loop, signals ---- */

static int start_process(struct daemon *daemon, struct error *error)
{
    if (secret_init(error) != 0)
        return -1;
    resources_raise_files(config_bounds_files(daemon->config));
    configuration_log_bounds(daemon->config);
    return 0;
}

static int start_loop(struct daemon *daemon, struct error *error)
{
    daemon->loop = loop_new(error);
    return daemon->loop ? 0 : -1;
}

static void stop_loop(struct daemon *daemon)
{
    loop_free(daemon->loop);
}

static int start_signals(struct daemon *daemon, struct error *error)
{
    const struct signals_callbacks callbacks = {
        .reload = on_reload, .stop = on_stop, .context = daemon};
    daemon->signals = signals_start(daemon->loop, &callbacks, error);
    return daemon->signals ? 0 : -1;
}

static void stop_signals(struct daemon *daemon)
{
    signals_stop(daemon->signals);
}

/* ---- what no other process may have: the state folder, the public address ---- */

static int start_state(struct daemon *daemon, struct error *error)
{
    return state_open(&daemon->state, daemon->options->config, error);
}

static void stop_state(struct daemon *daemon)
{
    state_close(&daemon->state);
}

/* Opens the address early, so that a second start fails before it has touched anything that
 * matters. */
static int start_address(struct daemon *daemon, struct error *error)
{
    int inherited_fd = daemon->options->hooks_fd;
    daemon->listen_fd =
        inherited_fd >= 0 ? inherited_fd : http_listen(daemon->config->hooks.listen, error);
    if (daemon->listen_fd < 0) {
        error_context(error, "hooks.listen");
        return -1;
    }
    http_listen_address(daemon->listen_fd, daemon->hooks_address);
    /* A unix socket is as open as a port: its folder decides who may POST, not the umask. A socket
     * passed by systemd keeps its mode. */
    if (inherited_fd < 0)
        http_socket_file_note(daemon->listen_fd, &daemon->hooks_file);
    if (daemon->hooks_file.path[0] != '\0')
        (void)chmod(daemon->hooks_file.path, 0666);
    return 0;
}

static void stop_address(struct daemon *daemon)
{
    http_socket_file_remove(&daemon->hooks_file);
    if (daemon->listen_fd >= 0)
        close(daemon->listen_fd);
}

/* ---- operations: the commit queue, and everything that submits to it ---- */

/* Exits immediately: nothing may build on what a failed disk still holds (invariant 6). */
static _Noreturn void fail_stop(void)
{
    log_stop();
    _exit(EXIT_FAILURE);
}

static int start_events(struct daemon *daemon, struct error *error)
{
    (void)error;
    daemon->events = admin_events_new();
    return 0;
}

static void stop_events(struct daemon *daemon)
{
    admin_events_free(daemon->events);
}

static int start_queue(struct daemon *daemon, struct error *error)
{
    struct commit_options options = {
        .store = daemon->state.store,
        /* Each connection can wait for one operation, and so can each admin worker. */
        .max_queued = daemon->config->hooks.max_connections + 256,
        .min_free_bytes = daemon->config->min_free_bytes,
        .committed = on_committed,
        .failed = on_disk_failed,
        .context = daemon,
    };
    daemon->queue = commit_start(&options, error);
    return daemon->queue ? 0 : -1;
}

/* A request that was left without an answer has ended, but its operation may not have: it needs the
 * hooks and the spool until its end. */
static void drain_operations(struct daemon *daemon)
{
    commit_drain(daemon->queue);
    if (atomic_load(&daemon->disk_failed))
        fail_stop(); /* before closing the store, which would build on what the disk has lost */
}

static void stop_queue(struct daemon *daemon)
{
    drain_operations(daemon); /* again, in case a start failed before their row */
    commit_stop(daemon->queue);
    if (atomic_load(&daemon->disk_failed))
        fail_stop(); /* this time a checkpoint failed */
}

static int start_clock(struct daemon *daemon, struct error *error)
{
    return state_advance_clock(&daemon->state, error);
}

static int start_spool(struct daemon *daemon, struct error *error)
{
    daemon->spool = spool_start(daemon->state.dir.fd, &daemon->state.store, error);
    return daemon->spool ? 0 : -1;
}

static void stop_spool(struct daemon *daemon)
{
    spool_stop(daemon->spool);
}

static int start_tally(struct daemon *daemon, struct error *error)
{
    daemon->tally = tally_start(daemon->queue, error);
    return daemon->tally ? 0 : -1;
}

static void stop_tally(struct daemon *daemon)
{
    tally_stop(daemon->tally);
}

static int start_retention(struct daemon *daemon, struct error *error)
{
    struct retention_options options = {
        .queue = daemon->queue,
        .store = daemon->state.store,
        .state_fd = daemon->state.dir.fd,
        .keep_ms = daemon->config->retention.runs_ms,
    };
    daemon->retention = retention_start(&options, error);
    return daemon->retention ? 0 : -1;
}

static void stop_retention(struct daemon *daemon)
{
    retention_stop(daemon->retention);
}

static int start_installer(struct daemon *daemon, struct error *error)
{
    (void)error;
    const struct installer_options options = {
        .config = daemon->config,
        .supervisor_path = daemon->options->place->supervisor_path,
        .store = daemon->state.store,
        .queue = daemon->queue,
        .changed = on_packages_changed,
        .context = daemon,
    };
    daemon->installer = installer_start(&options);
    return 0;
}

static void stop_installer(struct daemon *daemon)
{
    installer_stop(daemon->installer);
}

static int start_runner(struct daemon *daemon, struct error *error)
{
    const char *supervisor_path = daemon->options->place->supervisor_path;
    if (access(supervisor_path, X_OK) != 0)
        return error_set_errno(error, errno, "cannot execute \"%s\"", supervisor_path);
    struct runner_options options = {
        .config = daemon->config,
        .store = daemon->state.store,
        .queue = daemon->queue,
        .installer = daemon->installer,
        .state_fd = daemon->state.dir.fd,
        .state_path = daemon->config->state_dir,
        .supervisor_path = supervisor_path,
        .run_changed = on_run_changed,
        .context = daemon->events,
    };
    daemon->runner = runner_start(&options, error);
    show_to_callbacks(daemon, daemon->runner, NULL);
    if (!daemon->runner)
        return -1;
    runner_packages_changed(daemon->runner); /* in case something has, before it was shown */
    return 0;
}

static void stop_runner(struct daemon *daemon)
{
    show_to_callbacks(daemon, NULL, NULL);
    runner_stop(daemon->runner);
}

/* ---- requests: the two listeners ---- */

/* The requests have not ended: they get no answer, and their runs may exist, as documented for a
 * disk that hangs. */
static _Noreturn void give_up_requests(int64_t waited_ms)
{
    log_error("stopped with requests in progress", log_int("waited_ms", waited_ms));
    fail_stop();
}

static int64_t drain_ms(const struct daemon *daemon)
{
    return daemon->config->hooks.answer_timeout_ms + DRAIN_EXTRA_MS;
}

static int start_admin(struct daemon *daemon, struct error *error)
{
    struct admin_options options = {
        .config = daemon->config,
        .store = daemon->state.store,
        .queue = daemon->queue,
        .runner = daemon->runner,
        .installer = daemon->installer,
        .events = daemon->events,
        .state_fd = daemon->state.dir.fd,
        .hooks_address = daemon->hooks_address,
        .started_ms = clock_wall_ms(),
        .get_hooks_metrics = get_hooks_metrics,
        .context = daemon,
    };
    daemon->admin = admin_start(&options, error);
    return daemon->admin ? 0 : -1;
}

static void quiesce_admin(struct daemon *daemon)
{
    admin_quiesce(daemon->admin);
}

static void stop_admin(struct daemon *daemon)
{
    int64_t timeout_ms = drain_ms(daemon);
    if (admin_stop(daemon->admin, timeout_ms) != 0)
        give_up_requests(timeout_ms);
}

static int start_hooks(struct daemon *daemon, struct error *error)
{
    struct hooks_options options = {
        .config = daemon->config,
        .listen_fd = daemon->listen_fd,
        .queue = daemon->queue,
        .spool = daemon->spool,
        .tally = daemon->tally,
        .run_stored = on_run_stored,
        .context = daemon->events,
        .mount = admin_public_mount(daemon->admin),
    };
    daemon->listen_fd = -1; /* the hooks own it, even if they cannot start */
    daemon->hooks = hooks_start(&options, error);
    show_to_callbacks(daemon, daemon->runner, daemon->hooks);
    return daemon->hooks ? 0 : -1;
}

static void quiesce_hooks(struct daemon *daemon)
{
    show_to_callbacks(daemon, daemon->runner, NULL);
    http_socket_file_remove(&daemon->hooks_file);
    hooks_quiesce(daemon->hooks);
}

static void stop_hooks(struct daemon *daemon)
{
    int64_t timeout_ms = drain_ms(daemon);
    if (hooks_stop(daemon->hooks, timeout_ms) != 0)
        give_up_requests(timeout_ms);
}

static void free_hooks(struct daemon *daemon)
{
    hooks_free(daemon->hooks);
}

/* ---- the layers ---- */

/* Each layer builds on those above it: the start walks down, the stop walks up.
 *
 *  - A start that fails cleans up after itself: only layers that have started are stopped.
 *  - `quiesce` is called upwards, once for each layer, before the first stop: no new requests come
 *    in.
 *  - The hooks end in three steps and have three rows: first their requests end, then the
 *    operations that these have submitted, and only then is their memory freed.
 *
 * NULL: there is nothing to do. */
static const struct layer {
    const char *name;
    int (*start)(struct daemon *daemon, struct error *error);
    void (*quiesce)(struct daemon *daemon);
    void (*stop)(struct daemon *daemon);
} layers[] = {
    {"process", start_process, NULL, NULL}, /* libsodium, file descriptors */
    {"loop", start_loop, NULL, stop_loop},  /* the main thread's */
    {"signals", start_signals, NULL, stop_signals},
    {"state folder", start_state, NULL, stop_state},      /* locked; the key and the store in it */
    {"address", start_address, NULL, stop_address},       /* the public one; nothing accepts yet */
    {"events", start_events, NULL, stop_events},          /* news of fleet runs */
    {"queue", start_queue, NULL, stop_queue},             /* the committer, the one writer */
    {"clock", start_clock, NULL, NULL},                   /* ids grow across restarts */
    {"spool", start_spool, NULL, stop_spool},             /* large bodies */
    {"hooks' memory", NULL, NULL, free_hooks},            /* operations use it until they end */
    {"operations", NULL, NULL, drain_operations},         /* end after their submitters */
    {"tally", start_tally, NULL, stop_tally},             /* counts of webhooks' calls */
    {"retention", start_retention, NULL, stop_retention}, /* deletes old fleet runs */
    {"installer", start_installer, NULL, stop_installer}, /* packages of vessels */
    {"runner", start_runner, NULL, stop_runner},          /* scheduled runs to vessel processes */
    {"admin", start_admin, quiesce_admin, stop_admin},    /* its API, health, metrics */
    {"hooks", start_hooks, quiesce_hooks, stop_hooks},    /* last: the public listener */
};

static int layers_start(struct daemon *daemon, struct error *error)
{
    for (; daemon->started < ARRAY_COUNT(layers); daemon->started++) {
        const struct layer *layer = &layers[daemon->started];
        if (!layer->start)
            continue;
        log_debug("layer starts", log_text("layer", layer->name));
        if (layer->start(daemon, error) != 0)
            return -1;
    }
    return 0;
}

static void layers_stop(struct daemon *daemon)
{
    for (size_t i = daemon->started; i-- > 0;)
        if (layers[i].quiesce)
            layers[i].quiesce(daemon);
    while (daemon->started > 0) {
        const struct layer *layer = &layers[--daemon->started];
        if (!layer->stop)
            continue;
        log_debug("layer stops", log_text("layer", layer->name));
        layer->stop(daemon);
    }
}

/* ---- the daemon's life ---- */

/* Logs the fleets that run without isolation although the others have it, or the reverse. */
static void log_exceptions(const struct config *config)
{
    for (size_t i = 0; i < config->fleet_count; i++) {
        const struct config_fleet *fleet = &config->fleets[i];
        if (fleet->has_sandbox && fleet->sandbox != config->runner.sandbox)
            log_info("fleet with a different sandbox", log_text("fleet_name", fleet->name),
                     log_text("sandbox", config_sandbox_name(fleet->sandbox)));
    }
}

/* From "ready" to the end of the loop. */
static int run_started(struct daemon *daemon)
{
    struct error error = ERROR_INIT;
    log_info("ready", log_text("version", WEBHOOKD_VERSION),
             log_text("hooks", daemon->hooks_address),
             log_text("state_dir", daemon->config->state_dir),
             log_text("sandbox", config_sandbox_name(daemon->config->runner.sandbox)));
    log_exceptions(daemon->config);
    signals_notify("READY=1");
    signals_feed_watchdog(daemon->signals);

    int status = loop_run(daemon->loop, &error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

    if (atomic_load(&daemon->disk_failed)) {
        usleep(FAILED_LINGER_US);
        fail_stop();
    }
    signals_notify("STOPPING=1");
    return status;
}

/* Gives up privileges, and leaves the session keyring of whoever has started webhookd, which
 * supervisors and vessels would inherit. Both belong to a thread, so this comes before the first
 * other one starts. Starts the log and then the layers. */
static int start(struct daemon *daemon, struct error *error)
{
    struct error not_left = ERROR_INIT;
    if (privileges_reduce(daemon->options->config, error) != 0)
        return -1;
    (void)keyring_leave_session(&not_left);
    if (log_start(error) != 0)
        return -1;
    /* No vessel gets at its keys even so: strict mode refuses the calls, and in off mode an attempt
     * without a keyring of its own does not start. */
    if (error_is_set(&not_left))
        log_warning("the session keyring of webhookd's starter was not left", log_why(&not_left));
    return layers_start(daemon, error);
}

/* The log is not a layer, because it records their start and stop. */
int daemon_run(const struct daemon_options *options)
{
    struct daemon daemon = {
        .options = options, .config = config_hold(options->config), .listen_fd = -1};
    pthread_mutex_init(&daemon.lock, NULL);
    struct error error = ERROR_INIT;
    int status = EXIT_FAILURE;
    bool is_up = start(&daemon, &error) == 0;
    if (is_up) {
        status = run_started(&daemon);
    } else {
        log_error("cannot start", log_why(&error));
        status = error.kind == ERROR_CONFIG ? CONFIG_EXIT_STATUS : EXIT_FAILURE;
    }
    layers_stop(&daemon);
    if (is_up)
        log_info("stopped", log_int("status", status));
    log_stop();
    pthread_mutex_destroy(&daemon.lock);
    config_release(daemon.config);
    return status;
}
