/* See idempotency.h. Called by trigger.c and run_start.c. */
#include "admin/idempotency.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/secret.h"
#include "model/idempotency_key.h"

#define NAME "Idempotency-Key"

/* ---- reading ---- */

struct search {
    const char *value; /* the last one; NULL: none */
    int count;
};

static int note(void *context, const char *name, const char *value)
{
    struct search *search = context;
    if (strcasecmp(name, NAME) == 0) {
        search->value = value;
        search->count++;
    }
    return 0;
}

/* The id of a revoked key is never used again, but its name may be. */
static void describe_caller(const struct admin_request *request,
                            char caller[IDEMPOTENCY_CALLER_BYTES])
{
    const struct caller_ticket *ticket = &request->caller.ticket;
    char id[ID_TEXT_BYTES];
    uid_t uid;
    if (ticket->has_key)
        snprintf(caller, IDEMPOTENCY_CALLER_BYTES, "key %s", id_format(&ticket->key_id, id));
    else if (http_peer_user(request->exchange, &uid) == 0)
        snprintf(caller, IDEMPOTENCY_CALLER_BYTES, "user %u", (unsigned)uid);
    else
        snprintf(caller, IDEMPOTENCY_CALLER_BYTES, "user unknown");
}

static void take_fingerprint(const struct admin_request *request, const struct id *fleet_id,
                             uint8_t fingerprint[SECRET_HASH_BYTES])
{
    struct {
        struct id fleet_id;
        uint8_t body[SECRET_HASH_BYTES];
    } parts = {.fleet_id = *fleet_id};
    const struct buffer *body = &request->body;
    secret_hash(body->data ? body->data : "", body->bytes, parts.body);
    secret_hash(&parts, sizeof(parts), fingerprint);
}

int idempotency_read(struct admin_request *request, const struct id *fleet_id,
                     struct idempotency_header *header, struct error *error)
{
    char key[IDEMPOTENCY_KEY_MAX_CHARS + 1];
    struct search search = {NULL, 0};
    http_each_header(request->exchange, note, &search);
    header->is_given = search.count > 0;
    if (!header->is_given)
        return 0;
    if (search.count > 1)
        error_set(error, ERROR_INVALID, "the request has more than one " NAME ": send one");
    else
        (void)idempotency_key_read(search.value, key, error);
    if (error_is_set(error)) {
        request->answer.status = 422;
        return -1;
    }
    describe_caller(request, header->caller);
    header->value.caller = header->caller;
    secret_hash(key, strlen(key), header->value.id_hash);
    take_fingerprint(request, fleet_id, header->value.fingerprint);
    return 0;
}

/* ---- checking ---- */

int idempotency_check(struct store *store, const struct idempotency *idempotency, int64_t now_ms,
                      enum idempotency_found *found, struct id *run_id, struct error *error)
{
    *found = IDEMPOTENCY_NEW;
    if (store_find_idempotency(store, idempotency, now_ms, found, run_id, error) != 0)
        return -1;
    switch (*found) {
    case IDEMPOTENCY_NEW:
    case IDEMPOTENCY_REPEATED:
        return 0;
    case IDEMPOTENCY_OTHER:
        return error_set(error, ERROR_INVALID,
                         "this " NAME " was used for another body or another fleet: choose a new "
                         "one for each fleet run");
    case IDEMPOTENCY_FULL:
        break;
    }
    return error_set(error, ERROR_UNAVAILABLE,
                     "%d " NAME "s of this caller are remembered, each for 24 hours, and there is "
                     "no room for more: leave the header out, or try again later",
                     STORE_MAX_IDEMPOTENCY_KEYS);
}

void idempotency_set_status(struct admin_request *request, enum idempotency_found found)
{
    if (found == IDEMPOTENCY_OTHER)
        request->answer.status = 422;
    else if (found == IDEMPOTENCY_FULL)
        request->answer.status = 429;
}

int idempotency_look_up(struct admin_request *request, const struct idempotency_header *header,
                        enum idempotency_found *found, struct id *run_id, struct error *error)
{
    *found = IDEMPOTENCY_NEW;
    if (!header->is_given)
        return 0;
    struct store *store = request_store(request, error);
    if (store &&
        idempotency_check(store, &header->value, clock_wall_ms(), found, run_id, error) == 0)
        return 0;
    idempotency_set_status(request, *found);
    return -1;
}
