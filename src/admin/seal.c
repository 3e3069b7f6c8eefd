/* See seal.h. Called by webhooks.c and status.c, and by admin.c at the start. */
#include "admin/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/state_dir.h"
#include "queue/commit.h"
#include "store/credentials.h"

enum {
    MAX_NAMED = 10, /* damaged tokens that the log names at the start */
    RENEWED_BYTES = sizeof(struct id) + sizeof(struct webhook_token),
};

/* ---- one token ---- */

#define PLACE_BYTES (sizeof("webhook/") - 1 + ID_TEXT_BYTES)

/* The place of a fleet's token (base/secret.h). */
static void format_place(const struct id *fleet_id, char place[PLACE_BYTES])
{
    char text[ID_TEXT_BYTES];
    snprintf(place, PLACE_BYTES, "webhook/%s", id_format(fleet_id, text));
}

void seal_token(const struct secret_key *key, const struct id *fleet_id,
                const char text[SECRET_TOKEN_CHARS], struct webhook_token *token)
{
    char place[PLACE_BYTES];
    format_place(fleet_id, place);
    secret_hash(text, SECRET_TOKEN_CHARS, token->hash);
    secret_seal(key, place, text, SECRET_TOKEN_CHARS, token->sealed);
    token->sealed_bytes = SECRET_SEAL_BYTES + SECRET_TOKEN_CHARS;
}

static bool is_unbound(const struct webhook_token *token)
{
    return token->sealed_bytes == SECRET_UNBOUND_TOKEN_BYTES;
}

enum opened {
    OPENED,
    OPENED_NOT,     /* this key does not open it here */
    OPENED_FOREIGN, /* this key opens it, but the row has the hash of another token */
};

/* Opens a seal of either format. The text is set only if it is OPENED. */
static enum opened open_token(const struct secret_key *key, const struct id *fleet_id,
                              const struct webhook_token *token, char text[SECRET_TOKEN_CHARS + 1])
{
    char place[PLACE_BYTES];
    uint8_t hash[SECRET_HASH_BYTES];
    int result = -1;
    format_place(fleet_id, place);
    if (is_unbound(token))
        result = secret_open_unbound(key, token->sealed, text);
    else if (token->sealed_bytes == SECRET_SEAL_BYTES + SECRET_TOKEN_CHARS)
        result = secret_open(key, place, token->sealed, token->sealed_bytes, text);
    if (result != 0)
        return OPENED_NOT;
    text[SECRET_TOKEN_CHARS] = '\0';
    secret_hash(text, SECRET_TOKEN_CHARS, hash);
    if (secret_equal(hash, token->hash, sizeof(hash)))
        return OPENED;
    secret_wipe(text, SECRET_TOKEN_CHARS);
    return OPENED_FOREIGN;
}

char *seal_open_url(const struct secret_key *key, const char *public_url, const struct id *fleet_id,
                    const struct webhook_token *token, struct error *error)
{
    char text[SECRET_TOKEN_CHARS + 1];
    char *url = NULL;
    if (open_token(key, fleet_id, token, text) == OPENED)
        url = memory_format("%s/hooks/%s", public_url, text);
    else
        error_set(error, ERROR_UNAVAILABLE,
                  "the stored token is damaged or was moved here from another webhook: replace the "
                  "webhook, or restore a backup");
    secret_wipe(text, sizeof(text));
    return url;
}

void seal_free_url(char *url)
{
    if (url)
        secret_wipe(url, strlen(url));
    free(url);
}

/* ---- any other value ---- */

static bool opens(const struct secret_key *key, const struct sealed_row *row)
{
    if (row->sealed_bytes < SECRET_SEAL_BYTES)
        return false;
    size_t bytes = row->sealed_bytes - SECRET_SEAL_BYTES;
    char *value = memory_alloc(bytes + 1);
    bool is_open = secret_open(key, row->place, row->sealed, row->sealed_bytes, value) == 0;
    secret_wipe(value, bytes);
    free(value);
    return is_open;
}

/* ---- the key ---- */

struct proof {
    const struct secret_key *key;
    bool has_values, is_proven;
};

