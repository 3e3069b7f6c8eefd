/* Fleet runs: passes the calls of include/store/runs.h to the store's engine. */
#include "store/runs.h"

#include <stdio.h>

#include "store/engine.h"

char *store_overrides_place(const struct id *request_id, char place[STORE_OVERRIDES_PLACE_BYTES])
{
    char text[ID_TEXT_BYTES];
    (void)snprintf(place, STORE_OVERRIDES_PLACE_BYTES, "override/%s", id_format(request_id, text));
    return place;
}

int store_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                     struct run_ids *ids, struct error *error)
{
    return store->engine->accept_run(store, fleet_id, input, ids, error);
}

int store_list_runs(struct store *store, const struct run_filter *filter,
                    int (*each)(void *, const struct run_row *), void *context, struct error *error)
{
    return store->engine->list_runs(store, filter, each, context, error);
}

int store_get_run(struct store *store, const struct id *run_id,
                  int (*each)(void *, const struct run_row *), void *context, struct error *error)
{
    return store->engine->get_run(store, run_id, each, context, error);
}

int store_get_origin(struct store *store, const struct id *run_id,
                     int (*each)(void *, const struct run_origin *), void *context,
                     struct error *error)
{
    return store->engine->get_origin(store, run_id, each, context, error);
}

int store_get_overrides(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct run_overrides *), void *context,
                        struct error *error)
{
    return store->engine->get_overrides(store, run_id, each, context, error);
}

int store_get_headers(struct store *store, const struct id *run_id,
                      int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                      struct error *error)
{
    return store->engine->get_headers(store, run_id, each, context, error);
}

int store_get_body(struct store *store, const struct id *run_id,
                   int (*each)(void *, enum body_place place, const struct id *request_id,
                               const void *body, int64_t bytes),
                   void *context, struct error *error)
{
    return store->engine->get_body(store, run_id, each, context, error);
}

int store_list_again(struct store *store, const struct id *run_id, int limit,
                     int (*each)(void *, const struct id *), void *context, struct error *error)
{
    return store->engine->list_again(store, run_id, limit, each, context, error);
}

int store_list_vessels(struct store *store, const struct id *run_id,
                       int (*each)(void *, const struct vessel_row *), void *context,
                       struct error *error)
{
    return store->engine->list_vessels(store, run_id, each, context, error);
}

int store_list_attempts(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct attempt_row *), void *context,
                        struct error *error)
{
    return store->engine->list_attempts(store, run_id, each, context, error);
}

int store_count_open_runs(struct store *store, struct run_counts *counts, struct error *error)
{
    return store->engine->count_open_runs(store, counts, error);
}

int store_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                       struct error *error)
{
    return store->engine->find_expired(store, before_ms, limit, runs, error);
}

int store_delete_run(struct store *store, int64_t number, struct error *error)
{
    return store->engine->delete_run(store, number, error);
}
