/* The runner: turns scheduled fleet runs into vessel processes and results, on one thread with one
 * event loop. */
#ifndef WEBHOOKD_RUNNER_RUNNER_H
#define WEBHOOKD_RUNNER_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "config/config.h"
#include "packages/installer.h"
#include "queue/commit.h"
#include "store/package_locks.h"
#include "store/runs.h"

struct runner;

struct runner_options {
    struct config *config;      /* the runner holds a reference */
    struct store_options store; /* for its own read-only connection */
    struct commit_queue *queue;
    struct installer *installer; /* may be NULL if no vessel has packages */
    /* state_dir, borrowed; the folders runs, attempts, logs, trash and spool exist in it. */
    int state_fd;
    const char *state_path;      /* absolute, borrowed */
    const char *supervisor_path; /* webhookd-vessel, absolute */
    /* Called when a run's new status is committed, on the runner's thread; must not block. May be
     * NULL. */
    void (*run_changed)(void *context, const struct run_ids *ids, enum run_status status);
    void *context;
};

/* Checks whether a runner could work with the configuration. Returns -1 and sets *error if not
 * (runner.user does not exist, or vessels cannot be isolated or started); ERROR_INVALID if the file
 * must be changed. config_path is the configuration's own file. Starts processes and waits for
 * them; if the state folder exists, creates and removes a folder in `runs`. Any thread. */
int runner_check_config(struct config *config, const char *config_path, const char *supervisor_path,
                        struct error *error);
/* Recovers what the last daemon left (it finds attempts by their locks and records), then claims
 * runs. Starts the runner's thread and the trash's. ERROR_CONFIG: no vessel could be started in
 * this state folder. */
struct runner *runner_start(const struct runner_options *options, struct error *error);
/* Stops claiming and watching; vessels keep running under their supervisors. Returns when every
 * operation that the runner has submitted is committed or withdrawn, so commit_stop must come after
 * it. Frees the runner. The committer's `committed` may still run after the last `done`. A caller
 * that calls runner_wake from it must therefore clear its pointer to the runner, under a lock,
 * before it calls runner_stop. */
void runner_stop(struct runner *runner);

/* Wakes the runner because there may be a scheduled fleet run. Any thread. */
void runner_wake(struct runner *runner);
/* Wakes the runner because a request to stop a run has been committed (store_stop_run): the runner
 * ends the run's vessels. Any thread. */
void runner_stop_runs(struct runner *runner);
/* Wakes the runner because a ticket of the installer has changed. Any thread. */
void runner_packages_changed(struct runner *runner);
/* The users that the vessels of fleets run as, by a configuration. */
struct runner_users;
/* Returns NULL on failure. May block (name services). Any thread but the runner's. */
struct runner_users *runner_users_new(struct config *config, struct error *error);
void runner_users_free(struct runner_users *users); /* NULL is fine */
/* Borrows from the users. */
struct installer_user runner_users_find(const struct runner_users *users,
                                        const struct package_fleet *fleet);
/* Applies a fresh configuration and holds a reference to it. If that fails, logs why and keeps the
 * present one. May block (name services). Any thread but the runner's. */
void runner_reconfigure(struct runner *runner, struct config *fresh);

struct runner_metrics {
    int64_t running_vessels, active_runs;
    uint64_t attempts_started, attempts_ended, attempts_interrupted, attempts_adopted;
    uint64_t attempts_over_disk; /* killed by the disk watch */
};
void runner_get_metrics(struct runner *runner, struct runner_metrics *metrics); /* any thread */

#endif