static int try_key(void *context, const struct id *fleet_id, const struct webhook_token *token)
{
    struct proof *proof = context;
    char text[SECRET_TOKEN_CHARS + 1];
    proof->has_values = true;
    proof->is_proven = open_token(proof->key, fleet_id, token, text) != OPENED_NOT;
    secret_wipe(text, sizeof(text));
    return proof->is_proven;
}

static int try_key_on_value(void *context, const struct sealed_row *row)
{
    struct proof *proof = context;
    proof->has_values = true;
    proof->is_proven = opens(proof->key, row);
    return proof->is_proven;
}

static int wrong_key(struct error *error)
{
    return error_set(error, ERROR_UNAVAILABLE,
                     STATE_DIR_SECRET
                     " is not the key that sealed the stored webhooks, credentials and hidden "
                     "values: put the right key back into the state folder, or remove them");
}

/* Reads the key, or creates it if it may, and tries it on the stored values, so that values are
 * never sealed with two different keys. The lock is held, so only one thread creates a key. */
static int find_key(const struct admin *admin, struct store *store, bool may_create,
                    struct secret_key *key, struct error *error)
{
    struct proof proof = {.key = key};
    struct error why = ERROR_INIT;
    int state_fd = admin->options.state_fd;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, key, &why) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "%s", why.message);
    if (store_list_tokens(store, try_key, &proof, error) != 0 ||
        (!proof.is_proven && store_list_sealed(store, try_key_on_value, &proof, error) != 0))
        return -1;
    if (key->present)
        return proof.has_values && !proof.is_proven ? wrong_key(error) : 0;
    if (proof.has_values)
        return error_set(error, ERROR_UNAVAILABLE,
                         STATE_DIR_SECRET
                         " is missing from the state folder: webhooks cannot be shown, created "
                         "or replaced, nor credentials and hidden values set or used, until it is "
                         "restored or all of them are removed");
    if (!may_create)
        return error_set(error, ERROR_NOT_FOUND,
                         STATE_DIR_SECRET " is missing: the next webhook, credential or hidden "
                                          "value that is created gets a new key");
    if (secret_key_create(state_fd, STATE_DIR_SECRET, key, error) != 0)
        return -1;
    log_info("new key created", log_text("file", STATE_DIR_SECRET));
    return 0;
}

/* Logs a change of whether the key is usable. The lock is held. */
static void note_usable(struct admin *admin, int found, const struct error *error)
{
    bool is_unusable = found != 0 && error->kind == ERROR_UNAVAILABLE;
    if (is_unusable && !admin->key_is_unusable)
        log_error("the key is not usable", log_text("file", STATE_DIR_SECRET), log_why(error));
    else if (found == 0 && admin->key_is_unusable)
        log_info("the key is usable again", log_text("file", STATE_DIR_SECRET));
    if (is_unusable || found == 0)
        admin->key_is_unusable = is_unusable;
}

int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error)
{
    pthread_mutex_lock(&admin->key_lock);
    int result = find_key(admin, store, may_create, key, error);
    note_usable(admin, result, error);
    pthread_mutex_unlock(&admin->key_lock);
    if (result != 0)
        secret_wipe(key, sizeof(*key));
    return result;
}

/* ---- at the start ---- */

struct renewed {
    struct id fleet_id;
    struct webhook_token token;
};

struct renewal {
    const struct secret_key *key;
    int64_t opened, failed;
    struct id failed_fleets[MAX_NAMED]; /* the first of them */
    int64_t failed_values;
    char *failed_places[MAX_NAMED];
    struct renewed *list;
    size_t count;
};

static int look_at(void *context, const struct id *fleet_id, const struct webhook_token *token)
{
    struct renewal *renewal = context;
    char text[SECRET_TOKEN_CHARS + 1];
    enum opened opened = open_token(renewal->key, fleet_id, token, text);
    if (opened != OPENED) {
        if (renewal->failed < MAX_NAMED)
            renewal->failed_fleets[renewal->failed] = *fleet_id;
        renewal->failed++;
        renewal->opened += opened == OPENED_FOREIGN;
        return 0;
    }
    renewal->opened++;
    if (is_unbound(token)) {
        renewal->list = memory_array(renewal->list, renewal->count + 1, sizeof(*renewal->list));
        struct renewed *renewed = &renewal->list[renewal->count++];
        renewed->fleet_id = *fleet_id;
        seal_token(renewal->key, fleet_id, text, &renewed->token);
    }
    secret_wipe(text, sizeof(text));
    return 0;
}

