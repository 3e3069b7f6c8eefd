/* API keys, of which only the hash is stored. Reads run on any connection's thread, writes on the
 * committer's. No key and no hash ever appears in a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"

#include <stdio.h>

/* The joins cost an unbound key no look-up, because its numbers are NULL. */
#define KEY_COLUMNS                                                                                \
    "k.id, k.name, k.role, k.created_ms, k.expires_ms, k.last_used_ms, k.org_no, k.fleet_no, "     \
    "o.id, f.id"

static struct key_row read_row(sqlite3_stmt *s)
{
    return (struct key_row){.id = column_id(s, 0),
                            .name = column_text(s, 1),
                            .role = (enum api_key_role)column_int(s, 2),
                            .life = {column_int(s, 3), column_int(s, 4)},
                            .last_used_ms = column_int(s, 5),
                            .binding = {.has_org = column_int(s, 6) != 0,
                                        .has_fleet = column_int(s, 7) != 0,
                                        .org_id = column_id(s, 8),
                                        .fleet_id = column_id(s, 9)}};
}

/* The same with what only lists show. */
static struct key_row read_listed_row(sqlite3_stmt *s)
{
    struct key_row row = read_row(s);
    row.org_name = column_text(s, 10);
    row.project_name = column_text(s, 11);
    row.fleet_name = column_text(s, 12);
    row.is_orphan = column_int(s, 13) != 0 || column_int(s, 14) != 0;
    return row;
}

static int no_key(struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "there is no such API key");
}

int sqlite_list_keys(struct store *store, int (*each)(void *, const struct key_row *),
                     void *context, struct error *error)
{
    static struct statement list = {
        .sql =
            "SELECT " KEY_COLUMNS ", o.name, p.name, f.name, o.deleted, f.deleted_ms IS NOT NULL "
            "FROM api_key k LEFT JOIN fleet f ON f.no = k.fleet_no "
            "LEFT JOIN project p ON p.no = f.project_no "
            "LEFT JOIN org o ON o.no = coalesce(k.org_no, p.org_no) ORDER BY k.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (statement_step(store, s, "list API keys", error)) {
        struct key_row row = read_listed_row(s);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                    int (*each)(void *, const struct key_row *), void *context, struct error *error)
{
    static struct statement find = {.sql = "SELECT " KEY_COLUMNS
                                           " FROM api_key k LEFT JOIN fleet f ON f.no = k.fleet_no "
                                           "LEFT JOIN org o ON o.no = k.org_no WHERE k.hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, value_hash(hash));
    bool found = statement_step(store, s, "find an API key", error);
    if (found) {
        struct key_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : no_key(error);
}

/* ---- Writing ---- */

/* Finds what the key is bound to. Leaves the numbers at 0 if it is bound to nothing. */
static int find_binding(struct store *store, const struct new_key *key, int64_t *org_no,
                        int64_t *fleet_no, struct error *error)
{
    const struct key_binding *binding = &key->binding;
    if (binding->has_org)
        return projects_find_org(store, &binding->org_id, org_no, error);
    return binding->has_fleet ? fleets_find(store, &binding->fleet_id, fleet_no, error) : 0;
}

int sqlite_create_key(struct store *store, const struct new_key *key, struct id *id,
                      struct error *error)
{
    char taken[NAME_MAX_BYTES + 100];
    int64_t org_no = 0, fleet_no = 0;
    if (find_binding(store, key, &org_no, &fleet_no, error) != 0)
        return -1;
    snprintf(taken, sizeof(taken),
             "there is already an API key \"%s\": choose another name, or revoke that key",
             key->name);
    *id = id_random();
    static struct statement create = {
        .sql = "INSERT INTO api_key (id, name, hash, role, org_no, fleet_no, created_ms, "
               "expires_ms) VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), nullif(?6, 0), ?7, ?8)"};
    sqlite3_stmt *s =
        statement_begin(store, &create, error, id, key->name, value_hash(key->hash), key->role,
                        org_no, fleet_no, key->life.created_ms, key->life.expires_ms);
    return statement_insert(store, s, "create an API key", taken, error);
}

int sqlite_find_revoked_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                            int64_t *revoked_ms, struct error *error)
{
    static struct statement find = {.sql = "SELECT revoked_ms FROM revoked_key WHERE hash = ?1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, value_hash(hash));
    int found = statement_find(store, s, "find a revoked API key", revoked_ms, error);
    if (found < 0)
        return -1;
    return found > 0 ? 0 : no_key(error);
}

/* Notes the key as revoked, and forgets the oldest of them beyond the bound. */
static int note_revoked(struct store *store, const struct id *id, int64_t now_ms,
                        struct error *error)
{
    static struct statement note = {.sql = "INSERT INTO revoked_key (name, hash, revoked_ms) "
                                           "SELECT name, hash, ?2 FROM api_key WHERE id = ?1"};
    static struct statement forget = {
        .sql = "DELETE FROM revoked_key WHERE no <= (SELECT max(no) FROM revoked_key) - ?1"};
    sqlite3_stmt *s = statement_begin(store, &note, error, id, now_ms);
    if (statement_run(store, s, "note a revoked API key", error) != 0)
        return -1;
    s = statement_begin(store, &forget, error, STORE_MAX_REVOKED_KEYS);
    return statement_run(store, s, "forget a revoked API key", error);
}

int sqlite_revoke_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error)
{
    if (note_revoked(store, id, now_ms, error) != 0)
        return -1;
    static struct statement revoke = {.sql = "DELETE FROM api_key WHERE id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &revoke, error, id);
    return statement_change(store, s, "revoke an API key", error) > 0 ? 0 : no_key(error);
}

int sqlite_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error)
{
    static struct statement touch = {.sql = "UPDATE api_key SET last_used_ms = ?2 WHERE id = ?1"};
    sqlite3_stmt *s = statement_begin(store, &touch, error, id, now_ms);
    return statement_change(store, s, "record an API key's use", error) > 0 ? 0 : no_key(error);
}
