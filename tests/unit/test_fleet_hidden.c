/* Hidden values of a fleet file: which entries are hidden, and the file without their values. */
#include "model/fleet_hidden.h"

#include "base/buffer.h"
#include "unit/fleet_cases.h"

#define ENVIRONMENT SOURCE "      environment:\n"
#define CANARY      "cnry"

/* ---- what is hidden ---- */

static void expect_entry(const char *environment, const char *value, bool hidden)
{
    char *text = memory_format("%s      environment: %s\n", SOURCE, environment);
    struct outcome outcome = parse_good(text);
    const struct definition_vessel *vessel = &outcome.definition->vessels[0];
    ck_assert_uint_eq(vessel->environment_count, 1);
    ck_assert_str_eq(vessel->environment[0].value, value);
    ck_assert_int_eq(vessel->environment[0].hidden, hidden);
    ck_assert_int_eq(definition_has_hidden(outcome.definition), hidden);
    outcome_free(&outcome);
    free(text);
}

TEST(an_entry_is_hidden_if_it_says_so_or_keeps_its_value)
{
    expect_entry("[ { name: A, value: x, hidden: true } ]", "x", true);
    expect_entry("{ name: A, value: x, hidden: 'true' }", "x", true);
    expect_entry("[ { name: A, value: x, hidden: false } ]", "x", false);
    expect_entry("[ { name: A, value: x } ]", "x", false);
    expect_entry("[ { name: A, value: '', hidden: true } ]", "", true);
    expect_entry("[ { name: A, value: SHIPYARD_HIDDEN } ]", "SHIPYARD_HIDDEN", true);
    expect_entry("[ { name: A, value: SHIPYARD_HIDDEN, hidden: true } ]", "SHIPYARD_HIDDEN", true);
    expect_entry("{ A: SHIPYARD_HIDDEN }", "SHIPYARD_HIDDEN", true);
    expect_entry("{ A: SHIPYARD_HIDDEN2 }", "SHIPYARD_HIDDEN2", false);
}

TEST(hidden_is_true_or_false)
{
    refuse(ENVIRONMENT "        - { name: A, value: x, hidden: yes }\n", 9,
           "vessels.a.source.environment[0].hidden", "write false or true");
    refuse(ENVIRONMENT "        - { name: A, value: x, hidden: [ true ] }\n", 9,
           "vessels.a.source.environment[0].hidden", "single value");
}

TEST(the_stored_form_has_the_word_instead_of_a_hidden_value)
{
    struct outcome outcome =
        parse_good(ENVIRONMENT "        - { name: B, value: " CANARY ", hidden: true }\n"
                               "        - { name: A, value: shown }\n");
    char *json = definition_json_write(outcome.definition, true);
    ck_assert_ptr_nonnull(
        strstr(json, "\"environment\":{\"A\":\"shown\",\"B\":{\"hidden\":true,\"value\":"
                     "\"SHIPYARD_HIDDEN\"}}"));
    ck_assert_ptr_null(strstr(json, CANARY));
    struct error error = ERROR_INIT;
    struct definition *read = definition_json_read(json, strlen(json), &error);
    ck_assert_ptr_nonnull(read);
    ck_assert(!read->vessels[0].environment[0].hidden);
    ck_assert(definition_lacks_value(&read->vessels[0].environment[1]));
    char *again = definition_json_write(read, true);
    ck_assert_str_eq(again, json);
    free(again);
    free(json);
    definition_free(read);
    outcome_free(&outcome);
}

TEST(a_stored_hidden_entry_of_any_other_form_is_damaged)
{
    static const char *const forms[] = {"{}",
                                        "{\"hidden\":true}",
                                        "{\"hidden\":true,\"value\":1}",
                                        "{\"hidden\":false,\"value\":\"SHIPYARD_HIDDEN\"}",
                                        "{\"hidden\":true,\"value\":\"secret\"}",
                                        "[]",
                                        "true"};
    struct outcome outcome =
        parse_good(ENVIRONMENT "        - { name: A, value: x, hidden: true }\n");
    char *json = definition_json_write(outcome.definition, true);
    char *at = strstr(json, "{\"hidden\"");
    char *rest = strchr(at, '}') + 1;
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        struct error error = ERROR_INIT;
        char *other = memory_format("%.*s%s%s", (int)(at - json), json, forms[i], rest);
        ck_assert_ptr_null(definition_json_read(other, strlen(other), &error));
        ck_assert_ptr_nonnull(strstr(error.message, "environment"));
        free(other);
    }
    free(json);
    outcome_free(&outcome);
}

/* ---- the file without the values ---- */

