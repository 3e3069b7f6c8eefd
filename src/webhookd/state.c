/* See state.h. */
#include "webhookd/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/location.h"

static void set_store_options(struct state *state, const struct config *config)
{
    const char *relaxed = getenv("WEBHOOKD_TEST_RELAXED_SYNC");
    state->store = (struct store_options){
        .state_dir = config->state_dir,
        .location = config->store,
        .mode = STORE_WRITE,
        .relaxed_sync = relaxed && strcmp(relaxed, "1") == 0,
    };
    if (state->store.relaxed_sync)
        log_error("WEBHOOKD_TEST_RELAXED_SYNC is set",
                  log_text("effect", "accepted fleet runs can be lost: for tests only"));
}

/* What a local disk promises is up to a server there, and webhookd cannot look behind it. */
static void warn_about_server(const struct state *state)
{
    const char *kind = file_system_with_server(state->dir.fd);
    if (kind)
        log_warning("state_dir is not on a local disk",
                    log_text("state_dir", state->store.state_dir), log_text("file_system", kind),
                    log_text("effect", "accepted requests are as safe as its server's syncs and "
                                       "locks"),
                    log_text("advice", "move state_dir to a local disk"));
}

/* Refuses to begin with a new store beside bodies or output: they belong to runs of a store that is
 * lost, and would be removed as remains of a crash. */
static int refuse_new_store(const struct state *state, struct error *error)
{
    static const char *const folders[] = {"spool", "logs"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        int holds = file_folder_holds_any(state->dir.fd, folders[i], error);
        if (holds < 0)
            return -1;
        if (holds)
            return error_set(error, ERROR_CONFIG,
                             "the database is missing or empty, but \"%s/%s\" holds data of "
                             "earlier fleet runs: restore a backup, or set state_dir to a new "
                             "folder",
                             state->store.state_dir, folders[i]);
    }
    return 0;
}

/* The key is created and synced before the store. Beside an existing store it is not created here,
 * but only once no sealed token is left (admin/seal.c). A key that cannot be used keeps no request
 * out; admin/seal.c says so when it starts. */
static int prepare_key(const struct state *state, bool has_store, struct error *error)
{
    struct secret_key key;
    struct error unusable = ERROR_INIT;
    int result = secret_key_read(state->dir.fd, STATE_DIR_SECRET, &key, &unusable);
    bool is_present = key.present;
    secret_wipe(&key, sizeof(key));
    if (result != 0 || is_present)
        return 0;
    if (!has_store) {
        result = secret_key_create(state->dir.fd, STATE_DIR_SECRET, &key, error);
        secret_wipe(&key, sizeof(key));
        return result;
    }
    log_error(
        "secret.key is missing", log_text("state_dir", state->store.state_dir),
        log_text(
            "effect",
            "requests are accepted as before; webhooks cannot be shown, created or replaced, nor "
            "credentials and hidden values set or used, until the key is back or all of them are "
            "removed"));
    return 0;
}

int state_open(struct state *state, const struct config *config, struct error *error)
{
    *state = (struct state){.dir = STATE_DIR_INIT};
    set_store_options(state, config);
    if (state_dir_open(&state->dir, config->state_dir, config->store, store_location_owns, error) !=
        0) {
        error_context(error, "state_dir");
        return -1;
    }
    warn_about_server(state);
    int exists = store_exists(&state->store, error);
    if (exists >= 0 && (exists > 0 || refuse_new_store(state, error) == 0) &&
        prepare_key(state, exists > 0, error) == 0 && store_prepare(&state->store, error) == 0)
        return 0;
    state_close(state);
    return -1;
}

void state_close(struct state *state)
{
    state_dir_close(&state->dir);
}

int state_advance_clock(const struct state *state, struct error *error)
{
    struct store_options reading = state->store;
    reading.mode = STORE_READ;
    struct store *store = store_open(&reading, error);
    if (!store)
        return -1;
    id_clock_floor(store_clock_floor_ms(store));
    store_close(store);
    return 0;
}
