/* See seal.h. Called by webhooks.c. */
#include "admin/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/state_dir.h"

struct first_webhook {
    bool found;
    uint8_t sealed[SECRET_SEALED_BYTES];
};

static int keep_first(void *context, const struct webhook_row *row)
{
    struct first_webhook *first = context;
    first->found = true;
    memcpy(first->sealed, row->sealed, sizeof(first->sealed));
    return 1;
}

static int wrong_key(struct error *error)
{
    return error_set(error, ERROR_UNAVAILABLE,
                     STATE_DIR_SECRET
                     " is not the key that sealed the stored webhooks: put the right key back "
                     "into the state folder, or remove these webhooks");
}

/* A key that has not yet opened a stored webhook is tried on one, so that webhooks are never sealed
 * with two different keys. The lock is held. */
static int prove_key(struct admin *admin, struct store *store, struct error *error)
{
    if (admin->key_is_proven)
        return 0;
    struct first_webhook first = {.found = false};
    if (store_list_webhooks(store, 0, keep_first, &first, error) != 0)
        return -1;
    if (!first.found)
        return 0;
    char token[SECRET_TOKEN_CHARS + 1];
    int opened = secret_open(&admin->key, first.sealed, token);
    secret_wipe(token, sizeof(token));
    if (opened != 0) {
        /* Forget it, so that the right key is read as soon as it is restored. */
        secret_wipe(&admin->key, sizeof(admin->key));
        return wrong_key(error);
    }
    admin->key_is_proven = true;
    return 0;
}

/* Reads the key if it is not present, or creates it if it may. The lock is held. */
static int find_key(struct admin *admin, struct store *store, bool may_create, struct error *error)
{
    if (admin->key.present)
        return 0;
    int state_fd = admin->options.state_fd;
    struct error why = ERROR_INIT;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, &admin->key, &why) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "%s", why.message);
    if (admin->key.present) {
        log_info("key read", log_text("file", STATE_DIR_SECRET));
        return 0;
    }
    int64_t sealed = 0;
    if (store_count_webhooks(store, &sealed, error) != 0)
        return -1;
    if (sealed > 0 || !may_create)
        return error_set(error, ERROR_UNAVAILABLE,
                         STATE_DIR_SECRET
                         " is missing from the state folder: webhooks cannot be shown, created or "
                         "replaced until it is restored or all webhooks are removed");
    if (secret_key_create(state_fd, STATE_DIR_SECRET, &admin->key, error) != 0)
        return -1;
    log_info("new key created", log_text("file", STATE_DIR_SECRET));
    return 0;
}

int seal_key(struct admin *admin, struct store *store, bool may_create, struct secret_key *key,
             struct error *error)
{
    pthread_mutex_lock(&admin->key_lock);
    int result = find_key(admin, store, may_create, error);
    if (result == 0)
        result = prove_key(admin, store, error);
    if (result == 0)
        *key = admin->key;
    pthread_mutex_unlock(&admin->key_lock);
    return result;
}

char *seal_open_url(const struct secret_key *key, const char *public_url,
                    const uint8_t sealed[SECRET_SEALED_BYTES], struct error *error)
{
    char token[SECRET_TOKEN_CHARS + 1];
    char *url = NULL;
    if (secret_open(key, sealed, token) == 0)
        url = memory_format("%s/hooks/%s", public_url, token);
    else
        wrong_key(error);
    secret_wipe(token, sizeof(token));
    return url;
}

void seal_free_url(char *url)
{
    if (url)
        secret_wipe(url, strlen(url));
    free(url);
}
