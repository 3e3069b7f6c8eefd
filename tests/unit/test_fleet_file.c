/* Fleet files: what is accepted and how it is read; what is refused, at which line and why. */
#include "model/fleet_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/report.h"
#include "support/suite.h"
#include "unit/fleet_cases.h"

/* Adds this text to the source of the vessel "a" and expects these arguments, joined by "|". */
static void expect_arguments(const char *yaml, const char *joined)
{
    char *text = memory_format("%s      %s\n", SOURCE, yaml);
    struct outcome outcome = parse_good(text);
    struct buffer found = BUFFER_INIT;
    for (size_t i = 0; i < outcome.definition->vessels[0].argument_count; i++)
        buffer_append_format(&found, "%s%s", i == 0 ? "" : "|",
                             outcome.definition->vessels[0].arguments[i]);
    ck_assert_str_eq(buffer_text(&found), joined);
    buffer_free(&found);
    free(text);
    outcome_free(&outcome);
}

static void expect_environment(const char *yaml, const char *joined)
{
    char *text = memory_format("%s      %s\n", SOURCE, yaml);
    struct outcome outcome = parse_good(text);
    struct buffer found = BUFFER_INIT;
    for (size_t i = 0; i < outcome.definition->vessels[0].environment_count; i++)
        buffer_append_format(&found, "%s%s=%s", i == 0 ? "" : "|",
                             outcome.definition->vessels[0].environment[i].name,
                             outcome.definition->vessels[0].environment[i].value);
    ck_assert_str_eq(buffer_text(&found), joined);
    buffer_free(&found);
    free(text);
    outcome_free(&outcome);
}

static void refuse_source(const char *yaml, const char *path, const char *message)
{
    char *text = memory_format("%s      %s\n", SOURCE, yaml);
    refuse(text, 8, path, message);
    free(text);
}

/* ---- what is accepted ---- */

TEST(the_smallest_fleet_gets_all_defaults)
{
    struct outcome outcome = parse_good(SOURCE);
    const struct definition *fleet = outcome.definition;
    ck_assert_str_eq(fleet->name, "x");
    ck_assert(id_is_zero(&fleet->id));
    ck_assert_uint_eq(fleet->vessel_count, 1);
    ck_assert_uint_eq(fleet->path_count, 0);
    ck_assert_int_eq((int)fleet->on_interrupt, INTERRUPT_FAIL);
    ck_assert_int_eq(fleet->max_concurrent_runs, 0);
    const struct definition_vessel *vessel = &fleet->vessels[0];
    ck_assert_str_eq(vessel->name, "a");
    ck_assert(id_is_zero(&vessel->id));
    ck_assert_int_eq((int)vessel->kind, VESSEL_CODE);
    ck_assert_ptr_null(vessel->version);
    ck_assert_str_eq(vessel->file_name, "a.sh");
    ck_assert_str_eq(vessel->file_content, "x");
    ck_assert_str_eq(vessel->file_to_run, "a.sh");
    ck_assert_int_eq(vessel->guardrails.retry_count, 0);
    ck_assert_int_eq(vessel->guardrails.retry_wait_ms, 0);
    ck_assert_int_eq(vessel->guardrails.cutoff_ms, 4 * 3600 * 1000);
    ck_assert_uint_eq(outcome.notes.count, 0);
    outcome_free(&outcome);
}

TEST(block_scalars_keep_their_lines)
{
    struct outcome outcome =
        parse_good(HEAD "      file:\n        name: a.sh\n        content: |\n"
                        "          one\n            two # not a comment\n\n          #!x: y\n");
    ck_assert_str_eq(outcome.definition->vessels[0].file_content,
                     "one\n  two # not a comment\n\n#!x: y\n");
    outcome_free(&outcome);
}

TEST(arguments_take_every_documented_form)
{
    expect_arguments("arguments: [ { key: --verbose }, { key: --lines, value: 3 }, all ]",
                     "--verbose|--lines|3|all");
    expect_arguments("arguments: [ { name: --a, value: 'b c' }, { --flag: value }, { -x: } ]",
                     "--a|b c|--flag|value|-x");
    expect_arguments("arguments: { key: --one, value: two }", "--one|two");
    expect_arguments("arguments: { --one: two }", "--one|two");
    expect_arguments("arguments: [ '' , \"$HOME *\", '' ]", "|$HOME *|");
    expect_arguments("arguments: [ { key: --a, value: }, { key: --b, value: '' } ]", "--a|--b|");
    expect_arguments("arguments:", "");
    expect_arguments("arguments: []", "");
}

TEST(values_are_exactly_the_characters_of_the_file)
{
    expect_arguments(
        "arguments: [ 007, yes, 3.10, 1e3, 2001-01-01, 0x1F, True, 1_000, .5, nULL, ~~ ]",
        "007|yes|3.10|1e3|2001-01-01|0x1F|True|1_000|.5|nULL|~~");
    expect_arguments("arguments: [ !!str 1, !!str , ! x ]", "1||x");
    expect_arguments("arguments: [ \"\\u00e4\\n\", 'it''s' ]", "ä\n|it's");
}

TEST(plain_null_counts_as_absent_and_a_quoted_one_is_text)
{
    expect_arguments("arguments: [ a, ~, null, Null, NULL, b ]", "a|b");
    expect_arguments("arguments: [ '~', \"null\", !!str null ]", "~|null|null");
    expect_arguments("arguments: null", "");
    expect_environment("environment: { A: null, B: 'null' }", "B=null");
    struct outcome outcome = parse("name: null\nvessels: ~\n");
    ck_assert_ptr_null(outcome.definition);
    ck_assert(has(&outcome.problems, 1, "name", "missing"));
    ck_assert(has(&outcome.problems, 1, "vessels", "missing"));
    outcome_free(&outcome);
}

