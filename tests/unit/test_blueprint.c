/* model/blueprint and model/inputs: what a blueprint file may have, what its inputs accept, and
 * what a fleet file's vessel may set. */
#include "model/blueprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/suite.h"
#include "unit/fleet_cases.h"

#define TOP    "name: Mail\nsynopsis: Sends one.\n"
#define CODE   "source: { type: CODE, language: BASH, file: { name: a.sh, content: x } }\n"
#define INPUTS TOP "inputs:\n"

struct reading {
    struct blueprint *blueprint;
    struct fleet_problems problems, notes;
};

static struct reading read_text(const char *text)
{
    struct reading reading = {NULL, {NULL, 0}, {NULL, 0}};
    const struct fleet_file_options options = {.stub = true};
    reading.blueprint =
        blueprint_file_parse(text, strlen(text), &options, &reading.problems, &reading.notes);
    ck_assert((reading.blueprint == NULL) == (reading.problems.count > 0));
    return reading;
}

static void reading_free(struct reading *reading)
{
    blueprint_free(reading->blueprint);
    report_free_problems(&reading->problems);
    report_free_problems(&reading->notes);
}

static struct blueprint *read_good(const char *text)
{
    struct reading reading = read_text(text);
    if (!reading.blueprint)
        show(text, &reading.problems);
    struct blueprint *blueprint = reading.blueprint;
    ck_assert_ptr_nonnull(blueprint);
    reading.blueprint = NULL;
    reading_free(&reading);
    return blueprint;
}

/* Expects exactly one problem. */
static void refuse_blueprint(const char *text, int line, const char *path, const char *message)
{
    struct reading reading = read_text(text);
    if (reading.problems.count != 1 || !has(&reading.problems, line, path, message)) {
        show(text, &reading.problems);
        ck_abort_msg("expected only: %d: %s: %s", line, path, message);
    }
    reading_free(&reading);
}

static const char full[] =
    "name: Mail\n_id: 0198f0e0-0000-7000-8000-000000000001\nsynopsis: Sends one message.\n"
    "description: |\n  Two\n  lines.\nvisibility: EDITORS\n"
    "inputs:\n"
    "  TO: { name: To, type: ALPHANUMERIC, required: true, placeholder: a@b, tooltip: Who }\n"
    "  PORT: { name: Port, type: INTEGER, default: 587 }\n"
    "  METHOD:\n    name: Method\n    type: SELECT\n    default: tls\n"
    "    options: [ { name: TLS, value: tls }, { name: SSL, value: ssl } ]\n"
    "  FOOTER: { name: Footer, type: BOOLEAN, default: true }\n"
    "  PASSWORD: { name: Password, type: PASSWORD }\n"
    "source:\n  type: CODE\n  language: PYTHON\n  file: { name: send.py, content: print(1) }\n"
    "  arguments: [ { key: --to, value: '${TO}' }, '$${TO}' ]\n"
    "  environment: [ { name: SMTP_PORT, value: '${PORT}' } ]\n"
    "guardrails: { retry_count: 1 }\n";

TEST(a_blueprint_is_read_and_its_form_is_read_back)
{
    struct error error = ERROR_INIT;
    struct blueprint *blueprint = read_good(full);
    char *form = blueprint_json_write(blueprint);
    struct blueprint *again = blueprint_json_read(form, strlen(form), &error);
    ck_assert_ptr_nonnull(again);
    char *second = blueprint_json_write(again);
    ck_assert_str_eq(form, second);
    ck_assert_str_eq(again->name, "Mail");
    ck_assert_str_eq(again->description, "Two\nlines.\n");
    ck_assert_int_eq((int)again->visibility, VISIBLE_TO_EDITORS);
    ck_assert_uint_eq(again->inputs.count, 5);
    ck_assert_str_eq(again->inputs.items[0].key, "TO");
    ck_assert(again->inputs.items[0].required);
    ck_assert_str_eq(again->inputs.items[1].default_value, "587");
    ck_assert_uint_eq(again->inputs.items[2].option_count, 2);
    ck_assert_str_eq(again->code.arguments[1], "${TO}");
    ck_assert_int_eq(again->code.guardrails.retry_count, 1);
    free(second);
    free(form);
    blueprint_free(again);
    blueprint_free(blueprint);
    static const char *const damaged[] = {"", "{}", "[]", "{\"format\":2}", "nonsense"};
    for (size_t i = 0; i < ARRAY_COUNT(damaged); i++) {
        error_clear(&error);
        ck_assert_ptr_null(blueprint_json_read(damaged[i], strlen(damaged[i]), &error));
        ck_assert(error_is_set(&error));
    }
}

