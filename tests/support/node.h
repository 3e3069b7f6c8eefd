/* Node for tests: packages from the registry, into a folder that git ignores. */
#ifndef WEBHOOKD_TESTS_SUPPORT_NODE_H
#define WEBHOOKD_TESTS_SUPPORT_NODE_H

#include <stdbool.h>

/* Ensures that the packages named by `manifest` (a package.json) are in tests/<kind>/node_modules;
 * downloads none twice. Returns false, and skips the test, if npm cannot install them. */
bool node_install(const char *manifest, const char *kind);
/* Runs a shell command; returns true if it exits with 0. */
bool node_succeeds(const char *command);

#endif
