/* Hidden values: the secrets in a fleet's definition, which are stored sealed, for each version of
 * the fleet. store_apply_fleet (fleets.h) writes them. Any connection can read. */
#ifndef WEBHOOKD_STORE_HIDDEN_H
#define WEBHOOKD_STORE_HIDDEN_H

#include "base/secret.h"
#include "model/definition.h"
#include "store/store.h"

/* Where a hidden value belongs. Its version is not a part of that: versions share values. */
struct hidden_place {
    struct id fleet_id, vessel_id;
    const char *name; /* of the variable; at most DEFINITION_HIDDEN_NAME_BYTES */
};

/* Writes the place for which a hidden value is sealed (base/secret.h). Returns text. */
#define STORE_HIDDEN_PLACE_BYTES                                                                   \
    (sizeof("hidden/") + 2 * ID_TEXT_BYTES + DEFINITION_HIDDEN_NAME_BYTES)
char *store_hidden_place(const struct hidden_place *place, char text[STORE_HIDDEN_PLACE_BYTES]);

struct sealed_value {
    uint8_t *bytes;
    size_t count;
};

/* Returns the value sealed for its place; the caller frees its bytes. */
struct sealed_value store_seal_hidden(const struct secret_key *key,
                                      const struct hidden_place *place, const char *value);
/* Returns the value, which the caller frees with store_free_hidden. Returns NULL if the key did not
 * seal it for this place, or it is damaged. */
char *store_open_hidden(const struct secret_key *key, const struct hidden_place *place,
                        const struct sealed_value *sealed);
void store_free_hidden(char *value); /* wipes it; NULL is fine */

struct hidden_row {
    struct id vessel_id;
    const char *name;
    struct sealed_value sealed; /* borrowed */
};
struct hidden_version {
    struct id fleet_id;
    int version;
    const struct id *vessel_id; /* NULL: all vessels */
};
/* Calls `each` for the hidden values of a version, until it does not return 0. */
int store_list_hidden(struct store *store, const struct hidden_version *version,
                      int (*each)(void *, const struct hidden_row *), void *context,
                      struct error *error);

/* What store_apply_fleet needs for a definition with hidden values. */
struct hidden_terms {
    const struct secret_key *key; /* present, and the one that sealed what is stored */
    /* The definition keeps the values of this version if from_version is not 0, else those of the
     * fleet's current version. The fleet must be the one that the definition applies to: one
     * fleet's values are never given to another. */
    struct id from_fleet_id;
    int from_version;
    /* Called for each variable that keeps a value which is not stored, or which the key does not
     * open: on the committer's thread, perhaps in several tries. `start` is called before each try.
     */
    void (*start)(void *context);
    void (*missing)(void *context, size_t vessel, size_t entry);
    void *context;
};

#endif
