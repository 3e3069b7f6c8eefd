/* webhookd: reads the flags, starts the layers in order, waits for signals, stops them in reverse. daemon_start is the architecture
 * diagram: each line stands on the ones above it. docs/architecture.md explains it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/notify.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "config/config.h"
#include "hooks/hooks.h"
#include "http/server.h"
#include "queue/commit.h"
#include "queue/spool.h"
#include "queue/tally.h"
#include "runner/retention.h"
#include "runner/runner.h"
#include "store/store.h"

#define EXIT_USAGE       2
#define DRAIN_EXTRA_MS   2000   /* beyond answer_timeout, by which every answer is out */
#define FAILED_LINGER_US 250000 /* for the 503s of a failed disk to leave */
#define SUPERVISOR       "webhookd-vessel"

struct daemon {
    struct config *config; /* in force */
    struct config *
        first; /* what was started with: the store's options borrow from it, and keys that need a restart are compared with it */
    const char *config_path;
    struct state_dir state;
    struct store_options store;
    struct secret_key key;
    char *supervisor_path;
    struct loop *loop;
    struct commit_queue *queue;
    struct spool *spool;
    struct tally *tally;
    struct retention *retention;
    struct runner *runner;
    struct admin *admin;
    struct admin_events *events;
    struct hooks *hooks;
    pthread_mutex_t lock;           /* guards what other threads' callbacks see of them: */
    struct runner *runner_to_wake;  /* NULL before it has started and from when it is stopped */
    struct hooks *hooks_to_measure; /* likewise */
    char hooks_address[HTTP_ADDRESS_BYTES];
    int inherited_fd; /* systemd's socket for the hooks, or -1 */
    struct loop_watch signals;
    struct loop_timer watchdog;
    atomic_bool disk_failed;
};

/* ---- the state folder ---- */

/* The database's file in it. */
static const char *store_name(const struct config *config)
{
    const char *colon = strchr(config->store, ':');
    return colon ? colon + 1 : config->store;
}

/* The key exists, synced, before the store does; beside a store it is never made anew here (only once no sealed token is left). */
static int key_prepare(struct daemon *daemon, struct error *error)
{
    int state_fd = daemon->state.fd;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, &daemon->key, error) != 0)
        return -1;
    if (daemon->key.present)
        return 0;
    if (faccessat(state_fd, store_name(daemon->config), F_OK, 0) != 0 && errno == ENOENT)
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
    id_clock_floor(store_last_run_number(store) >> 12);
    store_close(store);
    return 0;
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

/* ---- signals ---- */

static void log_report(enum log_level level, const char *event, struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        LOG_AT(level, event, log_text("message", report->lines[i]));
    config_report_free(report);
}

static void notify(const char *state)
{
    struct error error = ERROR_INIT;
    if (notify_send(state, &error) != 0)
        log_warning("service manager not told", log_why(&error));
}

static int check_start(const struct daemon *daemon, struct config *config, struct error *error)
{
    return config_check_start(config, error) != 0
               ? -1
               : runner_check_config(config, daemon->config_path, daemon->supervisor_path, error);
}

/* The file, if webhookd could also be started with it; else NULL and why. */
static struct config *load_startable(const struct daemon *daemon, struct config_report *report)
{
    struct config *fresh = config_load(daemon->config_path, report);
    struct error error = ERROR_INIT;
    if (!fresh || check_start(daemon, fresh, &error) == 0)
        return fresh;
    config_report_add(report, "%s: %s", daemon->config_path, error.message);
    config_release(fresh);
    return NULL;
}

static void take_over(struct daemon *daemon, struct config *fresh)
{
    config_keep_until_restart(fresh, daemon->config);
    log_set_level(fresh->log_level);
    log_set_format(fresh->log_format);
    commit_set_min_free(daemon->queue, fresh->min_free_bytes);
    retention_set(daemon->retention, fresh->retention.runs_ms);
    runner_reconfigure(daemon->runner, fresh);
    admin_reconfigure(daemon->admin, fresh);
    hooks_reconfigure(daemon->hooks, fresh);
    config_release(daemon->config);
    daemon->config = fresh;
}

/* SIGHUP: a good file takes effect at once, as far as it can; a bad one changes nothing. */
static void reload(struct daemon *daemon)
{
    char state[80];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
    notify(state);
    struct config_report report = {0};
    struct config *fresh = load_startable(daemon, &report);
    if (!fresh) {
        log_report(LOG_LEVEL_ERROR, "configuration not reloaded", &report);
    } else {
        config_report_restart(daemon->first, fresh, &report);
        log_report(LOG_LEVEL_WARNING, "configuration", &report);
        take_over(daemon, fresh);
        log_info("configuration reloaded", log_text("file", daemon->config_path));
    }
    notify("READY=1");
}

static void on_signal(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct daemon *daemon = CONTAINER_OF(watch, struct daemon, signals);
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            reload(daemon);
        } else {
            log_info("stopping",
                     log_text("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
            loop_stop(daemon->loop);
        }
    }
}

static void on_watchdog(struct loop_timer *timer)
{
    struct daemon *daemon = CONTAINER_OF(timer, struct daemon, watchdog);
    notify("WATCHDOG=1");
    loop_set_timer(daemon->loop, timer, clock_monotonic_ms() + notify_watchdog_ms());
}

