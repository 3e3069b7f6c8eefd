/* Reading the details of a run: its origin, headers and body, its vessel runs and their attempts;
 * and the number of open runs. Called on any connection's thread. */
#include "store/sqlite/connection.h"

int sqlite_get_origin(struct store *store, const struct id *run_id,
                      int (*each)(void *, const struct run_origin *), void *context,
                      struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement get = {.sql = "SELECT withheld, again_of FROM run WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, number);
    if (statement_step(store, s, "read a run's origin", error)) {
        struct id again_of = column_id(s, 1);
        bool has_withheld = sqlite3_column_type(s, 0) != SQLITE_NULL;
        struct run_origin origin = {.withheld_json = has_withheld ? column_text(s, 0) : NULL,
                                    .again_of = id_is_zero(&again_of) ? NULL : &again_of};
        each(context, &origin);
    }
    return statement_end(s);
}

int sqlite_list_again(struct store *store, const struct id *run_id, int limit,
                      int (*each)(void *, const struct id *), void *context, struct error *error)
{
    static struct statement list = {.sql = "SELECT no, id_random FROM run INDEXED BY run_again "
                                           "WHERE again_of = ?1 ORDER BY no DESC LIMIT ?2"};
    sqlite3_stmt *s = statement_begin(store, &list, error, run_id, limit);
    while (statement_step(store, s, "list the repeats of a run", error)) {
        struct id id = id_from_run_number(column_int(s, 0), (uint64_t)column_int(s, 1));
        if (each(context, &id) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_get_headers(struct store *store, const struct id *run_id,
                       int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                       struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement get = {.sql = "SELECT headers FROM run WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, number);
    if (statement_step(store, s, "read a run's headers", error)) {
        const char *json = column_text(s, 0);
        each(context, json, (size_t)sqlite3_column_bytes(s, 0));
    }
    return statement_end(s);
}

int sqlite_get_body(struct store *store, const struct id *run_id,
                    int (*each)(void *, enum body_place place, const struct id *request_id,
                                const void *body, int64_t bytes),
                    void *context, struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement get = {
        .sql = "SELECT body_place, request_id, body_bytes, body FROM run WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, number);
    if (statement_step(store, s, "read a run's body", error)) {
        struct id request_id = column_id(s, 1);
        each(context, (enum body_place)column_int(s, 0), &request_id, sqlite3_column_blob(s, 3),
             column_int(s, 2));
    }
    return statement_end(s);
}

int sqlite_list_vessels(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct vessel_row *), void *context,
                        struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement list = {
        .sql = "SELECT idx, id, vessel_id, name, status, attempts, exit_code, reason, started_ms, "
               "ended_ms, output_bytes, "
               "(SELECT count(*) FROM attempt a WHERE a.run_no = v.run_no AND a.idx = v.idx "
               "AND a.has_ended = 1 AND a.exit_code IS NULL "
               "AND (a.attempt < v.attempts OR v.status = ?2)), "
               "CASE WHEN v.status = ?2 THEN (SELECT a.ended_ms FROM attempt a "
               "WHERE a.run_no = v.run_no AND a.idx = v.idx AND a.attempt = v.attempts "
               "AND a.exit_code IS NOT NULL) END, blueprint_version "
               "FROM vessel_run v WHERE run_no = ?1 ORDER BY idx"};
    sqlite3_stmt *s = statement_begin(store, &list, error, number, VESSEL_RETRYING);
    while (statement_step(store, s, "list vessel runs", error)) {
        struct vessel_row row = {.index = (int)column_int(s, 0),
                                 .id = column_id(s, 1),
                                 .vessel_id = column_id(s, 2),
                                 .name = column_text(s, 3),
                                 .status = (enum vessel_status)column_int(s, 4),
                                 .attempts = (int)column_int(s, 5),
                                 .has_exit_code = sqlite3_column_type(s, 6) != SQLITE_NULL,
                                 .exit_code = (int)column_int(s, 6),
                                 .reason = column_text(s, 7),
                                 .started_ms = column_int(s, 8),
                                 .ended_ms = column_int(s, 9),
                                 .output_bytes = column_int(s, 10),
                                 .interruptions = (int)column_int(s, 11),
                                 .failed_ms = column_int(s, 12),
                                 .blueprint_version = (int)column_int(s, 13)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_list_attempts(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct attempt_row *), void *context,
                         struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement list = {
        .sql = "SELECT v.id, a.idx, a.attempt, a.has_ended, a.exit_code, a.reason, a.boot_id, "
               "a.started_ms, a.ended_ms, a.output_bytes, a.output_cut "
               "FROM attempt a CROSS JOIN vessel_run v ON v.run_no = a.run_no AND v.idx = a.idx "
               "WHERE a.run_no = ?1 ORDER BY a.idx, a.attempt"};
    sqlite3_stmt *s = statement_begin(store, &list, error, number);
    while (statement_step(store, s, "list attempts", error)) {
        struct attempt_row row = {
            .run_id = *run_id,
            .vessel_run_id = column_id(s, 0),
            .vessel_index = (int)column_int(s, 1),
            .attempt = (int)column_int(s, 2),
            .has_ended = column_int(s, 3) != 0,
            .boot_id = column_id(s, 6),
            .result = {.has_exit_code = sqlite3_column_type(s, 4) != SQLITE_NULL,
                       .exit_code = (int)column_int(s, 4),
                       .started_ms = column_int(s, 7),
                       .ended_ms = column_int(s, 8),
                       .output_bytes = column_int(s, 9),
                       .output_cut = column_int(s, 10) != 0}};
        attempt_result_set_reason(&row.result, column_text(s, 5));
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_count_open_runs(struct store *store, struct run_counts *counts, struct error *error)
{
    /* The sum over the fleets costs no more with a million scheduled runs. */
    static struct statement count = {
        .sql = "SELECT (SELECT coalesce(sum(open), 0) FROM fleet_load), "
               "(SELECT count(*) FROM run_open INDEXED BY run_open_running WHERE status = 1)"};
    sqlite3_stmt *s = statement_begin(store, &count, error);
    if (statement_step(store, s, "count open runs", error))
        *counts = (struct run_counts){.scheduled = column_int(s, 0) - column_int(s, 1),
                                      .running = column_int(s, 1)};
    return statement_end(s);
}
