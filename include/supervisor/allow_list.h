/* What a vessel in strict mode sees of the machine's files besides its working folder and what the configuration names. The supervisor
 * shows it; the daemon refuses to keep anything secret there. */
#ifndef WEBHOOKD_SUPERVISOR_ALLOW_LIST_H
#define WEBHOOKD_SUPERVISOR_ALLOW_LIST_H

#include <stdbool.h>

#define SANDBOX_HOME "/home/shipyard" /* where the working folder is seen */
#define SANDBOX_USER "shipyard"

/* Is the entry of that name in / shown, read-only? (Programs and libraries.) */
bool allow_list_shows_top(const char *name);
/* Is the entry of that name in /etc shown, read-only? Of /etc/ssl only allow_list_ssl is. */
bool allow_list_shows_etc(const char *name);
extern const char *const allow_list_ssl[]; /* below /etc/ssl; ends with NULL */

/* Can a vessel see the file of that absolute path by these rules? Links are not followed. */
bool allow_list_shows(const char *path);

#endif
