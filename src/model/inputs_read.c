/* Reads the inputs of a blueprint file. Called by blueprint_file.c; pure. */
#include "model/inputs_form.h"

#include <string.h>

#include "base/memory.h"
#include "model/fleet_values.h"
#include "model/name.h"
#include "model/words.h"

static bool truth(struct checker *checker, const struct node *map, const char *key)
{
    static const char *const TRUTHS[] = {"false", "true", NULL};
    return checker_word(checker, map, key, TRUTHS) > 0;
}

/* ---- one input ---- */

static void read_key(struct checker *checker, const struct node *entry, struct input *input)
{
    const char *problem = fleet_values_variable_problem(entry->key);
    if (!problem && fleet_values_is_guarded(entry->key))
        problem = "this variable decides which code is run: choose another reference name";
    if (!problem && strlen(entry->key) > DEFINITION_HIDDEN_NAME_BYTES)
        problem = "a reference name must be at most 128 bytes long";
    if (problem)
        checker_problem(checker, entry->line, NULL, "%s", problem);
    input->key = memory_string(entry->key);
}

/* Reads a text for people, which may be absent. */
static char *read_text(struct checker *checker, const struct node *entry, const char *key)
{
    const char *text = checker_text(checker, entry, key);
    if (text && strlen(text) > INPUTS_MAX_TEXT_BYTES)
        checker_problem(checker, checker_line(entry, key), key, "must be at most %d bytes long",
                        INPUTS_MAX_TEXT_BYTES);
    return memory_string(text);
}

static void read_option(struct checker *checker, const struct node *entry, struct input *input)
{
    static const char *const KEYS[] = {"name", "value", NULL};
    if (entry->kind == NODE_BROKEN)
        return;
    if (entry->kind != NODE_MAP) {
        checker_problem(checker, entry->line, NULL,
                        "an option must be written as {name: …, value: …}");
        return;
    }
    checker_keys(checker, entry, KEYS);
    const char *name = checker_required(checker, entry, "name");
    const char *value = checker_required(checker, entry, "value");
    if (!name || !value)
        return;
    if (strlen(name) > NAME_MAX_BYTES || strlen(value) > NAME_MAX_BYTES)
        checker_problem(checker, entry->line, NULL,
                        "the name and the value of an option must be at most 255 bytes long");
    for (size_t i = 0; i < input->option_count; i++)
        if (strcmp(input->options[i].value, value) == 0)
            checker_problem(checker, entry->line, "value", "this option is given twice");
    input->options[input->option_count++] =
        (struct input_option){memory_string(name), memory_string(value)};
}

static void read_options(struct checker *checker, const struct node *entry, struct input *input)
{
    const struct node *options = node_get(entry, "options");
    bool is_select = input->type == INPUT_SELECT;
    if (options && options->kind == NODE_BROKEN)
        return;
    if (options && !is_select)
        checker_problem(checker, options->line, "options",
                        "only an input of type SELECT has these");
    else if (is_select && (!options || options->kind != NODE_LIST || options->count == 0))
        checker_problem(checker, checker_line(entry, "options"), "options",
                        "an input of type SELECT needs a list of {name, value}");
    else if (is_select && options->count > INPUTS_MAX_OPTIONS)
        checker_problem(checker, options->line, "options", "an input may have at most %d options",
                        INPUTS_MAX_OPTIONS);
    else if (is_select) {
        input->options = memory_alloc(options->count * sizeof(input->options[0]));
        size_t mark = node_path_enter(&checker->path, "options");
        for (uint32_t i = 0; i < options->count; i++) {
            size_t item = node_path_enter_item(&checker->path, i);
            read_option(checker, &options->items[i], input);
            node_path_leave(&checker->path, item);
        }
        node_path_leave(&checker->path, mark);
    }
}

static bool refers_to_credential(const char *value)
{
    struct reference_reader reader = {.at = value};
    for (enum reference_piece piece; (piece = reference_next(&reader)) != REFERENCE_END;)
        if (piece == REFERENCE_NAME)
            return true;
    return false;
}

