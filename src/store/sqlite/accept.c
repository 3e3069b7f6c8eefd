/* Accepting runs: the hot path. Runs on the committer's thread, inside its transaction, once for
 * every request that is answered 201. The transaction that inserts the run also resolves the token,
 * so a replaced token can never slip through. */
#include "store/sqlite/connection.h"

#include <assert.h>

/* What a run needs to know about its fleet. */
struct target {
    int64_t fleet_no;
    int version;
};

/* Sets no message: strangers cause this error, and nobody reads it. */
static int token_not_found(struct error *error)
{
    if (!error_is_set(error))
        error->kind = ERROR_NOT_FOUND;
    return -1;
}

int sqlite_check_token(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       struct id *fleet_id, struct error *error)
{
    static struct statement check = {
        .sql = "SELECT f.id FROM webhook w CROSS JOIN fleet f ON f.no = w.fleet_no "
               "WHERE w.hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &check, error, value_hash(hash));
    bool found = statement_step(store, s, "look for a token", error);
    if (found)
        *fleet_id = column_id(s, 0);
    statement_end(s);
    return found ? 0 : token_not_found(error);
}

#define TARGET_COLUMNS "f.no, f.version, f.id, p.id, o.id "
#define TARGET_FOLDERS                                                                             \
    "CROSS JOIN project p ON p.no = f.project_no CROSS JOIN org o ON o.no = p.org_no "

/* Returns whether the fleet exists. Ends the statement. */
static bool read_target(struct store *store, sqlite3_stmt *s, struct target *target,
                        struct run_ids *ids, struct error *error)
{
    bool found = statement_step(store, s, "find a run's fleet", error);
    if (found) {
        target->fleet_no = column_int(s, 0);
        target->version = (int)column_int(s, 1);
        ids->fleet_id = column_id(s, 2);
        ids->project_id = column_id(s, 3);
        ids->org_id = column_id(s, 4);
    }
    statement_end(s);
    return found;
}

static int insert_run(struct store *store, const struct run_input *input,
                      const struct target *target, int64_t number, uint64_t random,
                      struct error *error)
{
    static struct statement insert = {
        .sql = "INSERT INTO run (no, id_random, fleet_no, version, \"trigger\", request_id, "
               "arrived_ms, remote_addr, host, query, event, body_place, body_bytes, body_sha256, "
               "headers, body, withheld, again_of) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
               "?17, ?18)"};
    const void *body = input->body_place == BODY_INLINE ? input->body : NULL;
    sqlite3_stmt *s = statement_begin(
        store, &insert, error, number, random, target->fleet_no, target->version, input->trigger,
        &input->request_id, input->arrived_ms, input->remote_addr, input->host, input->query,
        input->event, input->body_place, input->body_bytes, value_hash(input->body_sha256),
        value_text(input->headers_json, input->headers_bytes),
        value_blob(body, (size_t)input->body_bytes), input->withheld_json, input->again_of);
    return statement_run(store, s, "store a run", error);
}

static int insert_open(struct store *store, const struct run_input *input,
                       const struct target *target, int64_t number, struct error *error)
{
    static struct statement insert = {
        .sql = "INSERT INTO run_open (no, fleet_no, \"trigger\", status, started_ms) "
               "VALUES (?1, ?2, ?3, 0, 0)"};
    sqlite3_stmt *s =
        statement_begin(store, &insert, error, number, target->fleet_no, input->trigger);
    return statement_run(store, s, "queue a run", error);
}

static int accept_run(struct store *store, const struct run_input *input,
                      const struct target *target, struct run_ids *ids, struct error *error)
{
    /* Invariant 9. A number is not reused after a rollback. */
    int64_t now = id_clock_ms() << 12;
    int64_t number =
        connection_of(store)->last_number >= now ? connection_of(store)->last_number + 1 : now;
    uint64_t random = id_random_bits();
    assert(number > connection_of(store)->last_number && (random >> 62) == 0);
    connection_of(store)->last_number = number;
    int64_t asked = id_time_ms(&input->request_id) << 12;
    if (number < asked || number - asked >= (int64_t)REQUEST_RANGE_MS << 12)
        return error_set(error, ERROR_CONFLICT,
                         "the clock was changed while the request was being received: try again");
    if (insert_run(store, input, target, number, random, error) != 0)
        return -1;
    if (insert_open(store, input, target, number, error) != 0) {
        /* Half a run must not be committed, and a savepoint for each run would slow all of them
         * down: so the whole batch fails. */
        transaction_rollback(store);
        return -1;
    }
    load_change(store, target->fleet_no, 1);
    ids->run_id = id_from_run_number(number, random);
    return 0;
}

int sqlite_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct run_input *input, struct run_ids *ids, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT " TARGET_COLUMNS
               "FROM webhook w CROSS JOIN fleet f ON f.no = w.fleet_no " TARGET_FOLDERS
               "WHERE w.hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, value_hash(hash));
    struct target target;
    if (!read_target(store, s, &target, ids, error))
        return token_not_found(error);
    return accept_run(store, input, &target, ids, error);
}

int sqlite_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                      struct run_ids *ids, struct error *error)
{
    static struct statement find = {.sql = "SELECT " TARGET_COLUMNS "FROM fleet f " TARGET_FOLDERS
                                           "WHERE f.id = ?1 AND f.deleted_ms IS NULL"};
    sqlite3_stmt *s = statement_begin(store, &find, error, fleet_id);
    struct target target;
    char text[ID_TEXT_BYTES];
    if (!read_target(store, s, &target, ids, error))
        return error_set(error, ERROR_NOT_FOUND, "there is no fleet %s", id_format(fleet_id, text));
    if (!input->overrides)
        return accept_run(store, input, &target, ids, error);
    if (input->overrides_version != target.version)
        return error_set(error, ERROR_STALE, "the fleet was changed meanwhile: try again");
    /* A STORE_CALL item has a savepoint, so the run does not stay behind without its overrides. */
    if (accept_run(store, input, &target, ids, error) != 0)
        return -1;
    return overrides_store(store, &ids->run_id, input->overrides, error);
}
