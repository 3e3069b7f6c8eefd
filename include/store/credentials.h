/* Credentials: the sealed values of an organization that fleet files refer to by name. Any
 * connection can read. Functions that change something may only be called inside store_write
 * (store.h). */
#ifndef WEBHOOKD_STORE_CREDENTIALS_H
#define WEBHOOKD_STORE_CREDENTIALS_H

#include "base/secret.h"
#include "model/reference.h"
#include "store/store.h"

#define STORE_MAX_CREDENTIALS       1000 /* of an organization; no more can be created */
#define STORE_CREDENTIAL_MAX_BYTES  (64 * 1024)
#define STORE_CREDENTIAL_SEAL_BYTES (STORE_CREDENTIAL_MAX_BYTES + SECRET_SEAL_BYTES)

/* Writes the place for which a credential is sealed (base/secret.h). */
#define STORE_CREDENTIAL_PLACE_BYTES (sizeof("credential/") + ID_TEXT_BYTES + REFERENCE_TEXT_BYTES)
char *store_credential_place(const struct id *org_id, const struct reference *name,
                             char place[STORE_CREDENTIAL_PLACE_BYTES]);

struct credential_row {
    struct reference name;
    int64_t created_ms, changed_ms;
    const char *changed_by; /* as in the audit log: "key deploy", "user root" */
    int64_t last_used_ms;   /* to the minute; 0 = never */
    const uint8_t *sealed;  /* NULL in lists */
    size_t sealed_bytes;
};
/* Lists an organization's credentials, sorted by name. */
int store_list_credentials(struct store *store, const struct id *org_id,
                           int (*each)(void *, const struct credential_row *), void *context,
                           struct error *error);
/* Calls `each` once, or returns -1 with ERROR_NOT_FOUND. */
int store_find_credential(struct store *store, const struct id *org_id,
                          const struct reference *name,
                          int (*each)(void *, const struct credential_row *), void *context,
                          struct error *error);

struct credential_value {
    struct reference name;
    const uint8_t *sealed;
    size_t sealed_bytes;
    const char *changed_by;
};
/* Creates or replaces a credential. Sets *is_new. ERROR_CONFLICT: the organization has
 * STORE_MAX_CREDENTIALS already. */
int store_set_credential(struct store *store, const struct id *org_id,
                         const struct credential_value *value, int64_t now_ms, bool *is_new,
                         struct error *error);
int store_remove_credential(struct store *store, const struct id *org_id,
                            const struct reference *name, struct error *error);
/* Does nothing if the credential was removed. */
int store_touch_credential(struct store *store, const struct id *org_id,
                           const struct reference *name, int64_t now_ms, struct error *error);

/* A fleet whose current definition contains a text. */
struct definition_row {
    struct id fleet_id, project_id;
    const char *fleet_name, *project_name;
    const char *definition_json;
    size_t definition_bytes;
};
/* Lists these fleets of an organization, sorted by project and name. The text must need no escape
 * in JSON. */
int store_list_definitions(struct store *store, const struct id *org_id, const char *text,
                           int (*each)(void *, const struct definition_row *), void *context,
                           struct error *error);

/* Every value that the store keeps sealed, except webhooks' tokens (webhooks.h). */
struct sealed_row {
    const char *place; /* for which it is sealed */
    const uint8_t *sealed;
    size_t sealed_bytes;
};
/* In no order, until `each` does not return 0. Of the overrides of runs, only those of open runs
 * count, and only the newest 1,000: whoever has lost the key can create a new one when these runs
 * are over. */
int store_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                      void *context, struct error *error);

#endif
