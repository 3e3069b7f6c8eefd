/* Webhooks: whose token opens which fleet, and how often each was called. Any connection can read;
 * functions that change something are called inside store_write alone (store.h). */
#ifndef WEBHOOKD_STORE_WEBHOOKS_H
#define WEBHOOKD_STORE_WEBHOOKS_H

#include "base/secret.h"
#include "store/store.h"

/* Calls are counted by the quarter of an hour. */
#define STORE_QUARTER_MS    (15 * INT64_C(60000))
#define STORE_KEEP_CALLS_MS (48 * INT64_C(3600000))
int64_t store_quarter(int64_t at_ms); /* when the one began that this time is in */

struct webhook_call {
    int64_t at_ms;     /* when its headers had arrived, wall clock */
    unsigned status;   /* 0: closed without an answer */
    int64_t answer_us; /* how long the answer took; 0 without one */
    char remote_addr[64];
};

struct webhook_row {
    struct id fleet_id, project_id, org_id;
    const char *fleet_name, *project_name, *org_name;
    int64_t created_ms;    /* or replaced */
    const uint8_t *sealed; /* SECRET_SEALED_BYTES */
    bool was_called;       /* since created_ms; as far as calls have been stored */
    struct webhook_call last_call;
    int64_t counted_from_ms;   /* when the quarter began that the time asked for is in */
    int64_t accepted, refused; /* since then; those of a URL that was replaced meanwhile, too */
};
/* since_ms: from when on calls count. */
int store_list_webhooks(struct store *store, int64_t since_ms,
                        int (*each)(void *, const struct webhook_row *), void *context,
                        struct error *error);
int store_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                      int (*each)(void *, const struct webhook_row *), void *context,
                      struct error *error);
int store_count_webhooks(struct store *store, int64_t *count, struct error *error);

int store_create_webhook(struct store *store, const struct id *fleet_id,
                         const uint8_t hash[SECRET_HASH_BYTES],
                         const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                         struct error *error); /* ERROR_CONFLICT if there is one */
int store_replace_webhook(struct store *store, const struct id *fleet_id,
                          const uint8_t hash[SECRET_HASH_BYTES],
                          const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                          struct error *error); /* ERROR_NOT_FOUND if there is none */
int store_remove_webhook(struct store *store, const struct id *fleet_id,
                         struct error *error); /* and its calls */

/* Calls of one webhook in one quarter, those that are not stored yet. */
struct webhook_calls {
    uint8_t hash[SECRET_HASH_BYTES];
    bool has_fleet_id; /* the token was looked up: they count although it was replaced since */
    struct id fleet_id;
    int64_t quarter_ms; /* store_quarter */
    int64_t accepted, refused;
    struct webhook_call last;
};
int store_add_calls(struct store *store, const struct webhook_calls *calls,
                    struct error *error); /* of a fleet without a webhook: does nothing */

#endif
