/* The admin socket's file. Anyone who may open it is an administrator, so its mode and group are
 * set before anyone can connect. */
#ifndef WEBHOOKD_ADMIN_SOCKET_H
#define WEBHOOKD_ADMIN_SOCKET_H

#include <sys/types.h>

#include "base/error.h"

struct socket_file {
    char *path; /* NULL: there is none */
    dev_t device;
    ino_t inode;
};

/* Binds and listens: mode 0660, of the group (by name; "" = the process's own). Creates the path's
 * last folder (0755) if it is missing; replaces a socket that nobody listens on. Returns a
 * descriptor (non-blocking, close-on-exec), or -1. */
int socket_open(const char *path, const char *group, struct socket_file *file, struct error *error);
/* Removes the file if it is still the one that was opened; the struct stays readable. */
void socket_remove(const struct socket_file *file);
void socket_file_free(struct socket_file *file);

#endif
