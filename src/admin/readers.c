/* See readers.h. Connections are opened on demand and kept up to a bound. */
#include "admin/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

/* More requests at a time than this are rare; their connections are closed after use. */
#define READERS_KEPT     8
#define REQUEST_LIMIT_MS 10000 /* for all searches of a request */

struct readers {
    struct store_options options;
    pthread_mutex_t lock; /* guards the following */
    struct store *idle[READERS_KEPT];
    int idle_count;
};

struct readers *readers_new(const struct store_options *options)
{
    struct readers *readers = memory_alloc(sizeof(*readers));
    readers->options = *options;
    readers->options.mode = STORE_READ;
    pthread_mutex_init(&readers->lock, NULL);
    return readers;
}

void readers_free(struct readers *readers)
{
    if (!readers)
        return;
    for (int i = 0; i < readers->idle_count; i++)
        store_close(readers->idle[i]);
    pthread_mutex_destroy(&readers->lock);
    free(readers);
}

struct store *readers_take(struct readers *readers, struct error *error)
{
    struct store *store = NULL;
    pthread_mutex_lock(&readers->lock);
    if (readers->idle_count > 0)
        store = readers->idle[--readers->idle_count];
    pthread_mutex_unlock(&readers->lock);
    if (!store)
        store = store_open(&readers->options, error);
    if (store)
        store_set_deadline(store, clock_monotonic_ms() + REQUEST_LIMIT_MS);
    return store;
}

void readers_give(struct readers *readers, struct store *store, bool broken)
{
    pthread_mutex_lock(&readers->lock);
    if (!broken && readers->idle_count < READERS_KEPT) {
        readers->idle[readers->idle_count++] = store;
        store = NULL;
    }
    pthread_mutex_unlock(&readers->lock);
    if (store)
        store_close(store);
}
