/* The store: files, folders, fleets, webhooks, transactions. test_store_runs.c covers runs,
 * test_store_faults.c failing disks. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

static int count_row(void *count)
{
    ++*(int *)count;
    return 0;
}
static int count_org(void *context, const struct org_row *row)
{
    (void)row;
    return count_row(context);
}
static int keep_version(void *context, const struct version_row *row)
{
    struct error error = ERROR_INIT;
    struct definition **definition = context;
    ck_assert_str_eq(row->file, "name: as applied\n");
    ck_assert_uint_eq(row->file_bytes, strlen(row->file));
    *definition = definition_json_read(row->definition_json, strlen(row->definition_json), &error);
    ck_assert_msg(*definition, "%s", error.message);
    return 0;
}
static int keep_fleet(void *context, const struct fleet_row *row)
{
    struct fleet_row *kept = context;
    *kept = *row;
    kept->name = kept->project_name = kept->org_name = NULL;
    return 0;
}
static int count_version(void *context, const struct version_row *row)
{
    int *count = context;
    ck_assert_ptr_null(row->definition_json);
    ck_assert_uint_gt(row->file_bytes, 0);
    return count_row(count);
}

static struct definition *current(const struct id *fleet_id)
{
    struct error error = ERROR_INIT;
    struct definition *definition = NULL;
    ck_assert_int_eq(
        store_get_version(fixture.store, fleet_id, 0, keep_version, &definition, &error), 0);
    return definition;
}

static struct id make_org(const char *name, enum error_kind expected)
{
    struct error error = ERROR_INIT;
    struct id id;
    store_fixture_begin(&fixture);
    store_create_org(fixture.store, name, 1, &id, &error);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(error.kind, expected);
    return id;
}

/* Applies a definition that must be refused. */
static void apply_refused(const struct definition *definition, const struct id *project_id)
{
    struct error error = ERROR_INIT;
    struct apply_result result;
    store_fixture_begin(&fixture);
    const struct fleet_application application = {
        .project_id = project_id, .definition = definition, .file = ""};
    ck_assert_int_eq(store_apply_fleet(fixture.store, &application, 1, &result, &error), -1);
    transaction_rollback(fixture.store);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
}

static enum error_kind delete_fleet(const struct id *fleet_id)
{
    struct error error = ERROR_INIT;
    store_fixture_begin(&fixture);
    store_delete_fleet(fixture.store, fleet_id, 9000, &error);
    store_fixture_commit(&fixture);
    return error.kind;
}

/* ---- Files ---- */

TEST(files_of_the_store_are_accessible_to_their_owner_only)
{
    store_fixture_open(&fixture, NULL);
    static const char *const names[] = {"webhookd.db", "webhookd.db-wal", "webhookd.db-shm"};
    for (int i = 0; i < 3; i++) {
        char path[128];
        struct stat status;
        snprintf(path, sizeof(path), "%s/%s", fixture.folder, names[i]);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
    }
    store_fixture_close(&fixture);
}

