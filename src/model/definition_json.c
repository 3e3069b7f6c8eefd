/* Writes a definition as canonical JSON, and reads it back: keys sorted, no white space, vessels in
 * the order of the file, connections and environment as objects, so that equal definitions have the
 * same text. The store keeps and compares that text; the runner reads it. Pure. */
#include "model/definition.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/definition_form.h"
#include "model/words.h"

/* Stored definitions outlive the program that wrote them. A reader must refuse any other number. */
#define DEFINITION_FORMAT 1

/* ---- writing ---- */

/* Every text in a definition was checked to be UTF-8 when it was read, so jansson can fail only if
 * memory runs out. */
static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort();
}

static void put_id(json_t *object, const struct id *id, bool with_ids)
{
    char text[ID_TEXT_BYTES];
    if (with_ids && !id_is_zero(id))
        put(object, "_id", json_string(id_format(id, text)));
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        put(object, key, json_string(text));
}

static void append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        abort();
}

/* Writes a hidden variable as {hidden: true, value: SHIPYARD_HIDDEN}, any other as its value. */
static void put_variable(json_t *environment, const struct environment_entry *entry)
{
    if (!entry->hidden) {
        put_text(environment, entry->name, entry->value);
        return;
    }
    json_t *variable = json_object();
    put(variable, "hidden", json_true());
    put_text(variable, "value", DEFINITION_HIDDEN);
    put(environment, entry->name, variable);
}

/* Writes {name: version}; nothing if there is no package. */
static void put_packages(json_t *vessel, const char *key, const struct package_list *list)
{
    if (list->count == 0)
        return;
    json_t *packages = json_object();
    for (size_t i = 0; i < list->count; i++)
        put_text(packages, list->items[i].name, list->items[i].version);
    put(vessel, key, packages);
}

json_t *definition_json_of_vessel(const struct definition_vessel *vessel, bool with_ids)
{
    bool is_blueprint = vessel->kind == VESSEL_BLUEPRINT;
    char id[ID_TEXT_BYTES];
    json_t *json = json_object();
    put_id(json, &vessel->id, with_ids);
    put_text(json, "name", vessel->name);
    put_text(json, "kind", WORDS_KIND[vessel->kind]);
    put_text(json, "language", WORDS_LANGUAGE[vessel->language]);
    put_text(json, "version", vessel->version);
    put_text(json, "file_name", vessel->file_name);
    put_text(json, "file_content", vessel->file_content);
    put_text(json, "file_to_run", vessel->file_to_run);
    json_t *arguments = json_array();
    for (size_t i = 0; i < vessel->argument_count; i++)
        append(arguments, json_string(vessel->arguments[i]));
    put(json, "arguments", arguments);
    json_t *environment = json_object();
    for (size_t i = 0; i < vessel->environment_count; i++)
        put_variable(environment, &vessel->environment[i]);
    put(json, "environment", environment);
    put_packages(json, "packages", &vessel->packages);
    put_packages(json, "system_packages", &vessel->system_packages);
    put(json, "guardrails",
        is_blueprint ? guardrails_given_to_json(&vessel->guardrails)
                     : guardrails_to_json(&vessel->guardrails));
    if (is_blueprint)
        put(json, "blueprint_id", json_string(id_format(&vessel->blueprint_id, id)));
    if (is_blueprint && vessel->blueprint_version > 0)
        put(json, "blueprint_version", json_integer(vessel->blueprint_version));
    return json;
}

static json_t *connections_json(const struct definition *definition)
{
    json_t *connections = json_object();
    for (size_t i = 0; i < definition->path_count; i++) {
        const struct definition_path *path = &definition->paths[i];
        const char *from = definition->vessels[path->from].name;
        json_t *targets = json_object_get(connections, from);
        if (!targets) {
            targets = json_object();
            put(connections, from, targets);
        }
        put_text(targets, definition->vessels[path->to].name, WORDS_CONDITION[path->condition]);
    }
    return connections;
}

char *definition_json_write(const struct definition *definition, bool with_ids)
{
    json_t *json = json_object();
    put(json, "format", json_integer(DEFINITION_FORMAT));
    put_id(json, &definition->id, with_ids);
    put_text(json, "name", definition->name);
    json_t *vessels = json_array();
    for (size_t i = 0; i < definition->vessel_count; i++)
        append(vessels, definition_json_of_vessel(&definition->vessels[i], with_ids));
    put(json, "vessels", vessels);
    put(json, "connections", connections_json(definition));
    put_text(json, "on_interrupt", WORDS_INTERRUPT[definition->on_interrupt]);
    put(json, "max_concurrent_runs", json_integer(definition->max_concurrent_runs));
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    if (!text)
        abort();
    return text;
}

/* ---- reading ---- */

/* Each reader returns 0, or -1 with *error set: a stored definition is either complete or
 * damaged. */
