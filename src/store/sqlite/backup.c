/* Copies the whole store while it is in use. Runs on any thread, with connections of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/state_dir.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"

#define PIECE_PAGES 256 /* 1 MiB */

/* Begins one read transaction for all pieces: without it, the copy would start over after every
 * commit. It does not block writers. */
static int begin_reading(sqlite3 *from, int64_t *page_bytes, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_exec(from, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(from, "PRAGMA page_size", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        statement_failed(from, "begin a backup", error);
        sqlite3_finalize(statement);
        return -1;
    }
    *page_bytes = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return 0;
}

/* The first step copies no pages: it only determines how many there are. */
static void copy_pieces(sqlite3_backup *backup, int64_t page_bytes,
                        const struct store_backup_guard *guard, struct error *error)
{
    int result = sqlite3_backup_step(backup, 0);
    while (result == SQLITE_OK) {
        int64_t left = sqlite3_backup_remaining(backup) * page_bytes;
        if (guard->may_go_on(guard->context, left, error) != 0)
            return;
        result = sqlite3_backup_step(backup, PIECE_PAGES);
    }
}

static int copy(sqlite3 *from, sqlite3 *to, const struct store_backup_guard *guard,
                struct error *error)
{
    int64_t page_bytes;
    if (begin_reading(from, &page_bytes, error) != 0)
        return -1;
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return statement_failed(to, "begin a backup", error);
    copy_pieces(backup, page_bytes, guard, error);
    if (sqlite3_backup_finish(backup) != SQLITE_OK && !error_is_set(error))
        statement_failed(to, "copy the store", error);
    return error_is_set(error) ? -1 : 0;
}

/* The copy needs neither a journal nor syncs: it is discarded if the machine fails meanwhile. */
static int open_copy(const char *path, sqlite3 **to, struct error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, to, flags, NULL) == SQLITE_OK &&
        sqlite3_exec(*to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL,
                     NULL) == SQLITE_OK)
        return 0;
    if (!*to)
        return error_set(error, ERROR_UNAVAILABLE, "cannot create the copy: out of memory");
    return statement_failed(*to, "create the copy", error);
}

/* Restoring a backup must not bring back sessions that have ended since. In exclusive mode, the
 * write-ahead log needs no file for its index, and is deleted when the connection is closed. */
static int forget_sessions(sqlite3 *copy, struct error *error)
{
    if (sqlite3_exec(copy, "PRAGMA locking_mode = EXCLUSIVE; DELETE FROM session", NULL, NULL,
                     NULL) == SQLITE_OK)
        return 0;
    return statement_failed(copy, "remove the sessions from the copy", error);
}

/* Removes the remains of a copy that an earlier process left behind. */
static void remove_copy(const char *path)
{
    char *log = memory_format("%s-wal", path);
    (void)unlink(path);
    (void)unlink(log);
    free(log);
}

static int make_copy(const struct store_options *options, const char *path,
                     const struct store_backup_guard *guard, struct error *error)
{
    struct store_options reading = *options;
    reading.mode = STORE_READ;
    struct store *store = sqlite_open(&reading, error);
    if (!store)
        return -1;
    sqlite3 *to = NULL;
    int result = open_copy(path, &to, error);
    if (result == 0)
        result = copy(connection_of(store)->db, to, guard, error);
    if (result == 0)
        result = forget_sessions(to, error);
    sqlite3_close(to);
    sqlite_close(store);
    return result;
}

/* Meanwhile the log can only grow: checkpointer_hold_log keeps batches from waiting for this reader
 * to end. */
int sqlite_backup(struct store *store, const struct store_backup_guard *guard, struct error *error)
{
    struct connection *connection = connection_of(store);
    char *path = memory_format("%s/" STATE_DIR_BACKUP, connection->options.state_dir);
    int fd = -1;
    remove_copy(path);
    checkpointer_hold_log(connection->checkpointer);
    if (make_copy(&connection->options, path, guard, error) == 0 &&
        (fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        error_set_errno(error, errno, "cannot open the copy of the database");
    checkpointer_let_log_go(connection->checkpointer);
    (void)unlink(path);
    free(path);
    return fd;
}

/* The default name, whatever the name of this database is. */
const char *sqlite_backup_name(const struct store *store)
{
    (void)store;
    return "webhookd.db";
}
