/* The thread of the disk watch. The runner adds and removes runs and takes reports; the thread
 * alone measures, and frees what was removed. It holds the lock only to step through its list, so
 * the runner never waits for the disk.
 *
 * The work of a look is bounded: LOOK_NAMES entries. The runs take turns, SLICE_NAMES entries each,
 * and a walk that is not over goes on at the next look. So one large tree delays no other run's
 * measurement for long. */
#include "runner/disk_watch.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/tree_walk.h"

#define LOOK_EVERY_MS 500
#define LOOK_NAMES    10000
#define SLICE_NAMES   1000

/* As many as mkfs.ext4 makes inodes for. The least is for small bounds. */
#define BYTES_FOR_A_NAME 16384
#define NAMES_AT_LEAST   1000

/* The state disk is nearly full if less is free than one and a half times the reserve (min_free):
 * 384 MiB by default. Then the run with the largest folder is ended, if that gives back at least a
 * sixteenth of the reserve. The next one has to wait, because the trash needs time. */
#define NEAR_SHARE            2
#define WORTH_ENDING_SHARE    16
#define NEXT_LARGEST_AFTER_MS 2000

struct disk_watch_run {
    struct list_node node; /* in the watch's list; only the thread takes it out */
    struct id run_id;
    void *owner;

    /* Of the thread. */
    struct tree_walk walk;
    bool is_walking, has_begun;
    struct tree_size last; /* as of the last walk that was completed */

    /* Guarded by the watch's lock. */
    bool is_removed, is_reported;
    char reason[ATTEMPT_REASON_BYTES];
};

struct disk_watch {
    struct disk_watch_options options;
    pthread_t thread;
    _Atomic int64_t max_bytes;
    int64_t next_largest_ms; /* of the thread: no run is ended for its size before this */

    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    struct list runs;
    bool is_stopping;
};

int64_t disk_watch_max_names(int64_t max_bytes)
{
    int64_t names = max_bytes / BYTES_FOR_A_NAME;
    return names > NAMES_AT_LEAST ? names : NAMES_AT_LEAST;
}

/* ---- reports ---- */

static void report(struct disk_watch *watch, struct disk_watch_run *run, const char *reason)
{
    pthread_mutex_lock(&watch->lock);
    bool is_wanted = !run->is_removed;
    run->is_reported = is_wanted;
    (void)snprintf(run->reason, sizeof(run->reason), "%s", reason);
    pthread_mutex_unlock(&watch->lock);
    if (is_wanted)
        watch->options.found(watch->options.context);
}

/* Writes the bound in the largest whole unit: "10GiB". */
static void format_bound(int64_t bytes, char text[32])
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    for (; unit < ARRAY_COUNT(units) - 1 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    (void)snprintf(text, 32, "%" PRId64 "%s", bytes, units[unit]);
}

/* Returns whether the run exceeds its bound, and writes the reason. */
static bool exceeds(const struct disk_watch_run *run, enum tree_walk_progress progress,
                    int64_t max_bytes, char reason[ATTEMPT_REASON_BYTES])
{
    char bound[32];
    const struct tree_size *size = &run->walk.size;
    int64_t max_names = disk_watch_max_names(max_bytes);
    format_bound(max_bytes, bound);
    if (progress == TREE_WALK_TOO_DEEP)
        (void)snprintf(reason, ATTEMPT_REASON_BYTES,
                       "killed: its working folder has more than %d levels of folders, too many to "
                       "measure it",
                       TREE_WALK_LEVELS);
    else if (size->bytes > max_bytes)
        (void)snprintf(reason, ATTEMPT_REASON_BYTES,
                       "killed: its working folder exceeded runner.max_disk (%s)", bound);
    else if (size->names > max_names)
        (void)snprintf(reason, ATTEMPT_REASON_BYTES,
                       "killed: its working folder exceeded the %" PRId64
                       " files and folders that runner.max_disk (%s) allows",
                       max_names, bound);
    else
        return false;
    return true;
}

/* ---- measuring ---- */

static enum tree_walk_progress walk_on(struct disk_watch *watch, struct disk_watch_run *run,
                                       int64_t *slice)
{
    if (!run->has_begun) {
        char name[ID_TEXT_BYTES];
        run->has_begun = true;
        (*slice)--;
        enum tree_walk_progress progress =
            tree_walk_begin(&run->walk, watch->options.runs_fd, id_format(&run->run_id, name));
        if (progress != TREE_WALK_GOES_ON)
            return progress;
    }
    return tree_walk_go_on(&run->walk, slice);
}

