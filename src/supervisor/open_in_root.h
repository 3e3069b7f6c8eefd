/* Opens a path within another root. */
#ifndef WEBHOOKD_SUPERVISOR_OPEN_IN_ROOT_H
#define WEBHOOKD_SUPERVISOR_OPEN_IN_ROOT_H

/* Opens the path with O_PATH as if the folder root_fd were the root: neither a link nor ".." leads
 * out of it, and a magic link of /proc is refused with ELOOP. Returns a descriptor, or -1 with
 * errno. */
int open_in_root(int root_fd, const char *path);

#endif
