/* A configuration and what is derived from it for the public listener: the parsed proxies. */
#ifndef WEBHOOKD_HOOKS_SETTINGS_H
#define WEBHOOKD_HOOKS_SETTINGS_H

#include <stdatomic.h>

#include "config/config.h"
#include "hooks/proxies.h"

struct hooks;

/* A reload swaps it. Immutable and counted: a request keeps the one it began with. */
struct hooks_settings {
    _Atomic int references;
    struct config *config; /* held */
    struct proxies *proxies;
};

struct hooks_settings *hooks_settings_new(struct config *config);
/* Those in force, for the caller to release. Any thread. */
struct hooks_settings *hooks_settings_hold(struct hooks *hooks);
void hooks_settings_release(struct hooks_settings *settings);

#endif
