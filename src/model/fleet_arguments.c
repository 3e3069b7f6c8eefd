/* Reads the arguments and the environment of a vessel. Called by fleet_vessel.c; pure. */
#include "model/fleet_arguments.h"

#include <string.h>

#include "base/memory.h"
#include "model/fleet_values.h"
#include "model/name_index.h"

/* The items of a list. A single mapping counts as a list of one. */
struct entries {
    const struct node *items;
    size_t count;
    bool is_list;
};

static struct entries entries_of(const struct node *value)
{
    if (value->kind == NODE_LIST)
        return (struct entries){value->items, value->count, true};
    return (struct entries){value, 1, false};
}

/* ---- arguments ---- */

static void add_argument(struct checker *checker, int line, const char *key, const char *text,
                         struct definition_vessel *vessel)
{
    const char *problem = fleet_values_placeholder_problem(text);
    if (problem)
        checker_problem(checker, line, key, "%s", problem);
    else if (strlen(text) >= FLEET_VALUES_MAX_EXEC_STRING)
        checker_problem(checker, line, key, "an argument must be shorter than 128 KiB");
    else if (checker_references(checker, line, key, text))
        vessel->arguments[vessel->argument_count++] = memory_string(text);
    if (!problem && reference_may_be_in(text))
        checker_note(checker, line, key,
                     "with sandbox off, arguments are visible to all users of the machine (ps): "
                     "pass a credential in the environment");
}

/* {--flag: value}, the short form. */
static bool is_flag(const struct node *entry)
{
    return entry->count == 1 && entry->items[0].key[0] == '-';
}

static void read_flag(struct checker *checker, const struct node *entry,
                      struct definition_vessel *vessel)
{
    const char *flag = entry->items[0].key;
    add_argument(checker, entry->items[0].line, NULL, flag, vessel);
    const char *value = checker_text(checker, entry, flag);
    if (value)
        add_argument(checker, entry->items[0].line, flag, value, vessel);
}

static void read_argument_map(struct checker *checker, const struct node *entry,
                              struct definition_vessel *vessel)
{
    static const char *const KEYS[] = {"key", "name", "value", NULL};
    checker_keys(checker, entry, KEYS);
    bool has_key = node_get(entry, "key");
    if (has_key && node_get(entry, "name"))
        checker_problem(checker, entry->line, NULL,
                        "\"key\" and \"name\" mean the same: write one of them");
    const char *name = !has_key && node_get(entry, "name") ? "name" : "key";
    const char *key = checker_required(checker, entry, name);
    const char *value = checker_text(checker, entry, "value");
    if (key)
        add_argument(checker, checker_line(entry, name), name, key, vessel);
    if (value)
        add_argument(checker, checker_line(entry, "value"), "value", value, vessel);
}

static void read_argument(struct checker *checker, const struct node *entry,
                          struct definition_vessel *vessel)
{
    switch (entry->kind) {
    case NODE_ABSENT:
    case NODE_BROKEN:
        return;
    case NODE_TEXT:
        add_argument(checker, entry->line, NULL, entry->text, vessel);
        return;
    case NODE_MAP:
        if (is_flag(entry))
            read_flag(checker, entry, vessel);
        else
            read_argument_map(checker, entry, vessel);
        return;
    case NODE_LIST:
        checker_problem(checker, entry->line, NULL,
                        "an argument must be a value, {key, value} or {--flag: value}, not a list");
        return;
    }
}

void fleet_arguments_read(struct checker *checker, const struct node *source,
                          struct definition_vessel *vessel)
{
    const struct node *value = node_get(source, "arguments");
    if (!value || value->kind == NODE_BROKEN)
        return;
    if (value->kind == NODE_TEXT) {
        checker_problem(checker, value->line, "arguments",
                        "must be a list: each entry is one argument and is never split");
        return;
    }
    struct entries entries = entries_of(value);
    if (entries.count > 0) /* an entry has two arguments at most: a key and a value */
        vessel->arguments = memory_array(NULL, 2 * entries.count, sizeof(char *));
    size_t mark = node_path_enter(&checker->path, "arguments");
    for (size_t i = 0; i < entries.count; i++) {
        size_t item = checker->path.bytes;
        if (entries.is_list)
            node_path_enter_item(&checker->path, i);
        read_argument(checker, &entries.items[i], vessel);
        node_path_leave(&checker->path, item);
    }
    node_path_leave(&checker->path, mark);
}

