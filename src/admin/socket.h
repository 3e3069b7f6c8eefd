/* The admin socket's file. Everyone who may open it is an administrator, so its mode and group are
 * set before anyone can connect. */
#ifndef WEBHOOKD_ADMIN_SOCKET_H
#define WEBHOOKD_ADMIN_SOCKET_H

#include "base/error.h"

/* Binds and listens. The file gets mode 0660 and the group (by name; "" = the process's own group).
 * Creates the last folder of the path (0755) if it is missing; replaces a socket on which no
 * process listens. Returns a descriptor (non-blocking, close-on-exec), or -1 and sets *error. */
int socket_open(const char *path, const char *group, struct error *error);

#endif
