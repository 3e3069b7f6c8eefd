/* What may be a name. */
#include "model/name.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

TEST(ordinary_names_are_fine)
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
    ck_assert_ptr_null(name_problem("\xc2\xa0")); /* the first behind C1 */
    ck_assert_ptr_nonnull(strstr(name_problem("a/b"), "/"));
}

TEST(what_looks_like_a_uuid_is_refused)
{
    ck_assert_ptr_nonnull(strstr(name_problem("6f0c1a2b-0000-4000-8000-0123456789ab"), "UUID"));
    ck_assert_ptr_nonnull(name_problem("6F0C1A2B-0000-4000-8000-0123456789AB"));
    ck_assert_ptr_null(name_problem("6f0c1a2b-0000-4000-8000-0123456789a"));
    ck_assert_ptr_null(name_problem("6f0c1a2b-0000-4000-8000-0123456789abc"));
}

TEST(only_utf8_is_utf8)
{
    static const char *const WRONG[] = {"\x80",
                                        "\xc3",
                                        "\xc0\xaf",
                                        "\xe0\x80\xaf",
                                        "\xed\xa0\x80",
                                        "\xf0\x80\x80\xaf",
                                        "\xf4\x90\x80\x80",
                                        "\xff",
                                        "\xe2\x82",
                                        "a\xc3z"};
    static const char *const RIGHT[] = {"",
                                        "\xc3\xa4",
                                        "\xe2\x82\xac",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xf0\x90\x80\x80"};
    for (size_t i = 0; i < ARRAY_COUNT(WRONG); i++) {
        ck_assert_msg(!name_is_utf8(WRONG[i], strlen(WRONG[i])), "wrong text %zu", i);
        ck_assert_ptr_nonnull(name_problem(WRONG[i]));
    }
    for (size_t i = 0; i < ARRAY_COUNT(RIGHT); i++)
        ck_assert_msg(name_is_utf8(RIGHT[i], strlen(RIGHT[i])), "right text %zu", i);
    ck_assert(!name_is_utf8("\xe2\x82\xac", 2)); /* cut by the length, not by the NUL */
}
