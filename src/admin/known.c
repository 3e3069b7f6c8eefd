/* See known.h. Of each blueprint only the inputs are read, and each at most once: a fleet file of a
 * thousand vessels may name a thousand. */
#include "admin/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/blueprints.h"
#include "store/credentials.h"

struct known_blueprint {
    char *name;
    int version;
    bool exists, has_version;
    struct id id;
    struct inputs inputs;
};

/* ---- reading ---- */

static int add_name(void *context, const struct credential_row *row)
{
    struct known *known = context;
    known->credentials =
        memory_array(known->credentials, known->credential_count + 1, sizeof(*known->credentials));
    known->credentials[known->credential_count++] = row->name;
    return 0;
}

int known_read(struct store *store, const struct id *org_id, struct known *known,
               struct error *error)
{
    *known = (struct known){.store = store, .org_id = *org_id, .has_org = true};
    return store_list_credentials(store, org_id, add_name, known, error);
}

struct search {
    const struct id *project_id;
    struct id org_id;
    bool found;
};

static int find_org(void *context, const struct project_row *row)
{
    struct search *search = context;
    search->found = id_equal(&row->id, search->project_id);
    search->org_id = row->org_id;
    return search->found;
}

int known_read_of_project(struct store *store, const struct id *project_id, struct known *known,
                          struct error *error)
{
    struct search search = {.project_id = project_id};
    *known = (struct known){.store = store};
    if (store_list_projects(store, NULL, find_org, &search, error) != 0)
        return -1;
    return search.found ? known_read(store, &search.org_id, known, error) : 0;
}

void known_free(struct known *known)
{
    for (size_t i = 0; i < known->blueprint_count; i++) {
        free(known->blueprints[i].name);
        inputs_free(&known->blueprints[i].inputs);
    }
    free(known->blueprints);
    free(known->credentials);
    system_packages_free(known->installed);
}

/* ---- credentials ---- */

static int compare_names(const void *a, const void *b)
{
    const struct reference *left = a, *right = b;
    int order = strcmp(left->group, right->group);
    return order != 0 ? order : strcmp(left->item, right->item);
}

static bool has_credential(void *context, const struct reference *reference)
{
    const struct known *known = context;
    if (known->credential_count == 0)
        return !known->has_org;
    return bsearch(reference, known->credentials, known->credential_count,
                   sizeof(*known->credentials), compare_names);
}

/* ---- blueprints ---- */

struct look_up {
    struct known *known;
    struct known_blueprint *blueprint;
};

static int keep_inputs(void *context, const struct blueprint_inputs *row)
{
    struct look_up *look_up = context;
    struct known_blueprint *blueprint = look_up->blueprint;
    blueprint->exists = true;
    blueprint->id = row->id;
    blueprint->has_version = row->inputs_json != NULL;
    if (row->inputs_json)
        (void)inputs_json_read(row->inputs_json, row->inputs_bytes, &blueprint->inputs,
                               &look_up->known->failure);
    return 0;
}

static struct known_blueprint *find(const struct known *known, const char *name, int version)
{
    for (size_t i = 0; i < known->blueprint_count; i++)
        if (known->blueprints[i].version == version && strcmp(known->blueprints[i].name, name) == 0)
            return &known->blueprints[i];
    return NULL;
}

static struct known_blueprint *read_blueprint(struct known *known, const char *name, int version)
{
    size_t count = known->blueprint_count++;
    if ((count & (count - 1)) == 0) /* room for 1, 2, 4, … */
        known->blueprints =
            memory_array(known->blueprints, count == 0 ? 1 : 2 * count, sizeof(*known->blueprints));
    struct known_blueprint *blueprint = &known->blueprints[count];
    *blueprint = (struct known_blueprint){.name = memory_string(name), .version = version};
    struct look_up look_up = {known, blueprint};
    const struct blueprint_query query = {known->org_id, name, version};
    if (known->has_org)
        (void)store_find_blueprint_inputs(known->store, &query, keep_inputs, &look_up,
                                          &known->failure);
    return blueprint;
}

/* The inputs stay where they are until the next blueprint is looked for: a vessel is checked before
 * the next one is read. */
static bool find_blueprint(void *context, const char *name, int version,
                           struct fleet_blueprint *found)
{
    struct known *known = context;
    const struct known_blueprint *blueprint = find(known, name, version);
    if (!blueprint)
        blueprint = read_blueprint(known, name, version);
    found->id = blueprint->id;
    found->inputs = blueprint->has_version ? &blueprint->inputs : NULL;
    return blueprint->exists;
}

/* ---- the machine's packages ---- */

static char *missing_packages(void *context, const struct package_list *system_packages)
{
    struct known *known = context;
    if (!known->installed && !error_is_set(&known->unreadable))
        known->installed = system_packages_read(SYSTEM_PACKAGES_STATUS, &known->unreadable);
    return known->installed
               ? system_packages_missing(known->installed, system_packages, PACKAGES_MAX)
               : memory_string(known->unreadable.message);
}

void known_fill_options(struct known *known, struct fleet_file_options *options)
{
    options->has_credential = has_credential;
    options->find_blueprint = find_blueprint;
    options->missing_packages = missing_packages;
    options->context = known;
}
