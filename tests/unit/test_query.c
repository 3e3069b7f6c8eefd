/* The parameters of a query string. */
#include "http/query.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

/* Expects these parameters: "name:value, name:value", undecoded. */
static void assert_parameters(const char *query, const char *expected)
{
    char text[200] = "";
    struct query_parameter parameter;
    for (const char *at = query; query_next(&at, &parameter);) {
        strcat(text, text[0] == '\0' ? "" : ", ");
        strncat(text, parameter.name, parameter.name_bytes);
        strcat(text, ":");
        strncat(text, parameter.value, parameter.value_bytes);
    }
    ck_assert_str_eq(text, expected);
}

TEST(parameters_come_in_order)
{
    assert_parameters("", "");
    assert_parameters("a=1", "a:1");
    assert_parameters("a=1&b=2&a=3", "a:1, b:2, a:3");
    assert_parameters("a=1=2&b", "a:1=2, b:");
    assert_parameters("a=&b=", "a:, b:");
    assert_parameters("=1", ":1");
    assert_parameters("a%20b=+%2B", "a%20b:+%2B");
}

TEST(empty_parameters_are_skipped)
{
    assert_parameters("&", "");
    assert_parameters("&&a=1&&&b=2&", "a:1, b:2");
}

TEST(parameter_is_found_by_its_whole_name)
{
    struct query_parameter parameter;
    const char *query = "limit=1";
    ck_assert(query_next(&query, &parameter));
    ck_assert(query_is_named(&parameter, "limit"));
    ck_assert(!query_is_named(&parameter, "limi"));
    ck_assert(!query_is_named(&parameter, "limit="));
    ck_assert(!query_is_named(&parameter, "limits"));
    ck_assert(!query_is_named(&parameter, ""));
}

static int decode(const char *query, char *text, size_t text_bytes)
{
    struct query_parameter parameter;
    ck_assert(query_next(&query, &parameter));
    return query_decode(&parameter, text, text_bytes);
}

TEST(values_are_decoded)
{
    static const char *const cases[][2] = {{"a=x+y", "x y"},
                                           {"a=%2B%2b%41", "++A"},
                                           {"a=caf%C3%A9", "caf\xc3\xa9"},
                                           {"a=1%263&b=2", "1&3"},
                                           {"a", ""},
                                           {"a=", ""}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[16];
        ck_assert_int_eq(decode(cases[i][0], text, sizeof(text)), 0);
        ck_assert_str_eq(text, cases[i][1]);
    }
}

TEST(values_that_cannot_be_decoded_or_do_not_fit_are_refused)
{
    static const char *const wrong[] = {"a=%",   "a=%4",  "a=%4&b=1",  "a=%4g",
                                        "a=%g4", "a=%00", "a=12345678"};
    char text[8];
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        ck_assert_msg(decode(wrong[i], text, sizeof(text)) == -1, "%s", wrong[i]);
    ck_assert_int_eq(decode("a=1234567", text, sizeof(text)), 0);
    ck_assert_int_eq(decode("a=%31%32%33%34%35%36%37", text, sizeof(text)), 0);
    ck_assert_str_eq(text, "1234567");
}
