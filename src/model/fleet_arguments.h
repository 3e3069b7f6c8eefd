/* Reads "arguments" and "environment" of a vessel's source. For fleet_vessel.c; pure. */
#ifndef WEBHOOKD_MODEL_FLEET_ARGUMENTS_H
#define WEBHOOKD_MODEL_FLEET_ARGUMENTS_H

#include "model/checker.h"
#include "model/definition.h"

/* Fill the vessel's arguments or environment from its source, and report problems. */
void fleet_arguments_read(struct checker *checker, const struct node *source,
                          struct definition_vessel *vessel);
void fleet_arguments_read_environment(struct checker *checker, const struct node *source,
                                      struct definition_vessel *vessel);
/* Reports a problem if the two together are too large for execve(2). */
void fleet_arguments_check_size(struct checker *checker, const struct node *source,
                                const struct definition_vessel *vessel);

#endif
