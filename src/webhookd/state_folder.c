/* See state_folder.h. */
#include "webhookd/state_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "store/location.h"

static void set_store_options(struct state_folder *folder, const struct config *config)
{
    const char *relaxed = getenv("WEBHOOKD_TEST_RELAXED_SYNC");
    folder->store = (struct store_options){
        .state_dir = config->state_dir,
        .location = config->store,
        .mode = STORE_WRITE,
        .relaxed_sync = relaxed && strcmp(relaxed, "1") == 0,
    };
    if (folder->store.relaxed_sync)
        log_error("WEBHOOKD_TEST_RELAXED_SYNC is set",
                  log_text("follows", "accepted fleet runs can be lost: for tests only"));
}

/* The key exists, synced, before the store does. Beside a store it is not created here, but only
 * once no sealed token is left. */
static int prepare_key(struct state_folder *folder, struct error *error)
{
    if (secret_key_read(folder->dir.fd, STATE_DIR_SECRET, &folder->key, error) != 0)
        return -1;
    if (folder->key.present)
        return 0;
    int exists = store_exists(&folder->store, error);
    if (exists < 0)
        return -1;
    if (exists == 0)
        return secret_key_create(folder->dir.fd, STATE_DIR_SECRET, &folder->key, error);
    log_error(
        "secret.key is missing", log_text("state_dir", folder->store.state_dir),
        log_text(
            "follows",
            "requests are accepted as before; webhooks cannot be shown, created or replaced until "
            "the key is back or the old webhooks are removed"));
    return 0;
}

int state_folder_open(struct state_folder *folder, const struct config *config, struct error *error)
{
    *folder = (struct state_folder){.dir = STATE_DIR_INIT};
    set_store_options(folder, config);
    if (state_dir_open(&folder->dir, config->state_dir, config->store, store_location_owns,
                       error) == 0 &&
        prepare_key(folder, error) == 0 && store_prepare(&folder->store, error) == 0)
        return 0;
    state_folder_close(folder);
    return -1;
}

void state_folder_close(struct state_folder *folder)
{
    secret_wipe(&folder->key, sizeof(folder->key));
    state_dir_close(&folder->dir);
}

int state_folder_advance_clock(const struct state_folder *folder, struct error *error)
{
    struct store_options reading = folder->store;
    reading.mode = STORE_READ;
    struct store *store = store_open(&reading, error);
    if (!store)
        return -1;
    id_clock_floor(store_clock_floor_ms(store));
    store_close(store);
    return 0;
}
