/* The runner's side: what waits, what a run needs to be executed, and each step of executing it. Reading happens on the runner's own
 * connection and thread, writing on the committer's. A run moves from run_open to run_ended in store_end_run. */
#include "store/sqlite/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- Claiming: by query, invariant 9 ---- */

static int read_numbers(struct store *store, sqlite3_stmt *s, int limit, int64_t *numbers,
                        struct error *error)
{
    int count = 0, more = 0;
    while (count < limit && (more = statement_step(store, s, "look for runs", error)) > 0)
        numbers[count++] = column_int(s, 0);
    statement_end(s);
    return more < 0 ? -1 : count;
}

int store_find_waiting(struct store *store, int64_t after_number, int limit,
                       struct waiting_run *runs, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_FIND_WAITING,
                      "SELECT no, fleet_no FROM run_open NOT INDEXED WHERE no > ?1 AND status = 0 "
                      "ORDER BY no LIMIT ?2",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, after_number);
    bind_int(s, 2, limit);
    int count = 0, more = 0;
    while (count < limit && (more = statement_step(store, s, "look for runs", error)) > 0) {
        runs[count].number = column_int(s, 0);
        runs[count++].fleet_no = column_int(s, 1);
    }
    statement_end(s);
    return more < 0 ? -1 : count;
}

int store_find_waiting_of(struct store *store, int64_t fleet_no, int64_t from_number,
                          int64_t to_number, int limit, int64_t *numbers, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_FIND_WAITING_OF,
                      "SELECT no FROM run_open NOT INDEXED WHERE no >= ?1 AND no <= ?2 "
                      "AND fleet_no = ?3 AND status = 0 ORDER BY no LIMIT ?4",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, from_number);
    bind_int(s, 2, to_number);
    bind_int(s, 3, fleet_no);
    bind_int(s, 4, limit);
    return read_numbers(store, s, limit, numbers, error);
}

int store_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                       struct error *error)
{
    /* Few run where very many may wait. */
    sqlite3_stmt *s = statement_get(store, STATEMENT_FIND_RUNNING,
                                    "SELECT no FROM run_open INDEXED BY run_open_running "
                                    "WHERE no > ?1 AND status = 1 ORDER BY no LIMIT ?2",
                                    error);
    if (!s)
        return -1;
    bind_int(s, 1, after_number);
    bind_int(s, 2, limit);
    return read_numbers(store, s, limit, numbers, error);
}

int store_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_FIND_STOPPING,
                                    "SELECT no FROM run_open INDEXED BY run_open_stopping "
                                    "WHERE no > ?1 AND stop_ms > 0 ORDER BY no LIMIT ?2",
                                    error);
    if (!s)
        return -1;
    bind_int(s, 1, after_number);
    bind_int(s, 2, limit);
    return read_numbers(store, s, limit, numbers, error);
}

/* ---- Loading ---- */

/* A copy of a column's bytes with a NUL behind them. A request sized it, so it can fail. */
static void *copy_column(sqlite3_stmt *s, int place, size_t *bytes)
{
    const void *data = sqlite3_column_blob(s, place);
    size_t length = (size_t)sqlite3_column_bytes(s, place);
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    *bytes = length;
    return copy;
}

static struct run_work *read_work(sqlite3_stmt *s, struct error *error)
{
    struct run_work *work = memory_alloc(sizeof(*work));
    work->number = column_int(s, 0);
    work->ids.run_id = id_from_run_number(work->number, (uint64_t)column_int(s, 1));
    work->ids.fleet_id = column_id(s, 2);
    work->ids.project_id = column_id(s, 3);
    work->ids.org_id = column_id(s, 4);
    work->fleet_name = memory_string(column_text(s, 5));
    work->project_name = memory_string(column_text(s, 6));
    work->org_name = memory_string(column_text(s, 7));
    work->version = (int)column_int(s, 8);
    work->status = (enum run_status)column_int(s, 9);
    work->started_ms = column_int(s, 10);
    work->request_id = column_id(s, 11);
    work->created_ms = column_int(s, 12);
    work->remote_addr = memory_string(column_text(s, 13));
    work->host = memory_string(column_text(s, 14));
    work->query = memory_string(column_text(s, 15));
    work->body_place = (enum body_place)column_int(s, 16);
    work->body_bytes = column_int(s, 17);
    const uint8_t *hash = sqlite3_column_blob(s, 18);
    if (hash && sqlite3_column_bytes(s, 18) == SECRET_HASH_BYTES)
        memcpy(work->body_sha256, hash, SECRET_HASH_BYTES);
    size_t body_bytes = 0, json_bytes = 0;
    work->headers_json = copy_column(s, 19, &work->headers_bytes);
    if (work->body_place == BODY_INLINE)
        work->body = copy_column(s, 20, &body_bytes);
    work->definition_json = copy_column(s, 21, &json_bytes);
    work->is_stopped = column_int(s, 22) > 0;
    work->fleet_no = column_int(s, 23);
    if (!work->headers_json || !work->definition_json ||
        (work->body_place == BODY_INLINE && !work->body)) {
        error_set(error, ERROR_UNAVAILABLE, "no memory for a run's body and headers");
        store_free_work(work);
        return NULL;
    }
    return work;
}