static int damaged(struct error *error, const char *key)
{
    return error_set(error, ERROR_INTERNAL, "the stored definition is damaged at \"%s\"", key);
}

static int get_text(const json_t *object, const char *key, char **text, struct error *error)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (!value)
        return damaged(error, key);
    *text = memory_string(value);
    return 0;
}

/* A stub has no file, and a version is optional. */
static int get_optional_text(const json_t *object, const char *key, char **text,
                             struct error *error)
{
    return !json_object_get(object, key) ? 0 : get_text(object, key, text, error);
}

static int get_number(const json_t *object, const char *key, int64_t low, int64_t high,
                      int64_t *number, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high)
        return damaged(error, key);
    *number = json_integer_value(value);
    return 0;
}

static int get_word(const json_t *object, const char *key, const char *const *words, int *place,
                    struct error *error)
{
    const char *word = json_string_value(json_object_get(object, key));
    *place = !word ? -1 : words_find(words, word);
    return *place < 0 ? damaged(error, key) : 0;
}

static int get_id(const json_t *object, struct id *id, struct error *error)
{
    const json_t *value = json_object_get(object, "_id");
    if (!value)
        return 0;
    if (!json_is_string(value) || id_parse(json_string_value(value), id) != 0)
        return damaged(error, "_id");
    return 0;
}

static int read_guardrails(const json_t *json, struct definition_vessel *vessel,
                           struct error *error)
{
    const char *key = vessel->kind == VESSEL_BLUEPRINT
                          ? guardrails_given_from_json(json, &vessel->guardrails)
                          : guardrails_from_json(json, &vessel->guardrails);
    return key ? damaged(error, key) : 0;
}

static int read_blueprint(const json_t *json, struct definition_vessel *vessel, struct error *error)
{
    const char *id = json_string_value(json_object_get(json, "blueprint_id"));
    const json_t *version = json_object_get(json, "blueprint_version");
    if (!id || id_parse(id, &vessel->blueprint_id) != 0)
        return damaged(error, "blueprint_id");
    vessel->blueprint_version = (int)json_integer_value(version);
    if (version && (json_integer_value(version) < 1 || json_integer_value(version) > INT32_MAX))
        return damaged(error, "blueprint_version");
    return 0;
}

static int read_arguments(const json_t *json, struct definition_vessel *vessel, struct error *error)
{
    if (!json_is_array(json))
        return damaged(error, "arguments");
    size_t count = json_array_size(json);
    if (count == 0)
        return 0;
    vessel->arguments = memory_array(NULL, count, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const char *value = json_string_value(json_array_get(json, i));
        if (!value)
            return damaged(error, "arguments");
        vessel->arguments[vessel->argument_count++] = memory_string(value);
    }
    return 0;
}

/* Whether it is what put_variable writes for a hidden variable. */
static bool is_hidden(const json_t *variable)
{
    const char *value = json_string_value(json_object_get(variable, "value"));
    return json_is_true(json_object_get(variable, "hidden")) && value &&
           strcmp(value, DEFINITION_HIDDEN) == 0 && json_object_size(variable) == 2;
}

static int read_environment(json_t *json, struct definition_vessel *vessel, struct error *error)
{
    if (!json_is_object(json))
        return damaged(error, "environment");
    size_t count = json_object_size(json);
    if (count == 0)
        return 0;
    vessel->environment = memory_array(NULL, count, sizeof(vessel->environment[0]));
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        const char *text = json_string_value(value);
        bool hidden = is_hidden(value);
        if (!text && !hidden)
            return damaged(error, "environment");
        vessel->environment[vessel->environment_count++] =
            (struct environment_entry){.name = memory_string(name),
                                       .value = memory_string(hidden ? DEFINITION_HIDDEN : text),
                                       .hidden = hidden};
    }
    return 0;
}

static int read_packages(const json_t *vessel, const char *key, struct package_list *list,
                         struct error *error)
{
    json_t *packages = json_object_get(vessel, key);
    const char *name;
    json_t *version;
    if (packages && !json_is_object(packages))
        return damaged(error, key);
    json_object_foreach(packages, name, version)
    {
        if (!json_is_string(version))
            return damaged(error, key);
        packages_add(list, name, json_string_value(version));
    }
    return 0;
}

