/* Handlers of API keys. On admin workers' threads. A key is in the answer that creates it, and
 * nowhere else (docs/architecture.md, invariant 7). */
#include <stdlib.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "base/secret.h"
#include "http/log.h"
#include "store/keys.h"

static json_t *render_key(const struct key_row *row)
{
    json_t *key = json_object();
    render_set(key, "id", render_id(&row->id));
    render_set(key, "name", render_text(row->name));
    render_set(key, "created_at", render_time(row->created_ms));
    render_set(key, "last_used_at", render_time(row->last_used_ms));
    return key;
}

static int append_key(void *context, const struct key_row *row)
{
    render_append(context, render_key(row));
    return 0;
}

int keys_list(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    json_t *keys = json_array();
    request_answer_data(request, 200, render_one("keys", keys));
    return store_list_keys(store, append_key, keys, error);
}

struct create_key {
    struct change change;
    const char *name;
    uint8_t hash[SECRET_HASH_BYTES];
    struct id id; /* out */
};

static int apply_create_key(struct change *change, struct store *store, struct error *error)
{
    struct create_key *create = CONTAINER_OF(change, struct create_key, change);
    if (store_create_key(store, create->name, create->hash, change->now_ms, &create->id, error) !=
        0)
        return -1;
    change_set_subject(change, &create->id, create->name);
    return 0;
}

static const struct change_kind create_key_kind = {.action = "key.create",
                                                   .apply = apply_create_key};

int keys_create(struct admin_request *request, struct error *error)
{
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    char key[SECRET_TOKEN_CHARS + 1];
    struct create_key create = {.change.kind = &create_key_kind, .name = name};
    secret_mint_api_key(key);
    secret_hash(key, SECRET_TOKEN_CHARS, create.hash);
    int result = change_commit(request, &create.change, error);
    if (result == 0) {
        const struct key_row row = {
            .id = create.id, .name = name, .created_ms = create.change.now_ms};
        json_t *object = render_key(&row);
        render_set(object, "key", json_string(key));
        request_answer_data(request, 201, object);
        http_log_info(request->exchange, "API key created", log_id("api_key", &create.id),
                      log_text("name", name));
    }
    secret_wipe(key, sizeof(key));
    free(name);
    return result;
}

struct revoke_key {
    struct change change;
    struct id id;
};

static int set_subject(void *context, const struct key_row *row)
{
    struct revoke_key *revoke = context;
    if (!id_equal(&row->id, &revoke->id))
        return 0;
    change_set_subject(&revoke->change, &row->id, row->name);
    return 1;
}

static int apply_revoke_key(struct change *change, struct store *store, struct error *error)
{
    struct revoke_key *revoke = CONTAINER_OF(change, struct revoke_key, change);
    if (store_list_keys(store, set_subject, revoke, error) != 0)
        return -1;
    return store_revoke_key(store, &revoke->id, change->now_ms, error);
}

static const struct change_kind revoke_key_kind = {.action = "key.revoke",
                                                   .apply = apply_revoke_key};

int keys_revoke(struct admin_request *request, struct error *error)
{
    struct revoke_key revoke = {.change.kind = &revoke_key_kind};
    if (request_path_id(request, "key_id", "API key", &revoke.id, error) != 0 ||
        change_commit(request, &revoke.change, error) != 0)
        return -1;
    atomic_fetch_add(&request->admin->revocations, 1);
    http_log_info(request->exchange, "API key revoked", log_id("api_key", &revoke.id));
    return 0;
}
