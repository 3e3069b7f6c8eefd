/* webhook list, create, show, replace, remove. The URL is printed alone on its line, for scripts.
 * Called by main.c; the program has one thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

static void add_webhook(struct table *table, const json_t *webhook)
{
    const json_t *last = json_object_get(webhook, "last_request");
    const json_t *requests = json_object_get(webhook, "requests");
    table_take(table, show_fleet_path(webhook));
    show_time_cell(table, last, "at");
    show_cell(table, last, "status");
    show_cell(table, requests, "accepted");
    show_cell(table, requests, "refused");
    show_cell(table, webhook, "url");
}

static const struct table_column webhook_columns[] = {
    {"FLEET", TABLE_LEFT},     {"LAST REQUEST", TABLE_LEFT}, {"ANSWER", TABLE_LEFT},
    {"ACCEPTED", TABLE_RIGHT}, {"REFUSED", TABLE_RIGHT},     {"URL", TABLE_LEFT}};
static const struct show_listing webhook_listing = {"webhooks", webhook_columns,
                                                    ARRAY_COUNT(webhook_columns), add_webhook};

int webhooks_list(struct ctl *ctl, struct error *error)
{
    return show_list(&webhook_listing, ctl->json, client_get(ctl->client, error, "/webhooks"));
}

/* Adds what to do to an answer that only describes the state. */
static void add_hint(const char *method, struct error *error)
{
    struct error plain = *error;
    const char *hint = NULL;
    if (plain.kind == ERROR_NOT_FOUND && strcmp(method, "DELETE") != 0)
        hint = "webhookctl webhook create creates one";
    else if (plain.kind == ERROR_CONFLICT)
        hint = "webhookctl webhook show prints its URL";
    if (!hint)
        return;
    error_clear(error);
    error_set(error, plain.kind, "%s (%s)", plain.message, hint);
}

/* Makes the API call for the given fleet's webhook. Returns its data, or NULL and *error. */
static json_t *call_webhook(struct ctl *ctl, const char *method, struct error *error)
{
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    if (!fleet)
        return NULL;
    char *path = memory_format("/fleets/%s/webhook", show_text(fleet, "id"));
    json_t *data = client_send(ctl->client, method, path, NULL, error);
    /* --if-missing: an existing webhook is fine. Asking for it after the refusal, not before, is
     * free of races. */
    if (!data && error->kind == ERROR_CONFLICT && ctl_has(ctl, OPTION_IF_MISSING)) {
        error_clear(error);
        data = client_send(ctl->client, "GET", path, NULL, error);
    }
    free(path);
    json_decref(fleet);
    if (!data)
        add_hint(method, error);
    return data;
}

static int print_url(struct ctl *ctl, const char *method, struct error *error)
{
    json_t *data = call_webhook(ctl, method, error);
    if (!data)
        return -1;
    const char *url = show_text(data, "url");
    if (ctl->json)
        show_json(data);
    else
        ctl_say("%s", url ? url : "-");
    json_decref(data);
    return CTL_DONE;
}

int webhooks_create(struct ctl *ctl, struct error *error)
{
    return print_url(ctl, "POST", error);
}

int webhooks_show(struct ctl *ctl, struct error *error)
{
    return print_url(ctl, "GET", error);
}

int webhooks_replace(struct ctl *ctl, struct error *error)
{
    return print_url(ctl, "PUT", error);
}

int webhooks_remove(struct ctl *ctl, struct error *error)
{
    json_t *data = call_webhook(ctl, "DELETE", error);
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        ctl_say("webhook of %s removed", ctl->operands[0]);
    json_decref(data);
    return CTL_DONE;
}
