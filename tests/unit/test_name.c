/* The rules for names. */
#include "model/name.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

TEST(ordinary_names_are_accepted)
{
    static const char *const NAMES[] = {"a",      "Greet",  "Run a script", "a.b-c_d", "..",
                                        "日本語", "über 1", "\"quoted\"",   "latest",  "🚢"};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
        ck_assert_msg(!name_problem(NAMES[i]), "%s: %s", NAMES[i], name_problem(NAMES[i]));
}

TEST(a_name_has_1_to_255_bytes)
{
    char name[NAME_MAX_BYTES + 2];
    memset(name, 'x', sizeof(name));
    name[NAME_MAX_BYTES + 1] = '\0';
    ck_assert_ptr_nonnull(strstr(name_problem(name), "255"));
    name[NAME_MAX_BYTES] = '\0';
    ck_assert_ptr_null(name_problem(name));
    ck_assert_ptr_nonnull(strstr(name_problem(""), "empty"));
}

TEST(control_characters_and_slashes_are_refused)
{
    static const char *const NAMES[] = {"a\nb", "\x01", "a\x7f", "tab\t", "\xc2\x80", "a\xc2\x9fz"};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        const char *problem = name_problem(NAMES[i]);
        ck_assert_ptr_nonnull(problem);
        ck_assert_ptr_nonnull(strstr(problem, "control"));
    }
    ck_assert_ptr_null(name_problem("\xc2\xa0")); /* the first character after the C1 controls */
    ck_assert_ptr_nonnull(strstr(name_problem("a/b"), "/"));
}

TEST(names_that_look_like_a_uuid_are_refused)
{
    ck_assert_ptr_nonnull(strstr(name_problem("6f0c1a2b-0000-4000-8000-0123456789ab"), "UUID"));
    ck_assert_ptr_nonnull(name_problem("6F0C1A2B-0000-4000-8000-0123456789AB"));
    ck_assert_ptr_null(name_problem("6f0c1a2b-0000-4000-8000-0123456789a"));
    ck_assert_ptr_null(name_problem("6f0c1a2b-0000-4000-8000-0123456789abc"));
}

TEST(invalid_utf8_is_refused)
{
    ck_assert_ptr_nonnull(strstr(name_problem("\x80"), "UTF-8"));
    ck_assert_ptr_nonnull(strstr(name_problem("a\xc3"), "UTF-8"));
    ck_assert_ptr_nonnull(strstr(name_problem("\xc0\xaf"), "UTF-8"));
}
