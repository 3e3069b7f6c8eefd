/* Where a store is: SCHEME:REST, as the configuration's `store` gives it. The scheme chooses the
 * engine. Pure; any thread. */
#ifndef WEBHOOKD_STORE_LOCATION_H
#define WEBHOOKD_STORE_LOCATION_H

#include <stdbool.h>

/* NULL if an engine can use it, else what is wanted. */
const char *store_location_problem(const char *location);
/* Does the store keep a file or folder of this name in the state folder? */
bool store_location_owns(const char *location, const char *name);

#endif
