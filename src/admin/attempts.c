/* See attempts.h. Asked by admin/sign_in. */
#include "admin/attempts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MAX_ADDRESSES 256 /* beyond them the one that failed longest ago is forgotten */
#define WINDOW_MS     60000
#define ADDRESS_BYTES 64

struct failures {
    char address[ADDRESS_BYTES]; /* "": free */
    int count;
    int64_t begun_ms; /* the window */
};

struct attempts {
    pthread_mutex_t lock; /* guards the following */
    struct failures by_address[MAX_ADDRESSES];
};

struct attempts *attempts_new(void)
{
    struct attempts *attempts = memory_alloc(sizeof(*attempts));
    pthread_mutex_init(&attempts->lock, NULL);
    return attempts;
}

void attempts_free(struct attempts *attempts)
{
    if (!attempts)
        return;
    pthread_mutex_destroy(&attempts->lock);
    free(attempts);
}

/* The lock is held. The address's place; with `take` a new one if it has none, else NULL. */
static struct failures *failures_of(struct attempts *attempts, const char *address, bool take)
{
    struct failures *oldest = &attempts->by_address[0];
    for (int i = 0; i < MAX_ADDRESSES; i++) {
        struct failures *one = &attempts->by_address[i];
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

bool attempts_may_try(struct attempts *attempts, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&attempts->lock);
    const struct failures *failures = failures_of(attempts, address, false);
    bool may =
        !failures || now_ms - failures->begun_ms >= WINDOW_MS || failures->count < ATTEMPTS_FAILED;
    pthread_mutex_unlock(&attempts->lock);
    return may;
}

void attempts_failed(struct attempts *attempts, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&attempts->lock);
    struct failures *failures = failures_of(attempts, address, true);
    if (failures->count == 0 || now_ms - failures->begun_ms >= WINDOW_MS) {
        failures->begun_ms = now_ms;
        failures->count = 0;
    }
    failures->count++;
    pthread_mutex_unlock(&attempts->lock);
}
