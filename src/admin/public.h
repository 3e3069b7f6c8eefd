/* The routes of the admin API that the public listener serves with hooks.api: those whose row in
 * routes.h is public. The public listener runs on event loops, which must not wait, so this service
 * suspends each request twice and has a few threads do what waits: authenticate the caller before
 * the body is read, and call the handler after that.
 *
 * Only API keys count there: no cookie is read, so a page of another site has nothing that would
 * make a browser's request pass, and the host name does not matter. */
#ifndef WEBHOOKD_ADMIN_PUBLIC_H
#define WEBHOOKD_ADMIN_PUBLIC_H

#include "base/error.h"
#include "http/server.h"

struct admin_listener;
struct public;

/* Starts the threads. The listener is not one of its own: it says what its requests are. NULL and
 * *error on failure. */
struct public *public_start(struct admin_listener *listener, struct error *error);
/* Call it when no request is left. NULL is fine. */
void public_stop(struct public *public);
/* For the public listener; valid until public_stop. */
const struct http_mount *public_mount(const struct public *public);

#endif
