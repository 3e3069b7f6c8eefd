/* The values of a blueprint's inputs as an attempt gets them: an override of the run, else what the
 * fleet file gives, else the default, else "". On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_BLUEPRINT_VALUES_H
#define WEBHOOKD_RUNNER_BLUEPRINT_VALUES_H

#include "model/blueprint.h"
#include "model/overrides.h"
#include "runner/value_opener.h"

/* Exists while the values of one attempt are filled in. Borrows all but the last two members. */
struct blueprint_values {
    struct value_opener *opener;
    const struct definition_vessel *vessel; /* the fleet's, which gives inputs */
    const struct blueprint *blueprint;
    const struct vessel_override *override; /* with values, or NULL */
    char *const *hidden;                    /* the opened value of each hidden input, else NULL */
    char **values;                          /* of each input, once it was asked for */
    bool *is_open;                          /* the input is being filled in */
};

/* Prepares the values, of which the first members are set, and lets the opener find them. */
void blueprint_values_begin(struct blueprint_values *values);
/* Returns the value of the input at this place, borrowed; NULL and *error if it has none. */
const char *blueprint_values_at(struct blueprint_values *values, size_t place, struct error *error);
/* Wipes the values. */
void blueprint_values_end(struct blueprint_values *values);

#endif
