/* See blueprint_values.h. Called by vessel_values.c.
 *
 * Only what the fleet file writes is read for "${NAME}": neither a default, a hidden value, an
 * override nor anything else that was put in the place of a reference. The checks of the fleet file
 * allow no circles among these, and a changed blueprint adds none. */
#include "runner/blueprint_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "store/hidden.h"

static const char *find_input(void *context, const char *name, size_t bytes, struct error *error)
{
    struct blueprint_values *values = context;
    size_t place = inputs_find(&values->blueprint->inputs, name, bytes);
    /* It was removed since the fleet file was checked: it is no longer passed. */
    return place == INPUTS_NONE ? "" : blueprint_values_at(values, place, error);
}

void blueprint_values_begin(struct blueprint_values *values)
{
    size_t count = values->blueprint->inputs.count;
    values->values = memory_alloc((count + 1) * sizeof(*values->values));
    values->is_open = memory_alloc((count + 1) * sizeof(*values->is_open));
    values->opener->input = find_input;
    values->opener->input_context = values;
}

void blueprint_values_end(struct blueprint_values *values)
{
    for (size_t i = 0; i < values->blueprint->inputs.count; i++)
        store_free_hidden(values->values[i]);
    free(values->values);
    free(values->is_open);
    values->opener->input = NULL;
}

/* Expands a value in which "${" has no meaning. */
static char *expand_literal(struct blueprint_values *values, const char *value, struct error *error)
{
    struct value_opener *opener = values->opener;
    opener->input = NULL;
    char *result = value_opener_expand(opener, value, error);
    opener->input = find_input;
    return result;
}

static char *expand_given(struct blueprint_values *values, size_t place, size_t entry,
                          struct error *error)
{
    const struct environment_entry *given = &values->vessel->environment[entry];
    if (given->hidden)
        return expand_literal(values, values->hidden[entry], error);
    values->is_open[place] = true;
    char *value = value_opener_expand(values->opener, given->value, error);
    values->is_open[place] = false;
    return value;
}

/* Returns the input's value, or NULL and *error. */
static char *make(struct blueprint_values *values, size_t place, struct error *error)
{
    const struct input *input = &values->blueprint->inputs.items[place];
    const struct environment_entry *set = overrides_variable(values->override, input->key);
    if (set)
        return memory_string(set->value);
    for (size_t i = 0; i < values->vessel->environment_count; i++)
        if (strcmp(values->vessel->environment[i].name, input->key) == 0)
            return expand_given(values, place, i, error);
    return expand_literal(values, input->default_value ? input->default_value : "", error);
}

const char *blueprint_values_at(struct blueprint_values *values, size_t place, struct error *error)
{
    const struct input *input = &values->blueprint->inputs.items[place];
    if (values->values[place])
        return values->values[place];
    if (values->is_open[place]) {
        error_set(error, ERROR_INVALID, "the input %s refers to itself in a circle", input->key);
        return NULL;
    }
    char *value = make(values, place, error);
    if (!value)
        return NULL;
    const char *normal = inputs_normal_form(input, value);
    if (normal != value) {
        store_free_hidden(value);
        value = memory_string(normal);
    }
    values->values[place] = value;
    return value;
}
