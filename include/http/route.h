/* A table of routes: method and path pattern → whatever the service keeps behind a route. Pure, any thread.
 *
 *     {"GET", "/api/v1/fleets/{fleet_id}", &get_fleet}
 *
 * A part in braces matches one path segment of 1 to ROUTE_VALUE_BYTES - 1 bytes; everything else matches itself. Nothing is
 * percent-decoded: the request guard lets no '%' into a path. A route for GET serves HEAD too (RFC 9110 9.3.2). */
#ifndef WEBHOOKD_HTTP_ROUTE_H
#define WEBHOOKD_HTTP_ROUTE_H

#include <stddef.h>

#define ROUTE_MAX_VALUES  4
#define ROUTE_VALUE_BYTES 64 /* with the NUL; ids need 37 */
#define ROUTE_ALLOW_BYTES 64

struct route {
    const char *method;
    const char *pattern;
    const void *target; /* the service's */
};

enum route_result {
    ROUTE_FOUND,
    ROUTE_NO_PATH,   /* 404 */
    ROUTE_NO_METHOD, /* 405, with `allow` */
};

struct route_match {
    const struct route *route; /* the first that matched; NULL unless ROUTE_FOUND */
    size_t value_count;
    char values[ROUTE_MAX_VALUES][ROUTE_VALUE_BYTES]; /* in the pattern's order */
    char allow
        [ROUTE_ALLOW_BYTES]; /* ROUTE_NO_METHOD: "GET, HEAD, POST", as RFC 9110 10.2.1 has it */
};

enum route_result route_find(const struct route *routes, size_t count, const char *method,
                             const char *path, struct route_match *match);

/* The path's segment that stood for {name}, borrowed from match; NULL if the route has no such part. */
const char *route_value(const struct route_match *match, const char *name);

#endif
