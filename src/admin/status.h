/* Whether webhookd can take fleet runs now. Any thread, cheap. */
#ifndef WEBHOOKD_ADMIN_STATUS_H
#define WEBHOOKD_ADMIN_STATUS_H

#include <stdint.h>

#include "base/error.h"

struct admin;

/* 0 if there is room for a fleet run with a body of this size; else -1 and why. */
int status_has_room(struct admin *admin, int64_t body_bytes, struct error *error);
/* 0 if the next fleet run would probably be stored; else -1 and why. /readyz, /status and the
 * metrics say so. */
int status_is_ready(struct admin *admin, struct error *error);

#endif