/* Returns the file without its hidden values. Free it. */
static char *mask_bytes(const char *text, size_t text_bytes, size_t *bytes)
{
    const struct fleet_file_options options = {.stub = false};
    struct outcome outcome = parse_bytes(text, text_bytes, false);
    if (!outcome.definition)
        ck_abort_msg("%d: %s: %s\n%s", outcome.problems.items[0].line,
                     outcome.problems.items[0].path, outcome.problems.items[0].message, text);
    struct fleet_hidden_list list;
    struct error error = ERROR_INIT;
    char *copy = memory_copy(text, text_bytes); /* without a NUL behind it */
    fleet_file_find_hidden(copy, text_bytes, &options, &list);
    char *masked = fleet_hidden_mask(&list, outcome.definition, bytes, &error);
    ck_assert_msg(masked, "%s\n%s", error.message, text);
    fleet_hidden_free(&list);
    free(copy);
    outcome_free(&outcome);
    return masked;
}

static void expect_masked(const char *text, const char *expected)
{
    size_t bytes = 0;
    char *masked = mask_bytes(text, strlen(text), &bytes);
    ck_assert_str_eq(masked, expected);
    ck_assert_uint_eq(bytes, strlen(expected));
    free(masked);
}

/* A file whose first variable is hidden and has this value as written. Free it. */
static char *file_with(const char *value)
{
    return memory_format("# s3cret ä 🚢\n" ENVIRONMENT "        - hidden: true # ä\n"
                         "          value: %s\n          name: A\n"
                         "        - {name: B, value: s3cret}\n",
                         value);
}

