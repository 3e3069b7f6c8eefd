/* The overrides of runs, whose values are stored sealed only. Reads run on any connection's thread,
 * writes on the committer's. */
#include "store/sqlite/connection.h"

#include "store/credentials.h"

/* Overrides of ended runs are never opened to prove a key, and neither are very many: see
 * store_list_sealed. */
#define PROOFS "1000"

int overrides_store(struct store *store, const struct id *run_id,
                    const struct run_overrides *overrides, struct error *error)
{
    static struct statement insert = {
        .sql = "INSERT INTO run_override (run_no, names, sealed) VALUES (?1, ?2, ?3)"};
    sqlite3_stmt *s = statement_begin(store, &insert, error, id_run_number(run_id),
                                      value_blob(overrides->names, overrides->names_bytes),
                                      value_blob(overrides->sealed, overrides->sealed_bytes));
    return statement_run(store, s, "store a run's overrides", error);
}

int sqlite_get_overrides(struct store *store, const struct id *run_id,
                         int (*each)(void *, const struct run_overrides *), void *context,
                         struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement get = {.sql = "SELECT names, sealed FROM run_override "
                                          "WHERE run_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &get, error, number);
    if (statement_step(store, s, "read a run's overrides", error)) {
        struct run_overrides overrides = {.names = sqlite3_column_blob(s, 0),
                                          .names_bytes = (size_t)sqlite3_column_bytes(s, 0),
                                          .sealed = sqlite3_column_blob(s, 1),
                                          .sealed_bytes = (size_t)sqlite3_column_bytes(s, 1)};
        each(context, &overrides);
    }
    return statement_end(s);
}

int overrides_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                          void *context, struct error *error)
{
    static struct statement list = {
        .sql = "SELECT r.request_id, o.sealed FROM run_override o "
               "CROSS JOIN run_open q ON q.no = o.run_no CROSS JOIN run r ON r.no = o.run_no "
               "WHERE o.sealed IS NOT NULL ORDER BY o.run_no DESC LIMIT " PROOFS};
    char place[STORE_OVERRIDES_PLACE_BYTES];
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (statement_step(store, s, "list the seals of overrides", error)) {
        const struct id request_id = column_id(s, 0);
        struct sealed_row row = {.place = store_overrides_place(&request_id, place),
                                 .sealed = sqlite3_column_blob(s, 1),
                                 .sealed_bytes = (size_t)sqlite3_column_bytes(s, 1)};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}
