/* The daemon: starts its layers, runs until it is told to stop, and stops them. Called by
 * main.c. */
#ifndef WEBHOOKD_DAEMON_H
#define WEBHOOKD_DAEMON_H

#include "config/config.h"

/* All borrowed until daemon_run returns. */
struct daemon_options {
    struct config *config;   /* checked (configuration_check) */
    const char *config_path; /* read again at each reload */
    const char *supervisor_path;
    int hooks_fd; /* systemd's socket for the hooks, or -1; the daemon's from then on */
};

/* Returns the exit status. After a failed disk it does not return: the process ends. */
int daemon_run(const struct daemon_options *options);

#endif
