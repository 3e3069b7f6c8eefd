/* webhookd's own secrets in a request. A browser or a client may send its session or its API key to
 * the public listener by mistake; stored with a run, it would open the admin API to everyone who
 * can read the run. Bodies are never changed. Any thread. */
#ifndef WEBHOOKD_MODEL_OWN_SECRETS_H
#define WEBHOOKD_MODEL_OWN_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

/* Returns true if the header must not be stored as it is: a Cookie with a session of the console,
 * or an Authorization or Proxy-Authorization with a well-formed API key. */
bool own_secrets_in_header(const char *name, const char *value);
/* Returns what may be stored of a value for which own_secrets_in_header is true: the other cookies.
 * The caller frees it. NULL: nothing. */
char *own_secrets_rest(const char *name, const char *value);
/* Replaces each well-formed API key in the query by "wha_…", and notes "?name" for the parameter
 * that had it. */
void own_secrets_hide_in_query(char *query, json_t **withheld);

/* Adds a name, which is UTF-8, to the list of what is left out, once. The list is created when it
 * is needed; the caller sets it to NULL before, and owns it afterwards. */
void own_secrets_note(json_t **withheld, const char *name);

#endif
