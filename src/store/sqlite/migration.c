/* Migrates a database to the schema that this program expects. Called when a store is opened, on
 * the thread that opens it, with the embedded list of migrations; tests also pass lists of their
 * own. */
#include "store/sqlite/migration.h"

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/sqlite/connection.h"

static int read_int(sqlite3 *db, const char *sql, int64_t *value, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return statement_failed(db, "read the store's version", error);
    int result = 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    else
        result = statement_failed(db, "read the store's version", error);
    sqlite3_finalize(statement);
    return result;
}

static int execute(sqlite3 *db, const char *sql, const char *what, struct error *error)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return statement_failed(db, what, error);
    return 0;
}

int migration_number(sqlite3 *db, struct error *error)
{
    int64_t number = 0;
    if (read_int(db, "PRAGMA user_version", &number, error) != 0)
        return -1;
    return (int)number;
}

int migration_recognise(sqlite3 *db, int count, int *number, struct error *error)
{
    int64_t application = 0, tables = 0;
    *number = migration_number(db, error);
    if (*number < 0 || read_int(db, "PRAGMA application_id", &application, error) != 0 ||
        read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, error) != 0)
        return -1;
    bool is_new = application == 0 && *number == 0 && tables == 0;
    if (!is_new && application != MIGRATION_APPLICATION_ID)
        return error_set(error, ERROR_INVALID,
                         "the database belongs to another program and is not a webhookd store; "
                         "nothing was changed");
    if (*number > count)
        return error_set(error, ERROR_INVALID,
                         "a newer webhookd wrote the store: it has schema version %d, and this "
                         "webhookd knows versions up to %d; install the newer webhookd, or restore "
                         "a backup",
                         *number, count);
    return 0;
}

static int record(sqlite3 *db, const struct migration *migration, struct error *error)
{
    static const char sql[] =
        "INSERT INTO migration (number, name, applied_ms) VALUES (?1, ?2, ?3)";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return statement_failed(db, "record a migration", error);
    sqlite3_bind_int64(statement, 1, migration->number);
    sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, clock_wall_ms());
    int result = 0;
    if (sqlite3_step(statement) != SQLITE_DONE)
        result = statement_failed(db, "record a migration", error);
    sqlite3_finalize(statement);
    return result;
}

static int apply_one(sqlite3 *db, const struct migration *migration, struct error *error)
{
    static const char own_table[] =
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
        "applied_ms INTEGER NOT NULL) STRICT";
    char marks[120];
    snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             MIGRATION_APPLICATION_ID, migration->number);
    if (execute(db, "BEGIN IMMEDIATE", "begin a migration", error) != 0)
        return -1;
    if (execute(db, own_table, "create the table of migrations", error) == 0 &&
        execute(db, migration->sql, "apply it", error) == 0 && record(db, migration, error) == 0 &&
        execute(db, marks, "set the store's version", error) == 0 &&
        execute(db, "COMMIT", "commit it", error) == 0)
        return 0;
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

int migration_apply(sqlite3 *db, const struct migration *migrations, int count, struct error *error)
{
    int number = 0;
    if (migration_recognise(db, count, &number, error) != 0)
        return -1;
    for (int i = number; i < count; i++) {
        if (apply_one(db, &migrations[i], error) != 0) {
            error_context(error, "migration %d (%s)", migrations[i].number, migrations[i].name);
            return -1;
        }
    }
    return 0;
}