/* In a default, "${" has no meaning, and a secret may not be written out. */
static const char *default_problem(const struct input *input, const char *value)
{
    if (fleet_values_is_hidden(value) ||
        (input->type == INPUT_PASSWORD && !refers_to_credential(value)))
        return "a blueprint shows its defaults: write a reference to a credential, #{GROUP.ITEM}, "
               "or leave the default of a PASSWORD out";
    if (strlen(value) > INPUTS_MAX_DEFAULT_BYTES)
        return "a default must be at most 16 KiB long";
    if (refers_to_credential(value))
        return NULL;
    return inputs_problem(input, value);
}

static void read_default(struct checker *checker, const struct node *entry, struct input *input)
{
    const char *value = checker_text(checker, entry, "default");
    int line = checker_line(entry, "default");
    if (!value) {
        if (input->type == INPUT_SELECT && !node_get(entry, "default"))
            checker_problem(checker, line, "default",
                            "missing: an input of type SELECT needs a default");
        return;
    }
    bool lacks_options = input->type == INPUT_SELECT && input->option_count == 0; /* reported */
    const char *problem = lacks_options ? NULL : default_problem(input, value);
    if (problem)
        checker_problem(checker, line, "default", "%s", problem);
    else
        (void)checker_references(checker, line, "default", value);
    input->default_value = memory_string(value);
}

static void read_input(struct checker *checker, const struct node *entry, struct input *input)
{
    static const char *const KEYS[] = {"name",        "type",    "required", "default", "multiline",
                                       "placeholder", "tooltip", "options",  NULL};
    read_key(checker, entry, input);
    if (entry->kind != NODE_MAP) {
        if (entry->kind != NODE_BROKEN)
            checker_problem(checker, entry->line, NULL,
                            "an input must be a mapping with a \"name\" and a \"type\"");
        return;
    }
    checker_keys(checker, entry, KEYS);
    const char *name = checker_required(checker, entry, "name");
    if (name && (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES))
        checker_problem(checker, checker_line(entry, "name"), "name",
                        "must be 1 to 255 bytes long");
    input->name = memory_string(name);
    if (!node_get(entry, "type"))
        checker_problem(checker, entry->line, "type", "missing");
    int type = checker_word(checker, entry, "type", WORDS_INPUT_TYPE);
    if (type < 0)
        return;
    input->type = (enum input_type)type;
    input->required = truth(checker, entry, "required");
    input->multiline = truth(checker, entry, "multiline");
    if (input->multiline && input->type != INPUT_ALPHANUMERIC && input->type != INPUT_PASSWORD)
        checker_problem(checker, checker_line(entry, "multiline"), "multiline",
                        "only an input of type ALPHANUMERIC or PASSWORD can be multiline");
    input->placeholder = read_text(checker, entry, "placeholder");
    input->tooltip = read_text(checker, entry, "tooltip");
    read_options(checker, entry, input);
    read_default(checker, entry, input);
}

/* ---- all of them ---- */

void inputs_read(struct checker *checker, const struct node *blueprint, struct inputs *inputs)
{
    const struct node *map = checker_map(checker, blueprint, "inputs");
    if (!map || map->count == 0)
        return;
    if (map->count > INPUTS_MAX_COUNT) {
        checker_problem(checker, map->line, "inputs",
                        "a blueprint may have at most %d inputs, not %u", INPUTS_MAX_COUNT,
                        map->count);
        return;
    }
    inputs->items = memory_alloc(map->count * sizeof(inputs->items[0]));
    size_t mark = node_path_enter(&checker->path, "inputs");
    for (uint32_t i = 0; i < map->count; i++) {
        size_t item = node_path_enter(&checker->path, map->items[i].key);
        if (map->items[i].kind != NODE_BROKEN) /* a name that is given twice was reported */
            read_input(checker, &map->items[i], &inputs->items[inputs->count++]);
        node_path_leave(&checker->path, item);
    }
    node_path_leave(&checker->path, mark);
}