int definition_json_read_vessel(const json_t *json, struct definition_vessel *vessel,
                                struct error *error)
{
    int kind = 0;
    int language = 0;
    if (get_id(json, &vessel->id, error) != 0 ||
        get_text(json, "name", &vessel->name, error) != 0 ||
        get_word(json, "kind", WORDS_KIND, &kind, error) != 0 ||
        get_word(json, "language", WORDS_LANGUAGE, &language, error) != 0 ||
        get_optional_text(json, "version", &vessel->version, error) != 0 ||
        get_optional_text(json, "file_name", &vessel->file_name, error) != 0 ||
        get_optional_text(json, "file_content", &vessel->file_content, error) != 0 ||
        get_optional_text(json, "file_to_run", &vessel->file_to_run, error) != 0 ||
        read_arguments(json_object_get(json, "arguments"), vessel, error) != 0 ||
        read_environment(json_object_get(json, "environment"), vessel, error) != 0 ||
        read_packages(json, "packages", &vessel->packages, error) != 0 ||
        read_packages(json, "system_packages", &vessel->system_packages, error) != 0)
        return -1;
    vessel->kind = (enum vessel_kind)kind;
    vessel->language = (enum vessel_language)language;
    if (read_guardrails(json_object_get(json, "guardrails"), vessel, error) != 0)
        return -1;
    if (vessel->kind == VESSEL_BLUEPRINT)
        return read_blueprint(json, vessel, error);
    if (vessel->kind == VESSEL_CODE &&
        (!vessel->file_name || !vessel->file_content || !vessel->file_to_run))
        return damaged(error, "file_name");
    return 0;
}

static int read_vessels(const json_t *json, struct definition *definition, struct error *error)
{
    size_t count = json_array_size(json);
    if (count == 0)
        return damaged(error, "vessels");
    definition->vessels = memory_alloc(count * sizeof(definition->vessels[0]));
    definition->vessel_count = count;
    for (size_t i = 0; i < count; i++)
        if (definition_json_read_vessel(json_array_get(json, i), &definition->vessels[i], error) !=
            0)
            return -1;
    return 0;
}

/* Adds a path from the vessel at `from`. `places` maps the name of a vessel to its index. */
static int add_path(struct definition *definition, const json_t *places, size_t from,
                    const char *to, const json_t *condition)
{
    const json_t *target = json_object_get(places, to);
    int word =
        json_is_string(condition) ? words_find(WORDS_CONDITION, json_string_value(condition)) : -1;
    if (!target || word < 0)
        return -1;
    size_t count = definition->path_count;
    if ((count & (count - 1)) == 0) /* room for 1, 2, 4, … */
        definition->paths = memory_array(definition->paths, count == 0 ? 1 : 2 * count,
                                         sizeof(definition->paths[0]));
    definition->paths[definition->path_count++] =
        (struct definition_path){.from = from,
                                 .to = (size_t)json_integer_value(target),
                                 .condition = (enum path_condition)word};
    return 0;
}

static int add_paths(struct definition *definition, const json_t *places, const char *from,
                     json_t *targets)
{
    const json_t *place = json_object_get(places, from);
    const char *to;
    json_t *condition;
    if (!place || !json_is_object(targets))
        return -1;
    json_object_foreach(targets, to, condition)
    {
        if (add_path(definition, places, (size_t)json_integer_value(place), to, condition) != 0)
            return -1;
    }
    return 0;
}

static int read_connections(json_t *json, struct definition *definition, struct error *error)
{
    if (!json_is_object(json))
        return damaged(error, "connections");
    json_t *places = json_object();
    for (size_t i = 0; i < definition->vessel_count; i++)
        put(places, definition->vessels[i].name, json_integer((json_int_t)i));
    int result = 0;
    const char *from;
    json_t *targets;
    json_object_foreach(json, from, targets)
    {
        if (result == 0)
            result = add_paths(definition, places, from, targets);
    }
    json_decref(places);
    definition_sort_paths(definition);
    return result == 0 ? 0 : damaged(error, "connections");
}

struct definition *definition_json_read(const char *text, size_t bytes, struct error *error)
{
    json_error_t why;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!json) {
        error_set(error, ERROR_INTERNAL, "the stored definition is damaged: %s", why.text);
        return NULL;
    }
    struct definition *definition = memory_alloc(sizeof(*definition));
    int64_t format = 0;
    int64_t concurrent = 0;
    int interrupt = 0;
    int failed =
        get_number(json, "format", DEFINITION_FORMAT, DEFINITION_FORMAT, &format, error) != 0 ||
        get_id(json, &definition->id, error) != 0 ||
        get_text(json, "name", &definition->name, error) != 0 ||
        read_vessels(json_object_get(json, "vessels"), definition, error) != 0 ||
        read_connections(json_object_get(json, "connections"), definition, error) != 0 ||
        get_word(json, "on_interrupt", WORDS_INTERRUPT, &interrupt, error) != 0 ||
        get_number(json, "max_concurrent_runs", 0, INT32_MAX, &concurrent, error) != 0;
    json_decref(json);
    if (failed) {
        definition_free(definition);
        return NULL;
    }
    definition->on_interrupt = (enum interrupt_policy)interrupt;
    definition->max_concurrent_runs = (int)concurrent;
    return definition;
}
