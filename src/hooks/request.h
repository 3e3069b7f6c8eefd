/* One POST from its headers to its answer. */
#ifndef WEBHOOKD_HOOKS_REQUEST_H
#define WEBHOOKD_HOOKS_REQUEST_H

#include "http/server.h"

/* Its steps; their context is a struct hooks (hooks/instance.h). */
extern const struct http_service request_service;

#endif
