/* Blueprint files, and blueprints and inputs as the store keeps them. The input is read as each. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/blueprint.h"
#include "model/name.h"
#include "model/reference.h"

static void check_input(const struct inputs *inputs, size_t place)
{
    const struct input *input = &inputs->items[place];
    FUZZ_CHECK(inputs_find(inputs, input->key, strlen(input->key)) == place);
    FUZZ_CHECK(input->key[0] != '\0' && strcmp(input->key, "PATH") != 0);
    FUZZ_CHECK(strncmp(input->key, "SHIPYARD_", 9) != 0);
    FUZZ_CHECK(input->option_count <= INPUTS_MAX_OPTIONS);
    FUZZ_CHECK((input->type == INPUT_SELECT) == (input->option_count > 0));
    if (input->default_value && !strstr(input->default_value, "#{"))
        FUZZ_CHECK(!inputs_problem(input, input->default_value) && input->type != INPUT_PASSWORD);
}

/* Every reference in the blueprint's values is to one of its inputs. */
static void check_value(const struct inputs *inputs, const char *value)
{
    struct reference_reader reader = {.at = value, .reads_inputs = true};
    for (enum reference_piece piece; (piece = reference_next(&reader)) != REFERENCE_END;) {
        FUZZ_CHECK(piece != REFERENCE_BROKEN && piece != REFERENCE_BROKEN_INPUT);
        FUZZ_CHECK(piece != REFERENCE_INPUT ||
                   inputs_find(inputs, reader.text, reader.bytes) != INPUTS_NONE);
    }
}

static void check_accepted(const struct blueprint *blueprint)
{
    const struct definition_vessel *code = &blueprint->code;
    FUZZ_CHECK(!name_problem(blueprint->name) && code->kind == VESSEL_CODE);
    FUZZ_CHECK(blueprint->inputs.count <= INPUTS_MAX_COUNT);
    for (size_t i = 0; i < blueprint->inputs.count; i++)
        check_input(&blueprint->inputs, i);
    for (size_t i = 0; i < code->argument_count; i++)
        check_value(&blueprint->inputs, code->arguments[i]);
    for (size_t i = 0; i < code->environment_count; i++)
        check_value(&blueprint->inputs, code->environment[i].value);
    check_value(&blueprint->inputs, code->file_to_run);
}

static void check_that_it_is_read_as_written(const struct blueprint *blueprint)
{
    struct error error = ERROR_INIT;
    char *form = blueprint_json_write(blueprint);
    struct blueprint *read = blueprint_json_read(form, strlen(form), &error);
    FUZZ_CHECK(read);
    char *again = blueprint_json_write(read);
    FUZZ_CHECK(strcmp(form, again) == 0);
    blueprint_free(read);
    free(again);
    free(form);
}

static void read_stored(const char *text, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct inputs inputs = {NULL, 0};
    struct definition_vessel vessel = {.name = NULL};
    struct blueprint *blueprint = blueprint_json_read(text, bytes, &error);
    FUZZ_CHECK((blueprint == NULL) == error_is_set(&error));
    blueprint_free(blueprint);
    (void)inputs_json_read(text, bytes, &inputs, &error);
    inputs_free(&inputs);
    (void)blueprint_head_apply(text, bytes, &vessel, &error);
    packages_free(&vessel.packages);
    packages_free(&vessel.system_packages);
    guardrails_free(&vessel.guardrails);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    const struct fleet_file_options options = {.stub = true};
    struct blueprint *blueprint =
        blueprint_file_parse((const char *)data, bytes, &options, &problems, &notes);
    FUZZ_CHECK((blueprint == NULL) == (problems.count > 0));
    if (blueprint) {
        check_accepted(blueprint);
        check_that_it_is_read_as_written(blueprint);
    }
    blueprint_free(blueprint);
    report_free_problems(&problems);
    report_free_problems(&notes);
    read_stored((const char *)data, bytes);
    return 0;
}
