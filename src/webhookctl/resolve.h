/* From what an administrator types to the API's objects. Each returns a new reference, or NULL
 * and *error. One thread. */
#ifndef WEBHOOKCTL_RESOLVE_H
#define WEBHOOKCTL_RESOLVE_H

#include <jansson.h>

#include "webhookctl/client.h"

json_t *resolve_org(struct client *client, const char *text, struct error *error); /* id or name */

json_t *resolve_key(struct client *client, const char *text, struct error *error); /* likewise */

/* An id or [ORG/]NAME; without ORG it is in the organization "default". */
json_t *resolve_project(struct client *client, const char *text, struct error *error);

/* FLEET: an id or [[ORG/]PROJECT/]NAME; what is left out is "default". */
json_t *resolve_fleet(struct client *client, const char *text, struct error *error);

/* RUN: an id, the beginning of exactly one, a request's id, or "latest". */
json_t *resolve_run(struct client *client, const char *text, struct error *error);

#endif
