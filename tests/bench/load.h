/* The load generator: keep-alive connections on the calling thread that POST a 300-byte JSON body,
 * either as soon as each has its response (a closed loop) or at a fixed rate regardless of the
 * responses (an open loop). Any response but a 201 fails the benchmark. */
#ifndef WEBHOOKD_TESTS_BENCH_LOAD_H
#define WEBHOOKD_TESTS_BENCH_LOAD_H

#include <stdint.h>

#include "bench/samples.h"

struct load_plan {
    unsigned port; /* of 127.0.0.1 */
    const char *path;
    int connections;
    double rate; /* requests per second; 0 = a closed loop */
    int64_t warm_up_us, measured_us;
};

struct load_report {
    double rate; /* responses per second */
    /* Measured from the time at which the request was due: a server that stalls is charged for all
     * requests that had to wait. */
    struct samples latencies_us;
};

/* Adds to the report's samples, which the caller initializes and frees; sets its rate. */
void load_run(const struct load_plan *plan, struct load_report *report);

#endif
