/* Applying a fleet's definition, and deleting a fleet. Runs on the committer's thread, inside its
 * transaction and the operation's savepoint: the caller undoes an operation that fails halfway. */
#include "store/sqlite/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/sqlite/blueprints.h"
#include "store/sqlite/hidden.h"

struct found_fleet {
    int64_t no; /* 0 = there is no such fleet */
    struct id id;
    int64_t project_no;
    int version;
    bool deleted;
};

static int read_fleet(struct store *store, sqlite3_stmt *s, struct found_fleet *fleet,
                      struct error *error)
{
    if (statement_step(store, s, "find a fleet", error))
        *fleet = (struct found_fleet){.no = column_int(s, 0),
                                      .id = column_id(s, 1),
                                      .project_no = column_int(s, 2),
                                      .version = (int)column_int(s, 3),
                                      .deleted = column_int(s, 4) != 0};
    return statement_end(s);
}

static int find_by_id(struct store *store, const struct id *id, struct found_fleet *fleet,
                      struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no, id, project_no, version, deleted_ms IS NOT NULL FROM fleet "
               "WHERE id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, id);
    return read_fleet(store, s, fleet, error);
}

static int find_by_name(struct store *store, int64_t project_no, const char *name,
                        struct found_fleet *fleet, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no, id, project_no, version, 0 FROM fleet "
               "WHERE project_no = ?1 AND name = ?2 AND deleted_ms IS NULL"};
    sqlite3_stmt *s = statement_begin(store, &find, error, project_no, name);
    return read_fleet(store, s, fleet, error);
}

/* Finds the fleet that a definition applies to. fleet->no is 0 if it creates a new one. */
static int choose_fleet(struct store *store, int64_t project_no,
                        const struct definition *definition, struct found_fleet *fleet,
                        struct error *error)
{
    struct found_fleet by_id = {0}, by_name = {0};
    bool has_id = !id_is_zero(&definition->id);
    if (has_id && find_by_id(store, &definition->id, &by_id, error) != 0)
        return -1;
    if (find_by_name(store, project_no, definition->name, &by_name, error) != 0)
        return -1;
    if (by_id.no != 0 && !by_id.deleted && by_id.project_no != project_no)
        return error_set(error, ERROR_CONFLICT,
                         "_id: the fleet with this id is in another project; apply the file there");
    if (has_id && by_name.no != 0 && by_name.no != by_id.no) {
        char text[ID_TEXT_BYTES];
        return error_set(error, ERROR_CONFLICT,
                         "_id: the fleet \"%.255s\" in this project has a different id, %s; omit "
                         "_id to create a new version of that fleet, or change the name",
                         definition->name, id_format(&by_name.id, text));
    }
    *fleet = by_id.no != 0 ? by_id : by_name;
    return 0;
}

/* Loads the definition of a version, which must exist. */
static int load_version(struct store *store, const struct found_fleet *fleet, int version,
                        struct definition **definition, struct error *error)
{
    *definition = NULL;
    static struct statement read = {
        .sql = "SELECT definition FROM fleet_version WHERE fleet_no = ?1 AND version = ?2"};
    sqlite3_stmt *s = statement_begin(store, &read, error, fleet->no, version);
    if (statement_step(store, s, "read a definition", error)) {
        const char *json = column_text(s, 0);
        *definition = definition_json_read(json, (size_t)sqlite3_column_bytes(s, 0), error);
    } else {
        char text[ID_TEXT_BYTES];
        error_set(error, ERROR_INTERNAL, "the store lacks version %d of fleet %s", version,
                  id_format(&fleet->id, text));
    }
    statement_end(s);
    return !*definition ? -1 : 0;
}

static bool id_is_used(const struct definition_vessel *vessels, size_t count, const struct id *id)
{
    for (size_t i = 0; i < count; i++) {
        if (id_equal(&vessels[i].id, id))
            return true;
    }
    return false;
}

/* A vessel without an id gets the id of the vessel with the same name in the current version,
 * unless the file gives that id to another vessel (which was renamed by its _id); otherwise it gets
 * a new id. */
