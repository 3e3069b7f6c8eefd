/* One run of a tool (pip, npm, python) for an installation: a supervisor's job, in a sandbox like a
 * vessel's, whose working folder is the place where the tool works. On an installer's thread. */
#ifndef WEBHOOKD_PACKAGES_STEP_H
#define WEBHOOKD_PACKAGES_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "model/attempt_result.h"
#include "packages/cache.h"
#include "packages/installer.h"

/* HOME and TMPDIR of the tools; removed before the place becomes an environment. */
#define STEP_FILES ".webhookd.files"

struct step {
    const struct config *config;
    const char *supervisor_path;
    const struct cache *cache;
    const struct cache_place *place;
    const struct installer_user *user;
    char *script; /* for bash */
    char **arguments;
    size_t argument_count;
    bool network;
    bool reads_netrc; /* it gets packages.netrc, if it has a network */
    int log_fd;       /* the output is appended to it */
    /* Whether the tool is to be ended: asked a few times a second. */
    bool (*is_unwanted)(void *context);
    void *context;
};

/* Runs the tool to its end. Returns 0 and the result, or -1 if it could not be run, or was ended:
 * because it is unwanted, or (ERROR_FULL) because its place grew beyond packages.max_size.
 * Afterwards none of its processes runs. Blocks. */
int step_run(const struct step *step, struct attempt_result *result, struct error *error);

/* Whether this is the name of the record of a step. */
bool step_is_record(const char *name);

#endif
