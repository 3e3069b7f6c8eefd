/* The life of a snapshot: its defaults, its reference count, and what it takes over from the
 * running one. Called by parse.c and by the holders of snapshots. Any thread may hold and release
 * one. */
#include "config/snapshot.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/value.h"

struct config_snapshot *config_snapshot_new(void)
{
    struct config_snapshot *snapshot = memory_alloc(sizeof(*snapshot));
    atomic_init(&snapshot->holders, 1);
    for (size_t i = 0; i < config_key_count; i++)
        config_value_set_default(&config_keys[i], &snapshot->config);
    return snapshot;
}

struct config *config_hold(struct config *config)
{
    struct config_snapshot *snapshot = CONTAINER_OF(config, struct config_snapshot, config);
    atomic_fetch_add_explicit(&snapshot->holders, 1, memory_order_relaxed);
    return config;
}

static void free_fleets(struct config *config)
{
    for (size_t i = 0; i < config->fleet_count; i++) {
        free(config->fleets[i].name);
        free(config->fleets[i].place);
        for (size_t k = 0; k < CONFIG_FLEET_KEYS; k++)
            config_value_free(&config_fleet_keys[k], &config->fleets[i]);
    }
    free(config->fleets);
    config->fleets = NULL;
    config->fleet_count = 0;
}

void config_release(struct config *config)
{
    if (!config)
        return;
    struct config_snapshot *snapshot = CONTAINER_OF(config, struct config_snapshot, config);
    if (atomic_fetch_sub_explicit(&snapshot->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < config_key_count; i++)
        config_value_free(&config_keys[i], config);
    free_fleets(config);
    free(snapshot);
}

void config_keep_until_restart(struct config *fresh, const struct config *running)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (!config_keys[i].info.reloadable)
            config_value_copy(&config_keys[i], fresh, running);
    static const enum config_bound_name kept[] = {CONFIG_BOUND_CONNECTIONS, CONFIG_BOUND_ADMIN};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        fresh->bounds[kept[i]] = running->bounds[kept[i]];
    fresh->admin.max_connections = running->admin.max_connections;
    free_fleets(fresh);
    fresh->fleets = memory_array(NULL, running->fleet_count, sizeof(*fresh->fleets));
    fresh->fleet_count = running->fleet_count;
    for (size_t i = 0; i < running->fleet_count; i++) {
        const struct config_fleet *from = &running->fleets[i];
        fresh->fleets[i] = (struct config_fleet){.name = memory_string(from->name),
                                                 .has_sandbox = from->has_sandbox,
                                                 .sandbox = from->sandbox,
                                                 .user = memory_string(from->user),
                                                 .place = memory_string(from->place)};
    }
}
