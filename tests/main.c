/* The main function of every test program: runs the tests that registered themselves
 * (support/suite.h). */
#include "support/suite.h"

#include <errno.h>

int main(void)
{
    return suite_run(program_invocation_short_name);
}
