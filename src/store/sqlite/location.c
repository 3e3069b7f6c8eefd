/* Which locations are valid after "sqlite:", and which names in the state folder belong to the
 * database. Pure; any thread. */
#include <limits.h>
#include <string.h>

#include "base/state_dir.h"
#include "store/sqlite/sqlite.h"

/* Whether one of the parts between the slashes is empty, "." or "..". */
static bool leads_elsewhere(const char *path)
{
    for (;;) {
        size_t bytes = strcspn(path, "/");
        if (bytes == 0 || (bytes <= 2 && strspn(path, ".") >= bytes))
            return true;
        if (path[bytes] == '\0')
            return false;
        path += bytes + 1;
    }
}

const char *sqlite_location_problem(const char *rest)
{
    static const char problem[] =
        "is not \"sqlite:NAME\", where NAME is a relative path of less than 255 bytes that nothing "
        "else in state_dir uses, without \"?\", \"%\" and parts that are empty, \".\" or \"..\"";
    if (leads_elsewhere(rest) || strlen(rest) >= NAME_MAX || strchr(rest, '?') || strchr(rest, '%'))
        return problem;
    return state_dir_uses(rest, strcspn(rest, "/")) ? problem : NULL;
}

/* A database in a folder owns that folder. Otherwise it also owns its log and its shared memory,
 * whose names begin with its own. */
bool sqlite_location_owns(const char *rest, const char *name)
{
    size_t bytes = strcspn(rest, "/");
    if (rest[bytes] == '/')
        return strlen(name) == bytes && memcmp(rest, name, bytes) == 0;
    return strncmp(name, rest, bytes) == 0;
}