TEST(a_password_may_be_multiline_as_keys_are)
{
    struct blueprint *blueprint =
        read_good(INPUTS "  KEY: { name: Key, type: PASSWORD, multiline: true }\n"
                         "  PIN: { name: Pin, type: PASSWORD }\n" CODE);
    ck_assert(blueprint->inputs.items[0].multiline);
    ck_assert(!blueprint->inputs.items[1].multiline);
    for (size_t i = 0; i < blueprint->inputs.count; i++)
        ck_assert_ptr_null(inputs_problem(&blueprint->inputs.items[i], "BEGIN\nEND\n"));
    blueprint_free(blueprint);
}

TEST(what_is_wrong_with_a_blueprint_has_its_path_and_line)
{
    static const struct {
        const char *text, *path, *message;
        int line;
    } cases[] = {
        {"synopsis: s\n" CODE, "name", "missing", 0},
        {"name: a/b\nsynopsis: s\n" CODE, "name", "must not contain", 1},
        {"name: a\n" CODE, "synopsis", "missing", 0},
        {"name: a\nsynopsis: ''\n" CODE, "synopsis", "1 to 255 bytes", 2},
        {"name: a\nsynopsis: \"a\\nb\"\n" CODE, "synopsis", "one line", 2},
        {TOP, "source", "missing", 0},
        {TOP CODE "what: 1\n", "what", "unknown key", 4},
        {TOP CODE "visibility: SOME\n", "visibility", "EVERYONE, EDITORS or HIDDEN", 4},
        {TOP CODE "_id: x\n", "_id", "not an id", 4},
        {TOP "source: { type: BLUEPRINT, blueprint: x }\n", "source.type", "another blueprint", 3},
        {TOP "source: { type: GIT }\n", "source.type", "cannot be the source", 3},
        {INPUTS "  A: x\n" CODE, "inputs.A", "must be a mapping", 4},
        {INPUTS "  SHIPYARD_A: { name: a, type: FLOAT }\n" CODE, "inputs.SHIPYARD_A", "reserved",
         4},
        {INPUTS "  PATH: { name: a, type: FLOAT }\n" CODE, "inputs.PATH", "which code is run", 4},
        {INPUTS "  LD_X: { name: a, type: FLOAT }\n" CODE, "inputs.LD_X", "which code is run", 4},
        {INPUTS "  a-b: { name: a, type: FLOAT }\n" CODE, "inputs.a-b", "letters, digits", 4},
        {INPUTS "  A: { type: FLOAT }\n" CODE, "inputs.A.name", "missing", 4},
        {INPUTS "  A: { name: a }\n" CODE, "inputs.A.type", "missing", 4},
        {INPUTS "  A: { name: a, type: TEXT }\n" CODE, "inputs.A.type", "ALPHANUMERIC", 4},
        {INPUTS "  A: { name: a, type: INTEGER, default: 1.5 }\n" CODE, "inputs.A.default",
         "whole number", 4},
        {INPUTS "  A: { name: a, type: DATE, default: 2026-02-29 }\n" CODE, "inputs.A.default",
         "must be a day", 4},
        {INPUTS "  A: { name: a, type: INTEGER, multiline: true }\n" CODE, "inputs.A.multiline",
         "only an input of type ALPHANUMERIC or PASSWORD", 4},
        {INPUTS "  A: { name: a, type: SELECT, default: x }\n" CODE, "inputs.A.options",
         "needs a list", 4},
        {INPUTS "  A: { name: a, type: SELECT, options: [ { name: x, value: x } ] }\n" CODE,
         "inputs.A.default", "needs a default", 4},
        {INPUTS "  A: { name: a, type: PASSWORD, default: geheim }\n" CODE, "inputs.A.default",
         "#{GROUP.ITEM}", 4},
        {INPUTS "  A: { name: a, type: FLOAT, options: [] }\n" CODE, "inputs.A.options",
         "only an input of type SELECT", 4},
        {TOP "source: { type: CODE, language: BASH, file: { name: a, content: x },\n"
             "  arguments: [ '${NO}' ] }\n",
         "source.arguments[0]", "no input \"NO\"", 4},
        {TOP "source: { type: CODE, language: BASH, file: { name: a, content: x },\n"
             "  arguments: [ '${NO:-1}' ] }\n",
         "source.arguments[0]", "begins a reference to an input", 4},
        {TOP "source: { type: CODE, language: BASH, file: { name: a, content: x },\n"
             "  file_to_run: '${NO}' }\n",
         "source.file_to_run", "no input \"NO\"", 4},
        {INPUTS "  A: { name: a, type: FLOAT }\n"
                "source: { type: CODE, language: BASH, file: { name: a, content: x },\n"
                "  environment: { A: 1 } }\n",
         "source.environment.A", "is an input", 6},
        {TOP "source: { type: CODE, language: BASH, file: { name: a, content: x },\n"
             "  environment: [ { name: A, value: x, hidden: true } ] }\n",
         "source.environment[0]", "no hidden values", 4},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int line = cases[i].line == 0 ? 1 : cases[i].line;
        refuse_blueprint(cases[i].text, line, cases[i].path, cases[i].message);
    }
}

