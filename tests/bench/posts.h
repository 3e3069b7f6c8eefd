/* Rows 1 to 5: throughput and the time to the acknowledgement. */
#ifndef WEBHOOKD_TESTS_BENCH_POSTS_H
#define WEBHOOKD_TESTS_BENCH_POSTS_H

#include "bench/bench.h"

/* POSTs per second; the other side is bare.c. */
extern const struct side posts_webhookd, posts_bare;

/* Median times in microseconds on an idle machine: to the acknowledgement, and for one append to a
 * log with its sync. */
extern const struct side posts_idle, posts_disk_median;

/* p99 / p50 of the same times; for the acknowledgement at half the maximum rate. */
extern const struct side posts_half, posts_disk_spread;

/* p99 of the acknowledgement at a fixed rate, in microseconds. */
extern const struct side posts_crowded, posts_uncrowded;

/* The steps of posts_disk_median, for other rows. An append is as large as one run's commit. */
void posts_begin_disk(struct bench *bench);
double posts_disk_median_us(struct bench *bench);
void posts_end_disk(struct bench *bench);

#endif
