/* Reads a vessel of type BLUEPRINT: which blueprint, which version, and the inputs that the fleet
 * file gives. Called by fleet_vessel.c; pure. */
#include "model/fleet_blueprint.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fleet_arguments.h"
#include "model/fleet_values.h"

/* ---- one input ---- */

/* A PASSWORD that is written out is hidden, and so is a value that the file keeps. A hidden value
 * is literal: "${" has no meaning in it. */
static bool is_hidden(const struct input *input, const char *value)
{
    struct reference_reader reader = {.at = value};
    if (fleet_values_is_hidden(value))
        return true;
    if (input->type != INPUT_PASSWORD || value[0] == '\0')
        return false;
    for (enum reference_piece piece; (piece = reference_next(&reader)) != REFERENCE_END;)
        if (piece == REFERENCE_NAME)
            return false;
    return true;
}

/* Returns what is wrong with the value of an input, or NULL. */
static const char *value_problem(const struct input *input, const char *value)
{
    if (strlen(input->key) + strlen(value) + 2 > FLEET_VALUES_MAX_EXEC_STRING)
        return "is too long: its name and its value together must be shorter than 128 KiB";
    return inputs_value_refers(value) ? NULL : inputs_problem(input, value);
}

/* A hidden value has no references, but what begins like one to a credential is as wrong in it as
 * in a hidden variable of the environment. */
static bool is_good(struct checker *checker, const struct node *entry, const struct input *input,
                    bool hidden)
{
    const struct inputs *inputs = checker->inputs;
    const char *problem = hidden ? NULL : value_problem(input, entry->text);
    if (problem)
        checker_problem(checker, entry->line, NULL, "the input %s %s", input->key, problem);
    checker->inputs = hidden ? NULL : inputs;
    bool good = checker_references(checker, entry->line, NULL, entry->text) && !problem;
    checker->inputs = inputs;
    return good;
}

static void read_input(struct checker *checker, const struct node *entry,
                       struct definition_vessel *vessel)
{
    size_t place = inputs_find(checker->inputs, entry->key, strlen(entry->key));
    if (entry->kind == NODE_ABSENT || entry->kind == NODE_BROKEN)
        return;
    if (place == INPUTS_NONE) {
        checker_problem(checker, entry->line, NULL, "the blueprint has no input \"%.60s\"",
                        entry->key);
        return;
    }
    const struct input *input = &checker->inputs->items[place];
    if (entry->kind != NODE_TEXT) {
        checker_problem(checker, entry->line, NULL, "the value of an input must be a single value");
        return;
    }
    bool hidden = is_hidden(input, entry->text);
    if (!is_good(checker, entry, input, hidden))
        return;
    if (hidden)
        checker_hidden(checker, vessel->environment_count, NULL, entry);
    vessel->environment[vessel->environment_count++] = (struct environment_entry){
        .name = memory_string(entry->key), .value = memory_string(entry->text), .hidden = hidden};
}

/* ---- all of them ---- */

enum visit { UNSEEN, OPEN, DONE };

static size_t find_given(const struct definition_vessel *vessel, const char *name, size_t bytes)
{
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (strlen(vessel->environment[i].name) == bytes &&
            memcmp(vessel->environment[i].name, name, bytes) == 0)
            return i;
    return INPUTS_NONE;
}

/* Whether the input refers to itself, over others. At most INPUTS_MAX_COUNT calls deep. */
static bool is_circular(const struct definition_vessel *vessel, size_t entry, enum visit *visits)
{
    const struct environment_entry *input = &vessel->environment[entry];
    struct reference_reader reader = {.at = input->value, .reads_inputs = true};
    bool found = false;
    if (visits[entry] != UNSEEN || input->hidden)
        return visits[entry] == OPEN;
    visits[entry] = OPEN;
    for (enum reference_piece piece;
         !found && (piece = reference_next(&reader)) != REFERENCE_END;) {
        size_t other =
            piece == REFERENCE_INPUT ? find_given(vessel, reader.text, reader.bytes) : INPUTS_NONE;
        found = other != INPUTS_NONE && is_circular(vessel, other, visits);
    }
    visits[entry] = DONE;
    return found;
}

