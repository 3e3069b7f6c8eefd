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

/* Returns how many rows there were, or -1. */
static int list_fleets(struct store *store, sqlite3_stmt *s,
                       int (*each)(void *, const struct package_fleet *), void *context,
                       struct error *error)
{
    int count = 0;
    while (statement_step(store, s, "list fleets with packages", error)) {
        const struct package_fleet row = {.no = column_int(s, 0),
                                          .version = (int)column_int(s, 1),
                                          .id = column_id(s, 2),
                                          .project_id = column_id(s, 3),
                                          .name = column_text(s, 4),
                                          .project_name = column_text(s, 5),
                                          .org_name = column_text(s, 6),
                                          .definition_json = column_text(s, 7),
                                          .definition_bytes = (size_t)sqlite3_column_bytes(s, 7)};
        count++;
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s) == 0 ? count : -1;
}

#define FLEETS                                                                                     \
    "SELECT f.no, f.version, f.id, p.id, f.name, p.name, o.name, v.definition FROM fleet f "       \
    "JOIN fleet_version v ON v.fleet_no = f.no AND v.version = f.version "                         \
    "JOIN project p ON p.no = f.project_no JOIN org o ON o.no = p.org_no "                         \
    "WHERE f.deleted_ms IS NULL "

int sqlite_list_package_fleets(struct store *store, const struct id *fleet_id,
                               int (*each)(void *, const struct package_fleet *), void *context,
                               struct error *error)
{
    static struct statement all = {
        .sql = FLEETS "AND EXISTS (SELECT 1 FROM package_lock k WHERE k.fleet_no = f.no) "
                      "ORDER BY o.name, p.name, f.name"};
    static struct statement one = {.sql = FLEETS "AND f.id = ?1"};
    char text[ID_TEXT_BYTES];
    sqlite3_stmt *s = fleet_id ? statement_begin(store, &one, error, fleet_id)
                               : statement_begin(store, &all, error);
    int count = list_fleets(store, s, each, context, error);
    if (count == 0 && fleet_id)
        return error_set(error, ERROR_NOT_FOUND, "there is no fleet %s", id_format(fleet_id, text));
    return count < 0 ? -1 : 0;
}
