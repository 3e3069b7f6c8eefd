/* Fleet files, and definitions as the store keeps them. The input is read as both. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/fleet_file.h"
#include "model/fleet_hidden.h"
#include "model/name.h"
#include "model/plan.h"

#define ENVIRONMENT_VALUE_MAX_BYTES (128 * 1024)

/* ---- a definition that was accepted ---- */

static void check_texts(const struct definition_vessel *vessel)
{
    FUZZ_CHECK(!name_problem(vessel->name));
    FUZZ_CHECK((vessel->kind == VESSEL_STUB) == !vessel->file_name);
    FUZZ_CHECK(!vessel->file_name == !vessel->file_content &&
               !vessel->file_name == !vessel->file_to_run);
    for (size_t i = 0; i < vessel->argument_count; i++)
        FUZZ_CHECK(utf8_is_valid(vessel->arguments[i], strlen(vessel->arguments[i])));
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const struct environment_entry *entry = &vessel->environment[i];
        FUZZ_CHECK(entry->name[0] != '\0' && !strchr(entry->name, '='));
        FUZZ_CHECK(strncmp(entry->name, "SHIPYARD_", 9) != 0);
        FUZZ_CHECK(strncmp(entry->name, "WEBHOOKD_", 9) != 0);
        FUZZ_CHECK(strlen(entry->value) < ENVIRONMENT_VALUE_MAX_BYTES);
        for (size_t other = 0; other < i; other++)
            FUZZ_CHECK(strcmp(vessel->environment[other].name, entry->name) != 0);
    }
}

/* They go to package managers, which must not read them as options, paths, URLs or lines. */
static void check_packages(const struct package_list *list)
{
    FUZZ_CHECK(list->count <= PACKAGES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].name, *version = list->items[i].version;
        FUZZ_CHECK(name[0] != '\0' && !strchr("-./~", name[0]) && !strpbrk(name, ":\\\r\n"));
        FUZZ_CHECK(!strchr(name + 1, '@') && (name[0] == '@') == (strchr(name, '/') != NULL));
        FUZZ_CHECK(version[0] != '-' && version[0] != '.' && !strpbrk(version, "/@\\\r\n;#"));
    }
}

/* The file is placed below the working folder, and nowhere else. */
static void check_path(const char *path)
{
    FUZZ_CHECK(path[0] != '\0' && path[0] != '/');
    for (const char *at = path; *at != '\0';) {
        size_t bytes = strcspn(at, "/");
        FUZZ_CHECK(bytes > 0 && (bytes != 1 || at[0] != '.'));
        FUZZ_CHECK(bytes != 2 || memcmp(at, "..", 2) != 0);
        at += bytes;
        FUZZ_CHECK(at[0] != '/' || at[1] != '\0');
        at += *at == '/';
    }
}

static void check_guardrails(const struct guardrails *guardrails)
{
    FUZZ_CHECK(guardrails->retry_count >= 0 && guardrails->retry_count <= 24);
    FUZZ_CHECK(guardrails->retry_wait_ms >= 0 && guardrails->retry_wait_ms <= 3600 * 1000);
    FUZZ_CHECK(guardrails->cutoff_ms > 0 && guardrails->cutoff_ms <= GUARDRAIL_MAX_CUTOFF_MS);
    for (size_t i = 0; i < guardrails->excluded_count; i++) {
        FUZZ_CHECK(guardrails->excluded[i].first <= guardrails->excluded[i].last);
        FUZZ_CHECK(i == 0 || guardrails->excluded[i].first > guardrails->excluded[i - 1].last + 1);
    }
}

/* If the vessels succeed and err in turn, each comes to its end: the graph has no cycle. */
static void check_that_runs_end(const struct definition *definition)
{
    size_t count = definition->vessel_count;
    enum vessel_status *statuses = memory_array(NULL, count, sizeof(*statuses));
    enum plan_verdict *verdicts = memory_array(NULL, count, sizeof(*verdicts));
    for (size_t i = 0; i < count; i++)
        statuses[i] = VESSEL_SCHEDULED;
    for (size_t round = 0; plan_run_status(statuses, count) == RUN_RUNNING; round++) {
        FUZZ_CHECK(round <= count);
        plan_next(definition, statuses, verdicts);
        for (size_t i = 0; i < count; i++) {
            if (verdicts[i] == PLAN_START)
                statuses[i] = i % 2 == 0 ? VESSEL_SUCCESS : VESSEL_ERRORED;
            else if (verdicts[i] == PLAN_INCOMPLETE)
                statuses[i] = VESSEL_INCOMPLETE;
        }
    }
    free(verdicts);
    free(statuses);
}

