/* The admin API as a service of http/server, for admin.c. */
#ifndef WEBHOOKD_ADMIN_SERVICE_H
#define WEBHOOKD_ADMIN_SERVICE_H

#include "http/server.h"

extern const struct http_service admin_service; /* its context is a struct admin_listener */

#endif
