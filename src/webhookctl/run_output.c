/* run body, headers, log: the input and the output of a fleet run. Called by main.c; the program
 * has one thread. Bodies and output go to stdout unchanged and are never held in memory. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

int run_output_body(struct ctl *ctl, struct error *error)
{
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    struct client_stream stream = {.fd = STDOUT_FILENO};
    char *path = memory_format("/fleetruns/%s/body", show_text(run, "id"));
    int result = client_stream(ctl->client, "GET", path, &stream, error);
    free(path);
    json_decref(run);
    return result;
}

int run_output_headers(struct ctl *ctl, struct error *error)
{
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    json_t *headers = client_get(ctl->client, error, "/fleetruns/%s/headers", show_text(run, "id"));
    json_decref(run);
    if (!headers)
        return -1;
    const char *name;
    json_t *values;
    if (ctl->json)
        show_json(headers);
    else
        json_object_foreach(headers, name, values) for (size_t i = 0; i < json_array_size(values);
                                                        i++)
            ctl_say("%s: %s", name, json_string_value(json_array_get(values, i)));
    json_decref(headers);
    return CTL_DONE;
}

/* ---- log ---- */

struct log {
    struct ctl *ctl;
    const char *run_id;
    int64_t attempt; /* 0: the last */
    bool headings;
    size_t written; /* number of outputs so far */
    char last;      /* the last byte of the previous output, 0 if it was empty */
};

/* Writes "==> name <==", as tail does, after an empty line, whether or not the previous output
 * ended with a newline. */
static void write_heading(const struct log *log, const json_t *vessel)
{
    if (log->written > 0)
        fputs(log->last != '\n' && log->last != '\0' ? "\n\n" : "\n", stdout);
    const char *name = show_text(vessel, "name");
    ctl_say("==> %s <==", name ? name : "?");
}

static int write_output(struct log *log, const json_t *vessel, struct error *error)
{
    struct client_stream stream = {.fd = STDOUT_FILENO};
    const char *id = show_text(vessel, "id");
    if (log->headings)
        write_heading(log, vessel);
    char *path = log->attempt > 0 ? memory_format("/fleetruns/%s/vessels/%s/log?attempt=%" PRId64,
                                                  log->run_id, id, log->attempt)
                                  : memory_format("/fleetruns/%s/vessels/%s/log", log->run_id, id);
    int result = client_stream(log->ctl->client, "GET", path, &stream, error);
    free(path);
    log->last = stream.last;
    log->written++;
    return result;
}

/* A vessel run that an override skipped has output without an attempt. */
static bool has_output(const struct log *log, const json_t *vessel)
{
    long long attempts = show_integer(vessel, "attempts");
    if (log->attempt > 0)
        return attempts >= log->attempt;
    return attempts > 0 || show_integer(vessel, "output_bytes") > 0;
}

/* Writes the output of all vessels that have the attempt, in the run's order. */
static int write_all(struct log *log, const json_t *vessels, struct error *error)
{
    log->headings = json_array_size(vessels) > 1;
    for (size_t i = 0; i < json_array_size(vessels); i++) {
        const json_t *vessel = json_array_get(vessels, i);
        if (has_output(log, vessel) && write_output(log, vessel, error) != 0)
            return -1;
    }
    if (log->written == 0 && log->attempt > 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "no vessel of this fleet run has an attempt %" PRId64, log->attempt);
    if (log->written == 0)
        ctl_complain("run log: no vessel of this fleet run has started (run show has details)");
    return CTL_DONE;
}

static const json_t *find_vessel(const json_t *vessels, const char *text)
{
    for (size_t i = 0; i < json_array_size(vessels); i++)
        if (run_follow_is_vessel(json_array_get(vessels, i), text))
            return json_array_get(vessels, i);
    return NULL;
}

static int write_one(struct log *log, const json_t *vessels, const char *text, struct error *error)
{
    const json_t *vessel = find_vessel(vessels, text);
    if (!vessel)
        return error_set(error, ERROR_NOT_FOUND,
                         "this fleet run has no vessel \"%.200s\" (run show lists its vessels)",
                         text);
    return write_output(log, vessel, error);
}

int run_output_log(struct ctl *ctl, struct error *error)
{
    struct log log = {.ctl = ctl};
    if (options_number(ctl->options, OPTION_ATTEMPT, 1, INT32_MAX, &log.attempt, error) != 0)
        return CTL_MISTAKE;
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    log.run_id = show_text(run, "id");
    const json_t *vessels = json_object_get(run, "vessels");
    const char *vessel = ctl->operand_count > 1 ? ctl->operands[1] : NULL;
    if (ctl->options->values[OPTION_FOLLOW]) {
        int followed = run_follow(ctl, run, vessel, log.attempt, error);
        json_decref(run);
        return followed;
    }
    int result = vessel ? write_one(&log, vessels, vessel, error) : write_all(&log, vessels, error);
    if (log.written > 0 && log.last != '\n' && log.last != '\0' && isatty(STDOUT_FILENO))
        putchar('\n'); /* for the shell's prompt */
    json_decref(run);
    return result;
}
