/* Finds the route for a method and a path. Called by services at the beginning of a request, on the
 * thread that handles it. Keeps no state. */
#include "http/route.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Whether the path matches the pattern. Fills in the values. A value that is too long matches
 * nothing, because no id is that long. */
static bool path_matches(const char *pattern, const char *path, struct route_match *match)
{
    match->value_count = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t bytes = strcspn(path, "/");
        if (bytes == 0 || bytes >= ROUTE_VALUE_BYTES)
            return false;
        assert(match->value_count < ROUTE_MAX_VALUES);
        char *value = match->values[match->value_count++];
        memcpy(value, path, bytes);
        value[bytes] = '\0';
        path += bytes;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

static bool method_matches(const char *wanted, const char *method)
{
    return strcmp(wanted, method) == 0 ||
           (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow_add(char allow[ROUTE_ALLOW_BYTES], const char *method)
{
    size_t used = strlen(allow);
    const char *between = used > 0 ? ", " : "";
    assert(used + strlen(between) + strlen(method) < ROUTE_ALLOW_BYTES);
    strcat(strcat(allow, between), method);
}

static void allow_add_route(char allow[ROUTE_ALLOW_BYTES], const struct route *route)
{
    allow_add(allow, route->method);
    if (strcmp(route->method, "GET") == 0)
        allow_add(allow, "HEAD");
}

enum route_result route_find(const struct route *routes, size_t count, const char *method,
                             const char *path, struct route_match *match)
{
    match->route = NULL;
    match->allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(routes[i].pattern, path, match))
            continue;
        if (method_matches(routes[i].method, method)) {
            match->route = &routes[i];
            match->allow[0] = '\0';
            return ROUTE_FOUND;
        }
        allow_add_route(match->allow, &routes[i]);
    }
    match->value_count = 0;
    return match->allow[0] != '\0' ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}

const char *route_value(const struct route_match *match, const char *name)
{
    if (!match->route)
        return NULL;
    size_t bytes = strlen(name);
    size_t index = 0;
    for (const char *part = strchr(match->route->pattern, '{'); part; part = strchr(part, '{')) {
        part++;
        if (strncmp(part, name, bytes) == 0 && part[bytes] == '}')
            return match->values[index];
        index++;
    }
    return NULL;
}
