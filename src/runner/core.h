/* What the runner's files share: the runner, its runs, their vessels. All of it belongs to the runner's thread (before that thread
 * exists, to runner_start) unless a field says otherwise. */
#ifndef WEBHOOKD_RUNNER_CORE_H
#define WEBHOOKD_RUNNER_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "model/definition.h"
#include "model/plan.h"
#include "model/run_status.h"
#include "model/vessel_status.h"
#include "runner/fair_queue.h"
#include "runner/runner.h"
#include "store/work.h"

struct attempt;
struct trash;
struct run_step;
struct runner_settings;

/* One vessel of a run. */
struct run_vessel {
    struct run *run;
    size_t index; /* its place in the definition, in run->statuses and in run->vessel_run_ids */
    int attempts; /* how many were started: the number of the last one */
    int retries;  /* how many of these came after an error, as guardrails.retry_count allows */
    int64_t started_ms;  /* the first attempt's start; 0 = none yet */
    int64_t retry_at_ms; /* VESSEL_RETRYING: not before this, on the wall clock; 0 = at once */
    struct loop_timer retry_timer;
    struct attempt *attempt; /* the one that is starting or running, or NULL */
    bool is_ready;           /* in its fleet's queue: to be started when a slot is free */
    struct list_node ready;  /* there */
};

/* A run that was claimed (or was found running at start) and has not ended. */
struct run {
    struct runner *runner;
    struct list_node active;         /* among the runner's runs */
    struct fleet_queue *fleet_queue; /* its fleet's */
    struct run_work *work;
    struct definition *definition;
    enum run_status status; /* as submitted to the commit queue; changed by run_set_state alone */
    int64_t started_ms;
    struct run_vessel *vessels;
    enum vessel_status *statuses; /* one per vessel; changed by run_set_vessel_state alone */
    struct id *vessel_run_ids;    /* never change: the committer reads them too */
    enum plan_verdict *plan;      /* room for plan_next */
    struct run_step *
        first; /* what the transaction of the first attempt will do besides; NULL once it is submitted */
    int steps_under_way;
    int attempts_under_way;
    bool is_stopped; /* somebody asked for it: nothing more is started, and what runs is ended */
    bool given_up; /* the store refused a step: nothing more is done for it until the next start */
};

struct runner {
    struct runner_options options;
    char *state_path, *supervisor_path;
    int runs_fd, attempts_fd, logs_fd, trash_fd; /* folders below the state folder */
    struct id boot_id;                /* of the machine, mixed with an id of the state folder */
    struct runner_settings *settings; /* the configuration in force */
    struct loop *loop;
    struct store *store; /* read-only */
    struct trash *trash;
    pthread_t thread;

    struct list runs;             /* by `active` */
    struct fair_queue fair_queue; /* whose turn it is */
    int slots_used;
    bool may_wait; /* there may be scheduled runs that are in no queue yet */
    struct loop_timer claim_timer;
    struct list steps; /* submitted and not yet back; by `under_way` */
    int step_count;
    struct loop_timer stop_timer;
    bool is_stopping; /* this thread has seen `stop` */

    /* Other threads' side. */
    atomic_bool news, stops, stop;
    pthread_mutex_t lock;          /* guards the following */
    struct list mail;              /* steps that came back from the committer; by `mail` */
    struct runner_settings *fresh; /* a configuration to be taken over */

    _Atomic int64_t running_vessels, active_runs;
    _Atomic uint64_t attempts_started, attempts_ended, attempts_interrupted, attempts_adopted;
};

/* A vessel that is to be started when a slot is free and it is its fleet's turn. Adding wakes the loop. */
void runner_ready_add(struct runner *runner, struct run_vessel *vessel);
void runner_ready_remove(struct run_vessel *vessel); /* fine if it is not there */

/* A slot is a vessel process, or one about to be. Giving one back wakes the loop. */
void runner_take_slot(struct runner *runner);
void runner_give_slot(struct runner *runner);

/* A step is back from the committer: hands it to the runner's thread. Any thread. */
void runner_post(struct runner *runner, struct run_step *step);

#endif
