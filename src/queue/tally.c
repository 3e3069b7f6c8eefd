/* The tally: hook workers add calls, and a thread of its own stores them. webhookd/daemon.c starts
 * and stops it as one of its layers. */
#include "queue/tally.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/thread.h"

#define SLOTS       4096
#define MAX_KNOWN   16384 /* entries; 3 MiB */
#define MAX_UNKNOWN 1024
/* In one operation: requests that are queued behind it wait a few milliseconds at most. */
#define STEP_CALLS 256
#define PAUSE_MS   500
#define RETRY_MS   5000

/* The calls of one token in one quarter. */
struct entry {
    struct list_node slot, order;
    struct webhook_calls calls;
};

struct tally {
    struct commit_queue *queue;
    /* Keyed, because senders choose the tokens and thus their hashes. */
    uint8_t spread_key[SECRET_SPREAD_KEY_BYTES];
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    struct list slots[SLOTS]; /* entries; linked by `slot` */
    struct list entries;      /* all entries, oldest first; linked by `order` */
    size_t known, unknown;    /* number of entries with and without a known fleet */
    uint64_t lost;
    bool is_stopping;
};

/* ---- entries; the lock is held ---- */

static struct list *slot_of(struct tally *tally, const uint8_t hash[SECRET_HASH_BYTES])
{
    return &tally->slots[secret_spread(tally->spread_key, hash, SECRET_HASH_BYTES) % SLOTS];
}

static struct entry *find(struct tally *tally, const uint8_t hash[SECRET_HASH_BYTES],
                          int64_t quarter_ms)
{
    LIST_EACH(struct entry, entry, slot_of(tally, hash), slot)
        if (entry->calls.quarter_ms == quarter_ms &&
            memcmp(entry->calls.hash, hash, SECRET_HASH_BYTES) == 0)
            return entry;
    return NULL;
}

static struct entry *append(struct tally *tally, const uint8_t hash[SECRET_HASH_BYTES],
                            int64_t quarter_ms)
{
    struct entry *entry = memory_alloc(sizeof(*entry));
    memcpy(entry->calls.hash, hash, SECRET_HASH_BYTES);
    entry->calls.quarter_ms = quarter_ms;
    list_prepend(slot_of(tally, hash), &entry->slot);
    list_append(&tally->entries, &entry->order);
    tally->unknown++;
    return entry;
}

static void set_fleet(struct tally *tally, struct webhook_calls *calls, const struct id *fleet_id)
{
    if (!calls->has_fleet_id) {
        tally->unknown--;
        tally->known++;
    }
    calls->has_fleet_id = true;
    calls->fleet_id = *fleet_id;
}

/* Returns the token's calls in the quarter, or NULL if there is no room for a new entry. */
static struct webhook_calls *calls_of(struct tally *tally, const uint8_t hash[SECRET_HASH_BYTES],
                                      const struct id *fleet_id, int64_t quarter_ms)
{
    struct entry *entry = find(tally, hash, quarter_ms);
    if (!entry && (fleet_id ? tally->known < MAX_KNOWN : tally->unknown < MAX_UNKNOWN))
        entry = append(tally, hash, quarter_ms);
    if (!entry)
        return NULL;
    if (fleet_id)
        set_fleet(tally, &entry->calls, fleet_id);
    return &entry->calls;
}

static void take_first(struct tally *tally, struct webhook_calls *calls)
{
    struct entry *entry = LIST_TAKE_FIRST(&tally->entries, struct entry, order);
    list_remove(slot_of(tally, entry->calls.hash), &entry->slot);
    *(entry->calls.has_fleet_id ? &tally->known : &tally->unknown) -= 1;
    *calls = entry->calls;
    free(entry);
}

/* Puts back calls that could not be stored. */
static void add_again(struct tally *tally, const struct webhook_calls *old)
{
    const struct id *fleet_id = old->has_fleet_id ? &old->fleet_id : NULL;
    struct webhook_calls *calls = calls_of(tally, old->hash, fleet_id, old->quarter_ms);
    if (!calls) {
        tally->lost += fleet_id ? (uint64_t)(old->accepted + old->refused) : 0;
        return;
    }
    calls->accepted += old->accepted;
    calls->refused += old->refused;
    if (old->last.at_ms > calls->last.at_ms)
        calls->last = old->last;
}

void tally_add(struct tally *tally, const uint8_t token_hash[SECRET_HASH_BYTES],
               const struct id *fleet_id, const struct webhook_call *call)
{
    pthread_mutex_lock(&tally->lock);
    bool was_empty = list_is_empty(&tally->entries);
    struct webhook_calls *calls = calls_of(tally, token_hash, fleet_id, store_quarter(call->at_ms));
    if (calls) {
        if (call->status == 201)
            calls->accepted++;
        else
            calls->refused++;
        if (call->at_ms >= calls->last.at_ms)
            calls->last = *call;
    } else {
        tally->lost += fleet_id ? 1 : 0;
    }
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
    struct webhook_calls calls[STEP_CALLS];
    size_t count;
};

static int add_calls(void *context, struct store *store, struct error *error)
{
    const struct step *step = context;
    for (size_t i = 0; i < step->count; i++)
        if (store_add_calls(store, &step->calls[i], error) != 0)
            return -1;
    return 0;
}

/* Takes out some entries and stores them. Returns how many, or -1 if storing failed and they have
 * been put back. The lock is held, but released while it stores. */
static ssize_t store_some(struct tally *tally, struct step *step)
{
    struct error error = ERROR_INIT;
    const struct commit_call call = {
        .name = "count requests", .bytes = sizeof(*step), .apply = add_calls, .context = step};
    step->count = 0;
    while (!list_is_empty(&tally->entries) && step->count < STEP_CALLS)
        take_first(tally, &step->calls[step->count++]);
    pthread_mutex_unlock(&tally->lock);
    int result = commit_has_room(tally->queue, 0, &error);
    if (result == 0)
        result = commit_call(tally->queue, &call, &error);
    if (result != 0)
        log_debug("requests not counted yet", log_why(&error));
    pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; result != 0 && i < step->count; i++)
        add_again(tally, &step->calls[i]);
    return result == 0 ? (ssize_t)step->count : -1;
}

/* Stores the entries that are pending now. Those added meanwhile are stored after the next
 * pause. */
static int store_round(struct tally *tally, struct step *step)
{
    ssize_t left = (ssize_t)(tally->known + tally->unknown);
    while (left > 0) {
        ssize_t stored = store_some(tally, step);
        if (stored < 0)
            return -1;
        left -= stored;
    }
    return 0;
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
        while (list_is_empty(&tally->entries) && !tally->is_stopping)
            pthread_cond_wait(&tally->news, &tally->lock);
        if (list_is_empty(&tally->entries))
            break;
        if (tally->known < MAX_KNOWN / 2)
            wait_ms(tally, PAUSE_MS);
        if (store_round(tally, step) == 0)
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
    while (!list_is_empty(&tally->entries))
        take_first(tally, &calls);
    pthread_cond_destroy(&tally->news);
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

struct tally *tally_start(struct commit_queue *queue, struct error *error)
{
    struct tally *tally = memory_alloc(sizeof(*tally));
    tally->queue = queue;
    secret_random(tally->spread_key, sizeof(tally->spread_key));
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
