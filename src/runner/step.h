/* A step of a run: what changes together in the store, as one operation of the commit queue.
 * Built, submitted and taken back by the runner's thread; the committer reads it in between. */
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
    struct list_node mail;        /* on the way back; the runner's lock */
    struct error error;           /* set when it came back refused */
    struct store_step what;       /* borrows from the run, and from the following: */
    struct attempt_result result; /* ends_attempt */
    struct store_vessel_end *vessel_ends;
    enum vessel_status status;            /* ends_attempt: what it came to, or VESSEL_RETRYING */
    char attempt_name[RECORD_NAME_BYTES]; /* ends_attempt: its record */
};

struct run_step *step_new(struct run *run, int64_t now_ms);
void step_free(struct run_step *step); /* NULL is fine */
/* reason: a constant, or the step's own result.reason. */
void step_end_vessel(struct run_step *step, size_t vessel, enum vessel_status status,
                     const char *reason);
bool step_is_empty(const struct run_step *step);

/* It comes back through runner_post, committed or refused: also when the queue does not take it. */
void step_submit(struct run_step *step);
/* Takes it off the runner's list of steps under way. */
void step_take_back(struct run_step *step);
/* Takes those back that the committer has not taken, and frees them: all of them, or those alone
 * that start an attempt. */
void step_withdraw_all(struct runner *runner, bool only_starts);

#endif
