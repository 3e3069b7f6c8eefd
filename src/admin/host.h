/* The host names under which the admin API may be reached over TCP. A page of another site can
 * point a name of its own to the address of the admin listener (DNS rebinding); its browser then
 * takes the API for a part of that site. The Host header still has the name of that site, so names
 * that nobody expects are refused. Pure; any thread. */
#ifndef WEBHOOKD_ADMIN_HOST_H
#define WEBHOOKD_ADMIN_HOST_H

#include <stdbool.h>

#include "config/config.h"

/* Whether the host of a request (http_host: a valid uri-host with or without a port, or "") is an
 * address, localhost, the machine's name, the host of admin.public_url, or one of admin.hosts.
 * Compares without regard to case, port and one dot at the end. No host at all is expected, too:
 * browsers always send one. `machine` is the name that gethostname(2) returns. */
bool host_is_expected(const char *host, const char *machine, const struct config *config);

#endif