TEST(a_blueprint_has_at_most_100_inputs_and_64_KiB_of_description)
{
    for (int more = 0; more < 2; more++) {
        struct buffer text = BUFFER_INIT;
        buffer_append_text(&text, INPUTS);
        for (int i = 0; i < INPUTS_MAX_COUNT + more; i++)
            buffer_append_format(&text, "  I%d: { name: i, type: FLOAT }\n", i);
        buffer_append_text(&text, CODE);
        if (more)
            refuse_blueprint(buffer_text(&text), 3, "inputs", "at most 100 inputs, not 101");
        else
            blueprint_free(read_good(buffer_text(&text)));
        buffer_free(&text);
        char *long_text = memory_alloc(BLUEPRINT_MAX_DESCRIPTION_BYTES + 2);
        memset(long_text, 'a', BLUEPRINT_MAX_DESCRIPTION_BYTES + more);
        char *file = memory_format(TOP CODE "description: %s\n", long_text);
        if (more)
            refuse_blueprint(file, 4, "description", "at most 64 KiB");
        else
            blueprint_free(read_good(file));
        free(file);
        free(long_text);
    }
}

TEST(a_blueprint_file_has_at_most_1_MiB)
{
    for (size_t more = 0; more < 2; more++) {
        size_t bytes = BLUEPRINT_FILE_MAX_BYTES + more, head = strlen(TOP CODE);
        char *text = memory_alloc(bytes + 1);
        memset(text, 'a', bytes);
        memcpy(text, TOP CODE "#", head + 1);
        if (more > 0)
            refuse_blueprint(text, 0, "", "the blueprint file is larger than 1 MiB");
        else
            blueprint_free(read_good(text));
        free(text);
    }
}

TEST(each_type_accepts_its_values_and_no_others)
{
    static const struct {
        enum input_type type;
        const char *good[8], *bad[8];
    } cases[] = {
        {INPUT_ALPHANUMERIC, {"", "a b", "ä"}, {"a\nb", "a\r"}},
        {INPUT_INTEGER,
         {"0", "-1", "007", "9223372036854775807", "-9223372036854775808"},
         {"+1", "1.0", "1e3", " 1", "-", "9223372036854775808", "-9223372036854775809"}},
        {INPUT_FLOAT,
         {"0", "-1.5", ".5", "5.", "1e9", "1.5E-3"},
         {".", "-", "1e", "nan", "inf", "1,5", "0x10"}},
        {INPUT_BOOLEAN, {"true", "FALSE", "True"}, {"yes", "1", "on", " true"}},
        {INPUT_DATE,
         {"2024-02-29", "2000-02-29", "2026-12-31"},
         {"2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "2026-00-10", "2026-04-31",
          "20260101"}},
        {INPUT_SELECT, {"tls", "ssl"}, {"", "TLS", "x"}},
        {INPUT_PASSWORD, {"", "any ${thing}", "a\nb"}, {NULL}},
    };
    char name[] = "n", tls[] = "tls", ssl[] = "ssl";
    struct input_option options[] = {{name, tls}, {name, ssl}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct input input = {
            .key = name, .type = cases[i].type, .options = options, .option_count = 2};
        for (size_t j = 0; j < 8 && cases[i].good[j]; j++)
            ck_assert_msg(!inputs_problem(&input, cases[i].good[j]), "%s", cases[i].good[j]);
        for (size_t j = 0; j < 8 && cases[i].bad[j]; j++)
            ck_assert_msg(inputs_problem(&input, cases[i].bad[j]) != NULL, "%s", cases[i].bad[j]);
    }
    const struct input boolean = {.type = INPUT_BOOLEAN}, text = {.required = true};
    ck_assert_str_eq(inputs_normal_form(&boolean, "true"), "TRUE");
    ck_assert_str_eq(inputs_normal_form(&boolean, "fAlse"), "FALSE");
    ck_assert_str_eq(inputs_normal_form(&boolean, "maybe"), "maybe");
    ck_assert_str_eq(inputs_normal_form(&text, "true"), "true");
    ck_assert_ptr_nonnull(inputs_problem(&text, ""));
}

