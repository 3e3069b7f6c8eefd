/* The daemon: what it is made of, its start and its stop. What the files of this folder share. */
#ifndef WEBHOOKD_DAEMON_H
#define WEBHOOKD_DAEMON_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "config/config.h"
#include "http/server.h"
#include "store/store.h"

/* Of the main thread, but for what the lock guards. */
struct daemon {
    struct config *config; /* in force */
    struct config *
        first; /* what was started with: the store's options borrow from it, and keys that need a restart are compared with it */
    const char *config_path;
    struct state_dir state;
    struct store_options store;
    struct secret_key key;
    char *supervisor_path;
    struct loop *loop;
    struct commit_queue *queue;
    struct spool *spool;
    struct tally *tally;
    struct retention *retention;
    struct runner *runner;
    struct admin *admin;
    struct admin_events *events;
    struct hooks *hooks;
    pthread_mutex_t lock;           /* guards what other threads' callbacks see of them: */
    struct runner *runner_to_wake;  /* NULL before it has started and from when it is stopped */
    struct hooks *hooks_to_measure; /* likewise */
    char hooks_address[HTTP_ADDRESS_BYTES];
    int inherited_fd; /* systemd's socket for the hooks, or -1 */
    struct loop_watch signals;
    struct loop_timer watchdog;
    atomic_bool disk_failed;
};

/* Only main's: the configuration, its path and the supervisor's are set by then. Starts it, waits for a signal, stops it: the exit status. */
int daemon_run(struct daemon *daemon);
/* Could webhookd start with this configuration? -1 and why not. */
int daemon_check_config(const struct daemon *daemon, struct config *config, struct error *error);

#endif
