/* The location of a store: SCHEME:REST, the value of `store` in the configuration. The scheme
 * selects the engine. Pure; any thread. */
#ifndef WEBHOOKD_STORE_LOCATION_H
#define WEBHOOKD_STORE_LOCATION_H

#include <stdbool.h>

/* Returns NULL if an engine can use the location, else the rest of a message that begins
 * with the location: "is not …". */
const char *store_location_problem(const char *location);
/* Whether the store keeps a file or folder of this name in the state folder. */
bool store_location_owns(const char *location, const char *name);

#endif
