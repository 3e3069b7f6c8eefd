/* Measures the two sides of a row in turns and prints their ratio. */
#ifndef WEBHOOKD_TESTS_BENCH_TURNS_H
#define WEBHOOKD_TESTS_BENCH_TURNS_H

#include <stdint.h>

#include "bench/bench.h"

struct turns {
    int count;
    int64_t measured_us; /* for each side in each turn */
};

/* The folder is on the disk that is measured. */
void turns_run(const struct turns *turns, const struct row *row, const char *folder);

#endif
