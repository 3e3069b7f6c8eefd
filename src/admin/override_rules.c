/* See override_rules.h. Called by trigger.c and run_overrides.c. One blueprint at a time is in
 * memory: a request may name a thousand vessels with a blueprint each. */
#include "admin/override_rules.h"

#include "store/blueprints.h"

static int keep_blueprint(void *context, const struct blueprint_version_row *row)
{
    struct override_rules *rules = context;
    struct error damage = ERROR_INIT;
    rules->blueprint = blueprint_json_read(row->definition_json, row->definition_bytes, &damage);
    if (rules->blueprint)
        rules->blueprint->id = row->blueprint_id;
    return 0;
}

/* The current version stands for the one that the run will execute. */
static const struct blueprint *blueprint_of(void *context, const struct definition_vessel *vessel)
{
    struct override_rules *rules = context;
    struct error unread = ERROR_INIT;
    if (rules->blueprint && rules->version == vessel->blueprint_version &&
        id_equal(&rules->blueprint->id, &vessel->blueprint_id))
        return rules->blueprint;
    blueprint_free(rules->blueprint);
    rules->blueprint = NULL;
    rules->version = vessel->blueprint_version;
    (void)store_get_blueprint_version(rules->store, &vessel->blueprint_id, rules->version,
                                      keep_blueprint, rules, &unread);
    return rules->blueprint;
}

void override_rules_begin(struct override_rules *rules, struct store *store, bool is_trigger)
{
    *rules = (struct override_rules){
        .rules = {.is_trigger = is_trigger, .blueprint_of = blueprint_of, .context = rules},
        .store = store};
}

void override_rules_end(struct override_rules *rules)
{
    blueprint_free(rules->blueprint);
    rules->blueprint = NULL;
}
