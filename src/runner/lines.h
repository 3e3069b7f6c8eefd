/* Whose turn it is. Each fleet with something to do has a line: vessels that are ready to be started, and runs that wait. Slots go around the
 * lines, so that a fleet with a million waiting runs gets no more of them than one with a single run; within a line it is first come, first
 * served. Of the runs that wait a line knows the first few by number; the rest is looked up in the store when their turn comes, so that
 * a million of them cost no memory. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_LINES_H
#define WEBHOOKD_RUNNER_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_vessel;

#define LINE_WAITING  64
#define LINES_BUCKETS 256

struct run_vessel_list {
    struct run_vessel *first, *last;
};

struct line {
    int64_t fleet_no;
    struct run_vessel_list ready;
    int64_t waiting[LINE_WAITING]; /* a ring of numbers of runs, in order */
    size_t first, count;
    int64_t
        skipped_from; /* from this number on runs wait that found no room in the ring; 0 = none do */
    int active_runs;  /* claimed, and not over */
    int failures;     /* to read the first of those that wait */
    bool
        is_held; /* nothing is claimed: max_concurrent_runs is reached, or the store cannot be read */
    bool is_in_turn;
    struct line *next, *previous; /* in the turn */
    struct line *next_in_bucket;
};

struct lines {
    struct line *buckets[LINES_BUCKETS];
    struct line *first, *last; /* the turn */
    int64_t scanned; /* runs up to this number are in their lines; run numbers grow (invariant 9) */
};

/* The fleet's line, made if there is none. It lasts as long as there is something in it or active_runs is not 0. */
struct line *lines_get(struct lines *lines, int64_t fleet_no);
void lines_fini(struct lines *lines);

/* Puts a line that has something to do into the turn, at its end; nothing if it is there. */
void line_enter(struct lines *lines, struct line *line);
/* After its turn: to the end, or out of it (and freed, if nothing is left of it). */
void line_to_end(struct lines *lines, struct line *line);
void line_leave(struct lines *lines, struct line *line);

/* A run that waits, with a greater number than all before. */
void line_add_waiting(struct line *line, int64_t number);
int64_t line_first_waiting(const struct line *line); /* 0: none that it knows of */
void line_drop_waiting(struct line *line);           /* the first */

void line_run_begins(struct line *line);
/* Lets the next one be claimed. The line may be gone afterwards. */
void line_run_over(struct lines *lines, struct line *line);

void line_add_ready(struct lines *lines, struct line *line, struct run_vessel *vessel);
void line_remove_ready(struct line *line, struct run_vessel *vessel);

/* Those that were held because the store could not be read. */
void lines_release(struct lines *lines);

#endif
