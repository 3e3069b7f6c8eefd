/* Answers /metrics in Prometheus' text format 0.0.4. Counters start at zero with the process. It
 * does not read the database, so it works even if the disk does not. On admin workers' threads. */
#include <inttypes.h>

#include "admin/routes.h"
#include "admin/status.h"
#include "base/log.h"
#include "base/memory.h"

static void add_head(struct buffer *text, const char *name, const char *type, const char *help)
{
    buffer_append_format(text, "# HELP webhookd_%s %s\n# TYPE webhookd_%s %s\n", name, help, name,
                         type);
}

static void add_gauge(struct buffer *text, const char *name, int64_t value, const char *help)
{
    add_head(text, name, "gauge", help);
    buffer_append_format(text, "webhookd_%s %" PRId64 "\n", name, value);
}

static void add_counter(struct buffer *text, const char *name, uint64_t value, const char *help)
{
    add_head(text, name, "counter", help);
    buffer_append_format(text, "webhookd_%s %" PRIu64 "\n", name, value);
}

/* Prometheus expects seconds. */
static void add_seconds(struct buffer *text, const char *name, int64_t us, const char *help)
{
    add_head(text, name, "counter", help);
    buffer_append_format(text, "webhookd_%s %" PRId64 ".%06" PRId64 "\n", name, us / 1000000,
                         us % 1000000);
}

static void add_hooks(struct buffer *text, const struct admin_hooks_metrics *hooks)
{
    if (hooks->answer_count > 0)
        add_head(text, "hooks_answers_total", "counter",
                 "Requests to the public listener that were answered, by status.");
    for (size_t i = 0; i < hooks->answer_count; i++)
        buffer_append_format(text, "webhookd_hooks_answers_total{status=\"%u\"} %" PRIu64 "\n",
                             hooks->answers[i].status, hooks->answers[i].count);
    add_counter(text, "hooks_unanswered_total", hooks->unanswered,
                "Requests to the public listener whose connection was closed without an answer.");
    add_counter(text, "hooks_uncounted_total", hooks->uncounted,
                "Requests missing from their webhook's counts because too many waited.");
    add_seconds(text, "hooks_accept_seconds_total", (int64_t)hooks->answer_us_sum,
                "Time from the request line to the 201, over all accepted requests.");
    add_gauge(text, "hooks_in_flight_bytes", hooks->in_flight_bytes,
              "Bytes of request bodies held in memory and not yet on disk.");
}

/* A metric family for each number, with a sample for each open listener. */
struct listener_sample {
    const char *name;
    struct http_metrics http;
};

static size_t sample_listener(struct admin_listener *listener, const char *name,
                              struct listener_sample *sample)
{
    struct http_server *server = atomic_load(&listener->server);
    if (!server)
        return 0;
    sample->name = name;
    http_server_get_metrics(server, &sample->http);
    return 1;
}

static void add_listeners(struct buffer *text, const struct listener_sample *samples, size_t count)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        {"http_connections", "gauge", "Open connections."},
        {"http_accepted_total", "counter", "Connections accepted."},
        {"http_closed_for_room_total", "counter",
         "Idle connections closed to make room for others."},
        {"http_closed_deadline_total", "counter", "Connections closed at a deadline."},
        {"http_refused_total", "counter", "Requests refused because they were malformed HTTP."},
    };
    for (size_t family = 0; family < ARRAY_COUNT(families); family++) {
        add_head(text, families[family].name, families[family].type, families[family].help);
        for (size_t i = 0; i < count; i++) {
            const struct http_metrics *http = &samples[i].http;
            const uint64_t values[] = {(uint64_t)http->connections, http->accepted,
                                       http->closed_idle_for_room, http->closed_deadline,
                                       http->refused};
            buffer_append_format(text, "webhookd_%s{listener=\"%s\"} %" PRIu64 "\n",
                                 families[family].name, samples[i].name, values[family]);
        }
    }
}

