/* Reads the overrides in a request's JSON, with jansson. Called by the admin API; pure.
 *
 * Only strings are values: jansson keeps a number's value and not its characters, so 1.10 would
 * become 1.1. Problems name keys and positions, and never quote a value; therefore jansson's own
 * messages, which quote the text near the fault, are not used. */
#include "model/overrides.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "model/fleet_values.h"
#include "model/node.h"
#include "model/report.h"
#include "model/words.h"

#define VESSELS   "vessel_overrides"
#define VARIABLES "environment_variable_overrides"
#define ARGUMENTS "argument_overrides"
#define STATUS    "SHIPYARD_OVERRIDE_STATUS"

struct reader {
    struct report report;
    struct node_path path;
    size_t values; /* variables and arguments read so far */
};

static void refuse(struct reader *reader, const char *key, const char *problem)
{
    size_t mark = key ? node_path_enter(&reader->path, key) : reader->path.bytes;
    report_add(&reader->report, 0, reader->path.text, "%s", problem);
    node_path_leave(&reader->path, mark);
}

/* Reports every key that is not in the list, which ends with NULL. */
static void refuse_other_keys(struct reader *reader, json_t *object, const char *const *allowed,
                              const char *expected)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) if (words_find(allowed, key) < 0)
        refuse(reader, key, expected);
}

/* Counts a variable or an argument. Returns whether there is room for it. */
static bool count_value(struct reader *reader)
{
    if (reader->values++ == OVERRIDES_MAX_VALUES)
        refuse(reader, NULL, "a request may set at most 1000 variables and arguments");
    return reader->values <= OVERRIDES_MAX_VALUES;
}

/* ---- variables ---- */

static void read_status(struct reader *reader, json_t *value, struct vessel_override *override)
{
    static const char *const WORDS[] = {"SUCCESS", "SUCCESSFUL", "ERROR", "ERRORED", NULL};
    int word = json_is_string(value) ? words_find(WORDS, json_string_value(value)) : -1;
    if (word >= 0)
        override->status = word < 2 ? OVERRIDE_SUCCESS : OVERRIDE_ERRORED;
    else if (!json_is_null(value))
        refuse(reader, STATUS, "must be SUCCESS, SUCCESSFUL, ERROR or ERRORED");
}

static const char *variable_problem(const char *name, json_t *value)
{
    if (!json_is_string(value) && !json_is_null(value))
        return "must be a string, or null to keep the fleet file's value";
    const char *problem = fleet_values_variable_problem(name);
    if (!problem && strlen(name) + json_string_length(value) + 2 > FLEET_VALUES_MAX_EXEC_STRING)
        problem = "the name and the value of a variable together must be shorter than 128 KiB";
    return problem;
}

static void read_variable(struct reader *reader, const char *name, json_t *value,
                          struct vessel_override *override)
{
    const char *problem = variable_problem(name, value);
    if (problem)
        refuse(reader, name, problem);
    else if (!json_is_null(value) && count_value(reader))
        override->variables[override->variable_count++] = (struct environment_entry){
            .name = memory_string(name), .value = memory_string(json_string_value(value))};
}

static void read_variables(struct reader *reader, json_t *object, struct vessel_override *override)
{
    const char *name;
    json_t *value;
    if (!object || json_is_null(object))
        return;
    size_t mark = node_path_enter(&reader->path, VARIABLES);
    if (!json_is_object(object))
        refuse(reader, NULL, "must be an object: {\"NAME\": \"value\"}");
    if (json_object_size(object) > 0)
        override->variables =
            memory_array(NULL, json_object_size(object), sizeof(*override->variables));
    json_object_foreach(object, name, value)
    {
        if (strcmp(name, STATUS) == 0)
            read_status(reader, value, override);
        else
            read_variable(reader, name, value, override);
    }
    node_path_leave(&reader->path, mark);
}

/* ---- arguments: the forms of a fleet file (fleet_arguments.c), and never split ---- */

static void add_argument(struct reader *reader, const char *key, const char *text,
                         struct vessel_override *override)
{
    if (strlen(text) >= FLEET_VALUES_MAX_EXEC_STRING)
        refuse(reader, key, "an argument must be shorter than 128 KiB");
    else if (count_value(reader))
        override->arguments[override->argument_count++] = memory_string(text);
}

/* Adds the string at a key, if it is there. */
static void add_member(struct reader *reader, json_t *entry, const char *key,
                       struct vessel_override *override)
{
    json_t *value = json_object_get(entry, key);
    if (json_is_string(value))
        add_argument(reader, key, json_string_value(value), override);
    else if (value && !json_is_null(value))
        refuse(reader, key, "must be a string");
}

/* Reads {"key": …, "value": …}, in which "name" means the same as "key"; or
 * {"--flag": "value"}. */
static void read_argument_object(struct reader *reader, json_t *entry,
                                 struct vessel_override *override)
{
    static const char *const KEYS[] = {"key", "name", "value", NULL};
    const char *first = json_object_iter_key(json_object_iter(entry));
    if (json_object_size(entry) == 1 && first[0] == '-') {
        add_argument(reader, first, first, override);
        add_member(reader, entry, first, override);
        return;
    }
    refuse_other_keys(reader, entry, KEYS, "unknown key; expected key, name or value");
    const char *key = json_object_get(entry, "key") ? "key" : "name";
    if (strcmp(key, "key") == 0 && json_object_get(entry, "name"))
        refuse(reader, NULL, "\"key\" and \"name\" mean the same: write one of them");
    if (!json_is_string(json_object_get(entry, key)))
        refuse(reader, "key", "must be a string");
    else
        add_member(reader, entry, key, override);
    add_member(reader, entry, "value", override);
}

