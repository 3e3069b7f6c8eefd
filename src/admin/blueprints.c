/* Handlers of blueprints, except for applying one (apply_blueprint.c). On admin workers'
 * threads. */
#include "admin/blueprints.h"

#include <stdlib.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"
#include "model/words.h"
#include "store/blueprints.h"

/* ---- objects ---- */

static json_t *blueprint_object(const struct blueprint_row *row)
{
    json_t *object = json_object();
    render_set(object, "id", render_id(&row->id));
    render_set(object, "name", render_text(row->name));
    render_set(object, "org_id", render_id(&row->org_id));
    render_set(object, "org_name", render_text(row->org_name));
    render_set(object, "synopsis", render_text(row->synopsis));
    render_set(object, "visibility", render_text(words_at(WORDS_VISIBILITY, (int)row->visibility)));
    render_set(object, "version", json_integer(row->version));
    render_set(object, "created_at", render_time(row->created_ms));
    render_set(object, "updated_at", render_time(row->updated_ms));
    render_set(object, "fleets", json_integer(row->fleets));
    return object;
}

static int append_blueprint(void *context, const struct blueprint_row *row)
{
    render_append(context, blueprint_object(row));
    return 0;
}

static int keep_blueprint(void *context, const struct blueprint_row *row)
{
    json_t **object = context;
    *object = blueprint_object(row);
    return 0;
}

json_t *blueprints_object(struct store *store, const struct id *blueprint_id, struct error *error)
{
    json_t *object = NULL;
    if (store_get_blueprint(store, blueprint_id, keep_blueprint, &object, error) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *version_object(const struct blueprint_version_row *row)
{
    json_t *version = json_object();
    render_set(version, "blueprint_id", render_id(&row->blueprint_id));
    render_set(version, "version", json_integer(row->version));
    render_set(version, "created_at", render_time(row->created_ms));
    render_file(version, row->file, row->file_bytes, row->definition_json);
    return version;
}

/* ---- reading ---- */

int blueprints_list(struct admin_request *request, struct error *error)
{
    struct id org_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "org_id", "organization", &org_id, error) != 0)
        return -1;
    json_t *blueprints = json_array();
    request_answer_data(request, 200, render_one("blueprints", blueprints));
    return store_list_blueprints(store, &org_id, append_blueprint, blueprints, error);
}

static int read_id(struct admin_request *request, struct id *id, struct error *error)
{
    return request_path_id(request, "blueprint_id", "blueprint", id, error);
}

/* Adds what lists do not show: the description and the inputs of the current version. */
static int add_details(void *context, const struct blueprint_version_row *row)
{
    json_t *object = context;
    json_t *definition = json_loads(row->definition_json, 0, NULL);
    json_t *description = json_object_get(definition, "description");
    json_t *inputs = json_object_get(definition, "inputs");
    render_set(object, "description", description ? json_incref(description) : json_null());
    render_set(object, "inputs", inputs ? json_incref(inputs) : json_array());
    json_decref(definition);
    return 0;
}

int blueprints_get(struct admin_request *request, struct error *error)
{
    struct id id;
    struct store *store = request_store(request, error);
    if (!store || read_id(request, &id, error) != 0)
        return -1;
    json_t *object = blueprints_object(store, &id, error);
    request_answer_data(request, 0, object);
    return object ? store_get_blueprint_version(store, &id, 0, add_details, object, error) : -1;
}

static int append_version(void *context, const struct blueprint_version_row *row)
{
    render_append(context, version_object(row));
    return 0;
}

int blueprints_list_versions(struct admin_request *request, struct error *error)
{
    struct id id;
    struct store *store = request_store(request, error);
    if (!store || read_id(request, &id, error) != 0)
        return -1;
    json_t *versions = json_array();
    request_answer_data(request, 200, render_one("versions", versions));
    return store_list_blueprint_versions(store, &id, append_version, versions, error);
}

static int keep_version(void *context, const struct blueprint_version_row *row)
{
    json_t **object = context;
    *object = version_object(row);
    return 0;
}

int blueprints_get_version(struct admin_request *request, struct error *error)
{
    struct id id;
    int number = 0;
    struct store *store = request_store(request, error);
    if (!store || read_id(request, &id, error) != 0 ||
        request_path_version(request, &number, error) != 0)
        return -1;
    json_t *version = NULL;
    int result = store_get_blueprint_version(store, &id, number, keep_version, &version, error);
    request_answer_data(request, 0, version);
    return result;
}

/* ---- who uses it ---- */

struct users {
    const struct id *blueprint_id;
    const struct inputs *inputs;
    bool only_misfits;
    json_t *fleets;
    struct error *error;
};

