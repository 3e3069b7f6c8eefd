/* model/overrides: reading a request, checking it against a definition, and the stored forms. */
#include "model/overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/suite.h"

#define CANARY "canary-5e0c"

static const char FLEET[] = "name: F\n"
                            "vessels:\n"
                            "  A:\n"
                            "    source:\n"
                            "      type: CODE\n"
                            "      language: BASH\n"
                            "      file: { name: a.sh, content: 'true' }\n"
                            "      arguments: [ one ]\n"
                            "      environment: { STAGE: test, PATH: /bin, X: '#{G.I}' }\n"
                            "  B: { source: { type: CODE, language: BASH,\n"
                            "                 file: { name: b.sh, content: 'true' } } }\n"
                            "connections: { A: { B: SUCCESS } }\n";

static struct definition *fleet(void)
{
    struct fleet_problems problems = {0}, notes = {0};
    struct fleet_file_options options = {0};
    struct definition *definition =
        fleet_file_parse(FLEET, strlen(FLEET), &options, &problems, &notes);
    ck_assert_ptr_nonnull(definition);
    report_free_problems(&problems);
    report_free_problems(&notes);
    return definition;
}

static int read_n(const char *json, size_t bytes, bool is_trigger, struct overrides *overrides,
                  struct fleet_problems *problems)
{
    struct definition *definition = fleet();
    int result = overrides_json_read(json, bytes, definition,
                                     &(struct overrides_rules){.is_trigger = is_trigger}, overrides,
                                     problems);
    definition_free(definition);
    ck_assert_int_eq(result == 0, problems->count == 0);
    return result;
}

/* Asserts that the request is accepted. */
static struct overrides accept(const char *json, bool is_trigger)
{
    struct overrides overrides;
    struct fleet_problems problems = {0};
    read_n(json, strlen(json), is_trigger, &overrides, &problems);
    ck_assert_msg(problems.count == 0, "%s: %s: %s", json,
                  problems.count > 0 ? problems.items[0].path : "",
                  problems.count > 0 ? problems.items[0].message : "");
    return overrides;
}

/* Asserts that the request is refused with a first problem of this path, whose message contains
 * this text. */
static void refuse_n(const char *json, size_t bytes, bool is_trigger, const char *path,
                     const char *part)
{
    struct overrides overrides;
    struct fleet_problems problems = {0};
    ck_assert_msg(read_n(json, bytes, is_trigger, &overrides, &problems) != 0, "%.300s", json);
    ck_assert_str_eq(problems.items[0].path, path);
    ck_assert_msg(strstr(problems.items[0].message, part), "%s", problems.items[0].message);
    for (size_t i = 0; i < problems.count; i++)
        ck_assert_ptr_null(strstr(problems.items[i].message, CANARY));
    ck_assert_uint_eq(overrides.vessel_count, 0);
    report_free_problems(&problems);
}

static void refuse(const char *json, const char *path, const char *part)
{
    refuse_n(json, strlen(json), false, path, part);
}

#define A(members) "{\"vessel_overrides\":[{\"name\":\"A\"," members "}]}"
#define VARIABLES(members)                                                                         \
    "{\"vessel_overrides\":[{\"name\":\"A\",\"environment_variable_overrides\":{" members "}}]}"
#define IN_A(path)     "vessel_overrides[0]." path
#define VARIABLE(name) IN_A("environment_variable_overrides." name)

/* ---- what is accepted ---- */

