/* Checkpoints of the write-ahead log, on a thread and a connection of their own. write.c reports
 * each commit on the committer's thread. Started and stopped with the writing connection's
 * upkeep. */
#include "store/sqlite/checkpointer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "store/sqlite/connection.h"

/* In frames of 4 KiB. After every 4 MiB of new log, the log is copied while commits go on. From 64
 * MiB on, the committer waits before its next batch, so that the copying can catch up and the log
 * can start over from its beginning. */
#define COPY_EVERY_FRAMES 1024
#define RESTART_AT_FRAMES (64 * 256)

struct checkpointer {
    struct store *store; /* used by the thread alone */
    void (*failed)(void *context, const struct error *error);
    void *context;
    pthread_t thread;

    pthread_mutex_t lock;     /* guards the following */
    pthread_cond_t news;      /* wakes the thread */
    pthread_cond_t restarted; /* wakes the committer */
    int log_frames;           /* after the last commit that was reported */
    /* The log's length as the last copy saw it. A commit is reported after its batch was answered,
     * so the copy may have seen commits that are not in log_frames yet. */
    int copied_at_frames;
    uint64_t log_starts; /* how often the log was seen to start over */
    bool must_restart;   /* the log must start over: the committer waits before its next batch */
    int holds;           /* number of long readers: see checkpointer_hold_log */
    bool stopping;
    bool has_failed; /* the disk failed under a checkpoint */

    _Atomic uint64_t checkpoints;
};

int checkpointer_copy(struct store *store, bool restart, int *log_frames, int *done_frames,
                      struct error *error)
{
    int mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    *log_frames = *done_frames = 0;
    int code =
        sqlite3_wal_checkpoint_v2(connection_of(store)->db, NULL, mode, log_frames, done_frames);
    /* SQLite sets them to -1 if it cannot tell. */
    if (*log_frames < 0)
        *log_frames = 0;
    if (*done_frames < 0)
        *done_frames = 0;
    return code == SQLITE_OK ? 0
                             : statement_failed(connection_of(store)->db,
                                                "copy the log into the database", error);
}

/* Returns false once the disk has failed. Sets *seen_frames to the log's length if the copy
 * succeeded, else to 0. */
static bool checkpoint(struct checkpointer *checkpointer, bool restart, int *seen_frames)
{
    struct error error = ERROR_INIT;
    int log_frames = 0;
    int done_frames = 0;
    *seen_frames = 0;
    if (checkpointer_copy(checkpointer->store, restart, &log_frames, &done_frames, &error) == 0) {
        *seen_frames = log_frames;
        atomic_fetch_add(&checkpointer->checkpoints, 1);
        return true;
    }
    if (error.kind == ERROR_IO) {
        log_error("checkpoint failed", log_why(&error));
        pthread_mutex_lock(&checkpointer->lock);
        checkpointer->has_failed = true; /* before the callback: no further batch may be written */
        pthread_mutex_unlock(&checkpointer->lock);
        checkpointer->failed(checkpointer->context, &error);
        return false;
    }
    /* The disk is full, or a reader is in the way: the log keeps everything, and grows until the
     * next try, after another 4 MiB of log. */
    log_warning("checkpoint postponed", log_why(&error), log_int("log_frames", log_frames));
    return true;
}

static bool is_due(const struct checkpointer *checkpointer)
{
    return checkpointer->must_restart ||
           checkpointer->log_frames - checkpointer->copied_at_frames >= COPY_EVERY_FRAMES;
}

