/* One test program: a list of tests whose names are sentences, run by Check, each in a process of its own.
 *
 *     START_TEST(replaced_token_gets_400_at_once) { … } END_TEST
 *     TEST_MAIN("hooks", TEST(replaced_token_gets_400_at_once), …)
 *
 * Output is TAP, which tests/run counts. A test that this machine cannot run calls test_skip("why") and returns:
 * it is counted apart. CK_RUN_CASE=name runs one test alone. */
#ifndef WEBHOOKD_TESTS_SUPPORT_SUITE_H
#define WEBHOOKD_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>

struct suite_test {
    const char *name;
    const TTest *test;
    double timeout_s; /* 0 = 60 */
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function, 0                                                                     \
    }
#define SLOW_TEST(function, seconds)                                                               \
    {                                                                                              \
#function, function, seconds                                                               \
    }

int suite_run(const char *name, const struct suite_test *tests, size_t count);
void test_skip(const char *why);

#define TEST_MAIN(name, ...)                                                                       \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct suite_test tests[] = {__VA_ARGS__};                                           \
        return suite_run(name, tests, sizeof(tests) / sizeof(tests[0]));                           \
    }

#endif
