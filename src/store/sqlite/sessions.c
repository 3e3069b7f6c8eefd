/* The console's sessions: what is left of their tokens is a hash. Read on any connection's thread; written by the committer. No hash ever
 * gets into a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"

int store_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct session_time *time,
                       int (*each)(void *, const struct session_row *), void *context,
                       struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_FIND_SESSION,
                      "SELECT k.id, k.name, s.seen_ms FROM session s JOIN api_key k ON k.no = "
                      "s.key_no WHERE s.hash = ?1 AND s.seen_ms > ?2 AND s.seen_ms < ?3",
                      error);
    if (!s)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    bind_int(s, 2, time->now_ms - time->idle_ms);
    bind_int(s, 3, time->now_ms + time->idle_ms);
    int found = statement_step(store, s, "find a session", error);
    if (found > 0) {
        struct session_row row = {
            .key_id = column_id(s, 0), .key_name = column_text(s, 1), .seen_ms = column_int(s, 2)};
        each(context, &row);
    }
    statement_end(s);
    if (found == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no such session");
    return found < 0 ? -1 : 0;
}

/* ---- Writing ---- */

/* Those that are over, and so many that there is room for one more. */
static int drop_sessions(struct store *store, const struct session_time *time, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_DROP_SESSIONS,
                      "DELETE FROM session WHERE seen_ms <= ?1 OR seen_ms >= ?2 OR hash IN "
                      "(SELECT hash FROM session ORDER BY seen_ms DESC LIMIT -1 OFFSET ?3)",
                      error);
    if (!s)
        return -1;
    bind_int(s, 1, time->now_ms - time->idle_ms);
    bind_int(s, 2, time->now_ms + time->idle_ms);
    bind_int(s, 3, STORE_MAX_SESSIONS - 1);
    return statement_run(store, s, "end old sessions", error);
}

int store_begin_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct id *key_id, const struct session_time *time,
                        struct error *error)
{
    if (drop_sessions(store, time, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(store, STATEMENT_BEGIN_SESSION,
                                    "INSERT INTO session (hash, key_no, seen_ms) "
                                    "SELECT ?1, no, ?3 FROM api_key WHERE id = ?2",
                                    error);
    if (!s)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    bind_id(s, 2, key_id);
    bind_int(s, 3, time->now_ms);
    if (statement_run(store, s, "begin a session", error) != 0)
        return -1;
    if (sqlite3_changes(store->db) == 1)
        return 0;
    return error_set(error, ERROR_NOT_FOUND, "there is no such API key");
}

int store_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                        struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_TOUCH_SESSION,
                                    "UPDATE session SET seen_ms = ?2 WHERE hash = ?1", error);
    if (!s)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    bind_int(s, 2, now_ms);
    return statement_run(store, s, "note the use of a session", error);
}

int store_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_END_SESSION, "DELETE FROM session WHERE hash = ?1", error);
    if (!s)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    return statement_run(store, s, "end a session", error);
}
