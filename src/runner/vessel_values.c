/* See vessel_values.h. Called by launch.c. blueprint_values.c fills in the values of a vessel that
 * has a blueprint. */
#include "runner/vessel_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "runner/blueprint_values.h"
#include "runner/hidden_values.h"
#include "runner/value_opener.h"
#include "store/hidden.h"

/* ---- what there is to open ---- */

static bool has_hidden(const struct definition_vessel *vessel)
{
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (vessel->environment[i].hidden)
            return true;
    return false;
}

static bool has_secret(const struct definition_vessel *vessel)
{
    for (size_t i = 0; i < vessel->argument_count; i++)
        if (reference_may_be_in(vessel->arguments[i]))
            return true;
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (reference_may_be_in(vessel->environment[i].value))
            return true;
    return has_hidden(vessel);
}

/* ---- filling in ---- */

/* The sources of the values. */
struct source {
    struct value_opener *opener;
    const struct definition_vessel *vessel; /* the fleet's */
    const struct vessel_code *code;
    const struct vessel_override *override; /* with values, or NULL */
    char **hidden;                          /* the opened value of each hidden variable, or NULL */
    struct blueprint_values *inputs;        /* NULL: the vessel has no blueprint */
};

static int add_argument(struct vessel_values *values, char *value)
{
    if (!value)
        return -1;
    values->arguments[values->argument_count++] = value;
    return 0;
}

static int add_variable(struct vessel_values *values, const char *name, char *value)
{
    if (!value)
        return -1;
    values->environment[values->environment_count++] =
        (struct environment_entry){.name = memory_string(name), .value = value};
    return 0;
}

static bool is_added(const struct vessel_values *values, const char *name)
{
    for (size_t i = 0; i < values->environment_count; i++)
        if (strcmp(values->environment[i].name, name) == 0)
            return true;
    return false;
}