static void append_vessel(const struct users *users, const struct definition_vessel *vessel,
                          json_t *vessels)
{
    struct fleet_problems problems = {NULL, 0};
    int version = vessel->blueprint_version;
    if (version == 0)
        inputs_check_vessel(users->inputs, vessel, "", &problems);
    if (!users->only_misfits || problems.count > 0) {
        json_t *object = json_object();
        render_set(object, "name", render_text(vessel->name));
        render_set(object, "blueprint_version", version > 0 ? json_integer(version) : json_null());
        render_set(object, "problems", render_problems(&problems));
        render_append(vessels, object);
    }
    report_free_problems(&problems);
}

static int append_fleet(void *context, const struct definition_row *row)
{
    struct users *users = context;
    struct definition *definition =
        definition_json_read(row->definition_json, row->definition_bytes, users->error);
    if (!definition)
        return 1;
    json_t *vessels = json_array();
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (definition->vessels[i].kind == VESSEL_BLUEPRINT &&
            id_equal(&definition->vessels[i].blueprint_id, users->blueprint_id))
            append_vessel(users, &definition->vessels[i], vessels);
    definition_free(definition);
    render_user(users->fleets, row, vessels);
    return 0;
}

int blueprints_list_users(struct store *store, const struct id *blueprint_id,
                          const struct inputs *inputs, bool only_misfits, json_t *fleets,
                          struct error *error)
{
    struct error damage = ERROR_INIT;
    struct users users = {blueprint_id, inputs, only_misfits, fleets, &damage};
    int result = store_list_blueprint_users(store, blueprint_id, append_fleet, &users, error);
    if (result == 0 && error_is_set(&damage))
        result = error_set(error, damage.kind, "%s", damage.message);
    return result;
}

struct current {
    struct blueprint *blueprint;
    struct error *error;
};

static int read_current(void *context, const struct blueprint_version_row *row)
{
    struct current *current = context;
    current->blueprint =
        blueprint_json_read(row->definition_json, row->definition_bytes, current->error);
    return 0;
}

static int list_users_of_current(struct store *store, const struct id *id, json_t *fleets,
                                 struct error *error)
{
    struct error damage = ERROR_INIT;
    struct current current = {NULL, &damage};
    if (store_get_blueprint_version(store, id, 0, read_current, &current, error) != 0)
        return -1;
    int result = -1;
    if (current.blueprint)
        result = blueprints_list_users(store, id, &current.blueprint->inputs, false, fleets, error);
    else
        error_set(error, damage.kind, "%s", damage.message);
    blueprint_free(current.blueprint);
    return result;
}

int blueprints_used(struct admin_request *request, struct error *error)
{
    struct id id;
    struct store *store = request_store(request, error);
    if (!store || read_id(request, &id, error) != 0)
        return -1;
    json_t *fleets = json_array();
    request_answer_data(request, 200, render_one("fleets", fleets));
    return list_users_of_current(store, &id, fleets, error);
}

/* ---- deleting ---- */

struct delete_blueprint {
    struct change change;
    struct id id;
};

static int set_subject(void *context, const struct blueprint_row *row)
{
    change_set_subject(context, &row->id, row->name);
    return 0;
}

static int apply_delete(struct change *change, struct store *store, struct error *error)
{
    const struct delete_blueprint *delete = CONTAINER_OF(change, struct delete_blueprint, change);
    if (store_get_blueprint(store, &delete->id, set_subject, change, error) != 0)
        return -1;
    return store_delete_blueprint(store, &delete->id, change->now_ms, error);
}

static const struct change_kind delete_kind = {.action = "blueprint.delete", .apply = apply_delete};

/* Adds the fleets that use it to the refusal, each as an error with its path. */
static void name_users(struct admin_request *request, const struct id *id)
{
    struct error ignored = ERROR_INIT;
    struct store *store = request_store(request, &ignored);
    json_t *fleets = json_array(), *errors = json_array();
    if (store)
        (void)list_users_of_current(store, id, fleets, &ignored);
    for (size_t i = 0; i < json_array_size(fleets); i++) {
        const json_t *fleet = json_array_get(fleets, i);
        char *path =
            memory_format("%s/%s", json_string_value(json_object_get(fleet, "project_name")),
                          json_string_value(json_object_get(fleet, "name")));
        json_t *item = json_object();
        render_set(item, "message", json_string("uses the blueprint"));
        render_set(item, "path", json_string(path));
        render_set(item, "line", json_null());
        render_append(errors, item);
        free(path);
    }
    json_decref(fleets);
    request->answer.errors = errors;
}

int blueprints_delete(struct admin_request *request, struct error *error)
{
    struct delete_blueprint delete = {.change.kind = &delete_kind};
    if (read_id(request, &delete.id, error) != 0)
        return -1;
    if (change_commit(request, &delete.change, error) != 0) {
        if (error->kind == ERROR_CONFLICT)
            name_users(request, &delete.id);
        return -1;
    }
    http_log_info(request->exchange, "blueprint deleted", log_id("blueprint", &delete.id));
    return 0;
}
