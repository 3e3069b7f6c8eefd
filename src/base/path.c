/* Absolute paths. Called by whoever checks the paths of a configuration; any thread. */
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

char *path_resolve(const char *path)
{
    char *found = realpath(path, NULL);
    const char *slash = strrchr(path, '/');
    if (found || !slash || slash == path)
        return found ? found : memory_string(path);
    char *parent_path = memory_format("%.*s", (int)(slash - path), path);
    char *parent = path_resolve(parent_path);
    char *whole = memory_format("%s%s", strcmp(parent, "/") == 0 ? "" : parent, slash);
    free(parent);
    free(parent_path);
    return whole;
}

bool path_is_in(const char *path, const char *folder)
{
    size_t bytes = strlen(folder);
    while (bytes > 0 && folder[bytes - 1] == '/')
        bytes--;
    return strncmp(path, folder, bytes) == 0 && (path[bytes] == '/' || path[bytes] == '\0');
}

bool path_overlap(const char *a, const char *b)
{
    return path_is_in(a, b) || path_is_in(b, a);
}
