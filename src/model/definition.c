/* Frees a definition, sorts its paths, and looks for hidden values. Called by the owner of the
 * definition, on any thread. */
#include "model/definition.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "model/definition_form.h"

static void free_entry(struct environment_entry *entry)
{
    if (entry->hidden)
        secret_wipe(entry->value, strlen(entry->value));
    free(entry->value);
    free(entry->name);
}

void definition_vessel_fini(struct definition_vessel *vessel)
{
    free(vessel->name);
    free(vessel->version);
    free(vessel->file_name);
    free(vessel->file_content);
    free(vessel->file_to_run);
    for (size_t i = 0; i < vessel->argument_count; i++)
        free(vessel->arguments[i]);
    free(vessel->arguments);
    for (size_t i = 0; i < vessel->environment_count; i++)
        free_entry(&vessel->environment[i]);
    free(vessel->environment);
    packages_free(&vessel->packages);
    packages_free(&vessel->system_packages);
    guardrails_free(&vessel->guardrails);
}

void definition_free(struct definition *definition)
{
    if (!definition)
        return;
    for (size_t i = 0; i < definition->vessel_count; i++)
        definition_vessel_fini(&definition->vessels[i]);
    free(definition->vessels);
    free(definition->paths);
    free(definition->name);
    free(definition);
}

bool definition_lacks_value(const struct environment_entry *entry)
{
    return entry->hidden && strcmp(entry->value, DEFINITION_HIDDEN) == 0;
}

bool definition_has_hidden(const struct definition *definition)
{
    for (size_t i = 0; i < definition->vessel_count; i++) {
        const struct definition_vessel *vessel = &definition->vessels[i];
        for (size_t j = 0; j < vessel->environment_count; j++)
            if (vessel->environment[j].hidden)
                return true;
    }
    return false;
}

static int compare_paths(const void *a, const void *b)
{
    const struct definition_path *left = a;
    const struct definition_path *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return (left->to > right->to) - (left->to < right->to);
}

void definition_sort_paths(struct definition *definition)
{
    if (definition->path_count > 1)
        qsort(definition->paths, definition->path_count, sizeof(definition->paths[0]),
              compare_paths);
}
