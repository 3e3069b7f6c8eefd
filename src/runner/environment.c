/* The variables that a vessel sees. Called by runner/launch on the runner's thread; pure.
 *
 * Nothing in a request becomes the name of a variable: values of a request appear under fixed names
 * only, and headers and body go into files. */
#include "runner/environment.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/words.h"

struct list {
    char **items;
    size_t count, capacity;
};

static void list_push(struct list *list, char *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? 2 * list->capacity : 96;
        list->items = memory_array(list->items, list->capacity, sizeof(*list->items));
    }
    list->items[list->count++] = item;
}

static void add(struct list *list, const char *name, const char *value)
{
    list_push(list, memory_format("%s=%s", name, value));
}

static void add_id(struct list *list, const char *name, const struct id *id)
{
    char text[ID_TEXT_BYTES];
    add(list, name, id_format(id, text));
}

static void add_number(struct list *list, const char *name, const char *part, int64_t number,
                       int digits)
{
    list_push(list, memory_format("%s%s=%0*lld", name, part, digits, (long long)number));
}

/* ---- times ---- */

static void add_time(struct list *list, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_BYTES];
    add(list, name, clock_format_s(wall_ms, text));
}

/* Adds the time and its parts: month and day have two digits, the others no padding. */
static void add_start_time(struct list *list, const char *name, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    add_time(list, name, wall_ms);
    add_number(list, name, "_YEAR", parts.tm_year + 1900, 1);
    add_number(list, name, "_MONTH", parts.tm_mon + 1, 2);
    add_number(list, name, "_DAY", parts.tm_mday, 2);
    add_number(list, name, "_HOUR", parts.tm_hour, 1);
    add_number(list, name, "_MINUTE", parts.tm_min, 1);
    add_number(list, name, "_SECOND", parts.tm_sec, 1);
    add_number(list, name, "_MILLISECOND", wall_ms % 1000, 1);
    add_number(list, name, "_EPOCH", wall_ms / 1000, 1);
}

/* ---- streams: a vessel's neighbours in the graph ---- */

/* Adds three variables about the marked vessels, in the definition's order. */
static void add_stream(struct list *list, const struct environment_input *input, const char *stream,
                       const bool *marked)
{
    size_t vessels = input->definition->vessel_count, count = 0;
    char *log_ids = memory_alloc(vessels * ID_TEXT_BYTES + 1);
    char *vessel_ids = memory_alloc(vessels * ID_TEXT_BYTES + 1);
    for (size_t i = 0; i < vessels; i++) {
        if (!marked[i])
            continue;
        /* Each id takes 36 characters and the comma before it; the first has no comma. */
        size_t at = count * ID_TEXT_BYTES;
        if (count++ > 0)
            log_ids[at - 1] = vessel_ids[at - 1] = ',';
        id_format(&input->vessel_run_ids[i], log_ids + at);
        id_format(&input->definition->vessels[i].id, vessel_ids + at);
    }
    char name[80];
    snprintf(name, sizeof(name), "SHIPYARD_FLEET_%s_", stream);
    add_number(list, name, "COUNT", (int64_t)count, 1);
    list_push(list, memory_format("%sLOG_IDS=%s", name, log_ids));
    list_push(list, memory_format("%sVESSEL_IDS=%s", name, vessel_ids));
    free(log_ids);
    free(vessel_ids);
}

/* Upstream: the vessels whose paths lead to this one. Downstream: those that its paths lead to.
 * Currentstream: those with exactly the same upstream as this one, itself included. */
static void add_streams(struct list *list, const struct environment_input *input)
{
    const struct definition *definition = input->definition;
    size_t vessels = definition->vessel_count, self = input->vessel, index = 0;
    bool *up = memory_alloc(vessels * sizeof(*up)), *down = memory_alloc(vessels * sizeof(*down));
    bool *current = memory_alloc(vessels * sizeof(*current));
    size_t *waits_for = memory_alloc(vessels * sizeof(*waits_for));
    size_t *shared = memory_alloc(vessels * sizeof(*shared));
    for (size_t i = 0; i < definition->path_count; i++) {
        const struct definition_path *path = &definition->paths[i];
        if (path->to == self)
            up[path->from] = true;
        if (path->from == self)
            down[path->to] = true;
    }
    for (size_t i = 0; i < definition->path_count; i++) {
        const struct definition_path *path = &definition->paths[i];
        waits_for[path->to]++;
        if (up[path->from])
            shared[path->to]++;
    }
    for (size_t i = 0; i < vessels; i++) {
        current[i] = waits_for[i] == waits_for[self] && shared[i] == waits_for[self];
        if (current[i] && i < self)
            index++;
    }
    add_stream(list, input, "UPSTREAM", up);
    add_stream(list, input, "CURRENTSTREAM", current);
    add_stream(list, input, "DOWNSTREAM", down);
    add_number(list, "SHIPYARD_FLEET_CURRENTSTREAM", "_INDEX", (int64_t)index, 1);
    free(up);
    free(down);
    free(current);
    free(waits_for);
    free(shared);
}

/* ---- the whole ---- */

