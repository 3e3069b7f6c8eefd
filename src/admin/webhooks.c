/* Handlers that show, create, replace and remove webhooks. On admin workers' threads. Here a token
 * is only in memory and in the reply (docs/architecture.md, invariant 7). */
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/fleets.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "admin/seal.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/log.h"

struct sealed_item {
    struct id fleet_id;
    struct webhook_token token;
};

/* The rows are read before the key, which is not needed if there are no webhooks. */
struct sealed_list {
    json_t *objects; /* with "url": null */
    struct sealed_item *items;
    size_t count;
};

static int append_sealed(void *context, const struct webhook_row *row)
{
    struct sealed_list *list = context;
    list->items = memory_array(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = (struct sealed_item){row->fleet_id, row->token};
    render_append(list->objects, render_webhook(row, NULL));
    return 0;
}

static int damaged(const json_t *object, struct error *error)
{
    error_context(error, "the webhook of fleet \"%s\"",
                  json_string_value(json_object_get(object, "fleet_name")));
    return -1;
}

/* Puts the URLs into the objects. */
static int open_all(struct admin_request *request, struct store *store, struct sealed_list *list,
                    struct error *error)
{
    if (list->count == 0)
        return 0;
    struct secret_key key;
    if (seal_key(request->admin, store, false, &key, error) != 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; i++) {
        const struct sealed_item *item = &list->items[i];
        json_t *object = json_array_get(list->objects, i);
        char *url = seal_open_url(&key, request->config->hooks.public_url, &item->fleet_id,
                                  &item->token, error);
        if (url)
            render_set(object, "url", json_string(url));
        else
            result = damaged(object, error);
        seal_free_url(url);
    }
    secret_wipe(&key, sizeof(key));
    return result;
}

#define COUNT_MS (24 * INT64_C(3600000)) /* the default of "since" */

/* Reads the time from which requests are counted: at the earliest, the time back to which the store
 * keeps counts. */
static int read_since(struct admin_request *request, int64_t *since_ms, struct error *error)
{
    int64_t now_ms = clock_wall_ms(), kept_ms = now_ms - STORE_KEEP_CALLS_MS;
    *since_ms = now_ms - COUNT_MS;
    if (request_query_time(request, "since", since_ms, error) != 0)
        return -1;
    if (*since_ms < kept_ms)
        *since_ms = kept_ms;
    return 0;
}

/* ---- showing: an administrator who has seen a URL can call it, so the audit log says who ---- */

#define SHOWN_AGAIN_MS INT64_C(3600000) /* a page that is open asks every few seconds */

struct webhook_change {
    struct change change;
    struct id fleet_id;
    struct webhook_token token; /* of a new one */
};

static int apply_show(struct change *change, struct store *store, struct error *error)
{
    const struct webhook_change *webhook = CONTAINER_OF(change, struct webhook_change, change);
    return fleets_set_subject(change, store, &webhook->fleet_id, error);
}

static const struct change_kind show_kind = {
    .action = "webhook.show", .repeats_after_ms = SHOWN_AGAIN_MS, .apply = apply_show};
static const struct change_kind list_kind = {.action = "webhook.list",
                                             .repeats_after_ms = SHOWN_AGAIN_MS};

int webhooks_list(struct admin_request *request, struct error *error)
{
    int64_t since_ms;
    struct change shown = {.kind = &list_kind};
    struct store *store = request_store(request, error);
    if (!store || read_since(request, &since_ms, error) != 0)
        return -1;
    struct sealed_list list = {.objects = json_array()};
    request_answer_data(request, 0, render_one("webhooks", list.objects));
    int result = store_list_webhooks(store, since_ms, append_sealed, &list, error);
    if (result == 0)
        result = open_all(request, store, &list, error);
    if (result == 0 && list.count > 0)
        result = change_commit(request, &shown, error);
    free(list.items);
    return result;
}

/* Answers with the fleet's webhook, read from the store. */
static int answer_webhook(struct admin_request *request, const struct id *fleet_id,
                          int64_t since_ms, unsigned status, struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    struct sealed_list list = {.objects = json_array()};
    int result = store_get_webhook(store, fleet_id, since_ms, append_sealed, &list, error);
    if (result == 0)
        result = open_all(request, store, &list, error);
    if (result == 0)
        request_answer_data(request, status, json_incref(json_array_get(list.objects, 0)));
    json_decref(list.objects);
    free(list.items);
    return result;
}

int webhooks_get(struct admin_request *request, struct error *error)
{
    int64_t since_ms;
    struct webhook_change shown = {.change.kind = &show_kind};
    if (request_path_id(request, "fleet_id", "fleet", &shown.fleet_id, error) != 0 ||
        read_since(request, &since_ms, error) != 0 ||
        answer_webhook(request, &shown.fleet_id, since_ms, 200, error) != 0)
        return -1;
    return change_commit(request, &shown.change, error);
}

/* ---- changes: the audit log names the fleet ---- */

/* Mints a token and keeps its hash and its sealed form. */
static int mint(struct admin_request *request, bool may_create_key, struct webhook_change *webhook,
                struct error *error)
{
    struct secret_key key;
    struct store *store = request_store(request, error);
    if (!store || seal_key(request->admin, store, may_create_key, &key, error) != 0)
        return -1;
    char token[SECRET_TOKEN_CHARS + 1];
    secret_mint_token(token);
    seal_token(&key, &webhook->fleet_id, token, &webhook->token);
    secret_wipe(token, sizeof(token));
    secret_wipe(&key, sizeof(key));
    return 0;
}

static int apply_create(struct change *change, struct store *store, struct error *error)
{
    const struct webhook_change *webhook = CONTAINER_OF(change, struct webhook_change, change);
    if (fleets_set_subject(change, store, &webhook->fleet_id, error) != 0)
        return -1;
    return store_create_webhook(store, &webhook->fleet_id, &webhook->token, change->now_ms, error);
}

static const struct change_kind create_kind = {.action = "webhook.create", .apply = apply_create};

int webhooks_create(struct admin_request *request, struct error *error)
{
    int64_t since_ms;
    struct webhook_change webhook = {.change.kind = &create_kind};
    if (request_path_id(request, "fleet_id", "fleet", &webhook.fleet_id, error) != 0 ||
        read_since(request, &since_ms, error) != 0 || mint(request, true, &webhook, error) != 0 ||
        change_commit(request, &webhook.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "webhook created", log_id("fleet", &webhook.fleet_id));
    return answer_webhook(request, &webhook.fleet_id, since_ms, 201, error);
}

static int apply_replace(struct change *change, struct store *store, struct error *error)
{
    const struct webhook_change *webhook = CONTAINER_OF(change, struct webhook_change, change);
    if (fleets_set_subject(change, store, &webhook->fleet_id, error) != 0)
        return -1;
    return store_replace_webhook(store, &webhook->fleet_id, &webhook->token, change->now_ms, error);
}

static const struct change_kind replace_kind = {.action = "webhook.replace",
                                                .apply = apply_replace};

int webhooks_replace(struct admin_request *request, struct error *error)
{
    int64_t since_ms;
    struct webhook_change webhook = {.change.kind = &replace_kind};
    if (request_path_id(request, "fleet_id", "fleet", &webhook.fleet_id, error) != 0 ||
        read_since(request, &since_ms, error) != 0 || mint(request, false, &webhook, error) != 0 ||
        change_commit(request, &webhook.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "webhook replaced", log_id("fleet", &webhook.fleet_id));
    return answer_webhook(request, &webhook.fleet_id, since_ms, 200, error);
}

static int apply_remove(struct change *change, struct store *store, struct error *error)
{
    const struct webhook_change *webhook = CONTAINER_OF(change, struct webhook_change, change);
    if (fleets_set_subject(change, store, &webhook->fleet_id, error) != 0)
        return -1;
    return store_remove_webhook(store, &webhook->fleet_id, error);
}

static const struct change_kind remove_kind = {.action = "webhook.remove", .apply = apply_remove};

int webhooks_remove(struct admin_request *request, struct error *error)
{
    struct webhook_change webhook = {.change.kind = &remove_kind};
    if (request_path_id(request, "fleet_id", "fleet", &webhook.fleet_id, error) != 0 ||
        change_commit(request, &webhook.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "webhook removed", log_id("fleet", &webhook.fleet_id));
    return 0;
}
