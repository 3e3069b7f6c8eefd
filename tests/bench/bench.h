/* Shared by the rows of the benchmark. bench.c has the table of rows, turns.c measures them. */
#ifndef WEBHOOKD_TESTS_BENCH_BENCH_H
#define WEBHOOKD_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/disk.h"
#include "bench/load.h"
#include "support/daemon.h"

#define WARM_UP_US   500000
#define BUSY_CLIENTS 256 /* connections of the rows that need many */

/* The state of one side of a row while it is measured. */
struct bench {
    const struct row *row;
    char folder[256];    /* its own, on the measured disk */
    int64_t measured_us; /* the length of one measurement */
    struct daemon daemon;
    char *url; /* of the daemon's webhook */
    pid_t bare_pid;
    int bare_in;
    unsigned bare_port;
    struct disk_log log;
    double rate; /* of row 4: half of the maximum */
};

/* How one side of a row is measured. `begin` and `end` may be NULL. */
struct side {
    const char *name;
    void (*begin)(struct bench *bench);
    double (*measure)(struct bench *bench); /* once per turn; NULL: the figure is `bound` */
    void (*end)(struct bench *bench);
    double bound;
};

enum { OURS, THEIRS, SIDES }; /* webhookd, and the side it is compared with */

struct row {
    int number;
    const char *what, *unit;
    const struct side *sides[SIDES];
    double target;       /* for the ratio OURS / THEIRS */
    bool at_least;       /* otherwise: at most */
    bool compared;       /* used to compare builds unless others are named */
    int connections;     /* for rows that use them */
    const char *sandbox; /* for vessels; NULL = off */
    const char *hooks;   /* lines of that section; NULL = none */
};

/* Returns a number from the environment, clamped to 1 … most. */
int bench_setting(const char *name, int otherwise, int most);
/* Starts webhookd with an empty store in the folder, and creates this fleet and its webhook. */
void bench_begin_daemon(struct bench *bench, const char *runner, const char *fleet);
/* The same with the runner disabled and a fleet of one vessel. */
void bench_begin_accepting(struct bench *bench);
void bench_end_daemon(struct bench *bench);
/* Sends the load to the webhook; empties the daemon's log afterwards. */
void bench_post(struct bench *bench, const struct load_plan *plan, struct load_report *report);
/* Returns POSTs per second on the row's connections, in a closed loop. */
double bench_posts_per_s(struct bench *bench);
void bench_remove_tree(const char *path);

#endif