struct run_work *store_load_work(struct store *store, int64_t number, struct error *error)
{
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_LOAD_WORK,
        "SELECT r.no, r.id_random, f.id, p.id, o.id, f.name, p.name, o.name, r.version, q.status, "
        "q.started_ms, r.request_id, r.arrived_ms, r.remote_addr, r.host, r.query, r.body_place, "
        "r.body_bytes, r.body_sha256, r.headers, r.body, v.definition, q.stop_ms, r.fleet_no "
        "FROM run_open q CROSS JOIN run r ON r.no = q.no CROSS JOIN fleet f ON f.no = r.fleet_no "
        "CROSS JOIN project p ON p.no = f.project_no CROSS JOIN org o ON o.no = p.org_no "
        "CROSS JOIN fleet_version v ON v.fleet_no = r.fleet_no AND v.version = r.version "
        "WHERE q.no = ?1",
        error);
    if (!s)
        return NULL;
    bind_int(s, 1, number);
    int found = statement_step(store, s, "load a run", error);
    struct run_work *work = found > 0 ? read_work(s, error) : NULL;
    statement_end(s);
    if (found == 0)
        error_set(error, ERROR_NOT_FOUND, "run %lld is neither waiting nor running",
                  (long long)number);
    return work;
}

void store_free_work(struct run_work *work)
{
    if (!work)
        return;
    free(work->org_name);
    free(work->project_name);
    free(work->fleet_name);
    free(work->remote_addr);
    free(work->host);
    free(work->query);
    free(work->headers_json);
    free(work->body);
    free(work->definition_json);
    free(work);
}

/* ---- Writing ---- */

/* Runs a statement that is to change exactly one row; if it changes none, the state forbids the step. */
static int step_one(struct store *store, sqlite3_stmt *s, const char *what, int64_t number,
                    struct error *error)
{
    if (statement_run(store, s, what, error) != 0)
        return -1;
    if (sqlite3_changes(store->db) == 1)
        return 0;
    return error_set(error, ERROR_CONFLICT, "cannot %s: run %lld is not in the state for it", what,
                     (long long)number);
}

/* 1: it has ended, 0: there is no such run. */
static int find_ended(struct store *store, int64_t number, int64_t random, struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_FIND_ENDED,
                                    "SELECT 1 FROM run WHERE no = ?1 AND id_random = ?2", error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, random);
    int found = statement_step(store, s, "look for a run", error);
    statement_end(s);
    return found;
}

int store_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                   struct error *error)
{
    int64_t number = id_run_number(run_id), random = (int64_t)id_run_random(run_id);
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_STOP_RUN,
                      "UPDATE run_open SET stop_ms = iif(stop_ms = 0, ?3, stop_ms) WHERE no = ?1 "
                      "AND EXISTS (SELECT 1 FROM run WHERE run.no = ?1 AND run.id_random = ?2)",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, random);
    bind_int(s, 3, now_ms);
    if (statement_run(store, s, "stop a run", error) != 0)
        return -1;
    if (sqlite3_changes(store->db) == 1)
        return 0;
    char text[ID_TEXT_BYTES];
    int ended = find_ended(store, number, random, error);
    if (ended > 0)
        return error_set(error, ERROR_CONFLICT, "run %s has ended", id_format(run_id, text));
    return error_set(error, ERROR_NOT_FOUND, "there is no run %s", id_format(run_id, text));
}

int store_start_run(struct store *store, int64_t number, const struct definition *definition,
                    const struct id *vessel_run_ids, int64_t now_ms, struct error *error)
{
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_START_RUN,
        "UPDATE run_open SET status = 1, started_ms = ?2 WHERE no = ?1 AND status = 0", error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, now_ms);
    if (step_one(store, s, "start a run", number, error) != 0)
        return -1;
    s = statement_get(store, STATEMENT_INSERT_VESSEL,
                      "INSERT INTO vessel_run (run_no, idx, id, vessel_id, name, status, attempts, "
                      "reason, started_ms, ended_ms, output_bytes) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '', 0, 0, 0)",
                      error);
    for (size_t i = 0; s && i < definition->vessel_count; i++) {
        bind_int(s, 1, number);
        bind_int(s, 2, (int64_t)i);
        bind_id(s, 3, &vessel_run_ids[i]);
        bind_id(s, 4, &definition->vessels[i].id);
        bind_text(s, 5, definition->vessels[i].name);
        if (statement_run(store, s, "store a vessel run", error) != 0)
            return -1;
    }
    return !s ? -1 : 0;
}

