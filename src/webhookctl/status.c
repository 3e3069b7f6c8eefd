/* status: shows what webhookd is doing. Called by main.c; the program has one thread. */
#include <stdlib.h>

#include "base/duration.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/show.h"

static const char *yes_no(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key)) ? "yes" : "no";
}

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

static void write_daemon(const json_t *status)
{
    const char *version = show_text(status, "version");
    char uptime[DURATION_TEXT_BYTES];
    duration_format_short(1000 * show_integer(status, "uptime_seconds"), uptime);
    char *started = show_time(show_text(status, "started_at"), false);
    show_line_take("webhookd", memory_format("%s, process %lld", version ? version : "?",
                                             show_integer(status, "pid")));
    show_line_take("Started", memory_format("%s, %s ago", started ? started : "?", uptime));
    const char *why = show_text(status, "not_ready_because");
    if (why)
        show_line_take("Ready", memory_format("no: %s", why));
    else
        show_line("Ready", yes_no(status, "ready"));
    const char *problem = show_text(status, "key_problem");
    show_line("Key file", problem ? problem : "usable");
    const char *caveat = show_text(status, "store_caveat");
    if (caveat)
        show_line("Store", caveat);
    free(started);
}

static void write_listeners(const json_t *listeners)
{
    show_line("Hooks", show_text(listeners, "hooks"));
    show_line("Admin", show_text(listeners, "admin"));
    show_line("Socket", show_text(listeners, "socket"));
}

static void write_disk(const json_t *disk)
{
    show_line_take("Disk", memory_format("%lld MiB free, at least %lld MiB required",
                                         show_integer(disk, "free_bytes") >> 20,
                                         show_integer(disk, "min_free_bytes") >> 20));
    if (json_is_integer(json_object_get(disk, "free_inodes")))
        show_line_take("Inodes", memory_format("%lld free, at least %lld required",
                                               show_integer(disk, "free_inodes"),
                                               show_integer(disk, "min_free_inodes")));
}

static void write_work(const json_t *status)
{
    const json_t *counts = json_object_get(status, "counts");
    const json_t *runner = json_object_get(status, "runner");
    const char *sandbox = show_text(runner, "sandbox");
    long long vessels = show_integer(runner, "running_vessels");
    long long queued = show_integer(json_object_get(status, "queue"), "queued");
    show_line_take("Contents",
                   memory_format("organizations %lld, projects %lld, fleets %lld, webhooks %lld",
                                 show_integer(counts, "orgs"), show_integer(counts, "projects"),
                                 show_integer(counts, "fleets"), show_integer(counts, "webhooks")));
    show_line_take("Fleet runs", memory_format("%lld scheduled, %lld running",
                                               show_integer(counts, "runs_scheduled"),
                                               show_integer(counts, "runs_running")));
    show_line_take("Runner",
                   json_is_true(json_object_get(runner, "enabled"))
                       ? memory_format("sandbox %s, %lld vessel%s running", sandbox ? sandbox : "?",
                                       vessels, plural(vessels))
                       : memory_string("disabled: fleet runs are accepted and stay scheduled"));
    show_line_take("Queue", memory_format("%lld operation%s waiting", queued, plural(queued)));
    write_disk(json_object_get(status, "disk"));
    long long lost = show_integer(status, "log_lost_lines");
    if (lost > 0)
        show_line_take("Log",
                       memory_format("%lld line%s lost: stderr was stuck", lost, plural(lost)));
}

/* Shows the bounds that are lower than configured. */
static void write_bounds(const json_t *status)
{
    size_t i;
    json_t *bound;
    json_array_foreach(json_object_get(status, "bounds"), i, bound)
    {
        const char *reason = show_text(bound, "reason"), *advice = show_text(bound, "advice");
        if (reason)
            show_line_take("Bound",
                           memory_format("%s is %lld instead of %lld: %s; %s",
                                         show_text(bound, "name"), show_integer(bound, "effective"),
                                         show_integer(bound, "configured"), reason,
                                         advice ? advice : "?"));
    }
}

int status_show(struct ctl *ctl, struct error *error)
{
    json_t *status = client_get(ctl->client, error, "/status");
    if (!status)
        return -1;
    if (ctl->json) {
        show_json(status);
    } else {
        write_daemon(status);
        write_listeners(json_object_get(status, "listeners"));
        write_work(status);
        write_bounds(status);
    }
    json_decref(status);
    return CTL_DONE;
}
