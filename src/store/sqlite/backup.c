/* A copy of the whole store while it is in use. On any thread, with connections of its own. */
#include <stdlib.h>
#include <unistd.h>

#include "store/sqlite/connection.h"

/* In one step: a copy in several would start over whenever somebody writes. It reads the newest committed state and holds up no writer. */
static int copy(sqlite3 *from, sqlite3 *to, struct error *error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return statement_failed(to, "begin a backup", error);
    (void)sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK)
        return statement_failed(to, "copy the store", error);
    return 0;
}

int store_backup(const struct store_options *options, const char *path, struct error *error)
{
    struct store_options reading = *options;
    reading.mode = STORE_READ;
    struct store *store = store_open(&reading, error);
    if (store == NULL)
        return -1;
    sqlite3 *to = NULL;
    int result = -1;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &to, flags, NULL) == SQLITE_OK)
        result = copy(store->db, to, error);
    else if (to != NULL)
        statement_failed(to, "create the copy", error);
    else
        error_set(error, ERROR_UNAVAILABLE, "cannot create the copy: out of memory");
    sqlite3_close(to);
    store_close(store);
    return result;
}
