/* Blueprints as objects of the API. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_BLUEPRINTS_H
#define WEBHOOKD_ADMIN_BLUEPRINTS_H

#include <jansson.h>

#include "model/inputs.h"
#include "store/store.h"

/* Returns the blueprint's object, or NULL. */
json_t *blueprints_object(struct store *store, const struct id *blueprint_id, struct error *error);

/* Appends the fleets whose current version uses the blueprint, with those of their vessels that do,
 * and what is wrong with these if they are checked against the inputs. A vessel that pins a version
 * is not checked. only_misfits: leaves out all with which nothing is wrong. */
int blueprints_list_users(struct store *store, const struct id *blueprint_id,
                          const struct inputs *inputs, bool only_misfits, json_t *fleets,
                          struct error *error);

#endif
