/* Package locks: the exact versions and hashes that the packages of a vessel were resolved to, kept
 * with the version of its fleet. Reads on any connection; writes in a STORE_CALL. */
#ifndef WEBHOOKD_STORE_PACKAGE_LOCKS_H
#define WEBHOOKD_STORE_PACKAGE_LOCKS_H

#include "base/error.h"
#include "base/id.h"
#include "store/store.h"

struct package_lock_place {
    int64_t fleet_no;
    struct id vessel_id;
    int version; /* of the fleet */
};

struct package_lock {
    char *request;     /* what was asked for: equal text, equal packages */
    char *interpreter; /* for which the hashes are valid */
    char *lock;        /* in the form of the package manager */
    int64_t locked_ms;
};

/* Finds the lock of that version, or that of the nearest earlier one, if it answers the request.
 * Returns 1 and fills in *found (store_free_package_lock), 0 if there is none, or -1. */
int store_find_package_lock(struct store *store, const struct package_lock_place *place,
                            const char *request, struct package_lock *found, struct error *error);
void store_free_package_lock(struct package_lock *lock);

/* Sets the lock of that version. ERROR_NOT_FOUND: the fleet has no such version any more. */
int store_set_package_lock(struct store *store, const struct package_lock_place *place,
                           const struct package_lock *lock, struct error *error);

/* A fleet in its current version. Texts are borrowed for the call. */
struct package_fleet {
    int64_t no;
    int version;
    struct id id, project_id;
    const char *name, *project_name, *org_name;
    const char *definition_json;
    size_t definition_bytes;
};
/* Calls `each` for the fleet, or, if fleet_id is NULL, for all fleets for which there are locks,
 * sorted by name, until it does not return 0. ERROR_NOT_FOUND: there is no such fleet. */
int store_list_package_fleets(struct store *store, const struct id *fleet_id,
                              int (*each)(void *, const struct package_fleet *), void *context,
                              struct error *error);

#endif
