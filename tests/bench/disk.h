/* What a disk can do at best: records of one size, each written to a log and synced. */
#ifndef WEBHOOKD_TESTS_BENCH_DISK_H
#define WEBHOOKD_TESTS_BENCH_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "bench/samples.h"

struct disk_log {
    int fd;
    char *record;
    size_t record_bytes;
    int64_t records, next; /* as many as fit, and the one that is written next */
};

/* Creates a log in the folder, as long as SQLite's own becomes between two checkpoints, and writes
 * it once. Like SQLite's, it then starts over at its beginning, so a sync has no new length of the
 * file to write. (That is the quicker of the two kinds of append.) */
void disk_log_open(struct disk_log *log, const char *folder, size_t record_bytes);
void disk_log_close(struct disk_log *log);

/* Writes and syncs one record after another for so many microseconds. Adds the time of each. */
void disk_log_append(struct disk_log *log, int64_t duration_us, struct samples *latencies_us);

#endif
