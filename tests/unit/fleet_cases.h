/* Shared by the tests of fleet files: parsing a file, and its expected problems. */
#ifndef WEBHOOKD_TESTS_UNIT_FLEET_CASES_H
#define WEBHOOKD_TESTS_UNIT_FLEET_CASES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/suite.h"

#define HEAD       "name: x\nvessels:\n  a:\n    source:\n      type: CODE\n      language: BASH\n"
#define SOURCE     HEAD "      file: { name: a.sh, content: x }\n"
#define GUARDRAILS SOURCE "    guardrails:\n      "
#define VESSEL(name)                                                                               \
    "  " name ": { source: { type: CODE, language: BASH, file: { name: a, content: x } } }\n"
#define THREE "name: x\nvessels:\n" VESSEL("a") VESSEL("b") VESSEL("c")

struct outcome {
    struct definition *definition;
    struct fleet_problems problems;
    struct fleet_problems notes;
};

static inline struct outcome parse_bytes(const char *text, size_t bytes, bool stub)
{
    struct outcome outcome = {0};
    struct fleet_file_options options = {.stub = stub};
    /* A copy without a terminating NUL, so that the sanitizer detects a read beyond its end. */
    char *copy = memory_copy(text, bytes > 0 ? bytes : 1);
    outcome.definition = fleet_file_parse(copy, bytes, &options, &outcome.problems, &outcome.notes);
    free(copy);
    ck_assert((outcome.definition == NULL) == (outcome.problems.count > 0));
    return outcome;
}

static inline struct outcome parse(const char *text)
{
    return parse_bytes(text, strlen(text), false);
}

static inline struct outcome parse_good(const char *text)
{
    struct outcome outcome = parse(text);
    if (!outcome.definition)
        ck_abort_msg("%d: %s: %s", outcome.problems.items[0].line, outcome.problems.items[0].path,
                     outcome.problems.items[0].message);
    return outcome;
}

static inline void outcome_free(struct outcome *outcome)
{
    definition_free(outcome->definition);
    report_free_problems(&outcome->problems);
    report_free_problems(&outcome->notes);
}

static inline bool has(const struct fleet_problems *problems, int line, const char *path,
                       const char *message)
{
    for (size_t i = 0; i < problems->count; i++)
        if (problems->items[i].line == line && strcmp(problems->items[i].path, path) == 0 &&
            strstr(problems->items[i].message, message))
            return true;
    return false;
}

static inline void show(const char *text, const struct fleet_problems *problems)
{
    printf("# %s\n", text);
    for (size_t i = 0; i < problems->count; i++)
        printf("#   %d: %s: %s\n", problems->items[i].line, problems->items[i].path,
               problems->items[i].message);
}

/* Expects exactly one problem, with this line and path, whose message contains these words. */
static inline void refuse(const char *text, int line, const char *path, const char *message)
{
    struct outcome outcome = parse(text);
    if (outcome.problems.count != 1 || !has(&outcome.problems, line, path, message)) {
        show(text, &outcome.problems);
        ck_abort_msg("expected only: %d: %s: %s", line, path, message);
    }
    outcome_free(&outcome);
}

#endif
