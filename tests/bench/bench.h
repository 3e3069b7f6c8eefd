/* What the rows of the benchmark share: bench.c has the table, the turns and most of the rows. */
#ifndef WEBHOOKD_TESTS_BENCH_BENCH_H
#define WEBHOOKD_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/disk.h"
#include "bench/load.h"
#include "support/daemon.h"

#define WARM_UP_US   500000
#define BUSY_CLIENTS 256 /* connections of rows that want many */

/* The sides of a row: what is judged, and what it is judged by. */
enum side { OURS, THEIRS };

struct bench {
    const struct row *row;
    char folder[256]; /* on the disk that is measured, removed at the end */
    int64_t side_us;  /* measured time of each side in each turn */
    struct daemon daemon;
    char *url;
    pid_t bare_pid;
    int bare_in;
    unsigned bare_port;
    struct disk_log log;
    double rate; /* of row 4: half of what it can do */
};

struct row {
    const char *what;
    const char *sides[2];
    const char *unit;
    double target;
    bool at_least; /* else at most */
    int connections;
    void (*begin)(struct bench *bench);
    double (*measure)(struct bench *bench, enum side side);
    void (*end)(struct bench *bench);
    const char *sandbox; /* of vessels */
    const char *hooks;   /* lines of that section; NULL = none */
};

/* What the environment says, from 1 to `most`. */
int bench_setting(const char *name, int otherwise, int most);
/* webhookd on an empty store below the folder, with this fleet and its webhook. */
void bench_begin_daemon(struct bench *bench, const char *runner, const char *fleet);
/* With the runner disabled, and a fleet of one vessel. */
void bench_begin_accepting(struct bench *bench);
void bench_end_daemon(struct bench *bench);
/* To the webhook; the daemon's log is emptied afterwards. */
void bench_post(struct bench *bench, const struct load_plan *plan, struct load_report *report);
void bench_remove_tree(const char *path);

#endif
