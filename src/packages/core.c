/* See core.h. Called by the other files of this folder. */
#include "packages/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static struct claim *find_claim(struct installer *installer, const char *key)
{
    LIST_EACH(struct claim, claim, &installer->claims, among)
        if (strcmp(claim->key, key) == 0)
            return claim;
    return NULL;
}

void core_claim(void *context, const char *key)
{
    struct installer *installer = context;
    struct claim *claim = memory_alloc(sizeof(*claim));
    (void)snprintf(claim->key, sizeof(claim->key), "%s", key);
    pthread_mutex_lock(&installer->lock);
    while (find_claim(installer, key))
        pthread_cond_wait(&installer->released, &installer->lock);
    list_append(&installer->claims, &claim->among);
    pthread_mutex_unlock(&installer->lock);
}

void core_release(void *context, const char *key)
{
    struct installer *installer = context;
    pthread_mutex_lock(&installer->lock);
    struct claim *claim = find_claim(installer, key);
    list_remove(&installer->claims, &claim->among);
    pthread_cond_broadcast(&installer->released);
    pthread_mutex_unlock(&installer->lock);
    free(claim);
}

int core_open_cache(struct installer *installer, const struct config *config, struct error *error)
{
    pthread_mutex_lock(&installer->opening);
    if (!installer->is_open && cache_open(&installer->cache, config->packages.dir, error) == 0)
        installer->is_open = true;
    bool is_open = installer->is_open;
    pthread_mutex_unlock(&installer->opening);
    return is_open ? 0 : -1;
}

bool core_has_cache(struct installer *installer)
{
    struct error ignored = ERROR_INIT; /* who needs the folder says what is wrong with it */
    pthread_mutex_lock(&installer->lock);
    struct config *config = config_hold(installer->config);
    pthread_mutex_unlock(&installer->lock);
    bool has = access(config->packages.dir, F_OK) == 0 &&
               core_open_cache(installer, config, &ignored) == 0;
    config_release(config);
    return has;
}
