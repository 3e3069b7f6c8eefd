/* A step of a run: what changes together in the store, as one operation of the commit queue. Built, submitted and taken back by the
 * runner's thread; the committer reads it in between. */
#ifndef WEBHOOKD_RUNNER_OPS_H
#define WEBHOOKD_RUNNER_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/attempt_result.h"
#include "queue/commit.h"
#include "runner/core.h"
#include "supervisor/record.h"

struct vessel_end {
    size_t vessel;
    enum vessel_status status;
    const char *reason; /* a constant, or the step's own attempt.result.reason */
};

struct run_step {
    struct commit_op op;
    struct run *run;
    struct list_node under_way; /* among the runner's steps */
    struct list_node mail;      /* on the way back; the runner's lock */
    struct error error;         /* set when it came back refused */
    int64_t now_ms;

    /* What it does, in this order. */
    bool starts_run;
    bool ends_attempt, starts_attempt; /* never both: they are of different moments */
    struct {
        size_t vessel;
        int number;
        struct id boot_id;            /* starts_attempt */
        struct attempt_result result; /* ends_attempt */
        enum vessel_status status;    /* what it came to, or VESSEL_RETRYING */
        char name[RECORD_NAME_BYTES]; /* of its folder */
    } attempt;
    struct vessel_end *vessel_ends;
    size_t vessel_end_count;
    bool ends_run;
    enum run_status run_status;
};

struct run_step *step_new(struct run *run, int64_t now_ms);
void step_free(struct run_step *step); /* NULL is fine */
void step_end_vessel(struct run_step *step, size_t vessel, enum vessel_status status,
                     const char *reason);
bool step_is_empty(const struct run_step *step);

/* It comes back through runner_post, committed or refused: also when the queue does not take it. */
void step_submit(struct run_step *step);
/* Takes it off the runner's list of steps under way. */
void step_take_back(struct run_step *step);
/* Takes those back that the committer has not taken, and frees them: all of them, or those alone that start an attempt. */
void step_withdraw_all(struct runner *runner, bool only_starts);

#endif
