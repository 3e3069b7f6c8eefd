/* What belongs to a run: its headers and body, its vessel runs and their attempts; and how many runs are open. Called on any
 * connection's thread. */
#include "store/sqlite/connection.h"

int runs_find(struct store *store, const struct id *run_id, int64_t *number, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_FIND_RUN, "SELECT id_random FROM run WHERE no = ?1", error);
    if (!s)
        return -1;
    *number = id_run_number(run_id);
    bind_int(s, 1, *number);
    int found = statement_step(store, s, "find a run", error);
    /* Compared whole: version and variant count too. */
    if (found > 0) {
        struct id id = id_from_run_number(*number, (uint64_t)column_int(s, 0));
        found = id_equal(&id, run_id);
    }
    statement_end(s);
    char text[ID_TEXT_BYTES];
    if (found == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no run %s", id_format(run_id, text));
    return found < 0 ? -1 : 0;
}

int store_get_headers(struct store *store, const struct id *run_id,
                      int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                      struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_GET_HEADERS, "SELECT headers FROM run WHERE no = ?1", error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    int found = statement_step(store, s, "read a run's headers", error);
    if (found > 0) {
        const char *json = column_text(s, 0);
        each(context, json, (size_t)sqlite3_column_bytes(s, 0));
    }
    statement_end(s);
    return found < 0 ? -1 : 0;
}

int store_get_body(struct store *store, const struct id *run_id,
                   int (*each)(void *, enum body_place place, const struct id *request_id,
                               const void *body, int64_t bytes),
                   void *context, struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_GET_BODY,
        "SELECT body_place, request_id, body_bytes, body FROM run WHERE no = ?1", error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    int found = statement_step(store, s, "read a run's body", error);
    if (found > 0) {
        struct id request_id = column_id(s, 1);
        each(context, (enum body_place)column_int(s, 0), &request_id, sqlite3_column_blob(s, 3),
             column_int(s, 2));
    }
    statement_end(s);
    return found < 0 ? -1 : 0;
}

int store_list_vessels(struct store *store, const struct id *run_id,
                       int (*each)(void *, const struct vessel_row *), void *context,
                       struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(store, STATEMENT_LIST_VESSELS,
                                    "SELECT idx, id, vessel_id, name, status, attempts, exit_code, "
                                    "reason, started_ms, ended_ms, "
                                    "output_bytes FROM vessel_run WHERE run_no = ?1 ORDER BY idx",
                                    error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    int more;
    while ((more = statement_step(store, s, "list vessel runs", error)) > 0) {
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
                                 .output_bytes = column_int(s, 10)};
        if (each(context, &row) != 0)
            break;
    }
    statement_end(s);
    return more < 0 ? -1 : 0;
}

int store_list_attempts(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct attempt_row *), void *context,
                        struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_LIST_ATTEMPTS,
        "SELECT v.id, a.idx, a.attempt, a.has_ended, a.exit_code, a.reason, a.boot_id, "
        "a.started_ms, "
        "a.ended_ms, a.output_bytes, a.output_cut FROM attempt a CROSS JOIN vessel_run v "
        "ON v.run_no = a.run_no AND v.idx = a.idx WHERE a.run_no = ?1 ORDER BY a.idx, a.attempt",
        error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    int more;
    while ((more = statement_step(store, s, "list attempts", error)) > 0) {
        struct attempt_row row = {
            .run_id = *run_id,
            .run_number = number,
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
    statement_end(s);
    return more < 0 ? -1 : 0;
}

int store_count_open_runs(struct store *store, struct run_counts *counts, struct error *error)
{
    /* Added up over the fleets: as cheap with a million waiting. */
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_COUNT_OPEN,
        "SELECT (SELECT coalesce(sum(open), 0) FROM fleet_load), "
        "(SELECT count(*) FROM run_open INDEXED BY run_open_running WHERE status = 1)",
        error);
    if (!s)
        return -1;
    int found = statement_step(store, s, "count open runs", error);
    if (found > 0)
        *counts = (struct run_counts){.scheduled = column_int(s, 0) - column_int(s, 1),
                                      .running = column_int(s, 1)};
    statement_end(s);
    return found < 0 ? -1 : 0;
}
