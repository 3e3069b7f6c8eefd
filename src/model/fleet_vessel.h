/* One vessel of a fleet file. */
#ifndef WEBHOOKD_MODEL_FLEET_VESSEL_H
#define WEBHOOKD_MODEL_FLEET_VESSEL_H

#include "model/checker.h"
#include "model/definition.h"

/* Fills the zeroed vessel from the entry of "vessels"; what is wrong is reported. The vessel can be freed in any case, and has a name. */
void fleet_vessel_read(struct checker *checker, const struct node *entry,
                       struct definition_vessel *vessel);
/* "_id" of a fleet or a vessel: left zero if there is none. */
void fleet_vessel_read_id(struct checker *checker, const struct node *map, struct id *id);

#endif