static void check_definition(const struct definition *definition)
{
    FUZZ_CHECK(!name_problem(definition->name));
    FUZZ_CHECK(definition->vessel_count >= 1 && definition->vessel_count <= 1000);
    FUZZ_CHECK(definition->max_concurrent_runs >= 0);
    for (size_t i = 0; i < definition->vessel_count; i++) {
        const struct definition_vessel *vessel = &definition->vessels[i];
        check_texts(vessel);
        check_guardrails(&vessel->guardrails);
        check_packages(&vessel->packages);
        check_packages(&vessel->system_packages);
        if (vessel->kind == VESSEL_CODE) {
            check_path(vessel->file_name);
            check_path(vessel->file_to_run);
        }
        for (size_t other = 0; other < i; other++)
            FUZZ_CHECK(strcmp(definition->vessels[other].name, vessel->name) != 0);
    }
    for (size_t i = 0; i < definition->path_count; i++) {
        const struct definition_path *path = &definition->paths[i];
        FUZZ_CHECK(path->from < definition->vessel_count && path->to < definition->vessel_count);
        FUZZ_CHECK(path->from != path->to);
    }
    check_that_runs_end(definition);
}

/* Writes the definition, reads it, and writes it again. */
static void check_that_it_is_read_as_written(const struct definition *definition)
{
    struct error error = ERROR_INIT;
    char *written = definition_json_write(definition, true);
    struct definition *read = definition_json_read(written, strlen(written), &error);
    FUZZ_CHECK(read && !error_is_set(&error));
    char *again = definition_json_write(read, true);
    FUZZ_CHECK(strcmp(written, again) == 0);
    free(again);
    free(written);
    written = definition_json_write(definition, false);
    again = definition_json_write(read, false);
    FUZZ_CHECK(strcmp(written, again) == 0);
    free(again);
    free(written);
    definition_free(read);
}

/* ---- the file without its hidden values ---- */

/* Each value that is hidden and in the file is left out, and all else stays. */
static void check_mask(const uint8_t *data, size_t bytes, const struct fleet_file_options *options,
                       const struct definition *definition)
{
    struct fleet_hidden_list list;
    struct error error = ERROR_INIT;
    size_t masked_bytes = 0;
    fleet_file_find_hidden((const char *)data, bytes, options, &list);
    FUZZ_CHECK((list.count > 0) == definition_has_hidden(definition));
    char *masked = fleet_hidden_mask(&list, definition, &masked_bytes, &error);
    FUZZ_CHECK(masked && !error_is_set(&error));
    struct fleet_problems problems = {0}, notes = {0};
    struct definition *without = fleet_file_parse(masked, masked_bytes, options, &problems, &notes);
    FUZZ_CHECK(without && without->vessel_count == definition->vessel_count);
    for (size_t i = 0; i < list.count; i++) {
        const struct fleet_hidden *hidden = &list.items[i];
        FUZZ_CHECK(definition->vessels[hidden->vessel].environment[hidden->entry].hidden);
        FUZZ_CHECK(
            definition_lacks_value(&without->vessels[hidden->vessel].environment[hidden->entry]));
    }
    definition_free(without);
    report_free_problems(&problems);
    report_free_problems(&notes);
    free(masked);
    fleet_hidden_free(&list);
}

/* ---- the problems of a file ---- */

static int count_lines(const uint8_t *data, size_t bytes)
{
    int lines = 1;
    for (size_t i = 0; i < bytes; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80; /* U+2028, U+0085 */
    return lines;
}

static void check_problems(const struct fleet_problems *problems, int lines)
{
    bool without_line = false;
    int last = 0;
    for (size_t i = 0; i < problems->count; i++) {
        const struct fleet_problem *problem = &problems->items[i];
        FUZZ_CHECK(fuzz_is_message(problem->message));
        FUZZ_CHECK(problem->path[0] == '\0' || fuzz_is_message(problem->path));
        FUZZ_CHECK(problem->line >= 0 && problem->line <= lines + 1);
        FUZZ_CHECK(problem->line == 0 || (!without_line && problem->line >= last));
        without_line = without_line || problem->line == 0;
        last = problem->line;
    }
}

static bool read_file(const uint8_t *data, size_t bytes, bool stub)
{
    const struct fleet_file_options options = {.stub = stub};
    struct fleet_problems problems = {0}, notes = {0};
    struct definition *definition =
        fleet_file_parse((const char *)data, bytes, &options, &problems, &notes);
    FUZZ_CHECK((definition == NULL) == (problems.count > 0));
    check_problems(&problems, count_lines(data, bytes));
    check_problems(&notes, count_lines(data, bytes));
    bool accepted = definition != NULL;
    if (accepted) {
        check_definition(definition);
        check_that_it_is_read_as_written(definition);
        check_mask(data, bytes, &options, definition);
    }
    definition_free(definition);
    report_free_problems(&problems);
    report_free_problems(&notes);
    return accepted;
}

static void read_stored(const uint8_t *data, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct definition *definition = definition_json_read((const char *)data, bytes, &error);
    FUZZ_CHECK((definition == NULL) == error_is_set(&error));
    if (definition)
        check_that_it_is_read_as_written(definition);
    else
        FUZZ_CHECK(fuzz_is_message(error.message));
    definition_free(definition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    /* What is accepted without the option is accepted with it. */
    bool accepted = read_file(data, bytes, false);
    FUZZ_CHECK(read_file(data, bytes, true) || !accepted);
    read_stored(data, bytes);
    return 0;
}
