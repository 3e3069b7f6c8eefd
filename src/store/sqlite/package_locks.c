/* Package locks. Reads run on any connection's thread, writes on the committer's. */
#include "store/sqlite/connection.h"

#include <string.h>

#include "base/memory.h"

int sqlite_find_package_lock(struct store *store, const struct package_lock_place *place,
                             const char *request, struct package_lock *found, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT request, interpreter, lock, locked_ms FROM package_lock "
               "WHERE fleet_no = ?1 AND vessel_id = ?2 AND version <= ?3 "
               "ORDER BY version DESC LIMIT 1"};
    *found = (struct package_lock){.request = NULL};
    sqlite3_stmt *s =
        statement_begin(store, &find, error, place->fleet_no, &place->vessel_id, place->version);
    bool answers = statement_step(store, s, "find a package lock", error) &&
                   strcmp(column_text(s, 0), request) == 0;
    if (answers)
        *found = (struct package_lock){.request = memory_string(column_text(s, 0)),
                                       .interpreter = memory_string(column_text(s, 1)),
                                       .lock = memory_string(column_text(s, 2)),
                                       .locked_ms = column_int(s, 3)};
    return statement_end(s) != 0 ? -1 : answers ? 1 : 0;
}

int sqlite_set_package_lock(struct store *store, const struct package_lock_place *place,
                            const struct package_lock *lock, struct error *error)
{
    static struct statement set = {
        .sql = "INSERT OR REPLACE INTO package_lock "
               "(fleet_no, vessel_id, version, request, interpreter, lock, locked_ms) "
               "SELECT v.fleet_no, ?2, v.version, ?4, ?5, ?6, ?7 FROM fleet_version v "
               "JOIN fleet f ON f.no = v.fleet_no AND f.deleted_ms IS NULL "
               "WHERE v.fleet_no = ?1 AND v.version = ?3"};
    sqlite3_stmt *s =
        statement_begin(store, &set, error, place->fleet_no, &place->vessel_id, place->version,
                        lock->request, lock->interpreter, lock->lock, lock->locked_ms);
    int changed = statement_change(store, s, "set a package lock", error);
    if (changed != 0)
        return changed > 0 ? 0 : -1;
    return error_set(error, ERROR_NOT_FOUND, "the fleet has no version %d any more",
                     place->version);
}

int package_locks_forget(struct store *store, int64_t fleet_no, struct error *error)
{
    static struct statement forget = {.sql = "DELETE FROM package_lock WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &forget, error, fleet_no);
    return statement_run(store, s, "delete the package locks of a fleet", error);
}
