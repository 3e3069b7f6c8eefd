/* The package environments that exist, and their logs. Any thread that may block, so not the
 * runner's. */
#ifndef WEBHOOKD_PACKAGES_ENVIRONMENTS_H
#define WEBHOOKD_PACKAGES_ENVIRONMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/packages.h"
#include "packages/installer.h"

struct environment {
    char key[INSTALLER_KEY_BYTES];
    int64_t bytes;              /* that it occupied when it was installed */
    int64_t last_use_ms;        /* wall clock; correct to an hour */
    const char *language;       /* "PYTHON" or "NODE"; NULL = unknown */
    struct package_list locked; /* what is in it, sorted by name */
};
/* Calls `each` for each environment, the least recently used first, until it does not return 0. It
 * borrows what it gets. Without a folder there is none. */
int environments_list(struct installer *installer, int (*each)(void *, const struct environment *),
                      void *context, struct error *error);

/* ERROR_NOT_FOUND: there is no environment with that key. */
int environments_check(struct installer *installer, const char *key, struct error *error);
/* Removes an environment, and sets *bytes to what it occupied. The vessels that need it have it
 * installed again. ERROR_CONFLICT: a vessel uses it now. ERROR_NOT_FOUND: there is none. */
int environments_remove(struct installer *installer, const char *key, int64_t *bytes,
                        struct error *error);

/* Opens a log: that of the installation of an environment, whose name is its key, or one that a
 * view names (view.h). Returns a descriptor, or -1 (ERROR_NOT_FOUND). */
int environments_open_log(struct installer *installer, const char *name, struct error *error);
/* Whether a tool may write to that log now. */
bool environments_log_grows(struct installer *installer, const char *name);

#endif
