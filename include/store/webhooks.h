/* Webhooks: which token belongs to which fleet, and how often each webhook was called. Any
 * connection can read. Functions that change something may only be called inside store_write
 * (store.h). */
#ifndef WEBHOOKD_STORE_WEBHOOKS_H
#define WEBHOOKD_STORE_WEBHOOKS_H

#include "base/secret.h"
#include "store/store.h"

/* Calls are counted per quarter of an hour. The counts are kept for STORE_KEEP_CALLS_MS. */
#define STORE_QUARTER_MS    (15 * INT64_C(60000))
#define STORE_KEEP_CALLS_MS (48 * INT64_C(3600000))
/* Returns the start of the quarter that contains at_ms. */
int64_t store_quarter(int64_t at_ms);

struct webhook_call {
    int64_t at_ms;     /* when its headers arrived; wall clock */
    unsigned status;   /* 0 = closed without an answer */
    int64_t answer_us; /* time until the answer; 0 without one */
    char remote_addr[64];
};

/* A webhook's token as the store has it: its hash, to find the webhook, and the token itself,
 * sealed, to show it again. The caller decides what a sealed token consists of and for which place
 * it is sealed (base/secret.h). */
#define WEBHOOK_SEALED_MAX_BYTES (SECRET_SEAL_BYTES + SECRET_TOKEN_CHARS)
struct webhook_token {
    uint8_t hash[SECRET_HASH_BYTES];
    uint8_t sealed[WEBHOOK_SEALED_MAX_BYTES];
    size_t sealed_bytes; /* 0: damaged */
};

struct webhook_row {
    struct id fleet_id, project_id, org_id;
    const char *fleet_name, *project_name, *org_name;
    struct webhook_token token;
    int64_t created_ms; /* when it was created or last replaced */
    bool was_called;    /* since created_ms, as far as calls have been stored */
    struct webhook_call last_call;
    int64_t counted_from_ms;   /* the start of the quarter that contains since_ms */
    int64_t accepted, refused; /* calls since then, including those of URLs replaced since */
};
/* The rows count the calls from the quarter of since_ms on. */
int store_list_webhooks(struct store *store, int64_t since_ms,
                        int (*each)(void *, const struct webhook_row *), void *context,
                        struct error *error);
int store_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                      int (*each)(void *, const struct webhook_row *), void *context,
                      struct error *error);
int store_count_webhooks(struct store *store, int64_t *count, struct error *error);
/* Calls each for each webhook, in no order, until it does not return 0. */
int store_list_tokens(struct store *store,
                      int (*each)(void *, const struct id *fleet_id, const struct webhook_token *),
                      void *context, struct error *error);

/* ERROR_CONFLICT: the fleet already has a webhook. */
int store_create_webhook(struct store *store, const struct id *fleet_id,
                         const struct webhook_token *token, int64_t now_ms, struct error *error);
/* ERROR_NOT_FOUND: the fleet has no webhook. */
int store_replace_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, int64_t now_ms, struct error *error);
/* Stores another seal of the same token. Does nothing if the fleet's webhook has another token. */
int store_reseal_webhook(struct store *store, const struct id *fleet_id,
                         const struct webhook_token *token, struct error *error);
/* Removes the fleet's webhook and its call counts. ERROR_NOT_FOUND: the fleet has no webhook. */
int store_remove_webhook(struct store *store, const struct id *fleet_id, struct error *error);

/* Calls of one webhook in one quarter that are not stored yet. */
struct webhook_calls {
    uint8_t hash[SECRET_HASH_BYTES];
    bool has_fleet_id; /* the token was looked up: the calls count even if it was replaced since */
    struct id fleet_id;
    int64_t quarter_ms; /* see store_quarter */
    int64_t accepted, refused;
    struct webhook_call last;
};
/* Adds the calls to the stored counts. If no webhook has the token (it was replaced), counts for
 * the webhook of calls->fleet_id, if has_fleet_id. Does nothing if there is neither. */
int store_add_calls(struct store *store, const struct webhook_calls *calls, struct error *error);

#endif
