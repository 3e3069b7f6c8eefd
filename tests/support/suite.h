/* A test program is a file of tests whose names are sentences. Check runs each in a process of its
 * own.
 *
 *     TEST(replaced_token_gets_400_immediately)
 *     {
 *         …
 *     }
 *
 * A test registers itself; tests/main.c runs them all, in the order of the file. The output is TAP,
 * which tests/run counts. A test that this machine cannot run calls test_skip("why") and returns:
 * it is counted separately. CK_RUN_CASE=name runs a single test.
 *
 * If a test proves an invariant of docs/architecture.md, a line above says so: Invariant 5. */
#ifndef WEBHOOKD_TESTS_SUPPORT_SUITE_H
#define WEBHOOKD_TESTS_SUPPORT_SUITE_H

#include <check.h>

struct suite_test {
    struct suite_test *next;
    const TTest *test;
    double timeout_s;
};

#define TEST(name) SLOW_TEST(name, 180)

/* A test that may take longer than three minutes before Check ends it. The limits are generous:
 * they end a test that hangs, even on a busy machine, but never one that is merely slow. */
#define SLOW_TEST(name, seconds)                                                                   \
    static const TTest *name;                                                                      \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        static struct suite_test entry = {.timeout_s = seconds};                                   \
        entry.test = name;                                                                         \
        suite_add(&entry);                                                                         \
    }                                                                                              \
    START_TEST(name)

/* Adds the test to those of suite_run. *test must stay valid. */
void suite_add(struct suite_test *test);

/* Runs all added tests in the order of the file. Returns the program's exit status. */
int suite_run(const char *name);

/* Reports that this machine cannot run the calling test; the test should then return. */
void test_skip(const char *why);

#endif
