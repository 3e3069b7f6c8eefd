/* What applying a fleet and applying a blueprint share. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_APPLY_H
#define WEBHOOKD_ADMIN_APPLY_H

#include "admin/request.h"
#include "model/fleet_file.h"
#include "store/fleets.h"

const char *apply_outcome_name(enum apply_outcome outcome);
/* Makes the answer a 422 with all problems of the file, which is a "fleet file" for example.
 * Returns -1. */
int apply_refuse(struct admin_request *request, const char *what,
                 const struct fleet_problems *problems, struct error *error);

#endif
