/* Scheduled fleet runs → vessel processes → results, on one thread with one event loop. */
#ifndef WEBHOOKD_RUNNER_RUNNER_H
#define WEBHOOKD_RUNNER_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "config/config.h"
#include "queue/commit.h"
#include "store/runs.h"

struct runner;

struct runner_options {
    struct config *config;      /* held by the runner */
    struct store_options store; /* for its own read-only connection */
    struct commit_queue *queue;
    int state_fd; /* state_dir, borrowed; runs/ attempts/ logs/ trash/ spool/ exist below it */
    const char *state_path;      /* absolute, borrowed */
    const char *supervisor_path; /* webhookd-vessel, absolute */
    /* A run's new status is committed: on the runner's thread, must not block. May be NULL. */
    void (*run_changed)(void *context, const struct run_ids *ids, enum run_status status);
    void *context;
};

/* Could a runner work with it? -1 and why (runner.user that there is not, vessels that cannot be isolated): ERROR_INVALID if the file is to
 * be changed. config_path is the file's own. Starts processes and waits for them. Any thread. */
int runner_check_config(struct config *config, const char *config_path, const char *supervisor_path,
                        struct error *error);
/* Recovers what the last daemon left (attempts found by their locks and records), then claims.
 * Starts its thread and the trash's. */
struct runner *runner_start(const struct runner_options *options, struct error *error);
/* Stops claiming and watching; leaves vessels running under their supervisors. Returns when every operation it has submitted is committed or
 * withdrawn, so commit_stop comes after it. Frees the runner: whoever calls runner_wake from the committer's `committed` must keep that from
 * happening once this was called (a lock around the pointer), because `committed` follows the last `done`. */
void runner_stop(struct runner *runner);

void runner_wake(struct runner *runner); /* there may be a scheduled fleet run; any thread */
/* There is a run that somebody asked to stop, and that is committed (store_stop_run): its vessels are ended; any thread. */
void runner_stop_runs(struct runner *runner);
void runner_reconfigure(struct runner *runner, struct config *fresh); /* any thread; holds it */

struct runner_metrics {
    int64_t running_vessels, active_runs;
    uint64_t attempts_started, attempts_ended, attempts_interrupted, attempts_adopted;
};
void runner_get_metrics(struct runner *runner, struct runner_metrics *metrics); /* any thread */

#endif
