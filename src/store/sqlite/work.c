/* The runner's part of the store: which runs are scheduled, what the runner needs to execute one,
 * and each step of the execution. Reads run on the runner's own connection and thread, writes on
 * the committer's. sqlite_end_run moves a run from run_open to run_ended. */
#include "store/sqlite/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- Claiming: by query, invariant 9 ---- */

static int read_numbers(struct store *store, sqlite3_stmt *s, int limit, int64_t *numbers,
                        struct error *error)
{
    int count = 0;
    while (count < limit && statement_step(store, s, "look for runs", error))
        numbers[count++] = column_int(s, 0);
    return statement_end(s) == 0 ? count : -1;
}

int sqlite_find_scheduled(struct store *store, int64_t after_number, int limit,
                          struct scheduled_run *runs, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no, fleet_no FROM run_open NOT INDEXED WHERE no > ?1 AND status = 0 "
               "ORDER BY no LIMIT ?2"};
    sqlite3_stmt *s = statement_begin(store, &find, error, after_number, limit);
    int count = 0;
    while (count < limit && statement_step(store, s, "look for runs", error)) {
        runs[count].number = column_int(s, 0);
        runs[count++].fleet_no = column_int(s, 1);
    }
    return statement_end(s) == 0 ? count : -1;
}

int sqlite_find_scheduled_of(struct store *store, int64_t fleet_no, int64_t from_number,
                             int64_t to_number, int limit, int64_t *numbers, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT no FROM run_open NOT INDEXED WHERE no >= ?1 AND no <= ?2 "
               "AND fleet_no = ?3 AND status = 0 ORDER BY no LIMIT ?4"};
    sqlite3_stmt *s = statement_begin(store, &find, error, from_number, to_number, fleet_no, limit);
    return read_numbers(store, s, limit, numbers, error);
}

int sqlite_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error)
{
    /* By the index, because very many runs may be scheduled, but few are running. */
    static struct statement find = {.sql = "SELECT no FROM run_open INDEXED BY run_open_running "
                                           "WHERE no > ?1 AND status = 1 ORDER BY no LIMIT ?2"};
    sqlite3_stmt *s = statement_begin(store, &find, error, after_number, limit);
    return read_numbers(store, s, limit, numbers, error);
}

int sqlite_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                         struct error *error)
{
    static struct statement find = {.sql = "SELECT no FROM run_open INDEXED BY run_open_stopping "
                                           "WHERE no > ?1 AND stop_ms > 0 ORDER BY no LIMIT ?2"};
    sqlite3_stmt *s = statement_begin(store, &find, error, after_number, limit);
    return read_numbers(store, s, limit, numbers, error);
}

/* ---- Loading ---- */

/* Returns a copy of a column's bytes with a NUL appended, or NULL: a request determines the size,
 * so the allocation may fail. */
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
        error_set(error, ERROR_UNAVAILABLE, "out of memory for a run's headers and body");
        store_free_work(work);
        return NULL;
    }
    return work;
}

static int read_names(void *context, const struct run_overrides *overrides)
{
    struct run_work *work = context;
    struct error damage = ERROR_INIT;
    work->overrides_are_damaged = overrides_form_read(overrides->names, overrides->names_bytes,
                                                      false, &work->overrides, &damage) != 0;
    return 0;
}

/* Only a run of the API trigger is looked up. Returns NULL and frees the work on error. */
static struct run_work *add_overrides(struct store *store, struct run_work *work,
                                      struct error *error)
{
    if (!work || work->body_place != BODY_ABSENT ||
        sqlite_get_overrides(store, &work->ids.run_id, read_names, work, error) == 0)
        return work;
    store_free_work(work);
    return NULL;
}

