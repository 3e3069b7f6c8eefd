/* Handlers of API keys. On admin workers' threads. A key is in the answer that creates it, and
 * nowhere else (docs/architecture.md, invariant 7). */
#include <stdio.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "http/log.h"
#include "store/keys.h"

/* Says whether a key can be used, and if not, why. */
static const char *state_of(const struct key_row *row)
{
    switch (api_key_age_at(&row->life, clock_wall_ms())) {
    case API_KEY_EXPIRED:
        return "expired";
    case API_KEY_UNCERTAIN:
        return "uncertain";
    case API_KEY_VALID:
        break;
    }
    if (row->is_orphan)
        return row->binding.has_fleet ? "fleet_deleted" : "org_deleted";
    return "active";
}

static json_t *render_key(const struct key_row *row)
{
    const struct key_binding *binding = &row->binding;
    json_t *key = json_object();
    render_set(key, "id", render_id(&row->id));
    render_set(key, "name", render_text(row->name));
    render_set(key, "role", json_string(api_key_role_name(row->role)));
    render_set(key, "state", json_string(state_of(row)));
    render_set(key, "org_id", binding->has_org ? render_id(&binding->org_id) : json_null());
    render_set(key, "fleet_id", binding->has_fleet ? render_id(&binding->fleet_id) : json_null());
    render_set(key, "org_name", render_optional(row->org_name));
    render_set(key, "project_name", render_optional(row->project_name));
    render_set(key, "fleet_name", render_optional(row->fleet_name));
    render_set(key, "created_at", render_time(row->life.created_ms));
    render_set(key, "last_used_at", render_time(row->last_used_ms));
    render_set(key, "expires_at", render_time(row->life.expires_ms));
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

/* ---- creating ---- */

/* Reads the id at a key of the body, if there is one. */
static int read_id(struct admin_request *request, const json_t *body, const char *key, bool *has,
                   struct id *id, struct error *error)
{
    const char *text = request_text_at(request, body, key, error);
    if (!text)
        return error_is_set(error) ? -1 : 0;
    *has = true;
    if (id_parse(text, id) != 0)
        return request_invalid(request, key, error, "%s must be an id", key);
    return 0;
}

/* Reads what the key is bound to. */
static int read_binding(struct admin_request *request, const json_t *body, enum api_key_role role,
                        struct key_binding *binding, struct error *error)
{
    if (read_id(request, body, "org_id", &binding->has_org, &binding->org_id, error) != 0 ||
        read_id(request, body, "fleet_id", &binding->has_fleet, &binding->fleet_id, error) != 0)
        return -1;
    if (binding->has_org && binding->has_fleet)
        return request_invalid(
            request, "fleet_id", error,
            "a key is bound to a fleet or to an organization, not to both: leave "
            "one of them out");
    if (role == ROLE_OWNER && (binding->has_org || binding->has_fleet))
        return request_invalid(request, binding->has_org ? "org_id" : "fleet_id", error,
                               "a key with the role owner cannot be bound to %s: give it the role "
                               "trigger, or do not bind it",
                               binding->has_org ? "an organization" : "a fleet");
    return 0;
}

static int read_role(struct admin_request *request, const json_t *body, enum api_key_role *role,
                     struct error *error)
{
    const char *text = request_text_at(request, body, "role", error);
    *role = ROLE_OWNER;
    if (!text)
        return error_is_set(error) ? -1 : 0;
    if (api_key_role_parse(text, role) != 0)
        return request_invalid(request, "role", error, "role must be owner or trigger");
    return 0;
}

/* Reads for how long the key is valid; 0 = for ever. */
static int read_expiry(struct admin_request *request, const json_t *body, int64_t *expires_in_s,
                       struct error *error)
{
    const json_t *value = json_object_get(body, "expires_in_s");
    *expires_in_s = json_integer_value(value);
    if (!value || (json_is_integer(value) && *expires_in_s >= API_KEY_MIN_EXPIRY_S &&
                   *expires_in_s <= API_KEY_MAX_EXPIRY_S))
        return 0;
    return request_invalid(request, "expires_in_s", error,
                           "expires_in_s must be a whole number of seconds from %d to %lld (3650 "
                           "days)",
                           API_KEY_MIN_EXPIRY_S, (long long)API_KEY_MAX_EXPIRY_S);
}

static int read_name(struct admin_request *request, const json_t *body, const char **name,
                     struct error *error)
{
    *name = request_text_at(request, body, "name", error);
    if (*name)
        return request_check_name(request, *name, error);
    return error_is_set(error) ? -1 : request_invalid(request, "name", error, "name is missing");
}

struct create_key {
    struct change change;
    struct new_key key;
    int64_t expires_in_s; /* 0 = never */
    struct id id;         /* out */
    json_t *object;       /* out: the key as the API shows it */
};

static int read_key(struct admin_request *request, const json_t *body, struct create_key *create,
                    struct error *error)
{
    struct new_key *key = &create->key;
    if (read_name(request, body, &key->name, error) != 0 ||
        read_role(request, body, &key->role, error) != 0 ||
        read_binding(request, body, key->role, &key->binding, error) != 0)
        return -1;
    return read_expiry(request, body, &create->expires_in_s, error);
}

/* Says in the audit log what the key may do, where, and until when. */
static void describe_key(struct change *change, const struct key_row *row)
{
    const struct key_binding *binding = &row->binding;
    char until[CLOCK_TEXT_BYTES], *detail = change->detail;
    size_t bytes = sizeof(change->detail);
    int at = snprintf(detail, bytes, "role %s", api_key_role_name(row->role));
    if (binding->has_fleet || binding->has_org)
        at += snprintf(detail + at, bytes - (size_t)at, ", only %s %s",
                       binding->has_fleet ? "fleet" : "organization",
                       binding->has_fleet ? row->fleet_name : row->org_name);
    if (row->life.expires_ms != 0)
        (void)snprintf(detail + at, bytes - (size_t)at, ", until %s",
                       clock_format_s(row->life.expires_ms, until));
    change_set_subject(change, &row->id, row->name);
    if (binding->has_fleet)
        change_set_fleet(change, &binding->fleet_id, 0);
}

static int keep_created(void *context, const struct key_row *row)
{
    struct create_key *create = context;
    if (!id_equal(&row->id, &create->id))
        return 0;
    describe_key(&create->change, row);
    json_decref(create->object);
    create->object = render_key(row);
    return 1;
}

static int apply_create_key(struct change *change, struct store *store, struct error *error)
{
    struct create_key *create = CONTAINER_OF(change, struct create_key, change);
    struct new_key *key = &create->key;
    key->life.created_ms = change->now_ms;
    if (create->expires_in_s > 0)
        key->life.expires_ms = change->now_ms + create->expires_in_s * 1000;
    if (store_create_key(store, key, &create->id, error) != 0)
        return -1;
    return store_list_keys(store, keep_created, create, error);
}

static const struct change_kind create_key_kind = {.action = "key.create",
                                                   .apply = apply_create_key};

static int commit_key(struct admin_request *request, struct create_key *create, struct error *error)
{
    const struct key_binding *binding = &create->key.binding;
    if (change_commit(request, &create->change, error) == 0)
        return 0;
    if (error->kind == ERROR_NOT_FOUND)
        request->answer.field = memory_string(binding->has_org ? "org_id" : "fleet_id");
    json_decref(create->object);
    return -1;
}

int keys_create(struct admin_request *request, struct error *error)
{
    static const char *const known[] = {"name", "role", "org_id", "fleet_id", "expires_in_s", NULL};
    char key[SECRET_TOKEN_CHARS + 1];
    struct create_key create = {.change.kind = &create_key_kind};
    json_t *body = request_body_object(request, known, error);
    if (!body)
        return -1;
    secret_mint_api_key(key);
    secret_hash(key, SECRET_TOKEN_CHARS, create.key.hash);
    int result = read_key(request, body, &create, error);
    if (result == 0)
        result = commit_key(request, &create, error);
    if (result == 0) {
        render_set(create.object, "key", json_string(key));
        request_answer_data(request, 201, create.object);
        http_log_info(request->exchange, "API key created", log_id("api_key", &create.id),
                      log_text("name", create.key.name),
                      log_text("role", api_key_role_name(create.key.role)));
    }
    secret_wipe(key, sizeof(key));
    json_decref(body);
    return result;
}

/* ---- revoking ---- */

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
