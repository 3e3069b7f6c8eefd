/* The audit log: one row for each change an administrator made, in the transaction of the change. Read on any connection's thread;
 * written by the committer. */
#include "store/sqlite/connection.h"

int store_list_audit(struct store *store, int64_t before_number, int limit,
                     int (*each)(void *, const struct audit_row *), void *context,
                     struct error *error)
{
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_LIST_AUDIT,
        "SELECT no, at_ms, who, source, action, subject_id, subject, detail, request_id "
        "FROM audit WHERE ?1 = 0 OR no < ?1 ORDER BY no DESC LIMIT ?2",
        error);
    if (!s)
        return -1;
    bind_int(s, 1, before_number);
    bind_int(s, 2, limit);
    int more;
    while ((more = statement_step(store, s, "list the audit log", error)) > 0) {
        struct audit_row row = {.number = column_int(s, 0),
                                .at_ms = column_int(s, 1),
                                .who = column_text(s, 2),
                                .source = column_text(s, 3),
                                .action = column_text(s, 4),
                                .has_subject_id = sqlite3_column_type(s, 5) != SQLITE_NULL,
                                .subject = column_text(s, 6),
                                .detail = column_text(s, 7),
                                .request_id = column_id(s, 8)};
        if (row.has_subject_id)
            row.subject_id = column_id(s, 5);
        if (each(context, &row) != 0)
            break;
    }
    statement_end(s);
    return more < 0 ? -1 : 0;
}

static int drop_oldest(struct store *store, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_DROP_AUDIT,
                      "DELETE FROM audit WHERE no <= (SELECT max(no) FROM audit) - ?1", error);
    if (!s)
        return -1;
    bind_int(s, 1, STORE_MAX_AUDIT);
    return statement_run(store, s, "shorten the audit log", error);
}

int store_add_audit(struct store *store, const struct audit_row *row, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_ADD_AUDIT,
                      "INSERT INTO audit (at_ms, who, source, action, subject_id, subject, detail, "
                      "request_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, row->at_ms);
    bind_text(s, 2, row->who);
    bind_text(s, 3, row->source);
    bind_text(s, 4, row->action);
    if (row->has_subject_id)
        bind_id(s, 5, &row->subject_id);
    bind_text(s, 6, row->subject);
    bind_text(s, 7, row->detail);
    bind_id(s, 8, &row->request_id);
    if (statement_run(store, s, "write the audit log", error) != 0)
        return -1;
    return drop_oldest(store, error);
}
