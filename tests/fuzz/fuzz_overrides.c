/* The overrides in a request of the API trigger, and their stored forms. The input is read as
 * both. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/overrides.h"

static struct definition *fleet(void)
{
    static const char file[] = "name: F\n"
                               "vessels:\n"
                               "  A: { source: { type: CODE, language: BASH,\n"
                               "                 file: { name: a, content: '' },\n"
                               "                 environment: { STAGE: test, PATH: /bin } } }\n";
    const struct fleet_file_options options = {.stub = false};
    struct fleet_problems problems = {0}, notes = {0};
    struct definition *definition =
        fleet_file_parse(file, strlen(file), &options, &problems, &notes);
    FUZZ_CHECK(definition);
    report_free_problems(&notes);
    return definition;
}

/* Writes what was read, reads it, and writes it again. */
static void check_that_it_is_read_as_written(const struct overrides *overrides, bool with_values)
{
    struct buffer form = BUFFER_INIT, again = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct overrides read;
    FUZZ_CHECK(overrides_form_write(overrides, with_values, &form) == 0);
    FUZZ_CHECK(overrides_form_read(form.data, form.bytes, with_values, &read, &error) == 0);
    FUZZ_CHECK(overrides_form_write(&read, with_values, &again) == 0);
    FUZZ_CHECK(form.bytes == again.bytes && memcmp(form.data, again.data, form.bytes) == 0);
    FUZZ_CHECK(overrides_are_empty(overrides) == overrides_are_empty(&read));
    FUZZ_CHECK(overrides_have_values(overrides) == overrides_have_values(&read));
    overrides_wipe(&read);
    buffer_free(&form);
    buffer_free(&again);
}

static void check_accepted(const struct overrides *overrides, bool is_trigger)
{
    const struct vessel_override *a = overrides_find(overrides, "A");
    FUZZ_CHECK(overrides->vessel_count <= 1 && (overrides->vessel_count == 0 || a));
    for (size_t i = 0; a && i < a->variable_count; i++) {
        const char *name = a->variables[i].name;
        bool is_defined = strcmp(name, "STAGE") == 0 || strcmp(name, "PATH") == 0;
        FUZZ_CHECK(is_defined || !is_trigger);
        FUZZ_CHECK(strncmp(name, "SHIPYARD_", 9) != 0 && strncmp(name, "LD_", 3) != 0);
        FUZZ_CHECK(utf8_is_valid(a->variables[i].value, strlen(a->variables[i].value)));
    }
    check_that_it_is_read_as_written(overrides, true);
    check_that_it_is_read_as_written(overrides, false);
}

static bool read_request(const uint8_t *data, size_t bytes, const struct definition *definition,
                         bool is_trigger)
{
    struct overrides overrides;
    struct fleet_problems problems = {0};
    int result = overrides_json_read((const char *)data, bytes, definition,
                                     &(struct overrides_rules){.is_trigger = is_trigger},
                                     &overrides, &problems);
    FUZZ_CHECK((result == 0) == (problems.count == 0));
    if (result == 0)
        check_accepted(&overrides, is_trigger);
    for (size_t i = 0; i < problems.count; i++)
        FUZZ_CHECK(fuzz_is_message(problems.items[i].message));
    overrides_wipe(&overrides);
    report_free_problems(&problems);
    return result == 0;
}

static void read_form(const uint8_t *data, size_t bytes, bool with_values)
{
    struct error error = ERROR_INIT;
    struct overrides overrides;
    int result = overrides_form_read(data, bytes, with_values, &overrides, &error);
    FUZZ_CHECK((result != 0) == error_is_set(&error));
    if (result == 0)
        check_that_it_is_read_as_written(&overrides, with_values);
    overrides_wipe(&overrides);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct definition *definition = fleet();
    /* What a trigger key may set, an owner's key may, too. */
    bool accepted = read_request(data, bytes, definition, true);
    FUZZ_CHECK(read_request(data, bytes, definition, false) || !accepted);
    definition_free(definition);
    read_form(data, bytes, true);
    read_form(data, bytes, false);
    return 0;
}
