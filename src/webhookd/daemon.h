/* The daemon: starts its layers, runs until it is stopped, and stops them. Called by main.c. */
#ifndef WEBHOOKD_DAEMON_H
#define WEBHOOKD_DAEMON_H

#include "config/config.h"
#include "webhookd/configuration.h"

/* All borrowed until daemon_run returns. */
struct daemon_options {
    struct config *config;                   /* checked (configuration_check) */
    const struct configuration_place *place; /* its file is read again at each reload */
    int hooks_fd; /* systemd's socket for the hooks, which the daemon then owns, or -1 */
};

/* Returns the exit status. Ends the process instead if the disk has failed, or if requests do not
 * end in time at the stop. */
int daemon_run(const struct daemon_options *options);

#endif
