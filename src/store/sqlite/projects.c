/* Organizations and projects. Reads run on any connection's thread, writes on the committer's. The
 * row of a deleted organization or project stays, because ended runs still refer to it. */
#include "store/sqlite/connection.h"

#include <stdio.h>

static int not_found(const char *what, const struct id *id, struct error *error)
{
    char text[ID_TEXT_BYTES];
    return error_set(error, ERROR_NOT_FOUND, "there is no %s %s", what, id_format(id, text));
}

/* ---- Reading ---- */

int sqlite_list_orgs(struct store *store, int (*each)(void *, const struct org_row *),
                     void *context, struct error *error)
{
    static struct statement list = {
        .sql = "SELECT id, name, created_ms FROM org WHERE deleted = 0 ORDER BY name"};
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (statement_step(store, s, "list organizations", error)) {
        struct org_row row = {
            .id = column_id(s, 0), .name = column_text(s, 1), .created_ms = column_int(s, 2)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int projects_find_org(struct store *store, const struct id *org_id, int64_t *org_no,
                      struct error *error)
{
    static struct statement find = {.sql = "SELECT no FROM org WHERE id = ?1 AND deleted = 0"};
    sqlite3_stmt *s = statement_begin(store, &find, error, org_id);
    int found = statement_find(store, s, "find an organization", org_no, error);
    return found > 0 ? 0 : not_found("organization", org_id, error);
}

int projects_find(struct store *store, const struct id *project_id, int64_t *project_no,
                  struct error *error)
{
    static struct statement find = {.sql = "SELECT no FROM project WHERE id = ?1 AND deleted = 0"};
    sqlite3_stmt *s = statement_begin(store, &find, error, project_id);
    int found = statement_find(store, s, "find a project", project_no, error);
    return found > 0 ? 0 : not_found("project", project_id, error);
}

int sqlite_list_projects(struct store *store, const struct id *org_id,
                         int (*each)(void *, const struct project_row *), void *context,
                         struct error *error)
{
    int64_t org_no = 0;
    if (org_id && projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    static struct statement list = {.sql = "SELECT p.id, o.id, p.name, o.name, p.created_ms "
                                           "FROM project p JOIN org o ON o.no = p.org_no "
                                           "WHERE p.deleted = 0 AND (?1 = 0 OR p.org_no = ?1) "
                                           "ORDER BY o.name, p.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, org_no);
    while (statement_step(store, s, "list projects", error)) {
        struct project_row row = {.id = column_id(s, 0),
                                  .org_id = column_id(s, 1),
                                  .name = column_text(s, 2),
                                  .org_name = column_text(s, 3),
                                  .created_ms = column_int(s, 4)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

/* ---- Writing ---- */

int sqlite_create_org(struct store *store, const char *name, int64_t now_ms, struct id *id,
                      struct error *error)
{
    char taken[NAME_MAX_BYTES + 100];
    snprintf(taken, sizeof(taken), "organization \"%s\" already exists", name);
    *id = id_random();
    static struct statement create = {
        .sql = "INSERT INTO org (id, name, created_ms) VALUES (?1, ?2, ?3)"};
    sqlite3_stmt *s = statement_begin(store, &create, error, id, name, now_ms);
    return statement_insert(store, s, "create an organization", taken, error);
}

int sqlite_create_project(struct store *store, const struct id *org_id, const char *name,
                          int64_t now_ms, struct id *id, struct error *error)
{
    int64_t org_no = 0;
    if (projects_find_org(store, org_id, &org_no, error) != 0)
        return -1;
    char taken[NAME_MAX_BYTES + 100];
    snprintf(taken, sizeof(taken), "project \"%s\" already exists in this organization", name);
    *id = id_random();
    static struct statement create = {
        .sql = "INSERT INTO project (id, org_no, name, created_ms) VALUES (?1, ?2, ?3, ?4)"};
    sqlite3_stmt *s = statement_begin(store, &create, error, id, org_no, name, now_ms);
    return statement_insert(store, s, "create a project", taken, error);
}

/* Refuses unless an organization or a project is empty. `s` reads the number of its contents and
 * its name; `what` describes that if the read fails. */
static int refuse_unless_empty(struct store *store, sqlite3_stmt *s, const char *what,
                               const char *folder, const char *contents, struct error *error)
{
    if (statement_step(store, s, what, error) && column_int(s, 0) > 0)
        error_set(error, ERROR_CONFLICT, "%s \"%s\" is not empty: it contains %lld %s%s", folder,
                  column_text(s, 1), (long long)column_int(s, 0), contents,
                  column_int(s, 0) == 1 ? "" : "s");
    return statement_end(s) != 0 || error_is_set(error) ? -1 : 0;
}

int sqlite_delete_org(struct store *store, const struct id *id, struct error *error)
{
    int64_t no = 0;
    if (projects_find_org(store, id, &no, error) != 0)
        return -1;
    static struct statement count = {
        .sql = "SELECT count(*), (SELECT name FROM org WHERE no = ?1) FROM project "
               "WHERE org_no = ?1 AND deleted = 0"};
    sqlite3_stmt *s = statement_begin(store, &count, error, no);
    if (refuse_unless_empty(store, s, "count the projects of an organization", "organization",
                            "project", error) != 0)
        return -1;
    static struct statement forget = {.sql = "DELETE FROM credential WHERE org_no = ?1"};
    s = statement_begin(store, &forget, error, no);
    if (statement_run(store, s, "remove the credentials of an organization", error) != 0)
        return -1;
    static struct statement delete = {.sql = "UPDATE org SET deleted = 1 WHERE no = ?1"};
    s = statement_begin(store, &delete, error, no);
    return statement_run(store, s, "delete an organization", error);
}

int sqlite_delete_project(struct store *store, const struct id *id, struct error *error)
{
    int64_t no = 0;
    if (projects_find(store, id, &no, error) != 0)
        return -1;
    static struct statement count = {
        .sql = "SELECT count(*), (SELECT name FROM project WHERE no = ?1) FROM fleet "
               "WHERE project_no = ?1 AND deleted_ms IS NULL"};
    sqlite3_stmt *s = statement_begin(store, &count, error, no);
    if (refuse_unless_empty(store, s, "count the fleets of a project", "project", "fleet", error) !=
        0)
        return -1;
    static struct statement delete = {.sql = "UPDATE project SET deleted = 1 WHERE no = ?1"};
    s = statement_begin(store, &delete, error, no);
    return statement_run(store, s, "delete a project", error);
}

int projects_make_default(struct store *store, int64_t now_ms, struct error *error)
{
    struct id org_id, project_id;
    if (transaction_begin(store, error) != 0)
        return -1;
    /* Deleted organizations count, too: an administrator who deleted `default` does not want it
     * back. */
    static struct statement any = {.sql = "SELECT no FROM org LIMIT 1"};
    int64_t org_no = 0;
    int found = statement_find(store, statement_begin(store, &any, error), "look for organizations",
                               &org_no, error);
    if (found == 0 &&
        (sqlite_create_org(store, "default", now_ms, &org_id, error) != 0 ||
         sqlite_create_project(store, &org_id, "default", now_ms, &project_id, error) != 0))
        found = -1;
    if (found >= 0 && transaction_commit(store, error) == 0)
        return 0;
    transaction_rollback(store);
    return -1;
}
