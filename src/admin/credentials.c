/* Handlers of credentials. On admin workers' threads. A value comes in the request that sets it; no
 * answer, log line or error contains it (docs/architecture.md, invariant 7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "admin/seal.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "http/log.h"
#include "store/blueprints.h"
#include "store/credentials.h"

/* ---- listing ---- */

static json_t *render_credential(const struct credential_row *row)
{
    char name[REFERENCE_TEXT_BYTES];
    json_t *object = json_object();
    render_set(object, "name", render_text(reference_format(&row->name, name)));
    render_set(object, "group", render_text(row->name.group));
    render_set(object, "item", render_text(row->name.item));
    render_set(object, "created_at", render_time(row->created_ms));
    render_set(object, "changed_at", render_time(row->changed_ms));
    render_set(object, "changed_by", render_text(row->changed_by));
    render_set(object, "last_used_at", render_time(row->last_used_ms));
    return object;
}

static int append_credential(void *context, const struct credential_row *row)
{
    render_append(context, render_credential(row));
    return 0;
}

int credentials_list(struct admin_request *request, struct error *error)
{
    struct id org_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "org_id", "organization", &org_id, error) != 0)
        return -1;
    json_t *credentials = json_array();
    request_answer_data(request, 200, render_one("credentials", credentials));
    return store_list_credentials(store, &org_id, append_credential, credentials, error);
}

/* ---- one credential ---- */

/* Reads the organization's id and the credential's name from the path. */
static int read_path(struct admin_request *request, struct id *org_id, struct reference *name,
                     struct error *error)
{
    const char *group = route_value(&request->match, "group");
    const char *item = route_value(&request->match, "item");
    const char *problem = reference_problem(group, item);
    if (request_path_id(request, "org_id", "organization", org_id, error) != 0)
        return -1;
    if (problem) {
        bool in_group = reference_problem(group, group) != NULL;
        return request_invalid(request, in_group ? "group" : "item", error, "%s", problem);
    }
    (void)snprintf(name->group, sizeof(name->group), "%s", group);
    (void)snprintf(name->item, sizeof(name->item), "%s", item);
    return 0;
}

struct find {
    json_t *object;
};

static int keep_credential(void *context, const struct credential_row *row)
{
    struct find *find = context;
    find->object = render_credential(row);
    return 0;
}

struct credential_change {
    struct change change;
    struct id org_id;
    struct reference name;
    const char *changed_by; /* borrowed, like the audit log's `who` */
    uint8_t *sealed;        /* of a new value */
    size_t sealed_bytes;
    bool is_new; /* out */
};

static void set_subject(struct credential_change *credential)
{
    char name[REFERENCE_TEXT_BYTES];
    change_set_subject(&credential->change, &credential->org_id,
                       reference_format(&credential->name, name));
}

static int apply_set(struct change *change, struct store *store, struct error *error)
{
    struct credential_change *credential = CONTAINER_OF(change, struct credential_change, change);
    const struct credential_value value = {.name = credential->name,
                                           .sealed = credential->sealed,
                                           .sealed_bytes = credential->sealed_bytes,
                                           .changed_by = credential->changed_by};
    if (store_set_credential(store, &credential->org_id, &value, change->now_ms,
                             &credential->is_new, error) != 0)
        return -1;
    set_subject(credential);
    return 0;
}

static const struct change_kind set_kind = {.action = "credential.set", .apply = apply_set};

/* Returns the length of the value in the body, without a final line end, or -1. */
static ssize_t value_bytes(struct admin_request *request, struct error *error)
{
    const char *value = request->body.data;
    size_t bytes = request->body.bytes;
    if (bytes > 0 && value[bytes - 1] == '\n')
        bytes--;
    if (bytes == 0)
        return request_invalid(request, "value", error, "the value is empty");
    if (bytes > STORE_CREDENTIAL_MAX_BYTES)
        return request_invalid(request, "value", error, "a credential is at most %d KiB long",
                               STORE_CREDENTIAL_MAX_BYTES / 1024);
    if (!utf8_is_valid(value, bytes) || memchr(value, '\0', bytes))
        return request_invalid(
            request, "value", error,
            "the value must be UTF-8 text without NUL characters: encode binary data, "
            "for example in base64");
    return (ssize_t)bytes;
}

