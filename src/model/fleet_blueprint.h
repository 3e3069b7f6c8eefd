/* Reads the source of a vessel whose code is a blueprint's. For fleet_vessel.c; pure. */
#ifndef WEBHOOKD_MODEL_FLEET_BLUEPRINT_H
#define WEBHOOKD_MODEL_FLEET_BLUEPRINT_H

#include "model/checker.h"
#include "model/definition.h"

/* Fills the vessel from its source, and checks its inputs against the blueprint. Returns false, and
 * reports nothing, if there is no such blueprint. */
bool fleet_blueprint_read(struct checker *checker, const struct node *source,
                          struct definition_vessel *vessel);

#endif