/* ---- a fleet file's vessel ---- */

static struct blueprint *mail;

static bool find(void *context, const char *name, int version, struct fleet_blueprint *found)
{
    (void)context;
    if (strcmp(name, "Mail") != 0)
        return false;
    found->id = mail->id;
    found->inputs = version > 3 ? NULL : &mail->inputs;
    return true;
}

static struct outcome parse_fleet(const char *source, bool stub)
{
    struct outcome outcome = {0};
    const struct fleet_file_options options = {.stub = stub, .find_blueprint = find};
    char *text =
        memory_format("name: f\nvessels:\n  v:\n    source:\n      type: BLUEPRINT\n%s", source);
    outcome.definition =
        fleet_file_parse(text, strlen(text), &options, &outcome.problems, &outcome.notes);
    free(text);
    return outcome;
}

static void refuse_fleet(const char *source, int line, const char *path, const char *message)
{
    struct outcome outcome = parse_fleet(source, false);
    if (outcome.problems.count != 1 || !has(&outcome.problems, line, path, message)) {
        show(source, &outcome.problems);
        ck_abort_msg("expected only: %d: %s: %s", line, path, message);
    }
    outcome_free(&outcome);
}

#define USE "      blueprint: Mail\n"

TEST(a_vessel_gives_its_inputs_and_passwords_are_hidden)
{
    mail = read_good(full);
    struct outcome outcome =
        parse_fleet(USE "      blueprint_version: 2\n"
                        "      inputs: { TO: 'a-${METHOD}', PORT: 25, PASSWORD: 'pa${ss}', "
                        "FOOTER: }\n    guardrails: { retry_wait: 5s }\n",
                    false);
    show("", &outcome.problems);
    ck_assert_ptr_nonnull(outcome.definition);
    const struct definition_vessel *vessel = &outcome.definition->vessels[0];
    ck_assert_int_eq((int)vessel->kind, VESSEL_BLUEPRINT);
    ck_assert(id_equal(&vessel->blueprint_id, &mail->id));
    ck_assert_int_eq(vessel->blueprint_version, 2);
    ck_assert_uint_eq(vessel->environment_count, 3);
    ck_assert(!vessel->environment[0].hidden);
    ck_assert_str_eq(vessel->environment[2].value, "pa${ss}");
    ck_assert(vessel->environment[2].hidden);
    struct error error = ERROR_INIT;
    char *form = definition_json_write(outcome.definition, true);
    struct definition *again = definition_json_read(form, strlen(form), &error);
    ck_assert_ptr_nonnull(again);
    ck_assert_int_eq(again->vessels[0].blueprint_version, 2);
    ck_assert_uint_eq(again->vessels[0].guardrails.given, GIVEN_RETRY_WAIT);
    ck_assert_ptr_null(strstr(form, "pa${ss}"));
    guardrails_complete(&again->vessels[0].guardrails, &mail->code.guardrails);
    ck_assert_int_eq(again->vessels[0].guardrails.retry_count, 1);
    ck_assert_int_eq(again->vessels[0].guardrails.retry_wait_ms, 5000);
    free(form);
    definition_free(again);
    outcome_free(&outcome);
    blueprint_free(mail);
}

