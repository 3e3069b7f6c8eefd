/* Packages, for the other handlers. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_PACKAGES_H
#define WEBHOOKD_ADMIN_PACKAGES_H

#include "admin/request.h"
#include "model/definition.h"

/* Begins to install what the fleet's current version needs, and waits for nothing. `definition`, of
 * that version, need not have ids. Logs what fails: the runs then begin the work. */
void packages_begin(struct admin_request *request, const struct id *fleet_id,
                    const struct definition *definition);

#endif
