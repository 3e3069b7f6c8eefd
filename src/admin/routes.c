/* The table of routes in the form of http/route.h, made from the list in routes.h. Read by
 * service.c. */
#include "admin/routes.h"

#include "base/memory.h"

#define ENTRY(method, pattern, handler, ...)                                                       \
    {method, pattern, &(const struct admin_call){.handle = handler, __VA_ARGS__}},

const struct route admin_routes[] = {ADMIN_ROUTES(ENTRY)};
const size_t admin_route_count = ARRAY_COUNT(admin_routes);
