/* Reading fleets and their versions. Called on any connection's thread. apply.c applies and deletes
 * them. */
#include "store/sqlite/connection.h"

#include <stdio.h>

/* The counts come from fleet_load and the index of running runs, so they cost no more with a
 * million scheduled runs. */
#define FLEET_SELECT                                                                               \
    "SELECT f.id, p.id, o.id, f.name, p.name, o.name, f.version, f.created_ms, f.updated_ms, "     \
    "EXISTS (SELECT 1 FROM webhook w WHERE w.fleet_no = f.no), "                                   \
    "(SELECT open FROM fleet_load l WHERE l.fleet_no = f.no), "                                    \
    "(SELECT count(*) FROM run_open r INDEXED BY run_open_running "                                \
    "WHERE r.fleet_no = f.no AND r.status = 1) "                                                   \
    "FROM fleet f JOIN project p ON p.no = f.project_no JOIN org o ON o.no = p.org_no "            \
    "WHERE f.deleted_ms IS NULL "

static struct fleet_row read_row(sqlite3_stmt *s)
{
    int64_t open = column_int(s, 10), running = column_int(s, 11);
    return (struct fleet_row){.id = column_id(s, 0),
                              .project_id = column_id(s, 1),
                              .org_id = column_id(s, 2),
                              .name = column_text(s, 3),
                              .project_name = column_text(s, 4),
                              .org_name = column_text(s, 5),
                              .version = (int)column_int(s, 6),
                              .created_ms = column_int(s, 7),
                              .updated_ms = column_int(s, 8),
                              .has_webhook = column_int(s, 9) != 0,
                              .scheduled_runs = open - running,
                              .running_runs = running};
}

static int fleet_not_found(const struct id *fleet_id, struct error *error)
{
    char text[ID_TEXT_BYTES];
    return error_set(error, ERROR_NOT_FOUND, "there is no fleet %s", id_format(fleet_id, text));
}

int fleets_find(struct store *store, const struct id *fleet_id, int64_t *fleet_no,
                struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no FROM fleet WHERE id = ?1 AND deleted_ms IS NULL"};
    sqlite3_stmt *s = statement_begin(store, &find, error, fleet_id);
    int found = statement_find(store, s, "find a fleet", fleet_no, error);
    return found > 0 ? 0 : fleet_not_found(fleet_id, error);
}

int fleets_name(struct store *store, int64_t fleet_no, char name[NAME_MAX_BYTES + 1],
                struct error *error)
{
    static struct statement read = {.sql = "SELECT name FROM fleet WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &read, error, fleet_no);
    bool found = statement_step(store, s, "read a fleet's name", error);
    snprintf(name, NAME_MAX_BYTES + 1, "%s", found ? column_text(s, 0) : "");
    return statement_end(s);
}

int sqlite_list_fleets(struct store *store, const struct id *project_id,
                       int (*each)(void *, const struct fleet_row *), void *context,
                       struct error *error)
{
    int64_t project_no = 0;
    if (project_id && projects_find(store, project_id, &project_no, error) != 0)
        return -1;
    static struct statement list = {.sql = FLEET_SELECT "AND (?1 = 0 OR f.project_no = ?1) "
                                                        "ORDER BY o.name, p.name, f.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, project_no);
    while (statement_step(store, s, "list fleets", error)) {
        struct fleet_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_get_fleet(struct store *store, const struct id *fleet_id,
                     int (*each)(void *, const struct fleet_row *), void *context,
                     struct error *error)
{
    static struct statement get = {.sql = FLEET_SELECT "AND f.id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, fleet_id);
    bool found = statement_step(store, s, "read a fleet", error);
    if (found) {
        struct fleet_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : fleet_not_found(fleet_id, error);
}

int sqlite_list_versions(struct store *store, const struct id *fleet_id,
                         int (*each)(void *, const struct version_row *), void *context,
                         struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    /* SQLite reads the length() of a blob from the row's header. */
    static struct statement list = {
        .sql = "SELECT version, created_ms, length(file) FROM fleet_version "
               "WHERE fleet_no = ?1 ORDER BY version DESC"};
    sqlite3_stmt *s = statement_begin(store, &list, error, fleet_no);
    while (statement_step(store, s, "list versions", error)) {
        struct version_row row = {.fleet_id = *fleet_id,
                                  .version = (int)column_int(s, 0),
                                  .created_ms = column_int(s, 1),
                                  .file_bytes = (size_t)column_int(s, 2)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

/* Says whether the fleet or only its version does not exist. Always returns -1. */
static int version_not_found(struct store *store, const struct id *fleet_id, int version,
                             struct error *error)
{
    static struct statement find = {.sql = "SELECT no FROM fleet WHERE id = ?1"};
    int64_t fleet_no = 0;
    char name[NAME_MAX_BYTES + 1];
    sqlite3_stmt *s = statement_begin(store, &find, error, fleet_id);
    int found = statement_find(store, s, "find a fleet", &fleet_no, error);
    if (version == 0 || found == 0)
        return fleet_not_found(fleet_id, error);
    if (found < 0 || fleets_name(store, fleet_no, name, error) != 0)
        return -1;
    return error_set(error, ERROR_NOT_FOUND, "fleet \"%s\" has no version %d", name, version);
}

int sqlite_get_version(struct store *store, const struct id *fleet_id, int version,
                       int (*each)(void *, const struct version_row *), void *context,
                       struct error *error)
{
    /* A numbered version of a deleted fleet can still be read, because its runs refer to it. */
    static struct statement get = {.sql = "SELECT v.version, v.created_ms, v.file, v.definition "
                                          "FROM fleet f JOIN fleet_version v ON v.fleet_no = f.no "
                                          "AND v.version = iif(?2 = 0, f.version, ?2) "
                                          "WHERE f.id = ?1 AND (?2 <> 0 OR f.deleted_ms IS NULL)"};
    sqlite3_stmt *s = statement_begin(store, &get, error, fleet_id, version);
    bool found = statement_step(store, s, "read a version", error);
    if (found) {
        /* Read as text, so that it ends with a NUL. */
        const char *file = column_text(s, 2);
        struct version_row row = {.fleet_id = *fleet_id,
                                  .version = (int)column_int(s, 0),
                                  .created_ms = column_int(s, 1),
                                  .file = file,
                                  .file_bytes = (size_t)sqlite3_column_bytes(s, 2),
                                  .definition_json = column_text(s, 3)};
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : version_not_found(store, fleet_id, version, error);
}
