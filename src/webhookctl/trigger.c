/* run trigger: starts a fleet run with overrides, and run show's lines about them. Overrides come
 * from a file or from standard input, never from an argument, which other users can see. Called by
 * main.c and runs.c; the program has one thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

static void report_problems(const char *what, const json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        const char *path = show_text(problem, "path"), *message = show_text(problem, "message");
        ctl_complain("%s: %s%s%s", what, path ? path : "", path && path[0] != '\0' ? ": " : "",
                     message ? message : "?");
    }
}

/* Returns the header, or NULL if the option is not given or if it cannot be a header's value; only
 * then *error is set. The caller frees it. */
static char *idempotency_header(const struct ctl *ctl, struct error *error)
{
    const char *key = ctl->options->values[OPTION_IDEMPOTENCY_KEY];
    if (!key)
        return NULL;
    for (const char *at = key; *at != '\0' || at == key; at++)
        if (*at <= ' ' || *at >= 0x7f) {
            error_set(error, ERROR_INVALID,
                      "--idempotency-key is malformed: use 1 to 255 visible ASCII characters");
            return NULL;
        }
    return memory_format("Idempotency-Key: %s", key);
}

static json_t *send_overrides(struct ctl *ctl, const char *path, const char *header,
                              struct error *error)
{
    const char *file = ctl->options->values[OPTION_OVERRIDES];
    bool is_standard = file && strcmp(file, "-") == 0;
    struct client_upload upload = {.fd = -1, .content_type = "application/json", .header = header};
    if (file) {
        upload.fd = is_standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
        upload.what = is_standard ? "standard input" : file;
    }
    if (file && upload.fd < 0) {
        error_set_errno(error, errno, "cannot open \"%s\"", file);
        return NULL;
    }
    json_t *ids = client_upload(ctl->client, "POST", path, &upload, error);
    if (!ids)
        report_problems(upload.what ? upload.what : "overrides", client_errors(ctl->client));
    if (file && !is_standard)
        close(upload.fd);
    return ids;
}

int trigger_run(struct ctl *ctl, struct error *error)
{
    char *header = idempotency_header(ctl, error);
    if (error_is_set(error))
        return CTL_MISTAKE;
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet) {
        free(header);
        return -1;
    }
    char *path = memory_format("/fleets/%s/trigger", show_text(fleet, "id"));
    json_t *ids = send_overrides(ctl, path, header, error);
    free(path);
    free(header);
    json_decref(fleet);
    if (!ids)
        return -1;
    const char *id = show_text(ids, "fleet_run_id");
    if (ctl->json)
        show_json(ids);
    else
        ctl_say("%s", id ? id : "-");
    json_decref(ids);
    return CTL_DONE;
}

/* Returns "first: STAGE, LEVEL, arguments" or "second: skipped (success)". */
static char *describe(const json_t *override)
{
    struct buffer text = BUFFER_INIT;
    const json_t *names = json_object_get(override, "variables");
    const char *vessel = show_text(override, "vessel"), *status = show_text(override, "status");
    const char *between = ": ";
    buffer_append_text(&text, vessel ? vessel : "?");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        buffer_append_format(&text, "%s%s", between, name ? name : "?");
        between = ", ";
    }
    if (json_is_true(json_object_get(override, "arguments"))) {
        buffer_append_format(&text, "%sarguments", between);
        between = ", ";
    }
    if (status)
        buffer_append_format(&text, "%sskipped (%s)", between, status);
    return buffer_take(&text);
}

void trigger_show_overrides(const json_t *run)
{
    const json_t *list = json_object_get(run, "overrides");
    for (size_t i = 0; i < json_array_size(list); i++)
        show_line_take("Override", describe(json_array_get(list, i)));
}