TEST(what_libyaml_would_change_or_cannot_explain_is_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"name: \"a\xc2\x85 b\"\n", "U+0085"},
        {"name: |\n  a\n  b\xe2\x80\xa8\n", "U+2028"},
        {"name: a\xe2\x80\xa9\n", "U+2029"},
        {"name: a\nvessels:\n\ta:\n", "indented with a tab"},
        {"name: a\nvessels:\n  \ta: 1\n", "indented with a tab"},
    };
    static const int lines[] = {1, 3, 1, 3, 3};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct outcome outcome = parse(cases[i].text);
        ck_assert_ptr_null(outcome.definition);
        ck_assert_msg(has(&outcome.problems, lines[i], "", cases[i].message), "%zu: %d: %s", i,
                      outcome.problems.items[0].line, outcome.problems.items[0].message);
        outcome_free(&outcome);
    }
    expect_arguments("arguments: [ \"a\\Nb\" ]", "a\xc2\x85"
                                                 "b");
}

TEST(pitfalls_of_a_script_are_noted_and_its_bytes_kept)
{
    static const struct {
        const char *language, *content, *note;
    } cases[] = {
        {"BASH", "echo a\\r\\necho b\\n", "CR LF"},
        {"PYTHON", "print(1)\\r\\n", "CR LF"},
        {"NODE", "\\uFEFFconsole.log(1)", "byte order mark"},
        {"BASH", "#!/usr/bin/env python3\\nprint(1)", "another interpreter"},
        {"BASH", "#!/bin/sh -eu\\necho", NULL},
        {"BASH", "#!/usr/bin/env bash\\necho", NULL},
        {"PYTHON", "#!/usr/bin/python3\\nprint(1)", NULL},
        {"BASH", "echo '\\r'\\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = memory_format("name: n\nvessels:\n  a:\n    source:\n      type: CODE\n"
                                   "      language: %s\n"
                                   "      file: { name: f, content: \"%s\" }\n",
                                   cases[i].language, cases[i].content);
        struct outcome outcome = parse_good(text);
        ck_assert_uint_eq(outcome.notes.count, cases[i].note ? 1 : 0);
        if (cases[i].note)
            ck_assert(has(&outcome.notes, 7, "vessels.a.source.file.content", cases[i].note));
        outcome_free(&outcome);
        free(text);
    }
}

TEST(environment_takes_a_list_a_mapping_or_one_entry)
{
    expect_environment("environment: [ { name: STAGE, value: test }, { name: _B2, value: '' } ]",
                       "STAGE=test|_B2=");
    expect_environment("environment: { STAGE: test, N: 007 }", "STAGE=test|N=007");
    expect_environment("environment: { name: STAGE, value: test }", "STAGE=test");
    expect_environment("environment: { name: a, other: b }", "name=a|other=b");
    /* This is one variable without a value, not one called "name". */
    expect_environment("environment: { name: STAGE, value: }", "");
    expect_environment("environment:", "");
}

TEST(a_variable_without_a_value_is_not_set_and_noted)
{
    struct outcome outcome = parse_good(SOURCE "      environment:\n        A:\n        B: ''\n");
    ck_assert_uint_eq(outcome.definition->vessels[0].environment_count, 1);
    ck_assert(has(&outcome.notes, 9, "vessels.a.source.environment.A", "not set"));
    outcome_free(&outcome);
}

TEST(connections_become_sorted_paths)
{
    struct outcome outcome =
        parse_good(THREE "connections:\n  c: { b: COMPLETED }\n  a: { c: SUCCESS, b: ERRORED }\n");
    const struct definition *fleet = outcome.definition;
    ck_assert_uint_eq(fleet->path_count, 3);
    static const struct definition_path EXPECTED[] = {
        {0, 1, PATH_ERRORED}, {0, 2, PATH_SUCCESS}, {2, 1, PATH_COMPLETED}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(fleet->paths[i].from, EXPECTED[i].from);
        ck_assert_uint_eq(fleet->paths[i].to, EXPECTED[i].to);
        ck_assert_int_eq((int)fleet->paths[i].condition, (int)EXPECTED[i].condition);
    }
    ck_assert_uint_eq(outcome.notes.count, 0);
    outcome_free(&outcome);
}

TEST(ignored_keys_are_noted)
{
    struct outcome outcome = parse_good(
        SOURCE "      version: '3.9'\n    packages: [ requests ]\n    system_packages:\n"
               "max_concurrent_runs: 2\nnotifications: { emails: [ a@b.c ] }\ntriggers: []\n");
    ck_assert_uint_eq(outcome.notes.count, 3);
    ck_assert(has(&outcome.notes, 8, "vessels.a.source.version", "configuration"));
    ck_assert(has(&outcome.notes, 9, "vessels.a.packages",
                  "\"packages\" is accepted, but has no effect: write it into the source"));
    ck_assert(has(&outcome.notes, 12, "notifications", "has no effect"));
    ck_assert_str_eq(outcome.definition->vessels[0].version, "3.9");
    outcome_free(&outcome);
}

TEST(ignored_keys_are_refused_in_a_strict_reading)
{
    static const char text[] = SOURCE "      version: '3.9'\n    packages: [ requests ]\n"
                                      "    system_packages:\ntriggers: []\n"
                                      "notifications: { emails: [ a@b.c ] }\n";
    const struct fleet_file_options options = {.strict = true};
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    ck_assert_ptr_null(fleet_file_parse(text, strlen(text), &options, &problems, &notes));
    ck_assert_uint_eq(problems.count, 3);
    ck_assert(has(&problems, 8, "vessels.a.source.version", "has no effect"));
    ck_assert(has(&problems, 9, "vessels.a.packages", "has no effect"));
    ck_assert(has(&problems, 12, "notifications", "\"notifications\" has no effect"));
    ck_assert_uint_eq(notes.count, 0);
    report_free_problems(&problems);
    report_free_problems(&notes);
}

TEST(hidden_values_of_a_fleet_are_bounded)
{
    for (int more = 0; more <= 1; more++) {
        struct buffer text = BUFFER_INIT;
        buffer_append_text(&text, SOURCE "      environment:\n");
        for (int i = 0; i < DEFINITION_MAX_HIDDEN + more; i++)
            buffer_append_format(&text, "        - {name: A%d, value: x, hidden: true}\n", i);
        if (more) {
            refuse(buffer_text(&text), 9 + DEFINITION_MAX_HIDDEN,
                   "vessels.a.source.environment[1000]", "at most 1000 hidden values");
        } else {
            struct outcome outcome = parse_good(buffer_text(&text));
            outcome_free(&outcome);
        }
        buffer_free(&text);
    }
}

