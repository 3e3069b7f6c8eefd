/* The console's sessions, of whose tokens only the hash is stored. Reads run on any connection's
 * thread, writes on the committer's. No hash ever appears in a message (docs/architecture.md,
 * invariant 7). */
#include "store/sqlite/connection.h"

int sqlite_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                        const struct session_time *time,
                        int (*each)(void *, const struct session_row *), void *context,
                        struct error *error)
{
    static struct statement find = {
        .sql = "SELECT k.id, k.name, k.created_ms, k.expires_ms, s.seen_ms FROM session s "
               "JOIN api_key k ON k.no = s.key_no "
               "WHERE s.hash = ?1 AND s.seen_ms > ?2 AND s.seen_ms < ?3 AND k.role = ?4"};
    sqlite3_stmt *s =
        statement_begin(store, &find, error, value_hash(hash), time->now_ms - time->idle_ms,
                        time->now_ms + time->idle_ms, ROLE_OWNER);
    bool found = statement_step(store, s, "find a session", error);
    if (found) {
        struct session_row row = {.key_id = column_id(s, 0),
                                  .key_name = column_text(s, 1),
                                  .key_life = {column_int(s, 2), column_int(s, 3)},
                                  .seen_ms = column_int(s, 4)};
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : error_set(error, ERROR_NOT_FOUND, "there is no such session");
}

/* ---- Writing ---- */

/* Deletes expired sessions, and as many of the oldest as are needed to make room for one more. */
static int drop_sessions(struct store *store, const struct session_time *time, struct error *error)
{
    static struct statement drop = {
        .sql = "DELETE FROM session WHERE seen_ms <= ?1 OR seen_ms >= ?2 OR hash IN "
               "(SELECT hash FROM session ORDER BY seen_ms DESC LIMIT -1 OFFSET ?3)"};
    sqlite3_stmt *s = statement_begin(store, &drop, error, time->now_ms - time->idle_ms,
                                      time->now_ms + time->idle_ms, STORE_MAX_SESSIONS - 1);
    return statement_run(store, s, "end old sessions", error);
}

int sqlite_begin_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                         const struct id *key_id, const struct session_time *time,
                         struct error *error)
{
    if (drop_sessions(store, time, error) != 0)
        return -1;
    static struct statement begin = {.sql = "INSERT INTO session (hash, key_no, seen_ms) "
                                            "SELECT ?1, no, ?3 FROM api_key "
                                            "WHERE id = ?2 AND role = ?4"};
    sqlite3_stmt *s =
        statement_begin(store, &begin, error, value_hash(hash), key_id, time->now_ms, ROLE_OWNER);
    if (statement_change(store, s, "begin a session", error) > 0)
        return 0;
    return error_set(error, ERROR_NOT_FOUND, "there is no such API key whose role is owner");
}

int sqlite_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                         struct error *error)
{
    static struct statement touch = {.sql = "UPDATE session SET seen_ms = ?2 WHERE hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &touch, error, value_hash(hash), now_ms);
    return statement_run(store, s, "record a session's use", error);
}

int sqlite_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       struct error *error)
{
    static struct statement end = {.sql = "DELETE FROM session WHERE hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &end, error, value_hash(hash));
    return statement_run(store, s, "end a session", error);
}
