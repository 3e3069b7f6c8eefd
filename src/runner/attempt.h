/* An attempt: one execution of one vessel by a supervisor process. The rest of the runner launches
 * it and receives its result; processes, descriptors and folders stay within attempt.c and
 * launch.c. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_ATTEMPT_H
#define WEBHOOKD_RUNNER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "model/attempt_result.h"
#include "runner/core.h"
#include "supervisor/job.h"
#include "supervisor/record.h"

/*   committing ─► launching ─► running ─► (over)
 *                     ▲───────────┘  its supervisor vanished before it released the vessel
 * At recovery: committing ─► running. Launching also leads to (over): the attempt cannot be
 * started, or its run was stopped. */
enum attempt_state {
    ATTEMPT_COMMITTING, /* "attempt starts" is on its way to the store */
    ATTEMPT_LAUNCHING,  /* the start is committed; nothing runs */
    ATTEMPT_RUNNING,    /* a supervisor was spawned or found */
};

struct attempt;
/* Called when the attempt is over: it has ended, it cannot be started, or its run was stopped or
 * given up before it started. The callee owns the attempt from then on and frees it. */
typedef void attempt_over(struct attempt *attempt, const struct attempt_result *result);

struct attempt {
    struct run_vessel *vessel;
    attempt_over *over;
    int number; /* from 1 */
    char name[RECORD_NAME_BYTES];
    struct id boot_id; /* of the boot in which its start was committed */
    enum attempt_state state;
    bool has_slot, is_adopted;
    int fds[JOB_FDS]; /* for the supervisor, by enum job_fd; -1 = absent */
    bool is_prepared;
    pid_t pid;             /* the supervisor while it is webhookd's child, else 0 */
    char *kill_reason;     /* of attempt_kill; NULL = it was not called */
    int supervisor_status; /* its exit code; 128 + n if signal n ended it; -1 = unknown */
    struct loop_watch watch;
    struct loop_timer timer;
    int tries;    /* to launch it; each failure lengthens the wait before the next one */
    int refusals; /* tries in a row that failed for another reason than a shortage */
    int looks;    /* in a row that were inconclusive; each lengthens the wait, too */
};

struct attempt *attempt_new(struct run_vessel *vessel, int number, const struct id *boot_id,
                            attempt_over *over);
/* Frees the attempt; whatever runs goes on. NULL is fine. */
void attempt_free(struct attempt *attempt);

/* Creates folders and descriptors so that they are ready when the commit returns. attempt_launch
 * retries what fails now. */
void attempt_prepare(struct attempt *attempt);
/* Notes that the attempt's start is committed (invariant 4). */
void attempt_committed(struct attempt *attempt);
/* Spawns the supervisor, now or as soon as the system permits it: waits for as long as the system
 * is short of something, but ends the attempt after a few tries that failed for another reason. The
 * attempt must have a slot. `over` may be called before this returns. */
void attempt_launch(struct attempt *attempt);
/* Takes over an attempt that another daemon started: finds out what became of it and goes on from
 * there. */
void attempt_recover(struct attempt *attempt);

/* Ends an attempt whose run is stopped, immediately or as soon as its supervisor is watched. Does
 * nothing before its start is committed. `over` is called before this returns if nothing runs. */
void attempt_stop(struct attempt *attempt);

/* Kills the vessel, immediately or as soon as its supervisor is watched. The attempt then ends with
 * this reason, unless it was ending already. Returns false if it was called before, and then only
 * signals the supervisor again; also if nothing runs, and then does nothing. */
bool attempt_kill(struct attempt *attempt, const char *reason);

/* Takes a slot for the attempt, which gives it back itself. */
void attempt_take_slot(struct attempt *attempt);

/* Removes the record of an attempt whose end is committed. */
void attempt_remove_record(struct runner *runner, const char *name);

#endif
