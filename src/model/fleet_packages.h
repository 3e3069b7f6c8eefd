/* Reads the packages of a vessel. For fleet_vessel.c; pure. */
#ifndef WEBHOOKD_MODEL_FLEET_PACKAGES_H
#define WEBHOOKD_MODEL_FLEET_PACKAGES_H

#include "model/checker.h"
#include "model/definition.h"

/* Reads "packages" and "system_packages" of a source whose language is known, and reports
 * problems. The packages of a BASH vessel become system packages. */
void fleet_packages_read(struct checker *checker, const struct node *source,
                         struct definition_vessel *vessel);

#endif
