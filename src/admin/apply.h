/* Code that applying a fleet and applying a blueprint share. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_APPLY_H
#define WEBHOOKD_ADMIN_APPLY_H

#include "admin/change.h"
#include "admin/request.h"
#include "model/fleet_file.h"
#include "store/fleets.h"

const char *apply_outcome_name(enum apply_outcome outcome);
/* Commits a change that may be a mere check. A check makes the change and then undoes it, for which
 * `apply` ends with what apply_end_check returns; then *is_checked is true. */
int apply_commit(struct admin_request *request, struct change *change, const bool *is_checked,
                 struct error *error);
/* Sets the error that undoes this change without the rest of the batch. Returns -1. */
int apply_end_check(struct error *error);
/* Makes the answer a 422 with all problems of the file, which is a "fleet file" for example.
 * Returns -1. */
int apply_refuse(struct admin_request *request, const char *what,
                 const struct fleet_problems *problems, struct error *error);

#endif
