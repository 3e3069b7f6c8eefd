/* packages list, show, log, refresh and clean; waiting for packages after fleet apply. Called by
 * main.c and apply.c; the program has one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/output_events.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define PAUSE_MS      200
#define LOG_END_LINES 20

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* ---- list ---- */

static void take_buffer(struct table *table, struct buffer *text)
{
    table_add(table, text->bytes > 0 ? buffer_text(text) : "-");
    buffer_free(text);
}

static void add_users(struct table *table, const json_t *users)
{
    struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < json_array_size(users); i++) {
        const json_t *user = json_array_get(users, i);
        buffer_append_format(&names, "%s%s/%s", i > 0 ? ", " : "", show_text(user, "project_name"),
                             show_text(user, "fleet_name"));
    }
    take_buffer(table, &names);
}

static void add_environment(struct table *table, const json_t *environment)
{
    table_take(table, memory_format("%.12s", show_text(environment, "key")));
    show_cell(table, environment, "language");
    show_cell(table, environment, "package_count");
    table_take(table, memory_format("%.1f MiB", (double)show_integer(environment, "bytes") /
                                                    (1024.0 * 1024.0)));
    show_time_cell(table, environment, "last_used_at");
    add_users(table, json_object_get(environment, "users"));
}

static const struct table_column environment_columns[] = {
    {"KEY", TABLE_LEFT},   {"LANGUAGE", TABLE_LEFT},  {"PACKAGES", TABLE_RIGHT},
    {"SIZE", TABLE_RIGHT}, {"LAST USED", TABLE_LEFT}, {"FLEETS", TABLE_LEFT}};
static const struct show_listing environment_listing = {
    "environments", environment_columns, ARRAY_COUNT(environment_columns), add_environment};

int packages_list(struct ctl *ctl, struct error *error)
{
    return show_list(&environment_listing, ctl->json, client_get(ctl->client, error, "/packages"));
}

/* ---- show ---- */

static const char *text_or(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = show_text(object, key);
    return text && text[0] != '\0' ? text : otherwise;
}

static bool is_vessel(const json_t *vessel, const char *text)
{
    return !text || strcmp(text_or(vessel, "name", ""), text) == 0 ||
           strcmp(text_or(vessel, "vessel_id", ""), text) == 0;
}

static void show_state(const json_t *vessel)
{
    const char *state = text_or(vessel, "state", "?"), *reason = show_text(vessel, "reason");
    const json_t *refresh = json_object_get(vessel, "refresh");
    bool is_plain = strcmp(state, "not_locked") != 0;
    ctl_say("%s: %s%s%s", text_or(vessel, "name", "?"), is_plain ? state : "not locked",
            reason ? ": " : "", reason ? reason : "");
    if (json_is_object(refresh))
        ctl_say("  new versions: %s%s%s", text_or(refresh, "state", "?"),
                show_text(refresh, "reason") ? ": " : "", text_or(refresh, "reason", ""));
}

static void show_versions(const json_t *packages)
{
    for (size_t i = 0; i < json_array_size(packages); i++) {
        const json_t *package = json_array_get(packages, i);
        ctl_say("  %s %s", text_or(package, "name", "?"), text_or(package, "version", ""));
    }
}

static json_t *get_fleet_packages(struct ctl *ctl, const char *fleet_name, struct error *error)
{
    json_t *fleet = resolve_fleet(ctl->client, fleet_name, error);
    if (!fleet)
        return NULL;
    json_t *data = client_get(ctl->client, error, "/fleets/%s/packages", show_text(fleet, "id"));
    json_decref(fleet);
    return data;
}

/* Returns the vessel of the answer, borrowed; NULL and *error if there is none. */
static const json_t *find_vessel(const json_t *data, const char *name, struct error *error)
{
    const json_t *vessels = json_object_get(data, "vessels");
    for (size_t i = 0; i < json_array_size(vessels); i++)
        if (is_vessel(json_array_get(vessels, i), name))
            return json_array_get(vessels, i);
    error_set(error, ERROR_NOT_FOUND, "the fleet has no vessel \"%.200s\" with packages", name);
    return NULL;
}

