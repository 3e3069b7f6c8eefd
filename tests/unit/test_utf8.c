#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

static const struct {
    const char *text;
    uint32_t code_point;
} characters[] = {{"a", 'a'},
                  {"\x7f", 0x7f},
                  {"\xc2\x80", 0x80},
                  {"\xc3\xa4", 0xe4},
                  {"\xdf\xbf", 0x7ff},
                  {"\xe0\xa0\x80", 0x800},
                  {"\xe2\x82\xac", 0x20ac},
                  {"\xed\x9f\xbf", 0xd7ff},
                  {"\xee\x80\x80", 0xe000},
                  {"\xef\xbf\xbf", 0xffff},
                  {"\xf0\x90\x80\x80", 0x10000},
                  {"\xf4\x8f\xbf\xbf", 0x10ffff}};

static const char *const wrong[] = {"\x80",
                                    "\xbf",
                                    "\xc3",
                                    "\xc3z",
                                    "\xc0\xaf",
                                    "\xc1\xbf",
                                    "\xe0\x80\xaf",
                                    "\xe0\x9f\xbf",
                                    "\xed\xa0\x80",
                                    "\xed\xbf\xbf",
                                    "\xf0\x80\x80\xaf",
                                    "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xff",
                                    "\xe2\x82",
                                    "\xf0\x90\x80"};

TEST(characters_are_decoded)
{
    for (size_t i = 0; i < ARRAY_COUNT(characters); i++) {
        const char *text = characters[i].text;
        uint32_t code_point = 0;
        ck_assert_uint_eq(utf8_decode(text, &code_point), strlen(text));
        ck_assert_uint_eq(code_point, characters[i].code_point);
        code_point = 0;
        ck_assert_uint_eq(utf8_decode_n(text, strlen(text), &code_point), strlen(text));
        ck_assert_uint_eq(code_point, characters[i].code_point);
    }
}

TEST(invalid_characters_have_no_length)
{
    uint32_t code_point;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        ck_assert_msg(utf8_decode(wrong[i], &code_point) == 0, "invalid text %zu", i);
        ck_assert_msg(!utf8_is_valid(wrong[i], strlen(wrong[i])), "invalid text %zu", i);
    }
}

/* Each text ends where its memory ends, so that the address sanitizer detects a read beyond it. */
TEST(nothing_is_read_beyond_the_given_bytes)
{
    for (size_t i = 0; i < ARRAY_COUNT(characters); i++)
        for (size_t bytes = 0; bytes < strlen(characters[i].text); bytes++) {
            char *cut = malloc(bytes > 0 ? bytes : 1);
            uint32_t code_point;
            memcpy(cut, characters[i].text, bytes);
            ck_assert_uint_eq(utf8_decode_n(cut, bytes, &code_point), 0);
            ck_assert(utf8_is_valid(cut, bytes) == (bytes == 0));
            free(cut);
        }
}

TEST(text_is_valid_if_each_character_is)
{
    ck_assert(utf8_is_valid("", 0));
    ck_assert(utf8_is_valid("a\xc3\xa4\xe2\x82\xac\xf0\x90\x80\x80z", 11));
    ck_assert(utf8_is_valid("a\0b", 3));
    ck_assert(!utf8_is_valid("a\xc3z", 3));
    ck_assert(!utf8_is_valid("\xe2\x82\xac", 2));
}

TEST(control_characters_are_c0_del_c1_and_line_ends)
{
    static const uint32_t cc[] = {0, '\t', 0x1f, 0x7f, 0x80, 0x9f};
    static const uint32_t shown[] = {' ', 'a', '~', 0xa0, 0xe4, 0x2027, 0x202a, 0x10ffff};
    for (size_t i = 0; i < ARRAY_COUNT(cc); i++)
        ck_assert(utf8_is_cc(cc[i]) && utf8_is_control(cc[i]));
    for (size_t i = 0; i < ARRAY_COUNT(shown); i++)
        ck_assert(!utf8_is_cc(shown[i]) && !utf8_is_control(shown[i]));
    ck_assert(!utf8_is_cc(0x2028) && utf8_is_control(0x2028));
    ck_assert(!utf8_is_cc(0x2029) && utf8_is_control(0x2029));
}

TEST(text_is_cut_between_characters)
{
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};
    for (size_t max_bytes = 0; max_bytes < ARRAY_COUNT(expected); max_bytes++)
        ck_assert_uint_eq(utf8_cut("a\xc3\xa4\xe2\x82\xacz", max_bytes), expected[max_bytes]);
    ck_assert_uint_eq(utf8_cut("", 5), 0);
}

TEST(text_is_made_printable)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a\tb\x1b[31m\x7f", "a?b?[31m?"},
        {"\xc2\x85\xe2\x80\xa8|\xe2\x80\xa9", "??|?"}, /* NEL, line separators */
        {"\xc3\xa4\xf0\x9f\x9a\x80", "\xc3\xa4\xf0\x9f\x9a\x80"},
        {"a\xff"
         "b\xe2\x82",
         "ab"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[40];
        strcpy(text, cases[i][0]);
        utf8_make_printable(text);
        ck_assert_str_eq(text, cases[i][1]);
    }
}

TEST(latin1_becomes_utf8)
{
    char *text = utf8_from_latin1("caf\xe9 \x80\xff");
    ck_assert_str_eq(text, "caf\xc3\xa9 \xc2\x80\xc3\xbf");
    free(text);
    text = utf8_from_latin1("");
    ck_assert_str_eq(text, "");
    free(text);
}
