/* model/reference: names of credentials, and values that refer to them. */
#include "model/reference.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

#define LONGEST "A23456789_123456789_123456789_123456789_123456789_123456789_123"

/* Writes the pieces of a value: text as it is, <GROUP.ITEM> for a reference, and ! for a broken
 * one. */
static const char *pieces_with(const char *value, bool reads_inputs)
{
    static char text[400];
    char name[REFERENCE_TEXT_BYTES];
    struct reference_reader reader = {.at = value, .reads_inputs = reads_inputs};
    size_t bytes = 0;
    text[0] = '\0';
    for (;;) {
        enum reference_piece piece = reference_next(&reader);
        char *at = text + bytes;
        size_t room = sizeof(text) - bytes;
        if (piece == REFERENCE_END)
            return text;
        if (piece == REFERENCE_NAME)
            bytes += (size_t)snprintf(at, room, "<%s>", reference_format(&reader.reference, name));
        else if (piece == REFERENCE_INPUT)
            bytes += (size_t)snprintf(at, room, "(%.*s)", (int)reader.bytes, reader.text);
        else
            bytes += (size_t)snprintf(at, room, "%s%.*s", piece == REFERENCE_TEXT ? "" : "!",
                                      (int)reader.bytes, reader.text);
    }
}

static const char *pieces(const char *value)
{
    return pieces_with(value, false);
}

TEST(references_to_inputs_are_read_only_where_there_are_inputs)
{
    static const char *const cases[][2] = {
        {"${TO}", "(TO)"},
        {"a${_x1}b#{A.B}c", "a(_x1)b<A.B>c"},
        {"$${TO}", "${TO}"},
        {"$$${TO}", "$${TO}"},
        {"#$${TO}", "#${TO}"},
        {"##{${A}", "#{(A)"},
        {"$", "$"},
        {"$TO {TO} 5$", "$TO {TO} 5$"},
        {"${}", "!${}"},
        {"${1A}", "!${1A}"},
        {"${A-B}", "!${A-B}"},
        {"${A", "!${A"},
        {"${A${B}", "!${A(B)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        ck_assert_str_eq(pieces_with(cases[i][0], true), cases[i][1]);
    ck_assert_str_eq(pieces("${TO}$${TO}${"), "${TO}$${TO}${");
}

TEST(a_value_is_taken_apart_into_text_and_references)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"#{DB.PASSWORD}", "<DB.PASSWORD>"},
        {"a#{A.B}b#{C_1.D_2}c", "a<A.B>b<C_1.D_2>c"},
        {"#{A.B}#{C.D}", "<A.B><C.D>"},
        {"#", "#"},
        {"{", "{"},
        {"a#b{c}#", "a#b{c}#"},
        {"##{A.B}", "#{A.B}"},
        {"x##{A.B}y", "x#{A.B}y"},
        {"###{A.B}", "##{A.B}"},
        {"##", "##"},
        {"##{", "#{"},
        {"##{#{A.B}", "#{<A.B>"},
        {"#{" LONGEST "." LONGEST "}", "<" LONGEST "." LONGEST ">"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        ck_assert_str_eq(pieces(cases[i][0]), cases[i][1]);
}

TEST(what_begins_like_a_reference_and_is_none_is_broken)
{
    static const char *const broken[] = {
        "#{",
        "#{}",
        "#{A}",
        "#{A.}",
        "#{.B}",
        "#{A.B",
        "#{a.B}",
        "#{A.b}",
        "#{A.B.C}",
        "#{ A.B}",
        "#{A.B }",
        "#{1A.B}",
        "#{_A.B}",
        "#{A-B.C}",
        "#{A.B#{C.D}",
        "#{" LONGEST "X.A}",
        "#{A." LONGEST "X}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++)
        ck_assert_msg(strncmp(pieces(broken[i]), "!#{", 3) == 0, "%s: %s", broken[i],
                      pieces(broken[i]));
    ck_assert_str_eq(pieces("x#{a}#{A.B}"), "x!#{a}<A.B>");
}

TEST(a_name_is_read_whole_or_not_at_all)
{
    static const char *const wrong[] = {"",     "A",      "A.",  ".B",    "A.B.C",
                                        "A.B ", " A.B",   "a.B", "A.b",   "A..B",
                                        "A.B}", "#{A.B}", "Ä.B", "A/B.C", LONGEST "X.A"};
    struct reference reference;
    char text[REFERENCE_TEXT_BYTES];
    ck_assert_int_eq(reference_parse(LONGEST "." LONGEST, &reference), 0);
    ck_assert_str_eq(reference_format(&reference, text), LONGEST "." LONGEST);
    ck_assert_ptr_null(reference_problem(LONGEST, "B"));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        ck_assert_int_eq(reference_parse(wrong[i], &reference), -1);
    ck_assert_ptr_nonnull(reference_problem("a", "B"));
    ck_assert_ptr_nonnull(reference_problem("A", ""));
    ck_assert_ptr_nonnull(reference_problem("A", "B.C"));
}
