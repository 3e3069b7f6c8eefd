/* Whether webhookd can accept fleet runs now. Any thread; cheap. */
#ifndef WEBHOOKD_ADMIN_STATUS_H
#define WEBHOOKD_ADMIN_STATUS_H

#include <stdint.h>

#include "base/error.h"

struct admin;

/* Returns 0 if there is room for a fleet run with a body of this size; otherwise -1, and *error
 * says why. */
int status_has_room(struct admin *admin, int64_t body_bytes, struct error *error);
/* Returns 0 if the next fleet run would probably be stored; otherwise -1, and *error says why.
 * /readyz, /api/v1/status and the metrics report it. */
int status_is_ready(struct admin *admin, struct error *error);

#endif
