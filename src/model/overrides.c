/* See overrides.h: what overrides are, and whether a fleet's definition allows them. Called by the
 * admin API and by the runner; pure. */
#include "model/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "model/blueprint.h"
#include "model/fleet_values.h"
#include "model/name_index.h"
#include "model/node.h"
#include "model/report.h"

/* ---- life ---- */

static void wipe_text(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

static void wipe_vessel(struct vessel_override *override)
{
    for (size_t i = 0; i < override->variable_count; i++) {
        free(override->variables[i].name);
        wipe_text(override->variables[i].value);
    }
    for (size_t i = 0; i < override->argument_count; i++)
        wipe_text(override->arguments[i]);
    free(override->variables);
    free(override->arguments);
    free(override->vessel);
}

void overrides_wipe(struct overrides *overrides)
{
    for (size_t i = 0; i < overrides->vessel_count; i++)
        wipe_vessel(&overrides->vessels[i]);
    free(overrides->vessels);
    *overrides = (struct overrides){NULL, 0};
}

/* ---- looking up ---- */

const struct vessel_override *overrides_find(const struct overrides *overrides, const char *vessel)
{
    for (size_t i = 0; i < overrides->vessel_count; i++)
        if (overrides->vessels[i].vessel && strcmp(overrides->vessels[i].vessel, vessel) == 0)
            return &overrides->vessels[i];
    return NULL;
}

const struct environment_entry *overrides_variable(const struct vessel_override *override,
                                                   const char *name)
{
    for (size_t i = 0; override && i < override->variable_count; i++)
        if (strcmp(override->variables[i].name, name) == 0)
            return &override->variables[i];
    return NULL;
}

bool overrides_has_values(const struct vessel_override *override)
{
    return override && (override->variable_count > 0 || override->has_arguments);
}

bool overrides_have_values(const struct overrides *overrides)
{
    for (size_t i = 0; i < overrides->vessel_count; i++)
        if (overrides_has_values(&overrides->vessels[i]))
            return true;
    return false;
}

bool overrides_are_empty(const struct overrides *overrides)
{
    for (size_t i = 0; i < overrides->vessel_count; i++)
        if (overrides->vessels[i].status != OVERRIDE_RUN)
            return false;
    return !overrides_have_values(overrides);
}

/* ---- checking ---- */

struct check {
    struct report report;
    struct node_path path;
    const struct overrides_rules *rules;
    const struct blueprint *blueprint; /* of the vessel that is being checked, or NULL */
};

static bool is_defined(const struct definition_vessel *vessel, const char *name)
{
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (strcmp(vessel->environment[i].name, name) == 0)
            return true;
    return false;
}

static void refuse_variable(struct check *check, const char *name)
{
    if (check->rules->is_trigger)
        report_add(&check->report, 0, check->path.text,
                   "the vessel has no variable \"%.60s\": a key with the role trigger may set only "
                   "those that the fleet file or the vessel's blueprint names",
                   name);
    else if (fleet_values_is_guarded(name))
        report_add(&check->report, 0, check->path.text,
                   "\"%.60s\" decides which code is run: it may be set only if the fleet file or "
                   "the vessel's blueprint names it",
                   name);
}

/* Checks a variable of a vessel that has a blueprint: the inputs are the blueprint's, also those
 * that the fleet file does not give. */
static void check_input(struct check *check, const struct environment_entry *variable)
{
    const struct inputs *inputs = &check->blueprint->inputs;
    size_t place = inputs_find(inputs, variable->name, strlen(variable->name));
    if (place != INPUTS_NONE) {
        const char *problem = inputs_problem(&inputs->items[place], variable->value);
        if (problem)
            report_add(&check->report, 0, check->path.text, "the input %s %s", variable->name,
                       problem);
    } else if (!is_defined(&check->blueprint->code, variable->name)) {
        refuse_variable(check, variable->name);
    }
}

static void check_variable(struct check *check, const struct definition_vessel *vessel,
                           const struct environment_entry *variable)
{
    size_t mark = node_path_enter(&check->path, "environment_variable_overrides");
    node_path_enter(&check->path, variable->name);
    if (check->blueprint)
        check_input(check, variable);
    else if (!is_defined(vessel, variable->name))
        refuse_variable(check, variable->name);
    node_path_leave(&check->path, mark);
}

/* The same bound as for a fleet file (fleet_arguments.h). */
static void check_size(struct check *check, const struct definition_vessel *vessel,
                       const struct vessel_override *override)
{
    size_t bytes = 0;
    for (size_t i = 0; i < override->variable_count; i++)
        bytes += fleet_values_variable_bytes(&override->variables[i]);
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (!overrides_variable(override, vessel->environment[i].name))
            bytes += fleet_values_variable_bytes(&vessel->environment[i]);
    char **arguments = override->has_arguments ? override->arguments : vessel->arguments;
    size_t count = override->has_arguments ? override->argument_count : vessel->argument_count;
    for (size_t i = 0; i < count; i++)
        bytes += fleet_values_argument_bytes(arguments[i]);
    if (bytes >= FLEET_VALUES_MAX_EXEC_BYTES)
        report_add(&check->report, 0, check->path.text,
                   "with these overrides, the arguments and the environment take %zu bytes, but "
                   "must take less than 1 MiB",
                   bytes);
}

static void check_vessel(struct check *check, const struct definition_vessel *vessel,
                         const struct vessel_override *override)
{
    bool has_blueprint = vessel->kind == VESSEL_BLUEPRINT && check->rules->blueprint_of;
    check->blueprint =
        has_blueprint ? check->rules->blueprint_of(check->rules->context, vessel) : NULL;
    if (has_blueprint && !check->blueprint) {
        report_add(&check->report, 0, check->path.text, "the vessel's blueprint cannot be read");
        return;
    }
    for (size_t i = 0; i < override->variable_count; i++)
        check_variable(check, vessel, &override->variables[i]);
    check_size(check, vessel, override);
}

static const struct definition_vessel *find_vessel(const struct definition *definition,
                                                   const char *name)
{
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (strcmp(definition->vessels[i].name, name) == 0)
            return &definition->vessels[i];
    return NULL;
}

static void refuse_name(struct check *check, const char *problem, const char *name)
{
    size_t mark = node_path_enter(&check->path, "name");
    report_add(&check->report, 0, check->path.text, "%s \"%.60s\"", problem, name);
    node_path_leave(&check->path, mark);
}

/* The caller frees the index. */
static struct name_index index_vessels(const struct overrides *overrides)
{
    struct name_index index;
    name_index_init(&index, overrides->vessel_count);
    for (size_t i = 0; i < overrides->vessel_count; i++)
        if (overrides->vessels[i].vessel)
            name_index_add(&index, overrides->vessels[i].vessel, i);
    name_index_sort(&index);
    return index;
}

int overrides_check(const struct overrides *overrides, const struct definition *definition,
                    const struct overrides_rules *rules, struct fleet_problems *problems)
{
    struct check check = {.report = {.list = problems}, .rules = rules};
    struct name_index index = index_vessels(overrides);
    node_path_enter(&check.path, "vessel_overrides");
    for (size_t i = 0; i < overrides->vessel_count; i++) {
        const struct vessel_override *override = &overrides->vessels[i];
        if (!override->vessel)
            continue;
        const struct definition_vessel *vessel = find_vessel(definition, override->vessel);
        size_t mark = node_path_enter_item(&check.path, i);
        if (!vessel)
            refuse_name(&check, "the fleet has no vessel", override->vessel);
        else if (name_index_find(&index, override->vessel) != i)
            refuse_name(&check, "there is an earlier entry for the vessel", override->vessel);
        else
            check_vessel(&check, vessel, override);
        node_path_leave(&check.path, mark);
    }
    name_index_free(&index);
    report_finish(&check.report, "problems");
    return check.report.count > 0 ? -1 : 0;
}
