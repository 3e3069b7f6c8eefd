/* The canonical JSON of a definition. */
#include "model/definition.h"
#include "model/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/suite.h"

static const char FULL[] =
    "name: Full\n"
    "_id: 6f0c1a2b-0000-4000-8000-0123456789ab\n"
    "vessels:\n"
    "  b:\n"
    "    _id: 6f0c1a2b-0000-4000-8000-0123456789ac\n"
    "    source:\n"
    "      type: CODE\n"
    "      language: NODE\n"
    "      version: 3.10\n"
    "      file: { name: d/b.js, content: \"say(\\\"\\u00e4\\\")\\n\" }\n"
    "      file_to_run: d/b.js\n"
    "      arguments: [ { key: --lines, value: 007 }, '' ]\n"
    "      environment: { Z: '1', A: yes }\n"
    "    guardrails: { retry_count: 2, retry_wait: 5s, runtime_cutoff: 10m,\n"
    "                  exclude_exit_code_ranges: [ 9, 2, '3-5' ] }\n"
    "  a: { source: { type: CODE, language: BASH, file: { name: a, content: '' } } }\n"
    "connections: { b: { a: ERRORED } }\n"
    "on_interrupt: RERUN\n"
    "max_concurrent_runs: 3\n";

static struct definition *parse(const char *text)
{
    struct fleet_problems problems = {0};
    struct fleet_problems notes = {0};
    struct fleet_file_options options = {.stub = true};
    struct definition *definition =
        fleet_file_parse(text, strlen(text), &options, &problems, &notes);
    ck_assert_msg(definition, "%s: %s", problems.count ? problems.items[0].path : "",
                  problems.count ? problems.items[0].message : "no message");
    report_free_problems(&problems);
    report_free_problems(&notes);
    return definition;
}

/* Returns the comparable form of a fleet file. Free it. */
static char *meaning(const char *text)
{
    struct definition *definition = parse(text);
    char *json = definition_json_write(definition, false);
    definition_free(definition);
    return json;
}

TEST(the_form_is_as_documented)
{
    char *json = meaning(FULL);
    ck_assert_str_eq(
        json,
        "{\"connections\":{\"b\":{\"a\":\"ERRORED\"}},\"format\":1,\"max_concurrent_runs\":3,"
        "\"name\":\"Full\","
        "\"on_interrupt\":\"RERUN\",\"vessels\":[{\"arguments\":[\"--lines\",\"007\",\"\"],"
        "\"environment\":{\"A\":\"yes\",\"Z\":\"1\"},\"file_content\":\"say(\\\"ä\\\")\\n\","
        "\"file_name\":\"d/b.js\",\"file_to_run\":\"d/b.js\",\"guardrails\":{\"cutoff_ms\":600000,"
        "\"excluded\":[[2,5],[9,9]],\"retry_count\":2,\"retry_wait_ms\":5000},\"kind\":\"CODE\","
        "\"language\":\"NODE\",\"name\":\"b\",\"version\":\"3.10\"},{\"arguments\":[],"
        "\"environment\":{},"
        "\"file_content\":\"\",\"file_name\":\"a\",\"file_to_run\":\"a\",\"guardrails\":{\"cutoff_"
        "ms\":14400000,"
        "\"excluded\":[],\"retry_count\":0,\"retry_wait_ms\":0},\"kind\":\"CODE\",\"language\":"
        "\"BASH\","
        "\"name\":\"a\"}]}");
    free(json);
}

TEST(a_written_definition_is_read_back_unchanged)
{
    struct definition *first = parse(FULL);
    char *json = definition_json_write(first, true);
    struct error error = ERROR_INIT;
    struct definition *second = definition_json_read(json, strlen(json), &error);
    ck_assert_msg(second, "%s", error.message);
    char *again = definition_json_write(second, true);
    ck_assert_str_eq(json, again);
    ck_assert(id_equal(&first->id, &second->id));
    ck_assert(id_equal(&first->vessels[0].id, &second->vessels[0].id));
    ck_assert(id_is_zero(&second->vessels[1].id));
    ck_assert_uint_eq(second->path_count, 1);
    ck_assert_uint_eq(second->paths[0].from, 0);
    ck_assert_uint_eq(second->paths[0].to, 1);
    ck_assert_int_eq((int)second->paths[0].condition, PATH_ERRORED);
    free(json);
    free(again);
    definition_free(first);
    definition_free(second);
}

TEST(ids_are_left_out_of_the_comparison)
{
    struct definition *definition = parse(FULL);
    char *with = definition_json_write(definition, true);
    char *without = definition_json_write(definition, false);
    ck_assert_ptr_nonnull(strstr(with, "6f0c1a2b-0000-4000-8000-0123456789ac"));
    ck_assert_ptr_nonnull(strstr(with, "6f0c1a2b-0000-4000-8000-0123456789ab"));
    ck_assert_ptr_null(strstr(without, "_id"));
    free(with);
    free(without);
    definition_free(definition);
}

#define VESSEL(name)                                                                               \
    name ": { source: { type: CODE, language: BASH, file: { name: a, content: x } } }"

