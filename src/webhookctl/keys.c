/* key list, create and revoke; audit. A new key is printed alone on its line, for scripts, and is
 * never shown again. Called by main.c; the program has one thread. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define AUDIT_DEFAULT 20
#define AUDIT_PAGE    500

static void add_key(struct table *table, const json_t *key)
{
    show_cell(table, key, "name");
    show_time_cell(table, key, "created_at");
    show_time_cell(table, key, "last_used_at");
    show_cell(table, key, "id");
}

static const struct table_column key_columns[] = {
    {"KEY", TABLE_LEFT}, {"CREATED", TABLE_LEFT}, {"LAST USED", TABLE_LEFT}, {"ID", TABLE_LEFT}};
static const struct show_listing key_listing = {"keys", key_columns, ARRAY_COUNT(key_columns),
                                                add_key};

int keys_list(struct ctl *ctl, struct error *error)
{
    return show_list(&key_listing, ctl->json, client_get(ctl->client, error, "/keys"));
}

int keys_create(struct ctl *ctl, struct error *error)
{
    json_t *body = json_pack("{s:s}", "name", ctl->operands[0]);
    if (!body)
        return error_set(error, ERROR_INVALID, "the name must be UTF-8 text");
    json_t *data = client_send(ctl->client, "POST", "/keys", body, error);
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        ctl_say("%s", show_text(data, "key"));
    json_decref(data);
    return CTL_DONE;
}

int keys_revoke(struct ctl *ctl, struct error *error)
{
    json_t *key = resolve_key(ctl->client, ctl->operands[0], error);
    if (!key)
        return -1;
    char *path = memory_format("/keys/%s", show_text(key, "id"));
    json_t *data = client_send(ctl->client, "DELETE", path, NULL, error);
    free(path);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("key %s revoked", show_text(key, "name"));
    json_decref(key);
    json_decref(data);
    return data ? CTL_DONE : -1;
}

/* ---- the audit log ---- */

static void add_entry(struct table *table, const json_t *entry)
{
    const char *source = show_text(entry, "source");
    show_time_cell(table, entry, "at");
    show_cell(table, entry, "who");
    table_add(table, source ? source : "socket");
    show_cell(table, entry, "action");
    show_cell(table, entry, "subject");
    show_cell(table, entry, "detail");
}

static const struct table_column entry_columns[] = {
    {"TIME", TABLE_LEFT},   {"WHO", TABLE_LEFT},     {"FROM", TABLE_LEFT},
    {"ACTION", TABLE_LEFT}, {"SUBJECT", TABLE_LEFT}, {"DETAIL", TABLE_LEFT}};
static const struct show_listing entry_listing = {"entries", entry_columns,
                                                  ARRAY_COUNT(entry_columns), add_entry};

/* Returns the answer's data for up to `left` entries, from several pages if needed, or NULL and
 * *error. */
static json_t *gather_entries(struct client *client, int64_t left, struct error *error)
{
    json_t *all = json_array();
    int64_t before = 0;
    do {
        char *cursor = before > 0 ? memory_format("&before=%" PRId64, before) : memory_string("");
        json_t *page = client_get(client, error, "/audit?limit=%" PRId64 "%s",
                                  left < AUDIT_PAGE ? left : AUDIT_PAGE, cursor);
        free(cursor);
        if (!page) {
            json_decref(all);
            return NULL;
        }
        json_t *entries = json_object_get(page, "entries");
        left -= (int64_t)json_array_size(entries);
        json_array_extend(all, entries);
        before = show_integer(page, "next_before");
        json_decref(page);
    } while (left > 0 && before > 0);
    return json_pack("{s:o, s:o}", "entries", all, "next_before",
                     before > 0 ? json_integer(before) : json_null());
}

int keys_list_audit(struct ctl *ctl, struct error *error)
{
    int64_t limit = AUDIT_DEFAULT;
    if (options_number(ctl->options, OPTION_LIMIT, 1, INT32_MAX, &limit, error) != 0)
        return CTL_MISTAKE;
    return show_list(&entry_listing, ctl->json, gather_entries(ctl->client, limit, error));
}
