#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "support/suite.h"

TEST(the_first_error_wins)
{
    struct error error = ERROR_INIT;
    ck_assert(!error_is_set(&error));
    ck_assert_int_eq(error_set(&error, ERROR_CONFLICT, "fleet %d exists", 7), -1);
    ck_assert_int_eq(error_set(&error, ERROR_NOT_FOUND, "something else"), -1);
    ck_assert_int_eq(error_set_errno(&error, EIO, "a third thing"), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(error.message, "fleet 7 exists");
}

TEST(errno_decides_whether_the_disk_is_full_or_broken)
{
    static const struct {
        int errnum;
        enum error_kind kind;
    } cases[] = {
        {ENOSPC, ERROR_FULL}, {EDQUOT, ERROR_FULL}, {EIO, ERROR_IO}, {EACCES, ERROR_INTERNAL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = ERROR_INIT;
        ck_assert_int_eq(error_set_errno(&error, cases[i].errnum, "cannot write %s", "x"), -1);
        ck_assert_int_eq(error.kind, cases[i].kind);
    }
    struct error error = ERROR_INIT;
    error_set_errno(&error, ENOSPC, "cannot write %s", "x");
    ck_assert_str_eq(error.message, "cannot write x: No space left on device");
}

TEST(the_reason_survives_a_message_that_is_too_long)
{
    char name[2000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct error error = ERROR_INIT;
    error_set_errno(&error, EACCES, "cannot open %s", name);
    ck_assert_uint_lt(strlen(error.message), sizeof(error.message));
    const char *reason = ": Permission denied";
    ck_assert_str_eq(error.message + strlen(error.message) - strlen(reason), reason);
}

TEST(context_precedes_the_message_and_only_if_one_is_set)
{
    struct error error = ERROR_INIT;
    error_context(&error, "fleet.yaml");
    ck_assert(!error_is_set(&error));
    ck_assert_str_eq(error.message, "");
    error_set(&error, ERROR_INVALID, "no vessels");
    error_context(&error, "%s, line %d", "fleet.yaml", 3);
    ck_assert_str_eq(error.message, "fleet.yaml, line 3: no vessels");
    ck_assert_int_eq(error.kind, ERROR_INVALID);
}

TEST(a_cleared_error_can_be_set_again)
{
    struct error error = ERROR_INIT;
    error_set(&error, ERROR_INVALID, "one");
    error_clear(&error);
    ck_assert(!error_is_set(&error));
    ck_assert_str_eq(error.message, "");
    error_set(&error, ERROR_FULL, "two");
    ck_assert_str_eq(error.message, "two");
}

TEST(a_message_is_one_line_of_valid_utf8)
{
    struct error error = ERROR_INIT;
    error_set(&error, ERROR_INVALID, "%s", "a\nb\x1b[2J\xc3\xa9\xff\xc0\xaf\xed\xa0\x80\xc2\x9b.");
    ck_assert_str_eq(error.message, "a?b?[2J\xc3\xa9??\x3f???"
                                    "?.");
}

TEST(a_long_message_is_cut_between_characters)
{
    char text[2000];
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof(text) - 2] = '\0';
    struct error error = ERROR_INIT;
    error_set(&error, ERROR_INVALID, ".%s", text);
    size_t bytes = strlen(error.message);
    ck_assert_uint_eq(bytes, sizeof(error.message) - 1);
    error_clear(&error);
    error_set(&error, ERROR_INVALID, "%s", text);
    bytes = strlen(error.message);
    ck_assert_uint_ge(bytes, sizeof(error.message) - 3);
    ck_assert_uint_eq(bytes % 2, 0);
}