TEST(a_vessel_that_does_not_fit_its_blueprint_is_refused)
{
    mail = read_good(full);
    static const struct {
        const char *source, *path, *message;
        int line;
    } cases[] = {
        {"      blueprint: Mail\n      blueprint_version: 4\n", "blueprint_version",
         "has no version 4", 7},
        {"      blueprint: mail\n", "blueprint", "blueprint \"mail\" is not available here", 6},
        {USE "      inputs: { TO: a, PORT: x }\n", "inputs.PORT", "whole number", 7},
        {USE "      inputs: { TO: a, METHOD: x }\n", "inputs.METHOD", "one of the input's", 7},
        {USE "      inputs: { TO: a, NEW: x }\n", "inputs.NEW", "no input \"NEW\"", 7},
        {USE "      inputs: { TO: '' }\n", "inputs.TO", "must not be empty", 7},
        {USE, "inputs.TO", "is required", 4},
        {USE "      inputs: { TO: [ a ] }\n", "inputs.TO", "single value", 7},
        {USE "      inputs: { TO: '${TO}' }\n", "inputs.TO", "circle", 7},
        {USE "      inputs: { TO: '${PORT}', PORT: '${METHOD}', METHOD: '${TO}' }\n", "inputs.TO",
         "circle", 7},
        {USE "      inputs: { TO: '${NO}' }\n", "inputs.TO", "no input \"NO\"", 7},
        {USE "      inputs: { TO: '#{no}' }\n", "inputs.TO", "begins a reference", 7},
        {USE "      inputs: { TO: a }\n      file: { name: a, content: x }\n", "file",
         "the code of this vessel is the blueprint's", 8},
        {USE "      inputs: { TO: a }\n      arguments: [ a ]\n", "arguments", "leave", 8},
        {USE "      inputs: { TO: a }\n      packages: [ a ]\n", "packages", "leave", 8},
        {USE "      inputs: { TO: a }\n      colour: red\n", "colour", "unknown key", 8},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *path = memory_format("vessels.v.source.%s", cases[i].path);
        refuse_fleet(cases[i].source, cases[i].line, path, cases[i].message);
        free(path);
    }
    struct outcome stub = parse_fleet("      blueprint: Slack\n      what: ever\n", true);
    ck_assert_ptr_nonnull(stub.definition);
    ck_assert_int_eq((int)stub.definition->vessels[0].kind, VESSEL_STUB);
    outcome_free(&stub);
    blueprint_free(mail);
}

TEST(a_changed_blueprint_says_which_vessels_no_longer_fit)
{
    mail = read_good(full);
    struct outcome outcome = parse_fleet(
        USE "      inputs: { TO: a, PORT: 1, METHOD: ssl, FOOTER: '${TO}', PASSWORD: x }\n", false);
    ck_assert_ptr_nonnull(outcome.definition);
    const struct definition_vessel *vessel = &outcome.definition->vessels[0];
    struct fleet_problems problems = {NULL, 0};
    inputs_check_vessel(&mail->inputs, vessel, "v", &problems);
    ck_assert_uint_eq(problems.count, 0);
    struct blueprint *changed =
        read_good(INPUTS "  TO: { name: To, type: PASSWORD }\n"
                         "  PORT: { name: Port, type: DATE }\n"
                         "  METHOD: { name: M, type: SELECT, default: tls,\n"
                         "            options: [ { name: TLS, value: tls } ] }\n"
                         "  FOOTER: { name: Footer, type: INTEGER }\n"
                         "  NEW: { name: New, type: INTEGER, required: true }\n" CODE);
    inputs_check_vessel(&changed->inputs, vessel, "v", &problems);
    show("", &problems);
    ck_assert_uint_eq(problems.count, 5);
    ck_assert(has(&problems, 0, "v.TO", "the value is hidden"));
    ck_assert(has(&problems, 0, "v.PORT", "must be a day"));
    ck_assert(has(&problems, 0, "v.METHOD", "one of the input's options"));
    ck_assert(has(&problems, 0, "v.PASSWORD", "not an input"));
    ck_assert(has(&problems, 0, "v.NEW", "is required"));
    report_free_problems(&problems);
    blueprint_free(changed);
    outcome_free(&outcome);
    blueprint_free(mail);
}
