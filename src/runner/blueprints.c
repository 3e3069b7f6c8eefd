/* See blueprints.h. Called by dispatch.c and recover.c before a run exists, and by launch.c. The
 * code is loaded for each attempt, so that runs that wait for a vessel do not keep it in memory. */
#include "runner/blueprints.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/blueprints.h"

/* ---- the versions of a run ---- */

/* Returns an earlier vessel that follows the same blueprint, so that both get the same version even
 * if the blueprint is changed in between. NULL if there is none. */
static const struct definition_vessel *find_earlier(const struct definition *definition,
                                                    size_t vessel, const bool *follows)
{
    const struct id *id = &definition->vessels[vessel].blueprint_id;
    for (size_t i = 0; i < vessel; i++)
        if (follows[i] && id_equal(&definition->vessels[i].blueprint_id, id))
            return &definition->vessels[i];
    return NULL;
}

static int resolve_vessel(struct store *store, struct definition_vessel *vessel,
                          struct error *error)
{
    struct error why = ERROR_INIT;
    if (store_complete_vessel(store, vessel, &why) == 0 || why.kind == ERROR_NOT_FOUND)
        return 0;
    return error_set(error, why.kind, "%s", why.message);
}

int blueprints_resolve(struct store *store, struct definition *definition, struct error *error)
{
    bool *follows = NULL;
    int result = 0;
    for (size_t i = 0; result == 0 && i < definition->vessel_count; i++) {
        struct definition_vessel *vessel = &definition->vessels[i];
        if (vessel->kind != VESSEL_BLUEPRINT)
            continue;
        if (!follows)
            follows = memory_alloc(definition->vessel_count * sizeof(*follows));
        follows[i] = vessel->blueprint_version == 0;
        const struct definition_vessel *earlier =
            follows[i] ? find_earlier(definition, i, follows) : NULL;
        if (earlier)
            vessel->blueprint_version = earlier->blueprint_version;
        result = resolve_vessel(store, vessel, error);
    }
    free(follows);
    return result;
}

/* ---- the code of an attempt ---- */

struct loader {
    struct vessel_code *code;
    struct error *error;
};

static int read_version(void *context, const struct blueprint_version_row *row)
{
    struct loader *loader = context;
    loader->code->blueprint =
        blueprint_json_read(row->definition_json, row->definition_bytes, loader->error);
    return 0;
}

int blueprints_open(const struct run *run, size_t vessel, struct vessel_code *code,
                    struct error *error)
{
    const struct definition_vessel *own = &run->definition->vessels[vessel];
    struct error why = ERROR_INIT, damage = ERROR_INIT;
    struct loader loader = {code, &damage};
    *code = (struct vessel_code){own, NULL};
    if (own->kind != VESSEL_BLUEPRINT)
        return 0;
    if (store_get_blueprint_version(run->runner->store, &own->blueprint_id, own->blueprint_version,
                                    read_version, &loader, &why) != 0)
        return error_set(error, why.kind == ERROR_NOT_FOUND ? ERROR_INVALID : why.kind, "%s",
                         why.message);
    if (!code->blueprint)
        return error_set(error, ERROR_INVALID, "%s", damage.message);
    code->blueprint->id = own->blueprint_id;
    code->vessel = &code->blueprint->code;
    return 0;
}

void blueprints_close(struct vessel_code *code)
{
    blueprint_free(code->blueprint);
    code->blueprint = NULL;
}