TEST(store_of_an_unknown_kind_is_refused)
{
    struct error error = ERROR_INIT;
    struct store_options options = {.state_dir = "/tmp", .location = "postgres:x"};
    ck_assert_ptr_null(store_open(&options, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
}

TEST(reader_does_not_create_a_missing_store)
{
    store_fixture_open(&fixture, NULL);
    struct error error = ERROR_INIT;
    struct store_options options = fixture.options;
    options.mode = STORE_READ;
    options.location = "sqlite:other.db";
    ck_assert_ptr_null(store_open(&options, &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    char path[128];
    struct stat status;
    snprintf(path, sizeof(path), "%s/other.db", fixture.folder);
    ck_assert_int_eq(stat(path, &status), -1);
    store_fixture_close(&fixture);
}

/* Invariant 3. */
TEST(reader_sees_commits_and_cannot_write)
{
    store_fixture_open(&fixture, NULL);
    struct error error = ERROR_INIT;
    struct store_options options = fixture.options;
    options.mode = STORE_READ;
    struct store *reader = store_open(&options, &error);
    ck_assert_ptr_nonnull(reader);
    make_org("second", ERROR_NONE);
    int count = 0;
    ck_assert_int_eq(store_list_orgs(reader, count_org, &count, &error), 0);
    ck_assert_int_eq(count, 2);
    struct id id;
    ck_assert_int_eq(store_create_org(reader, "third", 1, &id, &error), -1);
    store_close(reader);
    store_fixture_close(&fixture);
}

/* ---- Folders ---- */

static int check_default(void *context, const struct project_row *row)
{
    ck_assert_str_eq(row->name, "default");
    ck_assert_str_eq(row->org_name, "default");
    return count_row(context);
}

TEST(new_store_has_organization_and_project_default_once)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_reopen(&fixture);
    int projects = 0, orgs = 0;
    ck_assert_int_eq(store_list_projects(fixture.store, NULL, check_default, &projects, &error), 0);
    ck_assert_int_eq(store_list_orgs(fixture.store, count_org, &orgs, &error), 0);
    ck_assert_int_eq(projects, 1);
    ck_assert_int_eq(orgs, 1);
    store_fixture_close(&fixture);
}

TEST(name_of_a_folder_is_free_again_after_its_deletion)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id first = make_org("acme", ERROR_NONE);
    make_org("acme", ERROR_CONFLICT);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_org(fixture.store, &first, &error), 0);
    ck_assert_int_eq(store_delete_org(fixture.store, &first, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    store_fixture_commit(&fixture);
    make_org("acme", ERROR_NONE);
    store_fixture_close(&fixture);
}

TEST(folder_that_is_not_empty_cannot_be_deleted)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_project(fixture.store, &fixture.project_id, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(error.message, "project \"default\" is not empty: it contains 1 fleet");
    store_fixture_commit(&fixture);
    ck_assert_int_eq(delete_fleet(&fleet), ERROR_NONE);
    error_clear(&error);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_project(fixture.store, &fixture.project_id, &error), 0);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

/* ---- Fleets ---- */

TEST(equal_definition_creates_no_new_version)
{
    store_fixture_open(&fixture, NULL);
    struct definition definition = store_fixture_definition("greet");
    ck_assert_int_eq(store_fixture_apply(&fixture, &definition).outcome, APPLY_CREATED);
    struct apply_result again = store_fixture_apply(&fixture, &definition);
    ck_assert_int_eq(again.outcome, APPLY_UNCHANGED);
    ck_assert_int_eq(again.version, 1);
    ck_assert(!transaction_wrote(fixture.store));
    store_fixture_close(&fixture);
}

TEST(changed_definition_creates_a_version_in_which_vessels_keep_their_ids)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct definition definition = store_fixture_definition("greet");
    struct id fleet = store_fixture_apply(&fixture, &definition).fleet_id;
    struct definition *before = current(&fleet);
    definition.max_concurrent_runs = 3;
    struct apply_result second = store_fixture_apply(&fixture, &definition);
    ck_assert_int_eq(second.outcome, APPLY_UPDATED);
    ck_assert_int_eq(second.version, 2);
    ck_assert(id_equal(&second.fleet_id, &fleet));
    struct definition *after = current(&fleet);
    ck_assert_int_eq(after->max_concurrent_runs, 3);
    for (int i = 0; i < 2; i++) {
        ck_assert(!id_is_zero(&before->vessels[i].id));
        ck_assert(id_equal(&before->vessels[i].id, &after->vessels[i].id));
    }
    int versions = 0;
    ck_assert_int_eq(store_list_versions(fixture.store, &fleet, count_version, &versions, &error),
                     0);
    ck_assert_int_eq(versions, 2);
    definition_free(before);
    definition_free(after);
    store_fixture_close(&fixture);
}

TEST(vessel_renamed_by_its_id_keeps_it_and_its_old_name_gets_a_new_one)
{
    static char renamed[] = "report", added[] = "fetch";
    store_fixture_open(&fixture, NULL);
    struct definition definition = store_fixture_definition("greet");
    struct id fleet = store_fixture_apply(&fixture, &definition).fleet_id;
    struct definition *before = current(&fleet);
    /* fetch is renamed to report, and a new fetch appears. */
    definition.vessels[0].name = renamed;
    definition.vessels[0].id = before->vessels[0].id;
    definition.vessels[1].name = added;
    store_fixture_apply(&fixture, &definition);
    struct definition *after = current(&fleet);
    ck_assert(id_equal(&after->vessels[0].id, &before->vessels[0].id));
    ck_assert(!id_equal(&after->vessels[1].id, &before->vessels[0].id));
    ck_assert(!id_is_zero(&after->vessels[1].id));
    definition_free(before);
    definition_free(after);
    store_fixture_close(&fixture);
}

TEST(unknown_id_is_adopted_and_then_renames_its_fleet)
{
    store_fixture_open(&fixture, NULL);
    struct definition definition = store_fixture_definition("greet");
    definition.id = id_random();
    struct apply_result first = store_fixture_apply(&fixture, &definition);
    ck_assert(id_equal(&first.fleet_id, &definition.id));
    struct definition renamed = store_fixture_definition("welcome");
    renamed.id = definition.id;
    struct apply_result second = store_fixture_apply(&fixture, &renamed);
    ck_assert_int_eq(second.outcome, APPLY_UPDATED);
    ck_assert(id_equal(&second.fleet_id, &definition.id));
    ck_assert_int_eq(store_fixture_apply(&fixture, &renamed).outcome, APPLY_UNCHANGED);
    store_fixture_close(&fixture);
}

TEST(id_of_one_fleet_with_the_name_of_another_is_a_conflict)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id greet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_fleet(&fixture, "other", 2);
    struct definition definition = store_fixture_definition("other");
    definition.id = greet;
    apply_refused(&definition, &fixture.project_id);
    /* The fleet cannot move to another project either. */
    struct id org = make_org("acme", ERROR_NONE), project;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_project(fixture.store, &org, "p", 1, &project, &error), 0);
    store_fixture_commit(&fixture);
    definition = store_fixture_definition("greet");
    definition.id = greet;
    apply_refused(&definition, &project);
    store_fixture_close(&fixture);
}

