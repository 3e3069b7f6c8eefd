/* Reading blueprints and their versions. Called on any connection's thread. apply_blueprint.c
 * applies and deletes them. */
#include "store/sqlite/blueprints.h"

#include "base/memory.h"
#include "store/sqlite/connection.h"

#define BLUEPRINT_SELECT                                                                           \
    "SELECT b.id, o.id, b.name, o.name, b.synopsis, b.visibility, b.version, b.created_ms, "       \
    "b.updated_ms, (SELECT count(*) FROM blueprint_use u WHERE u.blueprint_no = b.no) "            \
    "FROM blueprint b JOIN org o ON o.no = b.org_no "                                              \
    "WHERE b.deleted_ms IS NULL AND o.deleted = 0 "

static struct blueprint_row read_row(sqlite3_stmt *s)
{
    return (struct blueprint_row){.id = column_id(s, 0),
                                  .org_id = column_id(s, 1),
                                  .name = column_text(s, 2),
                                  .org_name = column_text(s, 3),
                                  .synopsis = column_text(s, 4),
                                  .visibility = (enum blueprint_visibility)column_int(s, 5),
                                  .version = (int)column_int(s, 6),
                                  .created_ms = column_int(s, 7),
                                  .updated_ms = column_int(s, 8),
                                  .fleets = column_int(s, 9)};
}

static int no_blueprint(const struct id *blueprint_id, struct error *error)
{
    char text[ID_TEXT_BYTES];
    return error_set(error, ERROR_NOT_FOUND, "there is no blueprint %s",
                     id_format(blueprint_id, text));
}

int blueprints_find(struct store *store, const struct id *blueprint_id, int64_t *blueprint_no,
                    struct error *error)
{
    static struct statement find = {
        .sql = "SELECT b.no FROM blueprint b JOIN org o ON o.no = b.org_no "
               "WHERE b.id = ?1 AND b.deleted_ms IS NULL AND o.deleted = 0"};
    sqlite3_stmt *s = statement_begin(store, &find, error, blueprint_id);
    int found = statement_find(store, s, "find a blueprint", blueprint_no, error);
    return found > 0 ? 0 : no_blueprint(blueprint_id, error);
}

