/* Rows 6, 7, 9 and 10: how soon and how fast runs are executed. */
#ifndef WEBHOOKD_TESTS_BENCH_RUNS_H
#define WEBHOOKD_TESTS_BENCH_RUNS_H

#include "bench/bench.h"

/* The median time from POST to the first instruction of a vessel, in milliseconds; the other side
 * is two appends to a log and a constant. */
extern const struct side runs_start, runs_start_budget;

/* Runs per second; the other side starts bash without webhookd. */
extern const struct side runs_rate, runs_bash_rate;

#endif