int packages_show(struct ctl *ctl, struct error *error)
{
    const char *name = ctl->operand_count > 1 ? ctl->operands[1] : NULL;
    json_t *data = get_fleet_packages(ctl, ctl->operands[0], error);
    const json_t *vessels = json_object_get(data, "vessels");
    bool is_found = data && (!name || find_vessel(data, name, error));
    if (is_found && ctl->json)
        show_json(name ? find_vessel(data, name, error) : data);
    else if (is_found && json_array_size(vessels) == 0)
        ctl_say("no vessel of this fleet asks for packages");
    for (size_t i = 0; is_found && !ctl->json && i < json_array_size(vessels); i++) {
        const json_t *vessel = json_array_get(vessels, i);
        if (!is_vessel(vessel, name))
            continue;
        show_state(vessel);
        show_versions(json_object_get(vessel, "locked"));
    }
    json_decref(data);
    return is_found ? CTL_DONE : -1;
}

/* ---- log ---- */

static int take_events(void *context, const char *data, size_t bytes)
{
    return output_events_take(context, data, bytes);
}

static int follow_one(struct ctl *ctl, const char *log, struct error *error)
{
    struct output_events events = {.offset = 0};
    char *path = memory_format("/packages/%s/log?follow=1", log);
    int result = 0;
    while (result == 0 && !events.has_ended) {
        char *header = memory_format("Last-Event-ID: %" PRId64, events.offset);
        struct client_stream stream = {.take = take_events, .context = &events, .header = header};
        buffer_reset(&events.line);
        result = client_stream(ctl->client, "GET", path, &stream, error);
        free(header);
    }
    output_events_free(&events);
    free(path);
    return result;
}

static int print_one(struct ctl *ctl, const char *log, struct error *error)
{
    struct client_stream stream = {.fd = STDOUT_FILENO};
    char *path = memory_format("/packages/%s/log", log);
    int result = client_stream(ctl->client, "GET", path, &stream, error);
    free(path);
    return result;
}

static bool is_installing(const json_t *vessel)
{
    return strcmp(text_or(vessel, "state", ""), "installing") == 0;
}

/* Follows the log of the lock, then that of the installation, until nothing is installed. */
static int follow_all(struct ctl *ctl, const char *vessel_name, struct error *error)
{
    char last[128] = "";
    for (;;) {
        json_t *data = get_fleet_packages(ctl, ctl->operands[0], error);
        const json_t *vessel = data ? find_vessel(data, vessel_name, error) : NULL;
        char *log = vessel ? memory_string(text_or(vessel, "log", "")) : NULL;
        bool goes_on = vessel && is_installing(vessel), is_new = log && strcmp(log, last) != 0;
        int result = vessel ? 0 : -1;
        if (result == 0 && is_new && log[0] != '\0')
            result = follow_one(ctl, log, error);
        (void)snprintf(last, sizeof(last), "%s", log ? log : "");
        free(log);
        json_decref(data);
        if (result != 0 || !goes_on)
            return result;
        if (!is_new)
            pause_a_little();
    }
}

int packages_log(struct ctl *ctl, struct error *error)
{
    if (ctl_has(ctl, OPTION_FOLLOW))
        return follow_all(ctl, ctl->operands[1], error) == 0 ? CTL_DONE : -1;
    json_t *data = get_fleet_packages(ctl, ctl->operands[0], error);
    const json_t *vessel = data ? find_vessel(data, ctl->operands[1], error) : NULL;
    const json_t *refresh = json_object_get(vessel, "refresh");
    const char *log = show_text(json_is_object(refresh) ? refresh : vessel, "log");
    int result = -1;
    if (vessel && !log)
        error_set(error, ERROR_NOT_FOUND, "there is no log yet: nothing has been installed");
    else if (vessel)
        result = print_one(ctl, log, error);
    json_decref(data);
    return result == 0 ? CTL_DONE : -1;
}

