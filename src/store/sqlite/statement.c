/* Statements: prepares them once per connection, binds and steps them, and translates their
 * failures. Called by the files of this folder that run SQL, on the thread that owns the
 * connection. */
#include "store/sqlite/statement.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/kernel.h"
#include "base/memory.h"
#include "store/sqlite/connection.h"

/* ---- failures ---- */

enum error_kind statement_error_kind(int extended_code, int errnum)
{
    bool no_space = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
    switch (extended_code & 0xff) {
    case SQLITE_FULL:
        return ERROR_FULL;
    case SQLITE_IOERR:
        if (extended_code == SQLITE_IOERR_NOMEM)
            return ERROR_INTERNAL;
        /* After a failed sync, whatever its reason, the contents of the disk are unknown
         * (docs/architecture.md, invariant 6). */
        if (extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC)
            return ERROR_IO;
        return no_space ? ERROR_FULL : ERROR_IO;
    case SQLITE_CANTOPEN:
        if (no_space)
            return ERROR_FULL;
        return errnum == EIO ? ERROR_IO : ERROR_INTERNAL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT: /* sqlite_set_deadline */
        return ERROR_UNAVAILABLE;
    default:
        return ERROR_INTERNAL;
    }
}

static const char *advice(int extended_code)
{
    switch (extended_code & 0xff) {
    case SQLITE_CORRUPT:
        return "; the database is damaged: stop webhookd, keep a copy, and restore a backup";
    case SQLITE_NOTADB:
        return "; the file is not a database: check the key `store`";
    case SQLITE_FULL:
        return "; free some space on the disk of state_dir";
    case SQLITE_INTERRUPT:
        return "; it took too long: narrow the query to one fleet, one status or a shorter time";
    case SQLITE_READONLY:
        return "; the file or its folder is not writable by this user";
    default:
        return "";
    }
}

/* Returns the system's errno. A COMMIT does not pass it on to sqlite3_system_errno, which then
 * still has the errno of an older failure. So the log's file is queried first if it may be the one
 * that failed. */
static int system_reason(sqlite3 *db, int extended_code)
{
    sqlite3_file *log = NULL;
    int errnum = 0;
    if ((extended_code == SQLITE_IOERR_WRITE || extended_code == SQLITE_IOERR_FSYNC) &&
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
        log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &errnum);
    return errnum != 0 ? errnum : sqlite3_system_errno(db);
}

int statement_failed(sqlite3 *db, const char *what, struct error *error)
{
    int code = sqlite3_extended_errcode(db);
    const char *text = sqlite3_errmsg(db);
    int errnum = system_reason(db, code);
    enum error_kind kind = statement_error_kind(code, errnum);
    int primary = code & 0xff;
    if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && errnum != 0)
        return error_set(error, kind, "cannot %s: %s (%d): %s%s", what, text, code,
                         kernel_error_text(errnum),
                         advice(kind == ERROR_FULL ? SQLITE_FULL : code));
    return error_set(error, kind, "cannot %s: %s (%d)%s", what, text, code, advice(code));
}

/* ---- from begin to end ---- */

/* Returns the statement's index, which is the same for every connection. It is assigned at the
 * first use, on any thread. */
static int index_of(struct statement *statement)
{
    static atomic_int last;
    int index = atomic_load_explicit(&statement->index, memory_order_relaxed);
    if (index != 0)
        return index;
    int next = atomic_fetch_add(&last, 1) + 1;
    /* If another thread was faster, its index is used, and this one never is. */
    return atomic_compare_exchange_strong(&statement->index, &index, next) ? next : index;
}

static sqlite3_stmt *prepare(struct connection *connection, int index, const char *sql,
                             struct error *error)
{
    if (index >= connection->statement_count) {
        int count = index + 16;
        connection->statements =
            memory_array(connection->statements, (size_t)count, sizeof(connection->statements[0]));
        for (int i = connection->statement_count; i < count; i++)
            connection->statements[i] = NULL;
        connection->statement_count = count;
    }
    sqlite3_stmt **place = &connection->statements[index];
    if (!*place && sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, place,
                                      NULL) != SQLITE_OK)
        statement_failed(connection->db, "prepare a statement", error);
    assert(!*place || !sqlite3_stmt_busy(*place));
    return *place;
}

/* Cannot fail, because it binds borrowed data. */
static void bind(sqlite3_stmt *statement, int place, const struct statement_value *value)
{
    switch (value->type) {
    case VALUE_INT:
        sqlite3_bind_int64(statement, place, value->number);
        break;
    case VALUE_TEXT:
        sqlite3_bind_text64(statement, place, value->data, value->bytes, SQLITE_STATIC,
                            SQLITE_UTF8);
        break;
    case VALUE_BLOB:
        sqlite3_bind_blob64(statement, place, value->data, value->bytes, SQLITE_STATIC);
        break;
    case VALUE_NULL: /* statement_end left it NULL */
    case VALUE_END:
        break;
    }
}

sqlite3_stmt *statement_begin_with(struct store *store, struct statement *statement,
                                   struct error *error, const struct statement_value *values)
{
    sqlite3_stmt *prepared =
        prepare(connection_of(store), index_of(statement), statement->sql, error);
    if (!prepared)
        return NULL;
    int count = 0;
    for (; values[count].type != VALUE_END; count++)
        bind(prepared, count + 1, &values[count]);
    assert(count == sqlite3_bind_parameter_count(prepared));
    return prepared;
}

bool statement_step(struct store *store, sqlite3_stmt *statement, const char *what,
                    struct error *error)
{
    if (!statement)
        return false;
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        statement_failed(connection_of(store)->db, what, error);
    return code == SQLITE_ROW;
}

int statement_end(sqlite3_stmt *statement)
{
    if (!statement)
        return -1;
    int code = sqlite3_reset(statement); /* repeats the last step's code */
    sqlite3_clear_bindings(statement);
    return code == SQLITE_OK ? 0 : -1;
}

/* ---- in one call ---- */

int statement_find(struct store *store, sqlite3_stmt *statement, const char *what, int64_t *value,
                   struct error *error)
{
    bool found = statement_step(store, statement, what, error);
    if (found)
        *value = column_int(statement, 0);
    return statement_end(statement) == 0 ? found : -1;
}

int statement_run(struct store *store, sqlite3_stmt *statement, const char *what,
                  struct error *error)
{
    bool found = statement_step(store, statement, what, error);
    assert(!found);
    (void)found;
    return statement_end(statement);
}

int statement_change(struct store *store, sqlite3_stmt *statement, const char *what,
                     struct error *error)
{
    if (statement_run(store, statement, what, error) != 0)
        return -1;
    return sqlite3_changes(connection_of(store)->db) == 1;
}

int statement_insert(struct store *store, sqlite3_stmt *statement, const char *what,
                     const char *conflict, struct error *error)
{
    if (statement && sqlite3_step(statement) != SQLITE_DONE) {
        int code = sqlite3_extended_errcode(connection_of(store)->db);
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
            code == SQLITE_CONSTRAINT_ROWID)
            error_set(error, ERROR_CONFLICT, "%s", conflict);
        else
            statement_failed(connection_of(store)->db, what, error);
    }
    return statement_end(statement);
}
