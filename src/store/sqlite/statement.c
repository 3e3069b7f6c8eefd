/* Statements: prepared once per connection, bound, stepped, and what their failures mean. Called by every file of this folder, on
 * the thread that owns the connection. */
#include "store/sqlite/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/kernel.h"

enum error_kind statement_error_kind(int extended_code, int errnum)
{
    bool no_space = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
    switch (extended_code & 0xff) {
    case SQLITE_FULL:
        return ERROR_FULL;
    case SQLITE_IOERR:
        if (extended_code == SQLITE_IOERR_NOMEM)
            return ERROR_INTERNAL;
        /* After a failed sync nobody knows what is on the disk, whatever the reason: docs/architecture.md, invariant 6. */
        if (extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC)
            return ERROR_IO;
        return no_space ? ERROR_FULL : ERROR_IO;
    case SQLITE_CANTOPEN:
        if (no_space)
            return ERROR_FULL;
        return errnum == EIO ? ERROR_IO : ERROR_INTERNAL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT: /* store_set_deadline */
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
        return "; the file is not a database: is `store` right?";
    case SQLITE_FULL:
        return "; make room on the disk of state_dir";
    case SQLITE_INTERRUPT:
        return "; it took too long: ask for less, of one fleet, one status or a shorter time";
    case SQLITE_READONLY:
        return "; the file or its folder cannot be written by this user";
    default:
        return "";
    }
}

/* The system's reason. A COMMIT does not pass it on to sqlite3_system_errno, which then still tells of an older failure, so the log
 * is asked first when it may be the file that failed. */
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

sqlite3_stmt *statement_get(struct store *store, enum statement_id id, const char *sql,
                            struct error *error)
{
    sqlite3_stmt *statement = store->statements[id];
    if (statement) {
        assert(!sqlite3_stmt_busy(statement));
        return statement;
    }
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        statement_failed(store->db, "prepare a statement", error);
        return NULL;
    }
    store->statements[id] = statement;
    return statement;
}

int statement_step(struct store *store, sqlite3_stmt *statement, const char *what,
                   struct error *error)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return statement_failed(store->db, what, error);
}

int statement_run(struct store *store, sqlite3_stmt *statement, const char *what,
                  struct error *error)
{
    int result = statement_step(store, statement, what, error);
    assert(result != 1);
    statement_end(statement);
    return result;
}

int statement_insert(struct store *store, sqlite3_stmt *statement, const char *what,
                     const char *conflict, struct error *error)
{
    int code = sqlite3_step(statement);
    int result = 0;
    if (code != SQLITE_DONE) {
        int extended = sqlite3_extended_errcode(store->db);
        if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
            extended == SQLITE_CONSTRAINT_ROWID)
            result = error_set(error, ERROR_CONFLICT, "%s", conflict);
        else
            result = statement_failed(store->db, what, error);
    }
    statement_end(statement);
    return result;
}

void statement_end(sqlite3_stmt *statement)
{
    if (!statement)
        return;
    /* The code that this returns is the step's again. */
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

void bind_id(sqlite3_stmt *statement, int place, const struct id *id)
{
    sqlite3_bind_blob(statement, place, id->bytes, sizeof(id->bytes), SQLITE_STATIC);
}

void bind_int(sqlite3_stmt *statement, int place, int64_t value)
{
    sqlite3_bind_int64(statement, place, value);
}

void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void bind_text_n(sqlite3_stmt *statement, int place, const char *text, size_t bytes)
{
    sqlite3_bind_text64(statement, place, text, bytes, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_blob(sqlite3_stmt *statement, int place, const void *data, size_t bytes)
{
    sqlite3_bind_blob64(statement, place, data, bytes, SQLITE_STATIC);
}

struct id column_id(sqlite3_stmt *statement, int place)
{
    struct id id = {{0}};
    const void *data = sqlite3_column_blob(statement, place);
    if (data && sqlite3_column_bytes(statement, place) == (int)sizeof(id.bytes))
        memcpy(id.bytes, data, sizeof(id.bytes));
    return id;
}

int64_t column_int(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_int64(statement, place);
}

const char *column_text(sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? (const char *)text : "";
}