/* ---- environment ---- */

struct variable {
    const char *name;
    const struct node *value; /* a NODE_TEXT */
    const char *value_key;    /* of the value in the path; NULL: the path names it already */
    bool is_marked;           /* hidden: true */
};

/* A value that the file keeps is hidden without a mark, too, as in exports of the platform. */
static bool is_hidden(const struct variable *variable)
{
    return variable->is_marked || fleet_values_is_hidden(variable->value->text);
}

static const char *variable_problem(const struct variable *variable)
{
    const char *problem = fleet_values_variable_problem(variable->name);
    const char *value = variable->value->text;
    if (!problem && is_hidden(variable) && strlen(variable->name) > DEFINITION_HIDDEN_NAME_BYTES)
        problem = "the name of a hidden variable must be at most 128 bytes long";
    if (!problem && strlen(variable->name) + strlen(value) + 2 > FLEET_VALUES_MAX_EXEC_STRING)
        problem = "the name and the value of a variable together must be shorter than 128 KiB";
    return problem;
}

static bool refers(const char *value)
{
    struct reference_reader reader = {.at = value};
    for (enum reference_piece piece; (piece = reference_next(&reader)) != REFERENCE_END;)
        if (piece == REFERENCE_NAME)
            return true;
    return false;
}

static void add_variable(struct checker *checker, int line, const struct variable *variable,
                         struct definition_vessel *vessel)
{
    const char *problem = variable_problem(variable), *value = variable->value->text;
    if (problem) {
        checker_problem(checker, line, NULL, "%s (\"%.60s\")", problem, variable->name);
        return;
    }
    if (!checker_references(checker, line, NULL, value))
        return;
    if (is_hidden(variable) && refers(value)) {
        checker_problem(checker, line, NULL,
                        "a reference to a credential is no secret: leave out \"hidden\"");
        return;
    }
    if (is_hidden(variable) && checker->is_blueprint) {
        checker_problem(checker, line, NULL,
                        "a blueprint has no hidden values: use an input of type PASSWORD, or "
                        "`#{GROUP.ITEM}`");
        return;
    }
    if (checker->is_blueprint &&
        inputs_find(checker->inputs, variable->name, strlen(variable->name)) != INPUTS_NONE) {
        checker_problem(checker, line, NULL, "\"%.60s\" is an input, and so is a variable already",
                        variable->name);
        return;
    }
    if (is_hidden(variable))
        checker_hidden(checker, vessel->environment_count, variable->value_key, variable->value);
    vessel->environment[vessel->environment_count++] =
        (struct environment_entry){.name = memory_string(variable->name),
                                   .value = memory_string(value),
                                   .hidden = is_hidden(variable)};
}

static void note_unset(struct checker *checker, int line, const char *name)
{
    checker_note(checker, line, NULL,
                 "\"%.60s\" has no value, so it is not set: write '' for an empty value", name);
}

/* Reads {name: STAGE, value: test} and {name: SALT, value: secret, hidden: true}. */
static void read_named(struct checker *checker, const struct node *entry,
                       struct definition_vessel *vessel)
{
    static const char *const KEYS[] = {"name", "value", "hidden", NULL};
    static const char *const TRUTHS[] = {"false", "true", NULL};
    if (entry->kind == NODE_ABSENT || entry->kind == NODE_BROKEN)
        return;
    if (entry->kind != NODE_MAP) {
        checker_problem(checker, entry->line, NULL,
                        "a variable must be written as {name: …, value: …}");
        return;
    }
    checker_keys(checker, entry, KEYS);
    const char *name = checker_required(checker, entry, "name");
    const char *value = checker_text(checker, entry, "value");
    const struct variable variable = {.name = name,
                                      .value = node_get(entry, "value"),
                                      .value_key = "value",
                                      .is_marked =
                                          checker_word(checker, entry, "hidden", TRUTHS) > 0};
    if (name && value)
        add_variable(checker, entry->line, &variable, vessel);
    else if (name && !node_get(entry, "value"))
        note_unset(checker, entry->line, name);
}

