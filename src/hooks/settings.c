/* The configuration as the public listener uses it. Created on the thread that starts or reloads,
 * held by hook workers for the length of a request. */
#include "hooks/settings.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "hooks/instance.h"

/* Returns the message that `what` is larger than so many bytes, in the largest whole unit. The
 * caller frees it. */
static char *describe_excess(const char *what, int64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    for (; unit < ARRAY_COUNT(units) - 1 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    return memory_format("the %s is larger than %" PRId64 " %s (hooks.max_body)", what, bytes,
                         units[unit]);
}

struct hooks_settings *hooks_settings_new(struct config *config)
{
    struct hooks_settings *settings = memory_alloc(sizeof(*settings));
    atomic_store(&settings->references, 1);
    settings->config = config_hold(config);
    settings->proxies =
        proxies_new(config->hooks.trusted_proxies.items, config->hooks.trusted_proxies.count);
    settings->too_large = describe_excess("body", config->hooks.max_body_bytes);
    settings->chunked_too_large = describe_excess("chunked body", config->hooks.max_body_bytes);
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
    free(settings->too_large);
    free(settings->chunked_too_large);
    proxies_free(settings->proxies);
    config_release(settings->config);
    free(settings);
}