/* Seals the value in the body for its place. */
static int seal_value(struct admin_request *request, struct credential_change *credential,
                      struct error *error)
{
    struct secret_key key;
    char place[STORE_CREDENTIAL_PLACE_BYTES];
    struct store *store = request_store(request, error);
    ssize_t bytes = store ? value_bytes(request, error) : -1;
    if (bytes < 0 || seal_key(request->admin, store, true, &key, error) != 0)
        return -1;
    credential->sealed_bytes = SECRET_SEAL_BYTES + (size_t)bytes;
    credential->sealed = memory_alloc(credential->sealed_bytes);
    credential->change.bytes = credential->sealed_bytes;
    secret_seal(&key, store_credential_place(&credential->org_id, &credential->name, place),
                request->body.data, (size_t)bytes, credential->sealed);
    secret_wipe(&key, sizeof(key));
    return 0;
}

int credentials_set(struct admin_request *request, struct error *error)
{
    struct credential_change credential = {.change.kind = &set_kind,
                                           .changed_by = request->caller.who};
    struct find find = {NULL};
    if (read_path(request, &credential.org_id, &credential.name, error) != 0 ||
        seal_value(request, &credential, error) != 0)
        return -1;
    int result = change_commit(request, &credential.change, error);
    free(credential.sealed);
    if (result != 0)
        return -1;
    http_log_info(request->exchange, "credential set", log_id("org", &credential.org_id),
                  log_text("group", credential.name.group), log_text("item", credential.name.item),
                  log_text("outcome", credential.is_new ? "created" : "replaced"));
    result = store_find_credential(request->store, &credential.org_id, &credential.name,
                                   keep_credential, &find, error);
    request_answer_data(request, credential.is_new ? 201 : 200, find.object);
    return result;
}

/* ---- who uses it ---- */

struct users {
    const struct reference *name;
    json_t *fleets, *blueprints;
    struct error *error;
};

static bool vessel_uses(const struct definition_vessel *vessel, const struct reference *name)
{
    for (size_t i = 0; i < vessel->argument_count; i++)
        if (reference_is_in(vessel->arguments[i], name))
            return true;
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (reference_is_in(vessel->environment[i].value, name))
            return true;
    return false;
}

/* The text of a reference may also be in a script, which means nothing. */
static int append_user(void *context, const struct definition_row *row)
{
    struct users *users = context;
    struct definition *definition =
        definition_json_read(row->definition_json, row->definition_bytes, users->error);
    if (!definition)
        return 1;
    json_t *vessels = json_array();
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (vessel_uses(&definition->vessels[i], users->name))
            render_append(vessels, render_text(definition->vessels[i].name));
    definition_free(definition);
    render_user(users->fleets, row, vessels);
    return 0;
}

static bool default_uses(const struct inputs *inputs, const struct reference *name)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (inputs->items[i].default_value && reference_is_in(inputs->items[i].default_value, name))
            return true;
    return false;
}

static int append_blueprint(void *context, const struct blueprint_version_row *row)
{
    struct users *users = context;
    struct blueprint *blueprint =
        blueprint_json_read(row->definition_json, row->definition_bytes, users->error);
    if (!blueprint)
        return 1;
    if (vessel_uses(&blueprint->code, users->name) ||
        default_uses(&blueprint->inputs, users->name)) {
        json_t *object = json_object();
        render_set(object, "id", render_id(&row->blueprint_id));
        render_set(object, "name", render_text(blueprint->name));
        render_append(users->blueprints, object);
    }
    blueprint_free(blueprint);
    return 0;
}

/* Returns the fleets whose current version refers to the credential, with those of their vessels
 * that do, and the blueprints whose current version does; or NULL and *error. */