int sqlite_list_blueprints(struct store *store, const struct id *org_id,
                           int (*each)(void *, const struct blueprint_row *), void *context,
                           struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    static struct statement list = {.sql = BLUEPRINT_SELECT "AND b.org_no = ?1 ORDER BY b.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, org_no);
    while (statement_step(store, s, "list blueprints", error)) {
        struct blueprint_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_get_blueprint(struct store *store, const struct id *blueprint_id,
                         int (*each)(void *, const struct blueprint_row *), void *context,
                         struct error *error)
{
    static struct statement get = {.sql = BLUEPRINT_SELECT "AND b.id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, blueprint_id);
    bool found = statement_step(store, s, "read a blueprint", error);
    if (found) {
        struct blueprint_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : no_blueprint(blueprint_id, error);
}

/* ---- versions ---- */

int sqlite_list_blueprint_versions(struct store *store, const struct id *blueprint_id,
                                   int (*each)(void *, const struct blueprint_version_row *),
                                   void *context, struct error *error)
{
    int64_t blueprint_no = 0;
    if (blueprints_find(store, blueprint_id, &blueprint_no, error) != 0)
        return -1;
    static struct statement list = {
        .sql = "SELECT version, created_ms, length(file) FROM blueprint_version "
               "WHERE blueprint_no = ?1 ORDER BY version DESC"};
    sqlite3_stmt *s = statement_begin(store, &list, error, blueprint_no);
    while (statement_step(store, s, "list the versions of a blueprint", error)) {
        struct blueprint_version_row row = {.blueprint_id = *blueprint_id,
                                            .version = (int)column_int(s, 0),
                                            .created_ms = column_int(s, 1),
                                            .file_bytes = (size_t)column_int(s, 2)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

static int no_version(const struct id *blueprint_id, int version, struct error *error)
{
    char text[ID_TEXT_BYTES];
    if (version == 0)
        return no_blueprint(blueprint_id, error);
    return error_set(error, ERROR_NOT_FOUND, "there is no version %d of blueprint %s", version,
                     id_format(blueprint_id, text));
}

int sqlite_get_blueprint_version(struct store *store, const struct id *blueprint_id, int version,
                                 int (*each)(void *, const struct blueprint_version_row *),
                                 void *context, struct error *error)
{
    static struct statement get = {
        .sql = "SELECT v.version, v.created_ms, v.file, v.definition FROM blueprint b "
               "JOIN blueprint_version v ON v.blueprint_no = b.no "
               "AND v.version = iif(?2 = 0, b.version, ?2) WHERE b.id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, blueprint_id, version);
    bool found = statement_step(store, s, "read a version of a blueprint", error);
    if (found) {
        /* Read as text, so that it ends with a NUL. */
        const char *file = column_text(s, 2), *json = column_text(s, 3);
        struct blueprint_version_row row = {.blueprint_id = *blueprint_id,
                                            .version = (int)column_int(s, 0),
                                            .created_ms = column_int(s, 1),
                                            .file = file,
                                            .file_bytes = (size_t)sqlite3_column_bytes(s, 2),
                                            .definition_json = json,
                                            .definition_bytes = (size_t)sqlite3_column_bytes(s, 3)};
        each(context, &row);
    }
    int result = statement_end(s);
    return found || result != 0 ? result : no_version(blueprint_id, version, error);
}

int sqlite_find_blueprint_inputs(struct store *store, const struct blueprint_query *query,
                                 int (*each)(void *, const struct blueprint_inputs *),
                                 void *context, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT b.id, v.inputs FROM org o JOIN blueprint b ON b.org_no = o.no "
               "LEFT JOIN blueprint_version v ON v.blueprint_no = b.no "
               "AND v.version = iif(?4 = 0, b.version, ?4) "
               "WHERE o.id = ?1 AND b.deleted_ms IS NULL AND (b.id = ?3 OR b.name = ?2)"};
    struct id id = {{0}};
    bool is_id = id_parse(query->name, &id) == 0;
    sqlite3_stmt *s = statement_begin(store, &find, error, &query->org_id, query->name,
                                      is_id ? &id : NULL, query->version);
    if (statement_step(store, s, "look for a blueprint", error)) {
        bool has_version = sqlite3_column_type(s, 1) != SQLITE_NULL;
        const char *json = column_text(s, 1);
        const struct blueprint_inputs inputs = {.id = column_id(s, 0),
                                                .inputs_json = has_version ? json : NULL,
                                                .inputs_bytes = (size_t)sqlite3_column_bytes(s, 1)};
        each(context, &inputs);
    }
    return statement_end(s);
}

char *sqlite_get_blueprint_head(struct store *store, const struct id *blueprint_id, int *version,
                                struct error *error)
{
    static struct statement get = {
        .sql = "SELECT v.version, v.head FROM blueprint b "
               "JOIN blueprint_version v ON v.blueprint_no = b.no "
               "AND v.version = iif(?2 = 0, b.version, ?2) WHERE b.id = ?1"};
    char *json = NULL;
    sqlite3_stmt *s = statement_begin(store, &get, error, blueprint_id, *version);
    if (statement_step(store, s, "read a blueprint's head", error)) {
        json = memory_string(column_text(s, 1));
        *version = (int)column_int(s, 0);
    }
    if (statement_end(s) == 0 && !json)
        no_version(blueprint_id, *version, error);
    return json;
}

/* ---- who uses what ---- */

int sqlite_list_blueprint_users(struct store *store, const struct id *blueprint_id,
                                int (*each)(void *, const struct definition_row *), void *context,
                                struct error *error)
{
    int64_t blueprint_no = 0;
    if (blueprints_find(store, blueprint_id, &blueprint_no, error) != 0)
        return -1;
    static struct statement list = {
        .sql = "SELECT f.id, p.id, f.name, p.name, v.definition FROM blueprint_use u "
               "JOIN fleet f ON f.no = u.fleet_no JOIN project p ON p.no = f.project_no "
               "JOIN fleet_version v ON v.fleet_no = f.no AND v.version = f.version "
               "WHERE u.blueprint_no = ?1 ORDER BY p.name, f.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, blueprint_no);
    while (statement_step(store, s, "list the users of a blueprint", error)) {
        const char *json = column_text(s, 4);
        const struct definition_row row = {.fleet_id = column_id(s, 0),
                                           .project_id = column_id(s, 1),
                                           .fleet_name = column_text(s, 2),
                                           .project_name = column_text(s, 3),
                                           .definition_json = json,
                                           .definition_bytes = (size_t)sqlite3_column_bytes(s, 4)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_search_blueprints(struct store *store, const struct id *org_id, const char *text,
                             int (*each)(void *, const struct blueprint_version_row *),
                             void *context, struct error *error)
{
    static struct statement search = {
        .sql = "SELECT b.id, v.version, v.definition FROM org o "
               "JOIN blueprint b ON b.org_no = o.no AND b.deleted_ms IS NULL "
               "JOIN blueprint_version v ON v.blueprint_no = b.no AND v.version = b.version "
               "WHERE o.id = ?1 AND instr(v.definition, ?2) > 0 ORDER BY b.name"};
    sqlite3_stmt *s = statement_begin(store, &search, error, org_id, text);
    while (statement_step(store, s, "search the blueprints", error)) {
        const char *json = column_text(s, 2);
        const struct blueprint_version_row row = {.blueprint_id = column_id(s, 0),
                                                  .version = (int)column_int(s, 1),
                                                  .definition_json = json,
                                                  .definition_bytes =
                                                      (size_t)sqlite3_column_bytes(s, 2)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}
