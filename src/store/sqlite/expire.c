/* Deleting ended runs, and returning the space that they occupied. Finding them runs on the
 * caller's own connection and thread, the rest on the committer's thread. */
#include "store/sqlite/connection.h"

#include "base/memory.h"

/* This much may stay free for future runs: it is not worth moving pages for space that is needed
 * again soon. */
#define KEEP_FREE_PAGES 16384 /* 64 MiB */
#define KEEP_FREE_SHARE 4     /* or a quarter of the file, if that is more */
#define GIVE_BACK_PAGES 256   /* 1 MiB in one operation */

int sqlite_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                        struct error *error)
{
    /* A run that ended before before_ms was accepted before it, hence the bound on the number. The
     * newest run stays, whatever its age: the numbers of later runs continue from it. */
    static struct statement find = {
        .sql = "SELECT e.no, r.id_random, r.request_id, r.body_place "
               "FROM run_ended e CROSS JOIN run r ON r.no = e.no "
               "WHERE e.no < ?1 AND e.ended_ms < ?2 AND e.no < (SELECT max(no) FROM run) "
               "ORDER BY e.no LIMIT ?3"};
    sqlite3_stmt *s = statement_begin(store, &find, error, before_ms << 12, before_ms, limit);
    int count = 0;
    while (count < limit && statement_step(store, s, "look for old runs", error)) {
        struct expired_run *run = &runs[count++];
        run->number = column_int(s, 0);
        run->id = id_from_run_number(run->number, (uint64_t)column_int(s, 1));
        run->request_id = column_id(s, 2);
        run->is_spooled = column_int(s, 3) == BODY_SPOOLED;
    }
    return statement_end(s) == 0 ? count : -1;
}

/* Returns how many pages are free beyond those worth keeping, or -1 on error. */
static int64_t surplus_pages(struct store *store, struct error *error)
{
    static struct statement count = {.sql = "SELECT f.freelist_count, p.page_count FROM "
                                            "pragma_freelist_count AS f, pragma_page_count AS p"};
    sqlite3_stmt *s = statement_begin(store, &count, error);
    int64_t surplus = -1;
    if (statement_step(store, s, "count free pages", error)) {
        int64_t share = column_int(s, 1) / KEEP_FREE_SHARE;
        surplus = column_int(s, 0) - (share > KEEP_FREE_PAGES ? share : KEEP_FREE_PAGES);
        surplus = surplus > 0 ? surplus : 0;
    }
    statement_end(s);
    return surplus;
}

int sqlite_give_back(struct store *store, bool *is_more, struct error *error)
{
    int64_t surplus = surplus_pages(store, error);
    *is_more = surplus > GIVE_BACK_PAGES;
    if (surplus <= 0)
        return surplus < 0 ? -1 : 0;
    char sql[64];
    sqlite3_snprintf(sizeof(sql), sql, "PRAGMA incremental_vacuum(%d)", GIVE_BACK_PAGES);
    if (sqlite3_exec(connection_of(store)->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return statement_failed(connection_of(store)->db, "return free space", error);
    return 0;
}

int sqlite_delete_run(struct store *store, int64_t number, struct error *error)
{
    static struct statement end = {.sql = "DELETE FROM run_ended WHERE no = ?1"};
    static struct statement rest[] = {{.sql = "DELETE FROM attempt WHERE run_no = ?1"},
                                      {.sql = "DELETE FROM vessel_run WHERE run_no = ?1"},
                                      {.sql = "DELETE FROM run_override WHERE run_no = ?1"},
                                      {.sql = "DELETE FROM run WHERE no = ?1"}};
    sqlite3_stmt *s = statement_begin(store, &end, error, number);
    if (statement_change(store, s, "delete a run", error) <= 0)
        return error_set(error, ERROR_CONFLICT, "fleet run number %lld has not ended",
                         (long long)number);
    for (size_t i = 0; i < ARRAY_COUNT(rest); i++) {
        s = statement_begin(store, &rest[i], error, number);
        if (statement_run(store, s, "delete a run", error) != 0)
            return -1;
    }
    return 0;
}