TEST(ids_and_on_interrupt_are_read)
{
    struct outcome outcome =
        parse_good("_id: 6F0C1A2B-0000-4000-8000-0123456789AB\non_interrupt: RERUN\n" SOURCE
                   "    _id: 6f0c1a2b-0000-4000-8000-0123456789ac\n");
    char text[ID_TEXT_BYTES];
    ck_assert_str_eq(id_format(&outcome.definition->id, text),
                     "6f0c1a2b-0000-4000-8000-0123456789ab");
    ck_assert_str_eq(id_format(&outcome.definition->vessels[0].id, text),
                     "6f0c1a2b-0000-4000-8000-0123456789ac");
    ck_assert_int_eq((int)outcome.definition->on_interrupt, INTERRUPT_RERUN);
    outcome_free(&outcome);
}

TEST(json_means_the_same_as_the_equivalent_yaml)
{
    struct outcome outcome = parse_good(
        " \n{\"name\": \"j\", \"_id\": null, \"vessels\": {\"a\": {\"source\": {\"type\": "
        "\"CODE\", \"language\": \"PYTHON\","
        "\"file\": {\"name\": \"a.py\", \"content\": \"print(1, -2.50)\\n\\\"3\\\" "
        "\\ud83d\\udea2\"},"
        "\"arguments\": [3.10, 1, true, false, null, \"\", -0, 1E+5, 12345678901234567890123, "
        "{\"key\":\"-n\",\"value\":0.50}],"
        "\"environment\": {\"A\": 1.0, \"B\": null}}, \"guardrails\": {\"retry_count\": 2}}}}");
    const struct definition_vessel *vessel = &outcome.definition->vessels[0];
    static const char *const EXPECTED[] = {
        "3.10", "1", "true", "false", "", "-0", "1E+5", "12345678901234567890123", "-n", "0.50"};
    ck_assert_uint_eq(vessel->argument_count, ARRAY_COUNT(EXPECTED));
    for (size_t i = 0; i < ARRAY_COUNT(EXPECTED); i++)
        ck_assert_str_eq(vessel->arguments[i], EXPECTED[i]);
    ck_assert_str_eq(vessel->file_content, "print(1, -2.50)\n\"3\" 🚢");
    ck_assert_uint_eq(vessel->environment_count, 1);
    ck_assert_str_eq(vessel->environment[0].value, "1.0");
    ck_assert_int_eq(vessel->guardrails.retry_count, 2);
    outcome_free(&outcome);
}

TEST(a_byte_order_mark_is_skipped)
{
    struct outcome outcome = parse_good("\xef\xbb\xbf" SOURCE);
    ck_assert_str_eq(outcome.definition->name, "x");
    outcome_free(&outcome);
    refuse("\xef\xbb\xbf{\"name\": \"x\"}", 0, "vessels", "missing");
}

TEST(every_example_works)
{
    DIR *folder = opendir("docs/examples");
    ck_assert_msg(folder, "cannot open the examples; run the test in the project's folder");
    int examples = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0)
            continue;
        struct buffer text = BUFFER_INIT;
        struct error error = ERROR_INIT;
        ck_assert_msg(
            file_read(dirfd(folder), entry->d_name, FLEET_FILE_MAX_BYTES, &text, &error) == 0, "%s",
            error.message);
        struct outcome outcome = parse_good(buffer_text(&text));
        ck_assert_msg(outcome.notes.count == 0, "%s: %s", entry->d_name,
                      outcome.notes.count > 0 ? outcome.notes.items[0].message : "");
        outcome_free(&outcome);
        buffer_free(&text);
        examples++;
    }
    closedir(folder);
    ck_assert_int_ge(examples, 6);
}

/* ---- what is refused: the syntax ---- */

TEST(a_file_that_is_not_a_mapping_in_utf8_is_refused)
{
    refuse("", 0, "", "empty");
    refuse(" \n\t\n", 0, "", "empty");
    refuse("name: x\nvessels: \xff\n", 2, "", "UTF-8");
    struct outcome outcome = parse_bytes("a: 1\nb\0c", 8, false);
    ck_assert(has(&outcome.problems, 2, "", "NUL"));
    outcome_free(&outcome);
    refuse("just text\n", 1, "", "mapping");
    refuse("- a\n- b\n", 1, "", "mapping");
    refuse("# nothing\n", 0, "", "mapping");
}

TEST(a_file_over_8_mib_is_refused)
{
    size_t bytes = FLEET_FILE_MAX_BYTES + 1;
    char *text = memory_alloc(bytes);
    memset(text, '#', bytes);
    struct outcome outcome = parse_bytes(text, bytes, false);
    ck_assert(has(&outcome.problems, 0, "", "8 MiB"));
    outcome_free(&outcome);
    free(text);
}

TEST(yaml_errors_name_their_line)
{
    refuse("name: x\nvessels: [ a\nb: c\n", 3, "", "invalid YAML");
    refuse("name: x\n\tvessels: y\n", 2, "", "invalid YAML");
    refuse("name: \"x\n", 2, "", "invalid YAML");
    refuse("name: x\nother: \x01\n", 2, "", "control characters");
    refuse("name: \"\\0\"\n", 1, "name", "NUL");
    refuse("? [ a ]\n: b\n", 1, "", "key");
    refuse("name: x\n---\nname: y\n", 2, "", "second document");
}

TEST(json_errors_name_their_line)
{
    refuse("{\n\"name\": \"x\",\n}", 3, "", "invalid JSON");
    refuse("{\n\"name\": 007}", 2, "", "invalid JSON");
    refuse("{1: 2}", 1, "", "invalid JSON");
    refuse("{\"a\": 1 2}", 1, "", "invalid JSON");
    refuse("{\"a\": true1}", 1, "", "invalid JSON");
    refuse("{\"a\": .5}", 1, "", "invalid JSON");
    refuse("{\"a\": 1.}", 1, "", "invalid JSON");
    refuse("{\"name\": \"x\",\n \"name\": \"y\"}", 2, "", "duplicate");
    refuse("{\"name\": \"a\\u0000b\"}", 1, "", "NUL");
    refuse("{\"a\": \"unfinished", 1, "", "invalid JSON");
    refuse("{\"a\": \"\\", 1, "", "invalid JSON");
    refuse("{} {}", 1, "", "invalid JSON");
}

