/* API keys: what is left of them is a hash. Read on any connection's thread; written by the committer. No key and no hash ever gets
 * into a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"

#define KEY_COLUMNS "id, name, created_ms, last_used_ms"

static struct key_row read_row(sqlite3_stmt *s)
{
    return (struct key_row){.id = column_id(s, 0),
                            .name = column_text(s, 1),
                            .created_ms = column_int(s, 2),
                            .last_used_ms = column_int(s, 3)};
}

int store_list_keys(struct store *store, int (*each)(void *, const struct key_row *), void *context,
                    struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_LIST_KEYS,
                                    "SELECT " KEY_COLUMNS " FROM api_key ORDER BY name", error);
    if (!s)
        return -1;
    int more;
    while ((more = statement_step(store, s, "list API keys", error)) > 0) {
        struct key_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    statement_end(s);
    return more < 0 ? -1 : 0;
}

int store_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                   int (*each)(void *, const struct key_row *), void *context, struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_FIND_KEY,
                                    "SELECT " KEY_COLUMNS " FROM api_key WHERE hash = ?1", error);
    if (!s)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    int found = statement_step(store, s, "find an API key", error);
    if (found > 0) {
        struct key_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    if (found == 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no such API key");
    return found < 0 ? -1 : 0;
}

/* ---- Writing ---- */

int store_create_key(struct store *store, const char *name, const uint8_t hash[SECRET_HASH_BYTES],
                     int64_t now_ms, struct id *id, struct error *error)
{
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_CREATE_KEY,
        "INSERT INTO api_key (id, name, hash, created_ms) VALUES (?1, ?2, ?3, ?4)", error);
    if (!s)
        return -1;
    *id = id_random();
    bind_id(s, 1, id);
    bind_text(s, 2, name);
    bind_blob(s, 3, hash, SECRET_HASH_BYTES);
    bind_int(s, 4, now_ms);
    return statement_insert(store, s, "create an API key",
                            "there is an API key of this name already", error);
}

/* Runs a statement about one key. */
static int change_key(struct store *store, sqlite3_stmt *s, const struct id *id, const char *what,
                      struct error *error)
{
    if (!s)
        return -1;
    bind_id(s, 1, id);
    if (statement_run(store, s, what, error) != 0)
        return -1;
    if (sqlite3_changes(store->db) == 1)
        return 0;
    return error_set(error, ERROR_NOT_FOUND, "there is no such API key");
}

int store_revoke_key(struct store *store, const struct id *id, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_REVOKE_KEY, "DELETE FROM api_key WHERE id = ?1", error);
    return change_key(store, s, id, "revoke an API key", error);
}

int store_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_TOUCH_KEY,
                                    "UPDATE api_key SET last_used_ms = ?2 WHERE id = ?1", error);
    if (s)
        bind_int(s, 2, now_ms);
    return change_key(store, s, id, "note the use of an API key", error);
}