TEST(fleet_with_open_runs_cannot_be_deleted)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct run_ids run = store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(delete_fleet(&fleet), ERROR_CONFLICT);
    store_fixture_finish(&fixture, &run.run_id, RUN_SUCCESS);
    ck_assert_int_eq(delete_fleet(&fleet), ERROR_NONE);
    ck_assert_int_eq(delete_fleet(&fleet), ERROR_NOT_FOUND);
    store_fixture_close(&fixture);
}

TEST(run_accepted_in_the_same_batch_prevents_the_deletion_of_its_fleet)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(store_delete_fleet(fixture.store, &fleet, 1, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(file_with_the_id_of_a_deleted_fleet_revives_it_without_its_webhook)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    ck_assert_int_eq(delete_fleet(&fleet), ERROR_NONE);
    struct fleet_row row;
    ck_assert_int_eq(store_get_fleet(fixture.store, &fleet, keep_fleet, &row, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    struct definition definition = store_fixture_definition("greet");
    definition.id = fleet;
    struct apply_result result = store_fixture_apply(&fixture, &definition);
    ck_assert_int_eq(result.outcome, APPLY_CREATED);
    ck_assert_int_eq(result.version, 2);
    ck_assert_int_eq(store_get_fleet(fixture.store, &fleet, keep_fleet, &row, &error), 0);
    ck_assert(!row.has_webhook);
    store_fixture_close(&fixture);
}

/* ---- Webhooks ---- */

static enum error_kind check_token(uint8_t byte)
{
    struct error error = ERROR_INIT;
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, byte, sizeof(hash));
    struct id fleet_id;
    int result = sqlite_check_token(fixture.store, hash, &fleet_id, &error);
    ck_assert_int_eq(result, error.kind == ERROR_NONE ? 0 : -1);
    ck_assert_str_eq(error.message, "");
    return error.kind;
}

static int check_webhook(void *context, const struct webhook_row *row)
{
    ck_assert_str_eq(row->fleet_name, "greet");
    ck_assert_uint_eq(row->token.sealed[row->token.sealed_bytes - 1], 9);
    return count_row(context);
}

TEST(replaced_token_is_unknown_immediately)
{
    struct error error = ERROR_INIT;
    const struct webhook_token token = store_fixture_token(9);
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(store_replace_webhook(fixture.store, &fleet, &token, 3, &error), 0);
    ck_assert_int_eq(check_token(1), ERROR_NOT_FOUND);
    store_fixture_accept(&fixture, 9);
    store_fixture_commit(&fixture);
    int count = 0;
    ck_assert_int_eq(store_list_webhooks(fixture.store, 0, check_webhook, &count, &error), 0);
    ck_assert_int_eq(store_get_webhook(fixture.store, &fleet, 0, check_webhook, &count, &error), 0);
    ck_assert_int_eq(count, 2);
    store_fixture_close(&fixture);
}

/* ---- Calls ---- */

#define QUARTER STORE_QUARTER_MS
#define NOON    (2000000 * QUARTER)

static void add_calls(uint8_t byte, int64_t at_ms, int accepted, int refused, unsigned last_status)
{
    struct error error = ERROR_INIT;
    struct webhook_calls calls = {.quarter_ms = at_ms - at_ms % QUARTER,
                                  .accepted = accepted,
                                  .refused = refused,
                                  .last = {.at_ms = at_ms,
                                           .status = last_status,
                                           .answer_us = 1234,
                                           .remote_addr = "203.0.113.9"}};
    memset(calls.hash, byte, sizeof(calls.hash));
    store_fixture_begin(&fixture);
    ck_assert_msg(store_add_calls(fixture.store, &calls, &error) == 0, "%s", error.message);
    store_fixture_commit(&fixture);
}

static int keep_webhook(void *context, const struct webhook_row *row)
{
    *(struct webhook_row *)context = *row;
    return 0;
}

static struct webhook_row get_webhook(const struct id *fleet, int64_t since_ms)
{
    struct error error = ERROR_INIT;
    struct webhook_row row;
    ck_assert_int_eq(store_get_webhook(fixture.store, fleet, since_ms, keep_webhook, &row, &error),
                     0);
    return row;
}

TEST(calls_are_counted_from_the_requested_quarter)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    struct webhook_row row = get_webhook(&fleet, 0);
    ck_assert(!row.was_called);
    ck_assert_int_eq(row.accepted, 0);
    add_calls(1, NOON + 1, 10, 1, 413);
    add_calls(1, NOON + QUARTER - 1, 20, 0, 201);
    add_calls(1, NOON + QUARTER + 5, 5, 2, 503);
    row = get_webhook(&fleet, NOON + 3);
    ck_assert_int_eq(row.counted_from_ms, NOON);
    ck_assert_int_eq(row.accepted, 35);
    ck_assert_int_eq(row.refused, 3);
    row = get_webhook(&fleet, NOON + QUARTER);
    ck_assert_int_eq(row.accepted, 5);
    ck_assert_int_eq(row.refused, 2);
    ck_assert(row.was_called);
    ck_assert_int_eq(row.last_call.at_ms, NOON + QUARTER + 5);
    ck_assert_uint_eq(row.last_call.status, 503);
    ck_assert_int_eq(row.last_call.answer_us, 1234);
    ck_assert_str_eq(row.last_call.remote_addr, "203.0.113.9");
    store_fixture_close(&fixture);
}

TEST(calls_of_an_unknown_token_count_for_no_fleet)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(2, NOON, 10, 1, 413);
    ck_assert(!get_webhook(&fleet, 0).was_called);
    store_fixture_close(&fixture);
}

