/* Frees a blueprint, writes its canonical form and reads that back. Called by the admin API and the
 * runner; pure. */
#include "model/blueprint.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/definition_form.h"
#include "model/fleet_values.h"
#include "model/inputs_form.h"
#include "model/words.h"

/* Stored blueprints outlive the program that wrote them. A reader must refuse any other number. */
#define BLUEPRINT_FORMAT 1

void blueprint_free(struct blueprint *blueprint)
{
    if (!blueprint)
        return;
    free(blueprint->name);
    free(blueprint->synopsis);
    free(blueprint->description);
    inputs_free(&blueprint->inputs);
    definition_vessel_fini(&blueprint->code);
    free(blueprint);
}

const char *blueprint_path_problem(const char *file_to_run)
{
    return fleet_values_path_problem(file_to_run);
}

/* ---- writing ---- */

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort();
}

/* Returns the text of the form, whose reference it takes. */
static char *dump(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    if (!text)
        abort();
    return text;
}

char *blueprint_json_write(const struct blueprint *blueprint)
{
    json_t *json = json_object();
    put(json, "format", json_integer(BLUEPRINT_FORMAT));
    put(json, "name", json_string(blueprint->name));
    put(json, "synopsis", json_string(blueprint->synopsis));
    if (blueprint->description)
        put(json, "description", json_string(blueprint->description));
    put(json, "visibility", json_string(WORDS_VISIBILITY[blueprint->visibility]));
    put(json, "inputs", inputs_json_of(&blueprint->inputs));
    put(json, "code", definition_json_of_vessel(&blueprint->code, false));
    return dump(json);
}

char *blueprint_head_write(const struct blueprint *blueprint)
{
    const struct definition_vessel *code = &blueprint->code;
    /* A stub is a vessel without code. Everything is borrowed. */
    const struct definition_vessel head = {.name = code->name,
                                           .kind = VESSEL_STUB,
                                           .language = code->language,
                                           .packages = code->packages,
                                           .system_packages = code->system_packages,
                                           .guardrails = code->guardrails};
    return dump(definition_json_of_vessel(&head, false));
}

/* ---- reading ---- */

static int damaged(struct error *error, const char *key)
{
    return error_set(error, ERROR_INTERNAL, "the stored blueprint is damaged at \"%s\"", key);
}

static char *text_at(const json_t *object, const char *key)
{
    return memory_string(json_string_value(json_object_get(object, key)));
}

static int read_form(const json_t *json, struct blueprint *blueprint, struct error *error)
{
    const char *visibility = json_string_value(json_object_get(json, "visibility"));
    int place = visibility ? words_find(WORDS_VISIBILITY, visibility) : -1;
    if (json_integer_value(json_object_get(json, "format")) != BLUEPRINT_FORMAT)
        return damaged(error, "format");
    blueprint->name = text_at(json, "name");
    blueprint->synopsis = text_at(json, "synopsis");
    blueprint->description = text_at(json, "description");
    if (!blueprint->name || !blueprint->synopsis || place < 0)
        return damaged(error, "name");
    blueprint->visibility = (enum blueprint_visibility)place;
    if (inputs_json_from(json_object_get(json, "inputs"), &blueprint->inputs) != 0)
        return damaged(error, "inputs");
    return definition_json_read_vessel(json_object_get(json, "code"), &blueprint->code, error);
}

struct blueprint *blueprint_json_read(const char *text, size_t bytes, struct error *error)
{
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    struct blueprint *blueprint = memory_alloc(sizeof(*blueprint));
    int result = json ? read_form(json, blueprint, error) : damaged(error, "");
    json_decref(json);
    if (result == 0)
        return blueprint;
    blueprint_free(blueprint);
    return NULL;
}

int blueprint_head_apply(const char *text, size_t bytes, struct definition_vessel *vessel,
                         struct error *error)
{
    struct definition_vessel head = {.name = NULL};
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    int result = json ? definition_json_read_vessel(json, &head, error) : damaged(error, "head");
    if (result == 0) {
        guardrails_complete(&vessel->guardrails, &head.guardrails);
        vessel->language = head.language;
        packages_free(&vessel->packages);
        packages_free(&vessel->system_packages);
        vessel->packages = head.packages;
        vessel->system_packages = head.system_packages;
        head.packages = head.system_packages = (struct package_list){NULL, 0};
    }
    json_decref(json);
    definition_vessel_fini(&head);
    return result;
}
