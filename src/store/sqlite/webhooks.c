/* Webhooks: the hash that finds the fleet and the sealed token that can be shown again. Read on any connection's thread; written by
 * the committer. No token and no hash ever gets into a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/connection.h"

#define WEBHOOK_SELECT                                                                             \
    "SELECT f.id, p.id, o.id, f.name, p.name, o.name, w.created_ms, w.sealed "                     \
    "FROM webhook w JOIN fleet f ON f.no = w.fleet_no "                                            \
    "JOIN project p ON p.no = f.project_no JOIN org o ON o.no = p.org_no "

/* A damaged seal is passed on as no seal at all, which no key opens, rather than read past its end. */
static const uint8_t *column_sealed(sqlite3_stmt *s, int place)
{
    static const uint8_t none[SECRET_SEALED_BYTES];
    const uint8_t *sealed = sqlite3_column_blob(s, place);
    return sealed != NULL && sqlite3_column_bytes(s, place) == SECRET_SEALED_BYTES ? sealed : none;
}

static struct webhook_row read_row(sqlite3_stmt *s)
{
    return (struct webhook_row){.fleet_id = column_id(s, 0),
                                .project_id = column_id(s, 1),
                                .org_id = column_id(s, 2),
                                .fleet_name = column_text(s, 3),
                                .project_name = column_text(s, 4),
                                .org_name = column_text(s, 5),
                                .created_ms = column_int(s, 6),
                                .sealed = column_sealed(s, 7)};
}

static int no_webhook(struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "the fleet has no webhook");
}

int store_list_webhooks(struct store *store, int (*each)(void *, const struct webhook_row *),
                        void *context, struct error *error)
{
    sqlite3_stmt *s = statement_get(store, STATEMENT_LIST_WEBHOOKS,
                                    WEBHOOK_SELECT "ORDER BY o.name, p.name, f.name", error);
    if (s == NULL)
        return -1;
    int more;
    while ((more = statement_step(store, s, "list webhooks", error)) > 0) {
        struct webhook_row row = read_row(s);
        if (each(context, &row) != 0)
            break;
    }
    statement_end(s);
    return more < 0 ? -1 : 0;
}

int store_get_webhook(struct store *store, const struct id *fleet_id,
                      int (*each)(void *, const struct webhook_row *), void *context,
                      struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_GET_WEBHOOK, WEBHOOK_SELECT "WHERE w.fleet_no = ?1", error);
    if (s == NULL)
        return -1;
    bind_int(s, 1, fleet_no);
    int found = statement_step(store, s, "find a webhook", error);
    if (found > 0) {
        struct webhook_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    if (found == 0)
        return no_webhook(error);
    return found < 0 ? -1 : 0;
}

int store_count_webhooks(struct store *store, int64_t *count, struct error *error)
{
    sqlite3_stmt *s =
        statement_get(store, STATEMENT_COUNT_WEBHOOKS, "SELECT count(*) FROM webhook", error);
    if (s == NULL)
        return -1;
    int found = statement_step(store, s, "count webhooks", error);
    *count = found > 0 ? column_int(s, 0) : 0;
    statement_end(s);
    return found < 0 ? -1 : 0;
}

int store_create_webhook(struct store *store, const struct id *fleet_id,
                         const uint8_t hash[SECRET_HASH_BYTES],
                         const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                         struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_CREATE_WEBHOOK,
        "INSERT INTO webhook (hash, fleet_no, created_ms, sealed) VALUES (?1, ?2, ?3, ?4)", error);
    if (s == NULL)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    bind_int(s, 2, fleet_no);
    bind_int(s, 3, now_ms);
    bind_blob(s, 4, sealed, SECRET_SEALED_BYTES);
    return statement_insert(store, s, "create a webhook",
                            "the fleet has a webhook already: replace it, or remove it first",
                            error);
}

/* Runs a statement that is to change exactly the webhook of one fleet. */
static int change_one(struct store *store, sqlite3_stmt *s, const char *what, struct error *error)
{
    if (statement_run(store, s, what, error) != 0)
        return -1;
    return sqlite3_changes(store->db) == 1 ? 0 : no_webhook(error);
}

int store_replace_webhook(struct store *store, const struct id *fleet_id,
                          const uint8_t hash[SECRET_HASH_BYTES],
                          const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                          struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(
        store, STATEMENT_REPLACE_WEBHOOK,
        "UPDATE webhook SET hash = ?1, created_ms = ?3, sealed = ?4 WHERE fleet_no = ?2", error);
    if (s == NULL)
        return -1;
    bind_blob(s, 1, hash, SECRET_HASH_BYTES);
    bind_int(s, 2, fleet_no);
    bind_int(s, 3, now_ms);
    bind_blob(s, 4, sealed, SECRET_SEALED_BYTES);
    return change_one(store, s, "replace a webhook", error);
}

int store_remove_webhook(struct store *store, const struct id *fleet_id, struct error *error)
{
    int64_t fleet_no = 0;
    if (fleets_find(store, fleet_id, &fleet_no, error) != 0)
        return -1;
    sqlite3_stmt *s = statement_get(store, STATEMENT_REMOVE_WEBHOOK,
                                    "DELETE FROM webhook WHERE fleet_no = ?1", error);
    if (s == NULL)
        return -1;
    bind_int(s, 1, fleet_no);
    return change_one(store, s, "remove a webhook", error);
}