/* Goes on with a run's walk, and reports the run as soon as what has been counted is too much. */
static void measure(struct disk_watch *watch, struct disk_watch_run *run, int64_t *budget)
{
    char reason[ATTEMPT_REASON_BYTES];
    int64_t slice = SLICE_NAMES;
    enum tree_walk_progress progress = walk_on(watch, run, &slice);
    *budget -= SLICE_NAMES - slice;
    bool is_over = exceeds(run, progress, atomic_load(&watch->max_bytes), reason);
    if (is_over)
        report(watch, run, reason);
    if (!is_over && progress == TREE_WALK_GOES_ON)
        return;
    if (is_over || progress == TREE_WALK_DONE)
        run->last = run->walk.size;
    tree_walk_end(&run->walk);
    run->is_walking = false;
}

static void free_run(struct disk_watch_run *run)
{
    tree_walk_end(&run->walk);
    free(run);
}

/* Frees the runs that were removed, begins a walk for each other run that has none under way, and
 * returns the number of runs. */
static size_t begin_look(struct disk_watch *watch)
{
    struct list removed = {NULL, NULL};
    size_t count = 0;
    pthread_mutex_lock(&watch->lock);
    LIST_EACH(struct disk_watch_run, run, &watch->runs, node) {
        if (run->is_removed) {
            list_remove(&watch->runs, &run->node);
            list_append(&removed, &run->node);
            continue;
        }
        if (!run->is_walking)
            run->has_begun = false;
        run->is_walking = true;
        count++;
    }
    pthread_mutex_unlock(&watch->lock);
    struct disk_watch_run *run;
    while ((run = LIST_TAKE_FIRST(&removed, struct disk_watch_run, node)))
        free_run(run);
    return count;
}

/* Returns the run whose turn it is, after moving it to the end of the list; NULL if the watch is
 * being stopped. */
static struct disk_watch_run *next_turn(struct disk_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    struct disk_watch_run *run =
        watch->is_stopping ? NULL : LIST_TAKE_FIRST(&watch->runs, struct disk_watch_run, node);
    if (run)
        list_append(&watch->runs, &run->node);
    pthread_mutex_unlock(&watch->lock);
    return run;
}

/* Measures until each run's walk is over or the budget is used up. Runs that are added meanwhile
 * have no walk yet, and wait for the next look. */
static void measure_all(struct disk_watch *watch, size_t count)
{
    int64_t budget = LOOK_NAMES;
    size_t idle = 0; /* turns in a row without anything to do */
    while (budget > 0 && idle < count) {
        struct disk_watch_run *run = next_turn(watch);
        if (!run)
            return;
        if (run->is_walking)
            measure(watch, run, &budget);
        idle = run->is_walking ? 0 : idle + 1;
    }
}

/* ---- a disk that is nearly full ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t bytes_of(const struct disk_watch_run *run)
{
    return larger(run->last.bytes, run->is_walking ? run->walk.size.bytes : 0);
}

static int64_t names_of(const struct disk_watch_run *run)
{
    return larger(run->last.names, run->is_walking ? run->walk.size.names : 0);
}

/* Returns the run that occupies most, if it is at least `least`. It stays valid, because only this
 * thread frees runs. */
static struct disk_watch_run *find_largest(struct disk_watch *watch,
                                           int64_t (*size_of)(const struct disk_watch_run *),
                                           int64_t least)
{
    struct disk_watch_run *largest = NULL;
    pthread_mutex_lock(&watch->lock);
    LIST_EACH(struct disk_watch_run, run, &watch->runs, node)
        if (!run->is_removed && size_of(run) >= (largest ? size_of(largest) + 1 : least))
            largest = run;
    pthread_mutex_unlock(&watch->lock);
    return largest;
}

static bool is_nearly_used_up(int64_t left, int64_t reserve)
{
    return left < reserve + reserve / NEAR_SHARE;
}

