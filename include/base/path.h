/* Questions about absolute paths. Any thread. */
#ifndef WEBHOOKD_BASE_PATH_H
#define WEBHOOKD_BASE_PATH_H

#include <stdbool.h>

/* Returns the path with the links resolved in the part of it that exists. Free it. */
char *path_resolve(const char *path);
/* Whether the path is the folder or lies in it, by their characters. */
bool path_is_in(const char *path, const char *folder);
/* Whether one of them is, or lies in, the other, by their characters. */
bool path_overlap(const char *a, const char *b);

#endif