int store_start_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                        const struct id *boot_id, int64_t now_ms, struct error *error)
{
    /* Status: scheduled, running (after an interruption) or retrying. The number keeps an attempt from being started twice. */
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_START_VESSEL,
                      "UPDATE vessel_run SET status = 1, attempts = ?3, "
                      "started_ms = iif(started_ms = 0, ?4, started_ms) "
                      "WHERE run_no = ?1 AND idx = ?2 AND status <= 2 AND attempts = ?3 - 1",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, vessel_index);
    bind_int(s, 3, attempt);
    bind_int(s, 4, now_ms);
    if (step_one(store, s, "start an attempt", number, error) != 0)
        return -1;
    s = statement_get(store, STATEMENT_INSERT_ATTEMPT,
                      "INSERT INTO attempt (run_no, idx, attempt, boot_id, has_ended, reason, "
                      "started_ms, ended_ms, output_bytes, output_cut) "
                      "VALUES (?1, ?2, ?3, ?4, 0, '', ?5, 0, 0, 0)",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, vessel_index);
    bind_int(s, 3, attempt);
    bind_id(s, 4, boot_id);
    bind_int(s, 5, now_ms);
    return statement_insert(store, s, "store an attempt", "this attempt was started already",
                            error);
}

static void bind_exit_code(sqlite3_stmt *s, int place, const struct attempt_result *result)
{
    if (result->has_exit_code)
        bind_int(s, place, result->exit_code);
}

int store_end_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                      const struct attempt_result *result, struct error *error)
{
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_END_ATTEMPT,
        "UPDATE attempt SET has_ended = 1, exit_code = ?4, reason = ?5, "
        "started_ms = iif(?6 = 0, started_ms, ?6), ended_ms = ?7, output_bytes = ?8, "
        "output_cut = ?9 WHERE run_no = ?1 AND idx = ?2 AND attempt = ?3 AND has_ended = 0",
        error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, vessel_index);
    bind_int(s, 3, attempt);
    bind_exit_code(s, 4, result);
    bind_text(s, 5, result->reason);
    bind_int(s, 6, result->started_ms);
    bind_int(s, 7, result->ended_ms);
    bind_int(s, 8, result->output_bytes);
    bind_int(s, 9, result->output_cut);
    if (step_one(store, s, "end an attempt", number, error) != 0)
        return -1;
    /* The vessel run is retrying until store_end_vessel says how it ended; it shows its last attempt. */
    s = statement_get(store, STATEMENT_NOTE_ATTEMPT,
                      "UPDATE vessel_run SET status = iif(status = 1, 2, status), exit_code = ?3, "
                      "reason = ?4, output_bytes = ?5 WHERE run_no = ?1 AND idx = ?2",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, vessel_index);
    bind_exit_code(s, 3, result);
    bind_text(s, 4, result->reason);
    bind_int(s, 5, result->output_bytes);
    return statement_run(store, s, "note an attempt's end", error);
}

int store_end_vessel(struct store *store, int64_t number, int vessel_index,
                     enum vessel_status status, const char *reason, int64_t now_ms,
                     struct error *error)
{
    assert(vessel_status_has_ended(status));
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_END_VESSEL,
        "UPDATE vessel_run SET status = ?3, reason = iif(?4 = '', reason, ?4), ended_ms = ?5 "
        "WHERE run_no = ?1 AND idx = ?2 AND status <= 2",
        error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, vessel_index);
    bind_int(s, 3, status);
    bind_text(s, 4, reason ? reason : "");
    bind_int(s, 5, now_ms);
    return step_one(store, s, "end a vessel run", number, error);
}

int store_end_run(struct store *store, int64_t number, enum run_status status, int64_t now_ms,
                  struct error *error)
{
    assert(run_status_has_ended(status));
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_INSERT_ENDED,
        "INSERT INTO run_ended (no, fleet_no, \"trigger\", status, started_ms, ended_ms) "
        "SELECT no, fleet_no, \"trigger\", ?2, started_ms, ?3 FROM run_open WHERE no = ?1",
        error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    bind_int(s, 2, status);
    bind_int(s, 3, now_ms);
    if (step_one(store, s, "end a run", number, error) != 0)
        return -1;
    s = statement_get(store, STATEMENT_DELETE_OPEN,
                      "DELETE FROM run_open WHERE no = ?1 RETURNING fleet_no", error);
    if (!s)
        return -1;
    bind_int(s, 1, number);
    int found = statement_step(store, s, "take a run out of the queue", error);
    if (found > 0) {
        load_change(store, column_int(s, 0), -1);
        found = statement_step(store, s, "take a run out of the queue", error);
    }
    statement_end(s);
    return found < 0 ? -1 : 0;
}
