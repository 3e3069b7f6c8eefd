#include "base/hex.h"

#include <stdlib.h>

#include "support/suite.h"

TEST(digits_of_either_case_and_nothing_else_have_a_value)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[2] = {(char)byte, '\0'};
        char *end = NULL;
        long value = strtol(text, &end, 16);
        ck_assert_int_eq(hex_digit((char)byte), end > text ? value : -1);
    }
}
