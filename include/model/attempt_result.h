/* How an attempt ended: its supervisor writes the result, the runner completes it, and the store
 * keeps it. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_ATTEMPT_RESULT_H
#define WEBHOOKD_MODEL_ATTEMPT_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/vessel_status.h"

enum attempt_ending {
    ATTEMPT_EXITED,      /* by itself, or by a signal that webhookd did not send */
    ATTEMPT_CUTOFF,      /* the supervisor ended it at the cutoff */
    ATTEMPT_STOPPED,     /* its run was stopped */
    ATTEMPT_NOT_STARTED, /* it could not be executed */
    ATTEMPT_INTERRUPTED, /* it may have run, but left no result of its own */
    ATTEMPT_REFUSED,     /* webhookd did not start it: it lacks something that must be there */
    ATTEMPT_OVER_DISK,   /* webhookd had it killed, because its run occupied too much disk */
    ATTEMPT_UNPREPARED,  /* webhookd did not start it: its packages could not be installed */
};

#define ATTEMPT_REASON_BYTES 300

struct attempt_result {
    enum attempt_ending ending; /* not stored */
    bool has_exit_code;
    int exit_code;                     /* 0 to 255; 128 + n for signal n, 127 if it never started */
    char reason[ATTEMPT_REASON_BYTES]; /* "" = none */
    int64_t started_ms, ended_ms;      /* wall clock; 0 = unknown, or it did not happen */
    int64_t output_bytes;              /* in the log, without the line that reports a cut */
    bool output_cut;                   /* the output was longer than its bound */
};

/* Returns the status that the vessel run gets from this attempt unless it is tried again. */
enum vessel_status attempt_result_status(const struct attempt_result *result);

/* Copies as much of the text as fits, in whole UTF-8 characters. */
void attempt_result_set_reason(struct attempt_result *result, const char *text);

#endif
