/* The public listener: its settings, its bounds, its start and stop. Started, stopped and
 * reconfigured by webhookd/daemon.c on the main thread. The hook workers use its counters and
 * bounds, and the admin API reads its metrics through daemon.c. */
#include "hooks/hooks.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/bounds.h"
#include "hooks/checks.h"
#include "hooks/instance.h"
#include "hooks/request.h"

_Static_assert(CONFIG_LARGE_BODY_BYTES == SPOOL_PIECE_BYTES,
               "a large body reserves one piece: hooks/body.c, body_reserve_piece");

/* The data of a 201, in the order in which hooks/request gives the ids. */
static const char *const accepted_ids[ACCEPTED_IDS] = {"fleet_id", "project_id", "org_id",
                                                       "fleet_run_id"};

static const unsigned statuses[HOOKS_STATUSES] = {201, 400, 404, 405, 413, 431, 503};

void hooks_count_answer(struct hooks *hooks, unsigned status)
{
    for (size_t i = 0; i < HOOKS_STATUSES; i++)
        if (statuses[i] == status)
            atomic_fetch_add_explicit(&hooks->answers[i], 1, memory_order_relaxed);
}

int hooks_reserve_bytes(struct hooks *hooks, const struct hooks_settings *settings, int64_t bytes)
{
    if (atomic_fetch_add(&hooks->in_flight_bytes, bytes) + bytes <=
        settings->config->hooks.max_in_flight_bytes)
        return 0;
    hooks_release_bytes(hooks, bytes);
    return -1;
}

void hooks_release_bytes(struct hooks *hooks, int64_t bytes)
{
    atomic_fetch_sub(&hooks->in_flight_bytes, bytes);
}

/* The committer and the spooler need the other processors; more workers would only take turns. */
static unsigned worker_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores <= 2)
        return 1;
    return cores > 8 ? 4 : (unsigned)cores / 2;
}

void hooks_free(struct hooks *hooks)
{
    if (!hooks)
        return;
    http_server_free(hooks->server);
    http_reply_template_free(hooks->accepted);
    hooks_settings_release(hooks->settings);
    pthread_mutex_destroy(&hooks->lock);
    free(hooks);
}

struct hooks *hooks_start(const struct hooks_options *options, struct error *error)
{
    struct hooks *hooks = memory_alloc(sizeof(*hooks));
    pthread_mutex_init(&hooks->lock, NULL);
    hooks->queue = options->queue;
    hooks->spool = options->spool;
    hooks->tally = options->tally;
    hooks->checks = options->checks ? options->checks : checks_all;
    hooks->run_stored = options->run_stored;
    hooks->context = options->context;
    hooks->settings = hooks_settings_new(options->config);
    hooks->accepted = http_reply_template_new(accepted_ids, ACCEPTED_IDS);
    struct http_options http = {
        .name = "hooks",
        .listen_fd = options->listen_fd,
        .workers = worker_count(),
        .max_connections = options->config->hooks.max_connections,
        .header_timeout_ms = options->config->hooks.header_timeout_ms,
        .body_timeout_ms = options->config->hooks.body_timeout_ms,
        .idle_timeout_ms = options->config->hooks.idle_timeout_ms,
        .service = &request_service,
        .context = hooks,
        .mount = options->mount,
    };
    hooks->server = http_server_start(&http, error);
    if (hooks->server)
        return hooks;
    hooks_free(hooks);
    return NULL;
}

void hooks_quiesce(struct hooks *hooks)
{
    http_server_quiesce(hooks->server);
}

int hooks_stop(struct hooks *hooks, int64_t timeout_ms)
{
    return hooks ? http_server_stop(hooks->server, timeout_ms) : 0;
}

void hooks_reconfigure(struct hooks *hooks, struct config *fresh)
{
    struct hooks_settings *settings = hooks_settings_new(fresh);
    pthread_mutex_lock(&hooks->lock);
    struct hooks_settings *old = hooks->settings;
    hooks->settings = settings;
    pthread_mutex_unlock(&hooks->lock);
    hooks_settings_release(old);
    http_server_set_timeouts(hooks->server, fresh->hooks.header_timeout_ms,
                             fresh->hooks.body_timeout_ms, fresh->hooks.idle_timeout_ms);
}

void hooks_get_metrics(struct hooks *hooks, struct hooks_metrics *metrics)
{
    http_server_get_metrics(hooks->server, &metrics->http);
    for (size_t i = 0; i < HOOKS_STATUSES; i++) {
        metrics->answers[i].status = statuses[i];
        metrics->answers[i].count = atomic_load(&hooks->answers[i]);
    }
    metrics->unanswered = atomic_load(&hooks->unanswered);
    metrics->answer_us_sum = atomic_load(&hooks->answer_us_sum);
    metrics->uncounted = tally_lost(hooks->tally);
    metrics->in_flight_bytes = atomic_load(&hooks->in_flight_bytes);
}
