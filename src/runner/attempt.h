/* An attempt: one execution of one vessel by a supervisor process. To the rest of the runner it
 * is "launch it, and hear how it ended"; processes, descriptors and folders stay in here and in
 * launch.c. */
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
 *                     ▲───────────┘  its supervisor vanished before it let the vessel go  */
enum attempt_state {
    ATTEMPT_COMMITTING, /* "attempt starts" is on its way to the store */
    ATTEMPT_LAUNCHING,  /* it is committed; nothing runs */
    ATTEMPT_RUNNING,    /* a supervisor was spawned or found */
};

#define ATTEMPT_FDS (JOB_FD_BODY + 1)

struct attempt;
/* It has ended, or it turned out that it never ran: it is the callee's again, who frees it. */
typedef void attempt_over(struct attempt *attempt, const struct attempt_result *result);

struct attempt {
    struct run_vessel *vessel;
    attempt_over *over;
    int number; /* from 1 */
    char name[RECORD_NAME_BYTES];
    struct id boot_id; /* in which its start was committed */
    enum attempt_state state;
    bool has_slot, is_adopted;
    int fds[ATTEMPT_FDS]; /* for the supervisor, by enum job_fd; -1 = not there */
    bool is_prepared;
    pid_t pid; /* the supervisor, while it is our child; else 0 */
    struct loop_watch watch;
    struct loop_timer timer;
    int tries; /* to launch it; each failure makes the wait before the next one longer */
    int looks; /* since it was last clear what goes on; likewise */
};

struct attempt *attempt_new(struct run_vessel *vessel, int number, const struct id *boot_id,
                            attempt_over *over);
/* Forgets it; whatever runs goes on. NULL is fine. */
void attempt_free(struct attempt *attempt);

/* Makes folders and descriptors, so that they are there when the commit returns; what fails now is tried again by attempt_launch. */
void attempt_prepare(struct attempt *attempt);
/* Its start is committed (invariant 4). */
void attempt_committed(struct attempt *attempt);
/* It has a slot: spawns the supervisor, now or as soon as the system lets it. `over`
 * may be called before this returns. */
void attempt_launch(struct attempt *attempt);
/* For an attempt that another daemon started: finds out what became of it and goes on from there. */
void attempt_recover(struct attempt *attempt);

/* The run is stopped: ends it, now or as soon as it is known where it is. `over` is called before this returns if nothing runs. */
void attempt_stop(struct attempt *attempt);

/* The attempt gives it back itself. */
void attempt_take_slot(struct attempt *attempt);

/* Removes the record of an attempt whose end is committed. */
void attempt_remove_record(struct runner *runner, const char *name);

#endif
