/* The runner's work: passes the calls of include/store/work.h to the store's engine. */
#include "store/work.h"

#include <stdlib.h>

#include "store/engine.h"

void store_free_work(struct run_work *work)
{
    if (!work)
        return;
    free(work->org_name);
    free(work->project_name);
    free(work->fleet_name);
    free(work->remote_addr);
    free(work->host);
    free(work->query);
    free(work->headers_json);
    free(work->body);
    free(work->definition_json);
    overrides_wipe(&work->overrides);
    free(work);
}

struct run_work *store_load_work(struct store *store, int64_t number, struct error *error)
{
    return store->engine->load_work(store, number, error);
}

int store_find_scheduled(struct store *store, int64_t after_number, int limit,
                         struct scheduled_run *runs, struct error *error)
{
    return store->engine->find_scheduled(store, after_number, limit, runs, error);
}

int store_find_scheduled_of(struct store *store, int64_t fleet_no, int64_t from_number,
                            int64_t to_number, int limit, int64_t *numbers, struct error *error)
{
    return store->engine->find_scheduled_of(store, fleet_no, from_number, to_number, limit, numbers,
                                            error);
}

int store_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                       struct error *error)
{
    return store->engine->find_running(store, after_number, limit, numbers, error);
}

int store_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error)
{
    return store->engine->find_stopping(store, after_number, limit, numbers, error);
}

int store_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                   struct error *error)
{
    return store->engine->stop_run(store, run_id, now_ms, error);
}
