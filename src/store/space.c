/* The free space and inodes of the state disk. An engine starts and stops the thread with the
 * upkeep of its writing connection. The other functions are called on any thread. */
#include "store/space.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define LOOK_EVERY_MS 250

/* So many inodes are reserved: enough for the files of some hundred runs. On a small disk it is a
 * share of all that it has. */
#define MIN_FREE_INODES       1024
#define MIN_FREE_INODES_SHARE 16

struct space {
    char *state_dir;
    _Atomic int64_t free_bytes, min_free_bytes;
    _Atomic int64_t free_inodes, min_free_inodes;
    bool was_low, is_unknown; /* used by the thread alone */
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t news;
    bool stopping;
};

static void note_inodes(struct space *space, const struct statvfs *status)
{
    int64_t all = (int64_t)status->f_files;
    int64_t share = all / MIN_FREE_INODES_SHARE;
    /* A file system without a fixed number of inodes (btrfs) reports none at all. */
    atomic_store(&space->free_inodes, all > 0 ? (int64_t)status->f_favail : STORE_NO_INODE_LIMIT);
    atomic_store(&space->min_free_inodes, share < MIN_FREE_INODES ? share : MIN_FREE_INODES);
}

static int look(struct space *space, struct error *error)
{
    struct statvfs status;
    if (statvfs(space->state_dir, &status) != 0)
        return error_set_errno(error, errno, "cannot determine the free space of \"%s\"",
                               space->state_dir);
    atomic_store(&space->free_bytes, (int64_t)status.f_bavail * (int64_t)status.f_frsize);
    note_inodes(space, &status);
    return 0;
}

static void report_change(struct space *space)
{
    struct error why = ERROR_INIT;
    bool low = space_is_low(space, 0, &why);
    if (low && !space->was_low)
        log_error("requests are refused", log_text("reason", why.message));
    else if (!low && space->was_low)
        log_info("requests are accepted again",
                 log_int("free_bytes", atomic_load(&space->free_bytes)),
                 log_int("free_inodes", atomic_load(&space->free_inodes)));
    space->was_low = low;
}

static void *space_main(void *argument)
{
    struct space *space = argument;
    pthread_mutex_lock(&space->lock);
    while (!space->stopping) {
        pthread_mutex_unlock(&space->lock);
        struct error error = ERROR_INIT;
        bool known = look(space, &error) == 0;
        if (known)
            report_change(space);
        else if (!space->is_unknown)
            log_warning("free space unknown", log_why(&error));
        space->is_unknown = !known;
        pthread_mutex_lock(&space->lock);
        if (!space->stopping)
            thread_condition_wait_until(&space->news, &space->lock,
                                        clock_monotonic_ms() + LOOK_EVERY_MS);
    }
    pthread_mutex_unlock(&space->lock);
    return NULL;
}

void space_set_min_free(struct space *space, int64_t bytes)
{
    atomic_store(&space->min_free_bytes, bytes);
}

void space_get(const struct space *space, struct store_space *state)
{
    *state = (struct store_space){
        .free_bytes = atomic_load(&space->free_bytes),
        .min_free_bytes = atomic_load(&space->min_free_bytes),
        .free_inodes = atomic_load(&space->free_inodes),
        .min_free_inodes = atomic_load(&space->min_free_inodes),
    };
}

static bool lacks_inodes(const struct space *space, struct error *error)
{
    int64_t free_inodes = atomic_load(&space->free_inodes);
    int64_t min_free_inodes = atomic_load(&space->min_free_inodes);
    if (free_inodes == STORE_NO_INODE_LIMIT || free_inodes >= min_free_inodes)
        return false;
    error_set(error, ERROR_UNAVAILABLE,
              "the state disk has %" PRId64 " inodes free, less than the %" PRId64
              " that webhookd reserves: remove files from it",
              free_inodes, min_free_inodes);
    return true;
}

static bool lacks_bytes(const struct space *space, int64_t more_bytes, struct error *error)
{
    int64_t free_bytes = atomic_load(&space->free_bytes);
    int64_t min_free_bytes = atomic_load(&space->min_free_bytes);
    if (free_bytes >= min_free_bytes && free_bytes - min_free_bytes >= more_bytes)
        return false;
    if (more_bytes == 0)
        error_set(error, ERROR_UNAVAILABLE,
                  "the state disk has %" PRId64 " MiB free, less than the %" PRId64
                  " MiB that min_free reserves: free some space, or lower min_free",
                  free_bytes >> 20, min_free_bytes >> 20);
    error_set(error, ERROR_UNAVAILABLE,
              "the state disk has %" PRId64 " MiB free, but min_free reserves %" PRId64
              " MiB, and %" PRId64 " more bytes are needed: free some space, or lower min_free",
              free_bytes >> 20, min_free_bytes >> 20, more_bytes);
    return true;
}

bool space_is_low(const struct space *space, int64_t more_bytes, struct error *error)
{
    return lacks_bytes(space, more_bytes, error) || lacks_inodes(space, error);
}

struct space *space_start(const char *state_dir, int64_t min_free_bytes, struct error *error)
{
    struct space *space = memory_alloc(sizeof(*space));
    space->state_dir = memory_string(state_dir);
    atomic_store(&space->min_free_bytes, min_free_bytes);
    pthread_mutex_init(&space->lock, NULL);
    thread_condition_init(&space->news);
    if (look(space, error) == 0 &&
        thread_start(&space->thread, "space", space_main, space, error) == 0)
        return space;
    pthread_cond_destroy(&space->news);
    pthread_mutex_destroy(&space->lock);
    free(space->state_dir);
    free(space);
    return NULL;
}

void space_stop(struct space *space)
{
    if (!space)
        return;
    pthread_mutex_lock(&space->lock);
    space->stopping = true;
    pthread_cond_signal(&space->news);
    pthread_mutex_unlock(&space->lock);
    pthread_join(space->thread, NULL);
    pthread_cond_destroy(&space->news);
    pthread_mutex_destroy(&space->lock);
    free(space->state_dir);
    free(space);
}
