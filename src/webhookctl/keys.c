/* key list, create and revoke. A new key is printed alone on its line, for scripts, and is never
 * shown again. Called by main.c; the program has one thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define MIN_EXPIRY_S INT64_C(1)
#define MAX_EXPIRY_S (3650 * INT64_C(86400))

static bool is_in_state(const json_t *key, const char *state)
{
    const char *text = show_text(key, "state");
    return text && strcmp(text, state) == 0;
}

/* Returns the fleet or the organization that a key is bound to, or NULL. Free it. */
static char *bound_to(const json_t *key)
{
    if (show_text(key, "fleet_id")) {
        char *path = show_fleet_path(key);
        char *text = memory_format("fleet %s%s", path,
                                   is_in_state(key, "fleet_deleted") ? " (deleted)" : "");
        free(path);
        return text;
    }
    if (!show_text(key, "org_id"))
        return NULL;
    return memory_format("org %s%s", show_text(key, "org_name"),
                         is_in_state(key, "org_deleted") ? " (deleted)" : "");
}

/* Returns when a key expires, or NULL. Free it. */
static char *expiry_of(const json_t *key)
{
    char *time = show_time(show_text(key, "expires_at"), false);
    const char *remark = is_in_state(key, "expired")     ? " (expired)"
                         : is_in_state(key, "uncertain") ? " (webhookd's clock is wrong)"
                                                         : NULL;
    if (!time || !remark)
        return time;
    char *text = memory_format("%s%s", time, remark);
    free(time);
    return text;
}

static void add_key(struct table *table, const json_t *key)
{
    show_cell(table, key, "name");
    show_cell(table, key, "role");
    table_take(table, bound_to(key));
    table_take(table, expiry_of(key));
    show_time_cell(table, key, "created_at");
    show_time_cell(table, key, "last_used_at");
    show_cell(table, key, "id");
}

static const struct table_column key_columns[] = {
    {"KEY", TABLE_LEFT},     {"ROLE", TABLE_LEFT},    {"ONLY FOR", TABLE_LEFT},
    {"EXPIRES", TABLE_LEFT}, {"CREATED", TABLE_LEFT}, {"LAST USED", TABLE_LEFT},
    {"ID", TABLE_LEFT}};
static const struct show_listing key_listing = {"keys", key_columns, ARRAY_COUNT(key_columns),
                                                add_key};

int keys_list(struct ctl *ctl, struct error *error)
{
    return show_list(&key_listing, ctl->json, client_get(ctl->client, error, "/keys"));
}

/* ---- creating ---- */

/* Adds the id of the object that an option names. Takes ownership of the object; NULL: there is
 * none, and *error says why. */
static int add_id(json_t *body, const char *key, json_t *object)
{
    if (!object)
        return -1;
    json_object_set_new(body, key, json_string(show_text(object, "id")));
    json_decref(object);
    return 0;
}

static int add_binding(struct ctl *ctl, json_t *body, struct error *error)
{
    const char *fleet = ctl->options->values[OPTION_FLEET];
    const char *org = ctl->options->values[OPTION_ORG];
    if (fleet && add_id(body, "fleet_id", resolve_fleet(ctl->client, fleet, error)) != 0)
        return -1;
    return org ? add_id(body, "org_id", resolve_org(ctl->client, org, error)) : 0;
}

/* Reads --expires in whole seconds; leaves *seconds unchanged if it is not given. The API checks
 * the role and everything else. */
static int read_expiry(const struct options *options, int64_t *seconds, struct error *error)
{
    int64_t ms = 0;
    if (options_duration(options, OPTION_EXPIRES, &ms, error) != 0)
        return -1;
    if (!options->values[OPTION_EXPIRES])
        return 0;
    if (ms % 1000 != 0 || ms < MIN_EXPIRY_S * 1000 || ms > MAX_EXPIRY_S * 1000)
        return error_set(error, ERROR_INVALID,
                         "--expires must be from 1s to 3650d, in whole seconds");
    *seconds = ms / 1000;
    return 0;
}

/* Returns the body of the request, or NULL and *error. */
static json_t *key_body(struct ctl *ctl, int64_t expires_in_s, struct error *error)
{
    json_t *body = json_pack("{s:s, s:s*}", "name", ctl->operands[0], "role",
                             ctl->options->values[OPTION_ROLE]);
    if (!body) {
        error_set(error, ERROR_INVALID, "the name and the role must be UTF-8 text");
        return NULL;
    }
    if (expires_in_s > 0)
        json_object_set_new(body, "expires_in_s", json_integer(expires_in_s));
    if (add_binding(ctl, body, error) == 0)
        return body;
    json_decref(body);
    return NULL;
}

int keys_create(struct ctl *ctl, struct error *error)
{
    int64_t expires_in_s = 0;
    if (ctl_has(ctl, OPTION_FLEET) && ctl_has(ctl, OPTION_ORG)) {
        error_set(error, ERROR_INVALID, "--fleet and --org exclude each other");
        return CTL_MISTAKE;
    }
    if (read_expiry(ctl->options, &expires_in_s, error) != 0)
        return CTL_MISTAKE;
    json_t *body = key_body(ctl, expires_in_s, error);
    json_t *data = body ? client_send(ctl->client, "POST", "/keys", body, error) : NULL;
    if (!data)
        return -1;
    if (ctl->json)
        show_json(data);
    else
        ctl_say("%s", show_text(data, "key"));
    json_decref(data);
    return CTL_DONE;
}

/* ---- revoking ---- */

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