TEST(nothing_an_empty_object_and_an_empty_list_override_nothing)
{
    static const char *const cases[] = {
        "",
        " \r\n\t",
        "{}",
        "[]",
        "{\"vessel_overrides\":[]}",
        "{\"vessel_overrides\":null}",
        "{\"vessel_overrides\":[{\"name\":\"A\"}]}",
        A("\"environment_variable_overrides\":{},\"argument_overrides\":null"),
        VARIABLES("\"STAGE\":null,\"NEW\":null"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct overrides overrides = accept(cases[i], false);
        ck_assert_msg(overrides_are_empty(&overrides), "%s", cases[i]);
        overrides_wipe(&overrides);
    }
}

TEST(a_string_sets_a_variable_and_null_leaves_it)
{
    struct overrides overrides =
        accept(VARIABLES("\"STAGE\":\"prod\",\"EMPTY\":\"\",\"LEAVE\":null"), false);
    const struct vessel_override *a = overrides_find(&overrides, "A");
    ck_assert_str_eq(overrides_variable(a, "STAGE")->value, "prod");
    ck_assert_str_eq(overrides_variable(a, "EMPTY")->value, "");
    ck_assert_ptr_null(overrides_variable(a, "LEAVE"));
    ck_assert(!a->has_arguments && a->status == OVERRIDE_RUN);
    ck_assert_ptr_null(overrides_find(&overrides, "B"));
    ck_assert(overrides_have_values(&overrides) && !overrides_are_empty(&overrides));
    overrides_wipe(&overrides);
}

TEST(a_value_is_never_searched_for_references)
{
    struct overrides overrides = accept(VARIABLES("\"STAGE\":\"#{NO.SUCH} ##{ #{broken\""), false);
    const struct vessel_override *a = overrides_find(&overrides, "A");
    ck_assert_str_eq(overrides_variable(a, "STAGE")->value, "#{NO.SUCH} ##{ #{broken");
    overrides_wipe(&overrides);
}

TEST(arguments_have_the_forms_of_a_fleet_file_and_are_not_split)
{
    static const char *const expected[] = {"--lines", "3", "all in one", "-k", "v", "alone"};
    struct overrides overrides =
        accept(A("\"argument_overrides\":[{\"key\":\"--lines\",\"value\":\"3\"},\"all in one\","
                 "{\"-k\":\"v\"},{\"name\":\"alone\"}]"),
               true);
    const struct vessel_override *a = overrides_find(&overrides, "A");
    ck_assert(a->has_arguments);
    ck_assert_uint_eq(a->argument_count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        ck_assert_str_eq(a->arguments[i], expected[i]);
    overrides_wipe(&overrides);
}

TEST(an_empty_list_of_arguments_replaces_those_of_the_fleet_file)
{
    struct overrides overrides = accept(A("\"argument_overrides\":[]"), false);
    const struct vessel_override *a = overrides_find(&overrides, "A");
    ck_assert(a->has_arguments);
    ck_assert_uint_eq(a->argument_count, 0);
    ck_assert(overrides_have_values(&overrides));
    overrides_wipe(&overrides);
}

TEST(a_status_skips_the_vessel_and_is_no_value)
{
    static const struct {
        const char *word;
        enum override_status status;
    } cases[] = {{"SUCCESS", OVERRIDE_SUCCESS},
                 {"SUCCESSFUL", OVERRIDE_SUCCESS},
                 {"ERROR", OVERRIDE_ERRORED},
                 {"ERRORED", OVERRIDE_ERRORED}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char json[300];
        snprintf(json, sizeof(json), VARIABLES("\"SHIPYARD_OVERRIDE_STATUS\":\"%s\""),
                 cases[i].word);
        struct overrides overrides = accept(json, true);
        ck_assert_int_eq(overrides_find(&overrides, "A")->status, cases[i].status);
        ck_assert(!overrides_have_values(&overrides) && !overrides_are_empty(&overrides));
        overrides_wipe(&overrides);
    }
}

/* ---- what is refused ---- */

TEST(what_has_another_shape_is_refused_with_its_path)
{
    static const char *const cases[][3] = {
        {"\"" CANARY "\"", "", "must be an object"},
        {"[1]", "", "must be an object"},
        {"{\"vessel_override\":[]}", "vessel_override", "unknown key"},
        {"{\"vessel_overrides\":{}}", "vessel_overrides", "must be a list"},
        {"{\"vessel_overrides\":[1]}", "vessel_overrides[0]", "must be an object"},
        {"{\"vessel_overrides\":[{}]}", IN_A("name"), "missing"},
        {"{\"vessel_overrides\":[{\"name\":1}]}", IN_A("name"), "must be a string"},
        {A("\"more\":1"), IN_A("more"), "unknown key"},
        {A("\"environment_variable_overrides\":[]"), IN_A("environment_variable_overrides"),
         "must be an object"},
        {A("\"argument_overrides\":\"a b\""), IN_A("argument_overrides"), "never split"},
        {A("\"argument_overrides\":[1]"), IN_A("argument_overrides[0]"), "must be a string"},
        {A("\"argument_overrides\":[null]"), IN_A("argument_overrides[0]"), "must be a string"},
        {A("\"argument_overrides\":[{}]"), IN_A("argument_overrides[0].key"), "must be a string"},
        {A("\"argument_overrides\":[{\"key\":\"a\",\"name\":\"b\"}]"),
         IN_A("argument_overrides[0]"), "mean the same"},
        {A("\"argument_overrides\":[{\"key\":\"a\",\"value\":3}]"),
         IN_A("argument_overrides[0].value"), "must be a string"},
        {A("\"argument_overrides\":[{\"key\":\"a\",\"values\":\"3\"}]"),
         IN_A("argument_overrides[0].values"), "unknown key"},
        {A("\"argument_overrides\":[{\"--flag\":true}]"), IN_A("argument_overrides[0].--flag"),
         "must be a string"},
        {VARIABLES("\"STAGE\":3"), VARIABLE("STAGE"), "must be a string"},
        {VARIABLES("\"STAGE\":true"), VARIABLE("STAGE"), "must be a string"},
        {VARIABLES("\"STAGE\":[\"" CANARY "\"]"), VARIABLE("STAGE"), "must be a string"},
        {VARIABLES("\"1A\":\"\""), VARIABLE("1A"), "begin with a letter"},
        {VARIABLES("\"A-B\":null"), VARIABLE("A-B"), "must consist of"},
        {VARIABLES("\"\":\"\""), IN_A("environment_variable_overrides."), "begin with a letter"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        refuse(cases[i][0], cases[i][1], cases[i][2]);
}

TEST(invalid_json_is_refused_without_quoting_it)
{
    refuse("{\"vessel_overrides\": " CANARY "}", "", "invalid JSON (line 1");
    refuse("{\n" VARIABLES("\"STAGE\":\"" CANARY "\"") "x", "", "invalid JSON");
    refuse(VARIABLES("\"STAGE\":\"" CANARY "\\u0000\""), "", "NUL");
    refuse(VARIABLES("\"STAGE\\u0000\":\"" CANARY "\""), "", "NUL");
    refuse(VARIABLES("\"STAGE\":\"" CANARY "\xff\""), "", "UTF-8");
    refuse(VARIABLES("\"STAGE\":\"" CANARY "\",\"STAGE\":\"b\""), "", "given twice");
    refuse_n("{}\0{}", 5, false, "", "invalid JSON");
    refuse_n("\0", 1, false, "", "invalid JSON");
    char *deep = memory_alloc(10001);
    memset(deep, '[', 10000);
    refuse(deep, "", "nested too deeply");
    free(deep);
}

TEST(a_vessel_must_exist_and_is_listed_once)
{
    refuse("{\"vessel_overrides\":[{\"name\":\"A\"},{\"name\":\"C\"}]}", "vessel_overrides[1].name",
           "no vessel \"C\"");
    refuse("{\"vessel_overrides\":[{\"name\":\"B\"},{\"name\":\"A\"},{\"name\":\"B\"}]}",
           "vessel_overrides[2].name", "earlier entry");
}

TEST(all_problems_of_a_request_are_reported_together)
{
    static const char json[] =
        "{\"vessel_overrides\":[{\"name\":\"C\"},"
        "{\"name\":\"A\",\"x\":1,\"environment_variable_overrides\":{\"LD_PRELOAD\":\"\"}}]}";
    struct overrides overrides;
    struct fleet_problems problems = {0};
    ck_assert_int_ne(read_n(json, strlen(json), false, &overrides, &problems), 0);
    ck_assert_uint_eq(problems.count, 3);
    ck_assert_str_eq(problems.items[0].path, "vessel_overrides[1].x");
    ck_assert_str_eq(problems.items[1].path, "vessel_overrides[0].name");
    ck_assert_str_eq(problems.items[2].path,
                     "vessel_overrides[1].environment_variable_overrides.LD_PRELOAD");
    report_free_problems(&problems);
}

TEST(names_of_the_platform_are_refused_and_the_status_takes_four_words)
{
    refuse(VARIABLES("\"SHIPYARD_FLEET_ID\":\"x\""), VARIABLE("SHIPYARD_FLEET_ID"), "reserved");
    refuse(VARIABLES("\"WEBHOOKD_HOST\":null"), VARIABLE("WEBHOOKD_HOST"), "reserved");
    refuse(VARIABLES("\"SHIPYARD_OVERRIDE_STATUS\":\"success\""),
           VARIABLE("SHIPYARD_OVERRIDE_STATUS"), "SUCCESSFUL");
    refuse(VARIABLES("\"SHIPYARD_OVERRIDE_STATUS\":1"), VARIABLE("SHIPYARD_OVERRIDE_STATUS"),
           "SUCCESSFUL");
}

TEST(variables_that_decide_which_code_runs_must_be_named_by_the_fleet)
{
    static const char *const names[] = {
        "HOME",         "ENV",     "BASH_ENV",    "LD_PRELOAD", "PYTHONPATH",
        "NODE_OPTIONS", "GIT_SSH", "BASH_FUNC_x", "LD_",        "GIT_SSH_COMMAND"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char json[300], path[300];
        snprintf(json, sizeof(json), VARIABLES("\"%s\":\"x\""), names[i]);
        snprintf(path, sizeof(path), VARIABLE("%s"), names[i]);
        refuse(json, path, "decides which code is run");
    }
    static const char *const others[] = {"PATHS", "HOMEPAGE", "ENVIRONMENT", "OLD_PATH", "LDX"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        char json[300];
        snprintf(json, sizeof(json), VARIABLES("\"%s\":\"x\""), others[i]);
        struct overrides overrides = accept(json, false);
        overrides_wipe(&overrides);
    }
    struct overrides overrides = accept(VARIABLES("\"PATH\":\"/opt\""), true);
    ck_assert_str_eq(overrides_variable(overrides_find(&overrides, "A"), "PATH")->value, "/opt");
    overrides_wipe(&overrides);
}

TEST(a_trigger_key_sets_only_variables_that_the_definition_names)
{
    static const char json[] = VARIABLES("\"NEW\":\"x\"");
    struct overrides overrides = accept(json, false);
    overrides_wipe(&overrides);
    refuse_n(json, strlen(json), true, VARIABLE("NEW"), "role trigger");
    overrides = accept(VARIABLES("\"STAGE\":\"x\",\"SHIPYARD_OVERRIDE_STATUS\":\"ERROR\""), true);
    overrides_wipe(&overrides);
}

/* ---- bounds ---- */

/* Returns a request that sets variables V0 to V<count - 1> of vessel A to `bytes` characters. */
static char *request_of(int count, int bytes)
{
    struct buffer json = BUFFER_INIT;
    buffer_append_text(&json, "{\"vessel_overrides\":[{\"name\":\"A\","
                              "\"environment_variable_overrides\":{");
    for (int i = 0; i < count; i++) {
        buffer_append_format(&json, "%s\"V%d\":\"", i > 0 ? "," : "", i);
        for (int k = 0; k < bytes; k++)
            buffer_append_char(&json, 'x');
        buffer_append_char(&json, '"');
    }
    buffer_append_text(&json, "}}]}");
    ck_assert(buffer_text(&json)[0] == '{');
    return buffer_take(&json);
}

TEST(a_request_sets_at_most_1000_values)
{
    char *json = request_of(1000, 1);
    struct overrides overrides = accept(json, false);
    overrides_wipe(&overrides);
    free(json);
    json = request_of(1001, 1);
    refuse(json, IN_A("environment_variable_overrides"), "at most 1000");
    free(json);
}

TEST(a_request_lists_at_most_1000_vessels)
{
    struct buffer json = BUFFER_INIT;
    buffer_append_text(&json, "{\"vessel_overrides\":[{\"name\":\"A\"}");
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&json, ",{\"name\":\"B\"}");
    buffer_append_text(&json, "]}");
    refuse(buffer_text(&json), "vessel_overrides", "at most 1000 vessels");
    buffer_free(&json);
}

TEST(values_must_fit_into_execve)
{
    /* "V0=" and the NUL belong to the string: execve(2), MAX_ARG_STRLEN. */
    char *json = request_of(1, (128 << 10) - 4);
    struct overrides overrides = accept(json, false);
    overrides_wipe(&overrides);
    free(json);
    json = request_of(1, (128 << 10) - 3);
    refuse(json, VARIABLE("V0"), "shorter than 128 KiB");
    free(json);
    json = request_of(9, 120 << 10);
    refuse(json, "vessel_overrides[0]", "less than 1 MiB");
    free(json);
}

/* ---- the stored forms ---- */

static const char EVERYTHING[] =
    "{\"vessel_overrides\":[{\"name\":\"B\"},{\"name\":\"A\",\"environment_variable_overrides\":"
    "{\"STAGE\":\"" CANARY "\",\"EMPTY\":\"\",\"SHIPYARD_OVERRIDE_STATUS\":\"ERROR\"},"
    "\"argument_overrides\":[\"" CANARY " 2\",\"\"]}]}";

TEST(a_form_is_read_as_it_was_written)
{
    struct error error = ERROR_INIT;
    struct buffer form = BUFFER_INIT, again = BUFFER_INIT;
    struct overrides overrides = accept(EVERYTHING, false), read;
    ck_assert_int_eq(overrides_form_write(&overrides, true, &form), 0);
    ck_assert_int_eq(overrides_form_read(form.data, form.bytes, true, &read, &error), 0);
    ck_assert_uint_eq(read.vessel_count, 1);
    const struct vessel_override *a = overrides_find(&read, "A");
    ck_assert_int_eq(a->status, OVERRIDE_ERRORED);
    ck_assert_str_eq(overrides_variable(a, "STAGE")->value, CANARY);
    ck_assert_str_eq(overrides_variable(a, "EMPTY")->value, "");
    ck_assert_uint_eq(a->argument_count, 2);
    ck_assert_str_eq(a->arguments[0], CANARY " 2");
    ck_assert_str_eq(a->arguments[1], "");
    ck_assert_int_eq(overrides_form_write(&read, true, &again), 0);
    ck_assert_uint_eq(form.bytes, again.bytes);
    ck_assert_mem_eq(form.data, again.data, form.bytes);
    overrides_wipe(&overrides);
    overrides_wipe(&read);
    buffer_free(&form);
    buffer_free(&again);
}

TEST(a_form_without_values_has_names_and_statuses_only)
{
    struct error error = ERROR_INIT;
    struct buffer form = BUFFER_INIT;
    struct overrides overrides = accept(EVERYTHING, false), read;
    ck_assert_int_eq(overrides_form_write(&overrides, false, &form), 0);
    ck_assert_ptr_null(memmem(form.data, form.bytes, CANARY, strlen(CANARY)));
    ck_assert_int_eq(overrides_form_read(form.data, form.bytes, false, &read, &error), 0);
    const struct vessel_override *a = overrides_find(&read, "A");
    ck_assert_ptr_nonnull(overrides_variable(a, "STAGE"));
    ck_assert_ptr_null(overrides_variable(a, "STAGE")->value);
    ck_assert(a->has_arguments && a->argument_count == 0 && a->status == OVERRIDE_ERRORED);
    overrides_wipe(&overrides);
    overrides_wipe(&read);
    buffer_free(&form);
}

TEST(a_damaged_form_is_an_error)
{
    static const struct {
        const char *form;
        size_t bytes;
        bool with_values;
    } cases[] = {{"", 0, true},
                 {"1", 1, true},
                 {"2\0", 2, true},
                 {"1\0x", 3, true},
                 {"1\0s\0", 4, true},
                 {"1\0VA\0x\0", 7, true},
                 {"1\0VA\0sx\0", 8, true},
                 {"1\0VA\0NX\0", 8, true},
                 {"1\0VA\0N=\0v\0", 10, true},
                 {"1\0VA\0Aa\0", 8, true},
                 {"1\0VA\0R\0Aa\0", 10, false},
                 {"1\0\0", 3, true},
                 {"1\0VA\0NSHIPYARD_X\0v\0", 19, true}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = ERROR_INIT;
        struct overrides read;
        ck_assert_msg(overrides_form_read(cases[i].form, cases[i].bytes, cases[i].with_values,
                                          &read, &error) != 0,
                      "case %zu", i);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_uint_eq(read.vessel_count, 0);
    }
}

TEST(a_form_that_was_cut_inside_a_text_is_damaged)
{
    struct buffer form = BUFFER_INIT;
    struct overrides overrides = accept(EVERYTHING, false), read;
    ck_assert_int_eq(overrides_form_write(&overrides, true, &form), 0);
    for (size_t bytes = 1; bytes < form.bytes; bytes++) {
        struct error error = ERROR_INIT;
        if (form.data[bytes - 1] == '\0')
            continue;
        ck_assert_int_ne(overrides_form_read(form.data, bytes, true, &read, &error), 0);
    }
    overrides_wipe(&overrides);
    buffer_free(&form);
}
