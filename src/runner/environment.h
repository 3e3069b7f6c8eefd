/* A vessel's environment: the platform's variables, under the names that the reference platform
 * uses, and the vessel's own. */
#ifndef WEBHOOKD_RUNNER_ENVIRONMENT_H
#define WEBHOOKD_RUNNER_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#include "model/blueprint.h"
#include "model/definition.h"
#include "store/work.h"

struct environment_input {
    const struct run_work *work;
    const struct definition *definition;
    size_t vessel;                     /* its place in the definition */
    const struct blueprint *blueprint; /* whose code the vessel executes, or NULL */
    const struct id *vessel_run_ids;   /* of all vessels */
    int attempt;
    int64_t run_started_ms, vessel_started_ms;
    const char *workdir; /* absolute, as the vessel sees it */
    const char *user;    /* $USER and $LOGNAME; "": none */
    const char *path;
    const char *packages;                /* the package environment, or NULL */
    const char *time_zone;               /* $TZ, or NULL */
    const struct environment_entry *own; /* the vessel's own variables */
    size_t own_count;
};

/* Returns the complete environment as "NAME=value" strings, each name once, and their number in
 * *count. The caller frees the strings and the array. Pure. */
char **environment_make(const struct environment_input *input, size_t *count);

#endif
