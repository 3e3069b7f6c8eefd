/* key list, create and revoke. A new key is printed alone on its line, for scripts, and is never
 * shown again. Called by main.c; the program has one thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

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
