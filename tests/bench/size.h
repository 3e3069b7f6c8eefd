/* Rows about what is stored and what is held: a long backlog, many stored runs, memory. Steps of struct row (bench.h). */
#ifndef WEBHOOKD_TESTS_BENCH_SIZE_H
#define WEBHOOKD_TESTS_BENCH_SIZE_H

#include "bench/bench.h"

void size_begin_backlog(struct bench *bench); /* $BENCH_BACKLOG waiting runs */
void size_begin_stored(struct bench *bench);  /* $BENCH_STORED ended runs */
/* POSTs per second, against an empty store of its own. */
double size_measure_rate(struct bench *bench, enum side side);

/* POSTs per second with 50 readers of /api/v1/events, against the same without. */
double size_measure_live(struct bench *bench, enum side side);

/* Memory is all of the daemon's that is resident (VmRSS of proc(5)), its program and libraries included. The other side is the bound. */
double size_measure_idle(struct bench *bench, enum side side);
double size_measure_connections(struct bench *bench, enum side side);
double size_measure_upload(struct bench *bench, enum side side);

#endif
