/* Opens what the values of an attempt refer to: credentials, the overrides of the run, and the
 * inputs of a blueprint. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_VALUE_OPENER_H
#define WEBHOOKD_RUNNER_VALUE_OPENER_H

#include "base/secret.h"
#include "model/overrides.h"
#include "runner/core.h"

/* Exists while the values of one attempt are filled in. Its owner wipes the key. */
struct value_opener {
    const struct run *run;
    const char *what;      /* that is opened, for messages */
    struct secret_key key; /* read when something sealed is needed for the first time */
    size_t bytes;          /* of the values so far */
    /* Returns the value of an input, borrowed; NULL: there is none, or *error is set. If this is
     * NULL, "${" has no meaning. */
    const char *(*input)(void *context, const char *name, size_t bytes, struct error *error);
    void *input_context;

    /* Private to value_opener.c: */
    struct buffer *into;
    struct error *error;
};

/* Reads the key into opener->key, unless it is there already. */
int value_opener_key(struct value_opener *opener, struct error *error);
/* Reads the run's overrides with their values, which the caller wipes. */
int value_opener_overrides(struct value_opener *opener, struct overrides *overrides,
                           struct error *error);
/* Sets *error to say that the overrides cannot be opened. Returns -1. */
int value_opener_damaged(struct error *error);
/* Returns the value with its references replaced, or NULL. In one pass: what is put in their place
 * is not examined. Makes room for all of it at first, so that no part of a secret stays behind in
 * memory. The caller wipes the result and frees it. ERROR_INVALID: a credential does not exist or
 * cannot be opened, or the value is too long. */
char *value_opener_expand(struct value_opener *opener, const char *value, struct error *error);

#endif
