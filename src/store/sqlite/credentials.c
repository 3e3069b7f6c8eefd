/* Credentials, which are stored sealed only. Reads run on any connection's thread, writes on the
 * committer's. No value ever appears in a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"
#include "store/sqlite/hidden.h"

#include <stdio.h>

#define COLUMNS "\"group\", item, created_ms, changed_ms, changed_by, last_used_ms"
#define BY_NAME "WHERE org_no = ?1 AND \"group\" = ?2 AND item = ?3"

/* ---- Reading ---- */

static struct reference column_reference(sqlite3_stmt *s, int place)
{
    struct reference name;
    (void)snprintf(name.group, sizeof(name.group), "%s", column_text(s, place));
    (void)snprintf(name.item, sizeof(name.item), "%s", column_text(s, place + 1));
    return name;
}

static struct credential_row read_row(sqlite3_stmt *s)
{
    return (struct credential_row){.name = column_reference(s, 0),
                                   .created_ms = column_int(s, 2),
                                   .changed_ms = column_int(s, 3),
                                   .changed_by = column_text(s, 4),
                                   .last_used_ms = column_int(s, 5)};
}

static int no_credential(const struct reference *name, struct error *error)
{
    char text[REFERENCE_TEXT_BYTES];
    return error_set(error, ERROR_NOT_FOUND, "credential %s does not exist",
                     reference_format(name, text));
}

