/* See store_fixture.h. Everything runs on the test's own thread. */
#include "support/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

static void must(int result, const struct error *error)
{
    ck_assert_msg(result == 0, "%s", error->message);
}

static int keep_project(void *context, const struct project_row *row)
{
    *(struct id *)context = row->id;
    return 0;
}

static void open_store(struct store_fixture *fixture)
{
    struct error error = ERROR_INIT;
    fixture->store = store_open(&fixture->options, &error);
    ck_assert_msg(fixture->store, "%s", error.message);
}

void store_fixture_open(struct store_fixture *fixture, const char *vfs)
{
    struct error error = ERROR_INIT;
    const char *temporary = getenv("TMPDIR");
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/webhookd-XXXXXX",
             temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(fixture->folder));
    fixture->options = (struct store_options){
        .state_dir = fixture->folder, .location = "sqlite:webhookd.db", .mode = STORE_WRITE};
    connection_set_vfs(vfs);
    open_store(fixture);
    must(store_list_projects(fixture->store, NULL, keep_project, &fixture->project_id, &error),
         &error);
}

void store_fixture_reopen(struct store_fixture *fixture)
{
    store_close(fixture->store);
    open_store(fixture);
}

void store_fixture_close(struct store_fixture *fixture)
{
    struct error error = ERROR_INIT;
    store_close(fixture->store);
    must(file_remove_tree(AT_FDCWD, fixture->folder, &error), &error);
}

void store_fixture_begin(struct store_fixture *fixture)
{
    struct error error = ERROR_INIT;
    must(transaction_begin(fixture->store, &error), &error);
}

void store_fixture_commit(struct store_fixture *fixture)
{
    struct error error = ERROR_INIT;
    must(transaction_commit(fixture->store, &error), &error);
}

struct definition store_fixture_definition(const char *name)
{
    static char fetch[] = "fetch", report[] = "report", file[] = "main.sh", content[] = "exit 0\n";
    static struct definition_vessel vessels[2];
    static struct definition_path path = {0, 1, PATH_SUCCESS};
    static char names[16][64];
    static int used;
    memset(vessels, 0, sizeof(vessels));
    for (int i = 0; i < 2; i++) {
        vessels[i].name = i == 0 ? fetch : report;
        vessels[i].file_name = vessels[i].file_to_run = file;
        vessels[i].file_content = content;
        vessels[i].guardrails.cutoff_ms = GUARDRAIL_MAX_CUTOFF_MS;
    }
    char *kept = names[used++ % 16];
    snprintf(kept, sizeof(names[0]), "%s", name);
    return (struct definition){
        .name = kept, .vessels = vessels, .vessel_count = 2, .paths = &path, .path_count = 1};
}

struct apply_result store_fixture_apply(struct store_fixture *fixture,
                                        const struct definition *definition)
{
    struct error error = ERROR_INIT;
    struct apply_result result;
    static const char file[] = "name: as applied\n";
    store_fixture_begin(fixture);
    const struct fleet_application application = {.project_id = &fixture->project_id,
                                                  .definition = definition,
                                                  .file = file,
                                                  .file_bytes = strlen(file)};
    must(store_apply_fleet(fixture->store, &application, 1000, &result, &error), &error);
    store_fixture_commit(fixture);
    return result;
}

struct webhook_token store_fixture_token(uint8_t byte)
{
    struct webhook_token token = {.sealed_bytes = sizeof(token.sealed)};
    memset(token.hash, byte, sizeof(token.hash));
    memset(token.sealed, byte, sizeof(token.sealed));
    return token;
}

struct id store_fixture_fleet(struct store_fixture *fixture, const char *name, uint8_t byte)
{
    struct error error = ERROR_INIT;
    struct definition definition = store_fixture_definition(name);
    struct apply_result result = store_fixture_apply(fixture, &definition);
    const struct webhook_token token = store_fixture_token(byte);
    store_fixture_begin(fixture);
    must(store_create_webhook(fixture->store, &result.fleet_id, &token, 2000, &error), &error);
    store_fixture_commit(fixture);
    return result.fleet_id;
}

struct run_input store_fixture_input(void)
{
    static const char headers[] = "{\"Content-Type\":[\"text/plain\"]}";
    static const char body[] = "a\0b\xff\n";
    struct run_input input = {.request_id = id_ordered(),
                              .trigger = TRIGGER_WEBHOOK,
                              .arrived_ms = clock_wall_ms(),
                              .remote_addr = "192.0.2.7",
                              .host = "hooks.example",
                              .query = "a=1&b=%20",
                              .event = "push",
                              .headers_json = headers,
                              .headers_bytes = strlen(headers),
                              .body_place = BODY_INLINE,
                              .body = body,
                              .body_bytes = sizeof(body) - 1};
    secret_hash(body, sizeof(body) - 1, input.body_sha256);
    return input;
}

struct run_ids store_fixture_accept(struct store_fixture *fixture, uint8_t byte)
{
    struct error error = ERROR_INIT;
    struct run_ids ids;
    struct run_input input = store_fixture_input();
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, byte, sizeof(hash));
    bool own = !transaction_is_open(fixture->store);
    if (own)
        store_fixture_begin(fixture);
    must(sqlite_accept_hook(fixture->store, hash, &input, &ids, &error), &error);
    if (own)
        store_fixture_commit(fixture);
    return ids;
}

void store_fixture_finish(struct store_fixture *fixture, const struct id *run_id,
                          enum run_status status)
{
    struct error error = ERROR_INIT;
    struct definition definition = store_fixture_definition("any");
    struct id ids[2] = {id_random(), id_random()}, boot = id_random();
    int64_t number = id_run_number(run_id);
    struct attempt_result end = {
        .has_exit_code = true, .reason = "", .started_ms = 5000, .ended_ms = 6000};
    bool failed = status == RUN_ERRORED;
    end.exit_code = failed;
    store_fixture_begin(fixture);
    must(sqlite_start_run(fixture->store, number, &definition, ids, 4000, &error), &error);
    for (int i = 0; i < 2; i++) {
        must(sqlite_start_attempt(fixture->store, number, i, 1, &boot, 4500, &error), &error);
        must(sqlite_end_attempt(fixture->store, number, i, 1, &end, &error), &error);
        must(sqlite_end_vessel(fixture->store, number, i, failed ? VESSEL_ERRORED : VESSEL_SUCCESS,
                               "", 6000, &error),
             &error);
    }
    must(sqlite_end_run(fixture->store, number, status, 7000, &error), &error);
    store_fixture_commit(fixture);
}