TEST(anchors_aliases_and_tags_are_refused)
{
    refuse_source("arguments: [ &one x ]", "vessels.a.source.arguments[0]", "anchors and aliases");
    refuse_source("arguments: [ *one ]", "vessels.a.source.arguments[0]", "aliases");
    refuse_source("arguments: !!set { a }", "vessels.a.source.arguments", "tag");
    refuse("!fleet\nname: x\n", 1, "", "tag");
    refuse_source("version: !!float 3.1", "vessels.a.source.version", "tag");
    refuse_source("version: !python/object x", "vessels.a.source.version", "tag");
    refuse_source("environment: { <<: *base }", "vessels.a.source.environment.<<", "aliases");
}

TEST(a_billion_laughs_stay_small)
{
    struct outcome outcome = parse("a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: "
                                   "&c [*b,*b,*b,*b,*b,*b,*b,*b]\n");
    ck_assert(has(&outcome.problems, 1, "a", "anchors"));
    ck_assert(has(&outcome.problems, 2, "b[7]", "aliases"));
    outcome_free(&outcome);
}

TEST(deep_nesting_is_refused)
{
    char text[400];
    memset(text, '[', 200);
    memset(text + 200, ']', 199);
    text[399] = '\0';
    struct outcome outcome = parse(text);
    ck_assert(strstr(outcome.problems.items[0].message, "64 levels deep"));
    outcome_free(&outcome);
    char *json = memory_format("{\"a\": %s", text);
    json[strlen(json) - 1] = ' ';
    strcpy(json + 6 + 399 - 2, "]}");
    outcome = parse(json);
    ck_assert_uint_eq(outcome.problems.count, 1);
    outcome_free(&outcome);
    free(json);
}

TEST(duplicate_keys_are_refused_everywhere)
{
    refuse(SOURCE "name: y\n", 8, "name", "twice, first on line 1");
    refuse("name: x\nvessels:\n" VESSEL("a") VESSEL("b")
               VESSEL("a") "connections: { a: { b: SUCCESS } }\n",
           5, "vessels.a", "first on line 3");
    refuse_source("environment: { A: 1, A: 2 }", "vessels.a.source.environment.A", "twice");
}

/* ---- what is refused: the fleet ---- */

TEST(unknown_keys_are_refused_with_the_list_of_known_ones)
{
    refuse(SOURCE "colour: red\n", 8, "colour", "unknown key; expected name, _id");
    refuse(SOURCE "    gaurdrails: {}\n", 8, "vessels.a.gaurdrails", "guardrails");
    refuse_source("lang: BASH", "vessels.a.source.lang", "language, version");
    refuse(GUARDRAILS "retries: 3\n", 9, "vessels.a.guardrails.retries", "retry_count");
    refuse(HEAD "      file: { name: a, content: b, mode: 3 }\n", 7, "vessels.a.source.file.mode",
           "name or content");
    refuse_source("arguments: [ { key: a, val: b } ]", "vessels.a.source.arguments[0].val",
                  "unknown");
    refuse_source("environment: [ { name: A, value: b, x: y } ]",
                  "vessels.a.source.environment[0].x", "unknown");
    refuse_source("arguments: [ { --a: 1, key: c } ]", "vessels.a.source.arguments[0].--a",
                  "key, name or value");
}

