/* Starts every test program: runs the tests that it has registered (support/suite.h). */
#include "support/suite.h"

#include <errno.h>

int main(void)
{
    return suite_run(program_invocation_short_name);
}
