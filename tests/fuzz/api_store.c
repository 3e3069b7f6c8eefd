/* See api_store.h. */
#include "fuzz/api_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/caller.h"
#include "admin/seal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/state_dir.h"
#include "fuzz/fuzz.h"
#include "store/fleets.h"
#include "store/keys.h"
#include "store/sqlite/connection.h"
#include "store/webhooks.h"
#include "store/work.h"
#include "support/store_fixture.h"

static void must(int result, const struct error *error)
{
    if (result != 0)
        fprintf(stderr, "%s\n", error->message);
    FUZZ_CHECK(result == 0);
}

static int keep_project(void *context, const struct project_row *row)
{
    struct api_store *store = context;
    store->project_id = row->id;
    store->org_id = row->org_id;
    return 0;
}

static void create_fleet(struct api_store *store)
{
    static const char file[] = "name: Greet\n";
    struct error error = ERROR_INIT;
    struct definition definition = store_fixture_definition("Greet");
    struct apply_result result;
    const struct fleet_application application = {.project_id = &store->project_id,
                                                  .definition = &definition,
                                                  .file = file,
                                                  .file_bytes = strlen(file)};
    must(store_apply_fleet(store->store, &application, 1000, &result, &error), &error);
    store->fleet_id = result.fleet_id;
}

static void create_webhook(struct api_store *store)
{
    struct error error = ERROR_INIT;
    struct secret_key key;
    struct webhook_token token;
    must(secret_key_create(store->folder_fd, STATE_DIR_SECRET, &key, &error), &error);
    seal_token(&key, &store->fleet_id, API_STORE_TOKEN, &token);
    must(store_create_webhook(store->store, &store->fleet_id, &token, 1000, &error), &error);
}

static void create_run(struct api_store *store)
{
    struct error error = ERROR_INIT;
    struct run_input input = store_fixture_input();
    struct run_ids run;
    struct definition definition = store_fixture_definition("Greet");
    struct id ids[2] = {id_random(), id_random()}, boot = id_random();
    struct attempt_result end = {
        .has_exit_code = true, .reason = "", .started_ms = 5000, .ended_ms = 6000};
    must(store_accept_run(store->store, &store->fleet_id, &input, &run, &error), &error);
    store->run_id = run.run_id;
    store->vessel_run_id = ids[0];
    int64_t number = id_run_number(&run.run_id);
    must(sqlite_start_run(store->store, number, &definition, ids, 4000, &error), &error);
    for (int i = 0; i < 2; i++) {
        must(sqlite_start_attempt(store->store, number, i, 1, &boot, 4500, &error), &error);
        must(sqlite_end_attempt(store->store, number, i, 1, &end, &error), &error);
        must(sqlite_end_vessel(store->store, number, i, VESSEL_SUCCESS, "", 6000, &error), &error);
    }
    must(sqlite_end_run(store->store, number, RUN_SUCCESS, 7000, &error), &error);
}

static void create_key(struct api_store *store)
{
    struct error error = ERROR_INIT;
    uint8_t hash[SECRET_HASH_BYTES];
    const struct session_time time = {clock_wall_ms(), CALLER_IDLE_MS};
    struct new_key key = {.name = "deploy", .role = ROLE_OWNER, .life = {1, 0}};
    secret_hash(API_STORE_KEY, SECRET_TOKEN_CHARS, key.hash);
    must(store_create_key(store->store, &key, &store->key_id, &error), &error);
    secret_hash(API_STORE_SESSION, strlen(API_STORE_SESSION), hash);
    must(store_begin_session(store->store, hash, &store->key_id, &time, &error), &error);
}

void api_store_open(struct api_store *store)
{
    struct error error = ERROR_INIT;
    const char *temporary = getenv("TMPDIR");
    snprintf(store->folder, sizeof(store->folder), "%s/webhookd-XXXXXX",
             temporary ? temporary : "/tmp");
    FUZZ_CHECK(mkdtemp(store->folder));
    store->folder_fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    store->options = (struct store_options){
        .state_dir = store->folder, .location = "sqlite:webhookd.db", .mode = STORE_WRITE};
    store->store = store_open(&store->options, &error);
    must(store->store ? 0 : -1, &error);
    must(store_list_projects(store->store, NULL, keep_project, store, &error), &error);
    must(transaction_begin(store->store, &error), &error);
    create_fleet(store);
    create_webhook(store);
    create_run(store);
    create_key(store);
    must(transaction_commit(store->store, &error), &error);
}

void api_store_close(struct api_store *store)
{
    struct error error = ERROR_INIT;
    store_close(store->store);
    close(store->folder_fd);
    must(file_remove_tree(AT_FDCWD, store->folder, &error), &error);
}

void api_store_put_ids(const struct api_store *store, char *text)
{
    static const char any[] = "01980000-0000-7000-8000-00000000000";
    const struct id *ids[] = {&store->fleet_id, &store->run_id,     &store->vessel_run_id,
                              &store->key_id,   &store->project_id, &store->org_id};
    while ((text = strstr(text, any))) {
        char id[ID_TEXT_BYTES];
        unsigned which = (unsigned char)text[strlen(any)] - (unsigned)'0';
        if (which < ARRAY_COUNT(ids))
            memcpy(text, id_format(ids[which], id), ID_TEXT_BYTES - 1);
        text += strlen(any);
    }
}
