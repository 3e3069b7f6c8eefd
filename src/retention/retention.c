/* Retention: see retention.h. It deletes a run's files first and its rows afterwards. A crash in
 * between leaves a run without files, which is deleted again later, but never files without a run.
 * webhookd/daemon.c starts, stops and reconfigures it, on the main thread. */
#include "retention/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "queue/spool.h"
#include "store/idempotency.h"
#include "store/runs.h"
#include "supervisor/record.h"

/* Runs and Idempotency-Keys in one operation: requests wait behind it for a few milliseconds at
 * most. */
#define STEP_RUNS 25
#define STEP_KEYS 100
/* The pause between operations keeps them a small part of the committer's work. */
#define PAUSE_MS        20
#define LOOK_EVERY_MS   60000 /* when there was nothing to do */
#define LOOK_SOONEST_MS 500

struct retention {
    struct retention_options options;
    struct store *store; /* read-only */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    int64_t keep_ms;
    bool has_news, is_stopping;
};

/* ---- one run's files ---- */

struct file_removal {
    int state_fd;
    struct error *error;
};

static int remove_log(void *context, const struct attempt_row *row)
{
    struct file_removal *removal = context;
    char day[CLOCK_TEXT_BYTES], id[ID_TEXT_BYTES], name[RECORD_NAME_BYTES], path[128];
    clock_format_day(id_time_ms(&row->vessel_run_id), day);
    record_name(id_format(&row->vessel_run_id, id), row->attempt, name);
    snprintf(path, sizeof(path), "logs/%s/%s", day, name);
    if (unlinkat(removal->state_fd, path, 0) != 0 && errno != ENOENT)
        return error_set_errno(removal->error, errno, "cannot remove %s", path);
    snprintf(path, sizeof(path), "logs/%s", day);
    (void)unlinkat(removal->state_fd, path, AT_REMOVEDIR); /* if it was the day's last log */
    return 0;
}

static int remove_files(struct retention *retention, const struct expired_run *run,
                        struct error *error)
{
    struct file_removal removal = {retention->options.state_fd, error};
    if (store_list_attempts(retention->store, &run->id, remove_log, &removal, error) != 0 ||
        error_is_set(error))
        return -1;
    if (run->is_spooled)
        spool_remove_now(retention->options.state_fd, &run->request_id);
    return 0;
}

/* ---- rows ---- */

struct expiry {
    struct expired_run runs[STEP_RUNS];
    int count;
    int keys;     /* forgotten */
    bool is_more; /* whether there is more room to give back */
};

static int delete_runs(void *context, struct store *store, struct error *error)
{
    const struct expiry *expiry = context;
    for (int i = 0; i < expiry->count; i++)
        if (store_delete_run(store, expiry->runs[i].number, error) != 0)
            return -1;
    return 0;
}

static int forget_keys(void *context, struct store *store, struct error *error)
{
    struct expiry *expiry = context;
    expiry->keys = store_forget_idempotency(store, clock_wall_ms(), STEP_KEYS, error);
    return expiry->keys < 0 ? -1 : 0;
}

static int give_back(void *context, struct store *store, struct error *error)
{
    return store_give_back(store, &((struct expiry *)context)->is_more, error);
}

static int submit(struct retention *retention, const char *name,
                  int (*apply)(void *, struct store *, struct error *), struct expiry *expiry,
                  struct error *error)
{
    const struct commit_call call = {.name = name, .apply = apply, .context = expiry};
    return commit_call(retention->options.queue, &call, error);
}

/* ---- steps ---- */

/* Returns the number of runs it deleted, or -1 and *error. */
static int delete_some(struct retention *retention, int64_t keep_ms, struct error *error)
{
    struct expiry expiry = {.count = 0};
    int64_t before_ms = clock_wall_ms() - keep_ms;
    if (keep_ms == 0 || before_ms <= 0)
        return 0;
    expiry.count = store_find_expired(retention->store, before_ms, STEP_RUNS, expiry.runs, error);
    if (expiry.count <= 0)
        return expiry.count;
    for (int i = 0; i < expiry.count; i++)
        if (remove_files(retention, &expiry.runs[i], error) != 0)
            return -1;
    return submit(retention, "delete old fleet runs", delete_runs, &expiry, error) == 0
               ? expiry.count
               : -1;
}