static void give_vessel_ids(struct definition_vessel *vessels, size_t count,
                            const struct definition *current)
{
    for (size_t i = 0; i < count; i++) {
        if (!id_is_zero(&vessels[i].id))
            continue;
        for (size_t j = 0; current && j < current->vessel_count; j++) {
            const struct definition_vessel *old = &current->vessels[j];
            if (strcmp(old->name, vessels[i].name) == 0) {
                if (!id_is_used(vessels, count, &old->id))
                    vessels[i].id = old->id;
                break;
            }
        }
        if (id_is_zero(&vessels[i].id))
            vessels[i].id = id_random();
    }
}

/* Returns the definition with all its ids. It borrows everything from `definition`, except the
 * array of vessels, which the caller frees. */
static struct definition with_ids(const struct definition *definition, const struct id *fleet_id,
                                  const struct definition *current)
{
    struct definition complete = *definition;
    complete.id = *fleet_id;
    complete.vessels =
        memory_copy(definition->vessels, definition->vessel_count * sizeof(definition->vessels[0]));
    give_vessel_ids(complete.vessels, complete.vessel_count, current);
    return complete;
}

/* Writes the stored definition anew for the comparison: an older webhookd may have stored it in an
 * older form. */
static bool is_unchanged(const char *json, const struct definition *current)
{
    char *before = definition_json_write(current, true);
    bool equal = strcmp(before, json) == 0;
    free(before);
    return equal;
}

static int write_fleet(struct store *store, int64_t project_no, const char *name, int64_t now_ms,
                       struct found_fleet *fleet, struct error *error)
{
    bool is_new = fleet->no == 0;
    char taken[NAME_MAX_BYTES + 100];
    snprintf(taken, sizeof(taken), "the project already has a fleet \"%s\"", name);
    fleet->version++;
    static struct statement create = {
        .sql = "INSERT INTO fleet (id, project_no, name, version, created_ms, updated_ms) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?5)"};
    static struct statement update = {
        .sql = "UPDATE fleet SET project_no = ?2, name = ?3, version = ?4, updated_ms = ?5, "
               "deleted_ms = NULL WHERE id = ?1"};
    sqlite3_stmt *s = statement_begin(store, is_new ? &create : &update, error, &fleet->id,
                                      project_no, name, fleet->version, now_ms);
    if (statement_insert(store, s, "write a fleet", taken, error) != 0)
        return -1;
    if (!is_new)
        return 0;
    fleet->no = sqlite3_last_insert_rowid(connection_of(store)->db);
    return load_create(store, fleet->no, error);
}

struct version_text {
    const char *file;
    size_t file_bytes;
    const char *json;
};

static int write_version(struct store *store, const struct found_fleet *fleet,
                         const struct version_text *text, int64_t now_ms, struct error *error)
{
    static struct statement create = {
        .sql = "INSERT INTO fleet_version (fleet_no, version, created_ms, definition, file) "
               "VALUES (?1, ?2, ?3, ?4, ?5)"};
    sqlite3_stmt *s =
        statement_begin(store, &create, error, fleet->no, fleet->version, now_ms, text->json,
                        value_blob(text->file_bytes > 0 ? text->file : "", text->file_bytes));
    return statement_run(store, s, "write a version", error);
}

/* ---- hidden values ---- */

/* A definition on its way into the store. */
struct applying {
    const struct fleet_application *what;
    int64_t project_no, now_ms;
    struct found_fleet fleet;
    struct definition *current; /* of the fleet's current version; NULL for a new fleet */
};

/* Loads the version whose hidden values the definition keeps; *older is owned by the caller. */
static int find_source(struct store *store, const struct applying *applying,
                       struct hidden_source *source, struct definition **older, struct error *error)
{
    const struct hidden_terms *terms = applying->what->hidden;
    const struct found_fleet *fleet = &applying->fleet;
    *source = (struct hidden_source){.current_version = fleet->version};
    *older = NULL;
    if (!terms || terms->from_version == 0) {
        source->kept_version = fleet->version;
        source->kept = applying->current;
        return 0;
    }
    if (fleet->no == 0 || !id_equal(&terms->from_fleet_id, &fleet->id))
        return 0;
    if (terms->from_version > fleet->version)
        return error_set(error, ERROR_NOT_FOUND, "the fleet has no version %d",
                         terms->from_version);
    source->kept_version = terms->from_version;
    int result = load_version(store, fleet, terms->from_version, older, error);
    source->kept = *older;
    return result;
}