static int fill_arguments(const struct source *source, struct vessel_values *values,
                          struct error *error)
{
    const struct vessel_override *override = source->override;
    const struct definition_vessel *code = source->code->vessel;
    bool is_overridden = override && override->has_arguments;
    size_t count = is_overridden ? override->argument_count : code->argument_count;
    values->arguments = memory_alloc((count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        char *value = is_overridden
                          ? memory_string(override->arguments[i])
                          : value_opener_expand(source->opener, code->arguments[i], error);
        if (add_argument(values, value) != 0)
            return -1;
    }
    return 0;
}

static int add_inputs(const struct source *source, struct vessel_values *values,
                      struct error *error)
{
    for (size_t i = 0; source->inputs && i < source->inputs->blueprint->inputs.count; i++) {
        const char *value = blueprint_values_at(source->inputs, i, error);
        if (add_variable(values, source->inputs->blueprint->inputs.items[i].key,
                         memory_string(value)) != 0)
            return -1;
    }
    return 0;
}

/* The overridden value of a variable is not even expanded: its credential may be gone. */
static int add_environment(const struct source *source, struct vessel_values *values,
                           struct error *error)
{
    const struct definition_vessel *code = source->code->vessel;
    for (size_t i = 0; i < code->environment_count; i++) {
        const struct environment_entry *entry = &code->environment[i];
        const struct environment_entry *set = overrides_variable(source->override, entry->name);
        const char *own = entry->hidden ? source->hidden[i] : entry->value;
        char *value =
            set ? memory_string(set->value) : value_opener_expand(source->opener, own, error);
        if (add_variable(values, entry->name, value) != 0)
            return -1;
    }
    return 0;
}

static int fill_environment(const struct source *source, struct vessel_values *values,
                            struct error *error)
{
    const struct vessel_override *override = source->override;
    size_t more = override ? override->variable_count : 0;
    size_t inputs = source->inputs ? source->inputs->blueprint->inputs.count : 0;
    size_t most = inputs + source->code->vessel->environment_count + more;
    values->environment = memory_alloc((most + 1) * sizeof(*values->environment));
    if (add_inputs(source, values, error) != 0 || add_environment(source, values, error) != 0)
        return -1;
    for (size_t i = 0; i < more; i++) {
        const struct environment_entry *set = &override->variables[i];
        if (!is_added(values, set->name))
            add_variable(values, set->name, memory_string(set->value));
    }
    return 0;
}

/* The name of a blueprint's file may have inputs in it, which may be anything. */
static int fill_file_to_run(const struct source *source, struct vessel_values *values,
                            struct error *error)
{
    values->file_to_run =
        value_opener_expand(source->opener, source->code->vessel->file_to_run, error);
    const char *problem = values->file_to_run ? blueprint_path_problem(values->file_to_run) : NULL;
    if (problem)
        error_set(error, ERROR_INVALID, "the blueprint's file_to_run: %s", problem);
    return error_is_set(error) ? -1 : 0;
}

/* Fills in as many values as can be had; the counts say how many. */
static int fill(struct source *source, struct vessel_values *values, struct error *error)
{
    if (!source->code->blueprint) {
        values->file_to_run = memory_string(source->code->vessel->file_to_run);
        return fill_arguments(source, values, error) != 0 ? -1
                                                          : fill_environment(source, values, error);
    }
    struct blueprint_values inputs = {.opener = source->opener,
                                      .vessel = source->vessel,
                                      .blueprint = source->code->blueprint,
                                      .override = source->override,
                                      .hidden = source->hidden};
    blueprint_values_begin(&inputs);
    source->inputs = &inputs;
    int result = fill_arguments(source, values, error);
    if (result == 0)
        result = fill_environment(source, values, error);
    if (result == 0)
        result = fill_file_to_run(source, values, error);
    blueprint_values_end(&inputs);
    return result;
}

static int fill_with_hidden(struct source *source, struct vessel_values *values,
                            struct error *error)
{
    const struct definition_vessel *vessel = source->vessel;
    struct value_opener *opener = source->opener;
    size_t count = vessel->environment_count;
    int result = 0;
    source->hidden = memory_alloc((count + 1) * sizeof(*source->hidden));
    if (has_hidden(vessel))
        result = value_opener_key(opener, error);
    if (result == 0 && has_hidden(vessel))
        result = hidden_values_open(opener->run, vessel, &opener->key, source->hidden, error);
    if (result == 0)
        result = fill(source, values, error);
    for (size_t i = 0; i < count; i++)
        store_free_hidden(source->hidden[i]);
    free(source->hidden);
    return result;
}

static int fill_with_overrides(struct source *source, bool is_overridden,
                               struct vessel_values *values, struct error *error)
{
    struct overrides overrides = {NULL, 0};
    int result = 0;
    if (is_overridden)
        result = value_opener_overrides(source->opener, &overrides, error);
    source->override = overrides_find(&overrides, source->vessel->name);
    if (result == 0)
        result = fill_with_hidden(source, values, error);
    overrides_wipe(&overrides);
    return result;
}

/* ---- the whole ---- */

int vessel_values_open(const struct run *run, const struct definition_vessel *vessel,
                       const struct vessel_code *code, struct vessel_values *values,
                       struct error *error)
{
    const struct run_work *work = run->work;
    bool is_overridden = overrides_has_values(overrides_find(&work->overrides, vessel->name));
    if (work->overrides_are_damaged)
        return value_opener_damaged(error);
    if (!is_overridden && !code->blueprint && !has_secret(vessel)) {
        *values = (struct vessel_values){.arguments = vessel->arguments,
                                         .argument_count = vessel->argument_count,
                                         .environment = vessel->environment,
                                         .environment_count = vessel->environment_count,
                                         .file_to_run = vessel->file_to_run};
        return 0;
    }
    struct value_opener opener = {
        .run = run, .what = is_overridden ? "overrides" : "credentials and hidden values"};
    struct source source = {.opener = &opener, .vessel = vessel, .code = code};
    *values = (struct vessel_values){.are_secret = true};
    int result = fill_with_overrides(&source, is_overridden, values, error);
    secret_wipe(&opener.key, sizeof(opener.key));
    if (result != 0)
        vessel_values_free(values);
    return result;
}

static void wipe_and_free(char *text)
{
    secret_wipe(text, strlen(text));
    free(text);
}

void vessel_values_free(struct vessel_values *values)
{
    if (!values->are_secret)
        return;
    for (size_t i = 0; i < values->argument_count; i++)
        wipe_and_free(values->arguments[i]);
    for (size_t i = 0; i < values->environment_count; i++) {
        free(values->environment[i].name);
        wipe_and_free(values->environment[i].value);
    }
    free(values->arguments);
    free(values->environment);
    free(values->file_to_run);
    *values = (struct vessel_values){.arguments = NULL};
}