TEST(the_same_meaning_is_the_same_text)
{
    char *yaml =
        meaning("connections: { b: { c: SUCCESS, a: SUCCESS } }\n"
                "vessels:\n  " VESSEL("a") "\n  " VESSEL("b") "\n  " VESSEL("c") "\nname: x\n");
    char *other = meaning("name: x\nvessels:\n  " VESSEL("a") "\n  " VESSEL("b") "\n  " VESSEL(
        "c") "\n"
             "connections:\n  b:\n    a: SUCCESS\n    c: SUCCESS\non_interrupt: FAIL\n");
    char *json = meaning("{\"name\":\"x\",\"vessels\":{"
                         "\"a\":{\"source\":{\"type\":\"CODE\",\"language\":\"BASH\",\"file\":{"
                         "\"name\":\"a\",\"content\":\"x\"}}},"
                         "\"b\":{\"source\":{\"type\":\"CODE\",\"language\":\"BASH\",\"file\":{"
                         "\"name\":\"a\",\"content\":\"x\"}}},"
                         "\"c\":{\"source\":{\"type\":\"CODE\",\"language\":\"BASH\",\"file\":{"
                         "\"name\":\"a\",\"content\":\"x\"}}}},"
                         "\"connections\":{\"b\":{\"a\":\"SUCCESS\",\"c\":\"SUCCESS\"}}}");
    ck_assert_str_eq(yaml, other);
    ck_assert_str_eq(yaml, json);
    free(yaml);
    free(other);
    free(json);
}

TEST(a_different_meaning_is_a_different_text)
{
    char *one = meaning("name: x\nvessels:\n  " VESSEL("a") "\n  " VESSEL(
        "b") "\nconnections: { a: { b: SUCCESS } }\n");
    char *two = meaning("name: x\nvessels:\n  " VESSEL("a") "\n  " VESSEL(
        "b") "\nconnections: { b: { a: SUCCESS } }\n");
    char *three = meaning("name: x\nvessels:\n  " VESSEL("b") "\n  " VESSEL(
        "a") "\nconnections: { a: { b: SUCCESS } }\n");
    ck_assert_str_ne(one, two);
    ck_assert_str_ne(one, three); /* people see the order of the vessels */
    free(one);
    free(two);
    free(three);
}

TEST(stubs_survive_the_store)
{
    struct definition *first =
        parse("name: x\nvessels: { a: { source: { type: BLUEPRINT, blueprint: z } } }\n");
    char *json = definition_json_write(first, true);
    struct error error = ERROR_INIT;
    struct definition *second = definition_json_read(json, strlen(json), &error);
    ck_assert_msg(second, "%s", error.message);
    ck_assert_int_eq((int)second->vessels[0].kind, VESSEL_STUB);
    ck_assert_ptr_null(second->vessels[0].file_name);
    free(json);
    definition_free(first);
    definition_free(second);
}

TEST(damage_is_an_error_and_never_a_crash)
{
    struct definition *definition = parse(FULL);
    char *json = definition_json_write(definition, true);
    size_t bytes = strlen(json);
    definition_free(definition);
    for (size_t cut = 0; cut < bytes; cut++) {
        struct error error = ERROR_INIT;
        ck_assert_ptr_null(definition_json_read(json, cut, &error));
        ck_assert(error_is_set(&error));
    }
    static const struct {
        const char *from, *to;
    } CHANGES[] = {{"\"format\":1", "\"format\":2"},
                   {"ERRORED", "ERRORES"},
                   {"\"b\":{\"a\"", "\"q\":{\"a\""},
                   {"{\"a\":\"E", "{\"z\":\"E"},
                   {"[[2,5]", "[[6,5]"},
                   {"[9,9]", "[9,\"\"]"},
                   {"\"kind\":\"CODE\"", "\"kind\":\"CODA\""},
                   {"\"NODE\"", "\"RUBY\""},
                   {"600000", "-60000"},
                   {"\"file_name\"", "\"file_nane\""},
                   {"[\"--lines\"", "[1,\"lines\""},
                   {"89ac", "89aX"},
                   {"\"vessels\"", "\"vessals\""},
                   {"\"yes\"", "12345"},
                   {"RERUN", "RERUM"}};
    for (size_t i = 0; i < ARRAY_COUNT(CHANGES); i++) {
        char *at = strstr(json, CHANGES[i].from);
        ck_assert_msg(at, "%s", CHANGES[i].from);
        char *damaged = memory_format("%.*s%s%s", (int)(at - json), json, CHANGES[i].to,
                                      at + strlen(CHANGES[i].from));
        struct error error = ERROR_INIT;
        ck_assert_msg(!definition_json_read(damaged, strlen(damaged), &error), "%s", CHANGES[i].to);
        ck_assert(error_is_set(&error));
        free(damaged);
    }
    free(json);
}

TEST(languages_have_their_words)
{
    ck_assert_str_eq(WORDS_LANGUAGE[LANGUAGE_BASH], "BASH");
    ck_assert_str_eq(WORDS_LANGUAGE[LANGUAGE_PYTHON], "PYTHON");
    ck_assert_str_eq(WORDS_LANGUAGE[LANGUAGE_NODE], "NODE");
}