int sqlite_list_credentials(struct store *store, const struct id *org_id,
                            int (*each)(void *, const struct credential_row *), void *context,
                            struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    static struct statement list = {.sql = "SELECT " COLUMNS " FROM credential WHERE org_no = ?1 "
                                           "ORDER BY \"group\", item"};
    sqlite3_stmt *s = statement_begin(store, &list, error, org_no);
    while (statement_step(store, s, "list credentials", error)) {
        struct credential_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_find_credential(struct store *store, const struct id *org_id,
                           const struct reference *name,
                           int (*each)(void *, const struct credential_row *), void *context,
                           struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    static struct statement find = {.sql = "SELECT " COLUMNS ", sealed FROM credential " BY_NAME};
    sqlite3_stmt *s = statement_begin(store, &find, error, org_no, name->group, name->item);
    bool found = statement_step(store, s, "find a credential", error);
    if (found) {
        struct credential_row row = read_row(s);
        row.sealed = sqlite3_column_blob(s, 6);
        row.sealed_bytes = (size_t)sqlite3_column_bytes(s, 6);
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : no_credential(name, error);
}

int sqlite_list_definitions(struct store *store, const struct id *org_id, const char *text,
                            int (*each)(void *, const struct definition_row *), void *context,
                            struct error *error)
{
    static struct statement list = {
        .sql = "SELECT f.id, p.id, f.name, p.name, v.definition FROM org o "
               "JOIN project p ON p.org_no = o.no AND p.deleted = 0 "
               "JOIN fleet f ON f.project_no = p.no AND f.deleted_ms IS NULL "
               "JOIN fleet_version v ON v.fleet_no = f.no AND v.version = f.version "
               "WHERE o.id = ?1 AND instr(v.definition, ?2) > 0 ORDER BY p.name, f.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, org_id, text);
    while (statement_step(store, s, "search the definitions", error)) {
        struct definition_row row = {.fleet_id = column_id(s, 0),
                                     .project_id = column_id(s, 1),
                                     .fleet_name = column_text(s, 2),
                                     .project_name = column_text(s, 3),
                                     .definition_json = column_text(s, 4),
                                     .definition_bytes = (size_t)sqlite3_column_bytes(s, 4)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

/* Lists the seals of credentials. Sets *is_over when `each` wants no more. */
static int list_seals(struct store *store, int (*each)(void *, const struct sealed_row *),
                      void *context, bool *is_over, struct error *error)
{
    static struct statement list = {.sql = "SELECT o.id, c.\"group\", c.item, c.sealed "
                                           "FROM credential c JOIN org o ON o.no = c.org_no"};
    char place[STORE_CREDENTIAL_PLACE_BYTES];
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (!*is_over && statement_step(store, s, "list the credentials' seals", error)) {
        const struct id org_id = column_id(s, 0);
        const struct reference name = column_reference(s, 1);
        struct sealed_row row = {.place = store_credential_place(&org_id, &name, place),
                                 .sealed = sqlite3_column_blob(s, 3),
                                 .sealed_bytes = (size_t)sqlite3_column_bytes(s, 3)};
        *is_over = each(context, &row) != 0;
    }
    return statement_end(s);
}

int sqlite_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                       void *context, struct error *error)
{
    bool is_over = false;
    if (list_seals(store, each, context, &is_over, error) != 0 ||
        (!is_over && hidden_list_sealed(store, each, context, &is_over, error) != 0))
        return -1;
    return is_over ? 0 : overrides_list_sealed(store, each, context, error);
}

/* ---- Writing ---- */

/* Returns 1 if the credential was replaced, 0 if there is none, or -1. */
static int replace(struct store *store, int64_t org_no, const struct credential_value *value,
                   int64_t now_ms, struct error *error)
{
    static struct statement update = {
        .sql = "UPDATE credential SET changed_ms = ?4, changed_by = ?5, sealed = ?6 " BY_NAME};
    sqlite3_stmt *s =
        statement_begin(store, &update, error, org_no, value->name.group, value->name.item, now_ms,
                        value->changed_by, value_blob(value->sealed, value->sealed_bytes));
    return statement_change(store, s, "replace a credential", error);
}

static int refuse_too_many(struct store *store, int64_t org_no, struct error *error)
{
    static struct statement count = {.sql = "SELECT count(*) FROM credential WHERE org_no = ?1"};
    int64_t number = 0;
    if (statement_find(store, statement_begin(store, &count, error, org_no), "count credentials",
                       &number, error) < 0)
        return -1;
    if (number < STORE_MAX_CREDENTIALS)
        return 0;
    return error_set(error, ERROR_CONFLICT,
                     "the organization has %d credentials, and no more are allowed: remove some",
                     STORE_MAX_CREDENTIALS);
}

int sqlite_set_credential(struct store *store, const struct id *org_id,
                          const struct credential_value *value, int64_t now_ms, bool *is_new,
                          struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    int replaced = replace(store, org_no, value, now_ms, error);
    *is_new = replaced == 0;
    if (replaced != 0)
        return replaced > 0 ? 0 : -1;
    if (refuse_too_many(store, org_no, error) != 0)
        return -1;
    static struct statement create = {
        .sql = "INSERT INTO credential "
               "(org_no, \"group\", item, created_ms, changed_ms, changed_by, sealed) "
               "VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)"};
    sqlite3_stmt *s =
        statement_begin(store, &create, error, org_no, value->name.group, value->name.item, now_ms,
                        value->changed_by, value_blob(value->sealed, value->sealed_bytes));
    return statement_run(store, s, "create a credential", error);
}

int sqlite_remove_credential(struct store *store, const struct id *org_id,
                             const struct reference *name, struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    static struct statement remove = {.sql = "DELETE FROM credential " BY_NAME};
    sqlite3_stmt *s = statement_begin(store, &remove, error, org_no, name->group, name->item);
    int removed = statement_change(store, s, "remove a credential", error);
    return removed > 0 ? 0 : no_credential(name, error);
}

int sqlite_touch_credential(struct store *store, const struct id *org_id,
                            const struct reference *name, int64_t now_ms, struct error *error)
{
    static struct statement touch = {
        .sql = "UPDATE credential SET last_used_ms = ?4 WHERE \"group\" = ?2 AND item = ?3 "
               "AND org_no = (SELECT no FROM org WHERE id = ?1)"};
    sqlite3_stmt *s =
        statement_begin(store, &touch, error, org_id, name->group, name->item, now_ms);
    return statement_change(store, s, "record a credential's use", error) < 0 ? -1 : 0;
}
