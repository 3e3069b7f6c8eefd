/* What a vessel in strict mode sees of the machine's files, besides its working folder and the
 * paths in the configuration. The supervisor shows it; the daemon refuses to keep anything secret
 * there. Any thread. */
#ifndef WEBHOOKD_SUPERVISOR_ALLOW_LIST_H
#define WEBHOOKD_SUPERVISOR_ALLOW_LIST_H

#include <stdbool.h>

#define SANDBOX_HOME "/home/shipyard" /* where a vessel sees its working folder */
#define SANDBOX_USER "shipyard"

/* Whether vessels see the entry of that name in /, read-only (programs and libraries). */
bool allow_list_shows_top(const char *name);
/* Whether vessels see the entry of that name in /etc, read-only. In /etc/ssl they see only
 * allow_list_ssl. */
bool allow_list_shows_etc(const char *name);
extern const char *const allow_list_ssl[]; /* in /etc/ssl; ends with NULL */

/* Whether these rules let a vessel see the file at that absolute path. Links are not followed. */
bool allow_list_shows(const char *path);

#endif
