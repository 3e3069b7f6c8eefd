/* run list, show, start, stop, again. Called by main.c; the program has one thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/headers.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define LIST_DEFAULT 50
#define LIST_MAX     100000
#define PAGE_MAX     1000

/* ---- list ---- */

static int check_status(const struct ctl *ctl, struct error *error)
{
    static const char *const words[] = {"scheduled", "running", "success", "errored", "terminated"};
    const char *status = ctl->options->values[OPTION_STATUS];
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (!status || strcmp(status, words[i]) == 0)
            return 0;
    return error_set(error, ERROR_INVALID,
                     "--status must be scheduled, running, success, errored or terminated");
}

/* Fetches pages until there are `limit` runs or no more. Returns the API's data with the runs of
 * all pages, or NULL and *error. */
static json_t *collect_runs(struct ctl *ctl, const char *base, size_t limit, struct error *error)
{
    const char *status = ctl->options->values[OPTION_STATUS];
    json_t *runs = json_array(), *before = json_null();
    do {
        size_t missing = limit - json_array_size(runs);
        json_t *data = client_get(ctl->client, error, "%s?limit=%zu%s%s%s%s", base,
                                  missing < PAGE_MAX ? missing : PAGE_MAX, status ? "&status=" : "",
                                  status ? status : "", json_is_string(before) ? "&before=" : "",
                                  json_is_string(before) ? json_string_value(before) : "");
        json_decref(before);
        if (!data) {
            json_decref(runs);
            return NULL;
        }
        json_array_extend(runs, json_object_get(data, "fleetruns"));
        before = json_incref(json_object_get(data, "next_before"));
        json_decref(data);
    } while (json_is_string(before) && json_array_size(runs) < limit);
    return json_pack("{s:o, s:o}", "fleetruns", runs, "next_before", before ? before : json_null());
}

static void add_run(struct table *table, const json_t *run)
{
    show_cell(table, run, "id");
    show_cell(table, run, "fleet_name");
    show_cell(table, run, "status");
    show_cell(table, run, "trigger");
    show_cell(table, run, "event");
    show_cell(table, run, "body_bytes");
    show_time_cell(table, run, "created_at");
    show_duration_cell(table, run);
}

static const struct table_column run_columns[] = {
    {"RUN", TABLE_LEFT},     {"FLEET", TABLE_LEFT},    {"STATUS", TABLE_LEFT},
    {"TRIGGER", TABLE_LEFT}, {"EVENT", TABLE_LEFT},    {"BYTES", TABLE_RIGHT},
    {"CREATED", TABLE_LEFT}, {"DURATION", TABLE_RIGHT}};
static const struct show_listing run_listing = {"fleetruns", run_columns, ARRAY_COUNT(run_columns),
                                                add_run};

int runs_list(struct ctl *ctl, struct error *error)
{
    int64_t limit = LIST_DEFAULT;
    const char *of = ctl->options->values[OPTION_FLEET];
    if (options_number(ctl->options, OPTION_LIMIT, 1, LIST_MAX, &limit, error) != 0 ||
        check_status(ctl, error) != 0)
        return CTL_MISTAKE;
    json_t *fleet = of ? resolve_fleet(ctl->client, of, error) : NULL;
    if (of && !fleet)
        return -1;
    char *base = fleet ? memory_format("/fleets/%s/fleetruns", show_text(fleet, "id"))
                       : memory_string("/fleetruns");
    json_t *data = collect_runs(ctl, base, (size_t)limit, error);
    free(base);
    json_decref(fleet);
    return show_list(&run_listing, ctl->json, data);
}

/* ---- show ---- */

static void add_vessel(struct table *table, const json_t *vessel)
{
    show_cell(table, vessel, "name");
    show_cell(table, vessel, "status");
    show_cell(table, vessel, "attempts");
    show_cell(table, vessel, "exit_code");
    show_time_cell(table, vessel, "started_at");
    show_duration_cell(table, vessel);
    show_cell(table, vessel, "output_bytes");
    show_cell(table, vessel, "id");
    show_cell(table, vessel, "reason");
}

static const struct table_column vessel_columns[] = {
    {"VESSEL", TABLE_LEFT},  {"STATUS", TABLE_LEFT},  {"ATTEMPTS", TABLE_RIGHT},
    {"EXIT", TABLE_RIGHT},   {"STARTED", TABLE_LEFT}, {"DURATION", TABLE_RIGHT},
    {"OUTPUT", TABLE_RIGHT}, {"ID", TABLE_LEFT},      {"REASON", TABLE_LEFT}};
static const struct show_listing vessel_listing = {"vessels", vessel_columns,
                                                   ARRAY_COUNT(vessel_columns), add_vessel};

