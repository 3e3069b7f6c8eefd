/* Migrations: in order, each once, each completely or not at all; other programs' files are left
 * unchanged. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite/migration.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static const struct migration list[] = {
    {1, "first", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
    {2, "second", "INSERT INTO a SELECT x + 1 FROM a;"},
    {3, "third", "CREATE TABLE c (x);"},
};
static const struct migration broken[] = {
    {1, "first", "CREATE TABLE a (x);"},
    {2, "half", "INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1);"},
};

static sqlite3 *open_memory(void)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static int ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

TEST(each_migration_is_applied_once_and_in_order)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(migration_apply(db, list, 2, &error), 0);
    ck_assert_int_eq(ask(db, "SELECT sum(x) FROM a"), 3);
    ck_assert_int_eq(migration_apply(db, list, 3, &error), 0);
    ck_assert_int_eq(migration_apply(db, list, 3, &error), 0);
    ck_assert_int_eq(ask(db, "SELECT sum(x) FROM a"), 3);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM migration WHERE applied_ms > 0"), 3);
    ck_assert_int_eq(ask(db, "SELECT name = 'third' FROM migration WHERE number = 3"), 1);
    ck_assert_int_eq(migration_number(db, &error), 3);
    sqlite3_close(db);
}

TEST(failed_migration_leaves_no_trace)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(migration_apply(db, broken, 2, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "migration 2 (half)"));
    ck_assert_int_eq(sqlite3_get_autocommit(db), 1);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM a"), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM migration"), 1);
    error_clear(&error);
    ck_assert_int_eq(migration_number(db, &error), 1);
    sqlite3_close(db);
}

TEST(newer_database_is_refused_and_left_unchanged)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(migration_apply(db, list, 3, &error), 0);
    ck_assert_int_eq(migration_apply(db, list, 2, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM migration"), 3);
    sqlite3_close(db);
}

TEST(database_of_another_program_is_refused_and_left_unchanged)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE theirs (x)", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(migration_apply(db, list, 3, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM sqlite_schema"), 1);
    sqlite3_close(db);
}

/* Changes the file of the closed store directly. */
static void change_file(const struct store_fixture *fixture, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/webhookd.db", fixture->folder);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void expect_refused(struct store_fixture *fixture, enum error_kind kind)
{
    struct error error = ERROR_INIT;
    for (int mode = STORE_WRITE; mode <= STORE_READ; mode++) {
        fixture->options.mode = (enum store_mode)mode;
        ck_assert_ptr_null(store_open(&fixture->options, &error));
        ck_assert_msg(error.kind == kind, "%s", error.message);
        ck_assert_ptr_nonnull(strstr(error.message, "webhookd.db"));
        error_clear(&error);
    }
    fixture->store = NULL;
}

TEST(store_newer_than_the_program_does_not_open)
{
    struct store_fixture fixture;
    store_fixture_open(&fixture, NULL);
    ck_assert_int_eq(store_schema_version(fixture.store), migrations_sqlite_count);
    store_close(fixture.store);
    change_file(&fixture, "PRAGMA user_version = 9999");
    expect_refused(&fixture, ERROR_INVALID);
    store_fixture_close(&fixture);
}

TEST(file_that_is_not_a_store_does_not_open)
{
    struct store_fixture fixture;
    store_fixture_open(&fixture, NULL);
    store_close(fixture.store);
    change_file(&fixture, "PRAGMA application_id = 1");
    expect_refused(&fixture, ERROR_INVALID);
    char path[128];
    snprintf(path, sizeof(path), "%s/webhookd.db", fixture.folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    expect_refused(&fixture, ERROR_INTERNAL);
    store_fixture_close(&fixture);
}

/* Entries of the audit log that an earlier version wrote get the fleet and its version. */
TEST(old_audit_entries_get_their_fleet_and_its_version)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(migration_apply(db, migrations_sqlite, 7, &error), 0);
    static const char entries[] =
        "INSERT INTO audit (at_ms, who, source, action, subject_id, subject, detail, request_id) "
        "VALUES (1, 'user root', '', 'fleet.apply', x'01', 'Site', 'version 12', x'00'),"
        "       (2, 'user root', '', 'webhook.show', x'01', 'Site', '', x'00'),"
        "       (3, 'user root', '', 'webhook.list', NULL, '', '', x'00'),"
        "       (4, 'user root', '', 'run.start', x'02', 'Site', '', x'00'),"
        "       (5, 'user root', '', 'org.create', x'03', 'version 1', '', x'00')";
    ck_assert_int_eq(sqlite3_exec(db, entries, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(migration_apply(db, migrations_sqlite, migrations_sqlite_count, &error), 0);
    ck_assert_int_eq(ask(db, "SELECT version FROM audit WHERE at_ms = 1"), 12);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM audit WHERE version IS NOT NULL"), 1);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM audit WHERE fleet_id = x'01'"), 2);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM audit WHERE fleet_id IS NULL"), 3);
    sqlite3_close(db);
}

/* Returns how many migrations come before this one. */
static int before(const char *name)
{
    int i = 0;
    while (i < migrations_sqlite_count && strcmp(migrations_sqlite[i].name, name) != 0)
        i++;
    ck_assert_msg(i < migrations_sqlite_count, "there is no migration %s", name);
    return i;
}

/* Keys of earlier versions open what they opened before. */
TEST(old_keys_are_owners_of_everything_for_ever)
{
    struct error error = ERROR_INIT;
    sqlite3 *db = open_memory();
    ck_assert_int_eq(migration_apply(db, migrations_sqlite, before("key_roles"), &error), 0);
    static const char rows[] =
        "INSERT INTO api_key (no, id, name, hash, created_ms, last_used_ms) "
        "VALUES (1, x'01', 'deploy', x'11', 5, 6), (2, x'02', 'ann', x'12', 5, 0);"
        "INSERT INTO session (hash, key_no, seen_ms) VALUES (x'21', 2, 7)";
    ck_assert_int_eq(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(migration_apply(db, migrations_sqlite, migrations_sqlite_count, &error), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM api_key WHERE role = 1 AND org_no IS NULL AND "
                             "fleet_no IS NULL AND expires_ms = 0 AND created_ms = 5"),
                     2);
    ck_assert_int_eq(ask(db, "SELECT last_used_ms FROM api_key WHERE hash = x'11'"), 6);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM session WHERE key_no = 2"), 1);
    sqlite3_close(db);
}

TEST(embedded_migrations_are_numbered_without_a_gap)
{
    ck_assert_int_ge(migrations_sqlite_count, 1);
    for (int i = 0; i < migrations_sqlite_count; i++)
        ck_assert_int_eq(migrations_sqlite[i].number, i + 1);
}
