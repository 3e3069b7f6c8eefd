/* The configuration file: whether webhookd could start with it, and reading it again while webhookd
 * runs. Called by main.c and daemon.c, on the main thread. */
#ifndef WEBHOOKD_CONFIGURATION_H
#define WEBHOOKD_CONFIGURATION_H

#include "base/error.h"
#include "config/config.h"

/* Could webhookd start with this configuration, read from path? -1 and why not. */
int configuration_check(struct config *config, const char *path, const char *supervisor_path,
                        struct error *error);

/* Reads the file again: a snapshot that webhookd could also be started with, or NULL; logs what is
 * wrong with it. `first` is what webhookd was started with: logs which keys need a restart. */
struct config *configuration_reload(const struct config *first, const char *path,
                                    const char *supervisor_path);

#endif