static int resolve_hidden(struct store *store, const struct applying *applying,
                          const struct definition *complete, struct hidden_values *values,
                          struct error *error)
{
    struct hidden_source source;
    struct definition *older;
    *values = (struct hidden_values){NULL, 0, false};
    int result = find_source(store, applying, &source, &older, error);
    if (result == 0)
        result = hidden_resolve(store, &source, applying->what->hidden, complete, values, error);
    definition_free(older);
    return result;
}

/* ---- the whole ---- */

/* Writes a new version, unless nothing has changed. */
static int apply_complete(struct store *store, struct applying *applying,
                          const struct definition *complete, enum apply_outcome *outcome,
                          struct error *error)
{
    struct found_fleet *fleet = &applying->fleet;
    bool comes_new = fleet->no == 0 || fleet->deleted;
    struct hidden_values hidden;
    char *json = definition_json_write(complete, true);
    const struct version_text text = {applying->what->file, applying->what->file_bytes, json};
    int status = resolve_hidden(store, applying, complete, &hidden, error);
    *outcome = comes_new ? APPLY_CREATED : APPLY_UPDATED;
    if (status == 0 && !comes_new && !hidden.have_changed && is_unchanged(json, applying->current))
        *outcome = APPLY_UNCHANGED;
    else if (status == 0 && (write_fleet(store, applying->project_no, complete->name,
                                         applying->now_ms, fleet, error) != 0 ||
                             write_version(store, fleet, &text, applying->now_ms, error) != 0 ||
                             hidden_write(store, fleet->no, fleet->version, &hidden, error) != 0 ||
                             blueprint_uses_write(store, fleet->no, complete, error) != 0))
        status = -1;
    hidden_free(&hidden);
    free(json);
    return status;
}

int sqlite_apply_fleet(struct store *store, const struct fleet_application *application,
                       int64_t now_ms, struct apply_result *result, struct error *error)
{
    const struct definition *definition = application->definition;
    struct applying applying = {.what = application, .now_ms = now_ms};
    struct found_fleet *fleet = &applying.fleet;
    if (projects_find(store, application->project_id, &applying.project_no, error) != 0 ||
        choose_fleet(store, applying.project_no, definition, fleet, error) != 0)
        return -1;
    if (fleet->no != 0 && load_version(store, fleet, fleet->version, &applying.current, error) != 0)
        return -1;
    if (fleet->no == 0)
        fleet->id = id_is_zero(&definition->id) ? id_random() : definition->id;
    struct definition complete = with_ids(definition, &fleet->id, applying.current);
    int status = apply_complete(store, &applying, &complete, &result->outcome, error);
    result->fleet_id = fleet->id;
    result->version = fleet->version;
    free(complete.vessels);
    definition_free(applying.current);
    return status;
}

int sqlite_delete_fleet(struct store *store, const struct id *fleet_id, int64_t now_ms,
                        struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    int64_t open = 0;
    if (load_open(store, fleet_no, &open, error) != 0)
        return -1;
    char name[NAME_MAX_BYTES + 1];
    if (open > 0 && fleets_name(store, fleet_no, name, error) == 0)
        error_set(error, ERROR_CONFLICT,
                  "fleet \"%s\" has scheduled or running fleet runs: stop them, or wait until they "
                  "end",
                  name);
    if (open > 0)
        return -1;
    if (hidden_forget(store, fleet_no, error) != 0 ||
        package_locks_forget(store, fleet_no, error) != 0 ||
        blueprint_uses_forget(store, fleet_no, error) != 0)
        return -1;
    struct error none = ERROR_INIT;
    if (sqlite_remove_webhook(store, fleet_id, &none) != 0 && none.kind != ERROR_NOT_FOUND)
        return error_set(error, none.kind, "%s", none.message);
    static struct statement delete = {.sql = "UPDATE fleet SET deleted_ms = ?2 WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &delete, error, fleet_no, now_ms);
    return statement_run(store, s, "delete a fleet", error);
}
