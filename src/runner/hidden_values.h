/* A vessel's hidden values, opened for one attempt. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_HIDDEN_VALUES_H
#define WEBHOOKD_RUNNER_HIDDEN_VALUES_H

#include "base/secret.h"
#include "model/definition.h"
#include "runner/core.h"

/* Sets values[i] to the opened value of the vessel's variable i if that is hidden, else to NULL.
 * The caller frees the values with store_free_hidden, after a failure, too. ERROR_INVALID: one is
 * not stored or cannot be opened, so the vessel cannot be started. */
int hidden_values_open(const struct run *run, const struct definition_vessel *vessel,
                       const struct secret_key *key, char **values, struct error *error);

#endif
