/* See include/queue/tally.h. Hook workers add, a thread of its own stores; started and stopped by webhookd's main. */
#include "queue/tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define SLOTS       4096
#define MAX_ENTRIES 16384 /* 3 MiB */
#define STEP_CALLS                                                                                 \
    256 /* in one operation: requests wait behind it for a few milliseconds at most */
#define PAUSE_MS 500
#define RETRY_MS 5000

/* The calls of one token in one quarter. */
struct entry {
    struct entry *next_in_slot;
    struct entry *next; /* in the order in which they came */
    struct webhook_calls calls;
};

struct tally {
    struct commit_queue *queue;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    struct entry *slots[SLOTS];
    struct entry *first, *last;
    size_t count;
    uint64_t lost;
    bool is_stopping;
};

/* ---- entries; the lock is held ---- */

/* The hash is as good as random, so its first bytes spread the tokens evenly. */
static struct entry **slot_of(struct tally *tally, const uint8_t hash[SECRET_HASH_BYTES])
{
    return &tally->slots[((size_t)hash[0] << 8 | hash[1]) % SLOTS];
}

static struct entry *find(struct tally *tally, const struct webhook_calls *calls)
{
    struct entry *entry = *slot_of(tally, calls->hash);
    while (entry && (entry->calls.quarter_ms != calls->quarter_ms ||
                     memcmp(entry->calls.hash, calls->hash, SECRET_HASH_BYTES) != 0))
        entry = entry->next_in_slot;
    return entry;
}

static void append(struct tally *tally, const struct webhook_calls *calls)
{
    struct entry *entry = memory_alloc(sizeof(*entry));
    struct entry **slot = slot_of(tally, calls->hash);
    entry->calls = *calls;
    entry->next_in_slot = *slot;
    *slot = entry;
    if (tally->last)
        tally->last->next = entry;
    else
        tally->first = entry;
    tally->last = entry;
    tally->count++;
}

static void take_first(struct tally *tally, struct webhook_calls *calls)
{
    struct entry *entry = tally->first;
    struct entry **at = slot_of(tally, entry->calls.hash);
    while (*at != entry)
        at = &(*at)->next_in_slot;
    *at = entry->next_in_slot;
    tally->first = entry->next;
    if (!tally->first)
        tally->last = NULL;
    tally->count--;
    *calls = entry->calls;
    free(entry);
}

static void add(struct tally *tally, const struct webhook_calls *calls)
{
    struct entry *entry = find(tally, calls);
    if (entry) {
        entry->calls.accepted += calls->accepted;
        entry->calls.refused += calls->refused;
        if (calls->has_fleet_id) {
            entry->calls.has_fleet_id = true;
            entry->calls.fleet_id = calls->fleet_id;
        }
        if (calls->last.at_ms >= entry->calls.last.at_ms)
            entry->calls.last = calls->last;
    } else if (tally->count < MAX_ENTRIES) {
        append(tally, calls);
    } else {
        tally->lost += (uint64_t)(calls->accepted + calls->refused);
    }
}

void tally_add(struct tally *tally, const uint8_t token_hash[SECRET_HASH_BYTES],
               const struct id *fleet_id, const struct webhook_call *call)
{
    bool is_accepted = call->status == 201;
    struct webhook_calls calls = {.quarter_ms = call->at_ms - call->at_ms % STORE_QUARTER_MS,
                                  .accepted = is_accepted,
                                  .refused = !is_accepted,
                                  .last = *call};
    memcpy(calls.hash, token_hash, SECRET_HASH_BYTES);
    if (fleet_id) {
        calls.has_fleet_id = true;
        calls.fleet_id = *fleet_id;
    }
    pthread_mutex_lock(&tally->lock);
    bool was_empty = !tally->first;
    add(tally, &calls);
    if (was_empty)
        pthread_cond_signal(&tally->news);
    pthread_mutex_unlock(&tally->lock);
}

uint64_t tally_lost(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    uint64_t lost = tally->lost;
    pthread_mutex_unlock(&tally->lock);
    return lost;
}

/* ---- storing ---- */

struct step {
    struct commit_waiting_op waiting; /* first: commit_wake_waiter finds it by the operation */
    struct webhook_calls calls[STEP_CALLS];
    size_t count;
};

static int apply_add(struct commit_op *op, struct store *store, struct error *error)
{
    struct step *step = (struct step *)op;
    for (size_t i = 0; i < step->count; i++)
        if (store_add_calls(store, &step->calls[i], error) != 0)
            return -1;
    return 0;
}

static const struct commit_kind add_kind = {"count calls", COMMIT_REQUEST, true, apply_add,
                                            commit_wake_waiter};

/* Takes out some and stores them; the lock is held, but not meanwhile. -1: they are back. */
static int store_some(struct tally *tally, struct step *step)
{
    struct error error = ERROR_INIT;
    step->waiting.op = (struct commit_op){.kind = &add_kind, .bytes = sizeof(*step)};
    step->count = 0;
    while (tally->first && step->count < STEP_CALLS)
        take_first(tally, &step->calls[step->count++]);
    pthread_mutex_unlock(&tally->lock);
    int result = commit_has_room(tally->queue, 0, &error);
    if (result == 0)
        result = commit_and_wait(tally->queue, &step->waiting.op, &error);
    if (result != 0)
        log_debug("calls not counted yet", log_why(&error));
    pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; result != 0 && i < step->count; i++)
        add(tally, &step->calls[i]);
    return result;
}

static void wait_ms(struct tally *tally, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (!tally->is_stopping && clock_monotonic_ms() < until_ms)
        thread_condition_wait_until(&tally->news, &tally->lock, until_ms);
}

static void *tally_main(void *argument)
{
    struct tally *tally = argument;
    struct step *step = memory_alloc(sizeof(*step));
    pthread_mutex_lock(&tally->lock);
    for (;;) {
        while (!tally->first && !tally->is_stopping)
            pthread_cond_wait(&tally->news, &tally->lock);
        if (!tally->first)
            break;
        if (tally->count < MAX_ENTRIES / 2)
            wait_ms(tally, PAUSE_MS);
        if (store_some(tally, step) == 0)
            continue;
        if (tally->is_stopping)
            break;
        wait_ms(tally, RETRY_MS);
    }
    pthread_mutex_unlock(&tally->lock);
    free(step);
    return NULL;
}

/* ---- start and stop ---- */

static void tally_free(struct tally *tally)
{
    struct webhook_calls calls;
    while (tally->first)
        take_first(tally, &calls);
    pthread_cond_destroy(&tally->news);
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

struct tally *tally_start(struct commit_queue *queue, struct error *error)
{
    struct tally *tally = memory_alloc(sizeof(*tally));
    tally->queue = queue;
    pthread_mutex_init(&tally->lock, NULL);
    thread_condition_init(&tally->news);
    if (thread_start(&tally->thread, "tally", tally_main, tally, error) == 0)
        return tally;
    tally_free(tally);
    return NULL;
}

void tally_stop(struct tally *tally)
{
    if (!tally)
        return;
    pthread_mutex_lock(&tally->lock);
    tally->is_stopping = true;
    pthread_cond_signal(&tally->news);
    pthread_mutex_unlock(&tally->lock);
    pthread_join(tally->thread, NULL);
    tally_free(tally);
}