TEST(replaced_webhook_has_no_last_call_but_its_fleet_keeps_its_counts)
{
    struct error error = ERROR_INIT;
    const struct webhook_token token = store_fixture_token(9);
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(1, NOON, 10, 1, 201);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_replace_webhook(fixture.store, &fleet, &token, NOON + 1, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert(!get_webhook(&fleet, 0).was_called);
    ck_assert_int_eq(get_webhook(&fleet, 0).accepted, 10);
    add_calls(9, NOON + 2, 1, 0, 201);
    ck_assert(get_webhook(&fleet, 0).was_called);
    ck_assert_int_eq(get_webhook(&fleet, 0).accepted, 11);
    store_fixture_close(&fixture);
}

TEST(removing_a_webhook_removes_its_calls)
{
    struct error error = ERROR_INIT;
    const struct webhook_token token = store_fixture_token(7);
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(1, NOON, 10, 1, 201);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_remove_webhook(fixture.store, &fleet, &error), 0);
    ck_assert_int_eq(store_create_webhook(fixture.store, &fleet, &token, 3, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert(!get_webhook(&fleet, 0).was_called);
    ck_assert_int_eq(get_webhook(&fleet, 0).accepted, 0);
    store_fixture_close(&fixture);
}

TEST(call_that_is_stored_late_does_not_become_the_last_one)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(1, NOON + 5, 1, 0, 201);
    add_calls(1, NOON + 4, 0, 1, 413);
    struct webhook_row row = get_webhook(&fleet, 0);
    ck_assert_int_eq(row.last_call.at_ms, NOON + 5);
    ck_assert_uint_eq(row.last_call.status, 201);
    ck_assert_int_eq(row.refused, 1);
    store_fixture_close(&fixture);
}

TEST(calls_from_a_clock_that_was_ahead_are_deleted)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(1, NOON + 1000 * QUARTER, 10, 0, 201);
    add_calls(1, NOON, 1, 0, 201);
    ck_assert_int_eq(get_webhook(&fleet, 0).accepted, 1);
    ck_assert_int_eq(get_webhook(&fleet, 0).last_call.at_ms, NOON);
    store_fixture_close(&fixture);
}

TEST(old_calls_are_deleted_and_the_last_one_is_kept)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    add_calls(1, NOON, 10, 0, 201);
    add_calls(1, NOON + QUARTER, 100, 0, 201);
    int64_t later_ms = NOON + QUARTER + STORE_KEEP_CALLS_MS;
    add_calls(1, later_ms, 1000, 0, 201);
    ck_assert_int_eq(get_webhook(&fleet, 0).accepted, 1100);
    ck_assert_int_eq(get_webhook(&fleet, later_ms + 100 * STORE_KEEP_CALLS_MS).accepted, 0);
    ck_assert_int_eq(get_webhook(&fleet, later_ms + 100 * STORE_KEEP_CALLS_MS).last_call.at_ms,
                     later_ms);
    store_fixture_close(&fixture);
}