static void relieve_disk(struct disk_watch *watch, int64_t now_ms)
{
    struct store_space space;
    watch->options.get_space(watch->options.context, &space);
    bool lacks_bytes = is_nearly_used_up(space.free_bytes, space.min_free_bytes);
    bool lacks_inodes = space.free_inodes != STORE_NO_INODE_LIMIT &&
                        is_nearly_used_up(space.free_inodes, space.min_free_inodes);
    if ((!lacks_bytes && !lacks_inodes) || now_ms < watch->next_largest_ms)
        return;
    struct disk_watch_run *largest =
        lacks_bytes ? find_largest(watch, bytes_of, space.min_free_bytes / WORTH_ENDING_SHARE)
                    : find_largest(watch, names_of, space.min_free_inodes / WORTH_ENDING_SHARE);
    if (!largest)
        return;
    watch->next_largest_ms = now_ms + NEXT_LARGEST_AFTER_MS;
    report(watch, largest,
           lacks_bytes
               ? "killed: the state disk was nearly full (min_free), and its working folder "
                 "was the largest"
               : "killed: the state disk had hardly any inodes left, and its working folder "
                 "had the most files");
}

/* ---- the thread ---- */

/* Waits until it is time for the next look; without runs, until there is one. Returns false if the
 * watch is being stopped. */
static bool await_look(struct disk_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    while (list_is_empty(&watch->runs) && !watch->is_stopping)
        pthread_cond_wait(&watch->news, &watch->lock);
    int64_t due_ms = clock_monotonic_ms() + LOOK_EVERY_MS;
    while (!watch->is_stopping && clock_monotonic_ms() < due_ms)
        thread_condition_wait_until(&watch->news, &watch->lock, due_ms);
    bool is_stopping = watch->is_stopping;
    pthread_mutex_unlock(&watch->lock);
    return !is_stopping;
}

static void *disk_watch_main(void *argument)
{
    struct disk_watch *watch = argument;
    while (await_look(watch)) {
        size_t count = begin_look(watch);
        measure_all(watch, count);
        if (count > 0)
            relieve_disk(watch, clock_monotonic_ms());
    }
    return NULL;
}

static void disk_watch_free(struct disk_watch *watch)
{
    struct disk_watch_run *run;
    while ((run = LIST_TAKE_FIRST(&watch->runs, struct disk_watch_run, node)))
        free_run(run);
    pthread_cond_destroy(&watch->news);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

struct disk_watch *disk_watch_start(const struct disk_watch_options *options, struct error *error)
{
    struct disk_watch *watch = memory_alloc(sizeof(*watch));
    watch->options = *options;
    atomic_store(&watch->max_bytes, options->max_bytes);
    pthread_mutex_init(&watch->lock, NULL);
    thread_condition_init(&watch->news);
    if (thread_start(&watch->thread, "disk watch", disk_watch_main, watch, error) == 0)
        return watch;
    disk_watch_free(watch);
    return NULL;
}

void disk_watch_stop(struct disk_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_stopping = true;
    pthread_cond_signal(&watch->news);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    disk_watch_free(watch);
}

/* ---- the runner's side ---- */

void disk_watch_set_bound(struct disk_watch *watch, int64_t max_bytes)
{
    atomic_store(&watch->max_bytes, max_bytes);
}

struct disk_watch_run *disk_watch_add(struct disk_watch *watch, const struct id *run_id,
                                      void *owner)
{
    struct disk_watch_run *run = memory_alloc(sizeof(*run));
    run->run_id = *run_id;
    run->owner = owner;
    pthread_mutex_lock(&watch->lock);
    if (list_is_empty(&watch->runs))
        pthread_cond_signal(&watch->news);
    list_append(&watch->runs, &run->node);
    pthread_mutex_unlock(&watch->lock);
    return run;
}

void disk_watch_remove(struct disk_watch *watch, struct disk_watch_run *run)
{
    if (!run)
        return;
    pthread_mutex_lock(&watch->lock);
    run->is_removed = true;
    run->is_reported = false;
    pthread_mutex_unlock(&watch->lock);
}

void *disk_watch_take(struct disk_watch *watch, char reason[ATTEMPT_REASON_BYTES])
{
    void *owner = NULL;
    pthread_mutex_lock(&watch->lock);
    LIST_EACH(struct disk_watch_run, run, &watch->runs, node) {
        if (owner || !run->is_reported)
            continue;
        run->is_reported = false;
        (void)snprintf(reason, ATTEMPT_REASON_BYTES, "%s", run->reason);
        owner = run->owner;
    }
    pthread_mutex_unlock(&watch->lock);
    return owner;
}
