/* The disk watch: a thread that measures the working folders of runs twice a second. It reports a
 * run whose folder exceeds its bound, and the run with the largest folder while the state disk is
 * nearly full. The runner ends the vessels of reported runs. */
#ifndef WEBHOOKD_RUNNER_DISK_WATCH_H
#define WEBHOOKD_RUNNER_DISK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "model/attempt_result.h"
#include "store/store.h"

struct disk_watch;
struct disk_watch_run;

struct disk_watch_options {
    int runs_fd;       /* the folder that holds the working folders; borrowed */
    int64_t max_bytes; /* the bound of each */
    /* Called on the thread of the watch. */
    void (*get_space)(void *context, struct store_space *space);
    void (*found)(void *context); /* there is something for disk_watch_take */
    void *context;
};

struct disk_watch *disk_watch_start(const struct disk_watch_options *options, struct error *error);
/* Frees the watch and all its runs. NULL is fine. */
void disk_watch_stop(struct disk_watch *watch);

/* Sets the bound from the next look on. Any thread. */
void disk_watch_set_bound(struct disk_watch *watch, int64_t max_bytes);
/* How many files and folders a working folder may have under a bound. */
int64_t disk_watch_max_names(int64_t max_bytes);

/* Watches the working folder with this name until disk_watch_remove. The folder need not exist.
 * `owner` is what disk_watch_take returns. Never waits for the disk. Any thread, as are the
 * following. */
struct disk_watch_run *disk_watch_add(struct disk_watch *watch, const struct id *run_id,
                                      void *owner);
/* Nothing is reported about the run from then on. NULL is fine. */
void disk_watch_remove(struct disk_watch *watch, struct disk_watch_run *run);

/* Takes the next report: returns the owner of a run whose vessels must be ended, and why, or NULL
 * if there is none. A run that exceeds its bound is reported again at each look. */
void *disk_watch_take(struct disk_watch *watch, char reason[ATTEMPT_REASON_BYTES]);

#endif