TEST(fleet_has_one_webhook_or_none)
{
    struct error error = ERROR_INIT;
    const struct webhook_token token = store_fixture_token(7);
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_webhook(fixture.store, &fleet, &token, 3, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(error.message,
                     "fleet \"greet\" already has a webhook: replace it, or remove it "
                     "first");
    error_clear(&error);
    ck_assert_int_eq(check_token(1), ERROR_NONE);
    ck_assert_int_eq(store_remove_webhook(fixture.store, &fleet, &error), 0);
    ck_assert_int_eq(check_token(1), ERROR_NOT_FOUND);
    ck_assert_int_eq(store_remove_webhook(fixture.store, &fleet, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    ck_assert_int_eq(store_replace_webhook(fixture.store, &fleet, &token, 3, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    int64_t count = -1;
    ck_assert_int_eq(store_count_webhooks(fixture.store, &count, &error), 0);
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(store_create_webhook(fixture.store, &fleet, &token, 3, &error), 0);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

/* ---- Transactions ---- */

static void expect_counts(const struct id *fleet, int64_t scheduled, int64_t running)
{
    struct error error = ERROR_INIT;
    struct fleet_row row;
    struct run_counts counts;
    ck_assert_int_eq(store_get_fleet(fixture.store, fleet, keep_fleet, &row, &error), 0);
    ck_assert_int_eq(store_count_open_runs(fixture.store, &counts, &error), 0);
    ck_assert_int_eq(row.scheduled_runs, scheduled);
    ck_assert_int_eq(row.running_runs, running);
    ck_assert_int_eq(counts.scheduled, scheduled);
    ck_assert_int_eq(counts.running, running);
}

/* Invariant 5. */
TEST(savepoint_undoes_one_operation_of_a_batch_and_its_counts)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(transaction_savepoint(fixture.store, &error), 0);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(transaction_rollback_to(fixture.store, &error), 0);
    ck_assert(!transaction_wrote(fixture.store));
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(transaction_savepoint(fixture.store, &error), 0);
    store_fixture_accept(&fixture, 1);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(transaction_rollback_to(fixture.store, &error), 0);
    ck_assert_int_eq(transaction_savepoint(fixture.store, &error), 0);
    store_fixture_accept(&fixture, 1);
    ck_assert_int_eq(transaction_release(fixture.store, &error), 0);
    ck_assert(transaction_wrote(fixture.store));
    store_fixture_commit(&fixture);
    expect_counts(&fleet, 2, 0);
    store_fixture_close(&fixture);
}

/* Invariant 5. */
TEST(rolled_back_batch_leaves_no_run_and_no_count)
{
    store_fixture_open(&fixture, NULL);
    struct id fleet = store_fixture_fleet(&fixture, "greet", 1);
    store_fixture_begin(&fixture);
    store_fixture_accept(&fixture, 1);
    transaction_rollback(fixture.store);
    transaction_rollback(fixture.store);
    store_fixture_begin(&fixture);
    ck_assert(!transaction_wrote(fixture.store));
    store_fixture_commit(&fixture);
    expect_counts(&fleet, 0, 0);
    store_fixture_close(&fixture);
}

struct audit_seen {
    int count;
    int64_t first, last;
};

static int see_audit(void *context, const struct audit_row *row)
{
    struct audit_seen *seen = context;
    ck_assert_str_eq(row->who, "key deploy");
    ck_assert_str_eq(row->source, "192.0.2.1");
    ck_assert_str_eq(row->action, "org.create");
    ck_assert_str_eq(row->subject, "acme");
    ck_assert(row->has_subject_id == (row->number % 2 == 0));
    if (seen->count++ == 0)
        seen->first = row->number;
    seen->last = row->number;
    return 0;
}

/* Invariant 8. */
TEST(the_audit_log_is_bounded_and_keeps_the_newest)
{
    struct error error = ERROR_INIT;
    struct audit_row row = {.at_ms = 1,
                            .who = "key deploy",
                            .source = "192.0.2.1",
                            .action = "org.create",
                            .subject_id = id_random(),
                            .subject = "acme",
                            .detail = "",
                            .request_id = id_random()};
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    for (int i = 1; i <= STORE_MAX_AUDIT + 5; i++) {
        row.has_subject_id = i % 2 == 0;
        ck_assert_msg(store_add_audit(fixture.store, &row, &error) == 0, "%s", error.message);
    }
    store_fixture_commit(&fixture);
    struct audit_seen seen = {0, 0, 0};
    struct audit_filter filter = {.limit = 2 * STORE_MAX_AUDIT};
    ck_assert_int_eq(store_list_audit(fixture.store, &filter, see_audit, &seen, &error), 0);
    ck_assert_int_eq(seen.count, STORE_MAX_AUDIT);
    ck_assert_int_eq(seen.first, STORE_MAX_AUDIT + 5);
    ck_assert_int_eq(seen.last, 6);
    seen = (struct audit_seen){0, 0, 0};
    filter = (struct audit_filter){.before_number = 10, .limit = 3};
    ck_assert_int_eq(store_list_audit(fixture.store, &filter, see_audit, &seen, &error), 0);
    ck_assert_int_eq(seen.count, 3);
    ck_assert_int_eq(seen.first, 9);
    store_fixture_close(&fixture);
}

static int note_number(void *context, const struct audit_row *row)
{
    int64_t *numbers = context; /* as decimal digits of one number: 31 = entry 3, then entry 1 */
    *numbers = *numbers * 10 + row->number;
    return 0;
}

static void expect_entries(struct audit_filter filter, int64_t numbers)
{
    struct error error = ERROR_INIT;
    int64_t found = 0;
    if (filter.limit == 0)
        filter.limit = 9;
    int result = store_list_audit(fixture.store, &filter, note_number, &found, &error);
    ck_assert_msg(result == 0, "%s", error.message);
    ck_assert_int_eq(found, numbers);
}

TEST(the_audit_log_is_filtered)
{
    struct error error = ERROR_INIT;
    struct id fleets[2] = {id_random(), id_random()}, nowhere = id_random();
    static const struct {
        const char *who, *action;
        int fleet, version;
    } entries[] = {
        {"key deploy", "key.create", -1, 0},  {"key deploy", "fleet.apply", 0, 1},
        {"user deploy", "fleet.apply", 1, 1}, {"key ann b", "run.start", 0, 0},
        {"key deploy", "fleet.apply", 0, 2},
    };
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++) {
        struct audit_row row = {.at_ms = 10 * (int64_t)(i + 1),
                                .who = entries[i].who,
                                .source = "",
                                .action = entries[i].action,
                                .subject = "",
                                .detail = "",
                                .has_fleet_id = entries[i].fleet >= 0,
                                .version = entries[i].version};
        if (row.has_fleet_id)
            row.fleet_id = fleets[entries[i].fleet];
        ck_assert_int_eq(store_add_audit(fixture.store, &row, &error), 0);
    }
    store_fixture_commit(&fixture);
    expect_entries((struct audit_filter){.limit = 9}, 54321);
    expect_entries((struct audit_filter){.who = "key deploy"}, 521);
    expect_entries((struct audit_filter){.who = "deploy"}, 5321);
    expect_entries((struct audit_filter){.who = "ann b"}, 4);
    expect_entries((struct audit_filter){.who = "ann"}, 0);
    expect_entries((struct audit_filter){.action = "fleet.apply"}, 532);
    expect_entries((struct audit_filter){.action = "fleet"}, 0);
    expect_entries((struct audit_filter){.fleet_id = &fleets[0]}, 542);
    expect_entries((struct audit_filter){.fleet_id = &nowhere}, 0);
    expect_entries((struct audit_filter){.since_ms = 40}, 54);
    expect_entries((struct audit_filter){.who = "deploy", .before_number = 5, .limit = 2}, 32);
    expect_entries(
        (struct audit_filter){
            .who = "deploy", .action = "fleet.apply", .fleet_id = &fleets[0], .since_ms = 21},
        5);
    store_fixture_close(&fixture);
}

/* ---- Sessions ---- */

static int note_session(void *context, const struct session_row *row)
{
    ck_assert_str_eq(row->key_name, "ann");
    return count_row(context);
}

static const struct session_time at_noon = {NOON, 1000};

/* The hash of the key consists of the first letter of its name. */
static struct new_key new_key(const char *name, enum api_key_role role, struct key_binding binding)
{
    struct new_key key = {.name = name, .role = role, .life = {1, 0}, .binding = binding};
    memset(key.hash, name[0], sizeof(key.hash));
    return key;
}

static void create_key(const char *name, enum api_key_role role, struct key_binding binding,
                       struct id *id)
{
    struct error error = ERROR_INIT;
    const struct new_key key = new_key(name, role, binding);
    ck_assert_msg(store_create_key(fixture.store, &key, id, &error) == 0, "%s", error.message);
}

static bool is_open(int number)
{
    struct error error = ERROR_INIT;
    uint8_t hash[SECRET_HASH_BYTES] = {0};
    int count = 0;
    memcpy(hash, &number, sizeof(number));
    int result = store_find_session(fixture.store, hash, &at_noon, note_session, &count, &error);
    ck_assert_int_eq(count, result == 0);
    ck_assert_int_eq(error.kind, result == 0 ? ERROR_NONE : ERROR_NOT_FOUND);
    return result == 0;
}

static void begin_session(int number, const struct id *key_id, int64_t now_ms)
{
    const struct session_time time = {now_ms, 1000000};
    struct error error = ERROR_INIT;
    uint8_t hash[SECRET_HASH_BYTES] = {0};
    memcpy(hash, &number, sizeof(number));
    ck_assert_msg(store_begin_session(fixture.store, hash, key_id, &time, &error) == 0, "%s",
                  error.message);
}

/* Invariant 8. */
TEST(the_least_recently_used_session_makes_room)
{
    struct error error = ERROR_INIT;
    struct id key_id;
    uint8_t hash[SECRET_HASH_BYTES] = {5};
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    create_key("ann", ROLE_OWNER, (struct key_binding){.has_org = false}, &key_id);
    for (int i = 0; i < STORE_MAX_SESSIONS; i++)
        begin_session(i, &key_id, NOON - 900 + i / 2);
    ck_assert(is_open(0));
    begin_session(STORE_MAX_SESSIONS, &key_id, NOON);
    ck_assert(!is_open(0));
    ck_assert(is_open(1));
    memset(hash, 0, sizeof(hash));
    hash[0] = 1;
    ck_assert_int_eq(store_touch_session(fixture.store, hash, NOON, &error), 0);
    begin_session(STORE_MAX_SESSIONS + 1, &key_id, NOON);
    ck_assert(is_open(1));
    ck_assert(!is_open(2));
    ck_assert_int_eq(store_end_session(fixture.store, hash, &error), 0);
    ck_assert_int_eq(store_touch_session(fixture.store, hash, NOON, &error), 0);
    ck_assert(!is_open(1)); /* touching does not bring it back */
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(session_ends_with_its_key)
{
    struct error error = ERROR_INIT;
    struct id key_id;
    uint8_t hash[SECRET_HASH_BYTES] = {5};
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    create_key("ann", ROLE_OWNER, (struct key_binding){.has_org = false}, &key_id);
    begin_session(1, &key_id, NOON);
    begin_session(2, &key_id, NOON - 1000);
    begin_session(3, &key_id, NOON + 999);
    begin_session(4, &key_id, NOON + 1000);
    ck_assert(is_open(1));
    ck_assert(!is_open(2)); /* last used too long ago */
    ck_assert(is_open(3));  /* the clock has stepped back a little */
    ck_assert(!is_open(4)); /* the clock has stepped back too far */
    ck_assert_int_eq(store_revoke_key(fixture.store, &key_id, 9000, &error), 0);
    ck_assert(!is_open(1));
    ck_assert_int_eq(store_begin_session(fixture.store, hash, &key_id, &at_noon, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

/* ---- what a key may do, and where ---- */

struct seen_key {
    const char *wanted; /* the name of the key in a list */
    struct key_row row;
    char org_name[64], project_name[64], fleet_name[64];
    int count;
};

static int see_key(void *context, const struct key_row *row)
{
    struct seen_key *seen = context;
    if (seen->wanted && strcmp(row->name, seen->wanted) != 0)
        return 0;
    seen->row = *row;
    seen->count++;
    if (!seen->wanted)
        return 0;
    snprintf(seen->org_name, sizeof(seen->org_name), "%s", row->org_name);
    snprintf(seen->project_name, sizeof(seen->project_name), "%s", row->project_name);
    snprintf(seen->fleet_name, sizeof(seen->fleet_name), "%s", row->fleet_name);
    return 0;
}

/* Finds a key by its hash and in the list, which must agree. */
static struct seen_key find_key(const char *name)
{
    struct error error = ERROR_INIT;
    struct seen_key found = {.count = 0}, listed = {.wanted = name};
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, name[0], sizeof(hash));
    ck_assert_int_eq(store_find_key(fixture.store, hash, see_key, &found, &error), 0);
    ck_assert_int_eq(store_list_keys(fixture.store, see_key, &listed, &error), 0);
    ck_assert_int_eq(found.count, 1);
    ck_assert_int_eq(listed.count, 1);
    ck_assert(id_equal(&found.row.id, &listed.row.id));
    ck_assert_int_eq(found.row.role, listed.row.role);
    ck_assert_int_eq(found.row.life.created_ms, listed.row.life.created_ms);
    ck_assert_int_eq(found.row.life.expires_ms, listed.row.life.expires_ms);
    const struct key_binding *a = &found.row.binding, *b = &listed.row.binding;
    ck_assert(a->has_org == b->has_org && a->has_fleet == b->has_fleet);
    ck_assert(!a->has_org || id_equal(&a->org_id, &b->org_id));
    ck_assert(!a->has_fleet || id_equal(&a->fleet_id, &b->fleet_id));
    return listed;
}

static int keep_org(void *context, const struct org_row *row)
{
    *(struct id *)context = row->id;
    return 0;
}

TEST(key_knows_its_role_its_expiry_and_what_it_is_bound_to)
{
    struct error error = ERROR_INIT;
    struct id key_id, org_id;
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "Site", 1);
    ck_assert_int_eq(store_list_orgs(fixture.store, keep_org, &org_id, &error), 0);
    store_fixture_begin(&fixture);
    struct new_key mortal = new_key("owner", ROLE_OWNER, (struct key_binding){.has_org = false});
    mortal.life.expires_ms = 500;
    ck_assert_int_eq(store_create_key(fixture.store, &mortal, &key_id, &error), 0);
    create_key("fleet", ROLE_TRIGGER, (struct key_binding){.has_fleet = true, .fleet_id = fleet_id},
               &key_id);
    create_key("big", ROLE_TRIGGER, (struct key_binding){.has_org = true, .org_id = org_id},
               &key_id);
    store_fixture_commit(&fixture);
    store_fixture_reopen(&fixture);

    struct seen_key seen = find_key("owner");
    ck_assert_int_eq(seen.row.role, ROLE_OWNER);
    ck_assert_int_eq(seen.row.life.expires_ms, 500);
    ck_assert(!seen.row.binding.has_org && !seen.row.binding.has_fleet && !seen.row.is_orphan);
    ck_assert_str_eq(seen.org_name, "");
    seen = find_key("fleet");
    ck_assert_int_eq(seen.row.role, ROLE_TRIGGER);
    ck_assert_int_eq(seen.row.life.expires_ms, 0);
    ck_assert(seen.row.binding.has_fleet && !seen.row.binding.has_org && !seen.row.is_orphan);
    ck_assert(id_equal(&seen.row.binding.fleet_id, &fleet_id));
    ck_assert_str_eq(seen.org_name, "default");
    ck_assert_str_eq(seen.project_name, "default");
    ck_assert_str_eq(seen.fleet_name, "Site");
    seen = find_key("big");
    ck_assert(seen.row.binding.has_org && !seen.row.binding.has_fleet);
    ck_assert(id_equal(&seen.row.binding.org_id, &org_id));
    ck_assert_str_eq(seen.org_name, "default");
    ck_assert_str_eq(seen.fleet_name, "");
    store_fixture_close(&fixture);
}

TEST(key_outlives_the_fleet_and_the_organization_that_it_is_bound_to)
{
    struct error error = ERROR_INIT;
    struct id key_id, org_id, nowhere = id_random();
    store_fixture_open(&fixture, NULL);
    struct id fleet_id = store_fixture_fleet(&fixture, "Site", 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_org(fixture.store, "acme", 1, &org_id, &error), 0);
    const struct key_binding fleet = {.has_fleet = true, .fleet_id = fleet_id};
    const struct key_binding org = {.has_org = true, .org_id = org_id};
    create_key("fleet", ROLE_TRIGGER, fleet, &key_id);
    create_key("org", ROLE_TRIGGER, org, &key_id);
    ck_assert_int_eq(store_delete_fleet(fixture.store, &fleet_id, 9, &error), 0);
    ck_assert_int_eq(store_delete_org(fixture.store, &org_id, &error), 0);
    store_fixture_commit(&fixture);
    ck_assert(find_key("fleet").row.is_orphan);
    ck_assert_str_eq(find_key("fleet").fleet_name, "Site");
    ck_assert(find_key("org").row.is_orphan);
    ck_assert_str_eq(find_key("org").org_name, "acme");

    /* No key is created for what has been deleted, or never was there. */
    const struct key_binding bad[] = {fleet, org, {.has_fleet = true, .fleet_id = nowhere}};
    store_fixture_begin(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        const struct new_key key = new_key("new", ROLE_TRIGGER, bad[i]);
        error_clear(&error);
        ck_assert_int_eq(store_create_key(fixture.store, &key, &key_id, &error), -1);
        ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    }
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(only_a_key_whose_role_is_owner_has_sessions)
{
    struct error error = ERROR_INIT;
    struct id key_id;
    uint8_t hash[SECRET_HASH_BYTES] = {0};
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    create_key("trigger", ROLE_TRIGGER, (struct key_binding){.has_org = false}, &key_id);
    ck_assert_int_eq(store_begin_session(fixture.store, hash, &key_id, &at_noon, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    /* A row that cannot exist opens nothing either. */
    create_key("ann", ROLE_OWNER, (struct key_binding){.has_org = false}, &key_id);
    begin_session(0, &key_id, NOON);
    ck_assert(is_open(0));
    store_fixture_commit(&fixture);
    ck_assert_int_eq(sqlite3_exec(connection_of(fixture.store)->db, "UPDATE api_key SET role = 2",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert(!is_open(0));
    store_fixture_close(&fixture);
}
