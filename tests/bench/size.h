/* Rows 8 and 11 to 15: a long backlog, many stored runs, memory, live pages. */
#ifndef WEBHOOKD_TESTS_BENCH_SIZE_H
#define WEBHOOKD_TESTS_BENCH_SIZE_H

#include "bench/bench.h"

/* POSTs per second: with $BENCH_BACKLOG scheduled runs, with $BENCH_STORED ended runs, with
 * none. */
extern const struct side size_backlog, size_stored, size_empty;

/* POSTs per second, with and without 50 readers of /api/v1/events. */
extern const struct side size_live, size_not_live;

/* Resident memory of the daemon (VmRSS of proc(5)), including its program and libraries: idle in
 * MiB, per connection in KiB, beyond idle during a large upload in MiB. */
extern const struct side size_idle, size_idle_bound;
extern const struct side size_connections, size_connections_bound;
extern const struct side size_upload, size_upload_bound;

#endif