/* Says how a vessel run that is tried again failed, and when the next attempt is due. */
static void write_retry(const json_t *vessel)
{
    const char *status = show_text(vessel, "status"), *next = show_text(vessel, "next_attempt_at");
    if (!status || strcmp(status, "retrying") != 0)
        return;
    char *how = memory_format("failed (exit %lld)", show_integer(vessel, "exit_code"));
    char *when = next ? show_time(next, false) : NULL;
    show_line_take("Retrying",
                   memory_format("%s: attempt %lld of %lld %s, %s%s", show_text(vessel, "name"),
                                 show_integer(vessel, "attempts"),
                                 show_integer(vessel, "max_attempts"),
                                 next ? how : "was interrupted",
                                 when ? "next at " : "the next one follows", when ? when : ""));
    free(when);
    free(how);
}

static void write_run(const json_t *run)
{
    const char *name = show_text(run, "fleet_name");
    show_line("Fleet run", show_text(run, "id"));
    show_line_take("Fleet", memory_format("%s, version %lld", name ? name : "?",
                                          show_integer(run, "fleet_version")));
    show_line("Status", show_text(run, "status"));
    show_line("Trigger", show_text(run, "trigger"));
    if (show_text(run, "again_of"))
        show_line("Again of", show_text(run, "again_of"));
    show_names("Again as", json_object_get(run, "again_as"));
    show_line("Event", show_text(run, "event"));
    show_line("Request", show_text(run, "request_id"));
    show_line("From", show_text(run, "remote_addr"));
    show_line("Host", show_text(run, "host"));
    show_line("Query", show_text(run, "query_string"));
    show_names("Withheld", json_object_get(run, "withheld"));
    trigger_show_overrides(run);
    long long bytes = show_integer(run, "body_bytes");
    show_line_take("Body", memory_format("%lld byte%s", bytes, bytes == 1 ? "" : "s"));
    show_line("SHA-256", show_text(run, "body_sha256"));
    show_line_take("Created", show_time(show_text(run, "created_at"), true));
    show_line_take("Started", show_time(show_text(run, "started_at"), true));
    show_line_take("Ended", show_time(show_text(run, "ended_at"), true));
    const json_t *vessels = json_object_get(run, "vessels");
    for (size_t i = 0; i < json_array_size(vessels); i++)
        write_retry(json_array_get(vessels, i));
    if (json_array_size(vessels) > 0) {
        putchar('\n');
        show_rows(&vessel_listing, vessels);
    }
}

int runs_show(struct ctl *ctl, struct error *error)
{
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    if (ctl->json)
        show_json(run);
    else
        write_run(run);
    json_decref(run);
    return CTL_DONE;
}

/* ---- start and again: print the new run's id, alone on its line ---- */

static int show_started(const struct ctl *ctl, json_t *run)
{
    if (!run)
        return -1;
    const char *id = show_text(run, "id");
    if (ctl->json)
        show_json(run);
    else
        ctl_say("%s", id ? id : "-");
    json_decref(run);
    return CTL_DONE;
}

/* Returns the content type that the run's headers get, by the file's name; NULL for anything but
 * JSON. */
static const char *type_by_name(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot && strcmp(dot, ".json") == 0 ? "application/json" : NULL;
}

static json_t *start(struct ctl *ctl, const char *path, const char *header, struct error *error)
{
    const char *file = ctl->options->values[OPTION_BODY];
    bool standard = file && strcmp(file, "-") == 0;
    struct client_upload upload = {.fd = -1, .header = header};
    if (file) {
        upload.fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
        upload.what = standard ? "standard input" : file;
        upload.content_type = type_by_name(file);
    }
    if (file && upload.fd < 0) {
        error_set_errno(error, errno, "cannot open \"%s\"", file);
        return NULL;
    }
    json_t *run = client_upload(ctl->client, "POST", path, &upload, error);
    if (file && !standard)
        close(upload.fd);
    return run;
}

int runs_start(struct ctl *ctl, struct error *error)
{
    char *header;
    int mistake = headers_line(ctl->options, &header, error);
    if (mistake != 0)
        return mistake;
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    json_t *run = NULL;
    if (fleet) {
        char *path = memory_format("/fleets/%s/fleetruns", show_text(fleet, "id"));
        run = start(ctl, path, header, error);
        free(path);
    }
    json_decref(fleet);
    free(header);
    return show_started(ctl, run);
}

/* ---- stop: does not wait for the end; `run wait` does ---- */

int runs_stop(struct ctl *ctl, struct error *error)
{
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    char *path = memory_format("/fleetruns/%s/stop", show_text(run, "id"));
    json_t *stopped = client_send(ctl->client, "POST", path, NULL, error);
    free(path);
    json_decref(run);
    if (!stopped)
        return -1;
    if (ctl->json)
        show_json(stopped);
    else
        ctl_say("fleet run %s is being stopped", show_text(stopped, "id"));
    json_decref(stopped);
    return 0;
}

int runs_again(struct ctl *ctl, struct error *error)
{
    json_t *earlier = resolve_run(ctl->client, ctl->operands[0], error);
    if (!earlier)
        return -1;
    char *path = memory_format("/fleetruns/%s/again", show_text(earlier, "id"));
    json_t *run = client_send(ctl->client, "POST", path, NULL, error);
    free(path);
    json_decref(earlier);
    return show_started(ctl, run);
}
