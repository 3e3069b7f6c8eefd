/* Idempotency-Keys. Looking runs on any connection's thread, changes on the committer's. Each
 * function costs a few look-ups by key, however many keys are remembered. */
#include "store/sqlite/connection.h"

#include <string.h>

#include "store/idempotency.h"

/* ---- finding ---- */

struct caller {
    int64_t no; /* 0: nothing is remembered of this caller */
    int64_t remembered;
};

static int find_caller(struct store *store, const char *text, struct caller *caller,
                       struct error *error)
{
    static struct statement find = {.sql = "SELECT no, remembered FROM idempotency_caller "
                                           "WHERE caller = ?1"};
    *caller = (struct caller){0, 0};
    sqlite3_stmt *s = statement_begin(store, &find, error, text);
    if (statement_step(store, s, "find a caller's Idempotency-Keys", error))
        *caller = (struct caller){column_int(s, 0), column_int(s, 1)};
    return statement_end(s);
}

static bool has_fingerprint(sqlite3_stmt *s, int place, const uint8_t expected[SECRET_HASH_BYTES])
{
    const void *fingerprint = sqlite3_column_blob(s, place);
    return fingerprint && sqlite3_column_bytes(s, place) == SECRET_HASH_BYTES &&
           memcmp(fingerprint, expected, SECRET_HASH_BYTES) == 0;
}

int sqlite_find_idempotency(struct store *store, const struct idempotency *idempotency,
                            int64_t now_ms, enum idempotency_found *found, struct id *run_id,
                            struct error *error)
{
    struct caller caller;
    if (find_caller(store, idempotency->caller, &caller, error) != 0)
        return -1;
    *found = caller.remembered < STORE_MAX_IDEMPOTENCY_KEYS ? IDEMPOTENCY_NEW : IDEMPOTENCY_FULL;
    if (caller.no == 0)
        return 0;
    static struct statement find = {.sql =
                                        "SELECT fingerprint, run_id FROM idempotency "
                                        "WHERE caller_no = ?1 AND id_hash = ?2 AND until_ms > ?3"};
    sqlite3_stmt *s =
        statement_begin(store, &find, error, caller.no, value_hash(idempotency->id_hash), now_ms);
    if (statement_step(store, s, "find an Idempotency-Key", error)) {
        bool is_same = has_fingerprint(s, 0, idempotency->fingerprint);
        *found = is_same ? IDEMPOTENCY_REPEATED : IDEMPOTENCY_OTHER;
        *run_id = column_id(s, 1);
    }
    return statement_end(s);
}

/* ---- changing ---- */

static int count_one_more(struct store *store, const char *caller, struct error *error)
{
    static struct statement count = {
        .sql = "INSERT INTO idempotency_caller (caller, remembered) VALUES (?1, 1) "
               "ON CONFLICT (caller) DO UPDATE SET remembered = remembered + 1"};
    sqlite3_stmt *s = statement_begin(store, &count, error, caller);
    return statement_run(store, s, "count Idempotency-Keys", error);
}

static int count_one_less(struct store *store, int64_t caller_no, struct error *error)
{
    static struct statement count = {.sql = "UPDATE idempotency_caller SET remembered = remembered "
                                            "- 1 WHERE no = ?1"};
    static struct statement end = {.sql = "DELETE FROM idempotency_caller "
                                          "WHERE no = ?1 AND remembered <= 0"};
    sqlite3_stmt *s = statement_begin(store, &count, error, caller_no);
    if (statement_run(store, s, "count Idempotency-Keys", error) != 0)
        return -1;
    s = statement_begin(store, &end, error, caller_no);
    return statement_run(store, s, "count Idempotency-Keys", error);
}

/* Drops the row of a key that is used again although its time is over. */
static int drop_old(struct store *store, const struct idempotency *idempotency, struct error *error)
{
    static struct statement drop = {
        .sql = "DELETE FROM idempotency WHERE caller_no = ?1 AND id_hash = ?2"};
    struct caller caller;
    if (find_caller(store, idempotency->caller, &caller, error) != 0)
        return -1;
    sqlite3_stmt *s =
        statement_begin(store, &drop, error, caller.no, value_hash(idempotency->id_hash));
    int dropped = statement_change(store, s, "drop an old Idempotency-Key", error);
    return dropped > 0 ? count_one_less(store, caller.no, error) : dropped;
}

int sqlite_add_idempotency(struct store *store, const struct idempotency *idempotency,
                           int64_t now_ms, const struct id *run_id, struct error *error)
{
    static struct statement add = {
        .sql = "INSERT INTO idempotency (caller_no, id_hash, fingerprint, run_id, until_ms) "
               "SELECT no, ?2, ?3, ?4, ?5 FROM idempotency_caller WHERE caller = ?1"};
    if (drop_old(store, idempotency, error) != 0 ||
        count_one_more(store, idempotency->caller, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_begin(
        store, &add, error, idempotency->caller, value_hash(idempotency->id_hash),
        value_hash(idempotency->fingerprint), run_id, now_ms + STORE_IDEMPOTENCY_MS);
    return statement_run(store, s, "remember an Idempotency-Key", error);
}

/* Drops the key whose time has been over for longest, if any. Returns 1, 0 if there is none, or
 * -1. */
static int forget_one(struct store *store, int64_t now_ms, struct error *error)
{
    static struct statement drop = {
        .sql = "DELETE FROM idempotency WHERE (caller_no, id_hash) = (SELECT caller_no, id_hash "
               "FROM idempotency WHERE until_ms <= ?1 ORDER BY until_ms LIMIT 1) "
               "RETURNING caller_no"};
    int64_t caller_no = 0;
    sqlite3_stmt *s = statement_begin(store, &drop, error, now_ms);
    int dropped = statement_find(store, s, "forget an Idempotency-Key", &caller_no, error);
    if (dropped <= 0)
        return dropped;
    return count_one_less(store, caller_no, error) == 0 ? 1 : -1;
}

int sqlite_forget_idempotency(struct store *store, int64_t now_ms, int limit, struct error *error)
{
    int count = 0, dropped = 1;
    while (count < limit && (dropped = forget_one(store, now_ms, error)) > 0)
        count++;
    return dropped < 0 ? -1 : count;
}
