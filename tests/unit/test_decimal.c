#include "base/decimal.h"

#include <stddef.h>

#include "base/memory.h"
#include "support/suite.h"

TEST(digits_are_read_up_to_the_first_other_character)
{
    static const struct {
        const char *text, *behind;
        int64_t number;
    } good[] = {{"0", "", 0},         {"7ms", "ms", 7}, {"007 ", " ", 7},
                {"12-34", "-34", 12}, {"1.5", ".5", 1}, {"9223372036854775807", "", INT64_MAX}};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        int64_t number = -1;
        const char *behind = decimal_read(good[i].text, 0, &number);
        ck_assert_msg(behind, "%s", good[i].text);
        ck_assert_str_eq(behind, good[i].behind);
        ck_assert_int_eq(number, good[i].number);
    }
}

TEST(text_without_digits_or_with_too_many_leaves_the_number_unchanged)
{
    static const struct {
        const char *text;
        int max_digits;
    } wrong[] = {{"", 0},
                 {"x", 0},
                 {"-1", 0},
                 {"+1", 0},
                 {" 1", 0},
                 {"1234", 3},
                 {"0000", 3},
                 {"9223372036854775808", 0},
                 {"99999999999999999999", 0}};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        int64_t number = 17;
        ck_assert_msg(!decimal_read(wrong[i].text, wrong[i].max_digits, &number), "%s",
                      wrong[i].text);
        ck_assert_int_eq(number, 17);
    }
    int64_t number = 0;
    ck_assert_ptr_nonnull(decimal_read("123", 3, &number));
    ck_assert_int_eq(number, 123);
}