/* Reads a mapping in which each entry is a variable, such as STAGE: test. */
static void read_mapping(struct checker *checker, const struct node *map,
                         struct definition_vessel *vessel)
{
    if (map->count > 0)
        vessel->environment = memory_array(NULL, map->count, sizeof(vessel->environment[0]));
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *entry = &map->items[i];
        size_t mark = node_path_enter(&checker->path, entry->key);
        const struct variable variable = {.name = entry->key, .value = entry};
        if (entry->kind == NODE_TEXT)
            add_variable(checker, entry->line, &variable, vessel);
        else if (entry->kind == NODE_ABSENT)
            note_unset(checker, entry->line, entry->key);
        else if (entry->kind != NODE_BROKEN)
            checker_problem(checker, entry->line, NULL,
                            "the value of a variable must be a single value");
        node_path_leave(&checker->path, mark);
    }
}

static void read_list(struct checker *checker, struct entries entries,
                      struct definition_vessel *vessel)
{
    if (entries.count > 0)
        vessel->environment = memory_array(NULL, entries.count, sizeof(vessel->environment[0]));
    for (size_t i = 0; i < entries.count; i++) {
        size_t item = checker->path.bytes;
        if (entries.is_list)
            node_path_enter_item(&checker->path, i);
        read_named(checker, &entries.items[i], vessel);
        node_path_leave(&checker->path, item);
    }
}

static void refuse_double_variables(struct checker *checker, int line,
                                    const struct definition_vessel *vessel)
{
    struct name_index index;
    name_index_init(&index, vessel->environment_count);
    for (size_t i = 0; i < vessel->environment_count; i++)
        name_index_add(&index, vessel->environment[i].name, i);
    name_index_sort(&index);
    for (size_t i = 1; i < index.count; i++)
        if (strcmp(index.entries[i].name, index.entries[i - 1].name) == 0)
            checker_problem(checker, line, NULL, "the variable \"%.60s\" is given twice",
                            index.entries[i].name);
    name_index_free(&index);
}

static bool has_key(const struct node *map, const char *key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (map->items[i].key && strcmp(map->items[i].key, key) == 0)
            return true;
    return false;
}

/* {name: …, value: …} is one variable, even if it has other problems. In any other mapping the keys
 * are the names of variables. */
static bool is_one_variable(const struct node *map)
{
    return has_key(map, "name") && (map->count == 1 || has_key(map, "value"));
}

void fleet_arguments_read_environment(struct checker *checker, const struct node *source,
                                      struct definition_vessel *vessel)
{
    const struct node *value = node_get(source, "environment");
    if (!value || value->kind == NODE_BROKEN)
        return;
    if (value->kind == NODE_TEXT) {
        checker_problem(checker, value->line, "environment",
                        "must be a mapping (NAME: value), or a list of {name, value}");
        return;
    }
    size_t mark = node_path_enter(&checker->path, "environment");
    bool is_single = value->kind == NODE_MAP && is_one_variable(value);
    if (value->kind == NODE_LIST || is_single)
        read_list(checker, entries_of(value), vessel);
    else
        read_mapping(checker, value, vessel);
    refuse_double_variables(checker, value->line, vessel);
    node_path_leave(&checker->path, mark);
}

void fleet_arguments_check_size(struct checker *checker, const struct node *source,
                                const struct definition_vessel *vessel)
{
    size_t bytes = 0;
    for (size_t i = 0; i < vessel->argument_count; i++)
        bytes += fleet_values_argument_bytes(vessel->arguments[i]);
    for (size_t i = 0; i < vessel->environment_count; i++)
        bytes += fleet_values_variable_bytes(&vessel->environment[i]);
    if (bytes >= FLEET_VALUES_MAX_EXEC_BYTES)
        checker_problem(
            checker, source->line, NULL,
            "the arguments and the environment together take %zu bytes, but must take less than "
            "1 MiB: put large values into the file",
            bytes);
}