static void assert_lines(const struct fleet_problems *problems, const int *lines, size_t count)
{
    ck_assert_uint_eq(problems->count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(problems->items[i].line, lines[i]);
}

TEST(problems_and_notes_are_sorted_by_line)
{
    static const int problems[] = {4, 5}, notes[] = {8, 9, 10};
    struct outcome outcome = parse("name: x\nvessels:\n" VESSEL("a") VESSEL("b") "colour: red\n");
    assert_lines(&outcome.problems, problems, 2); /* b is not connected; colour is not a key */
    ck_assert_str_eq(outcome.problems.items[0].path, "vessels.b");
    outcome_free(&outcome);
    outcome = parse("name: x\nvessels:\n  a: { source: {}, x: 1 }\n  b: { guardrails: {} }\n"
                    "colour: red\n");
    ck_assert_str_eq(outcome.problems.items[0].path, "vessels.a.x");
    ck_assert_str_eq(outcome.problems.items[outcome.problems.count - 1].path, "colour");
    outcome_free(&outcome);
    outcome = parse_good(SOURCE "triggers: [ a ]\npackages: [ b ]\nnotifications: [ c ]\n");
    assert_lines(&outcome.notes, notes, 3);
    outcome_free(&outcome);
}

TEST(problems_without_a_line_come_last)
{
    static const int lines[] = {2, 2, 7, 0};
    struct fleet_problems problems = {0};
    struct report report = {.list = &problems};
    report_add(&report, 7, "", "last");
    report_add(&report, 0, "", "without a line");
    report_add(&report, 2, "", "first");
    report_add(&report, 2, "", "second");
    report_finish(&report, "problems");
    assert_lines(&problems, lines, ARRAY_COUNT(lines));
    ck_assert_str_eq(problems.items[0].message, "first");
    ck_assert_str_eq(problems.items[1].message, "second");
    report_free_problems(&problems);
}

TEST(required_keys_must_be_present)
{
    refuse("vessels:\n" VESSEL("a"), 1, "name", "missing");
    refuse("name:\nvessels:\n" VESSEL("a"), 1, "name", "missing");
    refuse("name: x\n", 1, "vessels", "missing");
    refuse("name: x\nvessels: {}\n", 2, "vessels", "1 to 1000");
    refuse("name: x\nvessels: [ a ]\n", 2, "vessels", "mapping");
    refuse("name: x\nvessels:\n  a:\n", 3, "vessels.a", "source");
    refuse("name: x\nvessels:\n  a: { guardrails: {} }\n", 3, "vessels.a.source", "missing");
    refuse(
        "name: x\nvessels:\n  a: { source: { language: BASH, file: { name: a, content: b } } }\n",
        3, "vessels.a.source.type", "missing");
    refuse("name: x\nvessels:\n  a: { source: { type: CODE, file: { name: a, content: b } } }\n", 3,
           "vessels.a.source.language", "missing");
    refuse(HEAD, 4, "vessels.a.source.file", "missing");
    refuse(HEAD "      file: { content: b }\n", 7, "vessels.a.source.file.name", "missing");
    refuse(HEAD "      file: { name: b }\n", 7, "vessels.a.source.file.content", "missing");
}

TEST(names_and_words_are_checked)
{
    refuse("name: a/b\nvessels:\n" VESSEL("a"), 1, "name", "/");
    refuse("name: ''\nvessels:\n" VESSEL("a"), 1, "name", "empty");
    refuse("name: [ a ]\nvessels:\n" VESSEL("a"), 1, "name", "not a list");
    refuse("name: x\nvessels:\n" VESSEL("6f0c1a2b-0000-4000-8000-0123456789ab"), 3,
           "vessels.6f0c1a2b-0000-4000-8000-0123456789ab", "UUID");
    refuse("name: x\nvessels:\n" VESSEL("\"a\\nb\""), 3, "vessels.a?b", "control");
    refuse(SOURCE "on_interrupt: rerun\n", 8, "on_interrupt", "FAIL or RERUN");
    refuse(SOURCE "max_concurrent_runs: -1\n", 8, "max_concurrent_runs", "whole number");
    refuse("name: x\nvessels:\n  a: { source: { type: CODE, language: RUBY, file: { name: a, "
           "content: b } } }\n",
           3, "vessels.a.source.language", "BASH, PYTHON or NODE");
    refuse("name: x\nvessels:\n  a: { source: { type: SCRIPT } }\n", 3, "vessels.a.source.type",
           "CODE");
}

TEST(ids_are_uuids_and_unique)
{
    refuse("_id: 7\n" SOURCE, 1, "_id", "UUID");
    refuse("_id: 00000000-0000-0000-0000-000000000000\n" SOURCE, 1, "_id", "UUID");
    refuse("name: x\nvessels:\n"
           "  a: { _id: 6f0c1a2b-0000-4000-8000-0123456789ac, source: { type: CODE, language: "
           "BASH, file: { name: a, content: b } } }\n"
           "  b: { _id: 6F0C1A2B-0000-4000-8000-0123456789AC, source: { type: CODE, language: "
           "BASH, file: { name: a, content: b } } }\n"
           "connections: { b: { a: SUCCESS } }\n",
           4, "vessels.b", "same \"_id\" as \"a\"");
}

TEST(file_names_stay_inside_their_folder)
{
    static const char *const WRONG[] = {"/etc/passwd", "../x", "a/../../x", "./a",
                                        "a//b",        "a/",   ".",         "''"};
    for (size_t i = 0; i < ARRAY_COUNT(WRONG); i++) {
        char *text = memory_format(
            "%s      file: { name: a.sh, content: x }\n      file_to_run: %s\n", HEAD, WRONG[i]);
        refuse(text, 8, "vessels.a.source.file_to_run", "file name");
        free(text);
        text = memory_format("%s      file: { name: %s, content: x }\n      file_to_run: a.sh\n",
                             HEAD, WRONG[i]);
        struct outcome outcome = parse(text);
        ck_assert_msg(has(&outcome.problems, 7, "vessels.a.source.file.name", "file name"), "%s",
                      WRONG[i]);
        outcome_free(&outcome);
        free(text);
    }
    struct outcome outcome = parse_good(HEAD "      file: { name: '..a/b..c/...', content: x }\n");
    outcome_free(&outcome);
}

TEST(a_file_to_run_that_is_not_the_file_is_noted)
{
    struct outcome outcome = parse_good(SOURCE "      file_to_run: b.sh\n");
    ck_assert(has(&outcome.notes, 8, "vessels.a.source.file_to_run", "nothing to run"));
    outcome_free(&outcome);
}

TEST(malformed_arguments_and_variables_are_refused)
{
    refuse_source("arguments: -a -b", "vessels.a.source.arguments", "list");
    refuse_source("arguments: [ [ a ] ]", "vessels.a.source.arguments[0]", "not a list");
    refuse_source("arguments: [ x, { value: 3 } ]", "vessels.a.source.arguments[1].key", "missing");
    refuse_source("arguments: [ { key: a, name: b } ]", "vessels.a.source.arguments[0]",
                  "the same");
    refuse_source("arguments: [ { --a: [ 1 ] } ]", "vessels.a.source.arguments[0].--a",
                  "single value");
    refuse_source("environment: A=b", "vessels.a.source.environment", "mapping");
    refuse_source("environment: [ A ]", "vessels.a.source.environment[0]", "name");
    refuse_source("environment: [ { value: b } ]", "vessels.a.source.environment[0].name",
                  "missing");
    refuse_source("environment: { name: A, value: b, x: y }", "vessels.a.source.environment.x",
                  "unknown");
    refuse_source("environment: { A: [ 1 ] }", "vessels.a.source.environment.A", "single value");
    refuse_source("environment: [ { name: A, value: 1 }, { name: A, value: 2 } ]",
                  "vessels.a.source.environment", "twice");
    refuse_source("environment: { A-B: 1 }", "vessels.a.source.environment.A-B", "letters");
    refuse_source("environment: { 1A: 1 }", "vessels.a.source.environment.1A", "letter");
    refuse_source("environment: { SHIPYARD_FLEET_ID: 1 }",
                  "vessels.a.source.environment.SHIPYARD_FLEET_ID", "platform");
    refuse_source("environment: { WEBHOOKD_X: 1 }", "vessels.a.source.environment.WEBHOOKD_X",
                  "platform");
}

TEST(placeholders_of_the_reference_platform_are_refused)
{
    refuse_source("arguments: [ { key: -p, value: SHIPYARD_HIDDEN } ]",
                  "vessels.a.source.arguments[0].value",
                  "the platform that exported this file left the value out (SHIPYARD_HIDDEN)");
    expect_arguments("arguments: [ '${#a[@]}', 'MY_SHIPYARD_HIDDEN' ]",
                     "${#a[@]}|MY_SHIPYARD_HIDDEN");
}

TEST(references_to_credentials_are_kept_and_anything_like_them_is_refused)
{
    expect_arguments("arguments: [ 'x#{GROUP.ITEM}y', '##{x}' ]", "x#{GROUP.ITEM}y|##{x}");
    refuse_source("arguments: [ '#{x}' ]", "vessels.a.source.arguments[0]", "write \"##{\"");
    refuse_source("environment: { A: '#{#{My Group.it-em_1}' }", "vessels.a.source.environment.A",
                  "#{GROUP.ITEM} in capital letters");
}

static bool has_credential(void *context, const struct reference *reference)
{
    char name[REFERENCE_TEXT_BYTES];
    return strcmp(reference_format(reference, name), context) == 0;
}

TEST(missing_credentials_are_refused_or_noted_where_they_are_referred_to)
{
    static const char text[] = SOURCE "      arguments: [ '#{A.B}' ]\n"
                                      "      environment: { X: 'a#{C.D}' }\n";
    char known[] = "A.B";
    for (int notes_them = 0; notes_them <= 1; notes_them++) {
        const struct fleet_file_options options = {
            .has_credential = has_credential, .context = known, .missing_credentials = notes_them};
        struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
        struct definition *definition =
            fleet_file_parse(text, strlen(text), &options, &problems, &notes);
        const struct fleet_problems *list = notes_them ? &notes : &problems;
        ck_assert_int_eq(definition != NULL, notes_them);
        ck_assert_uint_eq(problems.count, notes_them ? 0 : 1);
        const struct fleet_problem *last = &list->items[list->count - 1];
        ck_assert_str_eq(last->path, "vessels.a.source.environment.X");
        ck_assert_int_eq(last->line, 9);
        ck_assert_msg(strncmp(last->message, "credential C.D does not exist: ", 31) == 0, "%s",
                      last->message);
        definition_free(definition);
        report_free_problems(&problems);
        report_free_problems(&notes);
    }
}

TEST(values_that_execve_would_refuse_are_refused)
{
    size_t limit = 128 << 10;
    char *value = memory_alloc(limit + 1);
    memset(value, 'v', limit - 1);
    char *text = memory_format("%s      arguments: [ %s ]\n", SOURCE, value);
    struct outcome outcome = parse_good(text);
    outcome_free(&outcome);
    free(text);
    text = memory_format("%s      arguments: [ %sv ]\n", SOURCE, value);
    refuse(text, 8, "vessels.a.source.arguments[0]", "128 KiB");
    free(text);
    text = memory_format("%s      environment: { A: %s }\n", SOURCE, value);
    refuse(text, 8, "vessels.a.source.environment.A", "128 KiB");
    free(text);
    text = memory_format("%s      arguments: [ %s, %s, %s, %s ]\n      environment: [ %s ]\n",
                         SOURCE, value, value, value, value, "");
    value[limit - 8] = '\0';
    free(text);
    text = memory_format("%s      arguments: [ %s, %s, %s, %s ]\n      environment: { A: %s, B: "
                         "%s, C: %s, D: %s }\n",
                         SOURCE, value, value, value, value, value, value, value, value);
    refuse(text, 4, "vessels.a.source", "1 MiB");
    free(text);
    free(value);
}

TEST(foreign_vessels_are_refused_or_kept_as_stubs)
{
    static const char TEXT[] =
        "name: x\nvessels:\n"
        "  a: { source: { type: BLUEPRINT, blueprint: Z, inputs: { b: SHIPYARD_HIDDEN } } }\n"
        "  b: { source: { type: CODE, language: BASH, git: { repository: r } } }\n"
        "connections: { a: { b: SUCCESS } }\n";
    struct outcome outcome = parse(TEXT);
    ck_assert_uint_eq(outcome.problems.count, 2);
    ck_assert(has(&outcome.problems, 3, "vessels.a.source.blueprint",
                  "(with --stub the vessel is kept, and ends as errored)"));
    ck_assert(has(&outcome.problems, 4, "vessels.b.source.git", "--stub"));
    outcome_free(&outcome);
    outcome = parse_bytes(TEXT, strlen(TEXT), true);
    ck_assert_ptr_nonnull(outcome.definition);
    ck_assert_int_eq((int)outcome.definition->vessels[0].kind, VESSEL_STUB);
    ck_assert_int_eq((int)outcome.definition->vessels[1].kind, VESSEL_STUB);
    ck_assert_uint_eq(outcome.notes.count, 2);
    ck_assert(has(&outcome.notes, 3, "vessels.a.source.blueprint", "not available here"));
    outcome_free(&outcome);
}

/* ---- what is refused: the graph ---- */

TEST(paths_lead_between_vessels_of_the_fleet)
{
    refuse(THREE "connections: { a: { b: SUCCESS, d: SUCCESS } }\n", 6, "connections.a.d",
           "no vessel \"d\"");
    refuse(THREE "connections: { d: { a: SUCCESS } }\n", 6, "connections.d", "no vessel \"d\"");
    refuse(THREE "connections: { a: { a: SUCCESS } }\n", 6, "connections.a.a", "itself");
    refuse(THREE "connections: { a: { b: DONE } }\n", 6, "connections.a.b",
           "invalid condition \"DONE\": write SUCCESS, ERRORED or COMPLETED");
    refuse(THREE "connections: { a: { b: } }\n", 6, "connections.a.b", "condition");
    refuse(THREE "connections: { a: b }\n", 6, "connections.a", "mapping");
    refuse(THREE "connections: [ a ]\n", 6, "connections", "mapping");
}

TEST(cycles_are_refused_and_named)
{
    refuse(THREE "connections: { a: { b: SUCCESS }, b: { c: SUCCESS }, c: { b: ERRORED } }\n", 6,
           "connections", "which waits for");
    refuse(THREE "connections: { a: { b: SUCCESS }, b: { c: SUCCESS }, c: { a: SUCCESS } }\n", 6,
           "connections", "cycle");
    struct outcome outcome =
        parse(THREE "connections: { a: { b: SUCCESS }, b: { c: SUCCESS }, c: { b: SUCCESS } }\n");
    ck_assert_ptr_null(strstr(outcome.problems.items[0].message, " a,"));
    outcome_free(&outcome);
}

TEST(vessels_that_no_path_connects_are_refused)
{
    refuse(THREE "connections: { a: { b: SUCCESS } }\n", 5, "vessels.c",
           "no path connects this vessel to the others: add one to \"connections\"");
    refuse(THREE "connections: { b: { c: SUCCESS } }\n", 3, "vessels.a", "no path connects");
    struct outcome outcome = parse(THREE);
    ck_assert_uint_eq(outcome.problems.count, 2);
    outcome_free(&outcome);
    outcome = parse_good(THREE "connections: { a: { b: SUCCESS }, c: { b: SUCCESS } }\n");
    outcome_free(&outcome);
    refuse(THREE VESSEL("d") VESSEL("e") VESSEL("f")
               VESSEL("g") "connections: { b: { a: SUCCESS }, c: { d: SUCCESS, e: SUCCESS }, "
                           "f: { e: SUCCESS, g: SUCCESS } }\n",
           3, "vessels.a", "this vessel's group (2 vessels) to the others");
}

static char *long_chain(size_t vessels, const char *last)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: x\nvessels:\n");
    for (size_t i = 0; i < vessels; i++)
        buffer_append_format(
            &text, "  v%zu: {source: {type: CODE, language: BASH, file: {name: a, content: x}}}\n",
            i);
    buffer_append_text(&text, "connections:\n");
    for (size_t i = vessels - 1; i > 0; i--)
        buffer_append_format(&text, "  v%zu: { v%zu: SUCCESS }\n", i - 1, i);
    buffer_append_text(&text, last);
    return buffer_take(&text);
}

