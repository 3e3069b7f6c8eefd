/* "arguments" and "environment" of a vessel's source. */
#ifndef WEBHOOKD_MODEL_FLEET_ARGUMENTS_H
#define WEBHOOKD_MODEL_FLEET_ARGUMENTS_H

#include "model/checker.h"
#include "model/definition.h"

/* Fill the vessel's arguments and environment from its source; what is wrong is reported. */
void fleet_arguments_read(struct checker *checker, const struct node *source,
                          struct definition_vessel *vessel);
void fleet_arguments_read_environment(struct checker *checker, const struct node *source,
                                      struct definition_vessel *vessel);
/* That execve(2) will take the two together. */
void fleet_arguments_check_size(struct checker *checker, const struct node *source,
                                const struct definition_vessel *vessel);

#endif