static void read_argument(struct reader *reader, json_t *entry, struct vessel_override *override)
{
    if (json_is_string(entry))
        add_argument(reader, NULL, json_string_value(entry), override);
    else if (json_is_object(entry))
        read_argument_object(reader, entry, override);
    else
        refuse(reader, NULL,
               "an argument must be a string, {\"key\": …, \"value\": …} or {\"--flag\": …}");
}

static void read_arguments(struct reader *reader, json_t *list, struct vessel_override *override)
{
    if (!list || json_is_null(list))
        return;
    size_t count = json_array_size(list);
    size_t mark = node_path_enter(&reader->path, ARGUMENTS);
    if (!json_is_array(list))
        refuse(reader, NULL, "must be a list: each entry is one argument and is never split");
    override->has_arguments = true;
    override->arguments = memory_array(NULL, 2 * count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        size_t item = node_path_enter_item(&reader->path, i);
        read_argument(reader, json_array_get(list, i), override);
        node_path_leave(&reader->path, item);
    }
    node_path_leave(&reader->path, mark);
}

/* ---- vessels ---- */

static void read_vessel(struct reader *reader, json_t *entry, struct vessel_override *override)
{
    static const char *const KEYS[] = {"name", VARIABLES, ARGUMENTS, NULL};
    if (!json_is_object(entry)) {
        refuse(reader, NULL, "must be an object with the vessel's \"name\"");
        return;
    }
    refuse_other_keys(reader, entry, KEYS,
                      "unknown key; expected name, " VARIABLES " or " ARGUMENTS);
    json_t *name = json_object_get(entry, "name");
    if (json_is_string(name))
        override->vessel = memory_string(json_string_value(name));
    else
        refuse(reader, "name", name ? "must be a string" : "missing");
    read_variables(reader, json_object_get(entry, VARIABLES), override);
    read_arguments(reader, json_object_get(entry, ARGUMENTS), override);
}

static void read_vessels(struct reader *reader, json_t *list, struct overrides *overrides)
{
    if (!list || json_is_null(list))
        return;
    size_t count = json_array_size(list);
    size_t mark = node_path_enter(&reader->path, VESSELS);
    if (!json_is_array(list))
        refuse(reader, NULL, "must be a list");
    else if (count > OVERRIDES_MAX_VESSELS)
        refuse(reader, NULL, "a request may list at most 1000 vessels");
    else
        overrides->vessels = memory_alloc((count + 1) * sizeof(*overrides->vessels));
    for (size_t i = 0; overrides->vessels && i < count; i++) {
        size_t item = node_path_enter_item(&reader->path, i);
        read_vessel(reader, json_array_get(list, i),
                    &overrides->vessels[overrides->vessel_count++]);
        node_path_leave(&reader->path, item);
    }
    node_path_leave(&reader->path, mark);
}

/* ---- the whole ---- */

/* Overwrites the strings that the tree holds. The tree is at most JSON_PARSER_MAX_DEPTH deep. */
static void wipe_tree(json_t *tree)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_string(tree))
        secret_wipe((char *)(uintptr_t)json_string_value(tree), json_string_length(tree));
    json_object_foreach(tree, key, value) wipe_tree(value);
    json_array_foreach(tree, i, value) wipe_tree(value);
}

static const char *syntax_problem(const json_error_t *fault)
{
    enum json_error_code code = json_error_code(fault);
    if (code == json_error_invalid_utf8)
        return "invalid JSON: not UTF-8";
    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        return "a text must not contain a NUL character";
    if (code == json_error_duplicate_key)
        return "a key is given twice";
    if (code == json_error_stack_overflow)
        return "invalid JSON: nested too deeply";
    return code == json_error_out_of_memory ? "not enough memory for this JSON" : "invalid JSON";
}

static bool is_blank(const char *json, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (!strchr(" \t\r\n", json[i]) || json[i] == '\0')
            return false;
    return true;
}

static void read_tree(struct reader *reader, json_t *tree, struct overrides *overrides)
{
    static const char *const KEYS[] = {VESSELS, NULL};
    if (json_is_array(tree) && json_array_size(tree) == 0)
        return;
    if (!json_is_object(tree)) {
        refuse(reader, NULL, "must be an object: {\"" VESSELS "\": […]}");
        return;
    }
    refuse_other_keys(reader, tree, KEYS, "unknown key; expected " VESSELS);
    read_vessels(reader, json_object_get(tree, VESSELS), overrides);
}

int overrides_json_read(const char *json, size_t bytes, const struct definition *definition,
                        const struct overrides_rules *rules, struct overrides *overrides,
                        struct fleet_problems *problems)
{
    struct reader reader = {.report = {.list = problems}};
    json_error_t fault;
    *overrides = (struct overrides){NULL, 0};
    if (is_blank(json, bytes))
        return 0;
    json_t *tree = json_loadb(json, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (tree)
        read_tree(&reader, tree, overrides);
    else
        report_add(&reader.report, fault.line, "", "%s (line %d, column %d)",
                   syntax_problem(&fault), fault.line, fault.column);
    wipe_tree(tree);
    json_decref(tree);
    report_finish(&reader.report, "problems");
    (void)overrides_check(overrides, definition, rules, problems);
    if (problems->count == 0)
        return 0;
    overrides_wipe(overrides);
    return -1;
}
