/* The canonical form of one vessel, which a blueprint has, too. Pure. */
#ifndef WEBHOOKD_MODEL_DEFINITION_FORM_H
#define WEBHOOKD_MODEL_DEFINITION_FORM_H

#include <stdbool.h>

#include "model/definition.h"

struct json_t; /* from jansson */

struct json_t *definition_json_of_vessel(const struct definition_vessel *vessel, bool with_ids);
/* Fills the zeroed vessel. Returns 0, or -1 with *error if the form is damaged; the caller calls
 * definition_vessel_fini in both cases. */
int definition_json_read_vessel(const struct json_t *json, struct definition_vessel *vessel,
                                struct error *error);
/* Frees what the vessel holds. */
void definition_vessel_fini(struct definition_vessel *vessel);

#endif
