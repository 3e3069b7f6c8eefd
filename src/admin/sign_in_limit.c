/* See sign_in_limit.h. Called by sign_in.c. */
#include "admin/sign_in_limit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MAX_ADDRESSES 256 /* beyond it, the address with the oldest count is forgotten */
#define WINDOW_MS     60000
#define ADDRESS_BYTES 64

struct failures {
    char address[ADDRESS_BYTES]; /* "": unused */
    int count;                   /* since begun_ms */
    int64_t begun_ms;
};

struct sign_in_limit {
    pthread_mutex_t lock; /* guards the following */
    struct failures by_address[MAX_ADDRESSES];
};

struct sign_in_limit *sign_in_limit_new(void)
{
    struct sign_in_limit *limit = memory_alloc(sizeof(*limit));
    pthread_mutex_init(&limit->lock, NULL);
    return limit;
}

void sign_in_limit_free(struct sign_in_limit *limit)
{
    if (!limit)
        return;
    pthread_mutex_destroy(&limit->lock);
    free(limit);
}

/* Returns the entry of the address. If there is none, returns a new one if `take` is set, otherwise
 * NULL. The lock is held. */
static struct failures *failures_of(struct sign_in_limit *limit, const char *address, bool take)
{
    struct failures *oldest = &limit->by_address[0];
    for (int i = 0; i < MAX_ADDRESSES; i++) {
        struct failures *one = &limit->by_address[i];
        if (strncmp(one->address, address, ADDRESS_BYTES - 1) == 0)
            return one;
        if (one->address[0] == '\0'
                ? oldest->address[0] != '\0'
                : oldest->address[0] != '\0' && one->begun_ms < oldest->begun_ms)
            oldest = one;
    }
    if (!take)
        return NULL;
    *oldest = (struct failures){.count = 0};
    snprintf(oldest->address, sizeof(oldest->address), "%s", address);
    return oldest;
}

bool sign_in_limit_allows(struct sign_in_limit *limit, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&limit->lock);
    const struct failures *failures = failures_of(limit, address, false);
    bool may = !failures || now_ms - failures->begun_ms >= WINDOW_MS ||
               failures->count < SIGN_IN_LIMIT_FAILURES;
    pthread_mutex_unlock(&limit->lock);
    return may;
}

void sign_in_limit_failed(struct sign_in_limit *limit, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&limit->lock);
    struct failures *failures = failures_of(limit, address, true);
    if (failures->count == 0 || now_ms - failures->begun_ms >= WINDOW_MS) {
        failures->begun_ms = now_ms;
        failures->count = 0;
    }
    failures->count++;
    pthread_mutex_unlock(&limit->lock);
}