static void *checkpointer_main(void *argument)
{
    struct checkpointer *checkpointer = argument;
    bool working = true;
    pthread_mutex_lock(&checkpointer->lock);
    while (working && !checkpointer->stopping) {
        if (!is_due(checkpointer)) {
            pthread_cond_wait(&checkpointer->news, &checkpointer->lock);
            continue;
        }
        bool restart = checkpointer->must_restart;
        uint64_t log_starts = checkpointer->log_starts;
        int seen_frames;
        checkpointer->copied_at_frames = checkpointer->log_frames;
        pthread_mutex_unlock(&checkpointer->lock);
        working = checkpoint(checkpointer, restart, &seen_frames);
        pthread_mutex_lock(&checkpointer->lock);
        /* If the log has started over meanwhile, the length is that of an earlier log. */
        if (log_starts == checkpointer->log_starts && seen_frames > checkpointer->copied_at_frames)
            checkpointer->copied_at_frames = seen_frames;
        if (restart) {
            /* Even if a reader kept the log from starting over: the committer continues, and after
             * the next 4 MiB there is another try. */
            checkpointer->must_restart = false;
            pthread_cond_signal(&checkpointer->restarted);
        }
    }
    checkpointer->must_restart = false;
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->restarted);
    pthread_mutex_unlock(&checkpointer->lock);
    return NULL;
}

void checkpointer_committed(struct checkpointer *checkpointer, int log_frames)
{
    pthread_mutex_lock(&checkpointer->lock);
    if (log_frames < checkpointer->log_frames) { /* the log has started over */
        checkpointer->copied_at_frames = 0;
        checkpointer->log_starts++;
    }
    checkpointer->log_frames = log_frames;
    if (log_frames >= RESTART_AT_FRAMES &&
        log_frames - checkpointer->copied_at_frames >= COPY_EVERY_FRAMES &&
        checkpointer->holds == 0 && !checkpointer->stopping)
        checkpointer->must_restart = true;
    if (is_due(checkpointer))
        pthread_cond_signal(&checkpointer->news);
    pthread_mutex_unlock(&checkpointer->lock);
}

int checkpointer_let_finish(struct checkpointer *checkpointer, struct error *error)
{
    pthread_mutex_lock(&checkpointer->lock);
    while (checkpointer->must_restart && !checkpointer->stopping)
        pthread_cond_wait(&checkpointer->restarted, &checkpointer->lock);
    bool has_failed = checkpointer->has_failed;
    pthread_mutex_unlock(&checkpointer->lock);
    return has_failed ? error_set(error, ERROR_IO, "the disk failed; webhookd is stopping") : 0;
}

void checkpointer_hold_log(struct checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->holds++;
    pthread_mutex_unlock(&checkpointer->lock);
}

void checkpointer_let_log_go(struct checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->holds--;
    pthread_mutex_unlock(&checkpointer->lock);
}

void checkpointer_get_metrics(struct checkpointer *checkpointer, uint64_t *checkpoints,
                              int64_t *log_frames)
{
    *checkpoints = atomic_load(&checkpointer->checkpoints);
    pthread_mutex_lock(&checkpointer->lock);
    *log_frames = checkpointer->log_frames;
    pthread_mutex_unlock(&checkpointer->lock);
}

static void checkpointer_free(struct checkpointer *checkpointer)
{
    sqlite_close(checkpointer->store);
    pthread_cond_destroy(&checkpointer->restarted);
    pthread_cond_destroy(&checkpointer->news);
    pthread_mutex_destroy(&checkpointer->lock);
    free(checkpointer);
}

struct checkpointer *checkpointer_start(const struct store_options *store,
                                        void (*failed)(void *context, const struct error *error),
                                        void *context, struct error *error)
{
    struct checkpointer *checkpointer = memory_alloc(sizeof(*checkpointer));
    checkpointer->failed = failed;
    checkpointer->context = context;
    pthread_mutex_init(&checkpointer->lock, NULL);
    pthread_cond_init(&checkpointer->news, NULL);
    pthread_cond_init(&checkpointer->restarted, NULL);

    checkpointer->store = connection_open_checkpointer(store, error);
    if (checkpointer->store && thread_start(&checkpointer->thread, "checkpointer",
                                            checkpointer_main, checkpointer, error) == 0)
        return checkpointer;
    checkpointer_free(checkpointer);
    return NULL;
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
    if (!checkpointer)
        return;
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->news);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    checkpointer_free(checkpointer);
}