static void add_names(struct list *list, const struct environment_input *input)
{
    const struct run_work *work = input->work;
    const struct definition_vessel *vessel = &input->definition->vessels[input->vessel];
    const char *language = WORDS_LANGUAGE[vessel->language];
    add_id(list, "SHIPYARD_ORG_ID", &work->ids.org_id);
    add(list, "SHIPYARD_ORG_NAME", work->org_name);
    add_id(list, "SHIPYARD_PROJECT_ID", &work->ids.project_id);
    add(list, "SHIPYARD_PROJECT_NAME", work->project_name);
    add_id(list, "SHIPYARD_FLEET_ID", &work->ids.fleet_id);
    add(list, "SHIPYARD_FLEET_NAME", work->fleet_name);
    add_id(list, "SHIPYARD_FLEET_LOG_ID", &work->ids.run_id);
    add_id(list, "SHIPYARD_VESSEL_ID", &vessel->id);
    add(list, "SHIPYARD_VESSEL_NAME", vessel->name);
    add_id(list, "SHIPYARD_LOG_ID", &input->vessel_run_ids[input->vessel]);
    add(list, "SHIPYARD_LOG_WORKDIR", input->workdir);
    if (input->blueprint)
        add_id(list, "SHIPYARD_BLUEPRINT_ID", &input->blueprint->id);
    else
        add(list, "SHIPYARD_BLUEPRINT_ID", language);
    add(list, "SHIPYARD_BLUEPRINT_NAME", input->blueprint ? input->blueprint->name : language);
}

static void add_request(struct list *list, const struct environment_input *input)
{
    const struct run_work *work = input->work;
    char id[ID_TEXT_BYTES], hash[2 * SECRET_HASH_BYTES + 1];
    id_format(&input->vessel_run_ids[input->vessel], id);
    list_push(list, memory_format("SHIPYARD_WEBHOOK_HEADERS_FILE=%s/%s.webhook_headers",
                                  input->workdir, id));
    if (work->body_place != BODY_ABSENT)
        list_push(list, memory_format("SHIPYARD_WEBHOOK_BODY_FILE=%s/%s.webhook_body",
                                      input->workdir, id));
    add_id(list, "WEBHOOKD_REQUEST_ID", &work->request_id);
    add(list, "WEBHOOKD_REMOTE_ADDR", work->remote_addr);
    add(list, "WEBHOOKD_HOST", work->host);
    add(list, "WEBHOOKD_QUERY_STRING", work->query);
    add(list, "WEBHOOKD_BODY_SHA256", secret_hash_format(work->body_sha256, hash));
    add_number(list, "WEBHOOKD_ATTEMPT", "", input->attempt, 1);
}

static bool is_platform_name(const char *name)
{
    return strncmp(name, "SHIPYARD_", 9) == 0 || strncmp(name, "WEBHOOKD_", 9) == 0;
}

/* A vessel may set its own PATH, LANG, TZ, HOME, USER, LOGNAME or PYTHONUNBUFFERED; the last value
 * of a name counts. The platform's variables cannot be replaced (a fleet file that tries is refused
 * long before). */
static void add_own(struct list *list, const struct environment_entry *entry)
{
    if (is_platform_name(entry->name))
        return;
    size_t name_bytes = strlen(entry->name);
    char *item = memory_format("%s=%s", entry->name, entry->value);
    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->items[i], item, name_bytes + 1) == 0) {
            free(list->items[i]);
            list->items[i] = item;
            return;
        }
    }
    list_push(list, item);
}

/* Programs of the vessel's packages come first. */
static void add_path(struct list *list, const struct environment_input *input)
{
    const char *packages = input->packages;
    enum vessel_language language = input->blueprint
                                        ? input->blueprint->code.language
                                        : input->definition->vessels[input->vessel].language;
    if (!packages) {
        add(list, "PATH", input->path);
    } else if (language == LANGUAGE_PYTHON) {
        list_push(list, memory_format("PATH=%s/bin:%s", packages, input->path));
        add(list, "VIRTUAL_ENV", packages);
    } else {
        list_push(list, memory_format("PATH=%s/node_modules/.bin:%s", packages, input->path));
        list_push(list, memory_format("NODE_PATH=%s/node_modules", packages));
    }
}

char **environment_make(const struct environment_input *input, size_t *count)
{
    struct list list = {NULL, 0, 0};
    add_path(&list, input);
    add(&list, "LANG", "C.UTF-8");
    if (input->time_zone) /* else /etc/localtime decides, which the sandbox shows, too */
        add(&list, "TZ", input->time_zone);
    add(&list, "HOME", input->workdir);
    if (input->user[0] != '\0') {
        add(&list, "USER", input->user);
        add(&list, "LOGNAME", input->user);
    }
    /* Otherwise Python keeps output in memory until there are 8 KiB or it ends by itself: what a
     * vessel printed before it was stopped would be lost, and would not follow in order. */
    add(&list, "PYTHONUNBUFFERED", "1");
    add_names(&list, input);
    add_start_time(&list, "SHIPYARD_VESSEL_START_TIME", input->vessel_started_ms);
    add_start_time(&list, "SHIPYARD_FLEET_START_TIME", input->run_started_ms);
    add_time(&list, "SHIPYARD_VESSEL_SCHEDULED_TIME", input->work->created_ms);
    add_time(&list, "SHIPYARD_FLEET_SCHEDULED_TIME", input->work->created_ms);
    add_streams(&list, input);
    add_request(&list, input);
    for (size_t i = 0; i < input->own_count; i++)
        add_own(&list, &input->own[i]);
    *count = list.count;
    return list.items;
}