/* Before any thread: they all inherit the mask, and signals come through the descriptor alone. */
static int signals_prepare(struct daemon *daemon, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(
        SIGCHLD,
        SIG_DFL); /* ignored, as whoever started us may have left it, it would take supervisors' ends away */
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not a reason to die */
    daemon->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (daemon->signals.fd < 0)
        return error_set_errno(error, errno, "cannot wait for signals");
    daemon->signals.ready = on_signal;
    return loop_watch(daemon->loop, &daemon->signals, EPOLLIN, error);
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

/* Beside the program in a build folder, under libexec once installed. */
static char *find_supervisor(void)
{
    char self[4096];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (bytes > 0) {
        self[bytes] = '\0';
        char *slash = strrchr(self, '/');
        *slash = '\0';
        char *beside = memory_format("%s/%s", self, SUPERVISOR);
        if (access(beside, X_OK) == 0)
            return beside;
        free(beside);
    }
    return memory_format("%s/%s", WEBHOOKD_LIBEXEC, SUPERVISOR);
}

static int state_prepare(struct daemon *daemon, struct error *error)
{
    if (state_dir_open(&daemon->state, daemon->config->state_dir, store_name(daemon->config),
                       error) != 0 ||
        key_prepare(daemon, error) != 0)
        return -1;
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
                  log_text("follows", "accepted runs can be lost: for tests only"));
    return store_resync(&daemon->store, error);
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

static void daemon_free(struct daemon *daemon)
{
    secret_wipe(&daemon->key, sizeof(daemon->key));
    loop_free(daemon->loop);
    if (daemon->signals.fd >= 0)
        close(daemon->signals.fd);
    state_dir_close(&daemon->state);
    admin_events_free(daemon->events);
    free(daemon->supervisor_path);
    config_release(daemon->first);
    config_release(daemon->config);
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

static int daemon_run(struct daemon *daemon)
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
    notify("READY=1");
    if (notify_watchdog_ms() > 0) {
        daemon->watchdog.fired = on_watchdog;
        on_watchdog(&daemon->watchdog);
    }

    int status = loop_run(daemon->loop, &error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

    if (atomic_load(&daemon->disk_failed)) {
        usleep(FAILED_LINGER_US);
        fail_stop();
    }
    notify("STOPPING=1");
    daemon_stop(daemon);
    log_info("stopped", log_int("status", status));
    log_stop();
    return status;
}

/* ---- the command line ---- */

static void print_usage(FILE *stream)
{
    fprintf(
        stream,
        "usage: webhookd [-c FILE] [-t]\n"
        "\n"
        "  -c FILE             configuration (default " CONFIG_DEFAULT_PATH ")\n"
        "  -t, --check-config  check the configuration and exit\n"
        "  -V, --version       print the version and exit\n"
        "  -h, --help          print this and exit\n"
        "\n"
        "It stays in the foreground and logs to stderr. See webhookd(8) and webhookd.conf(5).\n");
}

static void print_report(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        fprintf(stderr, "%s\n", report->lines[i]);
    config_report_free(report);
}

struct command_line {
    const char *config_path;
    bool check_config;
};

/* -1 = go on, else the exit status. */
static int read_command_line(int argc, char **argv, struct command_line *line)
{
    static const struct option options[] = {
        {"check-config", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            line->config_path = optarg;
            break;
        case 't':
            line->check_config = true;
            break;
        case 'V':
            printf("webhookd %s\n", WEBHOOKD_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            print_usage(stdout);
            return EXIT_SUCCESS;
        default:
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "webhookd: what is \"%s\"?\n", argv[optind]);
    print_usage(stderr);
    return EXIT_USAGE;
}

/* A service manager may start us with some of 0 to 2 closed; no store or socket must ever land there. */
static void open_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    struct command_line line = {.config_path = CONFIG_DEFAULT_PATH};
    int status = read_command_line(argc, argv, &line);
    if (status >= 0)
        return status;

    struct config_report report = {0};
    struct daemon daemon = {
        .config_path = line.config_path, .state = STATE_DIR_INIT, .inherited_fd = -1};
    daemon.signals.fd = -1;
    pthread_mutex_init(&daemon.lock, NULL);
    daemon.config = config_load(line.config_path, &report);
    print_report(&report);
    if (!daemon.config)
        return CONFIG_EXIT_STATUS;
    daemon.supervisor_path = find_supervisor();
    struct error error = ERROR_INIT;
    bool is_good = check_start(&daemon, daemon.config, &error) == 0;
    if (!is_good)
        fprintf(stderr, "%s: %s\n", line.config_path, error.message);
    else if (line.check_config)
        printf("%s: ok\n", line.config_path);
    if (!is_good || line.check_config) {
        daemon_free(&daemon);
        return is_good ? EXIT_SUCCESS : CONFIG_EXIT_STATUS;
    }
    log_set_level(daemon.config->log_level);
    log_set_format(daemon.config->log_format);
    if (notify_inherited_sockets() > 0)
        daemon.inherited_fd = 3;
    umask(077);
    status = daemon_run(&daemon);
    daemon_free(&daemon);
    return status;
}
