/* Answers /api/v1/status for administrators, and /healthz and /readyz for monitoring. On admin
 * workers' threads. */
#include "admin/status.h"

#include <stdlib.h>
#include <unistd.h>

#include "admin/render.h"
#include "admin/routes.h"
#include "admin/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/bounds.h"

int status_has_room(struct admin *admin, int64_t body_bytes, struct error *error)
{
    if (atomic_load(&admin->stopping))
        return error_set(error, ERROR_UNAVAILABLE, "webhookd is shutting down");
    return commit_has_room(admin->options.queue, body_bytes, error);
}

int status_is_ready(struct admin *admin, struct error *error)
{
    if (status_has_room(admin, 0, error) != 0)
        return -1;
    return commit_is_ready(admin->options.queue, error);
}

int status_healthz(struct admin_request *request, struct error *error)
{
    (void)error;
    request_answer_data(request, 200, render_one("status", json_string("alive")));
    return 0;
}

int status_readyz(struct admin_request *request, struct error *error)
{
    if (status_is_ready(request->admin, error) != 0) {
        request->answer.status = 503;
        return -1;
    }
    request_answer_data(request, 200, render_one("status", json_string("ready")));
    return 0;
}

/* ---- /api/v1/status ---- */

struct totals {
    int64_t orgs, projects, fleets;
};

static int count_org(void *context, const struct org_row *row)
{
    (void)row;
    ((struct totals *)context)->orgs++;
    return 0;
}

static int count_project(void *context, const struct project_row *row)
{
    (void)row;
    ((struct totals *)context)->projects++;
    return 0;
}

static int count_fleet(void *context, const struct fleet_row *row)
{
    (void)row;
    ((struct totals *)context)->fleets++;
    return 0;
}

static json_t *counts_object(struct store *store, struct error *error)
{
    struct totals totals = {0, 0, 0};
    struct run_counts runs = {0, 0};
    int64_t webhooks = 0;
    if (store_list_orgs(store, count_org, &totals, error) != 0 ||
        store_list_projects(store, NULL, count_project, &totals, error) != 0 ||
        store_list_fleets(store, NULL, count_fleet, &totals, error) != 0 ||
        store_count_webhooks(store, &webhooks, error) != 0 ||
        store_count_open_runs(store, &runs, error) != 0)
        return NULL;
    json_t *counts = json_object();
    render_set(counts, "orgs", json_integer(totals.orgs));
    render_set(counts, "projects", json_integer(totals.projects));
    render_set(counts, "fleets", json_integer(totals.fleets));
    render_set(counts, "webhooks", json_integer(webhooks));
    render_set(counts, "runs_scheduled", json_integer(runs.scheduled));
    render_set(counts, "runs_running", json_integer(runs.running));
    return counts;
}

static json_t *runner_object(const struct admin_request *request)
{
    const struct config *config = request->config;
    struct runner *runner = request->admin->options.runner;
    struct runner_metrics metrics = {.running_vessels = 0};
    if (runner)
        runner_get_metrics(runner, &metrics);
    json_t *object = json_object();
    render_set(object, "enabled", json_boolean(runner && config->runner.enabled));
    render_set(object, "sandbox", json_string(config_sandbox_name(config->runner.sandbox)));
    render_set(object, "max_vessels", json_integer(config->runner.max_vessels));
    render_set(object, "running_vessels", json_integer(metrics.running_vessels));
    render_set(object, "active_runs", json_integer(metrics.active_runs));
    return object;
}

static json_t *queue_object(const struct commit_metrics *metrics)
{
    json_t *object = json_object();
    render_set(object, "queued", json_integer(metrics->queued));
    render_set(object, "operations", json_integer((json_int_t)metrics->operations));
    render_set(object, "batches", json_integer((json_int_t)metrics->batches));
    render_set(object, "failed_batches", json_integer((json_int_t)metrics->failed_batches));
    return object;
}

static json_t *listeners_object(const struct admin_request *request)
{
    const struct admin *admin = request->admin;
    json_t *object = json_object();
    render_set(object, "hooks", render_optional(admin->options.hooks_address));
    render_set(object, "admin", render_optional(admin->tcp.address));
    render_set(object, "socket", render_optional(admin->local.file.path));
    return object;
}

static json_t *disk_object(const struct store_space *space)
{
    bool has_limit = space->free_inodes != STORE_NO_INODE_LIMIT;
    json_t *object = json_object();
    render_set(object, "free_bytes", json_integer(space->free_bytes));
    render_set(object, "min_free_bytes", json_integer(space->min_free_bytes));
    render_set(object, "free_inodes", has_limit ? json_integer(space->free_inodes) : json_null());
    render_set(object, "min_free_inodes", json_integer(space->min_free_inodes));
    return object;
}

static json_t *bounds_list(const struct config *config)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CONFIG_BOUNDS; i++) {
        const struct config_bound *bound = &config->bounds[i];
        bool is_lowered = config_bound_is_lowered(bound);
        json_t *object = json_object();
        render_set(object, "name", json_string(bound->name));
        render_set(object, "configured", json_integer(bound->configured));
        render_set(object, "effective", json_integer(bound->effective));
        render_set(object, "reason", is_lowered ? render_text(bound->reason) : json_null());
        render_set(object, "advice", is_lowered ? json_string(bound->advice) : json_null());
        render_append(list, object);
    }
    return list;
}

int status_get(struct admin_request *request, struct error *error)
{
    struct admin *admin = request->admin;
    struct store *store = request_store(request, error);
    json_t *counts = store ? counts_object(store, error) : NULL;
    if (!counts)
        return -1;
    struct commit_metrics queue;
    struct error why = ERROR_INIT;
    commit_get_metrics(admin->options.queue, &queue);
    bool ready = status_is_ready(admin, &why) == 0;
    struct error key_problem = ERROR_INIT;
    struct secret_key key;
    /* NOT_FOUND: there is no key yet, and no webhook that needs one. */
    bool is_usable = seal_key(admin, store, false, &key, &key_problem) == 0 ||
                     key_problem.kind == ERROR_NOT_FOUND;
    secret_wipe(&key, sizeof(key));

    json_t *data = json_object();
    render_set(data, "version", json_string(WEBHOOKD_VERSION));
    render_set(data, "pid", json_integer(getpid()));
    render_set(data, "started_at", render_time(admin->options.started_ms));
    render_set(data, "uptime_seconds",
               json_integer((clock_monotonic_ms() - admin->started_monotonic_ms) / 1000));
    render_set(data, "ready", json_boolean(ready));
    render_set(data, "not_ready_because", ready ? json_null() : render_text(why.message));
    render_set(data, "key_usable", json_boolean(is_usable));
    render_set(data, "key_problem", is_usable ? json_null() : render_text(key_problem.message));
    char *caveat = store_caveat(request->config->store);
    render_set(data, "store_caveat", render_optional(caveat));
    free(caveat);
    render_set(data, "schema_version", json_integer(store_schema_version(store)));
    render_set(data, "listeners", listeners_object(request));
    render_set(data, "runner", runner_object(request));
    render_set(data, "counts", counts);
    render_set(data, "queue", queue_object(&queue));
    render_set(data, "disk", disk_object(&queue.store.space));
    render_set(data, "bounds", bounds_list(request->config));
    render_set(data, "log_lost_lines", json_integer((json_int_t)log_lost_lines()));
    request_answer_data(request, 200, data);
    return 0;
}
