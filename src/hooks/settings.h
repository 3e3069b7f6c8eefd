/* A configuration and what is derived from it for the public listener: the parsed proxies and
 * texts of answers. */
#ifndef WEBHOOKD_HOOKS_SETTINGS_H
#define WEBHOOKD_HOOKS_SETTINGS_H

#include <stdatomic.h>

#include "config/config.h"
#include "http/proxies.h"

struct hooks;

/* A reload replaces it. Immutable and reference-counted: a request keeps the one that it began
 * with, until it is judged again (hooks/request.c). */
struct hooks_settings {
    _Atomic int references;
    struct config *config; /* held */
    struct proxies *proxies;
    char *too_large, *chunked_too_large; /* "the body is larger than 32 MiB (hooks.max_body)" */
};

struct hooks_settings *hooks_settings_new(struct config *config);
/* Returns the settings in force, which the caller releases. Any thread. */
struct hooks_settings *hooks_settings_hold(struct hooks *hooks);
void hooks_settings_release(struct hooks_settings *settings);

#endif
