/* Applying and deleting a blueprint. Runs on the committer's thread, inside its transaction and the
 * operation's savepoint: the caller undoes an operation that fails halfway. */
#include "store/sqlite/blueprints.h"
#include "store/sqlite/connection.h"

#include <stdio.h>
#include <string.h>

struct found_blueprint {
    int64_t no; /* 0 = there is no such blueprint */
    struct id id;
    int64_t org_no;
    int version;
    bool deleted;
};

static int read_blueprint(struct store *store, sqlite3_stmt *s, struct found_blueprint *found,
                          struct error *error)
{
    if (statement_step(store, s, "find a blueprint", error))
        *found = (struct found_blueprint){.no = column_int(s, 0),
                                          .id = column_id(s, 1),
                                          .org_no = column_int(s, 2),
                                          .version = (int)column_int(s, 3),
                                          .deleted = column_int(s, 4) != 0};
    return statement_end(s);
}

static int find_by_id(struct store *store, const struct id *id, struct found_blueprint *found,
                      struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no, id, org_no, version, deleted_ms IS NOT NULL FROM blueprint "
               "WHERE id = ?1"};
    return read_blueprint(store, statement_begin(store, &find, error, id), found, error);
}

static int find_by_name(struct store *store, int64_t org_no, const char *name,
                        struct found_blueprint *found, struct error *error)
{
    static struct statement find = {.sql =
                                        "SELECT no, id, org_no, version, 0 FROM blueprint "
                                        "WHERE org_no = ?1 AND name = ?2 AND deleted_ms IS NULL"};
    return read_blueprint(store, statement_begin(store, &find, error, org_no, name), found, error);
}

/* Finds the blueprint that the file applies to. found->no is 0 if it creates a new one. */
static int choose(struct store *store, int64_t org_no, const struct blueprint *blueprint,
                  struct found_blueprint *found, struct error *error)
{
    struct found_blueprint by_id = {0}, by_name = {0};
    bool has_id = !id_is_zero(&blueprint->id);
    if (has_id && find_by_id(store, &blueprint->id, &by_id, error) != 0)
        return -1;
    if (find_by_name(store, org_no, blueprint->name, &by_name, error) != 0)
        return -1;
    if (by_id.no != 0 && by_id.org_no != org_no)
        return error_set(error, ERROR_CONFLICT,
                         "_id: the blueprint with this id is in another organization; apply the "
                         "file there, or omit _id");
    if (has_id && by_name.no != 0 && by_name.no != by_id.no) {
        char text[ID_TEXT_BYTES];
        return error_set(error, ERROR_CONFLICT,
                         "_id: the blueprint \"%.255s\" in this organization has a different id, "
                         "%s; omit _id to create a new version of that blueprint, or change the "
                         "name",
                         blueprint->name, id_format(&by_name.id, text));
    }
    *found = by_id.no != 0 ? by_id : by_name;
    return 0;
}

/* Whether the current version has this definition, canonical as both are. */
static int is_current(struct store *store, const struct found_blueprint *found, const char *json,
                      struct error *error)
{
    static struct statement compare = {.sql = "SELECT definition = ?3 FROM blueprint_version "
                                              "WHERE blueprint_no = ?1 AND version = ?2"};
    int64_t equal = 0;
    sqlite3_stmt *s = statement_begin(store, &compare, error, found->no, found->version, json);
    int result = statement_find(store, s, "compare a blueprint", &equal, error);
    return result < 0 ? -1 : equal != 0;
}

static int refuse_too_many(struct store *store, int64_t org_no, struct error *error)
{
    static struct statement count = {
        .sql = "SELECT count(*) FROM blueprint WHERE org_no = ?1 AND deleted_ms IS NULL"};
    int64_t number = 0;
    if (statement_find(store, statement_begin(store, &count, error, org_no), "count blueprints",
                       &number, error) < 0)
        return -1;
    if (number < STORE_MAX_BLUEPRINTS)
        return 0;
    return error_set(error, ERROR_CONFLICT,
                     "the organization has %d blueprints, and no more are allowed: delete some",
                     STORE_MAX_BLUEPRINTS);
}

