/* The configuration as the public listener uses it. Created on the thread that starts or reloads,
 * held by hook workers for the length of a request. */
#include "hooks/settings.h"

#include <stdlib.h>

#include "base/memory.h"
#include "hooks/instance.h"

struct hooks_settings *hooks_settings_new(struct config *config)
{
    struct hooks_settings *settings = memory_alloc(sizeof(*settings));
    atomic_store(&settings->references, 1);
    settings->config = config_hold(config);
    settings->proxies = proxies_new(&config->hooks.trusted_proxies);
    return settings;
}

struct hooks_settings *hooks_settings_hold(struct hooks *hooks)
{
    pthread_mutex_lock(&hooks->lock);
    struct hooks_settings *settings = hooks->settings;
    atomic_fetch_add_explicit(&settings->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&hooks->lock);
    return settings;
}

void hooks_settings_release(struct hooks_settings *settings)
{
    if (atomic_fetch_sub(&settings->references, 1) != 1)
        return;
    proxies_free(settings->proxies);
    config_release(settings->config);
    free(settings);
}
