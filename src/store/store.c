/* Selects a store's engine by the scheme of its location, and passes the calls of
 * include/store/location.h and include/store/store.h to it. Any thread; one thread at a time may
 * use a store. */
#include "store/store.h"

#include <string.h>

#include "base/memory.h"
#include "store/engine.h"
#include "store/location.h"

extern const struct store_engine sqlite_engine;

static const struct store_engine *const engines[] = {&sqlite_engine};

/* Returns NULL if no engine has the scheme. Sets *rest to the part after the colon. */
static const struct store_engine *find_engine(const char *location, const char **rest)
{
    size_t bytes = strcspn(location, ":");
    for (size_t i = 0; i < ARRAY_COUNT(engines) && location[bytes] == ':'; i++) {
        if (strlen(engines[i]->scheme) == bytes &&
            memcmp(engines[i]->scheme, location, bytes) == 0) {
            *rest = location + bytes + 1;
            return engines[i];
        }
    }
    return NULL;
}

static const struct store_engine *engine_of(const struct store_options *options,
                                            struct error *error)
{
    const char *rest;
    const struct store_engine *engine = find_engine(options->location, &rest);
    if (!engine)
        error_set(error, ERROR_INVALID, "no engine for store \"%s\": use \"%s:…\"",
                  options->location, engines[0]->scheme);
    return engine;
}

/* ---- location.h ---- */

const char *store_location_problem(const char *location)
{
    const char *rest;
    const struct store_engine *engine = find_engine(location, &rest);
    if (!engine)
        return engines[0]->location_problem("");
    return engine->location_problem(rest);
}

bool store_location_owns(const char *location, const char *name)
{
    const char *rest;
    const struct store_engine *engine = find_engine(location, &rest);
    return engine && engine->location_owns(rest, name);
}

/* ---- store.h ---- */

char *store_caveat(const char *location)
{
    const char *rest;
    const struct store_engine *engine = find_engine(location, &rest);
    return engine ? engine->caveat() : NULL;
}

int store_prepare(const struct store_options *options, struct error *error)
{
    const struct store_engine *engine = engine_of(options, error);
    return engine ? engine->prepare(options, error) : -1;
}

int store_exists(const struct store_options *options, struct error *error)
{
    const struct store_engine *engine = engine_of(options, error);
    return engine ? engine->exists(options, error) : -1;
}

struct store *store_open(const struct store_options *options, struct error *error)
{
    const struct store_engine *engine = engine_of(options, error);
    return engine ? engine->open(options, error) : NULL;
}

void store_close(struct store *store)
{
    if (store)
        store->engine->close(store);
}

void store_set_deadline(struct store *store, int64_t deadline_ms)
{
    store->engine->set_deadline(store, deadline_ms);
}

int store_schema_version(struct store *store)
{
    return store->engine->schema_version(store);
}

int64_t store_clock_floor_ms(struct store *store)
{
    return store->engine->clock_floor_ms(store);
}

int store_write(struct store *store, struct store_item **items, size_t count,
                enum store_outcome *outcome, struct error *error)
{
    return store->engine->write(store, items, count, outcome, error);
}

int store_start_upkeep(struct store *store, const struct store_upkeep *upkeep, struct error *error)
{
    return store->engine->start_upkeep(store, upkeep, error);
}

int store_has_room(struct store *store, int64_t bytes, struct error *error)
{
    return store->engine->has_room(store, bytes, error);
}

void store_set_min_free(struct store *store, int64_t bytes)
{
    store->engine->set_min_free(store, bytes);
}

int store_give_back(struct store *store, bool *is_more, struct error *error)
{
    return store->engine->give_back(store, is_more, error);
}

void store_get_metrics(struct store *store, struct store_metrics *metrics)
{
    store->engine->get_metrics(store, metrics);
}

int store_backup(struct store *store, const struct store_backup_guard *guard, struct error *error)
{
    return store->engine->backup(store, guard, error);
}

const char *store_backup_name(const struct store *store)
{
    return store->engine->backup_name(store);
}
