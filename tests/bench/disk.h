/* The best that a disk can do: records of one size, each written to a log and synced. */
#ifndef WEBHOOKD_TESTS_BENCH_DISK_H
#define WEBHOOKD_TESTS_BENCH_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "bench/samples.h"

struct disk_log {
    int fd;
    char *record;
    size_t record_bytes;
    int64_t records, next; /* the number that fit, and the next one to write */
};

/* Creates a log in the folder, as long as SQLite's log becomes between two checkpoints, and writes
 * it once. Like SQLite's, it then starts over at its beginning, so a sync does not also write a new
 * file length. (That is the faster of the two kinds of append.) */
void disk_log_open(struct disk_log *log, const char *folder, size_t record_bytes);
void disk_log_close(struct disk_log *log);

/* Writes and syncs one record after another for this many microseconds. Adds the time of each. */
void disk_log_append(struct disk_log *log, int64_t duration_us, struct samples *latencies_us);

#endif