/* Returns false if there is nothing more to do for now. */
static bool step(struct retention *retention, int64_t keep_ms, int64_t *deleted)
{
    struct error error = ERROR_INIT;
    struct expiry room = {.is_more = false};
    struct expiry old = {.keys = 0};
    int count = delete_some(retention, keep_ms, &error);
    if (count >= 0)
        (void)submit(retention, "forget Idempotency-Keys", forget_keys, &old, &error);
    if (count == 0)
        (void)submit(retention, "give room back", give_back, &room, &error);
    if (error_is_set(&error)) {
        log_warning("old fleet runs not deleted, will retry", log_why(&error));
        return false;
    }
    *deleted += count;
    return count > 0 || old.keys == STEP_KEYS || room.is_more;
}

/* ---- the thread ---- */

static void wait_ms(struct retention *retention, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (!retention->is_stopping && !retention->has_news && clock_monotonic_ms() < until_ms)
        thread_condition_wait_until(&retention->news, &retention->lock, until_ms);
    retention->has_news = false;
}

/* If runs are kept for seconds only, retention looks more often than once a minute. */
static int64_t look_again_ms(int64_t keep_ms)
{
    if (keep_ms == 0 || keep_ms > LOOK_EVERY_MS)
        return LOOK_EVERY_MS;
    return keep_ms > LOOK_SOONEST_MS ? keep_ms : LOOK_SOONEST_MS;
}

static void *retention_main(void *argument)
{
    struct retention *retention = argument;
    int64_t deleted = 0;
    pthread_mutex_lock(&retention->lock);
    while (!retention->is_stopping) {
        int64_t keep_ms = retention->keep_ms;
        pthread_mutex_unlock(&retention->lock);
        bool goes_on = step(retention, keep_ms, &deleted);
        if (!goes_on && deleted > 0) {
            log_info("old fleet runs deleted", log_int("runs", deleted));
            deleted = 0;
        }
        pthread_mutex_lock(&retention->lock);
        wait_ms(retention, goes_on ? PAUSE_MS : look_again_ms(retention->keep_ms));
    }
    pthread_mutex_unlock(&retention->lock);
    return NULL;
}

/* ---- start and stop ---- */

static void retention_free(struct retention *retention)
{
    store_close(retention->store);
    pthread_cond_destroy(&retention->news);
    pthread_mutex_destroy(&retention->lock);
    free(retention);
}

struct retention *retention_start(const struct retention_options *options, struct error *error)
{
    struct retention *retention = memory_alloc(sizeof(*retention));
    struct store_options reading = options->store;
    reading.mode = STORE_READ;
    retention->options = *options;
    retention->keep_ms = options->keep_ms;
    pthread_mutex_init(&retention->lock, NULL);
    thread_condition_init(&retention->news);
    retention->store = store_open(&reading, error);
    if (retention->store &&
        thread_start(&retention->thread, "retention", retention_main, retention, error) == 0)
        return retention;
    retention_free(retention);
    return NULL;
}

void retention_set(struct retention *retention, int64_t keep_ms)
{
    pthread_mutex_lock(&retention->lock);
    retention->has_news = retention->keep_ms != keep_ms;
    retention->keep_ms = keep_ms;
    pthread_cond_signal(&retention->news);
    pthread_mutex_unlock(&retention->lock);
}

void retention_stop(struct retention *retention)
{
    if (!retention)
        return;
    pthread_mutex_lock(&retention->lock);
    retention->is_stopping = true;
    pthread_cond_signal(&retention->news);
    pthread_mutex_unlock(&retention->lock);
    pthread_join(retention->thread, NULL);
    retention_free(retention);
}