static void refuse_circles(struct checker *checker, const struct node *inputs,
                           const struct definition_vessel *vessel)
{
    enum visit visits[INPUTS_MAX_COUNT] = {UNSEEN};
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const char *name = vessel->environment[i].name;
        if (is_circular(vessel, i, visits))
            checker_problem(checker, checker_line(inputs, name), name,
                            "the input %s refers to itself in a circle", name);
    }
}

static void refuse_missing(struct checker *checker, const struct node *source,
                           const struct node *given)
{
    for (size_t i = 0; i < checker->inputs->count; i++) {
        const struct input *input = &checker->inputs->items[i];
        if (input->required && !input->default_value && !(given && node_get(given, input->key)))
            checker_problem(checker, given ? given->line : source->line, input->key,
                            "the input %s is required", input->key);
    }
}

static void read_inputs(struct checker *checker, const struct node *source,
                        struct definition_vessel *vessel)
{
    const struct node *given = checker_map(checker, source, "inputs");
    size_t mark = node_path_enter(&checker->path, "inputs");
    if (given && given->count > 0)
        vessel->environment = memory_array(NULL, given->count, sizeof(vessel->environment[0]));
    for (uint32_t i = 0; given && i < given->count; i++) {
        size_t item = node_path_enter(&checker->path, given->items[i].key);
        read_input(checker, &given->items[i], vessel);
        node_path_leave(&checker->path, item);
    }
    if (given)
        refuse_circles(checker, given, vessel);
    refuse_missing(checker, source, given);
    node_path_leave(&checker->path, mark);
    fleet_arguments_check_size(checker, source, vessel);
}

/* ---- the source ---- */

static void refuse_code(struct checker *checker, const struct node *source)
{
    static const char *const CODE[] = {"file", "file_to_run",     "arguments", "environment",
                                       "git",  "system_packages", "packages",  "language"};
    static const char *const KEYS[] = {"type",
                                       "blueprint",
                                       "blueprint_version",
                                       "inputs",
                                       "file",
                                       "file_to_run",
                                       "arguments",
                                       "environment",
                                       "git",
                                       "packages",
                                       "system_packages",
                                       "language",
                                       "notifications",
                                       "triggers",
                                       NULL};
    checker_keys(checker, source, KEYS);
    for (size_t i = 0; i < ARRAY_COUNT(CODE); i++)
        if (node_get(source, CODE[i]))
            checker_problem(checker, checker_line(source, CODE[i]), CODE[i],
                            "the code of this vessel is the blueprint's: leave \"%s\" out",
                            CODE[i]);
}

bool fleet_blueprint_read(struct checker *checker, const struct node *source,
                          struct definition_vessel *vessel)
{
    const struct fleet_file_options *options = checker->options;
    struct fleet_blueprint found = {.inputs = NULL};
    const char *name = checker_required(checker, source, "blueprint");
    int version = 0;
    if (!name)
        return true;
    checker_number(checker, source, "blueprint_version", 1, VALUE_MAX_NUMBER, &version);
    if (!options->find_blueprint ||
        !options->find_blueprint(options->context, name, version, &found))
        return false;
    vessel->kind = VESSEL_BLUEPRINT;
    vessel->blueprint_id = found.id;
    vessel->blueprint_version = version;
    refuse_code(checker, source);
    checker->inputs = found.inputs;
    if (found.inputs)
        read_inputs(checker, source, vessel);
    else
        checker_problem(checker, checker_line(source, "blueprint_version"), "blueprint_version",
                        "the blueprint \"%.100s\" has no version %d", name, version);
    checker->inputs = NULL;
    return true;
}
