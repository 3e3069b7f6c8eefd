/* Finds the API's object for the text that an administrator typed. Each function returns a new
 * reference, or NULL and *error. One thread. */
#ifndef WEBHOOKCTL_RESOLVE_H
#define WEBHOOKCTL_RESOLVE_H

#include <jansson.h>

#include "webhookctl/client.h"

/* An id or a name. */
json_t *resolve_org(struct client *client, const char *text, struct error *error);

json_t *resolve_key(struct client *client, const char *text, struct error *error);

/* An id or [ORG/]NAME; ORG defaults to "default". */
json_t *resolve_blueprint(struct client *client, const char *text, struct error *error);
json_t *resolve_project(struct client *client, const char *text, struct error *error);

/* FLEET: an id or [[ORG/]PROJECT/]NAME; ORG and PROJECT default to "default". */
json_t *resolve_fleet(struct client *client, const char *text, struct error *error);

/* RUN: an id, a prefix of exactly one id, a request's id, or "latest". */
json_t *resolve_run(struct client *client, const char *text, struct error *error);

#endif