TEST(only_the_value_is_replaced)
{
    static const struct {
        const char *value, *masked;
    } cases[] = {
        {"s3cret", "SHIPYARD_HIDDEN"},
        {"s3cret   # why", "SHIPYARD_HIDDEN   # why"},
        {"''", "'SHIPYARD_HIDDEN'"},
        {"'it''s'", "'SHIPYARD_HIDDEN'"},
        {"\"s\\\"3\\u00e4\"", "\"SHIPYARD_HIDDEN\""},
        {"\"one\n            two\" # c", "\"SHIPYARD_HIDDEN\" # c"},
        {"one\n            two\n            three # c", "SHIPYARD_HIDDEN # c"},
        {"|\n            one\n             two\n\n            #three", "SHIPYARD_HIDDEN"},
        {"|-  # c\n            one\n\n\n", "SHIPYARD_HIDDEN  # c\n\n\n"},
        {">+2\n              one\n            two\n # c", "SHIPYARD_HIDDEN\n # c"},
        {"|2+\n\n", "SHIPYARD_HIDDEN\n"},
        {"!!str s3cret", "SHIPYARD_HIDDEN"},
        {"!!str # c\n            's3cret'", "'SHIPYARD_HIDDEN'"},
        {"!<tag:yaml.org,2002:str> |\n            one\n", "SHIPYARD_HIDDEN\n"},
        {"! 007", "SHIPYARD_HIDDEN"},
        {"SHIPYARD_HIDDEN # kept", "SHIPYARD_HIDDEN # kept"},
        {"\"SHIPYARD_HIDDEN\"", "\"SHIPYARD_HIDDEN\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = file_with(cases[i].value), *masked = file_with(cases[i].masked);
        expect_masked(text, masked);
        free(text);
        free(masked);
    }
}

TEST(a_value_at_the_end_of_the_file_is_replaced)
{
    expect_masked(ENVIRONMENT "        hidden: true\n        name: A\n        value: s",
                  ENVIRONMENT "        hidden: true\n        name: A\n        value: "
                              "SHIPYARD_HIDDEN");
    expect_masked(ENVIRONMENT "        hidden: true\n        name: A\n        value: |\n         s",
                  ENVIRONMENT "        hidden: true\n        name: A\n        value: "
                              "SHIPYARD_HIDDEN\n");
}

TEST(json_keeps_its_numbers_and_white_space)
{
    expect_masked(
        " {\"name\": \"x\",\t\"vessels\": {\"a\": {\"source\": {\"type\": \"CODE\", \"language\":\n"
        "\"BASH\", \"file\": {\"name\": \"a\", \"content\": \"[\\\"value\\\": 7, null\"},"
        "\"arguments\": [3.10, null, -0, true, \"x\"], \"environment\": ["
        "{\"hidden\":true,\"value\" : \"a\\\\\\\"b\",\"name\":\"A\"}, {\"name\":\"B\",\"value\":"
        "1.50, \"hidden\":true},{\"value\":\"a\\\\\\\"b\",\"name\":\"C\"}]}}}}\r\n",
        " {\"name\": \"x\",\t\"vessels\": {\"a\": {\"source\": {\"type\": \"CODE\", \"language\":\n"
        "\"BASH\", \"file\": {\"name\": \"a\", \"content\": \"[\\\"value\\\": 7, null\"},"
        "\"arguments\": [3.10, null, -0, true, \"x\"], \"environment\": ["
        "{\"hidden\":true,\"value\" : \"SHIPYARD_HIDDEN\",\"name\":\"A\"}, {\"name\":\"B\","
        "\"value\":\"SHIPYARD_HIDDEN\", \"hidden\":true},{\"value\":\"a\\\\\\\"b\",\"name\":\"C\"}]"
        "}}}}\r\n");
}

TEST(an_anchor_or_an_alias_is_refused)
{
    refuse(ENVIRONMENT "        - { name: A, value: &s secret, hidden: true }\n", 9,
           "vessels.a.source.environment[0].value", "anchors and aliases are not accepted");
    refuse(ENVIRONMENT "        - { name: A, value: *s, hidden: true }\n", 9,
           "vessels.a.source.environment[0].value", "anchors and aliases are not accepted");
}

TEST(a_value_that_is_not_stored_is_reported_at_its_place)
{
    static const char text[] = ENVIRONMENT "        - { name: A, value: x, hidden: true }\n"
                                           "        - name: B\n          value: SHIPYARD_HIDDEN\n";
    const struct fleet_file_options options = {.stub = false};
    struct fleet_hidden_list list;
    struct fleet_problems problems = {NULL, 0};
    fleet_file_find_hidden(text, sizeof(text) - 1, &options, &list);
    ck_assert_uint_eq(list.count, 2);
    fleet_hidden_refuse(&list, 0, 1, &problems);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert(has(&problems, 11, "vessels.a.source.environment[1].value",
                  "there is no stored value to keep: write the real one, or `#{GROUP.ITEM}`"));
    report_free_problems(&problems);
    fleet_hidden_free(&list);
}

TEST(a_file_that_does_not_mean_the_same_without_its_values_is_refused)
{
    static const char text[] = ENVIRONMENT "        - { name: A, value: x, hidden: true }\n";
    const struct fleet_file_options options = {.stub = false};
    struct outcome outcome = parse_good(text);
    struct fleet_hidden_list list;
    size_t bytes = 0;
    struct error error = ERROR_INIT;
    fleet_file_find_hidden(text, sizeof(text) - 1, &options, &list);
    list.items[0].end = list.bytes; /* a place that is wrong */
    ck_assert_ptr_null(fleet_hidden_mask(&list, outcome.definition, &bytes, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    fleet_hidden_free(&list);
    outcome_free(&outcome);
}

/* ---- generated files ---- */

struct generator {
    uint32_t state;
    struct buffer text, masked;
    int secrets;
};

/* Any sequence will do; this one is the same each time. */
static unsigned choose(struct generator *generator, unsigned count)
{
    generator->state = generator->state * 1664525 + 1013904223;
    return (generator->state >> 16) % count;
}

static void both(struct generator *generator, const char *text)
{
    buffer_append_text(&generator->text, text);
    buffer_append_text(&generator->masked, text);
}

/* Writes a value at this indentation: in the text the first, in the masked text the other. */
static void value(struct generator *generator, const char *text, const char *masked)
{
    buffer_append_text(&generator->text, text);
    buffer_append_text(&generator->masked, masked);
    generator->secrets++;
}

static void flow_value(struct generator *generator)
{
    static const char *const plain[] = {(CANARY), (CANARY ":" CANARY), ("ä-" CANARY "#1"),
                                        ("-" CANARY)};
    static const char *const single[] = {"'" CANARY "'", "'" CANARY "''" CANARY "'",
                                         "'{" CANARY "}, # " CANARY "'", "'🚢" CANARY " '"};
    static const char *const quoted[] = {"\"" CANARY "\"", "\"" CANARY "\\\"" CANARY "\\\\\"",
                                         "\"\\u00e4" CANARY "\\n\\t\"", "\"" CANARY ": |\""};
    switch (choose(generator, 4)) {
    case 0:
        value(generator, plain[choose(generator, 4)], "SHIPYARD_HIDDEN");
        return;
    case 1:
        value(generator, single[choose(generator, 4)], "'SHIPYARD_HIDDEN'");
        return;
    case 2:
        value(generator, quoted[choose(generator, 4)], "\"SHIPYARD_HIDDEN\"");
        return;
    default:
        value(generator, "!!str " CANARY, "SHIPYARD_HIDDEN");
    }
}

static void block_scalar(struct generator *generator)
{
    static const char *const lines[] = {"            " CANARY "\n",
                                        "              " CANARY "\n",
                                        "            # " CANARY "\n",
                                        "            \t" CANARY "\n",
                                        "\n",
                                        "            - " CANARY ": " CANARY "\n"};
    static const char *const heads[] = {"|", ">", "|-", ">+", "|2", ">2-"};
    static const char *const comments[] = {"", "  # comment", " "};
    const char *comment = comments[choose(generator, 3)];
    value(generator, heads[choose(generator, 6)], "SHIPYARD_HIDDEN");
    both(generator, comment);
    both(generator, "\n");
    buffer_append_text(&generator->text, lines[0]);
    for (unsigned left = choose(generator, 5); left > 0; left--)
        buffer_append_text(&generator->text, lines[choose(generator, 6)]);
    buffer_append_text(&generator->text, lines[1]);
    for (unsigned left = choose(generator, 3); left > 0; left--)
        both(generator, "\n");
}

static void block_value(struct generator *generator)
{
    switch (choose(generator, 5)) {
    case 0:
        value(generator, CANARY "\n            two " CANARY "\n\n            three",
              "SHIPYARD_HIDDEN");
        break;
    case 1:
        value(generator, "\"" CANARY "\n\n  " CANARY "\\\n            " CANARY "\"",
              "\"SHIPYARD_HIDDEN\"");
        break;
    case 2:
        value(generator, "'" CANARY "\n            # " CANARY "'", "'SHIPYARD_HIDDEN'");
        break;
    case 3:
        block_scalar(generator);
        return;
    default:
        flow_value(generator);
    }
    both(generator, choose(generator, 2) == 0 ? "\n" : " # comment ä\n");
}

static void flow_entry(struct generator *generator, const char *name)
{
    both(generator, "        - { ");
    both(generator,
         choose(generator, 2) == 0 ? "hidden: true, value: " : "\"hidden\":true,value: ");
    flow_value(generator);
    both(generator, choose(generator, 2) == 0 ? ", name: " : " ,\n            name: ");
    both(generator, name);
    both(generator, " }\n");
}

static void block_entry(struct generator *generator, const char *name)
{
    both(generator, "        - name: ");
    both(generator, name);
    both(generator, "\n          value: ");
    block_value(generator);
    both(generator, "          hidden: true\n");
}

static void variable(struct generator *generator, int number)
{
    char name[20];
    snprintf(name, sizeof(name), "V%d", number);
    if (choose(generator, 3) == 0) {
        both(generator, "        - { name: ");
        both(generator, name);
        both(generator, ", value: 'shown 🚢' } # not hidden\n");
    } else if (choose(generator, 2) == 0) {
        flow_entry(generator, name);
    } else {
        block_entry(generator, name);
    }
}

static void with_carriage_returns(struct buffer *buffer)
{
    struct buffer other = BUFFER_INIT;
    for (size_t i = 0; i < buffer->bytes; i++) {
        if (buffer->data[i] == '\n')
            buffer_append_char(&other, '\r');
        buffer_append_char(&other, buffer->data[i]);
    }
    buffer_free(buffer);
    *buffer = other;
}

static void generate(struct generator *generator)
{
    if (choose(generator, 4) == 0)
        both(generator, "\xef\xbb\xbf");
    both(generator, "# Ünïcode 🚢 before\n" ENVIRONMENT);
    for (int i = 0, count = 1 + (int)choose(generator, 6); i < count; i++)
        variable(generator, i);
    both(generator, choose(generator, 2) == 0 ? "# the end" : "max_concurrent_runs: 2\n");
    if (choose(generator, 3) == 0) {
        with_carriage_returns(&generator->text);
        with_carriage_returns(&generator->masked);
    }
}

TEST(generated_files_lose_their_hidden_values_and_nothing_else)
{
    int secrets = 0;
    for (uint32_t seed = 0; seed < 4000; seed++) {
        struct generator generator = {.state = seed};
        generate(&generator);
        size_t bytes = 0;
        char *masked = mask_bytes(buffer_text(&generator.text), generator.text.bytes, &bytes);
        ck_assert_msg(!strstr(masked, CANARY), "%s", masked);
        ck_assert_str_eq(masked, buffer_text(&generator.masked));
        ck_assert_uint_eq(bytes, generator.masked.bytes);
        secrets += generator.secrets;
        free(masked);
        buffer_free(&generator.text);
        buffer_free(&generator.masked);
    }
    ck_assert_int_gt(secrets, 4000); /* the generator does what it should */
}
