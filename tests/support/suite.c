#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

static struct suite_test *first; /* written before main, only read afterwards */

/* Keeps the list sorted by line: compilers may run the constructors of a file in any order. */
void suite_add(struct suite_test *test)
{
    struct suite_test **link = &first;
    while (*link && (*link)->test->line < test->test->line)
        link = &(*link)->next;
    test->next = *link;
    *link = test;
}

int suite_run(const char *name)
{
    Suite *suite = suite_create(name);
    for (const struct suite_test *test = first; test; test = test->next) {
        TCase *test_case = tcase_create(test->test->name);
        tcase_set_timeout(test_case, test->timeout_s);
        tcase_add_test(test_case, test->test);
        suite_add_tcase(suite, test_case);
    }
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void test_skip(const char *why)
{
    printf("# SKIP %s\n", why);
    fflush(stdout);
}
