/* A table of routes: maps a method and a path pattern to a target that only the service interprets.
 * Pure; for any thread.
 *
 *     {"GET", "/api/v1/fleets/{fleet_id}", &get_fleet}
 *
 * A part in braces matches one path segment of 1 to ROUTE_VALUE_BYTES - 1 bytes; everything else
 * matches itself. Nothing is percent-decoded: the request guard refuses a path with a '%'. A route
 * for GET also serves HEAD (RFC 9110 section 9.3.2). */
#ifndef WEBHOOKD_HTTP_ROUTE_H
#define WEBHOOKD_HTTP_ROUTE_H

#include <stddef.h>

#define ROUTE_MAX_VALUES  4
#define ROUTE_VALUE_BYTES 65 /* with the NUL; a SHA-256 in hexadecimal digits */
#define ROUTE_ALLOW_BYTES 64

struct route {
    const char *method;
    const char *pattern;
    const void *target; /* interpreted by the service */
};

enum route_result {
    ROUTE_FOUND,
    ROUTE_NO_PATH,   /* 404 */
    ROUTE_NO_METHOD, /* 405, with `allow` */
};

struct route_match {
    const struct route *route; /* the first route that matched; NULL unless ROUTE_FOUND */
    size_t value_count;
    char values[ROUTE_MAX_VALUES][ROUTE_VALUE_BYTES]; /* in the pattern's order */
    /* For ROUTE_NO_METHOD: the value of the Allow header, "GET, HEAD, POST" (RFC 9110 section
     * 10.2.1). */
    char allow[ROUTE_ALLOW_BYTES];
};

enum route_result route_find(const struct route *routes, size_t count, const char *method,
                             const char *path, struct route_match *match);

/* Returns the path segment that matched {name}, borrowed from match, or NULL if the route has no
 * such part. */
const char *route_value(const struct route_match *match, const char *name);

#endif