struct run_work *sqlite_load_work(struct store *store, int64_t number, struct error *error)
{
    static struct statement load = {
        .sql = "SELECT r.no, r.id_random, f.id, p.id, o.id, f.name, p.name, o.name, r.version, "
               "q.status, q.started_ms, r.request_id, r.arrived_ms, r.remote_addr, r.host, "
               "r.query, r.body_place, r.body_bytes, r.body_sha256, r.headers, r.body, "
               "v.definition, q.stop_ms, r.fleet_no "
               "FROM run_open q CROSS JOIN run r ON r.no = q.no "
               "CROSS JOIN fleet f ON f.no = r.fleet_no "
               "CROSS JOIN project p ON p.no = f.project_no CROSS JOIN org o ON o.no = p.org_no "
               "CROSS JOIN fleet_version v ON v.fleet_no = r.fleet_no AND v.version = r.version "
               "WHERE q.no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &load, error, number);
    bool found = statement_step(store, s, "load a run", error);
    struct run_work *work = found ? read_work(s, error) : NULL;
    statement_end(s);
    if (!found)
        error_set(error, ERROR_NOT_FOUND, "fleet run number %lld is neither scheduled nor running",
                  (long long)number);
    return add_overrides(store, work, error);
}

/* ---- Writing ---- */

/* Runs a statement that must change exactly one row. If it changes none, the run's state does not
 * allow the step. */
static int step_one(struct store *store, sqlite3_stmt *s, const char *what, int64_t number,
                    struct error *error)
{
    if (statement_change(store, s, what, error) > 0)
        return 0;
    return error_set(error, ERROR_CONFLICT,
                     "cannot %s: the state of fleet run number %lld does not allow it", what,
                     (long long)number);
}

/* To be called for a run that is not open. Returns 1 if it has ended, 0 if there is no such run. */
static int find_ended(struct store *store, int64_t number, int64_t random, struct error *error)
{
    static struct statement find = {.sql = "SELECT no FROM run WHERE no = ?1 AND id_random = ?2"};
    sqlite3_stmt *s = statement_begin(store, &find, error, number, random);
    return statement_find(store, s, "look for a run", &number, error);
}

int sqlite_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                    struct error *error)
{
    int64_t number = id_run_number(run_id), random = (int64_t)id_run_random(run_id);
    static struct statement stop = {
        .sql = "UPDATE run_open SET stop_ms = iif(stop_ms = 0, ?3, stop_ms) WHERE no = ?1 "
               "AND EXISTS (SELECT 1 FROM run WHERE run.no = ?1 AND run.id_random = ?2)"};
    sqlite3_stmt *s = statement_begin(store, &stop, error, number, random, now_ms);
    int changed = statement_change(store, s, "stop a run", error);
    if (changed != 0)
        return changed > 0 ? 0 : -1;
    char text[ID_TEXT_BYTES];
    int ended = find_ended(store, number, random, error);
    if (ended > 0)
        return error_set(error, ERROR_CONFLICT, "fleet run %s has already ended",
                         id_format(run_id, text));
    return error_set(error, ERROR_NOT_FOUND, "there is no fleet run %s", id_format(run_id, text));
}

int sqlite_start_run(struct store *store, int64_t number, const struct definition *definition,
                     const struct id *vessel_run_ids, int64_t now_ms, struct error *error)
{
    static struct statement start = {
        .sql = "UPDATE run_open SET status = 1, started_ms = ?2 WHERE no = ?1 AND status = 0"};
    sqlite3_stmt *s = statement_begin(store, &start, error, number, now_ms);
    if (step_one(store, s, "start a run", number, error) != 0)
        return -1;
    static struct statement insert = {
        .sql = "INSERT INTO vessel_run (run_no, idx, id, vessel_id, name, status, attempts, "
               "reason, started_ms, ended_ms, output_bytes, blueprint_version) "
               "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '', 0, 0, 0, ?6)"};
    for (size_t i = 0; i < definition->vessel_count; i++) {
        const struct definition_vessel *vessel = &definition->vessels[i];
        s = statement_begin(
            store, &insert, error, number, i, &vessel_run_ids[i], &vessel->id, vessel->name,
            vessel->kind == VESSEL_BLUEPRINT ? value_int(vessel->blueprint_version) : value_null());
        if (statement_run(store, s, "store a vessel run", error) != 0)
            return -1;
    }
    return 0;
}

int sqlite_start_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                         const struct id *boot_id, int64_t now_ms, struct error *error)
{
    /* The status may be scheduled, running (after an interruption) or retrying. The condition on
     * the number prevents an attempt from being started twice. */
    static struct statement start = {
        .sql = "UPDATE vessel_run SET status = 1, attempts = ?3, "
               "started_ms = iif(started_ms = 0, ?4, started_ms) "
               "WHERE run_no = ?1 AND idx = ?2 AND status <= 2 AND attempts = ?3 - 1"};
    sqlite3_stmt *s = statement_begin(store, &start, error, number, vessel_index, attempt, now_ms);
    if (step_one(store, s, "start an attempt", number, error) != 0)
        return -1;
    static struct statement insert = {
        .sql = "INSERT INTO attempt (run_no, idx, attempt, boot_id, has_ended, reason, "
               "started_ms, ended_ms, output_bytes, output_cut) "
               "VALUES (?1, ?2, ?3, ?4, 0, '', ?5, 0, 0, 0)"};
    s = statement_begin(store, &insert, error, number, vessel_index, attempt, boot_id, now_ms);
    return statement_insert(store, s, "store an attempt", "this attempt has already been started",
                            error);
}

static struct statement_value value_exit_code(const struct attempt_result *result)
{
    return result->has_exit_code ? value_int(result->exit_code) : value_null();
}

