/* The configuration file: checks whether webhookd could start with it, and reads it again while
 * webhookd runs. Called by main.c and daemon.c, on the main thread. */
#ifndef WEBHOOKD_CONFIGURATION_H
#define WEBHOOKD_CONFIGURATION_H

#include "base/error.h"
#include "config/config.h"

/* Checks whether webhookd could start with this configuration, which was read from path. Returns 0,
 * or -1 and why not. */
int configuration_check(struct config *config, const char *path, const char *supervisor_path,
                        struct error *error);

/* Reads the file again and logs its errors. Returns a snapshot that webhookd could also start with,
 * or NULL. `first` is the configuration that webhookd was started with: logs which changed keys
 * need a restart. */
struct config *configuration_reload(const struct config *first, const char *path,
                                    const char *supervisor_path);

#endif
