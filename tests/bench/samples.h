/* Measured latencies and their quantiles. */
#ifndef WEBHOOKD_TESTS_BENCH_SAMPLES_H
#define WEBHOOKD_TESTS_BENCH_SAMPLES_H

#include <stddef.h>

struct samples {
    double *values;
    size_t count, capacity;
};

#define SAMPLES_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void samples_add(struct samples *samples, double value);
void samples_free(struct samples *samples);
/* Returns the smallest value that `share` (0 to 1) of all values do not exceed. Sorts the samples;
 * fails if there are none. */
double samples_quantile(struct samples *samples, double share);

#endif
