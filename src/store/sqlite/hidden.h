/* What applying a definition does with its hidden values. On the committer's thread, inside its
 * transaction. */
#ifndef WEBHOOKD_STORE_SQLITE_HIDDEN_H
#define WEBHOOKD_STORE_SQLITE_HIDDEN_H

#include "store/credentials.h"
#include "store/hidden.h"

/* The stored versions that matter to a definition. */
struct hidden_source {
    int current_version;           /* 0: none */
    int kept_version;              /* whose values are kept; 0: none */
    const struct definition *kept; /* that version's definition, or NULL */
};

/* The hidden values of a new version, sealed. */
struct hidden_values {
    struct {
        struct id vessel_id;
        const char *name; /* borrowed from the definition */
        struct sealed_value sealed;
    } * items;
    size_t count;
    bool have_changed; /* some value is not that of the current version */
};

/* Decides on each hidden value of a definition with all its ids, and seals it. `terms` may be NULL
 * if there are none. ERROR_INVALID: some value that the definition keeps is missing
 * (terms->missing). The caller frees the values in both cases. */
int hidden_resolve(struct store *store, const struct hidden_source *source,
                   const struct hidden_terms *terms, const struct definition *complete,
                   struct hidden_values *values, struct error *error);
int hidden_write(struct store *store, int64_t fleet_no, int version,
                 const struct hidden_values *values, struct error *error);
void hidden_free(struct hidden_values *values);
/* The hidden values' part of sqlite_list_sealed. Sets *is_over if `each` has ended the list. Any
 * connection's thread. */
int hidden_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                       void *context, bool *is_over, struct error *error);
/* Deletes the hidden values of all versions of a fleet. */
int hidden_forget(struct store *store, int64_t fleet_no, struct error *error);

#endif
