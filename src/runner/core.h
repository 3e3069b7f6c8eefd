/* What the runner's files share: the runner, its runs, their vessels. Unless a field says
 * otherwise, all of it belongs to the runner's thread (before that thread exists, to the thread
 * that calls runner_start). */
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
struct installer_ticket;
struct disk_watch;
struct disk_watch_run;
struct trash;
struct run_step;
struct runner_settings;

/* One vessel of a run. */
struct run_vessel {
    struct run *run;
    size_t index; /* its place in the definition, in run->statuses and in run->vessel_run_ids */
    int attempts; /* attempts started: the number of the last one */
    int retries;  /* how many of them followed an error, as guardrails.retry_count allows */
    int64_t started_ms;  /* the first attempt's start; 0 = none yet */
    int64_t retry_at_ms; /* VESSEL_RETRYING: not before this, on the wall clock; 0 = immediately */
    struct loop_timer retry_timer;
    struct attempt *attempt; /* the one that is starting or running, or NULL */
    bool is_ready;           /* in its fleet's queue, to be started when a slot is free */
    struct list_node ready;  /* its place in that queue */
    /* From the time that it might start to its end, if it has packages; else NULL. */
    struct installer_ticket *packages;
    bool waits_for_packages;
    struct list_node waiting; /* among the runner's `waiting` */
};

/* A run that was claimed, or was running at the start of webhookd, and has not ended. */
struct run {
    struct runner *runner;
    struct list_node active;         /* among the runner's runs */
    struct fleet_queue *fleet_queue; /* its fleet's */
    struct run_work *work;
    struct definition *definition;
    enum run_status status; /* as submitted to the commit queue; only run_set_state changes it */
    int64_t started_ms;
    struct run_vessel *vessels;
    enum vessel_status *statuses; /* one for each vessel; only run_set_vessel_state changes them */
    struct id *vessel_run_ids;    /* never change, because the committer reads them too */
    enum plan_verdict *plan;      /* storage for plan_next */
    /* Created at the claim, with the vessels that end without an attempt; the start of the first
     * attempt is added to it. NULL once it is submitted. */
    struct run_step *first;
    int steps_under_way;
    int attempts_under_way;
    struct disk_watch_run *disk; /* from the first vessel process on; else NULL */
    bool is_stopped; /* a stop was requested: nothing more is started, and what runs is ended */
    /* The store refused a step: nothing more is done for the run until the next start. */
    bool given_up;
};

struct runner {
    struct runner_options options;
    char *state_path, *supervisor_path;
    int runs_fd, attempts_fd, logs_fd, trash_fd; /* folders in the state folder */
    struct id boot_id;                /* of the machine, combined with an id of the state folder */
    struct runner_settings *settings; /* the configuration in force */
    struct loop *loop;
    struct store *store; /* read-only */
    struct trash *trash;
    struct disk_watch *disk_watch;
    pthread_t thread;

    struct list runs;             /* linked by `active` */
    struct list waiting;          /* vessels whose packages are being installed */
    struct fair_queue fair_queue; /* whose turn it is */
    int slots_used;
    bool may_have_scheduled; /* there may be scheduled runs that are in no queue yet */
    struct loop_timer claim_timer;
    struct list steps; /* submitted and not yet back; linked by `under_way` */
    int step_count;
    struct loop_timer stop_timer;
    bool is_stopping; /* this thread has seen `stop` */

    /* Other threads use these as well. */
    atomic_bool news, stops, disk_news, packages_news, stop;
    pthread_mutex_t lock;          /* guards the following */
    struct list mail;              /* steps that came back from the committer; linked by `mail` */
    struct runner_settings *fresh; /* a configuration that is yet to be applied */

    _Atomic int64_t running_vessels, active_runs;
    _Atomic uint64_t attempts_started, attempts_ended, attempts_interrupted, attempts_adopted;
    _Atomic uint64_t attempts_over_disk;
};

/* Queues a vessel to be started when a slot is free and it is its fleet's turn. Wakes the loop. */
void runner_ready_add(struct runner *runner, struct run_vessel *vessel);
/* Removes the vessel from that queue; does nothing if it is not in it. */
void runner_ready_remove(struct run_vessel *vessel);

/* A slot is for a vessel process that runs or is about to. Giving one back wakes the loop. */
void runner_take_slot(struct runner *runner);
void runner_give_slot(struct runner *runner);

/* Hands a step that is back from the committer to the runner's thread. Any thread. */
void runner_post(struct runner *runner, struct run_step *step);

#endif