static int look_at_value(void *context, const struct sealed_row *row)
{
    struct renewal *renewal = context;
    if (opens(renewal->key, row)) {
        renewal->opened++;
        return 0;
    }
    if (renewal->failed_values < MAX_NAMED)
        renewal->failed_places[renewal->failed_values] = memory_string(row->place);
    renewal->failed_values++;
    return 0;
}

/* On the committer's thread, inside the transaction. */
static int apply_renewal(void *context, struct store *store, struct error *error)
{
    const struct renewal *renewal = context;
    for (size_t i = 0; i < renewal->count; i++)
        if (store_reseal_webhook(store, &renewal->list[i].fleet_id, &renewal->list[i].token,
                                 error) != 0)
            return -1;
    return 0;
}

static void commit_renewal(struct admin *admin, struct renewal *renewal)
{
    const struct commit_call call = {.name = "seal",
                                     .bytes = renewal->count * RENEWED_BYTES,
                                     .apply = apply_renewal,
                                     .context = renewal};
    struct error error = ERROR_INIT;
    if (renewal->count == 0)
        return;
    if (commit_call(admin->options.queue, &call, &error) == 0)
        log_info("tokens sealed in the current format", log_int("tokens", (int64_t)renewal->count));
    else
        log_warning("tokens keep an earlier format of seal until the next start", log_why(&error));
}

static void report_failures(struct admin *admin, const struct renewal *renewal)
{
    if (renewal->opened == 0) {
        struct error error = ERROR_INIT;
        wrong_key(&error);
        note_usable(admin, -1, &error);
        return;
    }
    for (int64_t i = 0; i < renewal->failed && i < MAX_NAMED; i++)
        log_error("a webhook's token is damaged or was moved from another webhook",
                  log_id("fleet", &renewal->failed_fleets[i]),
                  log_text("effect", "its URL cannot be shown until it is replaced"));
    if (renewal->failed > MAX_NAMED)
        log_error("more webhooks' tokens are damaged", log_int("tokens", renewal->failed));
    for (int64_t i = 0; i < renewal->failed_values && i < MAX_NAMED; i++)
        log_error("a sealed value is damaged or was moved from another place",
                  log_text("value", renewal->failed_places[i]),
                  log_text("effect", "it cannot be used until it is set again"));
    if (renewal->failed_values > MAX_NAMED)
        log_error("more sealed values are damaged", log_int("values", renewal->failed_values));
}

static int examine(struct store *store, struct renewal *renewal, struct error *error)
{
    return store_list_tokens(store, look_at, renewal, error) != 0
               ? -1
               : store_list_sealed(store, look_at_value, renewal, error);
}

void seal_renew(struct admin *admin)
{
    struct secret_key key;
    struct error error = ERROR_INIT;
    struct renewal renewal = {.key = &key};
    struct store *store = readers_take(admin->readers, &error);
    int result = -1;
    if (store && secret_key_read(admin->options.state_fd, STATE_DIR_SECRET, &key, &error) == 0)
        result = key.present ? examine(store, &renewal, &error) : 0;
    if (store)
        readers_give(admin->readers, store, result != 0);
    if (result != 0)
        log_warning("the stored tokens were not examined", log_why(&error));
    else if (!key.present)
        admin->key_is_unusable = true;
    else {
        if (renewal.failed > 0 || renewal.failed_values > 0)
            report_failures(admin, &renewal);
        commit_renewal(admin, &renewal);
    }
    free(renewal.list);
    for (size_t i = 0; i < MAX_NAMED; i++)
        free(renewal.failed_places[i]);
    secret_wipe(&key, sizeof(key));
}