/* ---- refresh and clean ---- */

int packages_refresh(struct ctl *ctl, struct error *error)
{
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet)
        return -1;
    char *path = memory_format("/fleets/%s/packages/refresh", show_text(fleet, "id"));
    json_t *data = client_send(ctl->client, "POST", path, NULL, error);
    free(path);
    char *name = show_fleet_path(fleet);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("looking for new versions of the packages of fleet %s (packages show)", name);
    free(name);
    json_decref(fleet);
    json_decref(data);
    return data ? CTL_DONE : -1;
}

int packages_clean(struct ctl *ctl, struct error *error)
{
    json_t *data =
        client_send(ctl->client, "DELETE",
                    ctl_has(ctl, OPTION_ALL) ? "/packages?all=1" : "/packages", NULL, error);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("%lld package environments removed (%.1f MiB); %lld in use",
                show_integer(data, "removed"),
                (double)show_integer(data, "bytes") / (1024.0 * 1024.0),
                show_integer(data, "in_use"));
    json_decref(data);
    return data ? CTL_DONE : -1;
}

/* ---- waiting ---- */

struct log_end {
    struct buffer text;
};

static int take_text(void *context, const char *data, size_t bytes)
{
    struct log_end *end = context;
    return buffer_append(&end->text, data, bytes);
}

static void print_end(const char *text, size_t bytes)
{
    const char *from = text + bytes;
    for (int lines = 0; from > text && (from[-1] != '\n' || lines++ <= LOG_END_LINES);)
        from--;
    while (*from != '\0') {
        size_t chars = strcspn(from, "\n");
        char *line = memory_string_n(from, chars);
        struct buffer shown = BUFFER_INIT;
        table_escape(&shown, line);
        fprintf(stderr, "  %s\n", buffer_text(&shown));
        buffer_free(&shown);
        free(line);
        from += chars + (from[chars] == '\n' ? 1 : 0);
    }
}

/* Prints the last lines of the log on standard error. */
static void complain_with_log(struct ctl *ctl, const char *log)
{
    struct log_end end = {BUFFER_INIT};
    struct error ignored = ERROR_INIT; /* the reason has been printed */
    struct client_stream stream = {.take = take_text, .context = &end};
    char *path = memory_format("/packages/%s/log", log);
    if (client_stream(ctl->client, "GET", path, &stream, &ignored) == 0)
        print_end(buffer_text(&end.text), end.text.bytes);
    free(path);
    buffer_free(&end.text);
}

/* Complains about each vessel whose packages could not be installed. Returns how many there are,
 * or -1 while some are being installed. */
static int judge(struct ctl *ctl, const char *file, const json_t *vessels)
{
    int failed = 0;
    for (size_t i = 0; i < json_array_size(vessels); i++)
        if (is_installing(json_array_get(vessels, i)))
            return -1;
    for (size_t i = 0; i < json_array_size(vessels); i++) {
        const json_t *vessel = json_array_get(vessels, i);
        const char *state = text_or(vessel, "state", "?"), *log = show_text(vessel, "log");
        if (strcmp(state, "ready") == 0)
            continue;
        failed++;
        ctl_complain("fleet apply: %s: vessel %s: %s", file, text_or(vessel, "name", "?"),
                     text_or(vessel, "reason", "webhookd does not install its packages now"));
        if (log)
            complain_with_log(ctl, log);
    }
    return failed;
}

int packages_wait(struct ctl *ctl, const char *file, const char *fleet_id, struct error *error)
{
    int failed = -1;
    while (failed < 0) {
        json_t *data = client_get(ctl->client, error, "/fleets/%s/packages", fleet_id);
        if (!data)
            return -1;
        failed = judge(ctl, file, json_object_get(data, "vessels"));
        json_decref(data);
        if (failed < 0)
            pause_a_little();
    }
    return failed == 0 ? CTL_DONE : CTL_FAILED;
}
