/* See run_overrides.h. Called by trigger.c, run_start.c and runs.c. */
#include "admin/run_overrides.h"

#include <stdlib.h>
#include <string.h>

#include "admin/override_rules.h"
#include "admin/render.h"
#include "admin/seal.h"
#include "base/memory.h"
#include "store/fleets.h"

/* ---- into the store ---- */

static int seal_values(struct admin_request *request, const struct overrides *overrides,
                       const struct id *request_id, struct sealed_overrides *sealed,
                       struct error *error)
{
    struct secret_key key;
    char place[STORE_OVERRIDES_PLACE_BYTES];
    struct buffer form = BUFFER_INIT;
    struct store *store = request_store(request, error);
    if (!store || seal_key(request->admin, store, true, &key, error) != 0)
        return -1;
    if (overrides_form_write(overrides, true, &form) == 0)
        sealed->sealed = malloc(SECRET_SEAL_BYTES + form.bytes);
    if (sealed->sealed) {
        secret_seal(&key, store_overrides_place(request_id, place), form.data, form.bytes,
                    sealed->sealed);
        sealed->stored.sealed = sealed->sealed;
        sealed->stored.sealed_bytes = SECRET_SEAL_BYTES + form.bytes;
    } else {
        error_set(error, ERROR_UNAVAILABLE, "not enough memory for the overrides");
    }
    secret_wipe(&key, sizeof(key));
    buffer_wipe(&form);
    return sealed->sealed ? 0 : -1;
}

int run_overrides_seal(struct admin_request *request, const struct overrides *overrides,
                       const struct id *request_id, struct sealed_overrides *sealed,
                       struct error *error)
{
    *sealed = (struct sealed_overrides){.sealed = NULL};
    if (overrides_form_write(overrides, false, &sealed->names) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "not enough memory for the overrides");
    sealed->stored.names = sealed->names.data;
    sealed->stored.names_bytes = sealed->names.bytes;
    if (!overrides_have_values(overrides))
        return 0;
    return seal_values(request, overrides, request_id, sealed, error);
}

void run_overrides_free_sealed(struct sealed_overrides *sealed)
{
    buffer_free(&sealed->names);
    free(sealed->sealed);
    *sealed = (struct sealed_overrides){.sealed = NULL};
}

/* ---- out of the store ---- */

struct opener {
    struct admin_request *request;
    const struct id *request_id;
    struct overrides *overrides;
    struct error *error;
};

static int open_values(struct opener *opener, const struct run_overrides *stored)
{
    struct secret_key key;
    char place[STORE_OVERRIDES_PLACE_BYTES];
    struct admin *admin = opener->request->admin;
    if (stored->sealed_bytes < SECRET_SEAL_BYTES)
        return -1;
    if (seal_key(admin, opener->request->store, false, &key, opener->error) != 0)
        return -1;
    size_t bytes = stored->sealed_bytes - SECRET_SEAL_BYTES;
    char *form = malloc(bytes + 1);
    struct error damage = ERROR_INIT;
    int result = -1;
    if (form && secret_open(&key, store_overrides_place(opener->request_id, place), stored->sealed,
                            stored->sealed_bytes, form) == 0)
        result = overrides_form_read(form, bytes, true, opener->overrides, &damage);
    secret_wipe(&key, sizeof(key));
    if (form)
        secret_wipe(form, bytes);
    free(form);
    return result;
}

static int open_stored(void *context, const struct run_overrides *stored)
{
    struct opener *opener = context;
    struct error damage = ERROR_INIT;
    int result = stored->sealed ? open_values(opener, stored)
                                : overrides_form_read(stored->names, stored->names_bytes, false,
                                                      opener->overrides, &damage);
    if (result != 0)
        error_set(
            opener->error, ERROR_UNAVAILABLE,
            "the overrides of the fleet run cannot be opened: they are damaged, or secret.key "
            "is not the key that sealed them; trigger the fleet with new ones");
    return 0;
}

int run_overrides_open(struct admin_request *request, const struct id *run_id,
                       const struct id *request_id, struct overrides *overrides,
                       struct error *error)
{
    struct opener opener = {request, request_id, overrides, error};
    struct error why = ERROR_INIT;
    struct store *store = request_store(request, error);
    *overrides = (struct overrides){NULL, 0};
    if (!store)
        return -1;
    if (store_get_overrides(store, run_id, open_stored, &opener, &why) != 0)
        return error_set(error, why.kind, "%s", why.message);
    return error_is_set(error) ? -1 : 0;
}

/* ---- again ---- */

struct current {
    struct override_rules rules;
    const struct overrides *overrides;
    int *version;
    struct error *error;
};

static int check_version(void *context, const struct version_row *row)
{
    struct current *current = context;
    struct fleet_problems problems = {NULL, 0};
    struct definition *definition =
        definition_json_read(row->definition_json, strlen(row->definition_json), current->error);
    *current->version = row->version;
    if (definition &&
        overrides_check(current->overrides, definition, &current->rules.rules, &problems) != 0)
        error_set(current->error, ERROR_CONFLICT,
                  "the overrides of the fleet run do not fit the fleet any more: %s",
                  problems.items[0].message);
    report_free_problems(&problems);
    definition_free(definition);
    return 0;
}

int run_overrides_check_again(struct store *store, const struct id *fleet_id,
                              const struct overrides *overrides, int *version, struct error *error)
{
    struct current current = {.overrides = overrides, .version = version, .error = error};
    struct error why = ERROR_INIT;
    override_rules_begin(&current.rules, store, false);
    int result = store_get_version(store, fleet_id, 0, check_version, &current, &why);
    override_rules_end(&current.rules);
    if (result != 0)
        return error_set(error, why.kind, "%s", why.message);
    return error_is_set(error) ? -1 : 0;
}

/* ---- showing names ---- */

static json_t *render_status(enum override_status status)
{
    switch (status) {
    case OVERRIDE_SUCCESS:
        return json_string("success");
    case OVERRIDE_ERRORED:
        return json_string("errored");
    case OVERRIDE_RUN:
        break;
    }
    return json_null();
}

static int append_names(void *context, const struct run_overrides *stored)
{
    struct overrides overrides;
    struct error damage = ERROR_INIT;
    if (overrides_form_read(stored->names, stored->names_bytes, false, &overrides, &damage) != 0)
        return 0;
    for (size_t i = 0; i < overrides.vessel_count; i++) {
        const struct vessel_override *override = &overrides.vessels[i];
        json_t *object = json_object(), *names = json_array();
        for (size_t k = 0; k < override->variable_count; k++)
            render_append(names, render_text(override->variables[k].name));
        render_set(object, "vessel", render_text(override->vessel));
        render_set(object, "variables", names);
        render_set(object, "arguments", json_boolean(override->has_arguments));
        render_set(object, "status", render_status(override->status));
        render_append(context, object);
    }
    overrides_wipe(&overrides);
    return 0;
}

json_t *run_overrides_render(struct store *store, const struct id *run_id, struct error *error)
{
    json_t *list = json_array();
    if (store_get_overrides(store, run_id, append_names, list, error) == 0)
        return list;
    json_decref(list);
    return NULL;
}
