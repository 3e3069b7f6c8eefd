/* Webhooks: the token's hash, by which the fleet is found, and the sealed token, which can be shown
 * again. Reads run on any connection's thread, writes on the committer's. No token and no hash ever
 * appears in a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"

#include <stdio.h>

#define CALLS_SINCE(what)                                                                          \
    "(SELECT total(" what ") FROM webhook_calls c "                                                \
    "WHERE c.fleet_no = w.fleet_no AND c.quarter_ms >= ?1)"
#define WEBHOOK_SELECT                                                                             \
    "SELECT f.id, p.id, o.id, f.name, p.name, o.name, w.created_ms, w.hash, w.sealed, "            \
    "l.last_ms, l.last_status, l.last_answer_us, l.last_remote_addr, " CALLS_SINCE(                \
        "c.accepted") ", " CALLS_SINCE("c.refused") " "                                            \
                                                    "FROM webhook w JOIN fleet f ON f.no = "       \
                                                    "w.fleet_no JOIN project p ON p.no = "         \
                                                    "f.project_no "                                \
                                                    "JOIN org o ON o.no = p.org_no LEFT JOIN "     \
                                                    "webhook_calls l ON l.fleet_no = w.fleet_no "  \
                                                    "AND "                                         \
                                                    "l.last_ms >= w.created_ms AND l.quarter_ms "  \
                                                    "= "                                           \
                                                    "(SELECT max(m.quarter_ms) FROM "              \
                                                    "webhook_calls m WHERE m.fleet_no = "          \
                                                    "w.fleet_no) "

/* Reads the hash and, from the next column, the sealed token. */
static struct webhook_token column_token(sqlite3_stmt *s, int place)
{
    struct webhook_token token = {.sealed_bytes = 0};
    const void *hash = sqlite3_column_blob(s, place);
    const void *sealed = sqlite3_column_blob(s, place + 1);
    int sealed_bytes = sqlite3_column_bytes(s, place + 1);
    if (hash && sqlite3_column_bytes(s, place) == SECRET_HASH_BYTES)
        memcpy(token.hash, hash, SECRET_HASH_BYTES);
    if (sealed && sealed_bytes <= WEBHOOK_SEALED_MAX_BYTES) {
        memcpy(token.sealed, sealed, (size_t)sealed_bytes);
        token.sealed_bytes = (size_t)sealed_bytes;
    }
    return token;
}

static struct webhook_row read_row(sqlite3_stmt *s, int64_t since_ms)
{
    struct webhook_row row = {.fleet_id = column_id(s, 0),
                              .project_id = column_id(s, 1),
                              .org_id = column_id(s, 2),
                              .fleet_name = column_text(s, 3),
                              .project_name = column_text(s, 4),
                              .org_name = column_text(s, 5),
                              .created_ms = column_int(s, 6),
                              .token = column_token(s, 7),
                              .was_called = sqlite3_column_type(s, 9) != SQLITE_NULL,
                              .last_call = {.at_ms = column_int(s, 9),
                                            .status = (unsigned)column_int(s, 10),
                                            .answer_us = column_int(s, 11)},
                              .counted_from_ms = store_quarter(since_ms),
                              .accepted = column_int(s, 13),
                              .refused = column_int(s, 14)};
    snprintf(row.last_call.remote_addr, sizeof(row.last_call.remote_addr), "%s",
             column_text(s, 12));
    return row;
}

static int no_webhook(struct store *store, int64_t fleet_no, struct error *error)
{
    char name[NAME_MAX_BYTES + 1];
    if (error_is_set(error) || fleets_name(store, fleet_no, name, error) != 0)
        return -1;
    return error_set(error, ERROR_NOT_FOUND, "fleet \"%s\" has no webhook", name);
}

int sqlite_list_webhooks(struct store *store, int64_t since_ms,
                         int (*each)(void *, const struct webhook_row *), void *context,
                         struct error *error)
{
    static struct statement list = {.sql = WEBHOOK_SELECT "ORDER BY o.name, p.name, f.name"};
    sqlite3_stmt *s = statement_begin(store, &list, error, store_quarter(since_ms));
    while (statement_step(store, s, "list webhooks", error)) {
        struct webhook_row row = read_row(s, since_ms);
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                       int (*each)(void *, const struct webhook_row *), void *context,
                       struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    static struct statement get = {.sql = WEBHOOK_SELECT "WHERE w.fleet_no = ?2"};
    sqlite3_stmt *s = statement_begin(store, &get, error, store_quarter(since_ms), fleet_no);
    bool found = statement_step(store, s, "find a webhook", error);
    if (found) {
        struct webhook_row row = read_row(s, since_ms);
        each(context, &row);
    }
    statement_end(s);
    return found ? 0 : no_webhook(store, fleet_no, error);
}

int sqlite_count_webhooks(struct store *store, int64_t *count, struct error *error)
{
    static struct statement all = {.sql = "SELECT count(*) FROM webhook"};
    *count = 0;
    int found =
        statement_find(store, statement_begin(store, &all, error), "count webhooks", count, error);
    return found < 0 ? -1 : 0;
}

int sqlite_list_tokens(struct store *store,
                       int (*each)(void *, const struct id *fleet_id, const struct webhook_token *),
                       void *context, struct error *error)
{
    static struct statement list = {
        .sql = "SELECT f.id, w.hash, w.sealed FROM webhook w JOIN fleet f ON f.no = w.fleet_no"};
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (statement_step(store, s, "list the webhooks' tokens", error)) {
        const struct id fleet_id = column_id(s, 0);
        const struct webhook_token token = column_token(s, 1);
        if (each(context, &fleet_id, &token) != 0)
            break;
    }
    return statement_end(s);
}

int sqlite_create_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, int64_t now_ms, struct error *error)
{
    int64_t fleet_no = 0;
    char name[NAME_MAX_BYTES + 1], taken[NAME_MAX_BYTES + 100];
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0 ||
        fleets_name(store, fleet_no, name, error) != 0)
        return -1;
    snprintf(taken, sizeof(taken),
             "fleet \"%s\" already has a webhook: replace it, or remove it first", name);
    static struct statement create = {
        .sql = "INSERT INTO webhook (hash, fleet_no, created_ms, sealed) VALUES (?1, ?2, ?3, ?4)"};
    sqlite3_stmt *s = statement_begin(store, &create, error, value_hash(token->hash), fleet_no,
                                      now_ms, value_blob(token->sealed, token->sealed_bytes));
    return statement_insert(store, s, "create a webhook", taken, error);
}