int sqlite_end_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                       const struct attempt_result *result, struct error *error)
{
    static struct statement update = {
        .sql = "UPDATE attempt SET has_ended = 1, exit_code = ?4, reason = ?5, "
               "started_ms = iif(?6 = 0, started_ms, ?6), ended_ms = ?7, output_bytes = ?8, "
               "output_cut = ?9 WHERE run_no = ?1 AND idx = ?2 AND attempt = ?3 AND has_ended = 0"};
    sqlite3_stmt *s = statement_begin(store, &update, error, number, vessel_index, attempt,
                                      value_exit_code(result), result->reason, result->started_ms,
                                      result->ended_ms, result->output_bytes, result->output_cut);
    if (step_one(store, s, "end an attempt", number, error) != 0)
        return -1;
    /* The vessel run is retrying until the next attempt, or until sqlite_end_vessel ends it. It
     * shows the result of its last attempt. */
    static struct statement note = {
        .sql = "UPDATE vessel_run SET status = iif(status = 1, 2, status), exit_code = ?3, "
               "reason = ?4, output_bytes = ?5 WHERE run_no = ?1 AND idx = ?2"};
    s = statement_begin(store, &note, error, number, vessel_index, value_exit_code(result),
                        result->reason, result->output_bytes);
    return statement_run(store, s, "record an attempt's end", error);
}

int sqlite_end_vessel(struct store *store, int64_t number, int vessel_index,
                      enum vessel_status status, const char *reason, int64_t now_ms,
                      struct error *error)
{
    assert(vessel_status_has_ended(status));
    static struct statement end = {
        .sql = "UPDATE vessel_run SET status = ?3, reason = iif(?4 = '', reason, ?4), "
               "ended_ms = ?5 WHERE run_no = ?1 AND idx = ?2 AND status <= 2"};
    sqlite3_stmt *s = statement_begin(store, &end, error, number, vessel_index, status,
                                      reason ? reason : "", now_ms);
    return step_one(store, s, "end a vessel run", number, error);
}

static int skip_vessel(struct store *store, int64_t number, const struct store_vessel_end *end,
                       struct error *error)
{
    static struct statement skip = {
        .sql = "UPDATE vessel_run SET exit_code = ?3, output_bytes = ?4 "
               "WHERE run_no = ?1 AND idx = ?2 AND status = 0 AND attempts = 0"};
    sqlite3_stmt *s = statement_begin(store, &skip, error, number, end->vessel, end->exit_code,
                                      end->output_bytes);
    return step_one(store, s, "skip a vessel run", number, error);
}

int sqlite_end_run(struct store *store, int64_t number, enum run_status status, int64_t now_ms,
                   struct error *error)
{
    assert(run_status_has_ended(status));
    static struct statement insert = {
        .sql = "INSERT INTO run_ended (no, fleet_no, \"trigger\", status, started_ms, ended_ms) "
               "SELECT no, fleet_no, \"trigger\", ?2, started_ms, ?3 FROM run_open WHERE no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &insert, error, number, status, now_ms);
    if (step_one(store, s, "end a run", number, error) != 0)
        return -1;
    static struct statement delete = {.sql = "DELETE FROM run_open WHERE no = ?1 "
                                             "RETURNING fleet_no"};
    s = statement_begin(store, &delete, error, number);
    while (statement_step(store, s, "remove a run from the queue", error))
        load_change(store, column_int(s, 0), -1);
    return statement_end(s);
}

/* The runner may change its own copy of the run meanwhile, so this reads only the step, and the
 * parts of the run that never change. */
int sqlite_step(struct store *store, const struct store_step *step, struct error *error)
{
    int64_t number = step->number, now_ms = step->now_ms;
    int vessel = (int)step->vessel;
    if (step->starts_run &&
        sqlite_start_run(store, number, step->definition, step->vessel_run_ids, now_ms, error) != 0)
        return -1;
    if (step->ends_attempt &&
        sqlite_end_attempt(store, number, vessel, step->attempt, step->result, error) != 0)
        return -1;
    if (step->starts_attempt && sqlite_start_attempt(store, number, vessel, step->attempt,
                                                     &step->boot_id, now_ms, error) != 0)
        return -1;
    for (size_t i = 0; i < step->vessel_end_count; i++) {
        const struct store_vessel_end *end = &step->vessel_ends[i];
        if (end->is_skipped && skip_vessel(store, number, end, error) != 0)
            return -1;
        if (sqlite_end_vessel(store, number, (int)end->vessel, end->status, end->reason, now_ms,
                              error) != 0)
            return -1;
    }
    return step->ends_run ? sqlite_end_run(store, number, step->run_status, now_ms, error) : 0;
}
