#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

int suite_run(const char *name, const struct suite_test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *test_case = tcase_create(tests[i].name);
        tcase_set_timeout(test_case, tests[i].timeout_s > 0 ? tests[i].timeout_s : 60);
        tcase_add_test(test_case, tests[i].test);
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