TEST(a_thousand_vessels_are_accepted_and_one_more_is_refused)
{
    char *text = long_chain(1000, "");
    struct outcome outcome = parse_good(text);
    ck_assert_uint_eq(outcome.definition->path_count, 999);
    outcome_free(&outcome);
    free(text);
    text = long_chain(1001, "");
    refuse(text, 2, "vessels", "1 to 1000 vessels, not 1001");
    free(text);
}

TEST(a_cycle_of_a_thousand_vessels_is_named_briefly)
{
    char *text = long_chain(1000, "  v999: { v0: SUCCESS }\n");
    refuse(text, 1003, "connections", ", …");
    free(text);
}

TEST(ten_thousand_paths_are_accepted_and_one_more_is_refused)
{
    /* Paths from each of the first hundred vessels to each of the second hundred. */
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: x\nvessels:\n");
    for (int i = 0; i < 200; i++)
        buffer_append_format(
            &text, "  v%d: {source: {type: CODE, language: BASH, file: {name: a, content: x}}}\n",
            i);
    buffer_append_text(&text, "connections:\n");
    for (int from = 0; from < 100; from++) {
        buffer_append_format(&text, "  v%d: {", from);
        for (int to = 100; to < 200; to++)
            buffer_append_format(&text, " v%d: SUCCESS%s", to, to < 199 ? "," : " }\n");
    }
    struct outcome outcome = parse_good(buffer_text(&text));
    ck_assert_uint_eq(outcome.definition->path_count, 10000);
    outcome_free(&outcome);
    buffer_append_text(&text, "  v198: { v199: SUCCESS }\n");
    refuse(buffer_text(&text), 203, "connections", "at most 10000 paths, not 10001");
    buffer_free(&text);
}