static json_t *list_users(struct store *store, const struct id *org_id,
                          const struct reference *name, struct error *error)
{
    char text[REFERENCE_TEXT_BYTES], written[REFERENCE_TEXT_BYTES + 3];
    struct error damage = ERROR_INIT;
    struct users users = {name, json_array(), json_array(), &damage};
    (void)snprintf(written, sizeof(written), "#{%s}", reference_format(name, text));
    json_t *both = json_object();
    render_set(both, "fleets", users.fleets);
    render_set(both, "blueprints", users.blueprints);
    if (store_list_definitions(store, org_id, written, append_user, &users, error) == 0 &&
        store_search_blueprints(store, org_id, written, append_blueprint, &users, error) == 0) {
        if (!error_is_set(&damage))
            return both;
        error_set(error, damage.kind, "%s", damage.message);
    }
    json_decref(both);
    return NULL;
}

static int find_credential(struct admin_request *request, const struct id *org_id,
                           const struct reference *name, struct error *error)
{
    struct find find = {NULL};
    struct store *store = request_store(request, error);
    if (!store || store_find_credential(store, org_id, name, keep_credential, &find, error) != 0)
        return -1;
    json_decref(find.object);
    return 0;
}

int credentials_used(struct admin_request *request, struct error *error)
{
    struct id org_id;
    struct reference name;
    if (read_path(request, &org_id, &name, error) != 0 ||
        find_credential(request, &org_id, &name, error) != 0)
        return -1;
    json_t *users = list_users(request->store, &org_id, &name, error);
    request_answer_data(request, 200, users);
    return users ? 0 : -1;
}

/* ---- removing ---- */

static int apply_remove(struct change *change, struct store *store, struct error *error)
{
    struct credential_change *credential = CONTAINER_OF(change, struct credential_change, change);
    if (store_remove_credential(store, &credential->org_id, &credential->name, error) != 0)
        return -1;
    set_subject(credential);
    return 0;
}

static const struct change_kind remove_kind = {.action = "credential.remove",
                                               .apply = apply_remove};

/* Returns what the message of a refusal calls the first user: "fleet "x/y"" or "blueprint "z"". */
static char *first_user(const json_t *fleets, const json_t *blueprints)
{
    const json_t *fleet = json_array_get(fleets, 0), *blueprint = json_array_get(blueprints, 0);
    if (!fleet)
        return memory_format("blueprint \"%.60s\"",
                             json_string_value(json_object_get(blueprint, "name")));
    return memory_format("fleet \"%.60s/%.60s\"",
                         json_string_value(json_object_get(fleet, "project_name")),
                         json_string_value(json_object_get(fleet, "name")));
}

/* A fleet that begins to use the credential at the same moment is not seen: its vessels then fail
 * with a clear reason, as after a removal with force. */
static int refuse_if_used(struct admin_request *request, const struct credential_change *credential,
                          struct error *error)
{
    char name[REFERENCE_TEXT_BYTES], more[40] = "";
    json_t *users = list_users(request->store, &credential->org_id, &credential->name, error);
    if (!users)
        return -1;
    const json_t *fleets = json_object_get(users, "fleets");
    const json_t *blueprints = json_object_get(users, "blueprints");
    size_t count = json_array_size(fleets) + json_array_size(blueprints);
    if (count > 1)
        (void)snprintf(more, sizeof(more), " and %zu more", count - 1);
    if (count > 0) {
        char *user = first_user(fleets, blueprints);
        error_set(
            error, ERROR_CONFLICT,
            "credential %s is used by %s%s: change the fleets and blueprints first, or remove "
            "it by force (their vessels then fail)",
            reference_format(&credential->name, name), user, more);
        free(user);
    }
    json_decref(users);
    return count > 0 ? -1 : 0;
}

int credentials_remove(struct admin_request *request, struct error *error)
{
    struct credential_change credential = {.change.kind = &remove_kind};
    bool force = false;
    if (read_path(request, &credential.org_id, &credential.name, error) != 0 ||
        request_query_flag(request, "force", &force, error) != 0 ||
        find_credential(request, &credential.org_id, &credential.name, error) != 0 ||
        (!force && refuse_if_used(request, &credential, error) != 0) ||
        change_commit(request, &credential.change, error) != 0)
        return -1;
    http_log_info(request->exchange, "credential removed", log_id("org", &credential.org_id),
                  log_text("group", credential.name.group), log_text("item", credential.name.item));
    return 0;
}
