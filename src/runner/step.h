/* A step of a run: what changes together in the store, as one operation of the commit queue. The
 * runner's thread builds it, submits it and takes it back; in between, the committer reads it. */
#ifndef WEBHOOKD_RUNNER_STEP_H
#define WEBHOOKD_RUNNER_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/attempt_result.h"
#include "queue/commit.h"
#include "runner/core.h"
#include "supervisor/record.h"

struct run_step {
    struct commit_op op;
    struct run *run;
    struct list_node under_way;   /* among the runner's steps */
    struct list_node mail;        /* on the way back; guarded by the runner's lock */
    struct error error;           /* set if the step was refused */
    struct store_step what;       /* borrows from the run and from the following members */
    struct attempt_result result; /* ends_attempt */
    struct store_vessel_end *vessel_ends;
    /* ends_attempt: the status that the vessel run gets, or VESSEL_RETRYING. */
    enum vessel_status status;
    char attempt_name[RECORD_NAME_BYTES]; /* ends_attempt: the name of its record */
};

struct run_step *step_new(struct run *run, int64_t now_ms);
void step_free(struct run_step *step); /* NULL is fine */
/* Ends a vessel run in the step. reason: a constant, or the step's own result.reason. */
void step_end_vessel(struct run_step *step, size_t vessel, enum vessel_status status,
                     const char *reason);
/* Ends a vessel run as an override says, without an attempt. */
void step_skip_vessel(struct run_step *step, size_t vessel, enum vessel_status status);
bool step_is_empty(const struct run_step *step);

/* Submits the step. It comes back through runner_post, committed or refused, even if the queue does
 * not accept it. */
void step_submit(struct run_step *step);
/* Removes the step from the runner's list of steps under way. */
void step_take_back(struct run_step *step);
/* Withdraws and frees the steps that the committer has not taken yet: all of them, or only those
 * that start an attempt. */
void step_withdraw_all(struct runner *runner, bool only_starts);

#endif