/* In quadratic time each of these files would take minutes: the timeout of the test is its
 * assertion. */
TEST(large_invalid_files_are_refused_quickly_and_briefly)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: x\nvessels:\n");
    for (size_t i = 0; i < 100000; i++)
        buffer_append_format(&text, "  v%zu: a\n", i);
    struct outcome outcome = parse_bytes(text.data, text.bytes, false);
    ck_assert_uint_eq(outcome.problems.count, 1);
    ck_assert(has(&outcome.problems, 2, "vessels", "1 to 1000 vessels, not 100000"));
    outcome_free(&outcome);
    buffer_reset(&text);
    for (size_t i = 0; i < 190000; i++)
        buffer_append_text(&text, i % 2 ? "a: 1\n" : "b:\n");
    outcome = parse_bytes(text.data, text.bytes, false);
    ck_assert_uint_eq(outcome.problems.count, 101);
    outcome_free(&outcome);
    buffer_free(&text);
}

TEST(directives_are_refused_quickly)
{
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < 300000; i++)
        buffer_append_format(&text, "%%TAG !%zu! tag:a,2000:\n", i);
    buffer_append_text(&text, "---\nname: x\n");
    refuse(buffer_text(&text), 1, "", "the directive \"%TAG\" is not accepted");
    buffer_reset(&text);
    buffer_append_text(&text, "name: x\n...\n# c\n%TAG !a! tag:a,2000:\n---\n");
    refuse(buffer_text(&text), 4, "", "the directive \"%TAG\" is not accepted");
    buffer_free(&text);
    char *good = memory_format("%%YAML 1.1\n---\n%s", SOURCE "      arguments: [ '%TAG' ]\n");
    struct outcome outcome = parse_good(good);
    outcome_free(&outcome);
    free(good);
}

TEST(long_runs_of_blanks_are_refused_quickly)
{
    size_t bytes = 7u << 20, blanks = 3u << 20;
    char *text = memory_alloc(bytes + 1);
    memset(text, ' ', blanks);
    memcpy(text, "name: x", 7);
    for (size_t i = blanks; i + 1 < bytes; i += 2)
        memcpy(text + i, "b ", 2);
    refuse(text, 1, "", "more than 4096 consecutive");
    memset(text, '\n', blanks);
    memcpy(text, "name:", 5);
    refuse(text, 4097, "", "more than 4096 consecutive");
    free(text);
}

static void refuse_count(const char *text, size_t bytes)
{
    struct outcome outcome = parse_bytes(text, bytes, false);
    ck_assert_uint_eq(outcome.problems.count, 1);
    ck_assert_str_eq(outcome.problems.items[0].message, "the file has more than 200000 values");
    outcome_free(&outcome);
}

