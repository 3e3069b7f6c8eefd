/* Measures the two sides of a row in turns and prints their ratio. */
#ifndef WEBHOOKD_TESTS_BENCH_TURNS_H
#define WEBHOOKD_TESTS_BENCH_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/bench.h"

struct turns {
    int count;
    int64_t measured_us;       /* for each side in each turn */
    const char *builds[SIDES]; /* the folders of each side's programs, absolute */
    /* Both sides are webhookd of these builds; otherwise the row's own two sides. */
    bool compared;
};

/* The folder is on the measured disk. */
void turns_run(const struct turns *turns, const struct row *row, const char *folder);

#endif
