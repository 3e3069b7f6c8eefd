/* The audit log: one row for each change by an administrator, written in the transaction of the
 * change. Reads run on any connection's thread, writes on the committer's. */
#include "store/sqlite/connection.h"

static struct audit_row read_row(sqlite3_stmt *s)
{
    return (struct audit_row){.number = column_int(s, 0),
                              .at_ms = column_int(s, 1),
                              .who = column_text(s, 2),
                              .source = column_text(s, 3),
                              .action = column_text(s, 4),
                              .has_subject_id = sqlite3_column_type(s, 5) != SQLITE_NULL,
                              .subject_id = column_id(s, 5),
                              .subject = column_text(s, 6),
                              .detail = column_text(s, 7),
                              .request_id = column_id(s, 8),
                              .has_fleet_id = sqlite3_column_type(s, 9) != SQLITE_NULL,
                              .fleet_id = column_id(s, 9),
                              .version = (int)column_int(s, 10)};
}

int sqlite_list_audit(struct store *store, const struct audit_filter *filter,
                      int (*each)(void *, const struct audit_row *), void *context,
                      struct error *error)
{
    static struct statement list = {
        .sql = "SELECT no, at_ms, who, source, action, subject_id, subject, detail, request_id, "
               "fleet_id, version FROM audit WHERE no < ?1 AND at_ms >= ?2 "
               "AND (?3 IS NULL OR who = ?3 OR substr(who, instr(who, ' ') + 1) = ?3) "
               "AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR fleet_id = ?5) "
               "ORDER BY no DESC LIMIT ?6"};
    int64_t below = filter->before_number > 0 ? filter->before_number : INT64_MAX;
    sqlite3_stmt *s = statement_begin(store, &list, error, below, filter->since_ms, filter->who,
                                      filter->action, filter->fleet_id, filter->limit);
    while (statement_step(store, s, "list the audit log", error)) {
        struct audit_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_find_audit(struct store *store, const struct audit_row *row, int64_t since_ms,
                      struct error *error)
{
    static struct statement find = {
        .sql = "SELECT 1 FROM (SELECT * FROM audit ORDER BY no DESC LIMIT ?1) WHERE at_ms >= ?2 "
               "AND who = ?3 AND source = ?4 AND action = ?5 AND subject_id IS ?6 "
               "AND (?6 IS NOT NULL OR subject = ?7) AND fleet_id IS ?8 LIMIT 1"};
    int64_t one = 0;
    const struct id *subject_id = row->has_subject_id ? &row->subject_id : NULL;
    const struct id *fleet_id = row->has_fleet_id ? &row->fleet_id : NULL;
    sqlite3_stmt *s = statement_begin(store, &find, error, STORE_AUDIT_RECENT, since_ms, row->who,
                                      row->source, row->action, subject_id, row->subject, fleet_id);
    return statement_find(store, s, "search the audit log", &one, error);
}

static int drop_oldest(struct store *store, struct error *error)
{
    static struct statement drop = {
        .sql = "DELETE FROM audit WHERE no <= (SELECT max(no) FROM audit) - ?1"};
    sqlite3_stmt *s = statement_begin(store, &drop, error, STORE_MAX_AUDIT);
    return statement_run(store, s, "trim the audit log", error);
}

int sqlite_add_audit(struct store *store, const struct audit_row *row, struct error *error)
{
    static struct statement add = {
        .sql = "INSERT INTO audit (at_ms, who, source, action, subject_id, subject, detail, "
               "request_id, fleet_id, version) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, nullif(?10, 0))"};
    const struct id *subject_id = row->has_subject_id ? &row->subject_id : NULL;
    const struct id *fleet_id = row->has_fleet_id ? &row->fleet_id : NULL;
    sqlite3_stmt *s = statement_begin(store, &add, error, row->at_ms, row->who, row->source,
                                      row->action, subject_id, row->subject, row->detail,
                                      &row->request_id, fleet_id, row->version);
    if (statement_run(store, s, "write the audit log", error) != 0)
        return -1;
    return drop_oldest(store, error);
}