int sqlite_replace_webhook(struct store *store, const struct id *fleet_id,
                           const struct webhook_token *token, int64_t now_ms, struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    static struct statement replace = {
        .sql = "UPDATE webhook SET hash = ?1, created_ms = ?3, sealed = ?4 WHERE fleet_no = ?2"};
    sqlite3_stmt *s = statement_begin(store, &replace, error, value_hash(token->hash), fleet_no,
                                      now_ms, value_blob(token->sealed, token->sealed_bytes));
    return statement_change(store, s, "replace a webhook", error) > 0
               ? 0
               : no_webhook(store, fleet_no, error);
}

int sqlite_reseal_webhook(struct store *store, const struct id *fleet_id,
                          const struct webhook_token *token, struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    static struct statement reseal = {
        .sql = "UPDATE webhook SET sealed = ?3 WHERE fleet_no = ?1 AND hash = ?2"};
    sqlite3_stmt *s = statement_begin(store, &reseal, error, fleet_no, value_hash(token->hash),
                                      value_blob(token->sealed, token->sealed_bytes));
    return statement_run(store, s, "seal a token again", error);
}

static int remove_calls(struct store *store, int64_t fleet_no, struct error *error)
{
    static struct statement remove = {.sql = "DELETE FROM webhook_calls WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &remove, error, fleet_no);
    return statement_run(store, s, "delete a webhook's call counts", error);
}

int sqlite_remove_webhook(struct store *store, const struct id *fleet_id, struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0 ||
        remove_calls(store, fleet_no, error) != 0)
        return -1;
    static struct statement remove = {.sql = "DELETE FROM webhook WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &remove, error, fleet_no);
    return statement_change(store, s, "remove a webhook", error) > 0
               ? 0
               : no_webhook(store, fleet_no, error);
}

/* ---- calls ---- */

/* Finds the fleet that has the token, or had it and still has a webhook. Returns 1, 0 if there is
 * none, or -1 on error. */
static int find_called(struct store *store, const struct webhook_calls *calls, int64_t *fleet_no,
                       struct error *error)
{
    static struct statement find = {
        .sql = "SELECT fleet_no FROM webhook WHERE hash = ?1 UNION ALL "
               "SELECT w.fleet_no FROM fleet f JOIN webhook w ON w.fleet_no = f.no "
               "WHERE f.id = ?2 LIMIT 1"};
    const struct id *fleet_id = calls->has_fleet_id ? &calls->fleet_id : NULL;
    sqlite3_stmt *s = statement_begin(store, &find, error, value_hash(calls->hash), fleet_id);
    return statement_find(store, s, "find the webhook of a call", fleet_no, error);
}

/* Deletes the counts of old quarters. The row of this quarter stays, so the last call is never
 * lost. Rows more than an hour in the future come from a clock that was wrong, and are deleted,
 * too. */
static int drop_old_calls(struct store *store, int64_t fleet_no, int64_t quarter_ms,
                          struct error *error)
{
    static struct statement drop = {
        .sql = "DELETE FROM webhook_calls "
               "WHERE fleet_no = ?1 AND (quarter_ms < ?2 OR quarter_ms > ?3)"};
    sqlite3_stmt *s =
        statement_begin(store, &drop, error, fleet_no, quarter_ms - STORE_KEEP_CALLS_MS,
                        quarter_ms + 4 * STORE_QUARTER_MS);
    return statement_run(store, s, "delete old call counts", error);
}

int sqlite_add_calls(struct store *store, const struct webhook_calls *calls, struct error *error)
{
    int64_t fleet_no = 0;
    int found = find_called(store, calls, &fleet_no, error);
    if (found <= 0)
        return found;
    static struct statement add = {
        .sql = "INSERT INTO webhook_calls (fleet_no, quarter_ms, accepted, refused, last_ms, "
               "last_status, last_answer_us, last_remote_addr) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
               "?8) "
               "ON CONFLICT (fleet_no, quarter_ms) DO UPDATE SET accepted = accepted + ?3, "
               "refused = refused + ?4, last_ms = max(last_ms, ?5), "
               "last_status = iif(?5 >= last_ms, ?6, last_status), "
               "last_answer_us = iif(?5 >= last_ms, ?7, last_answer_us), "
               "last_remote_addr = iif(?5 >= last_ms, ?8, last_remote_addr)"};
    sqlite3_stmt *s = statement_begin(
        store, &add, error, fleet_no, calls->quarter_ms, calls->accepted, calls->refused,
        calls->last.at_ms, calls->last.status, calls->last.answer_us, calls->last.remote_addr);
    if (statement_run(store, s, "count a webhook's calls", error) != 0)
        return -1;
    return drop_old_calls(store, fleet_no, calls->quarter_ms, error);
}
