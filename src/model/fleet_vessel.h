/* Reads one vessel of a fleet file. For fleet_file.c and blueprint_file.c; pure. */
#ifndef WEBHOOKD_MODEL_FLEET_VESSEL_H
#define WEBHOOKD_MODEL_FLEET_VESSEL_H

#include "model/checker.h"
#include "model/definition.h"

/* Fills the zeroed vessel from the entry of "vessels", and reports problems. The vessel can be
 * freed and has a name in any case. */
void fleet_vessel_read(struct checker *checker, const struct node *entry,
                       struct definition_vessel *vessel);
/* Reads "source" of a vessel, or of a blueprint (checker->is_blueprint). */
void fleet_vessel_read_source(struct checker *checker, const struct node *map,
                              struct definition_vessel *vessel);
/* Reads "_id" of a fleet, a vessel or a blueprint. Leaves *id unchanged if there is none. */
void fleet_vessel_read_id(struct checker *checker, const struct node *map, struct id *id);

#endif