TEST(too_many_values_are_refused)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "a: [");
    for (size_t i = 0; i < 200001; i++)
        buffer_append_text(&text, "b,");
    buffer_append_text(&text, "]\n");
    refuse_count(text.data, text.bytes);
    buffer_reset(&text);
    /* Slightly over our own bound, and too many to let jansson build them. */
    static const size_t counts[] = {200001, 2000000};
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        buffer_reset(&text);
        buffer_append_text(&text, "{\"a\": [1");
        for (size_t n = 1; n < counts[i]; n++)
            buffer_append_text(&text, ",1");
        buffer_append_text(&text, "]}");
        refuse_count(text.data, text.bytes);
    }
    buffer_free(&text);
}

/* ---- the report ---- */

TEST(all_errors_are_reported_together)
{
    struct outcome outcome =
        parse("name: a/b\nextra: 1\nvessels:\n  a:\n    source: { type: CODE, language: PERL, "
              "file: { name: /a, content: x } }\n"
              "    guardrails: { retry_count: 99, retry_wait: soon }\n  b: {}\n  a: {}\n"
              "connections: { a: { c: SUCCESS } }\non_interrupt: MAYBE\n");
    const struct fleet_problems *problems = &outcome.problems;
    ck_assert(has(problems, 1, "name", "/"));
    ck_assert(has(problems, 2, "extra", "unknown"));
    ck_assert(has(problems, 5, "vessels.a.source.language", "PERL"));
    ck_assert(has(problems, 5, "vessels.a.source.file.name", "relative"));
    ck_assert(has(problems, 6, "vessels.a.guardrails.retry_count", "99"));
    ck_assert(has(problems, 6, "vessels.a.guardrails.retry_wait", "soon"));
    ck_assert(has(problems, 7, "vessels.b.source", "missing"));
    ck_assert(has(problems, 8, "vessels.a", "twice"));
    ck_assert(has(problems, 9, "connections.a.c", "no vessel"));
    ck_assert(has(problems, 10, "on_interrupt", "MAYBE"));
    ck_assert_uint_eq(problems->count, 10);
    outcome_free(&outcome);
}

TEST(messages_and_paths_are_short_and_safe_to_print)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "name: x\nvessels:\n  \"a\\e[31m\":\n    source: { type: \"");
    for (int i = 0; i < 5000; i++)
        buffer_append_text(&text, "ä");
    buffer_append_text(&text, "\" }\n");
    struct outcome outcome = parse_bytes(text.data, text.bytes, false);
    ck_assert(has(&outcome.problems, 3, "vessels.a?[31m", "control"));
    for (size_t i = 0; i < outcome.problems.count; i++) {
        const struct fleet_problem *problem = &outcome.problems.items[i];
        ck_assert_ptr_null(strchr(problem->message, '\x1b'));
        ck_assert_ptr_null(strchr(problem->path, '\x1b'));
        ck_assert_uint_lt(strlen(problem->message), 500);
        ck_assert_uint_lt(strlen(problem->path), 500);
    }
    outcome_free(&outcome);
    buffer_free(&text);
}

TEST(each_problem_is_one_line)
{
    struct fleet_problems problems = {0};
    struct report report = {.list = &problems};
    for (int i = 0; i < 20; i++)
        report_add(&report, i, "a.b", "number %d\n", i);
    ck_assert_uint_eq(problems.count, 20);
    ck_assert(has(&problems, 19, "a.b", "number 19?"));
    report_free_problems(&problems);
    ck_assert_uint_eq(problems.count, 0);
}

TEST(no_mutation_of_a_valid_file_crashes)
{
    static const char *const SEEDS[] = {
        GUARDRAILS "retry_wait: 5s\n" VESSEL("b") "connections: { a: { b: SUCCESS } }\n",
        "{\"name\":\"x\",\"vessels\":{\"a\":{\"source\":{\"type\":\"CODE\",\"arguments\":[1.50,{\"-"
        "a\":null}]}}}}"};
    static const char BYTES[] = "{}[]:,\"'&*!|>-#\n \\%@`0a\xc3\xff~?";
    unsigned state = 12345; /* the same sequence every time */
    for (int round = 0; round < 20000; round++) {
        const char *seed = SEEDS[round % 2];
        size_t bytes = strlen(seed);
        char *text = memory_copy(seed, bytes);
        for (int changes = 0; changes < 1 + round % 4; changes++) {
            state = state * 1103515245u + 12345u;
            text[(state >> 8) % bytes] = BYTES[(state >> 20) % (sizeof(BYTES) - 1)];
        }
        struct outcome outcome =
            parse_bytes(text, bytes - (round % 3 == 0 ? (state >> 5) % bytes : 0), round % 5 == 0);
        outcome_free(&outcome);
        free(text);
    }
}

TEST(manual_has_every_key)
{
    static const char *const keys[] = {"name",
                                       "_id",
                                       "vessels",
                                       "connections",
                                       "on_interrupt",
                                       "max_concurrent_runs",
                                       "packages",
                                       "system_packages",
                                       "notifications",
                                       "triggers",
                                       "source",
                                       "guardrails",
                                       "type",
                                       "language",
                                       "version",
                                       "file",
                                       "file_to_run",
                                       "arguments",
                                       "environment",
                                       "retry_count",
                                       "retry_wait",
                                       "runtime_cutoff",
                                       "exclude_exit_code_ranges",
                                       "blueprint",
                                       "blueprint_version",
                                       "inputs",
                                       "synopsis",
                                       "description",
                                       "visibility",
                                       "required",
                                       "default",
                                       "multiline",
                                       "options"};
    struct error error = ERROR_INIT;
    struct buffer manual = BUFFER_INIT;
    ck_assert_msg(file_read(AT_FDCWD, "docs/man/webhookd-fleet.5", 1 << 20, &manual, &error) == 0,
                  "%s", error.message);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        /* The key may be at the head of an item alone or with other keys. */
        bool found = false;
        for (const char *item = buffer_text(&manual); !found && (item = strstr(item, "\n.It Cm "));
             item++) {
            size_t bytes = strcspn(item + 1, "\n"), key_bytes = strlen(keys[i]);
            for (const char *at = item + 8; !found && at < item + bytes; at++)
                found = at[-1] == ' ' && strncmp(at, keys[i], key_bytes) == 0 &&
                        strchr(" \n", at[key_bytes]);
        }
        ck_assert_msg(found, "the manual lacks %s", keys[i]);
    }
    buffer_free(&manual);
}