static void add_commit(struct buffer *text, const struct commit_metrics *commit)
{
    add_gauge(text, "commit_queued", commit->queued, "Operations waiting to be committed.");
    add_counter(text, "commit_operations_total", commit->operations, "Operations committed.");
    add_counter(text, "commit_batches_total", commit->batches, "Batches tried.");
    add_counter(text, "commit_failed_batches_total", commit->failed_batches,
                "Batches that were rolled back.");
    add_seconds(text, "commit_seconds_total", commit->store.commit_us_sum,
                "Time spent making batches durable.");
    add_counter(text, "checkpoints_total", commit->store.checkpoints,
                "Checkpoints of the write-ahead log.");
    add_gauge(text, "wal_frames", commit->store.log_frames, "Frames in the write-ahead log.");
    const struct store_space *space = &commit->store.space;
    add_gauge(text, "disk_free_bytes", space->free_bytes, "Free space on the state folder's disk.");
    if (space->free_inodes != STORE_NO_INODE_LIMIT)
        add_gauge(text, "disk_free_inodes", space->free_inodes,
                  "Free inodes on the state folder's disk.");
}

static void add_runner(struct buffer *text, const struct runner_metrics *runner)
{
    add_gauge(text, "vessels_running", runner->running_vessels, "Vessels running now.");
    add_gauge(text, "runs_active", runner->active_runs,
              "Fleet runs that the runner is working on.");
    add_counter(text, "attempts_started_total", runner->attempts_started,
                "Vessel attempts started.");
    add_counter(text, "attempts_ended_total", runner->attempts_ended, "Vessel attempts ended.");
    add_counter(text, "attempts_interrupted_total", runner->attempts_interrupted,
                "Vessel attempts that were interrupted.");
    add_counter(text, "attempts_adopted_total", runner->attempts_adopted,
                "Vessel attempts found running at the start.");
    add_counter(text, "attempts_over_disk_total", runner->attempts_over_disk,
                "Vessel attempts killed because their run occupied too much disk.");
}

static void add_packages(struct buffer *text, const struct installer_metrics *packages)
{
    add_gauge(text, "package_installs_running", packages->running,
              "Vessels whose packages are being locked or installed.");
    add_gauge(text, "package_installs_waiting", packages->waiting,
              "Vessels whose packages wait for a free installer.");
    add_counter(text, "package_installs_succeeded_total", packages->succeeded,
                "Package environments installed.");
    add_counter(text, "package_installs_failed_total", packages->failed,
                "Failed attempts to lock or install the packages of a vessel.");
    add_gauge(text, "package_environments", packages->environments,
              "Package environments, counted when they were tidied last.");
    add_gauge(text, "package_environments_bytes", packages->environment_bytes,
              "Space that the package environments occupy.");
}

int metrics_get(struct admin_request *request, struct error *error)
{
    struct admin *admin = request->admin;
    struct buffer *text = &request->answer.bytes;
    struct listener_sample samples[3];
    size_t count = 0;

    add_head(text, "build_info", "gauge", "The running version.");
    buffer_append_format(text, "webhookd_build_info{version=\"%s\"} 1\n", WEBHOOKD_VERSION);
    add_gauge(text, "start_time_seconds", admin->options.started_ms / 1000,
              "When the process started, in seconds since the epoch.");
    struct error why = ERROR_INIT;
    add_gauge(text, "ready", status_is_ready(admin, &why) == 0,
              "Whether fleet runs can be accepted now.");
    add_counter(text, "log_lost_lines_total", log_lost_lines(),
                "Log lines lost because stderr did not accept them.");
    if (admin->options.get_hooks_metrics) {
        struct admin_hooks_metrics hooks = {.answer_count = 0};
        admin->options.get_hooks_metrics(admin->options.context, &hooks);
        add_hooks(text, &hooks);
        samples[count++] = (struct listener_sample){"hooks", hooks.http};
    }
    count += sample_listener(&admin->tcp, "admin", &samples[count]);
    count += sample_listener(&admin->local, "socket", &samples[count]);
    add_listeners(text, samples, count);
    struct commit_metrics commit;
    commit_get_metrics(admin->options.queue, &commit);
    add_commit(text, &commit);
    if (admin->options.runner) {
        struct runner_metrics runner;
        runner_get_metrics(admin->options.runner, &runner);
        add_runner(text, &runner);
    }
    struct installer_metrics packages;
    installer_get_metrics(admin->options.installer, &packages);
    add_packages(text, &packages);
    request->answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (text->failed)
        return error_set(error, ERROR_UNAVAILABLE, "not enough memory for the metrics");
    return 0;
}