static int write_blueprint(struct store *store, int64_t org_no, const struct blueprint *blueprint,
                           int64_t now_ms, struct found_blueprint *found, struct error *error)
{
    bool is_new = found->no == 0;
    char taken[NAME_MAX_BYTES + 100];
    snprintf(taken, sizeof(taken), "the organization already has a blueprint \"%s\"",
             blueprint->name);
    if ((is_new || found->deleted) && refuse_too_many(store, org_no, error) != 0)
        return -1;
    found->version++;
    static struct statement create = {
        .sql = "INSERT INTO blueprint "
               "(id, org_no, name, synopsis, visibility, version, created_ms, updated_ms) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"};
    static struct statement update = {
        .sql = "UPDATE blueprint SET org_no = ?2, name = ?3, synopsis = ?4, visibility = ?5, "
               "version = ?6, updated_ms = ?7, deleted_ms = NULL WHERE id = ?1"};
    sqlite3_stmt *s = statement_begin(store, is_new ? &create : &update, error, &found->id, org_no,
                                      blueprint->name, blueprint->synopsis,
                                      (int)blueprint->visibility, found->version, now_ms);
    if (statement_insert(store, s, "write a blueprint", taken, error) != 0)
        return -1;
    if (is_new)
        found->no = sqlite3_last_insert_rowid(connection_of(store)->db);
    return 0;
}

static int write_version(struct store *store, const struct blueprint_application *what,
                         const struct found_blueprint *found, int64_t now_ms, struct error *error)
{
    static struct statement create = {
        .sql = "INSERT INTO blueprint_version "
               "(blueprint_no, version, created_ms, head, inputs, definition, file) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
    sqlite3_stmt *s =
        statement_begin(store, &create, error, found->no, found->version, now_ms, what->head_json,
                        what->inputs_json, what->definition_json,
                        value_blob(what->file_bytes > 0 ? what->file : "", what->file_bytes));
    return statement_run(store, s, "write a version of a blueprint", error);
}

int sqlite_apply_blueprint(struct store *store, const struct blueprint_application *application,
                           int64_t now_ms, struct blueprint_result *result, struct error *error)
{
    const struct blueprint *blueprint = application->blueprint;
    struct found_blueprint found = {0};
    int64_t org_no = 0;
    if (projects_find_org(store, application->org_id, &org_no, error) != 0 ||
        choose(store, org_no, blueprint, &found, error) != 0)
        return -1;
    bool comes_new = found.no == 0 || found.deleted;
    int same = comes_new ? 0 : is_current(store, &found, application->definition_json, error);
    int status = same < 0 ? -1 : 0;
    if (found.no == 0)
        found.id = id_is_zero(&blueprint->id) ? id_random() : blueprint->id;
    if (same == 0 && (write_blueprint(store, org_no, blueprint, now_ms, &found, error) != 0 ||
                      write_version(store, application, &found, now_ms, error) != 0))
        status = -1;
    result->outcome = same > 0 ? APPLY_UNCHANGED : comes_new ? APPLY_CREATED : APPLY_UPDATED;
    result->blueprint_id = found.id;
    result->version = found.version;
    return status;
}

/* ---- deleting ---- */

static int refuse_used(struct store *store, int64_t blueprint_no, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT f.name, p.name, count(*) FROM blueprint_use u "
               "JOIN fleet f ON f.no = u.fleet_no JOIN project p ON p.no = f.project_no "
               "WHERE u.blueprint_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, blueprint_no);
    bool found = statement_step(store, s, "look for users of a blueprint", error);
    int64_t count = found ? column_int(s, 2) : 0;
    char more[40] = "";
    if (count > 1)
        snprintf(more, sizeof(more), " and %lld more", (long long)count - 1);
    if (count > 0)
        error_set(error, ERROR_CONFLICT,
                  "the blueprint is used by fleet \"%.60s/%.60s\"%s: change the fleets first",
                  column_text(s, 1), column_text(s, 0), more);
    return statement_end(s) != 0 || count > 0 ? -1 : 0;
}

int sqlite_delete_blueprint(struct store *store, const struct id *blueprint_id, int64_t now_ms,
                            struct error *error)
{
    int64_t blueprint_no = 0;
    if (blueprints_find(store, blueprint_id, &blueprint_no, error) != 0 ||
        refuse_used(store, blueprint_no, error) != 0)
        return -1;
    static struct statement delete = {.sql = "UPDATE blueprint SET deleted_ms = ?2 WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &delete, error, blueprint_no, now_ms);
    return statement_run(store, s, "delete a blueprint", error);
}
