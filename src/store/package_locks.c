/* Package locks: passes the calls of include/store/package_locks.h to the store's engine. */
#include "store/package_locks.h"

#include <stdlib.h>

#include "store/engine.h"

int store_find_package_lock(struct store *store, const struct package_lock_place *place,
                            const char *request, struct package_lock *found, struct error *error)
{
    return store->engine->find_package_lock(store, place, request, found, error);
}

void store_free_package_lock(struct package_lock *lock)
{
    free(lock->request);
    free(lock->interpreter);
    free(lock->lock);
    *lock = (struct package_lock){.request = NULL};
}

int store_set_package_lock(struct store *store, const struct package_lock_place *place,
                           const struct package_lock *lock, struct error *error)
{
    return store->engine->set_package_lock(store, place, lock, error);
}

int store_list_package_fleets(struct store *store, const struct id *fleet_id,
                              int (*each)(void *, const struct package_fleet *), void *context,
                              struct error *error)
{
    return store->engine->list_package_fleets(store, fleet_id, each, context, error);
}
