/* The values of a vessel's arguments and variables as an attempt gets them: with the overrides of
 * its run, with hidden values, and with credentials and a blueprint's inputs in place of the
 * references to them. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_VESSEL_VALUES_H
#define WEBHOOKD_RUNNER_VESSEL_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/definition.h"
#include "runner/blueprints.h"
#include "runner/core.h"

struct vessel_values {
    char **arguments;
    size_t argument_count;
    struct environment_entry *environment;
    size_t environment_count;
    char *file_to_run;
    /* Some are secret. vessel_values_free wipes them; whoever copies them wipes the copy. */
    bool are_secret;
};

/* `code`: of the vessel. Borrows the definition's values if the vessel has no blueprint, and none
 * of them is overridden, hidden or refers to a credential; then it reads neither the store nor the
 * key. Otherwise opens the values, and notes the use of credentials. ERROR_INVALID: one does not
 * exist or cannot be opened, or they are too long, so the vessel cannot be started. */
int vessel_values_open(const struct run *run, const struct definition_vessel *vessel,
                       const struct vessel_code *code, struct vessel_values *values,
                       struct error *error);
void vessel_values_free(struct vessel_values *values);

#endif
