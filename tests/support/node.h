/* Node for tests: packages from the registry, into a folder that git ignores. */
#ifndef WEBHOOKD_TESTS_SUPPORT_NODE_H
#define WEBHOOKD_TESTS_SUPPORT_NODE_H

#include <stdbool.h>

/* Makes sure that what `manifest` (a package.json) names is in tests/<kind>/node_modules; nothing is downloaded twice. False: npm cannot do it,
 * and the test is skipped. */
bool node_install(const char *manifest, const char *kind);
/* Runs a command of the shell's, true if it ends with 0. */
bool node_succeeds(const char *command);

#endif
