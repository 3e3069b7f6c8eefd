#include "base/distance.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

TEST(each_kind_of_slip_counts_once)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"", "", 0},
        {"Deploy", "Deploy", 0},
        {"Deploy", "deploy", 0},
        {"Depoly", "Deploy", 1}, /* swapped */
        {"Deplo", "Deploy", 1},
        {"Deeploy", "Deploy", 1},
        {"Deplay", "Deploy", 1},
        {"Dpelyo", "Deploy", 2},
        {"Delpoyy", "Deploy", 2},
        {"", "abc", 3},
        {"kitten", "sitting", 3},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        ck_assert_uint_eq(distance_between(cases[i].a, cases[i].b, 3), cases[i].distance);
        ck_assert_uint_eq(distance_between(cases[i].b, cases[i].a, 3), cases[i].distance);
    }
}

TEST(beyond_the_limit_nothing_is_counted)
{
    char text[DISTANCE_TEXT_BYTES + 1];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_uint_eq(distance_between("kitten", "sitting", 2), 3);
    ck_assert_uint_eq(distance_between("", "abcdef", 2), 3);
    ck_assert_uint_eq(distance_between(text, text, 2), 3);
    ck_assert_uint_eq(distance_between(text + 1, text + 1, 2), 0);
}
